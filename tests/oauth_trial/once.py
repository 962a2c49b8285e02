"""One refresh for all: threads, tasks and processes whose token expires at the same moment, in each store."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

import anyio
import trio

from scripe import AsyncScripe, Scripe
from tests.oauth.signing_in import NAME, sign_in
from tests.oauth.test_refresh import expire_by_clock, expire_by_server

from .processes import PATIENCE, Kind, Loss, Process
from .worlds import TOKEN, Scenario, World, check_call, check_workspace, make_world, open_process

Meeting: TypeAlias = Callable[[World], None]
KINDS: tuple[Kind, ...] = ("memory", "file", "SQL")
PROCESSES, THREADS, TASKS = 4, 16, 64
_processes: list[Process] = []


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield each store with each way to meet, each way to expire, and responses that are dropped."""
    for kind in KINDS:
        for name, meeting in MEETINGS.items():
            if kind == "memory" and meeting is meet_in_processes:
                continue
            for expire in (expire_by_server, expire_by_clock):
                for drops in (0, 1, 2):
                    yield f"{kind}, {name}", partial(meet, kind, meeting, expire, drops)
    for process in _processes:
        process.close()


def meet(kind: Kind, meeting: Meeting, expire: Callable[..., None], drops: int) -> None:
    """Let all meet with a token that has just expired: the server accepts one refresh, and one more for each drop."""
    with make_world(kind, oauth_reuse_grace=30 if drops else 0) as world:
        sign_in(world.emulator, world.app)
        expire(world.emulator, world.app, world.store)
        if drops:
            world.emulator.drop_next(drops, path=TOKEN)
        meeting(world)
        world.check_refreshes(1 + drops)
        count = len(world.emulator.oauth.refreshes)
        world.check_goes_on()
        if len(world.emulator.oauth.refreshes) != count:
            raise Loss("the new token was not saved: the next process refreshes again")


def meet_in_threads(world: World) -> None:
    with Scripe(auth=world.app.credentials(NAME), rate_limiter=None) as client:
        in_threads(lambda: check_workspace(world, client.workspaces.me().workspace.id))


def meet_in_clients(world: World) -> None:
    """Let each thread have an application and a store of its own, as in 16 processes."""
    in_threads(lambda: check_call(world, world.another()))


def in_threads(work: Callable[[], None]) -> None:
    gate = threading.Barrier(THREADS)

    def start() -> None:
        gate.wait(PATIENCE)
        work()

    with ThreadPoolExecutor(THREADS) as threads:
        for future in [threads.submit(start) for _ in range(THREADS)]:
            future.result(PATIENCE)


def meet_in_tasks(run: Callable[[Callable[[], Coroutine[Any, Any, None]]], object], world: World) -> None:
    async def call(client: AsyncScripe) -> None:
        check_workspace(world, (await client.workspaces.me()).workspace.id)

    async def main() -> None:
        credentials = world.app.credentials(NAME)
        async with (
            AsyncScripe(auth=credentials, rate_limiter=None) as client,
            anyio.create_task_group() as group,
        ):
            for _ in range(TASKS):
                group.start_soon(call, client)

    run(main)


def run_asyncio(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


def meet_in_processes(world: World) -> None:
    while len(_processes) < PROCESSES:
        _processes.append(Process())
    for process in _processes:
        open_process(process, world)
    at = time.time() + 0.1
    for process in _processes:
        process.send("meet", threads=THREADS, at=at)
    for process in _processes:
        check_workspace(world, (process.receive() or {})["result"])


MEETINGS: dict[str, Meeting] = {
    "16 threads": meet_in_threads,
    "16 threads with clients of their own": meet_in_clients,
    "64 tasks of asyncio": partial(meet_in_tasks, run_asyncio),
    "64 tasks of trio": partial(meet_in_tasks, trio.run),
    "4 processes of 16 threads": meet_in_processes,
}
