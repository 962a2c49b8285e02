"""The emulator's time: real or frozen, and movable forward."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from .dates import to_milliseconds

# freezegun freezes `time.monotonic` and moves it some fifty years ahead. The clock of the system goes on, and a server
# must not stop with the test's time. (On Windows `time.monotonic` is wrapped: freezegun replaces every reference.)
real_seconds: Final[Callable[[], float]] = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else partial(time.monotonic)
)
LAST: Final[datetime] = datetime(9000, 1, 1, tzinfo=UTC)


class Clock:
    """The time that an emulator goes by.

    Args:
        start: An aware datetime to start at; the system's time unless given.
        frozen: Whether it moves only by `advance`.

    Attributes:
        frozen: Whether it moves only by `advance`.

    Raises:
        ValueError: `start` has no time zone, or lies after the year 8999.

    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start has no time zone; give an aware datetime")
        if start is not None and start >= LAST:
            raise ValueError("start lies after the year 8999; give an earlier time")
        self._lock = threading.Lock()
        self.frozen = frozen
        self._offset = timedelta()
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._started = real_seconds()

    def now(self) -> datetime:
        """Return the present time as an aware UTC datetime."""
        with self._lock:
            return self._now()

    def milliseconds(self) -> int:
        """Return the present time as whole milliseconds since 1970."""
        return to_milliseconds(self.now())

    def advance(self, seconds: float | timedelta) -> None:
        """Move time forward.

        Raises:
            ValueError: The step is negative, since expiry and order need a time that never goes back; or it leads past
                the year 8999.

        """
        step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        if step < timedelta():
            raise ValueError("the step is negative; time only moves forward")
        with self._lock:
            if step > LAST - self._now():
                raise ValueError("the emulator's time ends with the year 8999")
            self._offset += step

    def _now(self) -> datetime:
        elapsed = 0.0 if self.frozen else real_seconds() - self._started
        return self._start + self._offset + timedelta(seconds=elapsed)
