"""`scripts/ledger-trial`: run the parts, print a line for each kind of scenario, and stop at the first loss."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import cancellation, crash, interruption, keys, limit, memory, processes, settle
from .imports import Import
from .keys import Scenario, Trial
from .season import Season


def key_scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield those of all modules that are about keys."""
    yield from keys.scenarios(seed, seconds)
    yield from cancellation.scenarios()
    yield from processes.scenarios(seed, 1.5 * seconds)


def people_scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield those of all modules that are about people."""
    yield from processes.people(seed, seconds)
    yield from interruption.scenarios(seed)


def bulk(scenarios: Callable[[int], Iterator[Scenario]]) -> Callable[[int, float], Iterator[Scenario]]:
    """Return the function of a part that takes the time that it takes."""
    return lambda seed, _: scenarios(seed)


PARTS: dict[str, Callable[[int, float], Iterator[Scenario]]] = {
    "keys": key_scenarios,
    "settle": settle.scenarios,
    "crash": bulk(crash.scenarios),
    "limit": bulk(limit.scenarios),
    "memory": bulk(memory.scenarios),
    "people": people_scenarios,
}


@dataclass
class Line:
    """What is printed of one kind of scenario."""

    name: str
    scenarios: int = 0
    runs: int = 0
    persons: int = 0
    started: float = 0.0
    figures: list[str] = field(default_factory=list[str])

    def print(self) -> None:
        seconds = time.monotonic() - self.started
        told = f", a person settled {self.persons}" if self.persons else ""
        print(f"{self.name}: {self.scenarios} scenarios, {self.runs} runs, {seconds:.1f} s{told}")
        print("".join(f"    {figures}\n" for figures in self.figures), end="", flush=True)


def main() -> int:
    options = _options()
    logging.disable(logging.WARNING)  # each new ledger is announced
    started, total = time.monotonic(), 0
    for part in options.parts or PARTS:
        count = run_part(part, PARTS[part](options.seed, options.seconds))
        if count is None:
            return 1
        total += count
    print(
        f"{total} scenarios in {time.monotonic() - started:.0f} s, seed {options.seed}: nothing lost or doubled"
    )
    return 0


def run_part(part: str, scenarios: Iterator[Scenario]) -> int | None:
    """Run the scenarios; return their number, or None after the first loss."""
    total, line = 0, Line("")
    for name, scenario in scenarios:
        name = f"{part}: {name}"
        if name != line.name:
            if line.scenarios:
                line.print()
            line = Line(name, started=time.monotonic())
        trial = None
        try:
            trial = scenario()
            if trial is not None:
                trial.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
            print(f"LOSS in {name}: {scenario}")
            traceback.print_exc(file=sys.stdout)
            lost = _trial_of(error) or trial
            if lost is not None:
                print(lost.describe())
            return None
        total, line.scenarios = total + 1, line.scenarios + 1
        if trial is not None:
            line.runs, line.persons = line.runs + trial.runs, line.persons + trial.persons
            line.figures += [trial.figures] if trial.figures else []
            trial.emulator.close()
            shutil.rmtree(trial.folder)
    line.print()
    return total


def _trial_of(error: Exception) -> Trial | None:
    """Find what a scenario was tried on, in the frames of its error."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        names = ("season", "trial", "self")
        found = next((frame.f_locals[name] for name in names if name in frame.f_locals), None)
        if isinstance(found, Season | Import):
            return found
    return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/ledger-trial", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="the parts to run (all)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of what is random (1)")
    parser.add_argument(
        "--seconds", type=float, default=40.0, help="for how long each part tries random ones (40)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
