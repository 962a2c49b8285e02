"""Decide whether to send a request again, and after how long.

| Outcome | Sent again? | Delay |
|---|---|---|
| 429 | yes: nothing was done | `Retry-After`, else `X-RateLimit-Reset`, else 1 s, doubling up to the window |
| no connection | yes: nothing was sent | random up to 0.5 s, doubling up to 8 s |
| 408, 5xx, a lost response | if the call may be repeated | the same; for 503 random from 1 s, up to 30 s |
| anything else, or a replay | no | |

`Retry-After` counts for every status that is retried. A delay of more than 60 s, or past the deadline, is not waited
for: the response's own error is raised at once.

While the client keeps to the rate limit by itself, a 429 means that others use the limit too. Waiting for them does
not count as a retry, up to ten times in a call.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from .deadline import Deadline
from .outcome import Outcome, RawResponse
from .rate_limit import parse_rate_limit, parse_retry_after, unexplained_429_delay

if TYPE_CHECKING:
    from tenacity import RetryCallState

MAX_DELAY = 60.0
"""Longest delay before a retry, in seconds."""

MAX_RATE_LIMIT_WAITS = 10
"""429s in one call that do not count as retries."""

_TRANSIENT = frozenset({408, 429})


def is_transient(response: RawResponse) -> bool:
    """Return True if the same call may have another outcome. A replay may not: it is the outcome."""
    return (response.status in _TRANSIENT or response.status >= 500) and not response.is_replay


@dataclass(slots=True)
class RetryPolicy:
    """The retries of one call. `retry`, `wait` and `stop` are the functions that tenacity asks."""

    max_retries: int
    repeatable: bool  # also if an earlier attempt may have arrived
    deadline: Deadline
    now: Callable[[], float]
    is_transient: Callable[[RawResponse], bool] = is_transient
    rate_limited_locally: bool = False  # so that a 429 is caused by others
    jitter: Callable[[float, float], float] = random.uniform
    rate_limit_waits: int = 0  # 429s so far that do not count as retries

    def should_retry(self, outcome: Outcome) -> bool:
        """Return True if another attempt is safe and may help."""
        if not isinstance(outcome, RawResponse):
            return self.repeatable or outcome.reason == "not_sent"
        return self.is_transient(outcome) and (self.repeatable or outcome.status == 429)

    def delay(self, outcome: Outcome, attempt: int) -> float:
        """Return the seconds to wait after this many attempts."""
        if isinstance(outcome, RawResponse):
            server_delay = _server_delay(outcome)
            if server_delay is not None:
                return server_delay
            if outcome.status == 503:
                return self.jitter(1.0, min(30.0, 2.0 ** min(attempt, 10)))
            if outcome.status == 429:
                return unexplained_429_delay(attempt)
        return backoff(attempt, self.jitter)

    def should_stop(self, attempt: int, delay: float) -> bool:
        """Return True if no attempt may follow this one, or none so late."""
        retries = attempt - self.rate_limit_waits
        used_up = retries > self.max_retries or self.rate_limit_waits > MAX_RATE_LIMIT_WAITS
        return used_up or delay > MAX_DELAY or not self.deadline.allows(delay, self.now())

    def record(self, outcome: Outcome) -> None:
        """Count an outcome that is a wait for the rate limit, not a failure."""
        is_429 = isinstance(outcome, RawResponse) and outcome.status == 429
        if is_429 and self.rate_limited_locally and self.max_retries > 0:
            self.rate_limit_waits += 1

    def retry(self, state: RetryCallState) -> bool:
        """Return `should_retry` of the last outcome."""
        return self.should_retry(last_outcome(state))

    def wait(self, state: RetryCallState) -> float:
        """Return `delay` after the last outcome."""
        return self.delay(last_outcome(state), state.attempt_number)

    def stop(self, state: RetryCallState) -> bool:
        """Return `should_stop` before the coming delay."""
        return self.should_stop(state.attempt_number, state.upcoming_sleep)


def last_outcome(state: RetryCallState) -> Outcome:
    """Return the outcome of the last attempt."""
    return cast("Outcome", state.outcome and state.outcome.result())


def backoff(attempt: int, jitter: Callable[[float, float], float] = random.uniform) -> float:
    """Return a random delay: up to 0.5 s after the first attempt, doubling up to 8 s."""
    return jitter(0.0, min(8.0, 0.5 * 2.0 ** min(attempt - 1, 10)))


def _server_delay(response: RawResponse) -> float | None:
    """Return the delay that the server asks for; None if it does not say."""
    delay = parse_retry_after(response)
    if delay is None and response.status == 429:
        reported = parse_rate_limit(response)
        delay = reported.reset_after if reported else None
    return delay
