"""The few things that differ between the two worlds, each beside its twin.

The async ones run on asyncio and on trio. Neither is imported before it is needed: a program that never awaits
pays for neither.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    import asyncio

P = ParamSpec("P")
T = TypeVar("T")

AsyncCallback: TypeAlias = Callable[[T], Awaitable[object]] | Callable[[T], object]
Callback: TypeAlias = Callable[[T], object]

AsyncKeySource: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]]
KeySource: TypeAlias = Callable[[], str]


def on_trio() -> bool:
    # The module may be there in part: another thread may be importing it, and then no trio runs yet.
    in_trio_run = getattr(sys.modules.get("trio.lowlevel"), "in_trio_run", None)
    return in_trio_run is not None and in_trio_run()


# The clock of a client. Another one may be put in its place: the emulator's stands still until it is moved.
# Tests freeze `time.monotonic`, as freezegun does, and a wait that counts by it never ends: the system's own goes on.
# (On Windows it is wrapped, since freezegun replaces `time.monotonic` wherever it finds it.)
real_seconds: Final[Callable[[], float]] = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else partial(time.monotonic)
)


class AsyncClock:
    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return real_seconds()

    async def sleep(self, seconds: float) -> None:
        if on_trio():
            import trio

            await trio.sleep(seconds)
        else:
            import asyncio

            await asyncio.sleep(seconds)


class Clock:
    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return real_seconds()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


# Where a client runs. An async one belongs to one event loop, a sync one to any thread.


def async_current_loop() -> object:
    if on_trio():
        import trio

        return trio.lowlevel.current_trio_token()
    import asyncio

    return asyncio.get_running_loop()


def current_loop() -> object:
    return None


# What a callback of the caller's answers: async clients take plain and coroutine functions.


async def async_invoke(function: Callable[P, Awaitable[T] | T], *args: P.args, **kwargs: P.kwargs) -> T:
    result: object = function(*args, **kwargs)
    if inspect.isawaitable(result):
        result = await result
    return cast("T", result)


def invoke(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return function(*args, **kwargs)


# A limit of time: async it interrupts anything; sync it is looked at between chunks, attempts and waits.


async def async_run_with_timeout(seconds: float | None, work: Callable[[], Awaitable[T]]) -> T | None:
    """What the work returns; None if it was interrupted."""
    if seconds is None:
        return await work()
    if on_trio():
        import trio

        with trio.move_on_after(seconds):
            return await work()
        return None
    import asyncio

    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work()
    except TimeoutError:
        if not limit.expired():
            raise
    return None


def run_with_timeout(seconds: float | None, work: Callable[[], T]) -> T | None:  # noqa: ARG001
    return work()


# What is left before its end: trio wants generators to be finished, asyncio and sync finish them by themselves.


async def async_drain(blocks: AsyncIterator[bytes]) -> None:
    if not on_trio():
        return
    import trio

    with trio.CancelScope() as scope:
        scope.cancel()
        _ = [block async for block in blocks]  # what is buffered, then the scope ends it


def drain(blocks: Iterator[bytes]) -> None:
    pass


# What must not stop half-way, such as closing connections: whoever is cancelled meanwhile ends it first.


async def async_run_shielded(work: Callable[[], Awaitable[object]]) -> None:
    if on_trio():
        import trio

        with trio.CancelScope(shield=True):
            await work()
        return
    import asyncio

    task = asyncio.ensure_future(work())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await _wait_until_done(task)
        raise


def run_shielded(work: Callable[[], object]) -> None:
    work()


# Work that would block: files.


async def async_run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in a thread, and never leave it running: a file must not be closed while it is read."""
    if on_trio():
        import trio

        return await trio.to_thread.run_sync(lambda: function(*args, **kwargs))
    import asyncio

    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await _wait_until_done(work)
        raise


async def async_run_abandonable(function: Callable[[], T]) -> T:
    """Run in a thread that is left behind when its caller is cancelled: it may read a pipe to which no one writes.

    The thread keeps no interpreter from its end, nor other work waiting.
    """
    if on_trio():
        import trio

        return await trio.to_thread.run_sync(
            function, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
        )
    import asyncio
    import contextvars
    import threading
    from concurrent.futures import Future

    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def work() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it
            outcome.set_exception(error)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="scripe-file", daemon=True).start()
    return await asyncio.wrap_future(outcome)


async def _wait_until_done(work: asyncio.Future[T]) -> None:
    import asyncio

    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work])
    await asyncio.gather(work, return_exceptions=True)  # seen, or asyncio would complain of what it raised


def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return function(*args, **kwargs)


def run_abandonable(function: Callable[[], T]) -> T:
    return function()
