"""Thousands of files over a broken network, by a program that is killed ten times: each becomes one source."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial

from scripe.emulator import ReceivedRequest, Request, Response
from tests.faults.proxy import Exchange

from .imports import Import, proxy_of
from .keys import Scenario
from .season import Loss

FILES, COPIES, KILLS, WORKERS = 2_000, 40, 10, 8
FOR_EACH_KILL = WORKERS + 3
"""What is sent again after each kill: a request of each worker; the workspace, and up to two looks at the jobs."""

ATTEMPTS = 3
"""Failed attempts of an upload before a file gets another link."""

ON_PURPOSE = "on purpose"
PATHS = ("/uploads", "/sources", "/jobs", "/_storage/")


class Trouble:
    """Faults of the emulator and of the network, as often with each sort of request."""

    def __init__(self, trial: Import, choose: random.Random) -> None:
        self.requests = self.cuts = 0
        self._emulator = trial.emulator
        self._choose = choose
        self._emulator.add_observer(self._add_fault)

    def _add_fault(self, request: Request, response: Response) -> None:
        self.requests += request.in_api
        choose, emulator, number = self._choose, self._emulator, self._choose.random()
        path = next((path for path in PATHS if request.path.startswith(path)), None)  # the next one like this
        if path is None:
            return
        if number < 0.02:
            emulator.fail_next(choose.choice([500, 502, 503, 504]), path=path, message=ON_PURPOSE)
        elif number < 0.04:
            emulator.drop_next(before=choose.choice([True, False]), path=path)
        elif number < 0.044 and path != "/_storage/":
            emulator.fail_next(429, path=path, message=ON_PURPOSE, retry_after=choose.choice([0.1, 1]))

    def spares(self, exchange: Exchange) -> bool:
        """Return True unless the connection is to be cut during this request."""
        return exchange.method != b"PUT" or self._choose.random() > 0.02

    def cut(self, exchange: Exchange) -> None:
        """End the connection within the body of an upload."""
        self.cuts += 1
        exchange.take(self._choose.random())
        exchange.reset()


def scenarios(seed: int) -> Iterator[Scenario]:
    """Yield the only scenario."""
    yield f"{FILES:,} files, killed {KILLS} times", partial(run_killed, random.Random(f"crash/{seed}"))


def run_killed(choose: random.Random) -> Import:
    trial = Import(FILES, COPIES, shared_limit=120, rate_window=1, job_speed=60)
    trouble = Trouble(trial, choose)
    with trial.emulator.serve() as server, proxy_of(server) as proxy:
        proxy.meet(trouble.cut, times=10**9, spares=trouble.spares)
        for moment in sorted(choose.sample(range(2 * FILES), KILLS)):
            way = choose.choice(["sync", "asyncio", "trio"])
            child = trial.start(proxy.base_url, way=way)
            while trouble.requests < moment and child.poll() is None:
                time.sleep(0.005)
            time.sleep(choose.uniform(0, 0.5))
            child.kill()
            printed, _ = child.communicate()
            if child.returncode >= 0:
                raise Loss(f"ended with {child.returncode} before it was killed: {printed}")
        trial.finish(proxy.base_url, way=choose.choice(["sync", "asyncio", "trio"]))
        count_requests(trial, trouble)
        trial.run_again(proxy.base_url)
    trial.check_updates()
    return trial


def count_requests(trial: Import, trouble: Trouble) -> None:
    """Raise if there were more requests than the files, the faults and the kills explain."""
    requests = trial.emulator.requests
    calls = [request for request in requests if not request.storage]
    call_faults = sum(map(has_failed, calls))
    put_faults = trouble.cuts + sum(request.storage and has_failed(request) for request in requests)
    again = call_faults + put_faults // ATTEMPTS + FOR_EACH_KILL * KILLS
    allowed = 2 * FILES + FILES // 100 + 60 + again
    refused = sum(call.status == 429 and call.error_message != ON_PURPOSE for call in calls)
    trial.figures = (
        f"{len(calls):,} requests for {FILES:,} files ({allowed:,} allowed), with {call_faults} failed requests, "
        f"{put_faults} failed uploads, {KILLS} kills and {refused} requests above the rate limit"
    )
    if len(calls) > allowed:
        raise Loss(trial.figures)


def has_failed(request: ReceivedRequest) -> bool:
    """Return True if the request must be sent again."""
    return request.connection_dropped or request.status == 429 or request.status >= 500
