import pytest

from scripe import errors
from scripe._core.cancellation import may_have_cancelled, should_cancel_again
from tests.core.examples import job


@pytest.mark.parametrize(
    "error",
    [
        errors.APIConnectionError("lost"),
        errors.APITimeoutError("late"),
        errors.APIResponseValidationError("an empty body", status_code=200),
        errors.ServerError("a 5xx", status_code=500),
        errors.ServiceUnavailableError("a 503", status_code=503),
    ],
)
def test_a_cancel_without_a_clear_answer_is_settled_by_reading_the_job(error: errors.ScripeError) -> None:
    assert may_have_cancelled(error, 1)


@pytest.mark.parametrize(
    "error",
    [
        errors.NotFoundError("no such job", status_code=404),
        errors.RateLimitError("refused", status_code=429),
        errors.AuthenticationError("no key", status_code=401),
        errors.ClientClosedError("closed"),
    ],
)
def test_a_clear_refusal_of_a_cancel_is_final(error: errors.ScripeError) -> None:
    assert not may_have_cancelled(error, 1)


def test_not_cancellable_is_final_at_first_but_may_be_our_own_doing_later() -> None:
    error = errors.NotCancellableError("it is CANCELLED", status_code=409)
    assert not may_have_cancelled(error, 1)
    assert may_have_cancelled(error, 2)


@pytest.mark.parametrize(
    ("status", "again"),
    [
        ("QUEUED", True),
        ("queued", True),
        ("RUNNING", False),
        ("DONE", False),
        ("CANCELLED", False),
        ("?", False),
    ],
)
def test_only_a_job_that_is_still_queued_is_cancelled_again(status: str, again: bool) -> None:
    assert should_cancel_again(job(status=status), 1, 2) is again


def test_a_cancel_is_sent_again_no_more_often_than_max_retries() -> None:
    assert [should_cancel_again(job(), attempt, 2) for attempt in (1, 2, 3)] == [True, True, False]
    assert not should_cancel_again(job(), 1, 0)
