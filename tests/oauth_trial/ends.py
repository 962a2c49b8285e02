"""Callers that leave, and processes that die, at each step of a refresh: the login goes on, or says what was lost."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import trio

from scripe import APITimeoutError, AsyncScripe, ConsentRequiredError, Scripe
from scripe.oauth import Credentials
from tests.oauth.signing_in import NAME, sign_in
from tests.oauth.test_refresh import expire_by_clock

from .processes import PATIENCE, STEPS, Kind, Loss, Process, Step, make_stepped_app
from .worlds import TOKEN, Scenario, World, join_refreshes, make_world, open_process

GRACES = (30.0, 0.0)
IN_FLIGHT = 0.4
"""Seconds for which a response is under way, where a caller leaves or a process dies meanwhile."""
_spare: list[Process] = []


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield each way to leave and each way to die, at each step."""
    for name, leave in LEAVES.items():
        for kind, grace, step in _places("SQL"):
            yield f"a caller {name}", partial(run_left, kind, grace, step, leave)
        for kind, grace, _ in _places("SQL", ("send",)):
            yield f"a caller {name}", partial(run_left, kind, grace, None, leave)
    for name, action, number in DEATHS:
        for kind, grace, step in _places("SQL with a brief lease"):
            if action == "call_in_trio" and kind != "file":
                continue  # the loop has nothing to do with the store, and trio takes long to begin
            yield f"a process {name}", partial(run_dead, kind, grace, step, action, number)
    for kind, grace, _ in _places("SQL with a brief lease", ("send",)):
        yield "a process killed while the response is under way", partial(run_killed_in_flight, kind, grace)
    yield "a process killed with a lease of 30 s", run_killed_with_a_lease
    for process in _spare:
        process.close()


def _places(sql: Kind, steps: tuple[Step, ...] = STEPS) -> Iterator[tuple[Kind, float, Step]]:
    kinds: tuple[Kind, ...] = ("file", sql)
    for kind in kinds:
        for grace in GRACES:
            for step in steps:
                yield kind, grace, step


# Callers that leave. The step is held up until they have left, so that they leave in the middle of it.


@dataclass
class Pause:
    """Holds a refresh up at a step, until the caller has left."""

    at: Step | None
    on_reached: Callable[[], object] = field(default=lambda: None)
    reached: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)

    def reach(self, step: Step) -> None:
        if step == (self.at or "send") and not self.reached.is_set():
            self.reached.set()
            self.on_reached()
            if self.at and not self.left.wait(10):
                raise Loss(f"the caller waits for the refresh to end ({step})")


Leave: TypeAlias = Callable[[Credentials, Pause], None]


def run_left(kind: Kind, grace: float, step: Step | None, leave: Leave) -> None:
    """Let a caller leave at a step, or (None) while the response is under way: the refresh is done and saved."""
    with make_world(kind, oauth_reuse_grace=grace) as world:
        sign_in(world.emulator, world.app)
        expire_by_clock(world.emulator, world.app, world.store)
        if step is None:
            world.emulator.delay_next(IN_FLIGHT, path=TOKEN)
        pause = Pause(step)
        app = make_stepped_app(world.app.client_id, world.another_store(), pause.reach)
        credentials = app.credentials(NAME)
        leave(credentials, pause)
        pause.left.set()
        join_refreshes()
        world.check_refreshes(1)
        world.check_goes_on(credentials)
        world.check_goes_on()
        world.check_refreshes(1)


def cancel_in_asyncio(credentials: Credentials, pause: Pause) -> None:
    async def main() -> None:
        async with AsyncScripe(auth=credentials, rate_limiter=None) as client:
            task = asyncio.create_task(client.workspaces.me())
            await asyncio.to_thread(pause.reached.wait, PATIENCE)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
                raise Loss("the cancelled call returned")

    asyncio.run(main())


def time_out_in_asyncio(credentials: Credentials, pause: Pause) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with AsyncScripe(auth=credentials, rate_limiter=None) as client:
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as limit:
                    pause.on_reached = lambda: loop.call_soon_threadsafe(limit.reschedule, 0)
                    await client.workspaces.me()
                raise Loss("the call did not time out")

    asyncio.run(main())


def cancel_in_trio(credentials: Credentials, pause: Pause) -> None:
    async def main() -> None:
        token = trio.lowlevel.current_trio_token()
        async with AsyncScripe(auth=credentials, rate_limiter=None) as client:
            with trio.CancelScope() as scope:
                pause.on_reached = lambda: token.run_sync_soon(scope.cancel)
                await client.workspaces.me()
        if not scope.cancelled_caught:
            raise Loss("the cancelled call returned")

    trio.run(main)


def time_out(credentials: Credentials, pause: Pause) -> None:
    with Scripe(auth=credentials, rate_limiter=None, total_timeout=0.3) as client, suppress(APITimeoutError):
        client.workspaces.me()
        raise Loss("the call did not time out")


def time_out_in_a_task(credentials: Credentials, pause: Pause) -> None:
    async def main() -> None:
        async with AsyncScripe(auth=credentials, rate_limiter=None, total_timeout=0.3) as client:
            with suppress(APITimeoutError):
                await client.workspaces.me()
                raise Loss("the call did not time out")

    asyncio.run(main())


LEAVES: dict[str, Leave] = {
    "cancelled in asyncio": cancel_in_asyncio,
    "timed out by asyncio": time_out_in_asyncio,
    "cancelled in trio": cancel_in_trio,
    "timed out": time_out,
    "timed out in a task": time_out_in_a_task,
}


# Processes that die.

DEATHS = (
    ("stopped by Ctrl-C", "call", signal.SIGINT),
    ("stopped by Ctrl-C in asyncio", "call_in_asyncio", signal.SIGINT),
    ("stopped by Ctrl-C in trio", "call_in_trio", signal.SIGINT),
    ("killed", "call", signal.SIGKILL),
)


def spare_process() -> Process:
    """Return a process that is ready, and start the next one."""
    process = _spare.pop() if _spare else Process()
    _spare.append(Process())
    return process


def run_dead(kind: Kind, grace: float, step: Step, action: str, number: signal.Signals) -> None:
    """Let a process die at a step. Only `kill -9` between the response and the save loses tokens, without a grace."""
    with make_world(kind, oauth_reuse_grace=grace) as world:
        sign_in(world.emulator, world.app)
        expire_by_clock(world.emulator, world.app, world.store)
        process = spare_process()
        open_process(process, world)
        process.order("die_at", step=step, number=int(number))
        if (result := process.order(action)) is not None:
            raise Loss(f"the process did not die: {result}")
        check_next(world, maybe_lost=number == signal.SIGKILL and step in ("receive", "save"))


def check_next(world: World, *, maybe_lost: bool) -> None:
    """Let another process call: with a grace it goes on in any case."""
    started = time.monotonic()
    if maybe_lost and not world.settings["oauth_reuse_grace"]:
        world.check_ended("response_lost")
        world.check_ended("response_lost")
    else:
        world.check_goes_on()
        world.check_goes_on()
        world.check_refreshes(2 if maybe_lost else 1)
    if time.monotonic() - started > 20:
        raise Loss("the next process waited for more than 20 s")
    sign_in(world.emulator, world.app)
    world.check_goes_on()


def run_killed_in_flight(kind: Kind, grace: float) -> None:
    """Kill a process while the server's response is under way."""
    with make_world(kind, oauth_reuse_grace=grace) as world:
        sign_in(world.emulator, world.app)
        expire_by_clock(world.emulator, world.app, world.store)
        world.emulator.delay_next(5, path=TOKEN)
        process = spare_process()
        open_process(process, world)
        process.send("call")
        until = time.monotonic() + PATIENCE
        while not world.emulator.oauth.refreshes:
            if time.monotonic() > until:
                raise Loss("nothing was sent")
            time.sleep(0.01)
        process.kill()
        if process.receive() is not None:
            raise Loss("the process did not die")
        check_next(world, maybe_lost=True)


def run_killed_with_a_lease() -> str:
    """Kill the holder of a lease of 30 s before it saves: the next process waits for its end, and for nothing else.

    The lease and the grace of the server are as long, so that either may be over first.
    """
    with make_world("SQL", oauth_reuse_grace=30) as world:
        sign_in(world.emulator, world.app)
        expire_by_clock(world.emulator, world.app, world.store)
        process = spare_process()
        open_process(process, world)
        process.order("die_at", step="save", number=int(signal.SIGKILL))
        process.order("call")
        started = time.monotonic()
        try:
            world.check_goes_on()
        except ConsentRequiredError as error:
            if error.reason != "response_lost":
                raise
            end = "was told that the response was lost, since the grace of 30 s was over"
        else:
            end = "went on"
        waited = time.monotonic() - started
        if waited > 35:
            raise Loss(f"the next process waited for {waited:.0f} s")
        return f"the next process waited for {waited:.1f} s, and {end}"
