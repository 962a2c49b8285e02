"""Look at an API that was written from its pages alone, with canaries in all that a report must not show."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from scripe import Diagnosis, Scripe
from scripe._core.diagnosis_report import to_document, to_markdown
from scripe._sync.client import set_clock
from tests.support.clock import SleeplessClock

KEY = "scripe_sk_live_canaryCANARYcanary"
MOMENT = "2026-05-15T08:21:00.000Z"
PAGE = {"next_cursor": "canaryCursor==", "has_more": True}
PROJECT = {
    "id": "proj_canary",
    "name": "canary 🚀",
    "type": "PERSONAL_BRAND",
    "status": "ACTIVE",
    "url": "https://www.linkedin.com/in/canary",
    "createdAt": MOMENT,
}
JOB = {
    "id": "job_canary",
    "type": "SOURCE_INGEST_FILE",
    "status": "DONE",
    "projectId": "proj_canary",
    "result": {"sourceId": "src_canary"},
    "errorMessage": "canary",
    "attemptCount": 1,
    "estimatedCompletionMs": 240000,
    "createdAt": MOMENT,
    "metadata": {"canary@example.com": "canary", "proj_canary": 1},
}
POST = {
    "id": "post_canary",
    "status": "draft",
    "platform": "linkedin-canary",
    "contentType": "PERSONAL",
    "title": "canary",
    "content": "canary",
    "createdAt": MOMENT,
}
ROUTES: dict[str, object] = {
    "/v1/health": {
        "status": "ok",
        "version": "2026-08-01",
        "checks": {"db": {"ok": True, "error": "canary"}},
    },
    "/v1/health/auth": {
        "status": "ok",
        "version": "2026-08-01",
        "workspace": {"id": "org_canary"},
        "principal": {"id": "key_canary", "scopes": ["notes:read", "canary:write"]},
    },
    "/v1/workspaces/me": {
        "workspace": {
            "id": "org_canary",
            "name": "canary",
            "plan": "BUSINESS",
            "features": {"apiAccess": True},
        },
        "principal": {"type": "api_key", "id": "key_canary", "scopes": ["notes:read", "canary:write"]},
    },
    "/v1/workspaces": {"data": [{"id": "org_canary", "name": "canary"}]},
    "/v1/projects": {"data": [PROJECT], "pagination": PAGE},
    "/v1/projects/proj_canary": {"data": PROJECT},
    "/v1/jobs": {"data": [JOB], "pagination": PAGE},
    "/v1/notes": {"data": [{"id": "note_canary", "content": "canary"}], "pagination": PAGE},
    "/v1/posts": {"data": [POST], "pagination": PAGE},
    "/v1/sources/src_canary": {
        "data": {"id": "src_canary", "status": "Success", "textPreview": "canary", "topics": []}
    },
}


def refusal(code: str) -> dict[str, object]:
    """Return the body of an error, as the pages show it."""
    return {
        "error": {
            "code": code,
            "message": "canary",
            "request_id": "req_canary",
            "docs_url": f"https://docs.scripe.io/api/errors#{code}",
        }
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, body = self._answer()
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "X-Request-Id": "req_canary",
            "ETag": '"canary"',
            "Server": "canary",
            "X-Canary-canary1": "canary",
            "X-RateLimit-Limit": "canary",
            "X-RateLimit-Remaining": "99",
            "X-RateLimit-Reset": "17",
            "Set-Cookie": "session=canary",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _answer(self) -> tuple[int, object]:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if parts.path != "/v1/health" and self.headers["Authorization"] != f"Bearer {KEY}":
            return 401, refusal("unauthenticated")
        if self.headers["Scripe-Api-Version"] not in (None, "2026-08-01"):
            return 400, refusal("version_unsupported")
        if query.get("limit", ["1"])[0] == "201":
            return 400, refusal("bad_pagination")
        if query.get("status") == ["NO_SUCH_STATUS"]:
            return 400, refusal("invalid_request")
        if parts.path not in ROUTES:
            return 404, refusal("not_found")
        return 200, ROUTES[parts.path]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the parent
        """Log nothing."""


@pytest.fixture(scope="module")
def diagnosis() -> Iterator[Diagnosis]:
    """Return what is seen of the mock."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        with Scripe(KEY, base_url=base_url) as client:
            set_clock(client, SleeplessClock())
            yield client.diagnose(facts=True)
        server.shutdown()
        thread.join()


def test_an_independent_api_is_well(diagnosis: Diagnosis) -> None:
    assert diagnosis.fault is None
    assert "canary (org_canary), plan BUSINESS" in str(diagnosis)


def test_its_differences_are_reported(diagnosis: Diagnosis) -> None:
    differing = {fact.id for fact in diagnosis.facts if fact.verdict == "differs"}
    assert differing == {"G28", "G29", "C2", "C8", "C26", "C29"}


def test_the_report_shows_no_canary(diagnosis: Diagnosis) -> None:
    for text in (to_markdown(diagnosis), json.dumps(to_document(diagnosis))):
        assert "canary" not in text.lower()


def test_the_report_shows_what_helps(diagnosis: Diagnosis) -> None:
    report = to_markdown(diagnosis)
    for text in (
        '"x-ratelimit-remaining": "99"',
        '"textPreview"',
        "date-time ms Z",
        "notes:read",
        "BUSINESS",
    ):
        assert text in report


def test_facts_on_the_screen_show_no_canary(diagnosis: Diagnosis) -> None:
    assert "canary" not in "\n".join(map(str, diagnosis.facts))
