"""What the headers say of the rate limit; when the next call may go.

The API counts per workspace, over a window of 60 seconds that slides. Where its responses carry headers, these decide:
what remains, less the calls in flight, may go; then calls of that bucket wait for the reset rather than collect 429s.
After a reset one call goes first, whatever older calls do: its response says how many may follow. It is waited for
only so long, since it may hang. Our own calls of a window are counted beside that, since responses come in any order,
and headers may come only with a 429; unless the headers show that the window is shorter.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from ..types.response_info import RateLimit
from .outcome import Outcome, RawResponse

WINDOW = 60.0
"""Seconds in which the API counts."""

READ_LIMIT = 120
"""Reads in a window, as the API documents them; what its headers say counts more."""

_EPOCH = 1_000_000_000.0
_SOON = 0.05  # seconds until calls in flight may have told more

PATIENCE = 5.0
"""Seconds after which a call hangs: others wait only so long for the one that goes first after a reset."""


def retry_after(answer: RawResponse) -> float | None:
    """Seconds that `Retry-After` asks for, given as seconds or as an HTTP date; None if it makes no sense."""
    text = answer.headers.get("retry-after")
    if text is None:
        return None
    seconds = _number(text)
    if seconds is None:
        seconds = _seconds_until(text, answer)
    return seconds if seconds is not None and 0 <= seconds < math.inf else None


def rate_limit(answer: RawResponse) -> RateLimit | None:
    """What the answer says of its bucket; None if nothing."""
    headers = answer.headers.lower_items
    limit, remaining = _whole(headers.get("x-ratelimit-limit")), _whole(headers.get("x-ratelimit-remaining"))
    reset = _number(headers.get("x-ratelimit-reset"))
    if reset is not None and not -WINDOW <= reset < math.inf:
        reset = None
    if (
        reset is not None and reset >= _EPOCH
    ):  # the size of an epoch: then it is one, in seconds or milliseconds
        told = _moment(headers.get("date"))
        reset = reset / (1000 if reset >= 1000 * _EPOCH else 1) - (answer.arrived if told is None else told)
    if reset is not None:
        reset = max(0.0, reset)  # just past, when the server rounds
    return None if limit is remaining is reset is None else RateLimit(limit, remaining, reset)


def _seconds_until(text: str, answer: RawResponse) -> float | None:
    until = _moment(text)
    if until is None:
        return None
    told = _moment(answer.headers.get("date"))  # the server's own clock, where it tells it: ours may be off
    return max(0.0, until - (answer.arrived if told is None else told))


def _moment(text: str | None) -> float | None:
    try:
        moment = None if text is None else parsedate_to_datetime(text)
        return (
            None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        )
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _whole(text: str | None) -> int | None:
    number = _number(text)
    return int(number) if number is not None and 0 <= number < _EPOCH else None


class SentCall(NamedTuple):
    """When a call was sent, and when it can no longer be under way."""

    at: float
    forgotten_at: float


@dataclass(slots=True)
class _Bucket:
    """What is known of one rate limit."""

    limit: int | None = None
    remaining: int | None = None
    resets_at: float = 0.0
    is_reported: bool = False  # by successes too, not only by 429s
    is_shorter: bool = False  # the window is shorter than WINDOW: headers alone decide
    probe: tuple[int, float] = (0, 0.0)  # the call that goes first after a reset; until when others wait
    sent: int = 0
    in_flight: dict[int, SentCall] = field(default_factory=dict[int, SentCall])
    done: deque[float] = field(default_factory=deque[float])
    silent_429s: int = 0
    last_silent_429: int = 0  # number of the last call that was sent before it

    def wait(self, now: float) -> float:
        """Return the seconds until the next call may go; 0 if it may go now."""
        wait = self._wait(now)
        return self._wait(now) if wait > 0 and self._forget_vanished(now) else wait

    def _wait(self, now: float) -> float:
        by_headers, by_own_count = self._wait_by_headers(now), self._wait_by_own_count(now)
        if by_headers == 0 and by_own_count > PATIENCE and self.is_reported and not self._has_room():
            return 0.0  # the headers speak of a shorter window: one call goes first, and its response decides
        return max(by_headers, by_own_count if by_own_count <= PATIENCE or by_headers == 0 else 0.0)

    def _wait_by_own_count(self, now: float) -> float:
        while self.done and self.done[0] + WINDOW <= now:
            self.done.popleft()
        if self.limit is None or self.is_shorter or len(self.done) + len(self.in_flight) < self.limit:
            return 0.0
        return self.done[0] + WINDOW - now if len(self.done) >= self.limit else _SOON

    def _wait_by_headers(self, now: float) -> float:
        if self._has_room():
            return 0.0
        if now < self.resets_at:
            return self.resets_at - now if not self.remaining else min(_SOON, self.resets_at - now)
        call, until = self.probe
        return _SOON if call in self.in_flight and now < until else 0.0

    def _has_room(self) -> bool:
        return self.remaining is None or self.remaining > len(self.in_flight)

    def _forget_vanished(self, now: float) -> bool:
        """Forget calls that can no longer be under way, such as one that Ctrl-C ended before it was released."""
        vanished = [call for call, each in self.in_flight.items() if each.forgotten_at <= now]
        for call in vanished:
            del self.in_flight[call]
        return bool(vanished)

    def reserve(self, now: float, timeout: float) -> int:
        """Count one call as in flight; return its number."""
        self.sent += 1
        if not self._has_room():
            self.probe = self.sent, now + PATIENCE
        self.in_flight[self.sent] = SentCall(now, now + timeout)
        return self.sent

    def update(self, call: int, answer: RawResponse, reported: RateLimit, now: float, took: float) -> None:
        """Learn from the response to a call that took so many seconds."""
        if answer.status == 429:
            reported = self._from_429(call, reported, retry_after(answer))
        else:
            self.done.append(now)
            self.silent_429s = 0
            self.is_reported |= reported.remaining is not None
            self.is_shorter |= self._is_more_left_than_in_a_window(reported, now - took)
        if reported.limit:
            self.limit = reported.limit
        if call < self.probe[0] and took > PATIENCE:
            return  # it hung, and speaks of a window that is over
        known = math.inf if self.remaining is None else self.remaining
        if reported.remaining is None:
            if now >= self.resets_at:
                self.remaining = None  # nothing more will be told: the others may follow
        elif reported.remaining <= known or self._may_grow(answer, now - took):
            self.remaining, self.resets_at = reported.remaining, now + _reset_of(reported)

    def _is_more_left_than_in_a_window(self, reported: RateLimit, sent_at: float) -> bool:
        """Return whether the latest calls and what remains are more than the limit: then its window is shorter.

        Only calls that had ended before this one was sent are sure to be counted in what its response says; and those
        that ended 50 seconds ago or earlier may have left a window of 60, since they arrived before they ended.
        """
        recent = sum(sent_at - WINDOW + 2 * PATIENCE < at <= sent_at for at in self.done)
        return bool(reported.limit) and recent + (reported.remaining or 0) > (reported.limit or 0)

    def _may_grow(self, answer: RawResponse, sent_at: float) -> bool:
        """Return whether more can be left than is known: responses come in any order, and only a reset gives more.

        A 429 is believed whenever it comes.
        """
        return answer.status == 429 or sent_at >= self.resets_at

    def count_lost(self, now: float) -> None:
        """Count a call without a response: the API may have counted it."""
        self.done.append(now)
        self.remaining = self.remaining and self.remaining - 1

    def _from_429(self, call: int, reported: RateLimit, wait: float | None) -> RateLimit:
        """A 429 says that nothing remains, whatever its headers leave out; one that names no time: 1 s, 2 s, 4 s, …"""
        reset = reported.reset_after if wait is None else wait
        if reset is None:
            if call > self.last_silent_429:  # those that were refused together count as one
                self.silent_429s, self.last_silent_429 = self.silent_429s + 1, self.sent
            reset = unexplained_429_delay(self.silent_429s)
        return RateLimit(reported.limit, 0, reset)


def _reset_of(reported: RateLimit) -> float:
    return WINDOW if reported.reset_after is None else min(WINDOW, reported.reset_after)


def unexplained_429_delay(count: int) -> float:
    """Return the seconds to wait after so many 429s in a row that do not say how long."""
    return min(WINDOW, 2.0 ** min(count - 1, 10))


@dataclass(slots=True)
class Reservation:
    """One call that may go: it counts as in flight until it is released, or can no longer be under way."""

    bucket: Hashable
    call: int


class RateLimiter:
    """The rate limit of one workspace, kept on this side so that calls wait instead of being refused.

    One for each client, shared by its copies, is made by default. Give one of your own to several clients of
    the same workspace, and they share what they know. It may be used from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, _Bucket] = {}

    def __reduce__(self) -> tuple[type[RateLimiter], tuple[()]]:
        return RateLimiter, ()

    def __repr__(self) -> str:
        return f"RateLimiter({len(self._buckets)} buckets)"

    def reserve(self, bucket: Hashable, now: float, timeout: float | None = None) -> Reservation | float:
        """Reserve a place for one call, or return the seconds after which to ask again.

        Args:
            bucket: The rate limit that the call counts for.
            now: Seconds on the client's clock.
            timeout: Seconds after which the call, if it is not released, is taken for gone; at most the window.

        """
        with self._lock:
            state = self._bucket(bucket)
            wait = state.wait(now)
            return (
                wait if wait > 0 else Reservation(bucket, state.reserve(now, min(WINDOW, timeout or WINDOW)))
            )

    def release(
        self, ticket: Reservation, now: float, outcome: Outcome | None, reported: RateLimit | None = None
    ) -> None:
        """Give the place back when the call is over, and learn from its response.

        Args:
            ticket: The place.
            now: Seconds on the client's clock.
            outcome: The response, or why there is none; None for a call that was interrupted.
            reported: What the response's headers say of the rate limit.

        """
        with self._lock:
            state = self._bucket(ticket.bucket)
            sent = state.in_flight.pop(ticket.call, None)  # gone, if it was forgotten meanwhile
            if isinstance(outcome, RawResponse):
                took = math.inf if sent is None else now - sent.at
                state.update(ticket.call, outcome, reported or RateLimit(), now, took)
            elif outcome is None or outcome.reason == "response_lost":
                state.count_lost(now)

    def _bucket(self, name: Hashable) -> _Bucket:
        return self._buckets.get(name) or self._buckets.setdefault(name, _Bucket())

    def reset(self) -> None:
        """Begin afresh, in a process that was forked: nothing of what is in flight will end here."""
        self._lock = threading.Lock()
        self._buckets = {}

    def limit(self, bucket: Hashable) -> int | None:
        """Calls in a window, as far as the API has said."""
        with self._lock:
            state = self._buckets.get(bucket)
            return state.limit if state else None
