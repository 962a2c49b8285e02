"""Report progress to bars and to the caller's callback.

An update takes one way: from the poller or the upload to an `AsyncReporter`, and from there to the bars and the
callback. The modules that draw bars are imported only by calls with `show_progress=True`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from .._concurrency import AsyncCallback, async_invoke
from .._core.config import check_type
from .._core.polling import progress_from_job
from ..types.job import Job
from ..types.progress import Progress

T = TypeVar("T")


class AsyncReporter(Generic[T]):
    """Passes each update to the bars, if there are any, and to the caller's callback, if there is one."""

    def __init__(
        self, callback: AsyncCallback[T] | None, update_bars: Callable[[T], None] | None = None
    ) -> None:
        self._callback = callback
        self._update_bars = update_bars

    async def __call__(self, update: T) -> None:
        if self._update_bars is not None:
            self._update_bars(update)
        if self._callback is not None:
            await async_invoke(self._callback, update)


class AsyncFileJobReporter:
    """Reports the updates of a job as progress of the file that the job processes."""

    def __init__(self, report: AsyncReporter[Progress], size: int) -> None:
        self._report = report
        self._size = size

    async def __call__(self, job: Job) -> None:
        progress = progress_from_job(job, self._size)
        if progress is not None:
            await self._report(progress)


@contextmanager
def file_progress(
    title: str, callback: AsyncCallback[Progress] | None, *, show_progress: bool
) -> Generator[AsyncReporter[Progress]]:
    """Return a reporter for the upload and the job of one file; show bars while the block runs if asked to."""
    if not check_show_progress(show_progress):
        yield AsyncReporter(callback)
        return
    from .._progress import progress_bars

    with progress_bars(title) as update_bars:
        yield AsyncReporter(callback, update_bars)


@contextmanager
def job_progress(
    job: Job | str, callback: AsyncCallback[Job] | None, *, show_progress: bool
) -> Generator[AsyncReporter[Job]]:
    """Return a reporter for one job; show bars while the block runs if asked to.

    A job that is not created yet has a title instead.
    """
    if not check_show_progress(show_progress):
        yield AsyncReporter(callback)
        return
    from .._progress import job_bars

    with job_bars(job) as update_bars:
        yield AsyncReporter(callback, update_bars)


@contextmanager
def jobs_progress(
    jobs: Sequence[Job | str], callback: AsyncCallback[Job] | None, *, show_progress: bool
) -> Generator[AsyncReporter[Job]]:
    """Return a reporter for many jobs; show a bar of finished ones while the block runs if asked to."""
    if not check_show_progress(show_progress):
        yield AsyncReporter(callback)
        return
    from .._progress import count_bar

    with count_bar(jobs) as update_bars:
        yield AsyncReporter(callback, update_bars)


def check_show_progress(show_progress: object) -> bool:
    """Return True if progress is to be shown; refuse a function, which belongs elsewhere."""
    check_type(show_progress, bool, "show_progress", "True or False (pass a function as the callback)")
    return show_progress is True
