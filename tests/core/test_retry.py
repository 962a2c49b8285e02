import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe._core.deadline import NO_DEADLINE, Deadline
from scripe._core.outcome import Answer, Failure
from scripe._core.retry import RetryPlan, backoff, is_transient
from tests.core.examples import answer

LOST = Failure("lost", is_timeout=True, message="no answer")
UNSENT = Failure("unsent", is_timeout=False, message="no connection")


def highest(_: float, high: float) -> float:
    return high


def lowest(low: float, _: float) -> float:
    return low


def plan(
    *, max_retries: int = 2, repeatable: bool = True, deadline: Deadline = NO_DEADLINE, draw: str = "highest"
) -> RetryPlan:
    return RetryPlan(max_retries, repeatable, deadline, uniform={"highest": highest, "lowest": lowest}[draw])


@given(st.integers(100, 599))
def test_408_429_and_5xx_are_worth_another_attempt_and_no_other_status(status: int) -> None:
    assert is_transient(answer(status)) == (status in (408, 429) or status >= 500)
    assert plan().again(answer(status)) == is_transient(answer(status))


@given(st.integers(100, 599))
def test_a_replay_is_final_whatever_its_status(status: int) -> None:
    replay = answer(status, idempotent_replayed="true")
    assert not is_transient(replay)
    assert not plan().again(replay)


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (answer(429), True),
        (UNSENT, True),
        (LOST, False),
        (answer(408), False),
        (answer(500), False),
        (answer(503), False),
        (answer(200), False),
        (answer(409), False),
    ],
)
def test_a_call_that_may_not_be_repeated_is_sent_again_only_if_nothing_was_done(
    outcome: Answer | Failure, again: bool
) -> None:
    assert plan(repeatable=False).again(outcome) is again


def test_a_call_that_may_be_repeated_is_sent_again_after_a_lost_answer() -> None:
    assert plan().again(LOST)
    assert plan().again(UNSENT)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_retry_after_counts_on_every_status_that_is_retried(status: int) -> None:
    assert plan().pause(answer(status, retry_after="17"), 1) == 17.0


def test_a_429_without_retry_after_waits_for_the_reset() -> None:
    assert plan().pause(answer(429, x_ratelimit_reset="9"), 1) == 9.0
    assert plan().pause(answer(429, x_ratelimit_reset="9", retry_after="4"), 1) == 4.0
    assert plan().pause(answer(429, x_ratelimit_reset="9", retry_after="soon"), 1) == 9.0


def test_a_429_that_does_not_say_when_waits_1_s_doubling_up_to_the_window() -> None:
    assert [plan().pause(answer(429), attempt) for attempt in (1, 2, 3, 7, 99)] == [1, 2, 4, 60, 60]
    assert plan().pause(answer(429, x_ratelimit_limit="120"), 1) == 1


def test_the_reset_counts_on_a_429_alone() -> None:
    assert plan().pause(answer(500, x_ratelimit_reset="9"), 1) == 0.5


@pytest.mark.parametrize(("attempt", "longest"), [(1, 2.0), (2, 4.0), (4, 16.0), (5, 30.0), (9, 30.0)])
def test_a_503_waits_from_1_s_up_to_30_s(attempt: int, longest: float) -> None:
    assert plan(draw="lowest").pause(answer(503), attempt) == 1.0
    assert plan().pause(answer(503), attempt) == longest


@pytest.mark.parametrize("outcome", [answer(500), answer(408), LOST, UNSENT])
def test_the_rest_waits_with_full_jitter_from_half_a_second_up_to_8_s(outcome: Answer | Failure) -> None:
    assert [plan().pause(outcome, attempt) for attempt in (1, 2, 3, 4, 5, 6, 9)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert [plan(draw="lowest").pause(outcome, attempt) for attempt in (1, 9)] == [0, 0]


@given(st.integers(1, 100_000))
def test_no_number_of_attempts_makes_a_wait_that_cannot_be_told(attempt: int) -> None:
    assert 0.0 <= backoff(attempt) <= 8.0
    assert 1.0 <= plan().pause(answer(503), attempt) <= 30.0
    assert plan().pause(LOST, attempt) <= 8.0


@given(st.integers(0, 10))
def test_max_retries_is_the_number_of_attempts_after_the_first(max_retries: int) -> None:
    allowed = [
        attempt for attempt in range(1, 15) if not plan(max_retries=max_retries).enough(attempt, 0.0, 0.0)
    ]
    assert allowed == list(range(1, max_retries + 1))


def test_a_429_is_no_retry_while_the_budget_is_kept() -> None:
    kept, off = RetryPlan(2, True, NO_DEADLINE, is_budgeted=True), RetryPlan(2, True, NO_DEADLINE)
    assert kept.waits_for_budget(answer(429))
    assert not kept.waits_for_budget(answer(503))
    assert not kept.waits_for_budget(LOST)
    assert not off.waits_for_budget(answer(429))
    assert not RetryPlan(0, True, NO_DEADLINE, is_budgeted=True).waits_for_budget(answer(429))
    assert not kept.enough(12, 0.0, 0.0, refusals=10)
    assert kept.enough(13, 0.0, 0.0, refusals=10)
    assert kept.enough(12, 0.0, 0.0, refusals=11)


def test_a_wait_over_60_s_is_not_waited_for() -> None:
    assert not plan().enough(1, 60.0, 0.0)
    assert plan().enough(1, 60.1, 0.0)
    assert plan().enough(1, plan().pause(answer(429, retry_after="3600"), 1), 0.0)


def test_a_wait_past_the_deadline_is_not_waited_for() -> None:
    bounded = plan(deadline=Deadline.after(10.0, 100.0))
    assert not bounded.enough(1, 9.9, 100.0)
    assert bounded.enough(1, 10.0, 100.0)
    assert bounded.enough(1, 0.0, 111.0)


def test_storage_has_its_own_idea_of_what_is_worth_another_attempt() -> None:
    own = RetryPlan(2, True, NO_DEADLINE, transient=lambda got: got.status == 400)
    assert own.again(answer(400))
    assert not own.again(answer(500))


@given(st.integers(1, 20))
def test_the_jitter_is_drawn_anew_each_time(attempt: int) -> None:
    assert len({backoff(attempt) for _ in range(20)}) > 1
