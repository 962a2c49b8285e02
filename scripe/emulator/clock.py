"""The emulator's time: real, or frozen, and in both cases movable forward."""

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the emulator what time it is.

    Args:
        start: an aware datetime to begin at; the system's time unless given.
        frozen: stand still between calls of `advance`.

    Attributes:
        frozen: whether it stands still.

    Raises:
        ValueError: `start` has no time zone.

    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start must be an aware datetime")
        self._lock = threading.Lock()
        self.frozen = frozen
        self._offset = timedelta()
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The present moment as an aware UTC datetime."""
        with self._lock:
            return self._start + self._offset + self._elapsed()

    def milliseconds(self) -> int:
        """The present moment as whole milliseconds since 1970."""
        return milliseconds(self.now())

    def advance(self, seconds: float | timedelta) -> None:
        """Move time forward.

        Raises:
            ValueError: the step is negative; expiry and order rest on time that never turns back.

        """
        step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        if step < timedelta():
            raise ValueError("time moves forward only")
        with self._lock:
            self._offset += step

    def _elapsed(self) -> timedelta:
        return timedelta() if self.frozen else timedelta(seconds=time.monotonic() - self._began)


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
