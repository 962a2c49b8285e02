"""What a piece of long work shows: a line for each of its stages, told by `Progress` or by jobs. No output here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from .._format import duration, one_line, size
from ..types.job import Job
from ..types.progress import Progress, Stage

Refresh: TypeAlias = Callable[[], None]
"""Draws work anew."""


class Display(Protocol):
    """Where work is shown, from when it is made until it is closed."""

    def draw(self) -> None:
        """Draw it as it is now."""
        ...

    def close(self) -> None:
        """Draw it a last time."""
        ...


SHORT = 0.5  # seconds; what is over sooner has no rate worth telling
FIRST = "Working"  # until the first stage is told of
LABELS: dict[Stage, str] = {"uploading": "Upload", "queued": "Queue", "running": "Processing"}


@dataclass(slots=True)
class Line:
    """One stage.

    Attributes:
        label: What it is called.
        started: When it began, by the clock of the work.
        fraction: How much is done, from 0 to 1; None where nobody knows.
        detail: What else there is to say.
        ended: When it ended; None while it goes on.
        went_well: False once the work ended here with an error.

    """

    label: str
    started: float
    fraction: float | None = None
    detail: str = ""
    ended: float | None = None
    went_well: bool = True


class Work:
    """A title and its stages, the last of which goes on until `end`."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.title: str = one_line(title, 60)
        self.lines: list[Line] = [Line(FIRST, clock())]
        self._clock = clock

    @property
    def is_void(self) -> bool:
        """Whether it went wrong before its first stage: an error says all there is to say."""
        first = self.lines[0]
        return first.label == FIRST and not first.went_well

    def see(self, progress: Progress) -> None:
        """Take in how far it is."""
        if progress.stage == "done":
            return  # the stage that leads there has ended: `end` says so
        line = self._stage(LABELS[progress.stage])
        if progress.stage == "uploading":
            if line.fraction is not None and (progress.fraction or 0.0) < line.fraction:
                line.started = self._clock()  # it is sent anew
            line.detail = _rate(progress, self._clock() - line.started)
        else:
            line.detail = one_line(progress.message or "", 60)
        line.fraction = progress.fraction

    def count(self, jobs: Sequence[Job], total: int) -> None:
        """Take in how many jobs of so many there are to be have ended."""
        ended = [job for job in jobs if job.is_finished]
        failed = sum(not job.is_succeeded for job in ended)
        line = self._stage("Jobs")
        line.fraction = len(ended) / total if total else None
        line.detail = f"{len(ended):,} of {total:,}" + (f", {failed:,} not well" if failed else "")

    def end(self, *, well: bool) -> None:
        """It is over; what it went through well is full."""
        self._close(well=well)

    def elapsed(self, line: Line) -> str:
        """How long a stage took, or has taken."""
        return duration((self._clock() if line.ended is None else line.ended) - line.started)

    def _stage(self, label: str) -> Line:
        if self.lines[-1].label == label:
            return self.lines[-1]
        if self.lines[0].label == FIRST:
            self.lines = []  # what came before the first stage is of no interest any more
        else:
            self._close(well=True)
        self.lines = [*(line for line in self.lines if line.label != label), Line(label, self._clock())]
        return self.lines[-1]

    def _close(self, *, well: bool) -> None:
        last = self.lines[-1]
        last.ended, last.went_well = self._clock(), well
        if well:
            last.fraction = 1.0
        if well and last.label == LABELS["running"]:
            last.detail = ""  # what it was doing is over


def _rate(progress: Progress, seconds: float) -> str:
    sent = f"{size(progress.bytes_sent)} of {size(progress.bytes_total)}"
    return f"{sent}, {size(progress.bytes_sent / seconds)}/s" if seconds >= SHORT else sent
