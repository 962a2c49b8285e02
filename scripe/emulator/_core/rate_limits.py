"""Limit how many calls a workspace makes in 60 seconds: a sliding window for each bucket, or one for all calls."""

import math
import threading
from collections import deque
from datetime import datetime, timedelta

from ..._vocabulary import RateLimitBucket
from .errors import ApiError
from .settings import Settings

SHARED = "shared"


class RateLimiter:
    """The times of the calls of each workspace and bucket."""

    def __init__(self, settings: Settings) -> None:
        self._limits: dict[str, int] = {
            "read": settings.read_limit,
            "write": settings.write_limit,
            "upload": settings.upload_limit,
            "generation": settings.generation_limit,
        }
        if settings.shared_limit is not None:
            self._limits = {SHARED: settings.shared_limit}
        self._window = timedelta(seconds=settings.rate_window)
        self._headers = settings.rate_headers
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, str], deque[datetime]] = {}

    def count(self, workspace_id: str, bucket: RateLimitBucket, now: datetime) -> dict[str, str]:
        """Count a call and return the header fields of its response, or raise a 429, which does not count."""
        counted = SHARED if SHARED in self._limits else bucket
        limit = self._limits[counted]
        with self._lock:
            calls = self._calls.setdefault((workspace_id, counted), deque())
            while calls and calls[0] + self._window <= now:
                calls.popleft()
            is_allowed = len(calls) < limit
            if is_allowed:
                calls.append(now)
            reset = calls[0] + self._window - now if calls else self._window
            headers = {
                "X-RateLimit-Limit": str(limit),
                "X-RateLimit-Remaining": str(limit - len(calls)),
                "X-RateLimit-Reset": str(math.ceil(reset.total_seconds())),
            }
        if not is_allowed:
            headers["Retry-After"] = headers["X-RateLimit-Reset"]
            seconds = self._window.total_seconds()
            message = f"More than {limit} calls of the {counted} bucket in {seconds:g} seconds."
            raise ApiError("rate_limited", message, headers=headers)
        return headers if self._headers == "always" else {}

    def usage(self, workspace_id: str, now: datetime) -> dict[str, tuple[int, int]]:
        """Return for each bucket the calls in the window, and the limit."""
        with self._lock:
            return {
                bucket: (
                    sum(at + self._window > now for at in self._calls.get((workspace_id, bucket), ())),
                    limit,
                )
                for bucket, limit in self._limits.items()
            }
