"""Sizes, durations and moments as people read them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Literal, TypeAlias

Tone: TypeAlias = Literal["good", "bad", "waiting"]
_STATUSES: dict[Tone, str] = {
    "good": "done completed success active approved published ok",
    "bad": "failed cancelled canceled rejected error unhealthy",
    "waiting": "queued running processing waitingprocessing waitingapproval scheduled paused degraded",
}
_TONES: dict[str, Tone] = {
    status: tone for tone, statuses in _STATUSES.items() for status in statuses.split()
}


_SIZES = ("COLUMNS", "LINES")


def environment_for_rich() -> dict[str, str]:
    """Return the environment without a `COLUMNS` or `LINES` that is not a size.

    rich takes 0 at its word and shows nothing, and fails at "²". Without them it asks the terminal; where that does not
    know, it assumes 80 columns.
    """
    return {name: text for name, text in os.environ.items() if name not in _SIZES or _is_size(text)}


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= len(text.lstrip("0")) <= 5


def size(count: float) -> str:
    """Bytes: `812 B`, `1.2 kB`, `45.0 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def duration(seconds: float) -> str:
    """Seconds as `0:07`, `12:34` or `1:02:03`."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def moment(instant: datetime) -> str:
    """A moment to the minute, in UTC."""
    try:
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except OverflowError:  # at the ends of the calendar there is a zone too few
        return str(instant)


def tone(status: str) -> Tone | None:
    """Whether a status is good or bad news, or none yet."""
    return _TONES.get(status.lower())


def one_line(text: str, longest: int) -> str:
    """Text that comes from elsewhere, in one line and without what a terminal would obey."""
    shown = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
