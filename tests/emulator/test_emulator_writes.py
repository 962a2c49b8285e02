import threading
from collections.abc import Callable
from typing import Any

import pytest

from scripe import APIConnectionError
from scripe.emulator import Emulator, Response
from tests.emulator.emulator_calls import ORIGIN, ApiResponse, Calls, frozen

KEYED = {"Idempotency-Key": "key"}


def test_a_replay_returns_the_stored_answer(emulator: Emulator, api: Calls) -> None:
    first, second = api.text(idempotency_key="a-1_B"), api.text(idempotency_key="a-1_B")
    assert first.headers["Idempotent-Replayed"] == "false"
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (first.status, first.body) == (second.status, second.body)
    assert emulator.count("sources") == 1
    assert [request.replayed for request in emulator.requests] == [False, True]


def test_the_body_is_compared_in_canonical_form(emulator: Emulator, api: Calls) -> None:
    project = emulator.project_id
    first = f'{{"type":"text","projectId":"{project}","text":"\\u00e9"}}'.encode()
    second = f'{{ "text": "é",\n "projectId": "{project}", "type": "text" }}'.encode()
    third = f'{{"type":"text","projectId":"{project}","text":"e"}}'.encode()
    assert api.post("/sources", first, **KEYED).status == 200
    assert api.post("/sources", second, **KEYED).headers["Idempotent-Replayed"] == "true"
    assert api.post("/sources", third, **KEYED).code == "409 idempotency_key_conflict"


def test_a_key_belongs_to_workspace_and_route(emulator: Emulator, api: Calls) -> None:
    assert api.text(idempotency_key="key").status == 200
    assert api.post("/uploads", {"contentType": "audio/mpeg"}, **KEYED).status == 200
    other = emulator.create_workspace()
    key = emulator.create_key(workspace_id=other)
    project = api.get("/projects", key=key).json["data"][0]["id"]
    body = {"type": "text", "projectId": project, "text": "other"}
    assert api.post("/sources", body, key=key, **KEYED).headers["Idempotent-Replayed"] == "false"


def test_a_key_lives_for_24_hours(emulator: Emulator, api: Calls) -> None:
    api.text(idempotency_key="key")
    emulator.clock.advance(24 * 3600 - 0.001)
    assert api.text(idempotency_key="key").headers["Idempotent-Replayed"] == "true"
    emulator.clock.advance(0.001)
    assert api.text(idempotency_key="key").headers["Idempotent-Replayed"] == "false"
    assert emulator.count("sources") == 2


@pytest.mark.parametrize("key", ["", "x" * 65, "with space", "é", "a.b", "a\n"])
def test_a_malformed_key_is_ignored(emulator: Emulator, api: Calls, key: str) -> None:
    for _ in range(2):
        assert api.text(idempotency_key=key).headers["Idempotent-Replayed"] == "false"
    assert emulator.count("sources") == 2


def test_a_key_is_ignored_on_reads(api: Calls) -> None:
    for _ in range(2):
        assert "Idempotent-Replayed" not in api.get("/projects", **KEYED).headers


def test_refusals_are_kept_but_for_those_that_pass(emulator: Emulator, api: Calls) -> None:
    body = {"type": "text", "projectId": "proj_x", "text": "x"}
    first, second = api.post("/sources", body, **KEYED), api.post("/sources", body, **KEYED)
    assert first.code == "404 not_found"
    assert second.code == "404 not_found"
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.error["request_id"] == first.error["request_id"] != second.headers["X-Request-Id"]
    reader = emulator.create_key(["notes:read"])
    assert api.post("/sources", body, key=reader, **{"Idempotency-Key": "b"}).status == 403
    assert api.text(idempotency_key="b").status == 200


def test_a_missing_scope_is_not_kept() -> None:
    with Emulator(uploads_need_scope=True) as emulator:
        api, body = Calls(emulator), {"contentType": "audio/mpeg"}
        assert api.post("/uploads", body, key=emulator.create_key([]), **KEYED).status == 403
        assert api.post("/uploads", body, **KEYED).headers["Idempotent-Replayed"] == "false"


def test_concurrent_duplicates_run_once(emulator: Emulator, api: Calls) -> None:
    responses: list[ApiResponse] = []
    threads = [
        threading.Thread(target=lambda: responses.append(api.text(idempotency_key="key"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({response.body for response in responses}) == 1
    assert emulator.count("sources") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"\xff",
        b'{"text": NaN}',
        b'{"text": "\\ud800"}',
        b"[" * 100_000,
        {"type": "text"},
        {"type": "text", "projectId": "", "text": "x"},
        {"type": "text", "projectId": 1, "text": "x"},
        {"type": "text", "projectId": "proj_x"},
        {"type": "text", "projectId": "proj_x", "text": ""},
        {"type": "text", "projectId": "proj_x", "text": "x", "name": 1},
        {"type": 1, "projectId": "proj_x", "text": "x"},
        {"projectId": "proj_x", "text": "x"},
        {"type": "file", "projectId": "proj_x"},
    ],
)
def test_malformed_bodies(emulator: Emulator, api: Calls, body: Any) -> None:
    assert api.post("/sources", body).code == "400 invalid_request"
    assert emulator.count("sources") == 0


def test_the_parameter_at_fault_is_named(api: Calls) -> None:
    assert api.post("/sources", {"type": "text"}).error["details"] == {"parameter": "projectId"}


def test_an_unknown_type(api: Calls) -> None:
    assert api.post("/sources", {"type": "url", "projectId": "proj_x"}).code == "422 unprocessable"


def test_the_content_type_must_be_json(api: Calls) -> None:
    assert api.post("/sources", {}, **{"Content-Type": "text/plain"}).code == "400 invalid_request"


def test_a_body_cut_short_is_not_run(emulator: Emulator, api: Calls) -> None:
    body = {"type": "text", "projectId": emulator.project_id, "text": "x"}
    assert api.post("/sources", body, **{"Content-Length": "5000"}).code == "400 invalid_request"
    assert emulator.count("sources") == 0


@pytest.mark.usefixtures("beyond_the_description")
def test_sizes(emulator: Emulator, api: Calls) -> None:
    assert api.text("x" * 1_000_000, idempotency_key="key").status == 200
    assert api.text("x" * 1_000_001).code == "413 payload_too_large"
    assert api.text("é" * 600_000).code == "413 payload_too_large"
    huge = {"contentType": "audio/mpeg", "padding": "x" * 256 * 1024}
    assert api.post("/uploads", huge).status == 200
    assert api.post("/uploads", huge, **KEYED).code == "413 payload_too_large"
    huge["padding"] = "x" * 4 * 1024 * 1024
    assert api.post("/uploads", huge).code == "413 payload_too_large"
    assert emulator.count("sources") == 1


@pytest.mark.parametrize(("length", "truncated"), [(1_999, False), (2_000, False), (2_001, True)])
def test_the_preview_ends_at_a_code_point(api: Calls, length: int, truncated: bool) -> None:
    source = api.text("🚀" * length).fields
    assert source["textPreview"] == "🚀" * min(length, 2_000)
    assert (source["textPreviewTruncated"], source["hasFullText"]) == (truncated, True)


@pytest.mark.usefixtures("beyond_the_description")
def test_unknown_fields_and_a_null_name_pass(api: Calls) -> None:
    assert api.text(name=None, mood="good").fields["name"] is None


def test_spend_cap(emulator: Emulator, api: Calls) -> None:
    emulator.set_spend(4_990)
    assert api.file(b"x").status == 200
    refused = api.file(b"y")
    assert refused.code == "402 spend_cap_exceeded"
    assert refused.error["meta"] == {
        "bucketDate": "2026-05-15",
        "capCents": 5_000,
        "spentCents": 5_000,
        "estimateCents": 10,
    }
    assert emulator.count("jobs") == 1
    assert api.text().status == 200
    emulator.clock.advance(15 * 3600 + 39 * 60)
    assert api.file(b"z").status == 200


def test_enterprise_has_no_cap(emulator: Emulator, api: Calls) -> None:
    emulator.set_plan("ENTERPRISE")
    emulator.set_spend(1_000_000)
    assert api.file(b"x").status == 200


def test_failed_and_cancelled_jobs_are_refunded(api: Calls) -> None:
    with Emulator(clock=frozen(), job_speed=0) as emulator:
        api = Calls(emulator)
        emulator.set_spend(4_990)
        first = api.file(b"x").fields["id"]
        assert api.file(b"x").status == 402
        api.post(f"/jobs/{first}/cancel")
        emulator.fail(api.file(b"x").fields["id"])
        assert api.file(b"x").status == 200


def test_what_is_not_uploaded_cannot_be_used(emulator: Emulator, api: Calls) -> None:
    body = {"type": "file", "projectId": emulator.project_id, "uploadId": api.mint()["id"]}
    assert api.post("/sources", body).code == "422 unprocessable"
    assert api.post("/sources", body | {"uploadId": "upl_x"}).code == "404 not_found"


def test_unreferenced_bytes_go_after_24_hours(emulator: Emulator, api: Calls) -> None:
    kept, lost = api.mint(), api.mint()
    api.put(kept, b"kept")
    api.put(lost, b"lost")
    body = {"type": "file", "projectId": emulator.project_id, "uploadId": kept["id"]}
    assert api.post("/sources", body).status == 200
    emulator.clock.advance(24 * 3600)
    api.mint()
    assert emulator.count("uploads") == 2
    assert api.post("/sources", body).status == 200
    assert api.post("/sources", body | {"uploadId": lost["id"]}).code == "404 not_found"


def test_requests_are_remembered(emulator: Emulator, api: Calls) -> None:
    api.text()
    api.put(api.mint(), b"bytes")
    api.get("/jobs?limit=2&type=")
    source, mint, put, jobs = emulator.requests
    assert source.method == "POST"
    assert source.path == "/sources"
    assert source.status == 200
    assert not source.storage
    assert b'"text": "Hello"' in source.body
    assert source.headers["authorization"] == f"Bearer {api.key}"
    assert mint.path == "/uploads"
    assert put.method == "PUT"
    assert put.storage
    assert put.body == b""
    assert put.path[:10] == "/_storage/"
    assert jobs.query == {"limit": "2", "type": ""}
    emulator.clear_requests()
    assert emulator.requests == []


def test_counting_what_does_not_exist(emulator: Emulator) -> None:
    assert emulator.count("projects") == 3
    with pytest.raises(ValueError, match=r"table.*'cats'"):
        emulator.count("cats")


def test_a_fault_fails_before_anything_is_done(emulator: Emulator, api: Calls) -> None:
    emulator.fail_next(503, retry_after=1.5, times=2, method="POST", path="/sources")
    assert api.get("/projects").status == 200
    failed = api.text()
    assert (failed.code, failed.headers["Retry-After"]) == ("503 service_unavailable", "1.5")
    assert failed.error["request_id"] == failed.headers["X-Request-Id"]
    assert failed.headers["Scripe-Api-Version"] == "2026-08-01"
    assert api.text().status == 503
    assert api.text().status == 200
    assert emulator.count("sources") == 1


def test_a_fault_in_every_form(emulator: Emulator, api: Calls) -> None:
    emulator.fail_next(502, body=b"<html>", headers={"Content-Type": "text/html"})
    response = api.get("/projects")
    assert response.status == 502
    assert response.headers == {"Content-Type": "text/html", "Date": "Fri, 15 May 2026 08:21:00 GMT"}
    assert response.body == b"<html>"
    emulator.fail_next(429, "slow_down", retry_after="soon", message="Not now.")
    response = api.get("/projects")
    assert (response.code, response.error["message"]) == ("429 slow_down", "Not now.")
    assert response.headers["Retry-After"] == "soon"
    emulator.fail_next(599)
    assert api.get("/projects").code == "599 internal_error"


def test_a_dropped_answer_is_of_work_done(emulator: Emulator, api: Calls) -> None:
    emulator.drop_next(path="/sources")
    emulator.delay_next(0.5)
    connection_dropped = api.text(idempotency_key="key")
    assert (connection_dropped.raw.connection_dropped, connection_dropped.raw.delay) == (True, 0.5)
    again = api.text(idempotency_key="key")
    assert (again.raw.connection_dropped, again.raw.delay) == (False, 0.0)
    assert (again.headers["Idempotent-Replayed"], again.body) == ("true", connection_dropped.body)
    assert emulator.count("sources") == 1


def test_a_connection_lost_before_the_work_leaves_nothing_done(emulator: Emulator, api: Calls) -> None:
    emulator.drop_next(before=True, path="/sources")
    lost = api.text(idempotency_key="key").raw
    assert lost == Response(0, {}, b"", connection_dropped=True)
    assert emulator.count("sources") == 0
    assert api.text(idempotency_key="key").headers["Idempotent-Replayed"] == "false"
    first, second = emulator.requests
    assert (first.status, first.connection_dropped) == (0, True)
    assert second.headers["idempotency-key"] == first.headers["idempotency-key"] == "key"


def test_a_client_in_process_sends_again_what_was_lost_before_the_work(emulator: Emulator) -> None:
    emulator.drop_next(before=True, path="/sources")
    with emulator.client() as client:
        client.sources.create_text(project_id=emulator.project_id, text="Hello")
    assert [request.status for request in emulator.requests] == [0, 200]
    assert [request.replayed for request in emulator.requests] == [False, False]


def test_faults_are_met_in_order(emulator: Emulator, api: Calls) -> None:
    emulator.fail_next()
    emulator.drop_next()
    assert api.get("/projects").code == "500 internal_error"
    assert api.get("/projects").raw.connection_dropped


def test_post_without_body_needs_no_content_type(emulator: Emulator, api: Calls) -> None:
    (job_id,) = emulator.seed(jobs=1, job_status="QUEUED").job_ids
    headers = {"Authorization": f"Bearer {api.key}"}
    assert api.send("POST", f"{ORIGIN}/v1/jobs/{job_id}/cancel", headers).status == 200


NONSENSE: list[tuple[Callable[[Emulator], None], str]] = [
    (lambda emulator: emulator.fail_next(199), "status"),
    (lambda emulator: emulator.fail_next(600), "status"),
    (lambda emulator: emulator.fail_next(times=0), "times"),
    (lambda emulator: emulator.drop_next(0), "times"),
    (lambda emulator: emulator.delay_next(-1), "seconds"),
    (lambda emulator: emulator.drop_next(path="sources"), "path"),
]


@pytest.mark.parametrize(("order", "names"), NONSENSE)
def test_faults_that_make_no_sense_are_refused(
    emulator: Emulator, order: Callable[[Emulator], None], names: str
) -> None:
    with pytest.raises(ValueError, match=names):
        order(emulator)


def test_a_connection_that_was_lost_before_the_work_is_named(emulator: Emulator) -> None:
    emulator.drop_next(before=True, path="/notes")
    with emulator.client(max_retries=0) as client, pytest.raises(APIConnectionError):
        client.notes.create(project_id=emulator.project_id)
    with pytest.raises(AssertionError) as caught:
        emulator.assert_nothing_sent("POST")
    assert "POST /notes, the connection was lost before the work" in str(caught.value)
