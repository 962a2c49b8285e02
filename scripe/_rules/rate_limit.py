"""What the headers say of the budget; when the next call may go.

The API counts per workspace, over a window of 60 seconds that slides. What an answer says remains, less the
calls in flight, is what may go; then calls of that bucket wait for the reset rather than collect 429s. After a
reset one call goes first: its answer says how many may follow. Headers may come only with a 429: then the limit
that it names is kept by counting our own calls.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

from ..types.response_info import RateLimit
from .answer import Answer

WINDOW = 60.0
"""Seconds in which the API counts."""

READ_LIMIT = 120
"""Reads in a window, as the API documents them; what its headers say counts more."""

_EPOCH = 1_000_000_000.0
_SOON = 0.05  # seconds until calls in flight may have told more


def retry_after(answer: Answer) -> float | None:
    """Seconds that `Retry-After` asks for, given as seconds or as an HTTP date; None if it makes no sense."""
    text = answer.headers.get("retry-after")
    if text is None:
        return None
    seconds = _number(text)
    if seconds is None:
        seconds = _seconds_until(text, answer)
    return seconds if seconds is not None and 0 <= seconds < math.inf else None


def rate_limit(answer: Answer) -> RateLimit | None:
    """What the answer says of its bucket; None if nothing."""
    headers = answer.headers.lowered
    limit, remaining = _whole(headers.get("x-ratelimit-limit")), _whole(headers.get("x-ratelimit-remaining"))
    reset = _number(headers.get("x-ratelimit-reset"))
    if reset is not None and reset >= _EPOCH:
        reset = max(0.0, reset - answer.arrived)  # the size of an epoch: then it is one
    if reset is not None and not 0 <= reset < math.inf:
        reset = None
    return None if limit is remaining is reset is None else RateLimit(limit, remaining, reset)


def _seconds_until(text: str, answer: Answer) -> float | None:
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


@dataclass(slots=True)
class _Bucket:
    """What is known of one budget."""

    limit: int | None = None
    remaining: int | None = None
    resets_at: float = 0.0
    known_since: int = 0  # number of the call whose answer told `remaining`
    probing: bool = False  # the window has turned: one call goes first
    in_flight: int = 0
    sent: int = 0
    done: deque[float] = field(default_factory=deque[float])

    def wait(self, now: float) -> float:
        """Seconds until the next call may go; 0 if it may go now."""
        if self.remaining is not None and now >= self.resets_at:
            self.probing, self.remaining = self.remaining <= 0, None
        return max(self._wait_for_own(now), self._wait_for_told(now))

    def _wait_for_own(self, now: float) -> float:
        while self.done and self.done[0] + WINDOW <= now:
            self.done.popleft()
        if self.limit is None or len(self.done) + self.in_flight < self.limit:
            return 0.0
        return self.done[0] + WINDOW - now if len(self.done) >= self.limit else _SOON

    def _wait_for_told(self, now: float) -> float:
        if self.remaining is None:
            return _SOON if self.probing and self.in_flight else 0.0
        if self.remaining <= 0:
            return self.resets_at - now
        return 0.0 if self.remaining > self.in_flight else min(_SOON, self.resets_at - now)

    def learn(self, call: int, told: RateLimit, now: float) -> None:
        if told.limit:
            self.limit = told.limit
        if told.remaining is None:
            self.probing = False  # nothing more will be told: the others may follow
            return
        if call < self.known_since and self.remaining is not None:
            self.remaining = min(
                self.remaining, told.remaining
            )  # an older answer: it cannot say that more is left
            return
        self.known_since, self.remaining, self.probing = call, told.remaining, False
        self.resets_at = now + min(WINDOW, WINDOW if told.reset_after is None else told.reset_after)


@dataclass(slots=True)
class Ticket:
    """One call that may go: it counts as in flight until it is given back."""

    bucket: Hashable
    call: int


class RateLimiter:
    """The budget of requests of one workspace, kept on this side so that calls wait instead of being refused.

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

    def reserve(self, bucket: Hashable, now: float) -> Ticket | float:
        """Leave to send one call, or the seconds after which to ask again."""
        with self._lock:
            state = self._bucket(bucket)
            wait = state.wait(now)
            if wait > 0:
                return wait
            state.in_flight += 1
            state.sent += 1
            return Ticket(bucket, state.sent)

    def release(self, ticket: Ticket, now: float, answer: Answer | None, told: RateLimit | None) -> None:
        """The call is over; learn from its answer."""
        with self._lock:
            state = self._bucket(ticket.bucket)
            state.in_flight = max(0, state.in_flight - 1)  # none, if all was forgotten meanwhile
            if answer is not None and answer.status == 429:
                told = _refused(told, retry_after(answer))
            else:
                state.done.append(now)  # a lost answer may have been counted too
            state.learn(ticket.call, told or RateLimit(), now)

    def _bucket(self, name: Hashable) -> _Bucket:
        return self._buckets.get(name) or self._buckets.setdefault(name, _Bucket())

    def forget(self) -> None:
        """Begin afresh, in a process that was forked: nothing of what is in flight will end here."""
        self._lock = threading.Lock()
        self._buckets = {}

    def limit(self, bucket: Hashable) -> int | None:
        """Calls in a window, as far as the API has said."""
        with self._lock:
            state = self._buckets.get(bucket)
            return state.limit if state else None


def _refused(told: RateLimit | None, wait: float | None) -> RateLimit:
    """A 429 says that nothing remains, whatever its headers leave out."""
    reset = told.reset_after if told and wait is None else wait
    return RateLimit(told.limit if told else None, 0, WINDOW if reset is None else reset)
