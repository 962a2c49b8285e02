"""Bars where a human is watching: in a notebook, or on a terminal; nowhere else is a sign of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Sized
from contextlib import contextmanager
from typing import Literal, Protocol, TextIO, cast

from ._rules import polling
from .display.work import Display, Line, Refresh, Work
from .types.job import Job
from .types.progress import Progress

MISSING = 'scripe: to see how far this is, install the extra "progress" of scripe (it brings rich).'
_told: set[str] = set()


@contextmanager
def progress_bars(title: str) -> Generator[Callable[[Progress], None]]:
    """Bars for the stages of one piece of work; what is yielded is to be told how far it is."""
    work = Work(title)
    with _shown(work) as refresh:

        def see(progress: Progress) -> None:
            work.see(progress)
            refresh()

        yield see


@contextmanager
def job_bars(job: Job | str) -> Generator[Callable[[Job], None]]:
    """The same for one job, told by how the job is."""
    title = f"{job.type} {job.id}" if isinstance(job, Job) else job
    with progress_bars(title) as see:

        def see_job(job: Job) -> None:
            progress = polling.progress_of(job, 0)
            if progress is not None:
                see(progress)

        if isinstance(job, Job):
            see_job(job)
        yield see_job


@contextmanager
def count_bar(jobs: Iterable[Job | str]) -> Generator[Callable[[Job], None]]:
    """One bar for many jobs: how many have ended."""
    ids = {job.id if isinstance(job, Job) else job for job in jobs}
    seen = {job.id: job for job in jobs if isinstance(job, Job)}
    work = Work(f"{len(ids):,} jobs")
    work.count([*seen.values()], len(ids))
    with _shown(work) as refresh:

        def see(job: Job) -> None:
            seen[job.id] = job
            work.count([*seen.values()], len(ids))
            refresh()

        yield see


@contextmanager
def _shown(work: Work) -> Generator[Refresh]:
    bars = _Bars(work)
    try:
        yield bars.draw
    except BaseException:
        work.end(well=False)
        raise
    else:
        work.end(well=True)
    finally:
        bars.close()


class _Bars:
    """Bars that end with the first thing that goes wrong with them: the work they show goes on."""

    def __init__(self, work: Work) -> None:
        self._display: Display | None = None
        self._careful(lambda: setattr(self, "_display", _display_of(work)))

    def draw(self) -> None:
        if self._display is not None:
            self._careful(self._display.draw)

    def close(self) -> None:
        if self._display is not None:
            self._careful(self._display.close)

    def _careful(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:  # noqa: BLE001 - whatever a terminal, rich or a notebook may raise
            self._display = None


def _display_of(work: Work) -> Display | None:
    watching = who_is_watching()
    if watching == "notebook":
        from .display.notebook import NotebookDisplay

        return NotebookDisplay(work)
    if watching == "terminal":
        try:
            from ._live_display import TerminalDisplay, board
        except ImportError:
            _say_once(MISSING)
        else:
            if not board.is_shown and _bars_of_others():
                return LinesDisplay(work)
            return TerminalDisplay(work)
    return None


class _Tqdm(Protocol):
    _instances: Sized

    def write(self, line: str, file: TextIO) -> None: ...


def _tqdm() -> _Tqdm | None:
    """Return tqdm's class if it shows bars now. It is not imported to find out."""
    tqdm = getattr(sys.modules.get("tqdm"), "tqdm", None)
    return cast("_Tqdm", tqdm) if len(getattr(tqdm, "_instances", ())) else None


def _rich_stream() -> TextIO | None:
    """Return the stream that prints above a live display of rich's, if there is one."""
    return next((each for each in (sys.stderr, sys.stdout) if hasattr(each, "rich_proxied_file")), None)


def _beneath(stream: TextIO) -> TextIO:
    """Return the stream below one of rich's, which before rich 15 says that it is not a terminal."""
    return getattr(stream, "rich_proxied_file", stream)


def _bars_of_others() -> bool:
    """Whether the caller shows bars already: a terminal has room for one live display."""
    return _tqdm() is not None or _rich_stream() is not None


class LinesDisplay:
    """A line for each stage that has ended, above the caller's own bars."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._written: list[Line] = []

    def draw(self) -> None:
        """Write what has ended since."""
        if self._work.is_void:
            return
        for line in [*self._work.lines]:
            if line.ended is not None and not any(line is written for written in self._written):
                self._written.append(line)
                mark = "✓" if line.went_well else "✗"
                parts = (f"{self._work.title}:", mark, line.label, self._work.elapsed(line), line.detail)
                _write_line(" ".join(part for part in parts if part))

    close = draw


def _write_line(line: str) -> None:
    stream = _rich_stream() or sys.stderr
    encoding = _beneath(stream).encoding or "utf-8"
    line = line.encode(encoding, "replace").decode(encoding)
    tqdm = _tqdm()
    if tqdm is None:
        stream.write(f"{line}\n")
    else:
        tqdm.write(line, file=stream)


def who_is_watching() -> Literal["notebook", "terminal", "nobody"]:
    """Where a human would see a bar now. IPython is not imported to find out: where it is used, it is there."""
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", lambda: None)()
    if hasattr(shell, "kernel"):
        return "notebook"
    try:
        is_terminal = sys.stderr is not None and _beneath(sys.stderr).isatty()  # pyright: ignore[reportUnnecessaryComparison]
    except ValueError:  # closed
        return "nobody"
    is_dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return "terminal" if is_terminal and not is_dumb else "nobody"


def _say_once(line: str) -> None:
    if line not in _told:
        _told.add(line)
        sys.stderr.write(f"{line}\n")
