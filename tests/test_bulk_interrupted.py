"""A bulk run that is interrupted ends within seconds, and the next one goes on without making anything twice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from scripe import AsyncScripe, Scripe
from scripe._sync.client import set_clock
from scripe.emulator import Emulator
from scripe.emulator.server import Server
from scripe.types import BulkProgress, ItemState
from tests.support.clock import SleeplessClock

FILES = 12


class Archive:
    """Files to import, and an emulator behind a port, to which each upload takes a while."""

    def __init__(self, folder: Path, emulator: Emulator, server: Server) -> None:
        self.emulator = emulator
        self.server = server
        self.ledger = folder / "import.db"
        self.folder = folder / "files"
        self.folder.mkdir()
        for number in range(FILES):
            (self.folder / f"{number}.txt").write_text(f"What was said in episode {number}.")
        emulator.delay_next(0.4, 1000, path="/_storage")

    def finish(self) -> Mapping[ItemState, int]:
        """Run the import to its end, and return the files by state."""
        self.emulator.clear_faults()
        with Scripe(self.server.api_key, base_url=self.server.base_url) as client:
            set_clock(client, SleeplessClock())
            report = client.bulk.ingest(self.folder, project_id=self.emulator.project_id, ledger=self.ledger)
        return report.states


@pytest.fixture
def archive(tmp_path: Path) -> Generator[Archive]:
    with Emulator(queue_seconds=0, run_seconds=0) as emulator, emulator.serve() as server:
        yield Archive(tmp_path, emulator, server)


def press_ctrl_c(archive: Archive) -> None:
    def interrupt(progress: BulkProgress) -> None:
        raise KeyboardInterrupt

    with (
        Scripe(archive.server.api_key, base_url=archive.server.base_url) as client,
        suppress(KeyboardInterrupt),
    ):
        client.bulk.ingest(
            archive.folder,
            project_id=archive.emulator.project_id,
            ledger=archive.ledger,
            concurrency=2,
            on_update=interrupt,
        )


async def ingest_for_long(archive: Archive) -> None:
    async with AsyncScripe(archive.server.api_key, base_url=archive.server.base_url) as client:
        await client.bulk.ingest(
            archive.folder, project_id=archive.emulator.project_id, ledger=archive.ledger, concurrency=2
        )


def cancel_in_asyncio(archive: Archive) -> None:
    with suppress(TimeoutError):
        asyncio.run(asyncio.wait_for(ingest_for_long(archive), 1))


def cancel_in_trio(archive: Archive) -> None:
    async def cancel_soon() -> None:
        with trio.move_on_after(1):
            await ingest_for_long(archive)

    trio.run(cancel_soon)


@pytest.mark.parametrize("interrupt", [press_ctrl_c, cancel_in_asyncio, cancel_in_trio])
def test_an_interrupted_run_ends_soon_and_goes_on_later(
    archive: Archive, interrupt: Callable[[Archive], None]
) -> None:
    started = time.monotonic()
    interrupt(archive)
    assert time.monotonic() - started < 5
    assert [thread for thread in threading.enumerate() if thread.name == "scripe-bulk"] == []
    assert archive.emulator.count("sources") < FILES
    assert archive.finish() == {"done": FILES}
    assert archive.emulator.count("sources") == FILES
