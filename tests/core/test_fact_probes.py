"""What responses show about the facts, where the emulator never responds like this."""

from __future__ import annotations

import json

import pytest

from scripe._core.diagnosis import ConnectionSeen, failure_code
from scripe._core.fact_probes import READS, Answers, judge
from scripe._core.outcome import RawResponse, TransportFailure
from scripe._http.connection_trace import ConnectionTrace
from scripe.types import JSON
from scripe.types.response_info import Headers


def answers_of(**documents: JSON) -> Answers:
    answers = Answers()
    for name, document in documents.items():
        body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        answers.raw[name.replace("_", " ")] = RawResponse(200, Headers(), body)
    return answers


def verdicts(answers: Answers) -> dict[str, str]:
    return {fact.id: fact.verdict for fact in judge(answers)}


def test_without_responses_nothing_is_seen() -> None:
    assert set(verdicts(Answers()).values()) == {"not seen"}


def test_of_refused_reads_nothing_is_concluded() -> None:
    answers = Answers()
    for read in READS:
        answers.raw[read.name] = RawResponse(403, Headers([("Date", "x")]), b"{}")
    seen = {fact for fact, verdict in verdicts(answers).items() if verdict != "not seen"}
    assert seen == {"G11", "G21"}  # that there is a Date, and no redirect


@pytest.mark.parametrize(
    "document", ["<html>", [], {"data": 7}, {"data": ["x", None]}], ids=["page", "list", "number", "texts"]
)
def test_odd_documents_show_nothing_of_their_items(document: JSON) -> None:
    seen = verdicts(answers_of(**dict.fromkeys(("projects", "notes", "posts", "jobs"), document)))
    assert {seen[fact] for fact in ("G14", "G17", "G22", "G23", "G28", "C1")} == {"not seen"}


def test_moments_that_are_none_have_no_order() -> None:
    notes: JSON = {"data": [{"createdAt": "yesterday"}, {"createdAt": 7}]}
    assert verdicts(answers_of(notes=notes))["G14"] == "not seen"


USER: JSON = {"workspace": {"id": "org_1"}, "principal": {"type": "user", "id": "user_1"}}


@pytest.mark.parametrize(("count", "verdict"), [(1, "not seen"), (2, "same")], ids=["one", "two"])
def test_a_token_may_reach_several_workspaces(count: int, verdict: str) -> None:
    workspaces: JSON = {"data": [{"id": f"org_{number}"} for number in range(count)]}
    seen = verdicts(answers_of(me=USER, workspaces=workspaces))
    assert seen["C24"] == verdict
    assert seen["O20"] == "same"


def test_connections_that_time_out_are_told_from_refused_ones() -> None:
    failure = TransportFailure("not_sent", is_timeout=True, message="")
    assert failure_code(failure, ConnectionSeen(), behind_proxy=False) == ("connection", "connection_timeout")


def test_of_several_attempts_to_connect_one_that_is_refused_counts() -> None:
    trace = ConnectionTrace()
    error = OSError("all failed")
    error.__cause__ = ExceptionGroup("attempts", [OSError("unreachable"), ConnectionRefusedError()])
    trace.record("connection.connect_tcp.failed", {"exception": error})
    assert trace.seen.is_refused
