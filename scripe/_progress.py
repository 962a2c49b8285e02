"""Show the progress of calls as bars: in a notebook or on a terminal, nowhere else.

The client loads this module when `show_progress=True` asks for it. A `Task` is the state of one call; a display draws
it. Bars must not make a call fail: after an error of a display the call goes on without it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO, cast

from ._core.polling import progress_from_job
from ._format import format_duration, format_size, shorten
from ._html import IGNORED_BY_MATHJAX, concat, meter, tag
from .types.job import Job
from .types.progress import Progress
from .types.progress import Stage as StageName

if TYPE_CHECKING:
    from rich.console import Group

MISSING_RICH = (
    'scripe: progress bars on a terminal need rich. Install the extra "progress" of scripe to see them.'
)
MIN_SECONDS_FOR_RATE = 0.5
MAX_TITLE = 60
BAR_WIDTH = 30
NOTEBOOK_INTERVAL = 0.1  # seconds between two updates of a notebook
INITIAL_LABEL = "Working"  # until the first stage is reported
LABELS: dict[StageName, str] = {"uploading": "Upload", "queued": "Queue", "running": "Processing"}


@dataclass(slots=True)
class Stage:
    """One stage of a task."""

    label: str
    started: float  # by the clock of the task
    fraction: float | None = None  # how much is done, from 0 to 1; None if unknown
    detail: str = ""  # text beside the bar
    ended: float | None = None  # None while it runs
    is_ok: bool = True  # False after the task ended here with an error

    @property
    def mark(self) -> str:
        """Return a tick, a cross, or nothing while it runs."""
        return "" if self.ended is None else "✓" if self.is_ok else "✗"


class Task:
    """A title and its stages; the last one runs until `finish`."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.title: str = shorten(title, MAX_TITLE)
        self.stages: list[Stage] = [Stage(INITIAL_LABEL, clock())]
        self._clock = clock

    @property
    def failed_early(self) -> bool:
        """Return whether it failed before its first stage; the error says all there is to say."""
        return self.stages[0].label == INITIAL_LABEL and not self.stages[0].is_ok

    def update(self, progress: Progress) -> None:
        """Show the progress of a file or of a job."""
        if progress.stage == "done":
            return  # `finish` ends the stage that led there
        stage = self._enter_stage(LABELS[progress.stage])
        if progress.stage == "uploading":
            if stage.fraction is not None and (progress.fraction or 0.0) < stage.fraction:
                stage.started = self._clock()  # the upload started again
            stage.detail = _upload_detail(progress, self._clock() - stage.started)
        else:
            stage.detail = shorten(progress.message or "", MAX_TITLE)
        stage.fraction = progress.fraction

    def update_count(self, jobs: Sequence[Job], total: int) -> None:
        """Show how many of many jobs have finished."""
        finished = [job for job in jobs if job.is_finished]
        failed = sum(not job.is_succeeded for job in finished)
        stage = self._enter_stage("Jobs")
        stage.fraction = len(finished) / total if total else None
        stage.detail = f"{len(finished):,} of {total:,}" + (
            f", {failed:,} failed or cancelled" if failed else ""
        )

    def finish(self, *, ok: bool) -> None:
        """End the last stage, with a full bar if it ended well."""
        last = self.stages[-1]
        last.ended, last.is_ok = self._clock(), ok
        if ok:
            last.fraction = 1.0
        if ok and last.label == LABELS["running"]:
            last.detail = ""  # the message describes work that is over

    def format_elapsed(self, stage: Stage) -> str:
        """Format how long a stage took, or has been running."""
        return format_duration((self._clock() if stage.ended is None else stage.ended) - stage.started)

    def _enter_stage(self, label: str) -> Stage:
        if self.stages[-1].label == label:
            return self.stages[-1]
        if self.stages[0].label == INITIAL_LABEL:
            self.stages = []
        else:
            self.finish(ok=True)
        self.stages = [*(stage for stage in self.stages if stage.label != label), Stage(label, self._clock())]
        return self.stages[-1]


def _upload_detail(progress: Progress, seconds: float) -> str:
    sent = f"{format_size(progress.bytes_sent)} of {format_size(progress.bytes_total)}"
    if seconds < MIN_SECONDS_FOR_RATE:
        return sent
    return f"{sent}, {format_size(progress.bytes_sent / seconds)}/s"


@contextmanager
def progress_bars(title: str) -> Generator[Callable[[Progress], None]]:
    """Show bars for the stages of one call; yield the function that updates them."""
    task = Task(title)
    with _display(task) as draw:

        def update(progress: Progress) -> None:
            task.update(progress)
            draw()

        yield update


@contextmanager
def job_bars(job: Job | str) -> Generator[Callable[[Job], None]]:
    """Show bars for the stages of one job; yield the function that updates them."""
    title = f"{job.type} {job.id}" if isinstance(job, Job) else job
    with progress_bars(title) as update:

        def update_from_job(job: Job) -> None:
            progress = progress_from_job(job, 0)
            if progress is not None:
                update(progress)

        if isinstance(job, Job):
            update_from_job(job)
        yield update_from_job


@contextmanager
def count_bar(jobs: Iterable[Job | str]) -> Generator[Callable[[Job], None]]:
    """Show one bar for many jobs, how many have finished; yield the function that updates it."""
    known = {job if isinstance(job, str) else job.id: job for job in jobs}
    latest = {job_id: job for job_id, job in known.items() if isinstance(job, Job)}
    task = Task(f"{len(known):,} jobs")
    task.update_count([*latest.values()], len(known))
    with _display(task) as draw:

        def update(job: Job) -> None:
            latest[job.id] = job
            task.update_count([*latest.values()], len(known))
            draw()

        yield update


@contextmanager
def _display(task: Task) -> Generator[Callable[[], None]]:
    display = DisplayWithoutErrors(partial(_make_display, task))
    try:
        yield display.draw
    except BaseException:
        task.finish(ok=False)
        raise
    else:
        task.finish(ok=True)
    finally:
        display.close()


class Display(Protocol):
    """Shows something to a person, in a notebook or on a terminal."""

    def draw(self) -> None:
        """Show how it is now."""

    def close(self) -> None:
        """Show how it has ended."""


class DisplayWithoutErrors:
    """A display that is dropped after its first error."""

    def __init__(self, make_display: Callable[[], Display | None]) -> None:
        self._display: Display | None = None
        with self._drop_after_error():
            self._display = make_display()

    def draw(self) -> None:
        """Show how it is now."""
        if self._display is not None:
            with self._drop_after_error():
                self._display.draw()

    def close(self) -> None:
        """Show how it has ended."""
        if self._display is not None:
            with self._drop_after_error():
                self._display.close()

    @contextmanager
    def _drop_after_error(self) -> Generator[None]:
        try:
            yield
        except Exception:  # noqa: BLE001 - a terminal, rich or a notebook may raise anything
            self._display = None


def _make_display(task: Task) -> Display | None:
    output = choose_output()
    if output == "notebook":
        return NotebookDisplay(NotebookBars(task))
    if output == "terminal":
        return TerminalDisplay(TerminalBars(task))
    return LinesDisplay(task) if output == "lines" else None


def choose_output() -> Literal["notebook", "terminal", "lines", "none"]:
    """Choose how to show something: as lines on a terminal that shows a live display of the caller's own."""
    output = detect_output()
    if output != "terminal":
        return output
    try:
        from ._live_display import live_display
    except ImportError:
        _report_missing_rich()
        return "none"
    is_taken = not live_display.is_active and (_active_tqdm() or _rich_stream())
    return "lines" if is_taken else "terminal"


def detect_output() -> Literal["notebook", "terminal", "none"]:
    """Find out where a person would see a bar. IPython is not imported for this: a notebook has loaded it."""
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", lambda: None)()
    if hasattr(shell, "kernel"):
        return "notebook"
    try:
        is_terminal = sys.stderr is not None and _unwrap(sys.stderr).isatty()  # pyright: ignore[reportUnnecessaryComparison]
    except ValueError:  # stderr is closed
        return "none"
    is_dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return "terminal" if is_terminal and not is_dumb else "none"


@cache
def _report_missing_rich() -> None:
    sys.stderr.write(f"{MISSING_RICH}\n")


class TerminalItem(Protocol):
    """Something that rich draws."""

    @property
    def failed_early(self) -> bool:
        """True if nothing of it is worth keeping."""
        ...

    def __rich__(self) -> Group: ...


class TerminalDisplay:
    """An item in the live display of the process, which redraws it itself."""

    def __init__(self, item: TerminalItem) -> None:
        from ._live_display import live_display

        self._item = item
        self._live_display = live_display
        live_display.add(item)

    def draw(self) -> None:
        """Do nothing: the live display redraws itself."""

    def close(self) -> None:
        """Leave the last state above what is still redrawn."""
        self._live_display.remove(self._item, keep=not self._item.failed_early)


class TerminalBars:
    """A task as bars on a terminal."""

    def __init__(self, task: Task) -> None:
        self._task = task

    @property
    def failed_early(self) -> bool:
        """Return whether it failed before its first stage."""
        return self._task.failed_early

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Column, Table
        from rich.text import Text

        grid = Table.grid(Column(min_width=12), "", "", "", padding=(0, 1))
        for stage in [*self._task.stages]:
            is_over = stage.ended is not None
            style = "bar.complete" if stage.is_ok else "red"
            bar = ProgressBar(
                1.0,
                stage.fraction or 0.0,
                BAR_WIDTH,
                pulse=stage.fraction is None and not is_over,
                complete_style=style,
                finished_style="bar.finished" if is_over else style,
            )
            detail = Text(stage.detail, overflow="ellipsis")
            grid.add_row(
                Text(f"{stage.mark or ' '} {stage.label}"),
                bar,
                Text(self._task.format_elapsed(stage)),
                detail,
            )
        return Group(Text(self._task.title, style="bold"), grid)


class LinesDisplay:
    """A line for each stage that has ended, above the caller's own bars: a terminal has room for one live display."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._written: list[Stage] = []

    def draw(self) -> None:
        """Write a line for each stage that has ended since the last call."""
        if self._task.failed_early:
            return
        for stage in [*self._task.stages]:
            if stage.ended is not None and not any(stage is written for written in self._written):
                self._written.append(stage)
                elapsed = self._task.format_elapsed(stage)
                parts = (f"{self._task.title}:", stage.mark, stage.label, elapsed, stage.detail)
                write_line(" ".join(part for part in parts if part))

    close = draw


def _active_tqdm() -> Any:
    """Return tqdm's class if it shows bars now, else None. It is not imported for this."""
    tqdm = getattr(sys.modules.get("tqdm"), "tqdm", None)
    return tqdm if len(getattr(tqdm, "_instances", ())) else None


def _rich_stream() -> TextIO | None:
    """Return the stream that prints above a live display of rich, if one is shown."""
    return next((stream for stream in (sys.stderr, sys.stdout) if hasattr(stream, "rich_proxied_file")), None)


def _unwrap(stream: TextIO) -> TextIO:
    """Return the stream below one of rich, which before rich 15 says that it is not a terminal."""
    return getattr(stream, "rich_proxied_file", stream)


def write_line(line: str) -> None:
    """Write a line to stderr, above what others show there."""
    stream = _rich_stream() or sys.stderr
    encoding = _unwrap(stream).encoding or "utf-8"
    line = line.encode(encoding, "replace").decode(encoding)
    tqdm = _active_tqdm()
    if tqdm is None:
        stream.write(f"{line}\n")
    else:
        tqdm.write(line, file=stream)


class NotebookDisplay:
    """HTML below the cell that runs, which is replaced: so no widgets are needed, and a saved notebook keeps it."""

    def __init__(self, item: object) -> None:
        from IPython.display import DisplayHandle  # pyright: ignore[reportUnknownVariableType] - it has few types

        self._item = item
        self._handle = cast("Any", DisplayHandle())  # type: ignore[no-untyped-call]
        self._handle.display(item)
        self._drawn_at = time.monotonic()

    def draw(self) -> None:
        """Show how it is now, unless that was done just before."""
        now = time.monotonic()
        if now - self._drawn_at >= NOTEBOOK_INTERVAL:
            self._drawn_at = now
            self._handle.update(self._item)

    def close(self) -> None:
        """Show how it has ended."""
        self._handle.update(self._item)


class NotebookBars:
    """A task as HTML, and as a line of text where no HTML is shown."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def _repr_html_(self) -> str:
        if self._task.failed_early:
            return ""
        style = "text-align:left;border:0;padding:1px 12px 1px 0;background:transparent;white-space:nowrap"
        rows = (
            concat(tag("td", cell, style) for cell in self._cells(stage)) for stage in [*self._task.stages]
        )
        grid = tag("table", concat(tag("tr", row, "background:transparent") for row in rows), "margin:0")
        return tag("div", concat([tag("strong", self._task.title), grid]), **IGNORED_BY_MATHJAX)

    def _cells(self, stage: Stage) -> list[str]:
        label = f"{stage.mark or '…'} {stage.label}"
        return [label, meter(stage.fraction), self._task.format_elapsed(stage), stage.detail]

    def __repr__(self) -> str:
        last = self._task.stages[-1]
        return f"{self._task.title}: {last.label} {last.detail}".rstrip()
