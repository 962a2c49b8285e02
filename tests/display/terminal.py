"""Replace standard error by a terminal that keeps its text."""

from __future__ import annotations

import io
import sys

import pytest


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return not super().isatty()  # which refuses a closed one

    @property
    def text(self) -> str:
        return self.getvalue()


class BrokenTerminal(Terminal):
    """A terminal that fails as soon as it is written to."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "gone")

    def flush(self) -> None:
        raise BrokenPipeError(32, "gone")


def watched(monkeypatch: pytest.MonkeyPatch, terminal: Terminal | None = None) -> Terminal:
    """Make standard error a terminal. (Not a fixture: pytest sets the stream before each phase.)"""
    stream = terminal or Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", stream)
    return stream
