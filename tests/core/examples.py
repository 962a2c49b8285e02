"""Responses and jobs in the form of the API, for the tests of the core."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from scripe._core.outcome import RawResponse
from scripe.types import Headers, Job, Upload

NOON = datetime(2026, 5, 15, 12, 0, tzinfo=UTC)
KEY = "scripe_sk_live_canary0123456789"


def response(status: int = 200, body: object = None, *, arrived: float = 0.0, **headers: str) -> RawResponse:
    """Return a response with a JSON body, or with the given bytes; headers are named with underscores."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = Headers((name.replace("_", "-"), text) for name, text in headers.items())
    return RawResponse(status, named, content, 0.25, arrived)


def error_response(status: int, code: object, message: object = "told", **extra: object) -> RawResponse:
    return response(status, {"error": {"code": code, "message": message, **extra}})


def job(
    job_id: str = "job_1",
    status: str = "QUEUED",
    *,
    job_type: str = "POST_GENERATION",
    minute: float = 0,
    **fields: object,
) -> Job:
    created_at = NOON + timedelta(minutes=minute)
    return Job.model_validate(
        {"id": job_id, "type": job_type, "status": status, "createdAt": created_at.isoformat(), **fields}
    )


def upload(max_size_bytes: int = 100, *, content_type: str = "audio/mpeg") -> Upload:
    return Upload(
        id="upl_acme_1",
        upload_url="https://storage.example/b/k?X-Amz-Signature=topsecret",
        content_type=content_type,
        max_size_bytes=max_size_bytes,
        expires_at=NOON,
    )
