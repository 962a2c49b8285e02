"""Report progress to bars and to the caller's callback."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from .._concurrency import AsyncCallback, async_invoke
from .._core.config import check_type
from ..types.job import Job
from ..types.progress import Progress

T = TypeVar("T")

Bars = Callable[[], AbstractContextManager[Callable[[T], None]]]


def file_progress(
    title: str, callback: AsyncCallback[Progress] | None, *, show_progress: bool
) -> AbstractContextManager[AsyncCallback[Progress] | None]:
    """Whom to tell how far a file is; its stages are shown while the block runs, if `show_progress` says so."""

    def bars() -> AbstractContextManager[Callable[[Progress], None]]:
        from .._progress import progress_bars

        return progress_bars(title)

    return _combined_callback(bars, callback, show_progress=show_progress)


def job_progress(
    job: Job | str, callback: AsyncCallback[Job] | None, *, show_progress: bool
) -> AbstractContextManager[AsyncCallback[Job] | None]:
    """The same for one job, or for one that is yet to be made and only has a name."""

    def bars() -> AbstractContextManager[Callable[[Job], None]]:
        from .._progress import job_bars

        return job_bars(job)

    return _combined_callback(bars, callback, show_progress=show_progress)


def jobs_progress(
    jobs: Sequence[Job | str], callback: AsyncCallback[Job] | None, *, show_progress: bool
) -> AbstractContextManager[AsyncCallback[Job] | None]:
    """The same for many jobs: how many have ended."""

    def bars() -> AbstractContextManager[Callable[[Job], None]]:
        from .._progress import count_bar

        return count_bar(jobs)

    return _combined_callback(bars, callback, show_progress=show_progress)


@contextmanager
def _combined_callback(
    bars: Bars[T], callback: AsyncCallback[T] | None, *, show_progress: bool
) -> Generator[AsyncCallback[T] | None]:
    check_type(show_progress, bool, "show_progress", "True or False (a function goes in as the callback)")
    if not show_progress:
        yield callback
        return
    with bars() as see:

        async def tell(news: T) -> None:
            see(news)
            if callback is not None:
                await async_invoke(callback, news)

        yield tell
