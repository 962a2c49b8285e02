"""What the emulator's tests share: calls in short form."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from scripe.emulator import Clock, Emulator, Request, Response

ORIGIN = "http://emulator.test"
START = datetime(2026, 5, 15, 8, 21, 0, 123_000, tzinfo=UTC)
Fields = dict[str, Any]


def frozen() -> Clock:
    return Clock(START, frozen=True)


@dataclass
class ApiResponse:
    status: int
    headers: dict[str, str]
    body: bytes
    raw: Response

    @property
    def json(self) -> Fields:
        parsed: Fields = json.loads(self.body)
        return parsed

    @property
    def fields(self) -> Fields:
        document: Fields = self.json["data"]
        return document

    @property
    def error(self) -> Fields:
        document: Fields = self.json["error"]
        return document

    @property
    def code(self) -> str:
        return f"{self.status} {self.error['code']}"


class Calls:
    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.key = emulator.api_key

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> ApiResponse:
        response = self.emulator.handle(Request(method, url, headers, io.BytesIO(body)))
        return ApiResponse(response.status, response.headers, response.body, response)

    def get(self, path: str, key: str | None = None, **headers: str) -> ApiResponse:
        return self.send("GET", f"{ORIGIN}/v1{path}", self._headers(key, headers))

    def post(self, path: str, body: object = None, key: str | None = None, **headers: str) -> ApiResponse:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        all_headers = {"Content-Type": "application/json", **self._headers(key, headers)}
        return self.send("POST", f"{ORIGIN}/v1{path}", all_headers, content)

    def patch(self, path: str, body: object, **headers: str) -> ApiResponse:
        all_headers = {"Content-Type": "application/json", **self._headers(None, headers)}
        return self.send("PATCH", f"{ORIGIN}/v1{path}", all_headers, json.dumps(body).encode())

    def note(self, **more: object) -> ApiResponse:
        return self.post("/notes", {"projectId": self.emulator.project_id, **more})

    def draft(self, **more: object) -> ApiResponse:
        return self.post("/posts", {"projectId": self.emulator.project_id, **more})

    def generate(self, **more: object) -> ApiResponse:
        body = {"projectId": self.emulator.project_id, "source": {"text": "We ship. It works."}, **more}
        return self.post("/posts/generations", body)

    def ended(self, job: Fields) -> Fields:
        """A job after it was let end."""
        self.emulator.finish(job["id"])
        return self.get(f"/jobs/{job['id']}").fields

    def text(self, text: str = "Hello", idempotency_key: str | None = None, **more: object) -> ApiResponse:
        body = {"type": "text", "projectId": self.emulator.project_id, "text": text, **more}
        return self.post(
            "/sources", body, **({"Idempotency-Key": idempotency_key} if idempotency_key else {})
        )

    def mint(self, content_type: str = "text/plain", **more: object) -> Fields:
        return self.post("/uploads", {"contentType": content_type, **more}).fields

    def put(self, upload: Fields, body: bytes, **headers: str) -> ApiResponse:
        all_headers = {"Content-Type": upload["contentType"], "Content-Length": str(len(body)), **headers}
        return self.send("PUT", upload["uploadUrl"], all_headers, body)

    def file(self, body: bytes, content_type: str = "text/plain", **more: object) -> ApiResponse:
        upload = self.mint(content_type)
        assert self.put(upload, body).status == 200
        wanted = {"type": "file", "projectId": self.emulator.project_id, "uploadId": upload["id"], **more}
        return self.post("/sources", wanted)

    def read_back(self, body: bytes, content_type: str, **more: object) -> Fields:
        """The source that a file becomes, or the job if it failed."""
        job = self.file(body, content_type, **more).fields
        self.emulator.finish(job["id"])
        ended = self.get(f"/jobs/{job['id']}").fields
        return self.get(f"/sources/{ended['result']['sourceId']}").fields if ended["result"] else ended

    def _headers(self, key: str | None, headers: dict[str, str]) -> dict[str, str]:
        token = self.key if key is None else key
        return {"Authorization": f"Bearer {token}", "Scripe-Api-Version": "2026-08-01", **headers}


def storage_code(answer: ApiResponse) -> str:
    text = answer.body.decode()
    return f"{answer.status} {text.partition('<Code>')[2].partition('</Code>')[0]}"


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
