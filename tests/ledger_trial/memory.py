"""The memory and the disk that many planned files take."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from scripe import Scripe

from .imports import Import, peak_memory
from .keys import Scenario
from .season import Loss

FEW, MANY, IN_A_FOLDER = 1_000, 100_000, 1_000
MAX_GROWTH, MAX_SIZE = 10e6, 30e6
WORKERS = 8
LONGEST_RUN = 180


def scenarios(seed: int) -> Iterator[Scenario]:
    """Yield the only scenario."""
    yield f"{FEW:,} and {MANY:,} files while the spend cap is reached", partial(run_planned, seed)


def run_planned(seed: int) -> Import:
    """Let a process plan few files, and another one many; compare their memory."""
    trial, peaks, size = Import(0, source_cents=10), list[int](), 0
    trial.is_checked = True  # nothing is made
    with trial.emulator.serve() as server:
        for count in (FEW, MANY):
            folder, path = trial.folder / f"{count} files", trial.folder / f"{count}.db"
            started = time.monotonic()
            make_files(folder, count, seed)
            made, started = time.monotonic() - started, time.monotonic()
            trial.emulator.set_spend_remaining(0)
            words = (server.api_key, server.base_url, trial.project_id, folder, path, count)
            peaks.append(plan_files(trial, *map(str, words)))
            size = sum(file.stat().st_size for file in trial.folder.glob(f"{path.name}*"))
            trial.figures = (
                f"{count:,} files made in {made:.1f} s, planned in {time.monotonic() - started:.1f} s"
            )
    growth = peaks[1] - peaks[0]
    trial.figures += (
        f"; memory {peaks[0] / 1e6:.1f} MB, then {peaks[1] / 1e6:.1f} MB ({growth / 1e6:+.1f}); ledger "
        f"{size / 1e6:.1f} MB on disk"
    )
    if growth > MAX_GROWTH or size > MAX_SIZE or trial.emulator.count("jobs"):
        raise Loss(trial.figures)
    return trial


def make_files(folder: Path, count: int, seed: int) -> None:
    """Make tiny files, each with a content of its own."""
    for number in range(count):
        path = path_of(folder, number)
        if number % IN_A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_text(f"{seed}/{number}")


def path_of(folder: Path, number: int) -> Path:
    return folder / f"Season {number // IN_A_FOLDER:03}" / f"Episode {number:06}, one of many.txt"


def plan_files(trial: Import, *words: str) -> int:
    """Run the child process; return its largest size in memory."""
    trial.runs += 1
    child = subprocess.run(
        [sys.executable, "-m", __name__, *words], capture_output=True, text=True, timeout=LONGEST_RUN
    )
    planned, _, peak = child.stdout.strip().partition(" ")
    if child.returncode or int(planned) < int(words[-1]) - 2 * WORKERS:
        raise Loss(f"ended with {child.returncode}: {child.stdout}{child.stderr}")
    return int(peak)


def main(api_key: str, base_url: str, project_id: str, folder: str, path: str, count: str) -> None:
    """Be the child process."""
    paths = (path_of(Path(folder), number) for number in range(int(count)))
    with Scripe(api_key, base_url=base_url) as client:
        report = client.bulk.ingest(paths, project_id=project_id, ledger=path, at_spend_cap="stop")
    print(report.states.get("planned", 0), peak_memory())


if __name__ == "__main__":
    main(*sys.argv[1:])
