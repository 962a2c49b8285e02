"""One call under a fault, and its repetition afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from scripe import AsyncScripe
from scripe._http import AsyncHTTPClient

from .operations import AsyncOperation, Place


@dataclass
class Trial:
    """The outcome of a call under a fault.

    Attributes:
        error: what the call raised.
        elapsed: seconds that it took.
        later: what the same call raised when it was made again, without the fault and with the same key; after a call
            that went well, what a plain read raised.

    """

    error: Exception | None
    elapsed: float
    later: Exception | None = None


async def async_trial(
    make_client: Callable[[], tuple[AsyncScripe, AsyncHTTPClient | None]],
    operation: AsyncOperation,
    place: Place,
    idempotency_key: str,
    calm_down: Callable[[], bool],
) -> Trial:
    """Make the call, end the fault with `calm_down`, and go on; with another client if it says so."""
    client, http_client = make_client()
    async with http_client or nullcontext(), client:
        started = time.monotonic()
        error = await _catch_error(client, operation, place, idempotency_key)
        trial = Trial(error, time.monotonic() - started)
        needs_another = calm_down()
        if not needs_another:
            trial.later = await _repeat_call(client, operation, place, idempotency_key, after=error)
            return trial
    client, http_client = make_client()
    async with http_client or nullcontext(), client:
        trial.later = await _repeat_call(client, operation, place, idempotency_key, after=error)
    return trial


async def _repeat_call(
    client: AsyncScripe,
    operation: AsyncOperation,
    place: Place,
    idempotency_key: str,
    *,
    after: Exception | None,
) -> Exception | None:
    calm = client.with_options(total_timeout=30.0, timeout=10.0)
    if after is not None:
        return await _catch_error(calm, operation, place, idempotency_key)
    try:
        await calm.workspaces.me()
    except Exception as error:  # noqa: BLE001 - whatever it is, the report shows it
        return error
    return None


async def _catch_error(
    client: AsyncScripe, operation: AsyncOperation, place: Place, idempotency_key: str
) -> Exception | None:
    try:
        await operation.call(client, place, idempotency_key)
    except Exception as error:  # noqa: BLE001 - whatever it is, the report shows it
        return error
    return None
