"""Decide when to poll a job again.

| Job | Polled |
|---|---|
| any | every second |
| `KB_INGEST_*`, `SOURCE_INGEST_FILE` | every 5 seconds, after 30 seconds of waiting |

All waits of a client share one throttle, which gives them at most half of the rate limit for reads. Without it, three
waits in three threads would poll 180 times a minute, more than the limit of 120, and every other read of the client
would wait for the rate limit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from .rate_limit import READ_LIMIT, WINDOW

POLL_INTERVAL = 1.0
SLOW_POLL_INTERVAL = 5.0
SLOW_AFTER = 30.0
POLLING_SHARE_OF_RATE_LIMIT = 0.5
"""Part of the rate limit for reads that polling may use."""


def poll_interval(types: Iterable[str], waited: float) -> float:
    """Return the seconds until the next poll of jobs of these types, after a number of seconds of waiting."""
    if waited < SLOW_AFTER:
        return POLL_INTERVAL
    is_slow = all(job_type.startswith("KB_INGEST_") or job_type == "SOURCE_INGEST_FILE" for job_type in types)
    return SLOW_POLL_INTERVAL if is_slow else POLL_INTERVAL


class PollThrottle:
    """Spaces the polls of all waits of a client; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_at = 0.0

    def reserve(self, now: float, limit: int | None) -> float:
        """Reserve the next poll; return the seconds to wait before it."""
        with self._lock:
            at = max(now, self._next_at)
            self._next_at = at + _seconds_between_polls(limit)
            return at - now

    def cancel(self, limit: int | None) -> None:
        """Give a reserved poll back: a wait that was given up must not delay those after it."""
        with self._lock:
            self._next_at -= _seconds_between_polls(limit)


def _seconds_between_polls(limit: int | None) -> float:
    return WINDOW / max(1, int(POLLING_SHARE_OF_RATE_LIMIT * (limit or READ_LIMIT)))
