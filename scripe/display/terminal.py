"""Bars on a terminal, by rich, on standard error: standard output stays the program's own.

There is one board for all work of a process, since a terminal has room for one live display.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from .work import Line, Refresh, Work

WIDTH = 30


class _Board:
    """What is under way, redrawn a few times a second until the last of it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: list[Work] = []
        self._under_way = 0
        self._live: Live | None = None

    def add(self, work: Work) -> None:
        with self._lock:
            self._under_way += 1
            self._shown.append(work)
            if self._live is None:
                self._live = _live(self)
                self._live.start()

    def remove(self) -> None:
        with self._lock:
            self._under_way -= 1
            if self._live is not None and not self._under_way:
                live, self._live = self._live, None
                live.stop()
                self._shown = []

    def __rich__(self) -> Group:
        return Group(*(part for work in self._shown for part in _parts(work)))


def _parts(work: Work) -> tuple[Text, Table]:
    table = Table.grid(Column(min_width=12), "", "", "", padding=(0, 1))
    for line in [*work.lines]:
        table.add_row(*_cells(work, line))
    return Text(work.title, style="bold"), table


def _cells(work: Work, line: Line) -> tuple[Text, ProgressBar, Text, Text]:
    is_over = line.ended is not None
    style = "bar.complete" if line.went_well else "red"
    bar = ProgressBar(
        1.0,
        line.fraction or 0.0,
        WIDTH,
        pulse=line.fraction is None and not is_over,
        complete_style=style,
        finished_style="bar.finished" if is_over else style,
    )
    mark = " " if not is_over else "✓" if line.went_well else "✗"
    return Text(f"{mark} {line.label}"), bar, Text(work.elapsed(line)), Text(line.detail, overflow="ellipsis")


def _live(board: _Board) -> Live:
    console = Console(file=_Forgiving(sys.stderr), force_terminal=True)  # type: ignore[arg-type]
    is_seen = sys.stdout is not None and sys.stdout.isatty()  # pyright: ignore[reportUnnecessaryComparison]
    return Live(board, console=console, refresh_per_second=8, redirect_stdout=is_seen, redirect_stderr=True)


class _Forgiving:
    """Standard error, which may go away while work goes on: then there is nothing to see, and nothing to say."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


_board = _Board()


@contextmanager
def shown(work: Work) -> Generator[Refresh]:
    """Show work while the block runs; the board redraws itself."""
    _board.add(work)
    try:
        yield lambda: None
    finally:
        _board.remove()
