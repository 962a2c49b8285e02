"""Jobs: background work of the API.

A job can be cancelled only while it is queued, and the API documents no idempotency key for a cancel. If the response
to a cancel is lost, sending it again may be rejected with 409 just because the first one worked. So `cancel` reads the
job to find out, as `_core/cancellation.py` describes.
"""

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
    """Background work of the API, and waiting for it. https://apidocs.scripe.io/api/v1/jobs"""

    def list(
        self,
        *,
        type: Sequence[JobType] | None = None,
        status: Sequence[JobStatus] | None = None,
        date_from: date | datetime | str | None = None,
        date_to: date | datetime | str | None = None,
        page_size: int = 200,
    ) -> AsyncPager[Job]:
        """List the jobs of the workspace, newest first. Their `progress` is None: only `retrieve` has it.

        Args:
            type: Only jobs of these types.
            status: Only jobs with these statuses. For success, filter by `DONE`, not by `COMPLETED`.
            date_from: Only jobs created on this UTC day or later: a date, an aware datetime or `"2026-05-01"`.
            date_to: Only jobs created on this UTC day or earlier.
            page_size: Items in each request, 1 to 200.

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
        """Cancel a job that is still queued. If the response is lost, the job is fetched to find out whether it worked.

        Raises:
            NotCancellableError: the job is no longer queued.
            NotFoundError: no job in this workspace has this id.

        """
        jobs = AsyncJobs(self._sender.with_deadline())
        request = Request("POST", build_path("/jobs/{}/cancel", job_id), Job, repeatable=False)
        # Not `Sender.retry`: whether to send again depends on the job, not on the outcome of the cancel.
        attempt = 0
        while True:
            attempt += 1
            try:
                return await jobs._sender.send(request)
            except ScripeError as error:
                if not cancellation.may_have_cancelled(error, attempt):
                    raise
                cancel_error = error
            # The cancel may have worked all the same: only the job itself can tell.
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
        """Wait until a job has succeeded.

        Args:
            job: The job, or its id.
            timeout: Seconds for the whole wait, with all its requests; None for no limit.
            on_update: Called with the job after each change of its status or progress.
            show_progress: Show progress bars, in a terminal or a notebook only.

        Raises:
            JobFailedError: the job failed.
            JobCancelledError: the job was cancelled.
            JobTimeoutError: the job did not finish within `timeout`; it continues on the server.
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
        """Wait until all jobs have finished, whatever their final status. A hundred cost about as many requests as one.

        Args:
            jobs: Jobs, or their ids.
            timeout: Seconds for the whole wait, for all jobs together; None for no limit.
            on_update: Called with a job after each change of its status (lists have no live progress).
            show_progress: Show progress bars, in a terminal or a notebook only.

        Returns:
            The jobs in the order given; `is_succeeded` says which have succeeded.

        Raises:
            JobTimeoutError: not all jobs finished within `timeout`; `.jobs` holds them as last fetched.
            NotFoundError: no job in this workspace has one of the ids; raised after all others have finished.

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
        """Iterate over jobs as they finish, each one once, whatever its final status.

        Args:
            jobs: Jobs, or their ids.
            timeout: Seconds for the whole wait, for all jobs together, counted from this call; None for no limit.
            on_update: Called with a job after each change of its status (lists have no live progress).

        Raises:
            JobTimeoutError: not all jobs finished within `timeout`; `.jobs` holds them as last fetched.
            NotFoundError: no job in this workspace has one of the ids; raised after all others have finished.

        """
        jobs = polling.check_job_list(jobs)
        return AsyncJobPoller(self._sender, jobs, timeout, AsyncReporter(on_update))
