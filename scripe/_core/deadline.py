"""How long a whole call may still take, waits and retries and all its steps included."""

from __future__ import annotations

from dataclasses import dataclass

MIN_TIMEOUT = 0.001


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock, and the seconds that it allowed; None is for ever."""

    at: float | None = None
    seconds: float | None = None

    @classmethod
    def after(cls, seconds: float | None, now: float) -> Deadline:
        return cls() if seconds is None else cls(now + seconds, seconds)

    def earlier(self, other: Deadline) -> Deadline:
        """Return the deadline that comes first."""
        if self.at is None or other.at is None:
            return other if self.at is None else self
        return min(self, other, key=lambda deadline: deadline.at or 0.0)

    def remaining(self, now: float) -> float | None:
        return None if self.at is None else max(0.0, self.at - now)

    def has_passed(self, now: float) -> bool:
        return self.at is not None and now >= self.at

    def allows(self, wait: float, now: float) -> bool:
        """Whether there would be any time left after a wait of so many seconds."""
        return self.at is None or now + wait < self.at

    def __str__(self) -> str:
        return f"the total timeout of {self.seconds:g} s has passed"


NO_DEADLINE = Deadline()


def cap_timeout(timeout: float | None, remaining: float) -> float:
    """Return the timeout of one network operation, cut to what is left; never 0, which sockets take for no wait."""
    return max(MIN_TIMEOUT, remaining if timeout is None else min(timeout, remaining))
