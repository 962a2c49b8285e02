"""When to look at a job again.

| Job | Looked at |
|---|---|
| any | every second |
| `KB_INGEST_*`, `SOURCE_INGEST_FILE` | every 5 seconds once 30 seconds of waiting have passed |

All polling of a client together takes at most half of the known budget of reads: looks are spaced so, whoever waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from .rate_limit import READ_LIMIT, WINDOW

POLL_INTERVAL = 1.0
SLOW_POLL_INTERVAL = 5.0
SLOW_AFTER = 30.0
POLLING_SHARE_OF_RATE_LIMIT = 0.5
"""Part of the budget of reads that polling may take."""


def poll_interval(types: Iterable[str], waited: float) -> float:
    """Seconds until the next look at jobs of these types, after so many seconds of waiting."""
    if waited < SLOW_AFTER:
        return POLL_INTERVAL
    return SLOW_POLL_INTERVAL if all(_is_slow(job_type) for job_type in types) else POLL_INTERVAL


def _is_slow(job_type: str) -> bool:
    return job_type.startswith("KB_INGEST_") or job_type == "SOURCE_INGEST_FILE"


class PollThrottle:
    """Spaces the looks of all waits of a client; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_at = 0.0

    def reserve(self, now: float, limit: int | None) -> float:
        """Take the next place in the line: seconds until it comes."""
        with self._lock:
            at = max(now, self._next_at)
            self._next_at = at + _seconds_between_polls(limit)
            return at - now

    def cancel(self, limit: int | None) -> None:
        """Leave the line: a wait that was given up must not hold up those that come after it."""
        with self._lock:
            self._next_at -= _seconds_between_polls(limit)


def _seconds_between_polls(limit: int | None) -> float:
    return WINDOW / max(1, int(POLLING_SHARE_OF_RATE_LIMIT * (limit or READ_LIMIT)))
