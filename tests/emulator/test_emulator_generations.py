import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from scripe.emulator import Clock, Emulator
from tests.emulator.emulator_calls import START, Calls, frozen
from tests.emulator.test_emulator_posts import LATER, PAST, events, listen


def test_a_generation_makes_a_draft(emulator: Emulator, api: Calls) -> None:
    listen(api)
    text = "We shipped  pricing.\nIt took a week! Nobody slept? Four. Five."
    job = api.generate(source={"text": text}, options={}).fields
    assert job["type"] == "POST_GENERATION"
    assert job["status"] == "QUEUED"
    assert job["estimatedCompletionMs"] == 25_000
    ended = api.ended(job)
    post = api.get(f"/posts/{ended['result']['postId']}").fields
    assert (post["status"], post["title"]) == ("draft", "We shipped pricing.")
    assert post["content"] == (
        "We shipped pricing.\n\n→ It took a week!\n→ Nobody slept?\n→ Four.\n\nWhat is your take?"
    )
    assert events(emulator) == ["post.created", "job.completed"]


@pytest.mark.parametrize("language", ["de", "Deutsch (Österreich)", "{0}"])
def test_a_post_shows_the_language_that_was_asked_for(api: Calls, language: str) -> None:
    ended = api.ended(api.generate(options={"language": language}).fields)
    assert api.get(f"/posts/{ended['result']['postId']}").fields["content"] == (
        "We ship.\n\n→ It works.\n\nWhat is your take?\n\n"
        f"[The emulator does not translate. Requested language: {language}]"
    )


@pytest.mark.parametrize(
    ("source", "title"),
    [("...", "..."), ("x" * 80, f"{'x' * 60} …"), ("word " * 20, f"{'word ' * 11}word …")],
)
def test_titles(api: Calls, source: str, title: str) -> None:
    ended = api.ended(api.generate(source={"text": source}).fields)
    assert api.get(f"/posts/{ended['result']['postId']}").fields["title"] == title


def test_a_generation_from_a_note_can_be_scheduled(emulator: Emulator, api: Calls) -> None:
    note_id = api.note(content="From a note.").fields["id"]
    job = api.generate(source={"noteId": note_id}, scheduledFor=LATER, options={}).fields
    emulator.clock.advance(60)
    post_id = api.get(f"/jobs/{job['id']}").fields["result"]["postId"]
    post = api.get(f"/posts/{post_id}").fields
    assert (post["status"], post["title"]) == ("scheduled", "From a note.")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"projectId": "proj_x"}, "404 not_found"),
        ({"source": "text"}, "400 invalid_request"),
        ({"source": {}}, "400 invalid_request"),
        ({"source": {"text": "x", "noteId": "note_x"}}, "400 invalid_request"),
        ({"source": {"text": ""}}, "400 invalid_request"),
        ({"source": {"text": "x" * 1_000_001}}, "413 payload_too_large"),
        ({"source": {"noteId": "note_x"}}, "404 not_found"),
        ({"scheduledFor": PAST}, "422 unprocessable"),
        ({"options": None}, "400 invalid_request"),
        ({"options": {"language": 5}}, "400 invalid_request"),
        ({"wait_for_completion_ms": -1}, "400 invalid_request"),
        ({"wait_for_completion_ms": 0.5}, "400 invalid_request"),
        ({"wait_for_completion_ms": True}, "400 invalid_request"),
    ],
)
def test_what_is_no_generation(emulator: Emulator, api: Calls, wrong: dict[str, object], code: str) -> None:
    assert api.generate(**wrong).code == code
    assert emulator.count("jobs") == 0


def test_a_note_without_text(api: Calls) -> None:
    note_id = api.note(content=" ").fields["id"]
    assert api.generate(source={"noteId": note_id}).code == "422 unprocessable"


def test_the_spend_cap(emulator: Emulator, api: Calls) -> None:
    emulator.set_spend(4_995)
    assert api.generate().status == 200
    refused = api.generate()
    assert refused.code == "402 spend_cap_exceeded"
    assert refused.error["meta"]["estimateCents"] == 5
    assert emulator.count("jobs") == 1


def test_a_failed_generation(emulator: Emulator, api: Calls) -> None:
    listen(api)
    job = api.generate().fields
    emulator.fail(job["id"])
    assert events(emulator) == ["job.failed"]
    assert emulator.events[-1].data == api.get("/jobs").json["data"][0]
    emulator.set_spend(4_995)
    assert api.generate().status == 200


def test_a_seeded_generation(emulator: Emulator, api: Calls) -> None:
    (job_id,) = emulator.seed(jobs=1, job_status="QUEUED").job_ids
    ended = api.ended({"id": job_id})
    assert api.get(f"/posts/{ended['result']['postId']}").status == 200


@pytest.mark.parametrize(
    ("wait", "status", "passed"),
    [
        (0, "QUEUED", 0),
        (500.0, "QUEUED", 0.5),
        (500, "QUEUED", 0.5),
        (3_000, "RUNNING", 3),
        (99_000, "DONE", 5),
        (5_000, "DONE", 5),
    ],
)
def test_waiting_moves_a_frozen_clock(
    emulator: Emulator, api: Calls, wait: float, status: str, passed: float
) -> None:
    response = api.generate(wait_for_completion_ms=wait)
    assert (response.fields["status"], response.raw.delay) == (status, 0)
    assert (emulator.clock.now() - START).total_seconds() == passed
    assert api.get(f"/jobs/{response.fields['id']}").fields == response.fields


def test_waiting_ends_after_25_seconds() -> None:
    with Emulator(clock=frozen(), job_speed=0) as emulator:
        assert Calls(emulator).generate(wait_for_completion_ms=60_000).fields["status"] == "QUEUED"
        assert (emulator.clock.now() - START).total_seconds() == 25


@pytest.mark.parametrize("clock", [Clock(START), frozen()])
def test_waiting_behind_a_port(clock: Clock) -> None:
    with Emulator(clock=clock, job_speed=10) as emulator, emulator.serve() as server:
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/json"}
        body = {
            "projectId": emulator.project_id,
            "source": {"text": "x"},
            "wait_for_completion_ms": 25_000,
        }
        connection = http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=10)
        connection.request("POST", "/v1/posts/generations", json.dumps(body), headers)
        job = json.loads(connection.getresponse().read())["data"]
        connection.close()
        assert job["status"] == "DONE"
        assert clock.frozen or time.monotonic() - began >= 0.5
        assert Calls(emulator).get(f"/jobs/{job['id']}").fields == job
        assert Calls(emulator).get(f"/posts/{job['result']['postId']}").status == 200
