"""`scripts/soak`: calls under faults for ten minutes, and what the process holds meanwhile.

The emulator and the proxy run in a process of their own, which draws a fault for every third request. Memory, sockets
and threads of the clients' process are told each minute, after all calls of that minute have ended.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from scripe import AsyncScripe, Scripe, ScripeError
from tests._async.operations import OPERATIONS as ASYNC_OPERATIONS
from tests._sync.operations import OPERATIONS, Place
from tests.faults.proxy import Exchange, FaultProxy
from tests.faults.stand import furnished, unlimited
from tests.faults.table import ONCE

SLOW = {"one byte at a time", "black hole", "black hole after the work", "black hole in the answer"}
SKIPPED = {"jobs.cancel", "jobs.wait"}  # they need jobs of their own
ACTS = [fault.act for fault in ONCE if fault.act and not fault.over_tls and not fault.blocks_budget]


@dataclass(frozen=True)
class Held:
    """What the process holds."""

    megabytes: float
    sockets: int
    threads: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        files = [each for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
        sockets = sum(str(each.readlink()).startswith("socket:") for each in files)
        return cls(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, sockets, threading.active_count())


def serve(told: Connection, seed: int) -> None:
    """The emulator behind a proxy that draws faults, until told to end."""
    chance = random.Random(seed)

    def act(exchange: Exchange) -> None:
        if chance.random() < 2 / 3:
            exchange.send(exchange.forward())
        else:
            chance.choice(ACTS)(exchange)

    with unlimited(1000) as emulator, emulator.serve() as served:
        address = urlsplit(served.base_url)
        with FaultProxy((str(address.hostname), int(address.port or 0)), seed=str(seed)) as proxy:
            proxy.meet(act, times=1_000_000_000)
            told.send((proxy.base_url, served.api_key, furnished(emulator)))
            told.recv()


def _work(client: Scripe, place: Place, until: float, seed: int, ended: Counter[str]) -> None:
    chance = random.Random(seed)
    operations = [each for each in OPERATIONS if each.name not in SKIPPED]
    while time.monotonic() < until:
        try:
            chance.choice(operations).call(client, place, f"soak-{chance.getrandbits(64):x}")
        except ScripeError as error:
            ended[type(error).__name__] += 1
        else:
            ended["came out right"] += 1


async def _async_work(
    client: AsyncScripe, place: object, until: float, seed: int, ended: Counter[str]
) -> None:
    chance = random.Random(seed)
    operations = [each for each in ASYNC_OPERATIONS if each.name not in SKIPPED]
    while time.monotonic() < until:
        try:
            await chance.choice(operations).call(client, place, f"soak-{chance.getrandbits(64):x}")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        except ScripeError as error:
            ended[type(error).__name__] += 1
        else:
            ended["came out right"] += 1


def minutes(base_url: str, key: str, place: Place, count: float) -> tuple[list[Held], Counter[str]]:
    """Work for so many minutes; what was held after each."""
    ended: Counter[str] = Counter()
    held: list[Held] = []
    seeds = iter(range(1_000_000))

    async def rounds() -> None:
        with Scripe(key, base_url=base_url, timeout=0.5, total_timeout=3) as client:
            async with AsyncScripe(key, base_url=base_url, timeout=0.5, total_timeout=3) as async_client:
                begun = time.monotonic()
                while time.monotonic() - begun < count * 60:
                    until = time.monotonic() + min(60.0, count * 60)
                    with ThreadPoolExecutor(4) as pool:
                        works = [
                            pool.submit(_work, client, place, until, next(seeds), ended) for _ in range(4)
                        ]
                        await asyncio.gather(
                            *(_async_work(async_client, place, until, next(seeds), ended) for _ in range(8))
                        )
                        for work in works:
                            await asyncio.to_thread(work.result)
                    held.append(Held.now())
                    print(f"{len(held)} min: {held[-1]}, {ended.total():,} calls", file=sys.stderr)

    asyncio.run(rounds())
    return held, ended


def told(held: Sequence[Held], ended: Counter[str]) -> str:
    lines = ["| after | MB | sockets | threads |", "|---|---|---|---|"]
    lines += [
        f"| {at} min | {each.megabytes:.0f} | {each.sockets} | {each.threads} |"
        for at, each in enumerate(held, 1)
    ]
    counts = ", ".join(f"{name}: {count:,}" for name, count in ended.most_common())
    return "\n".join([*lines, "", f"{ended.total():,} calls; {counts}"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there, options.seed))
    server.start()
    base_url, key, place = here.recv()
    try:
        print(told(*minutes(base_url, key, place, options.minutes)))
    finally:
        here.send("end")
        server.join(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
