"""The examples of the API's pages, field by field."""

import json

import pytest

from scripe.emulator import Emulator
from scripe.emulator._core.canonical_json import Json, JsonObject
from tests.emulator.emulator_calls import Calls, frozen

SOURCE = """{"id": "src_01J9ZA", "projectId": "proj_01J9ZA", "status": "Done",
  "name": "founder-podcast-2026-05-15.m4a", "fileType": "audio/mp4", "durationSeconds": 482,
  "createdAt": "2026-05-15T08:21:00.000Z", "updatedAt": "2026-05-15T08:23:11.000Z",
  "textPreview": "Hi everyone", "textPreviewTruncated": true, "hasFullText": true}"""
TEXT_SOURCE = """{"id": "src_01J9ZA", "projectId": "proj_01J9ZA", "status": "Success",
  "name": "Stand-up summary 2026-05-15", "fileType": null, "durationSeconds": 0,
  "createdAt": "2026-05-15T08:21:00.000Z", "updatedAt": null, "textPreview": "Today we shipped",
  "textPreviewTruncated": false, "hasFullText": true}"""
TOPIC = """{"id": "tpc_a1b2c3d4e5f6g7h8", "title": "t", "summary": "s", "keyTakeaways": ["k"], "ranking": 123,
  "score": 0.5, "fromSeconds": 123, "toSeconds": 123,
  "hooks": [{"id": "hk_a1b2c3d4e5f6g7h8", "content": "c", "postType": "p", "contentType": "c"}]}"""
QUEUED = """{"id": "job_01J9ZB", "type": "SOURCE_INGEST_FILE", "status": "QUEUED", "projectId": "proj_01J9ZA",
  "startedAt": null, "completedAt": null, "progress": null, "result": null, "errorCode": null,
  "errorMessage": null, "attemptCount": 0, "estimatedCompletionMs": 240000,
  "createdAt": "2026-05-15T08:21:00.000Z", "updatedAt": null}"""
DONE = """{"id": "job_01J9ZA", "type": "POST_GENERATION", "status": "DONE", "projectId": "proj_01J9ZA",
  "startedAt": "2026-05-15T08:21:30.000Z", "completedAt": "2026-05-15T08:21:55.000Z", "progress": null,
  "result": {"postId": "post_01J9ZA"}, "errorCode": null, "errorMessage": null, "attemptCount": 1,
  "estimatedCompletionMs": 25000, "createdAt": "2026-05-15T08:21:00.000Z",
  "updatedAt": "2026-05-15T08:21:55.000Z"}"""
RUNNING = """{"id": "job_01J9ZA", "type": "POST_GENERATION", "status": "RUNNING", "projectId": "proj_01J9ZA",
  "startedAt": "2026-05-15T08:21:30.000Z", "completedAt": null,
  "progress": {"progress": 0.4, "message": "Generating post", "updatedAt": "2026-05-15T08:21:42.000Z"},
  "result": null, "errorCode": null, "errorMessage": null, "attemptCount": 1, "estimatedCompletionMs": 25000,
  "createdAt": "2026-05-15T08:21:00.000Z", "updatedAt": "2026-05-15T08:21:42.000Z"}"""
CANCELLED = """{"id": "job_01J9ZA", "type": "POST_GENERATION", "status": "CANCELLED", "projectId": "proj_01J9ZA",
  "startedAt": null, "completedAt": "2026-05-15T08:21:05.000Z", "progress": null, "result": null,
  "errorCode": null, "errorMessage": null, "attemptCount": 0, "estimatedCompletionMs": 25000,
  "createdAt": "2026-05-15T08:21:00.000Z", "updatedAt": "2026-05-15T08:21:05.000Z"}"""


def shape(value: Json) -> object:
    """Field names and types, and of strings their prefix or form."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, str) and value.endswith("Z") and len(value) == 24:
        return "2026-05-15T08:21:00.000Z"
    if isinstance(value, str) and value.partition("_")[0] in {"src", "proj", "job", "post", "tpc", "hk"}:
        return value.partition("_")[0]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def same(document: JsonObject, example: str) -> None:
    assert list(document) == list(json.loads(example))
    assert shape(document) == shape(json.loads(example))


def test_a_text_source(api: Calls) -> None:
    response = api.text("Today we shipped", name="Stand-up summary 2026-05-15")
    assert (response.status, response.headers["Idempotent-Replayed"]) == (200, "false")
    assert response.headers["Content-Type"] == "application/json"
    same(response.fields, TEXT_SOURCE)
    assert response.fields["status"] == "Success"
    assert response.fields["createdAt"] == "2026-05-15T08:21:00.123Z"
    assert api.get(f"/sources/{response.fields['id']}").fields == response.fields


def test_a_file_source(emulator: Emulator, api: Calls) -> None:
    job = api.file(b"Hi everyone " * 200, name="founder-podcast-2026-05-15.m4a")
    assert job.headers["Idempotent-Replayed"] == "false"
    same(job.fields, QUEUED)
    assert job.fields["type"] == "SOURCE_INGEST_FILE"
    assert job.fields["estimatedCompletionMs"] == 240_000
    emulator.clock.advance(60)
    ended = api.get(f"/jobs/{job.fields['id']}").fields
    assert (ended["status"], list(ended["result"])) == ("DONE", ["sourceId"])
    source = api.get(f"/sources/{ended['result']['sourceId']}").fields
    same(source, SOURCE)
    assert (source["status"], len(source["textPreview"])) == ("Done", 2_000)


def test_topics(api: Calls) -> None:
    with Emulator(clock=frozen(), include_topics=True) as emulator:
        source = Calls(emulator).read_back(b"Ten words are enough for a topic", "text/plain")
    same(source["topics"][0], TOPIC)
    assert "topics" not in api.read_back(b"text", "text/plain")


@pytest.mark.parametrize(("status", "example"), [("DONE", DONE), ("RUNNING", DONE), ("CANCELLED", CANCELLED)])
def test_listed_jobs(emulator: Emulator, api: Calls, status: str, example: str) -> None:
    emulator.seed(jobs=1, job_status=status)
    listed = api.get("/jobs").json
    assert list(listed) == ["data", "pagination"]
    assert listed["pagination"] == {"next_cursor": None, "has_more": False}
    assert list(listed["data"][0]) == list(json.loads(example))
    if status != "RUNNING":
        same(listed["data"][0], example)


def test_a_running_job(emulator: Emulator, api: Calls) -> None:
    (job_id,) = emulator.seed(jobs=1, job_status="RUNNING").job_ids
    emulator.set_progress(job_id, 0.4, "Generating post")
    document = api.get(f"/jobs/{job_id}").fields
    same(document, RUNNING)
    assert document["progress"]["progress"] == 0.4
    assert api.get("/jobs").json["data"][0]["progress"] is None


def test_a_cancelled_job(emulator: Emulator, api: Calls) -> None:
    (job_id,) = emulator.seed(jobs=1, job_status="QUEUED").job_ids
    same(api.post(f"/jobs/{job_id}/cancel").fields, CANCELLED)


def test_health(api: Calls) -> None:
    response = api.send("GET", "http://emulator.test/v1/health", {})
    assert (response.status, response.headers["Cache-Control"]) == (200, "max-age=5, public")
    assert response.json == {
        "status": "ok",
        "version": "2026-08-01",
        "checks": {
            "db": {"ok": True, "latencyMs": 1},
            "redis": {"ok": True, "latencyMs": 1},
            "auditBuffer": {"ok": True, "depth": 0},
        },
    }


def test_degraded_health_has_the_same_body(emulator: Emulator, api: Calls) -> None:
    emulator.degrade("redis", "timed out")
    response = api.get("/health")
    assert (response.status, response.json["status"]) == (503, "degraded")
    assert response.json["checks"]["redis"] == {"ok": False, "latencyMs": 1, "error": "timed out"}
    emulator.restore()
    assert api.get("/health").status == 200
    with pytest.raises(ValueError, match=r"disk.*db, redis, auditBuffer"):
        emulator.degrade("disk")


def test_health_auth(emulator: Emulator, api: Calls) -> None:
    body = api.get("/health/auth").json
    assert list(body) == ["status", "version", "workspace", "principal"]
    assert body["workspace"] == {"id": emulator.workspace_id}
    assert body["principal"]["id"].startswith("key_")
    assert "sources:write" in body["principal"]["scopes"]


def test_the_workspace(emulator: Emulator, api: Calls) -> None:
    body = api.get("/workspaces/me").json
    assert list(body) == ["workspace", "principal"]
    assert list(body["workspace"]) == ["id", "name", "plan", "features"]
    assert body["workspace"]["id"] == emulator.workspace_id
    assert body["workspace"]["plan"] == "BUSINESS"
    assert body["workspace"]["features"]["apiAccess"] is True
    assert body["principal"]["type"] == "api_key"


def test_projects(emulator: Emulator, api: Calls) -> None:
    projects = api.get("/projects").json["data"]
    assert len(projects) == 3
    assert list(projects[0]) == ["id", "name", "type", "status", "url", "createdAt"]
    assert projects[0]["name"] == "Founder brand 🚀"
    assert [project["createdAt"] for project in projects] == sorted(
        (project["createdAt"] for project in projects), reverse=True
    )
    assert api.get(f"/projects/{emulator.project_id}").fields == projects[0]


def test_an_upload(api: Calls) -> None:
    upload = api.mint("audio/mpeg", maxSizeBytes=1_000)
    assert list(upload) == ["id", "uploadUrl", "contentType", "maxSizeBytes", "expiresAt", "method"]
    assert upload["id"].startswith("upl_")
    assert upload["expiresAt"] == "2026-05-15T08:36:00.000Z"
    assert upload["contentType"] == "audio/mpeg"
    assert upload["maxSizeBytes"] == 1_000
    assert upload["method"] == "PUT"


def test_the_error_envelope(api: Calls) -> None:
    response = api.get("/sources/src_missing")
    assert list(response.json) == ["error"]
    assert list(response.error) == ["code", "message", "request_id", "docs_url"]
    assert response.error["request_id"] == response.headers["X-Request-Id"]
    assert response.error["request_id"].startswith("req_")
