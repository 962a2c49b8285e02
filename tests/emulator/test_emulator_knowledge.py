import pytest

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import Calls, Fields
from tests.emulator.test_emulator_posts import events, listen


@pytest.mark.parametrize(
    ("body", "job_type", "cents"),
    [
        ({"type": "text", "name": "Tone", "text": "Be brief."}, "KB_INGEST_TEXT", 1),
        ({"type": "url", "url": "https://example.com/a?b=c#d"}, "KB_INGEST_URL", 2),
        ({"type": "youtube", "url": "http://youtu.be/x", "name": "Talk"}, "KB_INGEST_YOUTUBE", 3),
    ],
)
def test_documents(emulator: Emulator, api: Calls, body: Fields, job_type: str, cents: int) -> None:
    listen(api)
    emulator.set_spend(5_000 - cents)
    job = api.post("/knowledge", body).fields
    assert job["type"] == job_type
    assert job["status"] == "QUEUED"
    assert job["projectId"] is None
    refused = api.post("/knowledge", body)
    assert (refused.code, refused.error["meta"]["estimateCents"]) == ("402 spend_cap_exceeded", cents)
    document_id = api.ended(job)["result"]["documentId"]
    assert document_id.startswith("kb_")
    assert events(emulator) == ["knowledge.indexed", "job.completed"]
    name = body.get("name") or body["url"]
    assert emulator.events[0].data == {"documentId": document_id, "name": name}
    assert emulator.count("knowledge") == 1


def test_a_file_of_a_project(emulator: Emulator, api: Calls) -> None:
    upload = api.mint()
    body = {
        "type": "file",
        "name": "Notes",
        "uploadId": upload["id"],
        "projectId": emulator.project_id,
    }
    assert api.post("/knowledge", body).code == "422 unprocessable"
    api.put(upload, b"bytes")
    job = api.post("/knowledge", body).fields
    assert job["projectId"] == emulator.project_id
    emulator.clock.advance(30 * 3600)
    api.mint()
    assert api.get(f"/jobs/{job['id']}").fields["status"] == "DONE"


def test_a_file_that_cannot_be_read(api: Calls) -> None:
    upload = api.mint("application/pdf")
    api.put(upload, b"no pdf")
    job = api.post("/knowledge", {"type": "file", "name": "x", "uploadId": upload["id"]}).fields
    assert api.ended(job)["errorCode"] == "UNREADABLE_FILE"


def test_an_upload_of_another_workspace(emulator: Emulator, api: Calls) -> None:
    upload = api.mint()
    api.put(upload, b"bytes")
    key = emulator.create_key(workspace_id=emulator.create_workspace())
    body = {"type": "file", "name": "x", "uploadId": upload["id"]}
    assert api.post("/knowledge", body, key=key).code == "404 not_found"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "400 invalid_request"),
        ({"type": "song"}, "422 unprocessable"),
        ({"type": "text", "text": "x"}, "400 invalid_request"),
        ({"type": "text", "name": "x"}, "400 invalid_request"),
        ({"type": "text", "name": "x" * 501, "text": "x"}, "422 unprocessable"),
        ({"type": "text", "name": "x", "text": "é" * 600_000}, "413 payload_too_large"),
        ({"type": "text", "name": "x", "text": "x", "projectId": "proj_x"}, "404 not_found"),
        ({"type": "text", "name": "x", "text": "x", "projectId": None}, "400 invalid_request"),
        ({"type": "file", "name": "x"}, "400 invalid_request"),
        ({"type": "file", "name": "x", "uploadId": "upl_x"}, "404 not_found"),
        ({"type": "url"}, "400 invalid_request"),
        ({"type": "url", "url": "ftp://example.com"}, "422 unprocessable"),
        ({"type": "url", "url": "example.com"}, "422 unprocessable"),
        ({"type": "url", "url": "https://"}, "422 unprocessable"),
        ({"type": "url", "url": "https://[::::]/"}, "422 unprocessable"),
        ({"type": "youtube", "url": "https://a b"}, "422 unprocessable"),
        ({"type": "youtube", "url": "https://youtu.be/x", "name": ""}, "400 invalid_request"),
    ],
)
def test_what_is_no_knowledge(emulator: Emulator, api: Calls, body: Fields, code: str) -> None:
    assert api.post("/knowledge", body).code == code
    assert emulator.count("jobs") == 0


def test_a_long_url_is_its_own_name(api: Calls) -> None:
    body = {"type": "url", "url": f"https://example.com/{'x' * 600}"}
    assert api.post("/knowledge", body).status == 200


def test_a_seeded_document(emulator: Emulator, api: Calls) -> None:
    (job_id,) = emulator.seed(jobs=1, job_status="QUEUED", job_type="KB_INGEST_FILE").job_ids
    assert api.ended({"id": job_id})["result"]["documentId"].startswith("kb_")


def test_scope(emulator: Emulator, api: Calls) -> None:
    refused = api.post("/knowledge", {}, key=emulator.create_key(["sources:write"]))
    assert refused.error["details"] == {"required": ["knowledge:write"]}
