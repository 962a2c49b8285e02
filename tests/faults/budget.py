"""`scripts/budget`: calls far over the budget, from threads, tasks and processes, against the real sliding window.

What may go in a while is a whole budget at once, and then a budget each minute: throughput is told as a share of that.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import trio

from scripe import AsyncScripe, Scripe, ScripeError
from scripe._async.client import set_clock as set_async_clock
from scripe._sync.client import set_clock
from scripe.emulator import Emulator
from tests.support.hurry import AsyncHurriedClock, HurriedClock, HurriedTime

LIMIT = 120
WINDOW = 60.0
THREADS, TASKS, PROCESSES = 8, 64, 4


@dataclass(frozen=True)
class Tally:
    """How a run went.

    Attributes:
        wanted: calls that were made.
        lost: calls that raised.
        refused: answers with 429.
        seconds: of the emulator's time, from the first call to the last answer.

    """

    who: str
    wanted: int
    lost: int
    refused: int
    seconds: float

    @property
    def throughput(self) -> float:
        """The share of what the budget allows: as many calls at once, and again each minute."""
        return (self.wanted / LIMIT - 1) * WINDOW / self.seconds

    @property
    def refused_share(self) -> float:
        return self.refused / self.wanted


Work = Callable[[str, str, float, int], int]


def threads(key: str, base_url: str, factor: float, wanted: int, count: int = THREADS) -> int:
    """The calls that were lost, of one client in several threads."""
    with Scripe(key, base_url=base_url) as client, ThreadPoolExecutor(count) as pool:
        set_clock(client, HurriedClock(factor))

        def call(_: int) -> bool:
            try:
                client.workspaces.me()
            except ScripeError as error:
                print(repr(error), file=sys.stderr)
                return True
            return False

        return sum(pool.map(call, range(wanted)))


async def _share(client: AsyncScripe, left: Iterator[int]) -> int:
    """One task's calls, taken from those that are left; how many were lost."""
    lost = 0
    for _ in left:
        try:
            await client.workspaces.me()
        except ScripeError as error:
            print(repr(error), file=sys.stderr)
            lost += 1
    return lost


async def _tasks(key: str, base_url: str, factor: float, wanted: int) -> int:
    async with AsyncScripe(key, base_url=base_url) as client:
        set_async_clock(client, AsyncHurriedClock(factor))
        left = iter(range(wanted))
        return sum(await asyncio.gather(*(_share(client, left) for _ in range(TASKS))))


async def _trio_tasks(key: str, base_url: str, factor: float, wanted: int) -> int:
    lost: list[int] = []
    async with AsyncScripe(key, base_url=base_url) as client:
        set_async_clock(client, AsyncHurriedClock(factor))
        left = iter(range(wanted))

        async def share() -> None:
            lost.append(await _share(client, left))

        async with trio.open_nursery() as nursery:
            for _ in range(TASKS):
                nursery.start_soon(share)
    return sum(lost)


def tasks(key: str, base_url: str, factor: float, wanted: int) -> int:
    return asyncio.run(_tasks(key, base_url, factor, wanted))


def trio_tasks(key: str, base_url: str, factor: float, wanted: int) -> int:
    return trio.run(_trio_tasks, key, base_url, factor, wanted)


def processes(key: str, base_url: str, factor: float, wanted: int) -> int:
    """The same of several processes, each with a client of its own in two threads."""
    share = [(key, base_url, factor, wanted // PROCESSES, 2)] * PROCESSES
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        return sum(pool.starmap(threads, share))


def run(work: Work, windows: int, factor: float) -> Tally:
    """Make as many calls as fit into so many windows."""
    wanted = LIMIT * windows
    with Emulator(clock=HurriedTime(factor), read_limit=LIMIT, max_recorded_requests=100_000) as emulator:
        with emulator.serve() as server:
            lost = work(server.api_key, server.base_url, factor, wanted)
        asked = emulator.requests
    refused = sum(request.status == 429 for request in asked)
    moments = [request.received_at for request in emulator.requests]
    seconds = (moments[-1] - moments[0]).total_seconds()
    return Tally(work.__name__, wanted, lost, refused, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/budget", description=__doc__)
    parser.add_argument("--windows", type=int, default=4, help="budgets that each run uses up")
    parser.add_argument("--factor", type=float, default=1.0, help="how much faster than usual time runs")
    options = parser.parse_args()
    started = time.monotonic()
    works: tuple[Work, ...] = (threads, tasks, trio_tasks, processes)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(partial(run, windows=options.windows, factor=options.factor), works))
    print("| calls from | calls | lost | refused with 429 | seconds | share of the budget |")
    print("|---|---|---|---|---|---|")
    for tally in found:
        cells = (tally.who, tally.wanted, tally.lost, f"{tally.refused} ({tally.refused_share:.1%})")
        print("| " + " | ".join(map(str, cells)) + f" | {tally.seconds:.0f} | {tally.throughput:.1%} |")
    print(f"\nin {time.monotonic() - started:.0f} s")
    return int(any(tally.lost for tally in found))


if __name__ == "__main__":
    sys.exit(main())
