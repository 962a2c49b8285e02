"""An import of many files, the program that makes it in a process of its own, and what the emulator says was made."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio

from scripe import AsyncScripe, Ledger, Scripe
from scripe.emulator import Emulator, Server
from scripe.types import BulkProgress
from tests.faults.proxy import FaultProxy

from .season import Loss

MEMO = Path(__file__).parents[2] / "examples/files/memo.mp3"
COPY = " copy"
TERMINATED = 143
LONGEST_RUN = 200


class Import:
    """A folder of recordings, an emulator, a ledger, and the runs of the program.

    Args:
        files: How many recordings there are, each with a content of its own.
        copies: How many of them are there twice, under another name.
        source_cents: What a source takes from the spend cap.
        settings: Of the emulator.

    """

    def __init__(self, files: int, copies: int = 0, *, source_cents: int = 0, **settings: Any) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-trial-"))
        self.recordings, self.path = self.folder / "recordings", self.folder / "import.db"
        self.updates_path = self.folder / "updates.jsonl"
        self.recordings.mkdir()
        self.files, self.copies = files, copies
        self.emulator = Emulator(source_cents=source_cents, max_recorded_requests=10**6, **settings)
        self.project_id = self.emulator.project_id
        self.runs = self.persons = 0
        self.figures = ""
        self.is_checked = False  # by the scenario itself
        memo = MEMO.read_bytes()
        for number in range(files):
            self.path_of(number).write_bytes(memo + number.to_bytes(4, "big"))
        for number in range(copies):
            path = self.path_of(number * (files // copies))
            shutil.copy(path, path.with_stem(path.stem + COPY))  # the next one in the order of paths

    def path_of(self, number: int) -> Path:
        return self.recordings / f"ep{number:04}.mp3"

    def start(self, base_url: str, *, way: str = "sync", listens: bool = True) -> subprocess.Popen[str]:
        """Start the program as a process of its own; with `listens`, SIGTERM ends it like Ctrl-C."""
        self.runs += 1
        words = [self.emulator.api_key, base_url, self.project_id, self.recordings, self.path]
        words += [self.updates_path, way, int(listens)]
        command = [sys.executable, "-m", __name__, *map(str, words)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=hear_ctrl_c
        )

    def finish(self, base_url: str, *, way: str = "sync") -> None:
        """Run the program to its end."""
        child = self.start(base_url, way=way)
        try:
            printed, _ = child.communicate(timeout=LONGEST_RUN)
        except subprocess.TimeoutExpired:
            child.kill()
            printed, _ = child.communicate()
        if child.returncode != 0:
            raise Loss(f"ended with {child.returncode}: {printed}")

    def check(self) -> None:
        """Raise unless each content was made once, and the ledger has it."""
        if self.is_checked:
            return
        jobs, sources = self.emulator.count("jobs"), self.source_names()
        if jobs != self.files or sorted(sources.values()) != sorted(set(sources.values())):
            raise Loss(f"{jobs} jobs and {len(sources)} sources of {self.files} files")
        with Ledger(self.path) as ledger:
            states = [(item.state, item.result_id) for item in ledger.items()]
        if sorted(states) != sorted(("done", source_id) for source_id in sources):
            raise Loss(f"the ledger has not the {len(sources)} sources, but {states}")

    def run_again(self, base_url: str) -> None:
        """Run once more in this process; raise unless there is nothing left to do."""
        self.runs += 1
        self.emulator.clear_faults()
        before, wanted = len(self.emulator.requests), (self.files + self.copies, self.copies)
        with Scripe(self.emulator.api_key, base_url=base_url, rate_limiter=None) as client:
            report = client.bulk.ingest(self.recordings, project_id=self.project_id, ledger=self.path)
        if not report.is_complete or (report.files, report.duplicate_count) != wanted:
            raise Loss(f"in the end: {report}")
        if sent := self.emulator.requests[before + 1 :]:  # beside the workspace
            raise Loss(f"a run with nothing to do sent {sent}")

    def source_names(self) -> dict[str, str]:
        """Return the names of the sources by their ids; a copy has the name of its original."""
        services = self.emulator._services  # pyright: ignore[reportPrivateUsage] - the API does not list sources
        services.advance_due()
        records = services.database.execute("SELECT id, fields FROM records WHERE resource = 'sources'")
        return {row["id"]: str(json.loads(row["fields"])["name"]).replace(COPY, "") for row in records}

    def updates(self) -> list[Mapping[str, Any]]:
        """Return what `on_update` was called with, in all runs."""
        lines = self.updates_path.read_text().splitlines() if self.updates_path.exists() else []
        updates: list[Mapping[str, Any]] = []
        for line in lines:
            with suppress(ValueError):  # cut off by kill -9
                updates.append(json.loads(line))
        return updates

    def check_updates(self) -> None:
        """Raise if a figure exceeds 100%, or if less is done than before."""
        done = 0
        for update in self.updates():
            states = update["states"]
            if update["files"] != self.files + self.copies or sum(states.values()) != update["files"]:
                raise Loss(f"not 100% of the files: {update}")
            if not 0 <= update["bytes_sent"] <= update["bytes_total"] or states.get("done", 0) < done:
                raise Loss(f"more than 100%, or less done than before ({done}): {update}")
            done = states.get("done", 0)

    def describe(self) -> str:
        """Return the states of the ledger and the newest requests, for the report of a loss."""
        states: dict[str, int] = {}
        with Ledger(self.path) as ledger:
            for item in ledger.items():
                states[item.state] = states.get(item.state, 0) + 1
        requests = "\n".join(
            f"  {request.received_at:%H:%M:%S.%f} {request.method} {request.path} {request.status}"
            f"{' lost' if request.connection_dropped else ''}"
            for request in self.emulator.requests[-20:]
        )
        return f"ledger: {states}\nnewest requests:\n{requests}"


def proxy_of(server: Server) -> FaultProxy:
    """Return a proxy in front of a server, which can mistreat requests."""
    return FaultProxy(("127.0.0.1", urlsplit(server.base_url).port or 0))


def hear_ctrl_c() -> None:
    """Undo what a shell does that starts the trial in the background: its children would not hear Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def end(*_: object) -> None:
    """End like a program that cleans up when it is told to stop."""
    sys.exit(TERMINATED)


def peak_memory() -> int:
    """Return the largest size of this process in memory, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main(words: Iterable[str]) -> None:
    """Be the child process."""
    api_key, base_url, project_id, folder, path, updates_path, way, listens = words
    if int(listens):
        signal.signal(signal.SIGTERM, end)
    with Path(updates_path).open("a", buffering=1) as updates:

        def write(progress: BulkProgress) -> None:
            shown = ("files", "bytes_total", "bytes_sent", "states")
            updates.write(json.dumps({name: getattr(progress, name) for name in shown}) + "\n")

        async def ingest() -> object:
            async with AsyncScripe(api_key, base_url=base_url) as client:
                return await client.bulk.ingest(folder, project_id=project_id, ledger=path, on_update=write)

        if way == "sync":
            with Scripe(api_key, base_url=base_url) as client:
                print(client.bulk.ingest(folder, project_id=project_id, ledger=path, on_update=write))
        else:
            print(anyio.run(ingest, backend=way))


if __name__ == "__main__":
    main(sys.argv[1:])
