"""What the contenders share: batches of coroutines, and how much memory a process has taken meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path


def resident() -> float:
    """Megabytes of memory that the process holds now."""
    return _said("VmRSS:")


def grown_by(work) -> float:
    """Megabytes that the process grows by at most while it works; Linux tells, elsewhere it is 0."""
    if not Path("/proc/self/clear_refs").exists():
        work()
        return 0.0
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident()
    work()
    return _said("VmHWM:") - before


def _said(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def in_tasks(tasks: int, opened):
    """A batch of calls from so many tasks at once, on one loop; `opened()` gives the coroutine function to call."""
    runner = asyncio.Runner()

    async def prepared():
        return await opened()

    call = runner.run(prepared())

    async def work(count: int) -> None:
        left = iter(range(count))

        async def task() -> None:
            for _ in left:
                await call()

        await asyncio.gather(*(task() for _ in range(tasks)))

    def batch(count: int) -> None:
        runner.run(work(count))

    batch(tasks)
    return batch


def in_turn(call):
    """A batch of calls, one after the other."""

    def batch(count: int) -> None:
        for _ in range(count):
            call()

    batch(3)
    return batch
