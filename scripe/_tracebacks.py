"""Show errors in IPython from the caller's code on, without the frames of this library.

The error's message says what these frames would say. They stay in the traceback, and outside of IPython nothing is
left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from IPython.core.getipython import get_ipython

PACKAGE = __name__.partition(".")[0]
# Packages that this library calls. Frames of theirs are left out below its own, and kept elsewhere.
DEPENDENCIES = (
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "h11",
    "anyio",
    "httpx_aiohttp",
    "aiohttp",
    "tenacity",
)


def format_traceback(error: BaseException) -> list[str]:
    """Return the lines that IPython shows of an error that a cell raised."""
    frames = list(_frames(error.__traceback__))
    callers = list(_caller_frames(frames))
    shell: Any = get_ipython()  # never None: only a shell asks for these lines
    lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, _chain(callers))
    hidden = len(frames) - len(callers)
    note = f"Frames of {PACKAGE} that are hidden: {hidden}; sys.last_traceback has them."
    return [*lines, note] if hidden else lines


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _caller_frames(frames: list[TracebackType]) -> Iterator[TracebackType]:
    is_hidden = False
    for frame in frames:
        package = str(frame.tb_frame.f_globals.get("__name__")).partition(".")[0]
        is_hidden = package == PACKAGE or (is_hidden and package in DEPENDENCIES)
        if not is_hidden:
            yield frame


def _chain(frames: list[TracebackType]) -> TracebackType | None:
    chain: TracebackType | None = None
    for frame in reversed(frames):
        chain = TracebackType(chain, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return chain
