"""Format sizes, durations, moments and statuses for people; nothing here loads pydantic."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["good", "bad", "waiting"]
_STATUSES: dict[Severity, str] = {
    "good": "done completed success active approved published ok",
    "bad": "failed cancelled canceled rejected error unhealthy",
    "waiting": "queued running processing waitingprocessing waitingapproval scheduled paused degraded",
}
_SEVERITIES: dict[str, Severity] = {
    status: level for level, statuses in _STATUSES.items() for status in statuses.split()
}


def severity(status: str) -> Severity | None:
    """Classify a status as good, bad or waiting; None for an unknown one."""
    return _SEVERITIES.get(status.lower())


def environment_for_rich() -> dict[str, str]:
    """Return the environment without a `COLUMNS` or `LINES` that is not a size.

    rich shows nothing with 0 and fails with "²". Without them it asks the terminal, and if that does not know its size
    it assumes 80 columns.
    """
    return {
        name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES") or _is_size(text)
    }


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= len(text.lstrip("0")) <= 5


def format_size(count: float) -> str:
    """Format a number of bytes: `812 B`, `1.2 kB`, `45.0 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def format_duration(seconds: float) -> str:
    """Format seconds as `0:07`, `12:34` or `1:02:03`."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def format_long_duration(seconds: float) -> str:
    """Format seconds for a plan: `under 1 min`, `12 min`, `34 h 54 min`, `20 days`."""
    minutes = int(seconds / 60)
    if minutes < 1:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 100 else f"{round(hours / 24):,} days"


def format_moment(moment: datetime, pattern: str = "%Y-%m-%d %H:%M UTC") -> str:
    """Format a moment to the minute, in UTC."""
    try:
        return f"{moment.astimezone(UTC):{pattern}}"
    except OverflowError:  # year 1 or 9999: the moment in UTC is outside the calendar
        return str(moment)


def shorten(text: str, max_length: int) -> str:
    """Return text on one line, shortened, without characters that a terminal would obey."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= max_length else f"{line[: max_length - 1]}…"
