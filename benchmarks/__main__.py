"""`scripts/bench`: what scripe costs beside its engine and its peers, as Markdown.

Each contender has an environment and a process of its own; rounds of all of them are interleaved, and a ratio is the
median of the rounds' ratios. Clients run on one processor, the server on another.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import environments, rows
from benchmarks.measuring import Result


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="three rounds, a smaller file, no counting: under a minute"
    )
    parser.add_argument(
        "--only", default="", help="only tables whose name holds this, such as `single_calls`"
    )
    parser.add_argument("--write", type=Path, help="write the report to this file too")
    options = parser.parse_args()
    environments.make()
    started = time.monotonic()
    tables = rows.tables(options.only, lambda name: print(f"{name} …", file=sys.stderr), quick=options.quick)
    text = report(tables, time.monotonic() - started)
    print(text)
    if options.write:
        options.write.write_text(text)
    return 0


def report(tables: list[rows.Table], seconds: float) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(environments.versions().items()))
    lines = [
        "# Benchmarks",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `scripts/bench` in {seconds:.0f} s, on {_machine()}.",
        "",
        f"Versions: {versions}.",
        *(line for table in tables for line in ["", *_lines(table)]),
    ]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        named = [
            line.partition(":")[2].strip() for line in cpus.read_text().splitlines() if "model name" in line
        ]
        model = f"{len(named)} processors ({named[0]})" if named else model
    return f"{model}, {platform.system()}, Python {platform.python_version()}"


def _lines(table: rows.Table) -> list[str]:
    heads = ["", *(column.head for column in table.columns)]
    if table.base:
        heads += [f"{'speed' if table.more_is_better else table.ratio} ÷ {table.base}", "goal"]
    return [
        f"## {table.title[0].upper()}{table.title[1:]}",
        "",
        table.about,
        "",
        "| " + " | ".join(heads) + " |",
        "|---" + "|---:" * (len(heads) - 1) + "|",
        *(_line(table, result) for result in table.results),
    ]


def _line(table: rows.Table, result: Result) -> str:
    cells = [result.label, *(column.form.format(result.typical(column.name)) for column in table.columns)]
    if table.base:
        ratio, goal = table.ratio_of(result), table.goals.get(result.label)
        sign = "≥" if table.more_is_better else "≤"
        cells += ["" if ratio is None else f"{ratio:.3g}", "" if goal is None else f"{sign} {goal:g}"]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
