"""Track the jobs that a wait is for, and turn their end into a result or an error.

When to poll is decided in `poll_throttle.py`. A wait for many jobs polls `GET /jobs`, whose pages show up to 200 of
them, and retrieves the jobs that these pages do not show one by one. So a wait for 100 jobs costs about one request a
second, not 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from .._redaction import clip
from ..errors import (
    APIResponseValidationError,
    InvalidArgumentError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
)
from ..types.job import Job
from ..types.page import Page
from ..types.progress import Progress
from .request import check_id, format_utc_day, page_query


def check_job_list(jobs: Iterable[Job | str]) -> list[Job | str]:
    """Return many jobs as a list; refuse a single one, since a str would pass as many ids of one letter."""
    if isinstance(jobs, (str, Job)) or not isinstance(jobs, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(
            f"jobs is a single {type(jobs).__name__}. Give a list of jobs or ids, or use `wait`."
        )
    return list(jobs)


class JobTracker:
    """Keeps the latest state of the jobs that are waited for: pending, finished, or not found."""

    def __init__(self, jobs: Iterable[Job | str]) -> None:
        job_list = list(jobs)
        ids = [job.id if isinstance(job, Job) else job for job in job_list]
        self.order = [check_id(job_id, "The job's id") for job_id in ids]
        self.latest: dict[str, Job] = {}
        self.pending: dict[str, None] = dict.fromkeys(self.order)
        self.unknown: dict[str, NotFoundError] = {}
        self._finished: list[Job] = []
        for job in job_list:
            if isinstance(job, Job):
                self.update(job)

    def update(self, job: Job) -> bool:
        """Record the state of a job; return True if its status has changed."""
        if job.id not in self.pending:
            return False
        before = self.latest.get(job.id)
        self.latest[job.id] = job
        if job.is_finished:
            del self.pending[job.id]
            self._finished.append(job)
        return before is None or before.status != job.status

    def mark_not_found(self, job_id: str, error: NotFoundError) -> None:
        """Record that the API does not know this id; it is not waited for any longer."""
        self.pending.pop(job_id, None)
        self.unknown[job_id] = error

    def pop_finished(self) -> list[Job]:
        """Return the jobs that have finished since the last call, in the order in which they did."""
        finished, self._finished = self._finished, []
        return sorted(
            finished, key=lambda job: (job.completed_at or job.updated_at or job.created_at).timestamp()
        )

    def types(self) -> list[str]:
        """Return the types of the pending jobs, as far as they are known."""
        return [self.latest[job_id].type for job_id in self.pending if job_id in self.latest]

    def has_unseen(self) -> bool:
        """Return True if the state of a pending job is not known yet."""
        return any(job_id not in self.latest for job_id in self.pending)

    def snapshot(self) -> list[Job]:
        """Return the latest state of all jobs, in the order in which they were given."""
        return [self.latest[job_id] for job_id in self.order if job_id in self.latest]

    def list_query(self) -> dict[str, str]:
        """Return the query of `GET /jobs` that shows most pending jobs in the fewest pages."""
        oldest = self._oldest()
        types = sorted(set(self.types())) if oldest else []
        return page_query(
            200,
            type=",".join(types) or None,
            dateFrom=format_utc_day(oldest, "created_at") if oldest else None,
        )

    def is_covered(self, page: Page[Job], pages: int, missing: int) -> bool:
        """Return True if another page would show nothing more, or cost more than retrieving the rest one by one."""
        oldest = self._oldest()
        is_past = oldest is not None and bool(page.data) and page.data[-1].created_at < oldest
        return missing == 0 or is_past or missing <= pages

    def _oldest(self) -> datetime | None:
        moments = [self.latest[job_id].created_at for job_id in self.pending if job_id in self.latest]
        return min(moments) if len(moments) == len(self.pending) and moments else None


def require_success(job: Job) -> Job:
    """Return the job if it succeeded; else raise its error."""
    if job.is_cancelled:
        raise JobCancelledError(
            f"Job {clip(job.id, 100)} ({clip(job.type, 100)}) was cancelled before it started.", job=job
        )
    if job.is_failed:
        why = (
            ": ".join(clip(part, 500) for part in (job.error_code, job.error_message) if part)
            or "the API did not say why"
        )
        raise JobFailedError(f"Job {clip(job.id, 100)} ({clip(job.type, 100)}) failed: {why}", job=job)
    return job


def result_id(job: Job, field: Literal["source_id", "post_id", "document_id"]) -> str:
    """Return the id of the object that a job created."""
    value = getattr(job.result, field, None)
    if not isinstance(value, str) or not value:
        raise APIResponseValidationError(
            f"Job {clip(job.id, 100)} ended as {clip(job.status, 100)} without the {field} that the API promises. "
            "Retrieve the job to see its result.",
            status_code=200,
        )
    return value


def timeout_error(jobs: Sequence[Job], pending: Iterable[str], seconds: float) -> JobTimeoutError:
    """Return the error of a wait whose time ended; it names the first five pending jobs."""
    ids = list(pending)
    listed = ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
    return JobTimeoutError(
        f"After {seconds:g} s these jobs were not finished: {listed}. They go on. Wait again with the same ids.",
        jobs=jobs,
    )


def progress_from_job(job: Job, total: int) -> Progress | None:
    """Return the progress of a file, as its job reports it; None if the job failed, which raises an error."""
    if job.is_finished and not job.is_succeeded:
        return None
    if job.is_succeeded:
        return Progress("done", 1.0, total, total)
    if job.progress is None:
        return Progress("queued" if job.status.upper() == "QUEUED" else "running", None, total, total)
    return Progress("running", job.progress.progress, total, total, job.progress.message)
