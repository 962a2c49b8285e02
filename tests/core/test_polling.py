from datetime import timedelta, timezone

import pytest

from scripe._core.polling import JobTracker, progress_from_job, require_success, result_id, timeout_error
from scripe.errors import (
    APIResponseValidationError,
    InvalidArgumentError,
    JobCancelledError,
    JobFailedError,
    NotFoundError,
)
from scripe.types import Job, Page, Progress
from tests.core.examples import NOON, job


def track(*jobs: Job | str) -> JobTracker:
    return JobTracker(jobs)


def page(*jobs: Job) -> Page[Job]:
    return Page[Job](data=list(jobs))


def test_the_order_stays_and_a_job_listed_twice_is_waited_for_once() -> None:
    watch = track("b", job("a"), "b")
    assert list(watch.pending) == ["b", "a"]
    watch.update(job("b", "DONE"))
    assert [item.id for item in watch.snapshot()] == ["b", "a", "b"]
    assert [item.id for item in watch.pop_finished()] == ["b"]


@pytest.mark.parametrize("bad", ["", "..", " "])
def test_a_text_that_is_not_an_id_is_not_waited_for(bad: str) -> None:
    with pytest.raises(InvalidArgumentError):
        track("job_1", bad)


def test_a_job_that_has_ended_already_is_not_polled() -> None:
    watch = track(job("a", "DONE"), "b")
    assert list(watch.pending) == ["b"]
    assert [item.id for item in watch.pop_finished()] == ["a"]


def test_only_a_change_of_state_is_news() -> None:
    watch = track("a")
    assert watch.update(job("a"))
    assert not watch.update(job("a"))
    assert not watch.update(job("a", attemptCount=1))
    assert watch.update(job("a", "RUNNING"))
    assert watch.update(job("a", "DONE"))
    assert not watch.update(job("a", "FAILED")), "it had ended"
    assert not watch.update(job("b")), "nobody asked for it"


@pytest.mark.parametrize("status", ["DONE", "COMPLETED", "FAILED", "CANCELLED", "CANCELED"])
def test_a_job_is_waited_for_until_its_end(status: str) -> None:
    watch = track(job("a"))
    watch.update(job("a", status))
    assert not watch.pending
    assert [item.status for item in watch.pop_finished()] == [status]
    assert watch.pop_finished() == []


def test_an_unknown_status_is_not_finished() -> None:
    watch = track(job("a", "PAUSED"))
    assert list(watch.pending) == ["a"]


def test_jobs_come_in_the_order_in_which_they_ended() -> None:
    watch = track("a", "b", "c", "d")
    watch.update(job("a", "DONE", completedAt="2026-05-15T12:03:00.000Z"))
    watch.update(job("b", "FAILED", completedAt="2026-05-15T12:01:00.000Z"))
    watch.update(job("c", "DONE", updatedAt="2026-05-15T12:02:00.000Z"))
    watch.update(job("d", "DONE"))
    assert [item.id for item in watch.pop_finished()] == ["d", "b", "c", "a"]


def test_an_id_that_the_api_does_not_know_is_recorded_and_no_longer_waited_for() -> None:
    watch = track("a", "b")
    error = NotFoundError("no job", status_code=404)
    watch.mark_not_found("a", error)
    watch.mark_not_found("a", error)
    assert list(watch.pending) == ["b"]
    assert watch.unknown == {"a": error}
    assert watch.snapshot() == []


def test_jobs_that_were_never_seen_are_known_as_such() -> None:
    watch = track("a", job("b", job_type="KB_INGEST_URL"))
    assert watch.has_unseen()
    assert watch.types() == ["KB_INGEST_URL"]
    watch.update(job("a"))
    assert not watch.has_unseen()
    assert watch.types() == ["POST_GENERATION", "KB_INGEST_URL"]


def test_the_list_is_asked_for_just_what_may_be_pending() -> None:
    watch = track(
        job("a", job_type="KB_INGEST_URL"), job("b", minute=-24 * 60), job("c", "DONE", minute=-9999)
    )
    assert watch.list_query() == {
        "limit": "200",
        "type": "KB_INGEST_URL,POST_GENERATION",
        "dateFrom": "2026-05-14",
    }


def test_a_job_that_was_never_seen_may_be_of_any_type_and_day() -> None:
    assert track("a", job("b")).list_query() == {"limit": "200"}
    assert track().list_query() == {"limit": "200"}


def test_the_list_is_asked_from_the_utc_day_of_the_oldest_job() -> None:
    moment = (NOON.replace(hour=23)).astimezone(timezone(timedelta(hours=2)))
    assert track(job("a", createdAt=moment.isoformat())).list_query()["dateFrom"] == "2026-05-15"


def test_pages_are_read_until_all_was_seen_or_single_reads_cost_less() -> None:
    watch = track(*(job(f"job_{item}") for item in range(9)))
    newer = page(job("x", minute=1))
    assert watch.is_covered(newer, 1, 0)
    assert not watch.is_covered(newer, 1, 9)
    assert watch.is_covered(newer, 4, 4)
    assert not watch.is_covered(newer, 4, 5)


def test_no_page_is_read_past_the_oldest_pending_job() -> None:
    watch = track(job("a"), job("b", minute=1))
    assert watch.is_covered(page(job("x", minute=-1)), 1, 9)
    assert not watch.is_covered(page(job("x", minute=0)), 1, 9)
    assert not watch.is_covered(page(), 1, 9)
    assert not track("never seen", job("a")).is_covered(page(job("x", minute=-1)), 1, 9)


@pytest.mark.parametrize("status", ["DONE", "COMPLETED", "done"])
def test_both_words_for_success_are_success(status: str) -> None:
    ended = job(status=status)
    assert require_success(ended) is ended


def test_a_failed_job_raises_and_says_why() -> None:
    failed = job(status="FAILED", errorCode="no_speech", errorMessage="Nothing was said")
    with pytest.raises(JobFailedError, match=r"no_speech.*Nothing was said") as caught:
        require_success(failed)
    assert caught.value.job is failed
    with pytest.raises(JobFailedError, match="job_1"):
        require_success(job(status="FAILED"))


@pytest.mark.parametrize("status", ["CANCELLED", "CANCELED"])
def test_a_cancelled_job_raises(status: str) -> None:
    with pytest.raises(JobCancelledError, match="job_1") as caught:
        require_success(job(status=status))
    assert caught.value.job.status == status


def test_the_id_of_what_a_job_made_is_found() -> None:
    ended = job(status="DONE", result={"sourceId": "src_1"})
    assert result_id(ended, "source_id") == "src_1"


@pytest.mark.parametrize("result", [None, {}, {"sourceId": None}, {"sourceId": ""}, {"postId": "post_1"}])
def test_a_successful_job_without_its_id_is_an_invalid_response(result: object) -> None:
    with pytest.raises(APIResponseValidationError, match="source_id"):
        result_id(job(status="DONE", result=result), "source_id")


def test_a_time_out_names_the_first_jobs_and_holds_all_as_last_seen() -> None:
    jobs = [job(f"job_{item}") for item in range(7)]
    error = timeout_error(jobs, [item.id for item in jobs], 2.5)
    assert "2.5 s" in str(error)
    assert "job_4 and 2 more" in str(error)
    assert error.jobs == jobs
    assert "more" not in str(timeout_error(jobs, ["job_0", "job_1"], 1.0))


def test_progress_is_reported_by_the_job() -> None:
    assert progress_from_job(job(), 9) == Progress("queued", None, 9, 9)
    assert progress_from_job(job(status="RUNNING"), 9) == Progress("running", None, 9, 9)
    assert progress_from_job(job(status="DONE"), 9) == Progress("done", 1.0, 9, 9)
    live = {"progress": 0.4, "message": "Reading"}
    assert progress_from_job(job(status="RUNNING", progress=live), 9) == Progress(
        "running", 0.4, 9, 9, "Reading"
    )
