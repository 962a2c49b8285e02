"""Jobs: work that the API does in the background."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from typing import TypeAlias

from ..._concurrency import AsyncCallback
from ..._core import cancellation, polling
from ..._core.request import Request, build_path, format_utc_day, join_filter, page_query
from ..._core.retry import backoff
from ...errors import ScripeError
from ...types.job import Job, JobStatus, JobType
from ..callbacks import AsyncReporter, job_progress, jobs_progress
from ..job_poller import AsyncJobPoller, wait_for_job
from ..pager import AsyncPager
from ._base import AsyncResource

JobList: TypeAlias = list[Job]


class AsyncJobs(AsyncResource):
    """Background work, and waiting for it. https://apidocs.scripe.io/api/v1/jobs"""

    def list(
        self,
        *,
        type: Sequence[JobType] | None = None,
        status: Sequence[JobStatus] | None = None,
        date_from: date | datetime | str | None = None,
        date_to: date | datetime | str | None = None,
        page_size: int = 200,
    ) -> AsyncPager[Job]:
        """Jobs of the workspace, newest first; lists have no live progress.

        Args:
            type: Only jobs of these types.
            status: Only jobs in these states; of the two words for success the API filters by `DONE`.
            date_from: Only jobs made on this UTC day or later; a date, an aware datetime or text such as `2026-05-01`.
            date_to: Only jobs made on this UTC day or earlier.
            page_size: Items fetched at once, 1 to 200.

        """
        query = page_query(
            page_size,
            type=join_filter(type, "type"),
            status=join_filter(status, "status"),
            dateFrom=format_utc_day(date_from, "date_from"),
            dateTo=format_utc_day(date_to, "date_to"),
        )
        return AsyncPager(self._sender, "/jobs", Job, query)

    async def retrieve(self, job_id: str) -> Job:
        """Fetch one job, with its progress while it runs.

        Raises:
            NotFoundError: no job in this workspace has this id.

        """
        return await self._sender.send(Request("GET", build_path("/jobs/{}", job_id), Job))

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job that is still queued. A cancel that is not answered is settled by reading the job.

        Raises:
            NotCancellableError: the job is no longer queued.
            NotFoundError: no job in this workspace has this id.

        """
        jobs = AsyncJobs(self._sender.with_deadline())
        request = Request("POST", build_path("/jobs/{}/cancel", job_id), Job, repeatable=False)
        attempt = 0
        while True:
            attempt += 1
            try:
                return await jobs._sender.send(request)
            except ScripeError as error:
                if not cancellation.may_have_cancelled(error, attempt):
                    raise
                cancel_error = error
            job = await jobs.retrieve(job_id)
            if job.is_cancelled:
                return job
            clock, delay = jobs._sender.session.clock, backoff(attempt)
            in_time = jobs._sender.deadline.allows(delay, clock.now())
            if not in_time or not cancellation.should_cancel_again(
                job, attempt, jobs._sender.options.max_retries
            ):
                raise cancel_error
            await clock.sleep(delay)

    async def wait(
        self,
        job: Job | str,
        *,
        timeout: float | None = 900.0,
        on_update: AsyncCallback[Job] | None = None,
        show_progress: bool = False,
    ) -> Job:
        """Wait until a job has ended well.

        Args:
            job: The job, or its id.
            timeout: Seconds to wait; None for as long as it takes.
            on_update: Told of each change of state and of progress.
            show_progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.

        Raises:
            JobFailedError: the job failed.
            JobCancelledError: the job was cancelled.
            JobTimeoutError: it takes longer than `timeout`; the work goes on.
            NotFoundError: no job in this workspace has this id.

        """
        reporting = job_progress(job, on_update, show_progress=show_progress)
        with reporting as report:
            return await wait_for_job(self._sender, job, timeout, report)

    async def wait_all(
        self,
        jobs: Iterable[Job | str],
        *,
        timeout: float | None = 900.0,
        on_update: AsyncCallback[Job] | None = None,
        show_progress: bool = False,
    ) -> JobList:
        """Wait until all jobs have ended, well or not. A hundred cost about as many requests as one.

        Args:
            jobs: Jobs, or their ids.
            timeout: Seconds to wait for all of them; None for as long as it takes.
            on_update: Told of each change of state (there is no live progress of many at once).
            show_progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.

        Returns:
            The jobs in the order given, however each ended; look at `is_succeeded`.

        Raises:
            JobTimeoutError: some take longer than `timeout`; `.jobs` has all as last seen.
            NotFoundError: the API does not know one of the ids; raised after all others have ended.

        """
        jobs = polling.check_job_list(jobs)
        reporting = jobs_progress(jobs, on_update, show_progress=show_progress)
        with self._sender.operation("jobs.wait_all"), reporting as report:
            return await AsyncJobPoller(self._sender, jobs, timeout, report).wait_all()

    def as_completed(
        self,
        jobs: Iterable[Job | str],
        *,
        timeout: float | None = 900.0,
        on_update: AsyncCallback[Job] | None = None,
    ) -> AsyncIterator[Job]:
        """Each job once, in the order in which they end, well or not.

        Args:
            jobs: Jobs, or their ids.
            timeout: Seconds to wait for all of them, from this call on; None for as long as it takes.
            on_update: Told of each change of state (there is no live progress of many at once).

        Raises:
            JobTimeoutError: some take longer than `timeout`; `.jobs` has all as last seen.
            NotFoundError: the API does not know one of the ids; raised after all others have ended.

        """
        jobs = polling.check_job_list(jobs)
        return AsyncJobPoller(self._sender, jobs, timeout, AsyncReporter(on_update))
