"""Limit how many calls a workspace makes in 60 seconds."""

import math
import threading
from collections import deque
from datetime import datetime, timedelta

from scripe._vocabulary import RateLimitBucket

from .errors import ApiError
from .settings import RateHeaders

WINDOW = timedelta(seconds=60)


class RateLimiter:
    """A sliding log of calls for each workspace and bucket."""

    def __init__(self, limits: dict[RateLimitBucket, int], headers: RateHeaders) -> None:
        self._limits = limits
        self._headers = headers
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, RateLimitBucket], deque[datetime]] = {}

    def count(self, workspace_id: str, bucket: RateLimitBucket, now: datetime) -> dict[str, str]:
        """Count a call and return the headers of its answer.

        Raises:
            ApiError: 429, the bucket is full; the refused call does not count.

        """
        limit = self._limits[bucket]
        with self._lock:
            calls = self._calls.setdefault((workspace_id, bucket), deque())
            while calls and calls[0] + WINDOW <= now:
                calls.popleft()
            allowed = len(calls) < limit
            if allowed:
                calls.append(now)
            headers = _headers(limit, calls, now)
        if not allowed:
            raise _refusal(bucket, headers)
        return headers if self._headers == "always" else {}

    def usage(self, workspace_id: str, now: datetime) -> dict[RateLimitBucket, tuple[int, int]]:
        """For each bucket the calls that count at this moment, and its limit; nothing is counted by asking."""
        with self._lock:
            return {
                bucket: (sum(at + WINDOW > now for at in self._calls.get((workspace_id, bucket), ())), limit)
                for bucket, limit in self._limits.items()
            }


def _headers(limit: int, calls: deque[datetime], now: datetime) -> dict[str, str]:
    leaves = calls[0] + WINDOW - now if calls else WINDOW
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(limit - len(calls)),
        "X-RateLimit-Reset": str(math.ceil(leaves.total_seconds())),
    }


def _refusal(bucket: RateLimitBucket, headers: dict[str, str]) -> ApiError:
    headers["Retry-After"] = headers["X-RateLimit-Reset"]
    message = f"More than {headers['X-RateLimit-Limit']} calls of the {bucket} bucket in 60 seconds."
    return ApiError("rate_limited", message, headers=headers)
