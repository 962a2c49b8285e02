"""Faults, operations, worlds: each cell is one call on a real socket, judged by what the server holds afterwards.

In each cell either the call comes out right, or it raises an error of the tree, in time; the server holds exactly one
record for each write that was reported done; and going on with the same key after an error makes that one record.
"""

from __future__ import annotations

import asyncio
import queue
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeAlias, cast

import trio
import trustme

from scripe import APIConnectionError, NotCancellableError, ScripeError
from tests._async.operations import OPERATIONS as ASYNC_OPERATIONS
from tests._async.trial import async_trial
from tests._sync.operations import OPERATIONS, Operation, Place
from tests._sync.trial import Trial, trial
from tests.faults.proxy import Exchange, FaultProxy
from tests.faults.stand import DEADLINE, TIMEOUT, Stand, open_stand
from tests.faults.table import FAULTS, Fault

World: TypeAlias = Literal["sync", "asyncio", "trio"]
WORLDS: tuple[World, ...] = ("sync", "asyncio", "trio")

ALLOWED: Mapping[World, float] = {"sync": TIMEOUT, "asyncio": 0.0, "trio": 0.0}
"""Seconds past the deadline that are promised: sync, a read that blocks ends with its timeout."""

SLACK = 6.0
"""Seconds that a busy machine may take on top; what hangs in the proxy hangs for 20."""


@dataclass(frozen=True)
class Cell:
    """One call of the matrix."""

    fault: Fault
    operation: Operation
    world: World
    seed: int

    @property
    def name(self) -> str:
        return f"{self.fault.name} | {self.operation.name} | {self.world}"


@dataclass
class Verdict:
    """What became of a cell.

    Attributes:
        was_met: whether the fault met the call.
        error: the class of what the call raised; empty if it came out right.
        over: seconds past the deadline.
        is_done: whether the write was reported done, by the call or by going on after it.
        records: how many records of each kind that this write makes the server then held.
        problems: what is wrong; empty if nothing is.

    """

    cell: Cell
    was_met: bool = False
    error: str = ""
    over: float = 0.0
    is_done: bool = False
    records: dict[str, int] = field(default_factory=dict[str, int])
    problems: list[str] = field(default_factory=list[str])

    @property
    def lost(self) -> int:
        return sum(count == 0 for count in self.records.values()) if self.is_done else 0

    @property
    def doubled(self) -> int:
        return sum(count > 1 for count in self.records.values())


def cells(seed: int = 0) -> list[Cell]:
    """The whole matrix."""
    return [
        Cell(fault, operation, world, seed)
        for fault in FAULTS
        for operation in OPERATIONS
        for world in WORLDS
    ]


def sample(count: int, seed: int) -> list[Cell]:
    """So many cells, the same for the same seed; each fault about as often."""
    every = cells(seed)
    random.Random(seed).shuffle(every)
    turn: Counter[str] = Counter()
    ranked: list[tuple[int, int, Cell]] = []
    for at, cell in enumerate(every):
        turn[cell.fault.name] += 1
        ranked.append((turn[cell.fault.name], at, cell))
    return [cell for _, _, cell in sorted(ranked, key=lambda each: each[:2])[:count]]


def run(wanted: Iterable[Cell], workers: int) -> Iterator[Verdict]:
    """Run cells side by side, each worker with servers and proxies of its own."""
    authority = trustme.CA()
    stands: queue.SimpleQueue[tuple[Stand, Stand]] = queue.SimpleQueue()

    def judged(cell: Cell) -> Verdict:
        moving, still = stands.get()
        try:
            return run_cell(cell, still if cell.operation.is_patient else moving)
        finally:
            stands.put((moving, still))

    with ExitStack() as stack:
        for _ in range(workers):
            moving, still = (stack.enter_context(open_stand(authority, speed)) for speed in (50.0, 0.0))
            stands.put((moving, still))
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(judged, wanted)


def run_cell(cell: Cell, stand: Stand) -> Verdict:
    chance = random.Random(f"{cell.seed} {cell.name}")
    proxy = stand.tls if cell.fault.over_tls else stand.plain
    proxy.seed(f"{cell.seed} {cell.name}")
    verdict, key, place = Verdict(cell), f"cell-{chance.getrandbits(64):x}", stand.place()
    before, middle = stand.counts(), dict[str, int]()
    skip = 0 if cell.fault.on_connect or cell.fault.refuses else chance.randrange(cell.operation.requests)
    _begin(cell.fault, proxy, skip)

    def calm_down() -> bool:
        proxy.settle()
        proxy.meet(None)
        time.sleep(cell.fault.refuses)
        middle.update(stand.counts())
        verdict.was_met = bool(proxy.met or cell.fault.refuses)
        verdict.problems += _rotated_again(cell, proxy)
        return cell.fault.blocks_budget

    found = _tried(cell, stand, proxy, place, key, calm_down)
    _judge_calls(verdict, found, key, stand.emulator.api_key)
    _judge_records(verdict, found, before, middle, stand.counts())
    verdict.problems += _left_open(proxy)
    return verdict


def _begin(fault: Fault, proxy: FaultProxy, skip: int) -> None:
    def spares(exchange: Exchange) -> bool:
        return fault.spares_storage and exchange.method == b"PUT"

    proxy.meet(fault.act, skip=skip, times=fault.times, on_connect=fault.on_connect, spares=spares)
    if fault.refuses:
        proxy.refuse_for(fault.refuses)


def _tried(
    cell: Cell, stand: Stand, proxy: FaultProxy, place: Place, key: str, calm_down: Callable[[], bool]
) -> Trial:
    if cell.world == "sync":
        return trial(partial(stand.client, proxy), cell.operation, place, key, calm_down)
    operation = next(each for each in ASYNC_OPERATIONS if each.name == cell.operation.name)
    made = partial(stand.async_client, proxy)

    async def tried() -> Trial:
        return cast("Trial", await async_trial(made, operation, place, key, calm_down))  # type: ignore[arg-type]

    return trio.run(tried) if cell.world == "trio" else asyncio.run(tried())


def _judge_calls(verdict: Verdict, found: Trial, key: str, secret: str) -> None:
    """What was raised: of the tree, in time, with the key to go on, without a secret, and not for nothing."""
    cell, error = verdict.cell, found.error
    verdict.over = max(0.0, found.elapsed - DEADLINE)
    if verdict.over > ALLOWED[cell.world] + SLACK:
        verdict.problems.append(f"{verdict.over:.1f} s past the deadline")
    if found.later is not None and not _is_settled(cell, found.later):
        verdict.problems.append(f"unusable afterwards: {found.later!r}")
    if error is None:
        return
    verdict.error = type(error).__name__
    if not isinstance(error, ScripeError):
        verdict.problems.append(f"an error out of the tree: {error!r}")
        return
    if cell.operation.has_key and error.idempotency_key != key:
        verdict.problems.append(f"{error!r} carries {error.idempotency_key!r}, not the call's key")
    if secret in "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)):
        verdict.problems.append(f"{type(error).__name__} shows the API key")
    if _should_recover(cell):
        verdict.problems.append(f"one passing fault ended the call: {error!r}")


def _should_recover(cell: Cell) -> bool:
    hears_nothing = cell.fault.is_silent and cell.operation.is_held
    return cell.fault.recovers and cell.operation.repeats and not hears_nothing


def _is_settled(cell: Cell, later: Exception) -> bool:
    """Whether what went wrong later is right: a cancel that worked although its caller was not told cannot work again;
    and what may not be sent again does not survive the rubbish that an answer left on its connection."""
    is_cancelled = cell.operation.name == "jobs.cancel" and isinstance(later, NotCancellableError)
    leaves_rubbish = cell.fault.name == "length too small" and not cell.operation.repeats
    return is_cancelled or (leaves_rubbish and isinstance(later, APIConnectionError))


def _judge_records(
    verdict: Verdict, found: Trial, before: dict[str, int], middle: dict[str, int], after: dict[str, int]
) -> None:
    makes = verdict.cell.operation.makes
    verdict.is_done = found.error is None or found.later is None
    for kind in makes:
        at_first, at_last = middle[kind] - before[kind], after[kind] - before[kind]
        verdict.records[kind] = at_last
        if at_first > 1 or at_last > 1:
            verdict.problems.append(f"{at_last} {kind} of one write")
        if (found.error is None and at_first == 0) or (verdict.is_done and at_last == 0):
            verdict.problems.append(f"reported done, and none of its {kind} is there")


def _rotated_again(cell: Cell, proxy: FaultProxy) -> list[str]:
    """A rotation that may have arrived is never sent again; what the proxy doubles is not the client's doing."""
    arrived = sum(each.path.endswith("/rotate-secret") for each in proxy.sent)
    return ["a rotation was sent again"] if arrived > 1 and cell.fault.name != "request twice" else []


def _left_open(proxy: FaultProxy) -> list[str]:
    until = time.monotonic() + 30
    while (count := proxy.open_connections()) and time.monotonic() < until:
        time.sleep(0.01)
    return [f"{count} connections left open"] if count else []
