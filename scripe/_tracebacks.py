"""Errors of ours as IPython shows them: where the caller's code went wrong, without the frames in which we noticed.

What these would say is in the error's message. They stay in the traceback itself, and outside of IPython nothing is
left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, cast

from IPython.core.getipython import get_ipython

OURS = __name__.partition(".")[0]
ENGINES = ("httpx", "httpx2", "httpcore", "httpcore2", "h11", "anyio", "httpx_aiohttp", "aiohttp", "tenacity")
"""Whom we call, and who may call a callback of the caller's."""


class _Formatter(Protocol):
    def structured_traceback(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None, /
    ) -> list[str]: ...


class _Shell(Protocol):
    InteractiveTB: _Formatter


def lines_of(error: BaseException) -> list[str]:
    """The lines that IPython shows of an error that was raised in a cell."""
    frames = list(_frames(error.__traceback__))
    theirs = list(_theirs(frames))
    shell = cast("_Shell", get_ipython())  # which is there, since it asks for them
    lines = shell.InteractiveTB.structured_traceback(type(error), error, _chained(theirs))
    left_out = len(frames) - len(theirs)
    note = f"Frames of {OURS} that are left out: {left_out}; sys.last_traceback has them."
    return [*lines, note] if left_out else lines


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _theirs(frames: list[TracebackType]) -> Iterator[TracebackType]:
    """The caller's frames: those of an engine are left out with ours, below which they stand."""
    is_below_ours = False
    for each in frames:
        package = str(each.tb_frame.f_globals.get("__name__")).partition(".")[0]
        is_below_ours = package == OURS or (is_below_ours and package in ENGINES)
        if not is_below_ours:
            yield each


def _chained(frames: list[TracebackType]) -> TracebackType | None:
    chain: TracebackType | None = None
    for each in reversed(frames):
        chain = TracebackType(chain, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return chain
