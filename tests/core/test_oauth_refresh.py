"""How often a refresh token is sent, and when it may be spent."""

from __future__ import annotations

import pytest

from scripe._core.oauth.refresh import MAX_ATTEMPTS, NextStep, RefreshAttempts
from scripe._core.outcome import Outcome, RawResponse, TransportFailure
from scripe.types import Headers

NOT_SENT = TransportFailure("not_sent", is_timeout=False, message="refused")
LOST = TransportFailure("response_lost", is_timeout=True, message="silence")


def response(status: int) -> RawResponse:
    return RawResponse(status, Headers([]), b"")


def attempts(ends_at: float = 20.0, *, may_be_spent: bool = False) -> RefreshAttempts:
    return RefreshAttempts(ends_at, may_be_spent)


STEPS: dict[str, tuple[Outcome, NextStep, bool]] = {
    "not sent": (NOT_SENT, "send", False),
    "response lost": (LOST, "send", True),
    "success": (response(200), "stop", True),
    "redirect": (response(302), "stop", False),
    "refused": (response(400), "stop", False),
    "unknown client": (response(401), "stop", False),
    "moved": (response(404), "discover", False),
    "another method": (response(405), "discover", False),
    "timeout of a proxy": (response(408), "send", True),
    "too many requests": (response(429), "send", False),
    "failed": (response(500), "send", True),
    "unavailable": (response(503), "send", True),
}


@pytest.mark.parametrize(("outcome", "step", "may_be_spent"), STEPS.values(), ids=STEPS.keys())
def test_an_outcome_says_what_comes_next(outcome: Outcome, step: NextStep, may_be_spent: bool) -> None:
    made = attempts()
    assert (made.record(outcome, 0.0), made.may_be_spent) == (step, may_be_spent)


def test_a_later_refusal_does_not_prove_that_an_earlier_attempt_was_refused() -> None:
    made = attempts()
    made.record(LOST, 0.0)
    made.record(response(400), 0.0)
    assert made.may_be_spent


def test_a_refusal_does_not_prove_what_an_earlier_refresh_did() -> None:
    made = attempts(may_be_spent=True)
    made.record(response(400), 0.0)
    assert made.may_be_spent


@pytest.mark.parametrize("outcome", [NOT_SENT, response(503)], ids=["not sent", "unavailable"])
def test_a_refresh_token_is_sent_a_few_times(outcome: Outcome) -> None:
    made = attempts()
    assert [made.record(outcome, 0.0) for _ in range(MAX_ATTEMPTS)] == ["send", "send", "send", "stop"]


@pytest.mark.parametrize(("now", "step"), [(15.0, "send"), (15.1, "stop")], ids=["in time", "too late"])
def test_no_attempt_begins_that_would_end_too_late(now: float, step: NextStep) -> None:
    assert attempts(ends_at=20.0).record(NOT_SENT, now) == step


@pytest.mark.parametrize(("now", "seconds"), [(0.0, 5.0), (17.0, 3.0)], ids=["early", "late"])
def test_an_attempt_is_as_long_as_there_is_time(now: float, seconds: float) -> None:
    assert attempts(ends_at=20.0).timeout(now) == seconds


def test_an_endpoint_is_discovered_again_once() -> None:
    made = attempts()
    assert [made.record(response(404), 0.0) for _ in range(2)] == ["discover", "stop"]
