"""Bars in a notebook: plain HTML that is replaced as work goes on, so that no widgets are needed, and it keeps."""

from __future__ import annotations

import time
from typing import Protocol, cast

from IPython.display import DisplayHandle  # pyright: ignore[reportUnknownVariableType] - it has few types

from .html import IGNORED_BY_MATHJAX, joined, meter, tag
from .work import Line, Work

SECONDS_BETWEEN = 0.1
"""How often the browser is told, at most."""


class _Handle(Protocol):
    def display(self, shown: object) -> None: ...
    def update(self, shown: object) -> None: ...


class Bars:
    """What is shown: HTML, and a line of text where there is none."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def _repr_html_(self) -> str:
        if self._work.is_void:
            return ""
        lines = tag("table", joined(_line(self._work, line) for line in [*self._work.lines]), "margin:0")
        return tag("div", joined([tag("strong", self._work.title), lines]), **IGNORED_BY_MATHJAX)

    def __repr__(self) -> str:
        last = self._work.lines[-1]
        return f"{self._work.title}: {last.label} {last.detail}".rstrip()


def _line(work: Work, line: Line) -> str:
    mark = "…" if line.ended is None else "✓" if line.went_well else "✗"
    cells = [f"{mark} {line.label}", meter(line.fraction), work.elapsed(line), line.detail]
    style = "text-align:left;border:0;padding:1px 12px 1px 0;background:transparent;white-space:nowrap"
    return tag("tr", joined(tag("td", cell, style) for cell in cells), "background:transparent")


class NotebookDisplay:
    """Below the cell that runs, from here on."""

    def __init__(self, work: Work) -> None:
        self._bars = Bars(work)
        self._handle = cast("_Handle", DisplayHandle())  # type: ignore[no-untyped-call]
        self._handle.display(self._bars)
        self._last = time.monotonic()

    def draw(self) -> None:
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN:
            self._last = now
            self._handle.update(self._bars)

    def close(self) -> None:
        self._handle.update(self._bars)
