"""Objects as the API sends them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 5, 15, 8, 21, tzinfo=UTC)


def instant(seconds: float = 0) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def source(source_id: str = "src_1", **fields: object) -> dict[str, object]:
    return {
        "id": source_id,
        "projectId": "proj_1",
        "status": "Done",
        "name": None,
        "fileType": None,
        "durationSeconds": 0,
        "createdAt": instant(),
        "updatedAt": None,
        "textPreview": "Hello",
        "textPreviewTruncated": False,
        "hasFullText": True,
        **fields,
    }


def job(job_id: str = "job_1", status: str = "QUEUED", age: float = 0, **fields: object) -> dict[str, object]:
    return {
        "id": job_id,
        "type": "SOURCE_INGEST_FILE",
        "status": status,
        "projectId": "proj_1",
        "startedAt": None,
        "completedAt": None,
        "progress": None,
        "result": {"sourceId": "src_1"} if status == "DONE" else None,
        "errorCode": None,
        "errorMessage": None,
        "attemptCount": 0,
        "estimatedCompletionMs": 240000,
        "createdAt": instant(-age),
        "updatedAt": None,
        **fields,
    }


def page(*items: Mapping[str, object], cursor: str | None = None) -> dict[str, object]:
    return {"data": list(items), "pagination": {"next_cursor": cursor, "has_more": cursor is not None}}


def upload(url: str, **fields: object) -> dict[str, object]:
    return {
        "id": "upl_1",
        "uploadUrl": url,
        "contentType": "text/plain",
        "maxSizeBytes": 1000,
        "expiresAt": "2099-01-01T00:00:00.000Z",
        "method": "PUT",
        **fields,
    }


def note(note_id: str = "note_1", **fields: object) -> dict[str, object]:
    return {
        "id": note_id,
        "projectId": "proj_1",
        "folderId": None,
        "content": "Nobody buys features.",
        "createdAt": instant(),
        "updatedAt": None,
        "slot": {"id": "slot_1", "date": "2026-05-18", "contentType": "PERSONAL"},
        **fields,
    }


def post(post_id: str = "post_1", **fields: object) -> dict[str, object]:
    return {
        "id": post_id,
        "status": "draft",
        "platform": "linkedin",
        "contentType": "PERSONAL",
        "title": "A calmer Tuesday",
        "content": "Nobody buys features.",
        "createdAt": instant(),
        "projectId": "proj_1",
        "scheduledAt": None,
        "updatedAt": None,
        **fields,
    }


def webhook_endpoint(endpoint_id: str = "whe_1", **fields: object) -> dict[str, object]:
    return {
        "id": endpoint_id,
        "url": "https://example.com/hook",
        "name": "Newsroom",
        "events": ["post.created"],
        "isActive": True,
        "disabledReason": None,
        "projectId": None,
        "secretLast4": "beef",
        "createdAt": instant(),
        "updatedAt": None,
        **fields,
    }
