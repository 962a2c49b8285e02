import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe._core.deadline import NO_DEADLINE, Deadline
from scripe._core.outcome import RawResponse, TransportFailure
from scripe._core.retry import RetryPolicy, backoff, is_transient
from tests.core.examples import response

LOST = TransportFailure("response_lost", is_timeout=True, message="no answer")
UNSENT = TransportFailure("not_sent", is_timeout=False, message="no connection")


def highest(_: float, high: float) -> float:
    return high


def lowest(low: float, _: float) -> float:
    return low


def policy(
    *,
    max_retries: int = 2,
    repeatable: bool = True,
    deadline: Deadline = NO_DEADLINE,
    now: float = 0.0,
    draw: str = "highest",
    rate_limited_locally: bool = False,
    rate_limit_waits: int = 0,
) -> RetryPolicy:
    return RetryPolicy(
        max_retries,
        repeatable,
        deadline,
        lambda: now,
        jitter={"highest": highest, "lowest": lowest}[draw],
        rate_limited_locally=rate_limited_locally,
        rate_limit_waits=rate_limit_waits,
    )


@given(st.integers(100, 599))
def test_408_429_and_5xx_are_worth_another_attempt_and_no_other_status(status: int) -> None:
    assert is_transient(response(status)) == (status in (408, 429) or status >= 500)
    assert policy().should_retry(response(status)) == is_transient(response(status))


@given(st.integers(100, 599))
def test_a_replay_is_final_whatever_its_status(status: int) -> None:
    replay = response(status, idempotent_replayed="true")
    assert not is_transient(replay)
    assert not policy().should_retry(replay)


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (response(429), True),
        (UNSENT, True),
        (LOST, False),
        (response(408), False),
        (response(500), False),
        (response(503), False),
        (response(200), False),
        (response(409), False),
    ],
)
def test_a_call_that_may_not_be_repeated_is_sent_again_only_if_nothing_was_done(
    outcome: RawResponse | TransportFailure, again: bool
) -> None:
    assert policy(repeatable=False).should_retry(outcome) is again


def test_a_call_that_may_be_repeated_is_sent_again_after_a_lost_answer() -> None:
    assert policy().should_retry(LOST)
    assert policy().should_retry(UNSENT)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_retry_after_counts_on_every_status_that_is_retried(status: int) -> None:
    assert policy().delay(response(status, retry_after="17"), 1) == 17.0


def test_a_429_without_retry_after_waits_for_the_reset() -> None:
    assert policy().delay(response(429, x_ratelimit_reset="9"), 1) == 9.0
    assert policy().delay(response(429, x_ratelimit_reset="9", retry_after="4"), 1) == 4.0
    assert policy().delay(response(429, x_ratelimit_reset="9", retry_after="soon"), 1) == 9.0


def test_a_429_that_does_not_say_when_waits_1_s_doubling_up_to_the_window() -> None:
    assert [policy().delay(response(429), attempt) for attempt in (1, 2, 3, 7, 99)] == [1, 2, 4, 60, 60]
    assert policy().delay(response(429, x_ratelimit_limit="120"), 1) == 1


def test_the_reset_counts_on_a_429_only() -> None:
    assert policy().delay(response(500, x_ratelimit_reset="9"), 1) == 0.5


@pytest.mark.parametrize(("attempt", "longest"), [(1, 2.0), (2, 4.0), (4, 16.0), (5, 30.0), (9, 30.0)])
def test_a_503_waits_from_1_s_up_to_30_s(attempt: int, longest: float) -> None:
    assert policy(draw="lowest").delay(response(503), attempt) == 1.0
    assert policy().delay(response(503), attempt) == longest


@pytest.mark.parametrize("outcome", [response(500), response(408), LOST, UNSENT])
def test_the_rest_waits_with_full_jitter_from_half_a_second_up_to_8_s(
    outcome: RawResponse | TransportFailure,
) -> None:
    assert [policy().delay(outcome, attempt) for attempt in (1, 2, 3, 4, 5, 6, 9)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert [policy(draw="lowest").delay(outcome, attempt) for attempt in (1, 9)] == [0, 0]


@given(st.integers(1, 100_000))
def test_no_number_of_attempts_overflows_the_delay(attempt: int) -> None:
    assert 0.0 <= backoff(attempt) <= 8.0
    assert 1.0 <= policy().delay(response(503), attempt) <= 30.0
    assert policy().delay(LOST, attempt) <= 8.0


@given(st.integers(0, 10))
def test_max_retries_is_the_number_of_attempts_after_the_first(max_retries: int) -> None:
    allowed = [
        attempt for attempt in range(1, 15) if not policy(max_retries=max_retries).should_stop(attempt, 0.0)
    ]
    assert allowed == list(range(1, max_retries + 1))


def waits_after(
    outcome: RawResponse | TransportFailure, *, max_retries: int = 2, locally: bool = True
) -> int:
    counting = policy(max_retries=max_retries, rate_limited_locally=locally)
    counting.record(outcome)
    return counting.rate_limit_waits


def test_a_429_is_not_a_retry_while_the_client_keeps_to_the_rate_limit() -> None:
    assert waits_after(response(429)) == 1
    assert waits_after(response(503)) == 0
    assert waits_after(LOST) == 0
    assert waits_after(response(429), locally=False) == 0
    assert waits_after(response(429), max_retries=0) == 0


def test_ten_waits_for_the_rate_limit_do_not_count_as_retries() -> None:
    assert not policy(rate_limit_waits=10).should_stop(12, 0.0)
    assert policy(rate_limit_waits=10).should_stop(13, 0.0)
    assert policy(rate_limit_waits=11).should_stop(12, 0.0)


def test_a_delay_over_60_s_is_not_waited_for() -> None:
    assert not policy().should_stop(1, 60.0)
    assert policy().should_stop(1, 60.1)
    assert policy().should_stop(1, policy().delay(response(429, retry_after="3600"), 1))


def test_a_delay_past_the_deadline_is_not_waited_for() -> None:
    deadline = Deadline.after(10.0, 100.0)
    assert not policy(deadline=deadline, now=100.0).should_stop(1, 9.9)
    assert policy(deadline=deadline, now=100.0).should_stop(1, 10.0)
    assert policy(deadline=deadline, now=111.0).should_stop(1, 0.0)


def test_storage_has_its_own_rule_for_what_is_worth_another_attempt() -> None:
    retry_policy = RetryPolicy(
        2, True, NO_DEADLINE, float, is_transient=lambda response: response.status == 400
    )
    assert retry_policy.should_retry(response(400))
    assert not retry_policy.should_retry(response(500))


@given(st.integers(1, 20))
def test_the_jitter_differs_each_time(attempt: int) -> None:
    assert len({backoff(attempt) for _ in range(20)}) > 1
