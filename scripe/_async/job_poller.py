"""Wait for jobs by polling them.

`_core/poll_throttle.py` says when to poll, `_core/polling.py` keeps the state of the jobs; this module sends the
requests.

One job is polled with `GET /jobs/{id}`, the only response that has live progress. Many jobs are polled with `GET
/jobs`, 200 to a page, so that a hundred cost about as many requests as one. The list may lack a job that was just
created, or hold so many newer jobs that paging on would cost more than asking: jobs that are still missing then are
polled one by one.

All waits of a client share one throttle, which leaves half of the rate limit for reads to other calls. Without it, a
few dozen waits that run side by side use up the whole rate limit of the workspace, and every other call gets a 429.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Self, TypeVar

from .._concurrency import async_run_blocking
from .._core import polling
from .._core.config import check_seconds
from .._core.poll_throttle import poll_interval
from .._core.polling import JobTracker
from .._core.request import Request, build_path
from ..errors import APITimeoutError, JobTimeoutError, NotFoundError
from ..types.job import Job
from .pager import AsyncPager
from .sender import AsyncSender

T = TypeVar("T")


class AsyncJobPoller:
    """A wait for one job or for many, with one timeout for the whole wait."""

    def __init__(
        self,
        sender: AsyncSender,
        jobs: Sequence[Job | str],
        timeout: float | None,
        on_update: Callable[[Job], Awaitable[None]],
    ) -> None:
        check_seconds(timeout, "timeout")
        self._tracker = JobTracker(jobs)
        self._sender = sender.with_deadline(timeout)
        self._clock = sender.session.clock
        self._started = self._clock.now()
        self._on_update = on_update
        self._finished: deque[Job] = deque()

    async def wait_one(self) -> Job:
        """Wait for a single job; call `on_update` with each change of status and of progress."""
        # The tracker reports changes of status only. Here whole jobs are compared, since a single job has live
        # progress.
        job_id = self._tracker.order[0]
        previous = self._tracker.latest.get(job_id)
        while self._tracker.pending:
            await self._wait_for_next_poll()
            job = await self._map_timeout(partial(self._retrieve, job_id))
            self._tracker.update(job)
            await self._record_end(job)
            if job != previous:
                await self._on_update(job)
            previous = job
        return self._tracker.latest[job_id]

    async def wait_for_success(self) -> Job:
        """Wait for a single job; raise unless it has succeeded."""
        return polling.require_success(await self.wait_one())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Job:
        """Return the next job that has finished. Raise for unknown ids only after all other jobs."""
        self._finished.extend(self._tracker.pop_finished())
        while self._tracker.pending and not self._finished:
            await self._wait_for_next_poll()
            await self._map_timeout(self._poll)
            self._finished.extend(self._tracker.pop_finished())
        if self._finished:
            return self._finished.popleft()
        if self._tracker.unknown:
            raise self._tracker.unknown.popitem()[1]
        raise StopAsyncIteration

    async def wait_all(self) -> list[Job]:
        """Wait for all jobs; return them in the order given, whatever their final status."""
        async for _ in self:
            pass
        return self._tracker.snapshot()

    async def _poll(self) -> None:
        """Fetch all pending jobs: from the list, and one by one those that it does not show."""
        missing_ids = dict.fromkeys(self._tracker.pending)
        if len(missing_ids) > 1:
            await self._poll_list(missing_ids)
        for job_id in missing_ids:
            try:
                job = await self._retrieve(job_id)
            except NotFoundError as error:
                self._tracker.mark_not_found(job_id, error)
            else:
                await self._update(job)

    async def _poll_list(self, missing_ids: dict[str, None]) -> None:
        """Fetch pages of the list until it cannot show more, and remove the jobs found from `missing_ids`."""
        pages = AsyncPager(self._sender, "/jobs", Job, self._tracker.list_query()).pages()
        count = 0
        while True:
            count += 1
            await self._throttle()
            page = await anext(pages, None)
            if page is None:
                return  # the end of the list: jobs that are still missing are fetched one by one
            for job in page.data:
                if job.id in missing_ids:
                    del missing_ids[job.id]
                    await self._update(job)
            if self._tracker.is_covered(page, count, len(missing_ids)):
                return

    async def _update(self, job: Job) -> None:
        if self._tracker.update(job):
            await self._record_end(job)
            await self._on_update(job)

    async def _record_end(self, job: Job) -> None:
        """Tell the ledger, if there is one, that a job has finished."""
        if self._sender.ledger is None or not job.is_finished:
            return
        from .._ledger import store_of  # loaded already, since there is a ledger

        store = store_of(self._sender.ledger)
        await async_run_blocking(store.record_job, job, store.server_time(self._clock.wall_time()))

    async def _retrieve(self, job_id: str) -> Job:
        await self._throttle()
        return await self._sender.send(Request("GET", build_path("/jobs/{}", job_id), Job))

    async def _wait_for_next_poll(self) -> None:
        """Sleep until the next poll is due; a job that was never fetched is polled at once."""
        if self._tracker.has_unseen():
            return
        elapsed = self._clock.now() - self._started
        await self._wait(poll_interval(self._tracker.types(), elapsed))

    async def _throttle(self) -> None:
        """Wait until the poll throttle has a slot for another request."""
        session = self._sender.session
        bucket = (self._sender.rate_limit_key, "read")
        limit = session.limiter.limit(bucket) if session.limiter else None
        delay = session.poll_throttle.reserve(self._clock.now(), limit)
        try:
            await self._wait(delay)
        except BaseException:
            # Cancelled, or out of time: give the slot back, or the waits that come after would wait for nothing.
            session.poll_throttle.cancel(limit)
            raise

    async def _wait(self, seconds: float) -> None:
        # Sleep for what is left, then raise: a caller who waits for 60 seconds gets the error after 60 seconds, not at
        # the last poll before.
        remaining = self._sender.deadline.remaining(self._clock.now())
        if remaining is not None and seconds >= remaining:
            await self._clock.sleep(remaining)
            raise self._timeout_error()
        if seconds > 0:
            await self._clock.sleep(seconds)

    async def _map_timeout(self, step: Callable[[], Awaitable[T]]) -> T:
        """Run one step of the wait; turn a timeout that ends the whole wait into `JobTimeoutError`.

        A timeout of a single request, after its retries, stays an `APITimeoutError`. The error is raised outside of the
        `except` block, so that no `During handling of the above exception` precedes it in the traceback.
        """
        try:
            return await step()
        except APITimeoutError as error:
            timeout_error = error
        # A total timeout comes before the deadline if a rate limit wait would exceed it: the clock alone cannot tell.
        # Without a deadline, it is that of another call: one that the user's `api_key` function or callback made.
        deadline = self._sender.deadline
        is_own = timeout_error.is_total and deadline.at is not None
        is_over = is_own or deadline.has_passed(self._clock.now())
        raise self._timeout_error() if is_over else timeout_error

    def _timeout_error(self) -> JobTimeoutError:
        elapsed = round(self._clock.now() - self._started, 3)
        return polling.timeout_error(self._tracker.snapshot(), self._tracker.pending, elapsed)


async def wait_for_job(
    sender: AsyncSender, job: Job | str, timeout: float | None, on_update: Callable[[Job], Awaitable[None]]
) -> Job:
    """Wait until a job has succeeded, as one operation for the observer."""
    with sender.operation("jobs.wait"):
        return await AsyncJobPoller(sender, [job], timeout, on_update).wait_for_success()
