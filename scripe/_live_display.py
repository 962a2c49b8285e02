"""Draw live bars on standard error with rich: one display for all work of the process.

A terminal has room for one live display, so calls that run at the same time share this one. Text that the program
prints while it is shown, on stderr and on a stdout that is the terminal, appears above the bars.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live

from ._format import environment_for_rich


class LiveDisplay:
    """Redraw what is running a few times a second, and leave what has finished above it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all that is shown."""
        self._lock = threading.Lock()
        self._items: list[RenderableType] = []
        self._live: Live | None = None
        self._streams = (sys.stdout, sys.stderr)

    @property
    def is_active(self) -> bool:
        """Return whether anything is shown."""
        return self._live is not None

    def add(self, item: RenderableType) -> None:
        """Show an item, which is asked for its lines at each redraw."""
        with self._lock:
            if self._live is None:
                self._streams = (sys.stdout, sys.stderr)
                self._live = _start(_make_live(self))
            self._items.append(item)

    def remove(self, item: RenderableType, *, keep: bool) -> None:
        """Stop redrawing an item; with `keep` its last state stays above the others."""
        with self._lock:
            if self._live is None:  # the item was added before this process was forked
                return
            self._items.remove(item)
            if keep:
                self._live.console.print(item)
            if not self._items:
                live, self._live = self._live, None
                live.stop()

    def reset_after_fork(self) -> None:
        """Start empty in a child process: it does not have the thread that redraws, and the parent goes on drawing."""
        if self._live is not None:
            sys.stdout, sys.stderr = self._streams
        self.reset()

    def __rich__(self) -> Group:
        return Group(*self._items)


def _start(live: Live) -> Live:
    try:
        live.start()
    except BaseException:
        with suppress(Exception):
            live.stop()
        raise
    return live


class _VisibleCursorConsole(Console):
    """Never hide the cursor: a process that ends at once (SIGTERM, SIGKILL, Ctrl-Z) would leave it hidden."""

    def show_cursor(self, show: bool = True) -> bool:  # noqa: FBT001, FBT002, ARG002 - rich's own signature
        """Show it, even if asked to hide it."""
        return super().show_cursor(True)


def _make_live(display: LiveDisplay) -> Live:
    console = _VisibleCursorConsole(
        file=cast("IO[str]", _IgnoreErrors(sys.stderr)), force_terminal=True, _environ=environment_for_rich()
    )
    redirect_stdout = sys.stdout is not None and sys.stdout.isatty()  # pyright: ignore[reportUnnecessaryComparison]
    return Live(
        display,
        console=console,
        refresh_per_second=8,
        transient=True,
        redirect_stdout=redirect_stdout,
        redirect_stderr=True,
    )


class _IgnoreErrors:
    """Standard error, which may be closed while the work goes on: bars must not make a call fail."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text.encode(self.encoding, "replace").decode(self.encoding))

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


live_display: LiveDisplay = LiveDisplay()
_register_at_fork: Callable[..., object] = getattr(os, "register_at_fork", dict)  # Windows cannot fork
_register_at_fork(after_in_child=live_display.reset_after_fork)
