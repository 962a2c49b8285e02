"""How much is allowed: calls in 60 seconds, and cents in a UTC day."""

import math
import threading
from collections import deque
from datetime import datetime, timedelta

from scripe._vocabulary import Plan, RateLimitBucket
from scripe.emulator.errors import ApiError
from scripe.emulator.settings import RateHeaders
from scripe.emulator.state import State

WINDOW = timedelta(seconds=60)
CAPS: dict[Plan, int] = {"SOLO": 500, "ADVANCED": 2_000, "BUSINESS": 5_000}


class RateLimiter:
    """A sliding log of calls for each workspace and bucket."""

    def __init__(self, limits: dict[RateLimitBucket, int], headers: RateHeaders) -> None:
        self._limits = limits
        self._headers = headers
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, RateLimitBucket], deque[datetime]] = {}

    def admit(self, workspace_id: str, bucket: RateLimitBucket, now: datetime) -> dict[str, str]:
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


class Spending:
    """What each workspace has spent of its daily cap."""

    def __init__(self, state: State) -> None:
        self._state = state

    def spent(self, workspace_id: str, day: str) -> int:
        """Cents spent on a UTC day, written ``YYYY-MM-DD``."""
        rows = self._state.execute(
            "SELECT cents FROM spending WHERE workspace_id = ? AND bucket_date = ?", (workspace_id, day)
        )
        return int(rows[0]["cents"]) if rows else 0

    def set_spent(self, workspace_id: str, day: str, cents: int) -> None:
        """Set the cents spent on a UTC day."""
        self._state.execute("INSERT OR REPLACE INTO spending VALUES (?, ?, ?)", (workspace_id, day, cents))

    def reserve(self, workspace_id: str, plan: Plan, day: str, estimate: int) -> None:
        """Take an estimate from the day's cap.

        Raises:
            ApiError: 402, it would go over the cap.

        """
        cap, spent = CAPS.get(plan), self.spent(workspace_id, day)
        if cap is not None and spent + estimate > cap:
            raise ApiError(
                "spend_cap_exceeded",
                f"The workspace's daily AI spend cap of {cap} cents is reached; it resets at 00:00 UTC.",
                meta={"bucketDate": day, "capCents": cap, "spentCents": spent, "estimateCents": estimate},
            )
        self.set_spent(workspace_id, day, spent + estimate)

    def refund(self, workspace_id: str, day: str, cents: int) -> None:
        """Give back what a job did not use."""
        self.set_spent(workspace_id, day, max(0, self.spent(workspace_id, day) - cents))
