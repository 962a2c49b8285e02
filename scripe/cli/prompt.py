"""Ask a person at the terminal while something else may make the question pointless.

A thread that waits in `input` cannot be stopped, and holds a lock of stdin that the interpreter wants at its exit. So
the terminal is polled, and the wait ends when the question is over.
"""

from __future__ import annotations

import os
import select
import sys
import threading

from .output import write_prompt

POLL_INTERVAL = 0.1
MAX_LINE = 65_536


class Prompt:
    """Asks one person, one question at a time. It writes to stderr, and reads stdin, which must be a terminal."""

    def __init__(self) -> None:
        self._is_over = threading.Event()
        self._asking = threading.Lock()
        self._is_answered = True

    def ask(self, text: str) -> str | None:
        """Return the line that was typed; None at the end of the input, or once `stop` was called."""
        with self._asking:
            if self._is_over.is_set():
                return None
            self._is_answered = False
            write_prompt(text)
            while not self._is_over.is_set():
                if _has_input(POLL_INTERVAL):
                    self._is_answered = True
                    return _read_line() or None
            return None

    def stop(self) -> bool:
        """End the question that `ask` waits with; return False if that is not possible."""
        self._is_over.set()
        has_stopped = self._asking.acquire(timeout=1)
        if not self._is_answered:
            write_prompt("\n")
            self._is_answered = True
        if has_stopped:
            self._asking.release()
        return has_stopped

    def confirm(self, text: str) -> bool:
        """Ask for yes or no; anything else than yes is a no."""
        if not self.stop():
            return False
        write_prompt(text)
        return _read_line().strip().lower() in ("y", "yes")


def is_at_terminal() -> bool:
    """Return whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def _read_line() -> str:
    return os.read(sys.stdin.fileno(), MAX_LINE).decode(errors="replace")


if sys.platform == "win32":

    def _has_input(seconds: float) -> bool:  # noqa: ARG001
        """Return True: a console cannot be polled. `os.read` blocks then, and holds no lock of Python meanwhile."""
        return True

else:

    def _has_input(seconds: float) -> bool:
        return bool(select.select([sys.stdin], [], [], seconds)[0])
