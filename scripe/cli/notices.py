"""A pause of the client, told on stderr: a command that stands still without a word looks as if it hung."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

from .output import note

LONG = 2.0
"""Seconds from which a pause is told."""


class _Told(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        seconds: object = getattr(record, "scripe_wait", 0)
        if isinstance(seconds, int | float) and seconds >= LONG:
            note(record.getMessage())


@contextmanager
def told(*, always: bool) -> Generator[None]:
    """Meanwhile tell long pauses, if a person looks on or asked for it, and the log is not printed anyway."""
    if os.environ.get("SCRIPE_LOG") or not (always or (sys.stderr is not None and sys.stderr.isatty())):  # pyright: ignore[reportUnnecessaryComparison]
        yield
        return
    logger, told = logging.getLogger("scripe"), _Told()
    level = logger.level
    logger.addHandler(told)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(told)
        logger.setLevel(level)
