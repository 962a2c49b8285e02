"""Bulk runs that people interrupt: they end within seconds, and the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tests.faults.proxy import Exchange

from .imports import TERMINATED, Import, proxy_of
from .keys import Scenario
from .processes import PERIOD, wait_until
from .season import Loss

UPLOADS, SIZE, PARTS, PAUSE = 8, 16_000_000, 200, 0.1
LONGEST_END = 5.0
WAYS = ("sync", "asyncio", "trio")


@dataclass(frozen=True)
class Ending:
    """How a program is told to end, and how it then ends."""

    name: str
    signal: signal.Signals
    codes: tuple[int, ...]
    listens: bool = True  # to SIGTERM


CTRL_C = Ending("Ctrl-C", signal.SIGINT, (130, -signal.SIGINT))
SIGTERM = Ending("SIGTERM", signal.SIGTERM, (TERMINATED,))
KILLED = Ending("SIGTERM without a handler", signal.SIGTERM, (-signal.SIGTERM,), listens=False)


def drip(exchange: Exchange) -> None:
    """Take the body of an upload slowly."""
    for _ in range(PARTS):
        exchange.take(1 / PARTS)
        time.sleep(PAUSE)
    exchange.close()


def hang(exchange: Exchange) -> None:
    """Let the server do it, and say nothing."""
    exchange.forward()
    exchange.hang()


@dataclass(frozen=True)
class Trouble:
    """What makes the requests of a kind take long."""

    act: Callable[[Exchange], None]
    start: bytes

    def spares(self, exchange: Exchange) -> bool:
        """Return True if it is another request, or the upload of a small file."""
        is_small = self.act is drip and b"ength: %d" % SIZE not in exchange.head
        return is_small or not exchange.head.startswith(self.start)


SLOW_UPLOADS = Trouble(drip, b"PUT ")
NO_RESPONSES = (Trouble(hang, b"PUT "), Trouble(hang, b"POST /v1/sources "))


def scenarios(seed: int) -> Iterator[Scenario]:
    """Yield the scenarios of this part."""
    choose = random.Random(f"interruption/{seed}")
    for ending, ways in ((CTRL_C, WAYS), (SIGTERM, choose.sample(WAYS, 1)), (KILLED, choose.sample(WAYS, 1))):
        for way in ways:
            name = f"{ending.name} while {UPLOADS} uploads run, then the same import"
            yield name, partial(run_interrupted, SLOW_UPLOADS, ending, way, choose)
    for trouble, way in zip(NO_RESPONSES, choose.sample(WAYS, len(NO_RESPONSES)), strict=True):
        name = "Ctrl-C while nothing is answered, then the same import"
        yield name, partial(run_interrupted, trouble, CTRL_C, way, choose)


def run_interrupted(trouble: Trouble, ending: Ending, way: str, choose: random.Random) -> Import:
    """Interrupt a run in the middle, and run it again to its end."""
    trial = Import(4 * UPLOADS, shared_limit=10**6, job_speed=60)
    for number in range(UPLOADS, 2 * UPLOADS):
        os.truncate(trial.path_of(number), SIZE)
    with trial.emulator.serve() as server, proxy_of(server) as proxy:
        proxy.meet(trouble.act, times=10**9, spares=trouble.spares)
        child = trial.start(proxy.base_url, way=way, listens=ending.listens)
        wait_until(lambda: proxy.met >= UPLOADS)
        time.sleep(choose.uniform(0, 1))
        started = time.monotonic()
        child.send_signal(ending.signal)
        printed, _ = child.communicate(timeout=PERIOD)
        seconds = time.monotonic() - started
        trial.figures = f"{way}: {seconds:.1f} s"
        if seconds > LONGEST_END or child.returncode not in ending.codes:
            raise Loss(f"ended after {seconds:.1f} s with {child.returncode}: {printed}")
        proxy.meet(None)
        trial.finish(proxy.base_url, way=choose.choice(WAYS))
        trial.run_again(proxy.base_url)
    trial.check_updates()
    return trial
