"""What was sent, asserted: who is meant, and what a failing assertion says."""

import re
from collections.abc import Callable

import pytest

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import Calls


def complaint(assertion: Callable[[], object]) -> str:
    with pytest.raises(AssertionError) as caught:
        assertion()
    return str(caught.value)


def test_those_that_are_meant_come_back_in_order(emulator: Emulator, api: Calls) -> None:
    api.text("One")
    api.get("/projects")
    api.text("Two")
    found = emulator.assert_sent("post", "/sources")
    assert [each.json for each in found] == [
        {"type": "text", "projectId": emulator.project_id, "text": text} for text in ("One", "Two")
    ]
    assert emulator.assert_sent("GET", "/v1/projects", times=1) == [emulator.requests[1]]
    assert emulator.assert_sent("DELETE", "/sources", times=0) == []


@pytest.mark.parametrize(
    ("pattern", "is_meant"),
    [
        ("/jobs/*", True),
        ("/*/job_1", True),
        ("/jobs/job_*", True),
        ("/**", True),
        ("/jobs/**", True),
        ("*", False),
        ("/*", False),
        ("/jobs", False),
        ("/jobs/*/*", False),
        ("/jobs/job.1", False),
    ],
)
def test_patterns(emulator: Emulator, api: Calls, pattern: str, is_meant: bool) -> None:
    api.get("/jobs/job_1")
    emulator.assert_sent("GET", pattern, times=1 if is_meant else 0)


@pytest.mark.usefixtures("beyond_the_description")
def test_a_body_may_hold_more_than_is_named(emulator: Emulator, api: Calls) -> None:
    api.text(deep={"one": 1, "two": [{"a": 1, "b": 2}, 3]}, null=None)
    emulator.assert_sent("POST", "/sources", json={})
    emulator.assert_sent("POST", "/sources", json={"deep": {"two": [{"b": 2}, 3]}, "null": None})
    emulator.assert_sent("POST", "/sources", json={"deep": {"two": ({"a": 1}, 3)}})


@pytest.mark.usefixtures("beyond_the_description")
@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"text": "Two"}, "text was 'One', not 'Two'"),
        ({"name": None}, "name was absent, not None"),
        ({"text": "Two", "name": "N"}, "text was 'One', not 'Two', and name was absent, not 'N'"),
        ({"deep": {"list": [1, 3]}}, "deep.list[1] was 2, not 3"),
        ({"deep": {"list": [1]}}, "deep.list was [1, 2], not [1]"),
        ({"deep": 1}, "deep was {'list': [1, 2]}, not 1"),
        ({"text": "T" * 200}, f"text was 'One', not '{'T' * 119}…"),
    ],
)
def test_what_a_body_holds_otherwise_is_said(
    emulator: Emulator, api: Calls, wanted: dict[str, object], why: str
) -> None:
    sent = api.text("One", deep={"list": [1, 2]})
    assert sent.status == 200
    said = complaint(lambda: emulator.assert_sent("POST", "/sources", json=wanted))
    assert said.splitlines() == [
        "POST /sources should have been sent at least once; it was not sent.",
        f"  But {why}.",
        f'  The body: {{"type":"text","projectId":"{emulator.project_id}","text":"One","deep":{{"list":[1,2]}}}}',
        "Sent requests, in order:",
        "  POST /sources -> 200",
    ]


@pytest.mark.usefixtures("beyond_the_description")
def test_a_field_that_is_elsewhere_is_shown_there(emulator: Emulator, api: Calls) -> None:
    api.generate(options={"language": "de"}, more=[{"language": "fr"}])
    said = complaint(lambda: emulator.assert_sent("POST", "/posts/generations", json={"language": "de"}))
    assert said.splitlines()[1:3] == [
        "  But language was absent, not 'de'; options.language is 'de'; more[0].language is 'fr'.",
        f'  The body: {{"projectId":"{emulator.project_id}","source":{{"text":"We ship. It works."}},'
        '"options":{"language":"de"},"more":[{"language":"fr"}]}',
    ]
    said = complaint(lambda: emulator.assert_sent("POST", "/posts/generations", json={"project_id": "x"}))
    assert f"(the API spells it projectId), not 'x'; projectId is '{emulator.project_id}'." in said


@pytest.mark.usefixtures("beyond_the_description")
def test_of_the_bodies_the_newest_are_shown_and_long_texts_cut(emulator: Emulator, api: Calls) -> None:
    for number in range(5):
        api.text(f"{number}{'x' * 500}")
    said = complaint(lambda: emulator.assert_sent("POST", "/sources", json={"name": "N"}))
    bodies = [line for line in said.splitlines() if line.startswith("  The body: ")]
    assert [f'"text":"{number}{"x" * 79}…"}}' in body for number, body in enumerate(bodies, 2)] == [True] * 3
    emulator.clear_requests()
    api.text("x", **{f"field{number}": "y" * 70 for number in range(100)})
    said = complaint(lambda: emulator.assert_sent("POST", "/sources", json={"name": "N"}))
    assert len(max(said.splitlines(), key=len)) == len("  The body: ") + 1_001


def test_a_body_that_is_no_json(emulator: Emulator, api: Calls) -> None:
    api.get("/jobs")
    assert emulator.requests[0].json is None
    said = complaint(lambda: emulator.assert_sent("GET", "/jobs", json={"a": 1}))
    assert "But the body was None, not {'a': 1}.\n  The body: null\n" in said


def test_a_query_may_hold_more_than_is_named(emulator: Emulator, api: Calls) -> None:
    api.get("/jobs?limit=20&status=DONE")
    emulator.assert_sent("GET", "/jobs", query={"status": "DONE"})
    said = complaint(lambda: emulator.assert_sent("GET", "/jobs", query={"limit": "10"}))
    assert "But ?limit was '20', not '10'.\n  The query: ?limit=20&status=DONE\n" in said


def test_what_was_sent_instead_is_listed_in_order(emulator: Emulator, api: Calls) -> None:
    emulator.drop_next(path="/sources")
    for _ in range(2):
        api.text("One", idempotency_key="same")
    for _ in range(3):
        api.get("/jobs")
    api.get("/jobs/none")
    said = complaint(lambda: emulator.assert_sent("POST", "/sources", times=1))
    assert said.splitlines() == [
        "POST /sources should have been sent once; it was sent twice.",
        "Sent requests, in order:",
        "  POST /sources -> 200, the response was lost",
        "  POST /sources -> 200, a replay",
        "  GET /jobs -> 200, 3 times",
        "  GET /jobs/none -> 404",
    ]


def test_of_a_long_list_the_end_is_shown(emulator: Emulator, api: Calls) -> None:
    for number in range(60):
        api.get(f"/jobs/job_{number}")
    said = complaint(lambda: emulator.assert_sent("POST", "/posts", times=3)).splitlines()
    assert said[:4] == [
        "POST /posts should have been sent 3 times; it was not sent.",
        "Sent requests, in order:",
        "  …",
        "  GET /jobs/job_10 -> 404",
    ]
    assert said[-1] == "  GET /jobs/job_59 -> 404"


def test_nothing_was_sent(emulator: Emulator, api: Calls) -> None:
    emulator.assert_nothing_sent()
    said = complaint(lambda: emulator.assert_sent("POST", "/posts"))
    assert said.splitlines()[1:] == ["Nothing was sent."]
    api.get("/jobs")
    emulator.assert_nothing_sent("POST")
    emulator.assert_nothing_sent(path="/posts/**")
    emulator.assert_nothing_sent("GET", "/posts")
    emulator.clear_requests()
    emulator.assert_nothing_sent()


@pytest.mark.parametrize(
    ("arguments", "head"),
    [
        ((), "Nothing should have been sent."),
        (("get",), "GET should not have been sent."),
        (("GET", "/jobs"), "GET /jobs should not have been sent."),
        ((None, "/*"), "/* should not have been sent."),
    ],
)
def test_something_was_sent(emulator: Emulator, api: Calls, arguments: tuple[str, ...], head: str) -> None:
    api.get("/jobs")
    said = complaint(lambda: emulator.assert_nothing_sent(*arguments))
    assert said.splitlines() == [head, "Sent requests, in order:", "  GET /jobs -> 200"]


def test_no_key_is_shown(emulator: Emulator, api: Calls) -> None:
    api.get("/jobs")
    said = complaint(lambda: emulator.assert_sent("POST", "/posts"))
    request = emulator.requests[0]
    assert request.headers["authorization"] == f"Bearer {emulator.api_key}"
    for text in (said, repr(request)):
        assert emulator.api_key not in text
    assert "'Authorization': '***'" in repr(request)


def test_a_path_may_lack_its_slash_and_a_field_of_pythons_is_told_the_apis(
    emulator: Emulator, api: Calls
) -> None:
    api.get("/projects")
    emulator.assert_sent("get", "projects", times=1)
    api.note()
    with pytest.raises(AssertionError, match=r"project_id.*projectId.*'x'"):
        emulator.assert_sent("POST", "/notes", json={"project_id": "x"})
    assert repr(emulator) == "<Emulator: 2 requests so far>"


@pytest.mark.parametrize(
    "headers",
    [{"X-Price": "5 €"}, {"X-Lines": "one\r\ntwo"}, {"X Name": "a"}, {"": "a"}, {"Retry-After": "\0"}],
)
def test_a_header_field_that_cannot_be_sent_is_refused_when_it_is_ordered(
    emulator: Emulator, headers: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=f"{re.escape(next(iter(headers)))}: "):
        emulator.fail_next(503, headers=headers)
    assert emulator.unused_faults == []


def test_a_status_is_a_number(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match=r"status.*'503'"):
        emulator.fail_next("503")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_unused_faults_are_described_until_they_are_cleared(emulator: Emulator) -> None:
    emulator.fail_next(503, method="POST", path="/sources")
    emulator.drop_next()
    emulator.drop_next(before=True, method="PUT")
    emulator.delay_next(1)
    assert emulator.unused_faults == [
        "503 for POST /sources",
        "drop for any method of any path",
        "drop before the work for PUT of any path",
        "delay for any method of any path",
    ]
    emulator.clear_faults()
    assert emulator.unused_faults == []
