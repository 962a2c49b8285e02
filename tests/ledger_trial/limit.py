"""The rate limit of a bulk run, by the emulator's log of arrivals; and what a plan says of it beforehand."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from scripe import RateLimiter
from scripe._async import client as async_clients
from scripe._sync import client as clients
from scripe.emulator import Clock
from scripe.emulator.client import AsyncEmulatorClock, EmulatorClock, EmulatorTime
from scripe.types import BulkPlan

from .imports import Import
from .keys import Scenario
from .season import Loss

FILES = 500
MOST_REQUESTS = 2 * FILES + FILES // 100 + 60
LIMIT, SHARE, WINDOW = 120, 0.8, timedelta(seconds=60)
OWN_LIMIT = int(SHARE * LIMIT)
OTHERS = 20
"""Calls of other people in each window, fewer than the run leaves to them."""

MIN_USE, REQUESTS_WITHIN, TIME_WITHIN = 0.95, 0.01, 0.05
LONGEST_REQUEST = 5.0  # in real time


class Patience:
    """Waits in real time until no request is in flight.

    The emulator's clock moves on where a client in this process would sleep. With several workers it would move on
    while the requests of the others are in flight, and these would seem to take as long as the sleep.
    """

    def __init__(self, limiter: RateLimiter, now: Callable[[], float], seconds: float) -> None:
        self._limiter = limiter
        self._now = now
        self.moment = now() + seconds
        self._until = time.monotonic() + LONGEST_REQUEST

    def is_needed(self) -> bool:
        """Return True if the clock must not move on yet."""
        if self._now() >= self.moment or time.monotonic() > self._until:
            return False
        buckets = list(self._limiter._buckets.values())  # pyright: ignore[reportPrivateUsage]
        return any(bucket.in_flight for bucket in buckets)


class PatientClock(EmulatorClock):
    """Moves the emulator's clock on when no request is in flight."""

    def __init__(self, time: EmulatorTime, limiter: RateLimiter, move_on: Callable[[float], object]) -> None:
        super().__init__(time)
        self._limiter = limiter
        self._move_on = move_on

    def sleep(self, seconds: float) -> None:
        patience = Patience(self._limiter, self.now, seconds)
        while patience.is_needed():
            time.sleep(0.0005)
        self._move_on(patience.moment)


class AsyncPatientClock(AsyncEmulatorClock):
    """Moves the emulator's clock on when no request is in flight."""

    def __init__(self, time: EmulatorTime, limiter: RateLimiter, move_on: Callable[[float], object]) -> None:
        super().__init__(time)
        self._limiter = limiter
        self._move_on = move_on

    async def sleep(self, seconds: float) -> None:
        patience = Patience(self._limiter, self.now, seconds)
        while patience.is_needed():  # noqa: ASYNC110 - a limiter has no event to wait for
            await asyncio.sleep(0.0005)
        self._move_on(patience.moment)


class Others:
    """People who use the same workspace: some calls in each minute, all at once, without a rate limiter."""

    def __init__(self, trial: Import, calls: int) -> None:
        self.sent = 0
        self._emulator = trial.emulator
        self._calls = calls
        self._next = self._emulator.clock.now()

    def use(self) -> None:
        """Make the calls of this minute, unless that was done."""
        now = self._emulator.clock.now()
        if not self._calls or now < self._next:
            return
        self._next = now + WINDOW
        with self._emulator.client(rate_limiter=None, max_retries=0) as client:
            for _ in range(self._calls):
                client.projects.list().first()
                self.sent += 1


def scenarios(seed: int) -> Iterator[Scenario]:
    """Yield a run of each client, and one beside other people."""
    choose = random.Random(f"limit/{seed}")
    for way, others in (("sync", 0), ("asyncio", 0), (choose.choice(["sync", "asyncio"]), OTHERS)):
        name = f"{FILES} files, {SHARE:.0%} of {LIMIT} calls a minute"
        yield name, partial(run_by_the_clock, way, choose.choice([4, 8, 16]), others)


def run_by_the_clock(way: str, concurrency: int, others: int) -> Import:
    """Plan, run, and compare."""
    clock = Clock(datetime(2026, 5, 1, 9, tzinfo=UTC), frozen=True)
    trial = Import(FILES, clock=clock, shared_limit=LIMIT)
    with trial.emulator.client() as client:
        plan = client.bulk.plan(trial.recordings, project_id=trial.project_id)
    clock.advance(WINDOW)
    trial.emulator.clear_requests()
    begin, trial.runs = clock.now(), 1
    people, times, limiter = Others(trial, others), EmulatorTime(clock), RateLimiter()

    def move_on(moment: float) -> None:
        if times.now() < moment:
            people.use()  # when the run has used its share
            times.advance_to(moment)

    ingest: dict[str, Any] = {
        "files": trial.recordings,
        "project_id": trial.project_id,
        "ledger": trial.path,
        "concurrency": concurrency,
        "rate_limit_share": SHARE,
    }
    if way == "sync":
        with trial.emulator.client(rate_limiter=limiter) as client:
            clients.set_clock(client, PatientClock(times, limiter, move_on))
            client.bulk.ingest(**ingest)
    else:

        async def run() -> None:
            async with trial.emulator.async_client(rate_limiter=limiter) as async_client:
                async_clients.set_clock(async_client, AsyncPatientClock(times, limiter, move_on))
                await async_client.bulk.ingest(**ingest)

        asyncio.run(run())
    seconds = (clock.now() - begin).total_seconds()
    trial.figures = f"{way}, {concurrency} uploads: "
    check_arrivals(trial, concurrency, people.sent)
    if not others:
        check_plan(trial, plan, seconds)
    return trial


def check_arrivals(trial: Import, concurrency: int, others: int) -> None:
    """Raise if there was a window above the limit or the share, or if the share was not used."""
    calls = [request for request in trial.emulator.requests if not request.storage]
    own = [call.received_at for call in calls if not call.path.startswith("/projects")]
    last = max(call.received_at for call in calls if call.method == "POST")  # while files were left
    windows = (last - own[0]) // WINDOW
    used = sum(call.received_at < own[0] + windows * WINDOW for call in calls) / (windows * OWN_LIMIT)
    most, most_own = largest_window([call.received_at for call in calls]), largest_window(own)
    trial.figures += f"{most_own} calls in a window at most, {used:.1%} of the share used"
    trial.figures += f", {most} in all with {others} of other people" if others else ""
    # The client counts reads, links and other writes apart; so it may see too late what is in flight of the others.
    if most > LIMIT or most_own > OWN_LIMIT + concurrency or used < MIN_USE:
        raise Loss(trial.figures)
    if refused := sum(call.status == 429 for call in calls):
        raise Loss(f"{trial.figures}, {refused} refused")


def largest_window(arrivals: Sequence[datetime]) -> int:
    """Return how many arrivals there were in any window."""
    begin = most = 0
    for end, arrival in enumerate(arrivals):
        while arrival - arrivals[begin] >= WINDOW:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def check_plan(trial: Import, plan: BulkPlan, seconds: float) -> None:
    """Raise if the plan was wrong."""
    requests = sum(not request.storage for request in trial.emulator.requests)
    requests_off = requests / plan.requests - 1
    time_off = seconds / plan.request_seconds - 1
    trial.figures += (
        f"; {requests:,} requests in {seconds:.0f} s, the plan said {plan.requests:,} in {plan.request_seconds:.0f} s "
        f"({requests_off:+.1%}, {time_off:+.1%})"
    )
    if abs(requests_off) > REQUESTS_WITHIN or abs(time_off) > TIME_WITHIN or requests > MOST_REQUESTS:
        raise Loss(trial.figures)
