"""Attempts, until one is final: the rules of `_core/retry.py`, driven by tenacity after a first failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from .. import _log
from .._concurrency import AsyncClock
from .._core.outcome import Outcome
from .._core.retry import RetryPlan

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from .._observer import Observation


async def attempts(
    first: Outcome,
    attempt: Callable[[], Awaitable[Outcome]],
    plan: RetryPlan,
    clock: AsyncClock,
    what: str,
    observation: Observation | None = None,
) -> Outcome:
    """What the last attempt brought, of which the first was made."""
    if not plan.again(first):
        return first
    # Loaded only here: most calls never need it. One object for each call, since its state lives on it.
    from tenacity import AsyncRetrying

    made = [first]
    refusals = 0

    async def next_outcome() -> Outcome:
        nonlocal refusals
        outcome = made.pop() if made else await attempt()
        refusals += plan.waits_for_budget(outcome)
        return outcome

    def note(state: RetryCallState) -> None:
        _log.retrying(what, _outcome(state), state.upcoming_sleep, state.attempt_number)
        if observation is not None:
            observation.pausing(state.attempt_number, state.upcoming_sleep)

    retrying = AsyncRetrying(
        sleep=clock.sleep,
        retry=lambda state: _has_outcome(state) and plan.again(_outcome(state)),
        wait=lambda state: plan.pause(_outcome(state), state.attempt_number),
        stop=lambda state: plan.enough(state.attempt_number, state.upcoming_sleep, clock.now(), refusals),
        before_sleep=note,
        retry_error_callback=_outcome,
    )
    return await retrying(next_outcome)


def _has_outcome(state: RetryCallState) -> bool:
    return state.outcome is not None and not state.outcome.failed


def _outcome(state: RetryCallState) -> Outcome:
    return cast("Outcome", state.outcome and state.outcome.result())
