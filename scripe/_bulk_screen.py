"""Show how far a bulk run is: a few lines that are redrawn on a terminal or in a notebook, a line a minute elsewhere.

The client loads this module when `show_progress=True` asks for it. All figures are those of the latest `BulkProgress`,
which are counted from the ledger: a run that goes on with an earlier one begins where that ended.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from ._format import format_long_duration, format_moment, format_size, shorten
from ._html import IGNORED_BY_MATHJAX, concat, meter, tag
from ._progress import (
    BAR_WIDTH,
    Display,
    DisplayWithoutErrors,
    NotebookDisplay,
    TerminalDisplay,
    choose_output,
    write_line,
)
from .types.bulk import BulkProgress

if TYPE_CHECKING:
    from rich.console import Group

    from .types import ItemState

LINE_INTERVAL = 60.0
"""Seconds between two lines where nothing can be redrawn."""

MAX_ERROR = 120
MAX_NAME = 24
ENDED: tuple[ItemState, ...] = ("done", "refused", "failed", "cancelled", "unknown")
BESIDE_DONE: tuple[ItemState, ...] = ("submitted", "sending", "stored", *ENDED[1:])
_FOLDERS = re.compile(r"^(?:[A-Za-z]:)?[/\\](?:[^:]*[/\\])?")


@contextmanager
def bulk_screen() -> Generator[Callable[[BulkProgress], None]]:
    """Show a screen while the block runs; yield the function that updates it."""
    screen = BulkScreen()
    display = DisplayWithoutErrors(partial(_make_display, screen))

    def update(progress: BulkProgress) -> None:
        screen.progress = progress
        display.draw()

    try:
        yield update
    finally:
        display.close()


def _make_display(screen: BulkScreen) -> Display:
    output = choose_output()
    if output == "notebook":
        return NotebookDisplay(screen)
    return TerminalDisplay(screen) if output == "terminal" else BulkLines(screen)


class BulkScreen:
    """What is shown of a run: the latest progress that it has reported."""

    def __init__(self) -> None:
        self.progress: BulkProgress | None = None

    @property
    def failed_early(self) -> bool:
        """True if the run has not reported anything."""
        return self.progress is None

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        progress = self.progress
        if progress is None:
            return Group()
        fraction = _fraction(progress)
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(1.0, fraction, BAR_WIDTH), Text(_percentage(fraction)))
        lines = (Text(line) for line in _lines(progress))
        errors = (Text(f"  {error}", "red", no_wrap=True, overflow="ellipsis") for error in _errors(progress))
        return Group(Text(_count_files(progress), "bold"), bar, *lines, *errors)

    def _repr_html_(self) -> str:
        progress = self.progress
        if progress is None:
            return ""
        fraction = _fraction(progress)
        bar = concat([meter(fraction), f" {_percentage(fraction)}"])
        parts = [tag("div", tag("strong", _count_files(progress))), tag("div", bar)]
        parts += [tag("div", line) for line in _lines(progress)]
        parts += [tag("div", error, "opacity:.65") for error in _errors(progress)]
        return tag("div", concat(parts), **IGNORED_BY_MATHJAX)

    def __repr__(self) -> str:
        if self.progress is None:
            return ""
        return "; ".join([_count_files(self.progress), *_lines(self.progress)])


class BulkLines:
    """A line at once, one each minute, and a last one."""

    def __init__(self, screen: BulkScreen) -> None:
        self._screen = screen
        self._written_at: float | None = None
        self._written = self._error = ""

    def draw(self) -> None:
        """Write a line if it is time."""
        now = time.monotonic()
        if self._written_at is None or now - self._written_at >= LINE_INTERVAL:
            self._written_at = now
            self.close()

    def close(self) -> None:
        """Write a line, unless it would say the same as the one before."""
        line = repr(self._screen)
        if line in ("", self._written):
            return
        self._written = line
        errors = _errors(self._screen.progress) if self._screen.progress else []
        if errors and errors[-1] != self._error:
            self._error = errors[-1]
            line += f"; last error: {self._error}"
        write_line(line)


def _count_files(progress: BulkProgress) -> str:
    noun = "file" if progress.files == 1 else "files"
    counts = [f"{progress.states.get('done', 0):,} of {progress.files:,} {noun} done"]
    counts += [f"{progress.states[state]:,} {state}" for state in BESIDE_DONE if progress.states.get(state)]
    return ", ".join(counts)


def _fraction(progress: BulkProgress) -> float:
    """Return which part of the files has ended, well or not."""
    ended = sum(progress.states.get(state, 0) for state in ENDED)
    return min(1.0, ended / progress.files) if progress.files else 1.0


def _percentage(fraction: float) -> str:
    """Format a fraction, rounded down: 100% means all."""
    return f"{int(100 * fraction)}%"


def _lines(progress: BulkProgress) -> list[str]:
    total = format_size(progress.bytes_total)
    sent = f"{format_size(min(progress.bytes_sent, progress.bytes_total))} of {total} sent"
    if progress.bytes_per_second:
        sent += f", {format_size(progress.bytes_per_second)}/s"
    limits = f"up to {progress.calls_per_minute:,} calls a minute"
    if progress.cap_cents is not None:
        limits += f", {progress.cap_cents:,} cents a day"
        limits += f" at {progress.cents_per_file:,} a file" if progress.cents_per_file is not None else ""
    return [sent, limits, *filter(None, [_describe_time(progress)])]


def _describe_time(progress: BulkProgress) -> str:
    """Say how long it will take, and why; nothing if the run is over."""
    if progress.waiting_until is not None:
        wait = progress.waiting_until - datetime.now(UTC)
        is_soon = wait <= timedelta(days=1)
        moment = (
            format_moment(progress.waiting_until, "%H:%M UTC")
            if is_soon
            else format_moment(progress.waiting_until)
        )
        duration = format_long_duration(max(0.0, wait.total_seconds()))
        return f"waiting for {moment} ({duration}), when the spend cap is reset"
    if progress.seconds_left is not None:
        about = "about " if progress.seconds_left >= 60 else ""
        return (
            f"{about}{format_long_duration(progress.seconds_left)} left, limited by the {progress.limited_by}"
        )
    jobs = progress.states.get("submitted", 0)
    return f"waiting for {jobs:,} job{'s' * (jobs != 1)} to end" if jobs else ""


def _errors(progress: BulkProgress) -> list[str]:
    """Return the latest errors, each with the name of its file, without the folders."""
    return [_shorten_error(error) for error in progress.last_errors]


def _shorten_error(error: str) -> str:
    name, colon, reason = _FOLDERS.sub("", error).partition(": ")
    return shorten(f"{shorten(name, MAX_NAME)}{colon}{reason}", MAX_ERROR)
