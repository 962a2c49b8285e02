"""Decide when the next call may be sent, from the rate limit headers of earlier responses.

The API counts calls per workspace and bucket, in a sliding window of 60 seconds. A call over the limit gets a 429. If
many threads ran into it at once, each would collect its own 429s and use up its retries, though waiting was enough.
So a client counts too, and holds a call back until the API would accept it.

1. Headers decide where the API sends them. As many calls may be in flight as remain; the others wait for the reset.
2. After a reset, one call goes first (the probe). Its response says how many may follow. If all went at once, and other
   programs use the same limit, most of them would get a 429.
3. The others wait for the probe only 5 seconds: it may hang, and must not hold up the whole client.
4. The client's own calls of the window are counted as well. Responses overtake each other, so that an older one may
   report more than is left; and some servers send the headers only with a 429.
5. If the headers show that the window is shorter than 60 seconds, that count is ignored.

A call is in flight from `reserve` to `release`. One that never gets to `release`, because Ctrl-C ended it between two
bytecodes, is forgotten after its timeout. Otherwise it would take up a place forever.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from ..types.response_info import RateLimit
from .outcome import Outcome, RawResponse

WINDOW = 60.0
"""Length in seconds of the window in which the API counts."""

READ_LIMIT = 120
"""Reads in a window, as documented by the API; its headers count before this."""

_MIN_EPOCH = 1_000_000_000.0
_RECHECK_DELAY = 0.05  # seconds; a call in flight may have returned by then

MAX_PROBE_WAIT = 5.0
"""Seconds that other calls wait for the probe; one that takes longer is taken to hang."""


def parse_retry_after(raw: RawResponse) -> float | None:
    """Return the seconds of `Retry-After`, which states seconds or an HTTP date; None without a valid one."""
    text = raw.headers.get("retry-after")
    if text is None:
        return None
    seconds = _parse_number(text)
    if seconds is None and (date := _parse_http_date(text)) is not None:
        seconds = max(0.0, date - _server_time(raw))
    return seconds if seconds is not None and 0 <= seconds < math.inf else None


def parse_rate_limit(raw: RawResponse) -> RateLimit | None:
    """Return the rate limit that a response reports; None if it reports none.

    `X-RateLimit-Reset` may be seconds from now, or a time since 1970 in seconds or milliseconds: the size tells.
    """
    headers = raw.headers.lower_items
    limit = _parse_count(headers.get("x-ratelimit-limit"))
    remaining = _parse_count(headers.get("x-ratelimit-remaining"))
    reset = _parse_number(headers.get("x-ratelimit-reset"))
    if reset is not None and not -WINDOW <= reset < math.inf:
        reset = None
    if reset is not None and reset >= _MIN_EPOCH:
        reset = reset / (1000 if reset >= 1000 * _MIN_EPOCH else 1) - _server_time(raw)
    if reset is not None:
        reset = max(0.0, reset)  # a server that rounds can report a reset that has just passed
    return None if limit is remaining is reset is None else RateLimit(limit, remaining, reset)


def _server_time(raw: RawResponse) -> float:
    """Return the time of day on the server's clock, if the response states it: this machine's may be wrong."""
    server_time = _parse_http_date(raw.headers.get("date"))
    return raw.arrived if server_time is None else server_time


def _parse_http_date(text: str | None) -> float | None:
    try:
        if text is None:
            return None
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _parse_number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _parse_count(text: str | None) -> int | None:
    number = _parse_number(text)
    return int(number) if number is not None and 0 <= number < _MIN_EPOCH else None


class SentCall(NamedTuple):
    """The time at which a call was sent, and the time after which it cannot be in flight any more."""

    at: float
    expires_at: float


@dataclass(slots=True)
class _Bucket:
    """The state of one rate limit, as far as it is known."""

    limit: int | None = None
    remaining: int | None = None
    resets_at: float = 0.0
    reports_successes: bool = False  # headers come with successes too, not only with 429s
    has_shorter_window: bool = False  # than WINDOW: only headers decide then
    # The number of the call that goes first after a reset, and the time until which the others wait for it.
    probe: tuple[int, float] = (0, 0.0)
    sent: int = 0
    in_flight: dict[int, SentCall] = field(default_factory=dict[int, SentCall])
    ended_at: deque[float] = field(default_factory=deque[float])
    unexplained_429s: int = 0
    last_unexplained_429: int = 0  # number of the last call that was sent before it

    def forget_old_calls(self, now: float) -> None:
        """Forget the calls that ended more than a window ago, and those that cannot be in flight any more."""
        while self.ended_at and self.ended_at[0] + WINDOW <= now:
            self.ended_at.popleft()
        for call in [call for call, sent_call in self.in_flight.items() if sent_call.expires_at <= now]:
            del self.in_flight[call]

    def _spare(self, share: float) -> int:
        """Return how many calls of a window are left to others."""
        return 0 if self.limit is None or share == 1 else self.limit - max(1, int(share * self.limit))

    def wait(self, now: float, share: float) -> float:
        """Return the seconds until the next call may go; 0 if it may go now."""
        spare = self._spare(share)
        by_headers, by_own_count = self._wait_by_headers(now, spare), self._wait_by_own_count(now, spare)
        if (
            by_headers == 0
            and by_own_count > MAX_PROBE_WAIT
            and self.reports_successes
            and not self._has_room(spare)
        ):
            return 0.0  # the headers promise an earlier reset than our count: let a probe find out which is right
        return max(by_headers, by_own_count if by_own_count <= MAX_PROBE_WAIT or by_headers == 0 else 0.0)

    def _wait_by_own_count(self, now: float, spare: int) -> float:
        if self.limit is None or self.has_shorter_window:
            return 0.0
        allowed = self.limit - spare
        if len(self.ended_at) + len(self.in_flight) < allowed:
            return 0.0
        # The oldest calls that must be a window old before there is room for another.
        surplus = len(self.ended_at) - allowed
        return self.ended_at[surplus] + WINDOW - now if surplus >= 0 else _RECHECK_DELAY

    def _wait_by_headers(self, now: float, spare: int) -> float:
        if self._has_room(spare):
            return 0.0
        if now < self.resets_at:
            is_used_up = (self.remaining or 0) <= spare
            return self.resets_at - now if is_used_up else min(_RECHECK_DELAY, self.resets_at - now)
        call, until = self.probe
        return _RECHECK_DELAY if call in self.in_flight and now < until else 0.0

    def _has_room(self, spare: int) -> bool:
        return self.remaining is None or self.remaining - spare > len(self.in_flight)

    def reserve(self, now: float, timeout: float, share: float) -> int:
        """Count one call as in flight; return its number."""
        self.sent += 1
        if not self._has_room(self._spare(share)):
            self.probe = self.sent, now + MAX_PROBE_WAIT
        self.in_flight[self.sent] = SentCall(now, now + timeout)
        return self.sent

    def update(self, call: int, raw: RawResponse, reported: RateLimit, now: float, elapsed: float) -> None:
        """Update the state with the response to a call that took a number of seconds."""
        if raw.status == 429:
            reported = self._from_429(call, reported, parse_retry_after(raw))
        else:
            self.ended_at.append(now)
            self.unexplained_429s = 0
            self.reports_successes |= reported.remaining is not None
            self.has_shorter_window |= self._is_window_shorter(reported, now - elapsed)
        if reported.limit:
            self.limit = reported.limit
        if call < self.probe[0] and elapsed > MAX_PROBE_WAIT:
            return  # it hung, and reports on a window that has passed
        known = math.inf if self.remaining is None else self.remaining
        if reported.remaining is None:
            if now >= self.resets_at:
                self.remaining = None  # the probe returned without headers: let the others go
        elif reported.remaining <= known or self._may_increase(raw, now - elapsed):
            self.remaining, self.resets_at = reported.remaining, now + _reset_delay(reported)

    def _is_window_shorter(self, reported: RateLimit, sent_at: float) -> bool:
        """Return True if our recent calls plus the remaining ones exceed the limit: the window is shorter then.

        Only calls that ended before this one was sent are surely counted in its response. Calls that ended more than
        50 seconds ago are left out: they arrived earlier than they ended, perhaps before a window of 60 seconds.
        """
        earliest = sent_at - WINDOW + 2 * MAX_PROBE_WAIT
        recent = bisect_right(self.ended_at, sent_at) - bisect_right(self.ended_at, earliest)
        return bool(reported.limit) and recent + (reported.remaining or 0) > (reported.limit or 0)

    def _may_increase(self, raw: RawResponse, sent_at: float) -> bool:
        """Return True if a response may raise the number of remaining calls.

        Responses overtake each other, so an older one can report more than is left. Only one to a call that was sent
        after the reset may raise the number. A 429 always counts.
        """
        return raw.status == 429 or sent_at >= self.resets_at

    def count_lost(self, now: float) -> None:
        """Count a call whose response was lost: the API may have counted it."""
        self.ended_at.append(now)
        self.remaining = self.remaining and self.remaining - 1

    def _from_429(self, call: int, reported: RateLimit, wait: float | None) -> RateLimit:
        """Return the rate limit that a 429 reports: nothing remains. If it names no time: 1 s, 2 s, 4 s, …"""
        reset = reported.reset_after if wait is None else wait
        if reset is None:
            if call > self.last_unexplained_429:  # several that were refused together count once
                self.unexplained_429s, self.last_unexplained_429 = self.unexplained_429s + 1, self.sent
            reset = unexplained_429_delay(self.unexplained_429s)
        return RateLimit(reported.limit, 0, reset)


def _reset_delay(reported: RateLimit) -> float:
    return WINDOW if reported.reset_after is None else min(WINDOW, reported.reset_after)


def unexplained_429_delay(count: int) -> float:
    """Return the seconds to wait after a number of 429s in a row that do not say how long."""
    return min(WINDOW, 2.0 ** min(count - 1, 10))


@dataclass(slots=True)
class Reservation:
    """The place of one call, which counts as in flight until it is released or forgotten."""

    bucket: Hashable
    call: int


class RateLimiter:
    """Keeps to the rate limit of one workspace: calls wait, instead of getting a 429.

    By default each client has one of its own, which its copies share. Pass the same one to several clients of a
    workspace, and they keep to the limit together. It may be used from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, _Bucket] = {}

    def __reduce__(self) -> tuple[type[RateLimiter], tuple[()]]:
        return RateLimiter, ()

    def __repr__(self) -> str:
        return f"RateLimiter({len(self._buckets)} buckets)"

    def reserve(
        self, bucket: Hashable, now: float, timeout: float | None = None, share: float = 1.0
    ) -> Reservation | float:
        """Reserve a place for one call, or return the seconds after which to try again.

        Args:
            bucket: The rate limit that the call counts for.
            now: Seconds on the client's clock.
            timeout: Seconds after which the call is forgotten if it was not released; at most the window.
            share: The part of the rate limit that this call and others like it may use.

        """
        with self._lock:
            state = self._bucket(bucket)
            state.forget_old_calls(now)
            wait = state.wait(now, share)
            if wait > 0:
                return wait
            return Reservation(bucket, state.reserve(now, min(WINDOW, timeout or WINDOW), share))

    def release(
        self, reservation: Reservation, now: float, outcome: Outcome | None, reported: RateLimit | None = None
    ) -> None:
        """Give the place of a call back, and update the state with its response.

        Args:
            reservation: The reserved place.
            now: Seconds on the client's clock.
            outcome: The outcome; None if the call was interrupted.
            reported: The rate limit that the response reports.

        """
        with self._lock:
            state = self._bucket(reservation.bucket)
            sent = state.in_flight.pop(reservation.call, None)  # None if it was forgotten before
            if isinstance(outcome, RawResponse):
                elapsed = math.inf if sent is None else now - sent.at
                state.update(reservation.call, outcome, reported or RateLimit(), now, elapsed)
            elif outcome is None or outcome.reason == "response_lost":
                state.count_lost(now)

    def _bucket(self, name: Hashable) -> _Bucket:
        return self._buckets.get(name) or self._buckets.setdefault(name, _Bucket())

    def reset(self) -> None:
        """Start afresh in a forked process: the calls in flight belong to the parent, and never end here."""
        self._lock = threading.Lock()
        self._buckets = {}

    def limit(self, bucket: Hashable) -> int | None:
        """Return the calls allowed in a window; None if the API has not reported it."""
        with self._lock:
            state = self._buckets.get(bucket)
            return state.limit if state else None
