"""Is it worth another attempt, and after how long.

| What came back | Sent again? | After |
|---|---|---|
| 429 | yes, nothing was done | `Retry-After`, else `X-RateLimit-Reset`, else 1 s, doubling up to the window |
| no connection | yes, nothing was sent | 0 to 0.5 s, doubling up to 8 s |
| 408, 5xx, a lost answer | if the call may be repeated | the same; 503 waits from 1 s up to 30 s |
| anything else, or a replay | no | |

`Retry-After` counts on every status that is retried. A wait over 60 s, or past the deadline, is not waited for:
the answer's own error is raised at once.

While the budget is kept on this side, a 429 means that others use it too: to wait for it is no retry, and does not
count as one, up to ten times in a call.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .deadline import Deadline
from .outcome import Answer, Outcome
from .rate_limit import rate_limit, retry_after, unexplained_429_delay

LONGEST_WAIT = 60.0
REFUSALS = 10
"""429s in one call that do not count as retries."""

_TRANSIENT = frozenset({408, 429})


def is_transient(answer: Answer) -> bool:
    """Whether the same call may have another outcome. A replay may not: it is the outcome."""
    return (answer.status in _TRANSIENT or answer.status >= 500) and not answer.is_replay


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """The retries of one call.

    Attributes:
        max_retries: how often a call is sent again.
        repeatable: whether it may be sent again when it may have arrived before.
        deadline: the end of it all.
        transient: tells the answers that are worth another attempt.
        is_budgeted: whether the budget is kept, so that a 429 is the doing of others.
        uniform: draws between two numbers.

    """

    max_retries: int
    repeatable: bool
    deadline: Deadline
    transient: Callable[[Answer], bool] = is_transient
    is_budgeted: bool = False
    uniform: Callable[[float, float], float] = random.uniform

    def again(self, outcome: Outcome) -> bool:
        """Whether another attempt is worth it and safe."""
        if not isinstance(outcome, Answer):
            return self.repeatable or outcome.reason == "unsent"
        return self.transient(outcome) and (self.repeatable or outcome.status == 429)

    def pause(self, outcome: Outcome, attempt: int) -> float:
        """Seconds to wait after so many attempts."""
        if isinstance(outcome, Answer):
            asked = _asked(outcome)
            if asked is not None:
                return asked
            if outcome.status == 503:
                return self.uniform(1.0, min(30.0, 2.0 ** min(attempt, 10)))
            if outcome.status == 429:
                return unexplained_429_delay(attempt)
        return backoff(attempt, self.uniform)

    def waits_for_budget(self, outcome: Outcome) -> bool:
        """Whether another attempt after this would be no retry."""
        is_refused = isinstance(outcome, Answer) and outcome.status == 429
        return is_refused and self.is_budgeted and self.max_retries > 0

    def enough(self, attempt: int, pause: float, now: float, refusals: int = 0) -> bool:
        """Whether to stop after so many attempts, of which some waited for the budget, rather than wait so long."""
        is_over = attempt - refusals > self.max_retries or refusals > REFUSALS
        return is_over or pause > LONGEST_WAIT or not self.deadline.allows(pause, now)


def backoff(attempt: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """Full jitter: anything up to 0.5 s after the first attempt, doubling up to 8 s."""
    return uniform(0.0, min(8.0, 0.5 * 2.0 ** min(attempt - 1, 10)))


def _asked(answer: Answer) -> float | None:
    wait = retry_after(answer)
    if wait is None and answer.status == 429:
        told = rate_limit(answer)
        wait = told.reset_after if told else None
    return wait
