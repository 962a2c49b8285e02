"""Contenders beside each other: each in its own process, in turn, round by round: the machine's moods hit all alike."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Self

from benchmarks import environments
from benchmarks.servers import pin

CONTENDERS = Path(__file__).parent / "contenders"
CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
HERE = CPUS[0] if len(CPUS) > 1 else None
THERE = CPUS[1] if len(CPUS) > 1 else None
"""The clients run on one processor, the server on another, where there are two."""


@dataclass(frozen=True)
class Contender:
    """One line of a table.

    Attributes:
        label: what the report calls it.
        environment: of `environments.PACKAGES`.
        module: of `contenders/`.
        case: of the module's `CASES`; or a whole program, where processes are measured.
        arguments: of the case.
        engine: `SCRIPE_HTTP`.

    """

    label: str
    environment: str
    module: str
    case: str
    arguments: tuple[str, ...] = ()
    engine: str = "httpx"

    def variables(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "SCRIPE_HTTP": self.engine, "SCRIPE_API_KEY": "scripe_sk_test_bench", **more}


@dataclass
class Result:
    """What one contender took, a figure for each round."""

    label: str
    rounds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def add(self, figures: Mapping[str, float]) -> None:
        for name, figure in figures.items():
            self.rounds.setdefault(name, []).append(figure)

    def typical(self, name: str) -> float:
        return median(self.rounds[name])

    def over(self, base: Result, name: str, less: Result | None = None) -> float:
        """The median of the rounds' ratios, after what `less` takes was taken off both."""
        off = less.rounds[name] if less else [0.0] * len(self.rounds[name])
        pairs = zip(self.rounds[name], base.rounds[name], off, strict=True)
        return median((mine - floor) / (theirs - floor) for mine, theirs, floor in pairs)


class Process:
    """A contender's process, which waits for batches."""

    def __init__(
        self, contender: Contender, arguments: Sequence[str], *, pinned: bool, **variables: str
    ) -> None:
        program = [environments.python(contender.environment), str(CONTENDERS / "worker.py")]
        self._running = subprocess.Popen(
            [*program, contender.module, contender.case, *arguments, *contender.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=contender.variables(**variables),
            preexec_fn=(lambda: pin(HERE)) if pinned else None,
        )
        self._label = contender.label

    def __enter__(self) -> Self:
        self._line()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.kill()
        self._running.communicate()

    def batch(self, count: int) -> dict[str, float]:
        assert self._running.stdin is not None
        self._running.stdin.write(f"{count}\n")
        self._running.stdin.flush()
        return {name: float(figure) for name, figure in json.loads(self._line()).items()}

    def _line(self) -> str:
        assert self._running.stdout is not None
        line = self._running.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._label} ended with {self._running.wait()}")
        return line


def in_batches(
    contenders: Sequence[Contender],
    arguments: Sequence[str],
    *,
    rounds: int,
    count: int,
    per_call: bool = True,
    pinned: bool = True,
    **variables: str,
) -> list[Result]:
    """So many rounds of batches of calls; microseconds for each call, unless the batch is one whole thing."""
    results = [Result(each.label) for each in contenders]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(Process(each, arguments, pinned=pinned, **variables)) for each in contenders
        ]
        for process in processes:
            if rounds > 1:
                process.batch(max(1, count // 10))
        for _ in range(rounds):
            for process, result in zip(processes, results, strict=True):
                took = process.batch(count)
                if per_call:
                    took |= {name: took[name] * 1e6 / count for name in ("wall", "cpu")}
                result.add(took)
    return results


def as_processes(contenders: Sequence[Contender], arguments: Sequence[str], *, rounds: int) -> list[Result]:
    """Whole programs, each a fresh process: milliseconds of CPU and wall, and the peak of memory in MB."""
    results = [Result(each.label) for each in contenders]
    for turn in range(rounds + 1):
        for contender, result in zip(contenders, results, strict=True):
            took = _once(contender, arguments)
            if turn:  # the first only warms the caches
                result.add(took)
    return results


def _once(contender: Contender, arguments: Sequence[str]) -> dict[str, float]:
    command = [environments.python(contender.environment), "-c", contender.case, *arguments]
    started = time.perf_counter()
    running = subprocess.Popen(command, env=contender.variables(), preexec_fn=lambda: pin(HERE))
    _, status, used = os.wait4(running.pid, 0)
    wall = time.perf_counter() - started
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise RuntimeError(f"{contender.label} ended with {running.returncode}")
    return {
        "wall": wall * 1000,
        "cpu": (used.ru_utime + used.ru_stime) * 1000,
        "peak": used.ru_maxrss / 1024,
    }


def can_count() -> bool:
    return shutil.which("valgrind") is not None


def instructions(contenders: Sequence[Contender], arguments: Sequence[str]) -> list[Result]:
    """Millions of instructions of whole programs, by valgrind: these hardly differ from run to run."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(partial(_counted, arguments=arguments), contenders))


def _counted(contender: Contender, arguments: Sequence[str]) -> Result:
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command = [*tool, environments.python(contender.environment), "-c", contender.case, *arguments]
    ran = subprocess.run(command, env=contender.variables(PYTHONHASHSEED="0"), capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode or found is None:
        raise RuntimeError(f"{contender.label} ended with {ran.returncode}: {ran.stderr[-500:]}")
    return Result(contender.label, {"instructions": [int(found[1]) / 1e6]})
