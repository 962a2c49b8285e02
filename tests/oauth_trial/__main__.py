"""`scripts/oauth-trial`: run the groups, print a line for each kind of scenario, and stop at the first loss."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module

from .processes import Loss
from .worlds import Scenario

GROUPS = ("once", "ends", "browser", "clients", "servers", "orders")


@dataclass
class Line:
    """What is printed of one kind of scenario."""

    name: str
    scenarios: int = 0
    started: float = field(default_factory=time.monotonic)
    notes: list[str] = field(default_factory=list[str])

    def print(self) -> None:
        seconds = time.monotonic() - self.started
        print(f"{self.name}: {self.scenarios} scenarios, {seconds:.1f} s", flush=True)
        for note in dict.fromkeys(self.notes):
            print(f"    {note}", flush=True)


def main() -> int:
    options = _options()
    logging.disable(logging.CRITICAL)  # refreshes that fail on purpose
    warnings.simplefilter("error", ResourceWarning)
    faulthandler.enable()
    # A shell that starts the trial in the background lets it ignore Ctrl-C, and what it starts would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started, total = time.monotonic(), 0
    for group in options.only or GROUPS:
        module = import_module(f"{__package__}.{group}")
        try:
            count = run_group(group, module.scenarios(options.seed, options.seconds))
        except Loss as error:  # what a group needs is missing
            print(f"LOSS in {group}: {error}")
            count = None
        if count is None:
            print(f"The seed was {options.seed}: scripts/oauth-trial --only {group} --seed {options.seed}")
            return 1
        total += count
    print(f"{total} scenarios in {time.monotonic() - started:.0f} s, seed {options.seed}: no login lost")
    return 0


def run_group(group: str, scenarios: Iterator[Scenario]) -> int | None:
    """Run the scenarios; return their number, or None after the first loss."""
    total, line = 0, Line("")
    for name, scenario in scenarios:
        name = f"{group}: {name}"
        if name != line.name:
            if line.scenarios:
                line.print()
            line = Line(name)
        try:
            note = scenario()
        except Exception:  # noqa: BLE001 - whatever it is, it is shown
            print(f"LOSS in {name}: {describe(scenario)}")
            traceback.print_exc(file=sys.stdout)
            return None
        total, line.scenarios = total + 1, line.scenarios + 1
        if isinstance(note, str):
            line.notes.append(note)
    line.print()
    return total


def describe(scenario: Callable[[], object]) -> str:
    if isinstance(scenario, partial):
        return f"{scenario.func.__name__}{scenario.args}"
    return scenario.__name__


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/oauth-trial", description=__doc__)
    parser.add_argument("--only", action="append", choices=GROUPS, help="a group to run (all)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of what is random (1)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long random orders are tried (60)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
