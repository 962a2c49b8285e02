"""The end of a whole call: its waits, its retries and all its steps are included in `total_timeout`."""

from __future__ import annotations

from dataclasses import dataclass

MIN_TIMEOUT = 0.001
"""Shortest timeout of a network operation: sockets take 0 for "do not block at all"."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time on a monotonic clock, and the timeout that it came from; both None if there is no limit."""

    at: float | None = None
    seconds: float | None = None

    @classmethod
    def after(cls, seconds: float | None, now: float) -> Deadline:
        """Return the deadline that many seconds from now; one without a limit for None."""
        return cls() if seconds is None else cls(now + seconds, seconds)

    def earlier(self, other: Deadline) -> Deadline:
        """Return the one of two deadlines that comes first."""
        if self.at is None or other.at is None:
            return other if self.at is None else self
        return min(self, other, key=lambda deadline: deadline.at or 0.0)

    def remaining(self, now: float) -> float | None:
        """Return the seconds that are left; None if there is no limit."""
        return None if self.at is None else max(0.0, self.at - now)

    def has_passed(self, now: float) -> bool:
        """Return True if no time is left."""
        return self.at is not None and now >= self.at

    def allows(self, wait: float, now: float) -> bool:
        """Return True if time would be left after a wait of this many seconds."""
        return self.at is None or now + wait < self.at

    def __str__(self) -> str:
        return f"the total timeout of {self.seconds:g} s has passed"


NO_DEADLINE = Deadline()


def cap_timeout(timeout: float | None, remaining: float) -> float:
    """Return the timeout of one network operation, cut to the seconds that are left."""
    return max(MIN_TIMEOUT, remaining if timeout is None else min(timeout, remaining))
