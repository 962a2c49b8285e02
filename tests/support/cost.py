"""What one call costs: `python -m tests.support.cost` prints calls (sync and async), bytes, and what is loaded."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import sys
import tracemalloc
from collections.abc import Callable, Coroutine
from types import FrameType, ModuleType

from scripe import AsyncScripe, ResponseInfo, Scripe

KEY = "scripe_sk_test_cost"
BODY = (
    b'{"data": {"id": "job_1", "type": "POST_GENERATION", "status": "RUNNING", "projectId": "proj_1", '
    b'"startedAt": "2026-05-15T08:21:00.000Z", "completedAt": null, "attemptCount": 1, '
    b'"createdAt": "2026-05-15T08:20:00.000Z", "updatedAt": null}}'
)
HEADERS = {
    "Content-Type": "application/json",
    "X-Request-Id": "req_1",
    "X-RateLimit-Limit": "120",
    "X-RateLimit-Remaining": "119",
    "X-RateLimit-Reset": "60",
}

WARM = 100
"""Calls after which each costs the same."""

Once = Callable[[], None]
Measure = Callable[[Once], int]


def calls_of(once: Once) -> int:
    """Calls of Python functions while it runs."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        once()
    finally:
        sys.setprofile(None)
    return count


def bytes_of(once: Once) -> int:
    """The peak of what is held while it runs, once all is warm; a tracer of coverage, which holds more, looks away.

    No garbage is collected meanwhile: in whose call that happened would depend on all that was ever loaded.
    """
    tracer = sys.gettrace()
    sys.settrace(None)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        return min(_peak_of(once) for _ in range(WARM))
    finally:
        tracemalloc.stop()
        gc.enable()
        sys.settrace(tracer)


def _peak_of(once: Once) -> int:
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    once()
    return tracemalloc.get_traced_memory()[1] - before


def transport_of(family: ModuleType) -> object:
    """Answers in this process, each with an id of its own."""
    count = iter(range(1_000_000))

    def answer(_request: object) -> object:
        named = {**HEADERS, "X-Request-Id": f"req_{next(count):06d}"}
        return family.Response(200, headers=named, stream=family.ByteStream(BODY))

    return family.MockTransport(answer)


def heard(_response: ResponseInfo) -> None:
    """A hook, as applications have one."""


def sync_cost(engine: str, measure: Measure) -> int:
    family = importlib.import_module(engine)
    with family.Client(transport=transport_of(family)) as http_client:
        client = Scripe(KEY, base_url="http://127.0.0.1/v1", http_client=http_client, on_response=heard)

        def once() -> None:
            client.jobs.retrieve("job_1")

        once()
        return measure(once)


def async_cost(engine: str, measure: Measure) -> int:
    family = importlib.import_module(engine)

    async def use() -> int:
        async with family.AsyncClient(transport=transport_of(family)) as http_client:
            client = AsyncScripe(
                KEY, base_url="http://127.0.0.1/v1", http_client=http_client, on_response=heard
            )

            async def call() -> None:
                await client.jobs.retrieve("job_1")

            await call()
            return measure(lambda: _driven(call()))

    return asyncio.run(use())


def _driven(call: Coroutine[object, object, None]) -> None:
    """To its end, without the loop: nothing in it waits."""
    with contextlib.suppress(StopIteration):
        call.send(None)
        raise AssertionError("it waited")


if __name__ == "__main__":
    name = os.environ["SCRIPE_HTTP"]
    sync_cost(name, lambda _: 0)
    loaded = sorted(each for each in sys.modules if each.startswith("scripe."))
    print(
        json.dumps(
            {
                "calls": [sync_cost(name, calls_of), async_cost(name, calls_of)],
                "bytes": sync_cost(name, bytes_of),
                "loaded": loaded,
            }
        )
    )
