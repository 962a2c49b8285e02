"""Run a process at a terminal, as a person would: 80 columns wide by default, with typed input."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence

PATIENCE = 60
PROGRAM = (sys.executable, "-m", "scripe")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def _at_a_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # what runs in a shell's background ignores it, and its children do


class Terminal:
    """A program at a terminal; `read_until` and `read_all` return the screen."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], width: int = 80) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        self._process = subprocess.Popen(
            [*PROGRAM, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"TERM": "xterm-256color", **environment},
            start_new_session=True,
            preexec_fn=_at_a_terminal,
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def read_until(self, text: str) -> None:
        while text not in self.seen and self._read():
            pass
        assert text in self.seen, self.seen

    def read_all(self) -> tuple[int, str]:
        """Return the exit code and the whole output, colours included."""
        while self._read():
            pass
        return self._process.wait(), self.seen.replace("\r\n", "\n")

    def _read(self) -> bool:
        chunk = b""
        is_there, _, _ = select.select([self._ours], [], [], PATIENCE)
        assert is_there, f"nothing more was seen for {PATIENCE} seconds: {self.seen}"
        with contextlib.suppress(OSError):  # the other side was closed
            chunk = os.read(self._ours, 65536)
        self.seen += chunk.decode()
        return bool(chunk)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


def seen_by_a_person(
    words: Sequence[str], environment: Mapping[str, str], width: int = 80, *, typed: str = ""
) -> tuple[int, str]:
    """Run a program to its end; return its exit code and output."""
    with Terminal(words, environment, width) as terminal:
        terminal.type(typed)
        return terminal.read_all()


def without_colours(text: str) -> str:
    return _COLOURS.sub("", text)
