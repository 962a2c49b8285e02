"""Print on stderr what happens while a command runs: long waits of the client, deprecations of the API.

A command that waits for minutes without a line looks as if it hung.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import ScripeDeprecationWarning
from .output import write_stderr

if TYPE_CHECKING:
    from .options import Options

MIN_WAIT = 2.0  # seconds; shorter waits are not printed


class _WaitHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        seconds: object = getattr(record, "scripe_wait", 0)
        if isinstance(seconds, int | float) and seconds >= MIN_WAIT:
            write_stderr(record.getMessage())


@contextmanager
def print_waits(options: Options) -> Generator[None]:
    """Print long waits inside the block, at a terminal or with `--verbose`, unless `SCRIPE_LOG` prints them already."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()  # pyright: ignore[reportUnnecessaryComparison]
    if os.environ.get("SCRIPE_LOG") or not (options.verbose or is_terminal):
        yield
        return
    logger, handler = logging.getLogger("scripe"), _WaitHandler()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def print_deprecations(options: Options) -> Generator[None]:
    """Print each deprecation of the API inside the block as one line, without a place in our code."""

    def print_warning(message: Warning | str, *_: object, **__: object) -> None:
        if not options.json:
            write_stderr(f"note: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", ScripeDeprecationWarning)
        warnings.showwarning = print_warning
        yield
