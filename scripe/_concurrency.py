"""The differences between sync and async clients: clocks, callbacks, time limits and threads.

`scripts/unasync.py` generates the sync client from the async one by taking the prefix `async_` off. So the two twins of
a pair take the same arguments, and a sync twin may ignore one that it cannot honour.

The async functions run on asyncio and on trio. Neither is imported before it is needed: a program that only uses the
sync client loads neither.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, Protocol, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    import asyncio

P = ParamSpec("P")
T = TypeVar("T")

AsyncCallback: TypeAlias = Callable[[T], Awaitable[object]] | Callable[[T], object]
Callback: TypeAlias = Callable[[T], object]

AsyncKeySource: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]]
KeySource: TypeAlias = Callable[[], str]


class AsyncAuth(Protocol):
    """Anything that returns access tokens."""

    def access_token(self, rejected: str | None, /) -> str | Awaitable[str]:
        """Return the access token to send, another one than `rejected` if that is given."""
        ...


class Auth(Protocol):
    """Anything that returns access tokens."""

    def access_token(self, rejected: str | None, /) -> str:
        """Return the access token to send, another one than `rejected` if that is given."""
        ...


def on_trio() -> bool:
    """Return True if the caller runs on trio, False on asyncio or in a plain thread."""
    # `getattr`: another thread may still be importing trio, and then nothing runs on it yet.
    in_trio_run = getattr(sys.modules.get("trio.lowlevel"), "in_trio_run", None)
    return in_trio_run is not None and in_trio_run()


# Users freeze `time.monotonic` in their tests, with freezegun for instance. A wait that is measured by a frozen clock
# never ends, so clients read the clock of the operating system. Windows has no `clock_gettime`; there `time.monotonic`
# is wrapped, since freezegun replaces each plain reference to it that it finds in a module.
real_seconds: Final[Callable[[], float]] = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else partial(time.monotonic)
)


class AsyncClock:
    """The clock of an async client. The emulator puts in one of its own, which stands still until it is moved."""

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return real_seconds()

    def wall_time(self) -> float:
        """Seconds since 1970, by the clock of this machine."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""
        if on_trio():
            import trio

            await trio.sleep(seconds)
        else:
            import asyncio

            await asyncio.sleep(seconds)


class Clock:
    """The clock of a sync client. The emulator puts in one of its own, which stands still until it is moved."""

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return real_seconds()

    def wall_time(self) -> float:
        """Seconds since 1970, by the clock of this machine."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""
        time.sleep(seconds)


def async_current_loop() -> object:
    """Return the event loop that runs; an async client belongs to the one that it first ran on."""
    if on_trio():
        import trio

        return trio.lowlevel.current_trio_token()
    import asyncio

    return asyncio.get_running_loop()


def current_loop() -> object:
    """Return None: a sync client may be used from any thread."""
    return None


async def async_invoke(function: Callable[P, Awaitable[T] | T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a callback of the caller's, which may be a plain function or a coroutine function."""
    result: object = function(*args, **kwargs)
    if inspect.isawaitable(result):
        result = await result
    return cast("T", result)


def invoke(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a callback of the caller's."""
    return function(*args, **kwargs)


async def async_run_with_timeout(seconds: float | None, work: Callable[[], Awaitable[T]]) -> T | None:
    """Return what the work returns; interrupt it after a number of seconds, and return None then."""
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
            raise  # the work itself raised it
    return None


def run_with_timeout(seconds: float | None, work: Callable[[], T]) -> T | None:  # noqa: ARG001
    """Return what the work returns. Nothing can interrupt it: its deadline is checked between chunks and waits."""
    return work()


async def async_drain(blocks: AsyncIterator[bytes]) -> None:
    """Finish a generator that was not read to its end.

    trio warns about each async generator that the garbage collector has to finish; asyncio finishes them by itself.
    """
    if not on_trio():
        return
    import trio

    with trio.CancelScope() as scope:
        scope.cancel()
        _ = [block async for block in blocks]  # yields what is buffered; then the cancelled scope ends it


def drain(blocks: Iterator[bytes]) -> None:
    """Do nothing: a plain generator needs no finishing."""


async def async_run_shielded(work: Callable[[], Awaitable[object]]) -> None:
    """Run work that must not stop half-way, such as closing connections; a cancellation is raised after its end."""
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
    """Run the work: nothing can cancel it."""
    work()


async def async_run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function, such as a file read, in a thread.

    A cancellation waits for the end of the thread: its caller may close the file then, which must not be in use.
    """
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
    """Run a function in a thread that is abandoned if its caller is cancelled: it may block forever, as on a pipe.

    The thread takes up no place among the workers of the event loop, and does not keep the interpreter from exiting.
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
        except BaseException as error:  # noqa: BLE001 - raised again where the outcome is awaited
            outcome.set_exception(error)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="scripe-file", daemon=True).start()
    return await asyncio.wrap_future(outcome)


async def _wait_until_done(work: asyncio.Future[T]) -> None:
    """Wait for the end of work, whatever cancels the wait; its own exception is not raised."""
    import asyncio

    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work])
    await asyncio.gather(work, return_exceptions=True)  # asyncio would log an exception that nobody retrieved


def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function."""
    return function(*args, **kwargs)


def run_abandonable(function: Callable[[], T]) -> T:
    """Run a function that may block for long."""
    return function()


WATCH_INTERVAL: Final = 1.0
"""Seconds between two looks at work that runs side by side."""


async def async_run_together(
    works: Sequence[Callable[[], Awaitable[None]]],
    watch: Callable[[], Awaitable[None]],
    stop: Callable[[], None],
    grace: float,
) -> None:
    """Run works side by side, and call `watch` each second, until all have ended or one has failed.

    After an error, or if the caller is cancelled, `stop` must let the works end by themselves; those that have not
    ended after `grace` seconds are cancelled.
    """
    if on_trio():
        await _run_together_on_trio(works, watch, stop, grace)
        return
    import asyncio

    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        while any(not task.done() for task in tasks):
            running = [task for task in tasks if not task.done()]
            done, _ = await asyncio.wait(running, timeout=WATCH_INTERVAL, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            await watch()
    finally:
        stop()
        until = real_seconds() + grace
        while any(not task.done() for task in tasks) and (left := until - real_seconds()) > 0:
            # A scope of anyio cancels its task again and again.
            with suppress(asyncio.CancelledError):
                await asyncio.wait(tasks, timeout=left)
        for task in tasks:
            task.cancel()
        for task in tasks:
            await _wait_until_done(task)


async def _run_together_on_trio(
    works: Sequence[Callable[[], Awaitable[None]]],
    watch: Callable[[], Awaitable[None]],
    stop: Callable[[], None],
    grace: float,
) -> None:
    import trio

    errors: list[BaseException] = []
    scopes = [
        trio.CancelScope(shield=True) for _ in works
    ]  # a cancelled caller must not interrupt them at once
    changed, running = trio.Event(), len(works)

    async def run(work: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
        nonlocal running
        try:
            with scope:
                await work()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)
        finally:
            running -= 1
            changed.set()

    async with trio.open_nursery() as nursery:
        for work, scope in zip(works, scopes, strict=True):
            nursery.start_soon(run, work, scope)
        try:
            while running and not errors:
                changed = trio.Event()
                with trio.move_on_after(WATCH_INTERVAL):
                    await changed.wait()
                await watch()
        except BaseException as error:  # noqa: BLE001 - raised below: the nursery would put it into a group
            errors.insert(0, error)
        finally:
            stop()
            with trio.move_on_after(grace, shield=True):
                while running:
                    changed = trio.Event()
                    await changed.wait()
            for scope in scopes:
                scope.cancel()
    if errors:
        raise errors[0]


def run_together(
    works: Sequence[Callable[[], None]],
    watch: Callable[[], None],
    stop: Callable[[], None],
    grace: float,
) -> None:
    """Run works side by side, each in a thread, and call `watch` each second, until all have ended or one has failed.

    After an error or Ctrl-C, `stop` must let the works end by themselves. Threads that have not ended after `grace`
    seconds, or when Ctrl-C is pressed again, are left behind; they do not keep the interpreter from exiting.
    """
    import contextvars
    import threading

    errors: list[BaseException] = []
    changed, running = threading.Condition(), len(works)

    def run(work: Callable[[], None]) -> None:
        nonlocal running
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below, in the caller's thread
            errors.append(error)
        finally:
            with changed:
                running -= 1
                changed.notify_all()

    for work in works:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(run, work), name="scripe-bulk", daemon=True).start()
    try:
        while running and not errors:
            with changed:
                changed.wait_for(lambda: not running or errors, WATCH_INTERVAL)
            watch()
    finally:
        stop()
        with changed:
            changed.wait_for(lambda: not running, grace)
    if errors:
        raise errors[0]
