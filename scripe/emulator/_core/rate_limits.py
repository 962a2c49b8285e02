"""Limit how many calls a workspace makes in 60 seconds: a sliding window for each bucket."""

import math
import threading
from collections import deque
from datetime import datetime, timedelta

from ..._vocabulary import RateLimitBucket
from .errors import ApiError
from .settings import RateHeaders

WINDOW = timedelta(seconds=60)


class RateLimiter:
    """The times of the calls of each workspace and bucket."""

    def __init__(self, limits: dict[RateLimitBucket, int], headers: RateHeaders) -> None:
        self._limits = limits
        self._headers = headers
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, RateLimitBucket], deque[datetime]] = {}

    def count(self, workspace_id: str, bucket: RateLimitBucket, now: datetime) -> dict[str, str]:
        """Count a call and return the header fields of its response, or raise a 429, which does not count."""
        limit = self._limits[bucket]
        with self._lock:
            calls = self._calls.setdefault((workspace_id, bucket), deque())
            while calls and calls[0] + WINDOW <= now:
                calls.popleft()
            is_allowed = len(calls) < limit
            if is_allowed:
                calls.append(now)
            reset = calls[0] + WINDOW - now if calls else WINDOW
            headers = {
                "X-RateLimit-Limit": str(limit),
                "X-RateLimit-Remaining": str(limit - len(calls)),
                "X-RateLimit-Reset": str(math.ceil(reset.total_seconds())),
            }
        if not is_allowed:
            headers["Retry-After"] = headers["X-RateLimit-Reset"]
            message = f"More than {limit} calls of the {bucket} bucket in 60 seconds."
            raise ApiError("rate_limited", message, headers=headers)
        return headers if self._headers == "always" else {}

    def usage(self, workspace_id: str, now: datetime) -> dict[RateLimitBucket, tuple[int, int]]:
        """Return for each bucket the calls in the window, and the limit."""
        with self._lock:
            return {
                bucket: (sum(at + WINDOW > now for at in self._calls.get((workspace_id, bucket), ())), limit)
                for bucket, limit in self._limits.items()
            }
