"""Bars on a terminal, by rich, on standard error.

What goes to standard output stays there, unless that is the terminal too: then it is written above the bars. There is
one board for all work of a process, since a terminal has room for one live display.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TextIO, cast

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from ._format import environment_for_rich
from .display.work import Line, Work

WIDTH = 30


class Board:
    """What is under way, redrawn a few times a second; what has ended is left above it."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew, with nothing under way."""
        self._lock = threading.Lock()
        self._shown: list[Work] = []
        self._live: Live | None = None
        self._streams = (sys.stdout, sys.stderr)

    @property
    def is_shown(self) -> bool:
        """Whether anything is under way."""
        return self._live is not None

    def add(self, work: Work) -> None:
        with self._lock:
            if self._live is None:
                self._streams = (sys.stdout, sys.stderr)
                self._live = _started(_live(self))
            self._shown.append(work)

    def remove(self, work: Work) -> None:
        with self._lock:
            if self._live is None:  # of the process that this one was forked from
                return
            self._shown.remove(work)
            if not work.is_void:
                self._live.console.print(*_parts(work), sep="\n")
            if not self._shown:
                live, self._live = self._live, None
                live.stop()

    def forked(self) -> None:
        """In a child process: what its parent shows goes on there, in a thread that the child has not."""
        if self._live is not None:
            sys.stdout, sys.stderr = self._streams
        self.clear()

    def __rich__(self) -> Group:
        return Group(*(part for work in [*self._shown] for part in _parts(work)))


def _started(live: Live) -> Live:
    try:
        live.start()
    except BaseException:
        with suppress(Exception):
            live.stop()
        raise
    return live


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


class _SteadyConsole(Console):
    """Never hide the cursor: what ends a process at once (SIGTERM, SIGKILL, Ctrl-Z) would leave it hidden."""

    def show_cursor(self, show: bool = True) -> bool:  # noqa: FBT001, FBT002, ARG002 - rich's own signature
        """Show it, whatever was asked."""
        return super().show_cursor(True)


def _live(board: Board) -> Live:
    console = _SteadyConsole(
        file=cast("IO[str]", _Forgiving(sys.stderr)), force_terminal=True, _environ=environment_for_rich()
    )
    is_seen = sys.stdout is not None and sys.stdout.isatty()  # pyright: ignore[reportUnnecessaryComparison]
    return Live(
        board,
        console=console,
        refresh_per_second=8,
        transient=True,
        redirect_stdout=is_seen,
        redirect_stderr=True,
    )


class _Forgiving:
    """Standard error, which may go away while work goes on: then there is nothing to see, and nothing to say."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text.encode(self.encoding, "replace").decode(self.encoding))

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


board: Board = Board()
_at_fork: Callable[..., object] = getattr(os, "register_at_fork", dict)  # Windows has none, and needs none
_at_fork(after_in_child=board.forked)


class TerminalDisplay:
    """On the board, which redraws itself."""

    def __init__(self, work: Work) -> None:
        self._work = work
        board.add(work)

    def draw(self) -> None:
        """Nothing: the board does."""

    def close(self) -> None:
        board.remove(self._work)
