"""`scripts/faults`: the whole matrix on both engines, its counts, and what went wrong."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable

from tests.faults.matrix import WORLDS, Cell, Verdict, cells, run, sample

ENGINES = ("httpx", "httpx2")
COLUMNS = (
    "engine",
    "world",
    "cells",
    "faults met",
    "came out right",
    "raised",
    "writes attempted",
    "reported done",
    "records",
    "lost",
    "doubled",
    "longest past the deadline",
)


def main() -> int:
    options = _options()
    if options.engine:
        os.environ["SCRIPE_HTTP"] = options.engine
        return _run_engine(options)
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.faults", *sys.argv[1:], "--engine"]
    runs = [
        subprocess.Popen([*command, engine], stdout=subprocess.PIPE, text=True, encoding="utf-8")
        for engine in ENGINES
    ]
    told = [json.loads(each.communicate()[0] or "{}") for each in runs]
    rows = [row for each in told for row in each.get("rows", [])]
    problems = [problem for each in told for problem in each.get("problems", ["did not run"])]
    print(_table([COLUMNS, *rows]))
    total = sum(int(row[2]) for row in rows)
    print(f"\n{total:,} cells in {time.monotonic() - started:.0f} s, seed {options.seed}: ", end="")
    print(f"{len(problems)} problems" if problems else "nothing lost, nothing doubled, nothing left open")
    print("\n".join(problems))
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, help="so many cells of each engine instead of all")
    parser.add_argument(
        "--only", default="", help="only cells whose name holds this, such as 'black hole | notes'"
    )
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_engine(options: argparse.Namespace) -> int:
    wanted = sample(options.sample, options.seed) if options.sample else cells(options.seed)
    verdicts = list(_watched([cell for cell in wanted if options.only in cell.name], options.workers))
    told = {
        "rows": [_row(options.engine, world, verdicts) for world in WORLDS],
        "problems": [
            f"{options.engine} | {verdict.cell.name}: {problem}"
            for verdict in verdicts
            for problem in verdict.problems
        ],
    }
    print(json.dumps(told))
    return 0


def _watched(wanted: list[Cell], workers: int) -> Iterable[Verdict]:
    for count, verdict in enumerate(run(wanted, workers), 1):
        if count % 250 == 0 or count == len(wanted):
            print(f"{os.environ['SCRIPE_HTTP']}: {count:,} of {len(wanted):,} cells", file=sys.stderr)
        yield verdict


def _row(engine: str, world: str, verdicts: list[Verdict]) -> list[str]:
    mine = [verdict for verdict in verdicts if verdict.cell.world == world]
    writes = [verdict for verdict in mine if verdict.cell.operation.makes]
    figures = [
        len(mine),
        sum(verdict.was_met for verdict in mine),
        sum(not verdict.error for verdict in mine),
        sum(bool(verdict.error) for verdict in mine),
        len(writes),
        sum(verdict.is_done for verdict in writes),
        sum(verdict.records[verdict.cell.operation.makes[0]] for verdict in writes),
        sum(verdict.lost for verdict in writes),
        sum(verdict.doubled for verdict in writes),
    ]
    over = max((verdict.over for verdict in mine), default=0.0)
    return [engine, world, *map(str, figures), f"{over:.2f} s"]


def _table(rows: list[Iterable[str]]) -> str:
    cells_of = [list(row) for row in rows]
    widths = [max(len(row[at]) for row in cells_of) for at in range(len(COLUMNS))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells_of]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


if __name__ == "__main__":
    sys.exit(main())
