"""Waiting for jobs, at the pace of `_core/polling.py`."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Self, TypeVar

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
    """One wait for one or many jobs."""

    def __init__(
        self,
        sender: AsyncSender,
        jobs: Sequence[Job | str],
        timeout: float | None,
        on_update: Callable[[Job], Awaitable[None]],
    ) -> None:
        check_seconds(timeout, "timeout")
        self._watch = JobTracker(jobs)
        self._sender = sender.with_deadline(timeout)
        self._clock = sender.session.clock
        self._started = self._clock.now()
        self._on_update = on_update
        self._ended: deque[Job] = deque()

    async def wait_one(self) -> Job:
        """Wait for a single job; `on_update` hears of each change of state and of progress."""
        job_id = self._watch.order[0]
        seen = self._watch.latest.get(job_id)
        while self._watch.pending:
            await self._poll_interval()
            job = await self._map_timeout(partial(self._retrieve, job_id))
            self._watch.update(job)
            if job != seen:
                await self._on_update(job)
            seen = job
        return self._watch.latest[job_id]

    async def wait_for_success(self) -> Job:
        """The same, and raise unless it ended well."""
        return polling.require_success(await self.wait_one())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Job:
        """Each job once, in the order in which they end; ids that the API does not know raise after the others."""
        self._ended.extend(self._watch.pop_finished())
        while self._watch.pending and not self._ended:
            await self._poll_interval()
            await self._map_timeout(self._poll)
            self._ended.extend(self._watch.pop_finished())
        if self._ended:
            return self._ended.popleft()
        if self._watch.unknown:
            raise self._watch.unknown.popitem()[1]
        raise StopAsyncIteration

    async def wait_all(self) -> list[Job]:
        """All jobs, in the order given, however each ended."""
        async for _ in self:
            pass
        return self._watch.snapshot()

    async def _poll(self) -> None:
        """See how all pending jobs are: in pages, and singly what these do not show."""
        unseen = dict.fromkeys(self._watch.pending)
        if len(unseen) > 1:
            await self._poll_list(unseen)
        for job_id in unseen:
            try:
                job = await self._retrieve(job_id)
            except NotFoundError as error:
                self._watch.mark_not_found(job_id, error)
            else:
                await self._update(job)

    async def _poll_list(self, unseen: dict[str, None]) -> None:
        pages = AsyncPager(self._sender, "/jobs", Job, self._watch.list_query()).pages()
        count = 0
        while True:
            count += 1
            await self._throttle()
            page = await anext(pages, None)
            if page is None:
                return
            for job in page.data:
                if job.id in unseen:
                    del unseen[job.id]
                    await self._update(job)
            if self._watch.is_covered(page, count, len(unseen)):
                return

    async def _update(self, job: Job) -> None:
        if self._watch.update(job):
            await self._on_update(job)

    async def _retrieve(self, job_id: str) -> Job:
        await self._throttle()
        return await self._sender.send(Request("GET", build_path("/jobs/{}", job_id), Job))

    async def _poll_interval(self) -> None:
        """Wait until the next look; a job that was never seen is looked at without delay."""
        if self._watch.has_unseen():
            return
        waited = self._clock.now() - self._started
        await self._wait(poll_interval(self._watch.types(), waited))

    async def _throttle(self) -> None:
        """Wait until polling may take another request of the budget, whoever else polls."""
        session = self._sender.session
        bucket = (self._sender.options.workspace_id, "read")
        limit = session.limiter.limit(bucket) if session.limiter else None
        delay = session.poll_throttle.reserve(self._clock.now(), limit)
        try:
            await self._wait(delay)
        except BaseException:
            session.poll_throttle.cancel(limit)
            raise

    async def _wait(self, seconds: float) -> None:
        remaining = self._sender.deadline.remaining(self._clock.now())
        if remaining is not None and seconds >= remaining:
            await self._clock.sleep(remaining)
            raise self._timeout_error()
        if seconds > 0:
            await self._clock.sleep(seconds)

    async def _map_timeout(self, step: Callable[[], Awaitable[T]]) -> T:
        """A step of the wait; what comes too late for the wait is told as such."""
        try:
            return await step()
        except APITimeoutError as error:
            late = error
        deadline = self._sender.deadline
        is_own = late.is_total and deadline.at is not None
        is_over = is_own or deadline.has_passed(self._clock.now())
        raise self._timeout_error() if is_over else late

    def _timeout_error(self) -> JobTimeoutError:
        waited = round(self._clock.now() - self._started, 3)
        return polling.timeout_error(self._watch.snapshot(), self._watch.pending, waited)


async def wait_for_job(
    sender: AsyncSender, job: Job | str, timeout: float | None, on_update: Callable[[Job], Awaitable[None]]
) -> Job:
    """Wait until a job has succeeded, as one operation for the observer."""
    with sender.operation("jobs.wait"):
        return await AsyncJobPoller(sender, [job], timeout, on_update).wait_for_success()


def poll_many(
    sender: AsyncSender,
    jobs: Iterable[Job | str],
    timeout: float | None,
    on_update: Callable[[Job], Awaitable[None]],
) -> AsyncJobPoller:
    """Return a poller for many jobs; a single job is an error."""
    return AsyncJobPoller(sender, polling.check_job_list(jobs), timeout, on_update)
