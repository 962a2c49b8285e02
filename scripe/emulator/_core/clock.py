"""The emulator's time: real, or frozen, and in both cases movable forward."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

# Tests freeze `time.monotonic`, as freezegun does, and set it some fifty years ahead. The system's own clock goes on.
# (On Windows it is wrapped, since freezegun replaces `time.monotonic` wherever it finds it.)
real_seconds: Final[Callable[[], float]] = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else partial(time.monotonic)
)
LAST: Final[datetime] = datetime(9000, 1, 1, tzinfo=UTC)


class Clock:
    """Tells the emulator what time it is.

    Args:
        start: an aware datetime to begin at; the system's time unless given.
        frozen: stand still between calls of `advance`.

    Attributes:
        frozen: whether it stands still.

    Raises:
        ValueError: `start` has no time zone, or lies after the year 8999.

    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start must be an aware datetime")
        if start is not None and start >= LAST:
            raise ValueError("start must lie before the year 9000")
        self._lock = threading.Lock()
        self.frozen = frozen
        self._offset = timedelta()
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._began = real_seconds()

    def now(self) -> datetime:
        """The present moment as an aware UTC datetime."""
        with self._lock:
            return self._now()

    def milliseconds(self) -> int:
        """The present moment as whole milliseconds since 1970."""
        return milliseconds(self.now())

    def advance(self, seconds: float | timedelta) -> None:
        """Move time forward.

        Raises:
            ValueError: the step is negative, since expiry and order rest on time that never turns back; or it
                leads past the year 8999.

        """
        step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        if step < timedelta():
            raise ValueError("time moves forward only")
        with self._lock:
            if step > LAST - self._now():
                raise ValueError("the emulator's time ends with the year 8999")
            self._offset += step

    def _now(self) -> datetime:
        elapsed = 0.0 if self.frozen else real_seconds() - self._began
        return self._start + self._offset + timedelta(seconds=elapsed)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    """An aware datetime as whole milliseconds since 1970, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def timestamp(moment: int) -> str:
    """Milliseconds since 1970 in the API's form, ``2026-05-15T08:21:00.000Z``."""
    return iso(EPOCH + timedelta(milliseconds=moment))


def iso(moment: datetime) -> str:
    """An aware UTC datetime in the API's form, ``2026-05-15T08:21:00.000Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
