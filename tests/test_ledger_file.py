"""The ledger's file: what is refused, who may use it at once, and what it costs."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from scripe import (
    APITimeoutError,
    AsyncScripe,
    InvalidArgumentError,
    Ledger,
    LedgerError,
    LedgerItem,
    Note,
    Scripe,
)
from scripe._ledger import ItemTaken, store_of
from scripe.emulator import Clock, Emulator, Request, Response
from tests.conftest import KEY


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(clock=Clock(datetime(2026, 5, 1, 9, tzinfo=UTC), frozen=True))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "season.db"


def note(emulator: Emulator, path: Path | Ledger, key: str = "one") -> Note:
    with emulator.client(ledger=path) as client:
        return client.notes.create(project_id=emulator.project_id, content="Idea.", idempotency_key=key)


# What is refused, before anything is sent


def prepare_newer(path: Path) -> None:
    Ledger(path).close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE meta SET value = '99' WHERE name = 'version'")
    database.close()


def prepare_foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE songs (title TEXT)")
    database.close()


def prepare_text(path: Path) -> None:
    path.write_text("This is not a database. " * 100)


def prepare_folder(path: Path) -> None:
    path.mkdir()


def prepare_lockless(path: Path) -> None:
    path.with_name(f"{path.name}.lock").mkdir()


Prepare = Callable[[Path], None]
REFUSED: tuple[Prepare, ...] = (
    prepare_newer,
    prepare_foreign,
    prepare_text,
    prepare_folder,
    prepare_lockless,
)


@pytest.mark.parametrize("prepare", REFUSED)
def test_a_file_that_is_no_ledger_is_refused(path: Path, prepare: Prepare) -> None:
    prepare(path)
    with pytest.raises(LedgerError) as caught:
        Scripe(KEY, ledger=path)
    assert str(path) in str(caught.value)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as caught:
        Scripe(KEY, ledger=tmp_path / "nowhere" / "season.db")
    assert "nowhere" in str(caught.value)


def test_a_ledger_is_a_path_or_a_ledger() -> None:
    with pytest.raises(LedgerError):
        Scripe(KEY, ledger=7)  # type: ignore[arg-type]


def test_a_closed_ledger_sends_nothing(emulator: Emulator, path: Path) -> None:
    ledger = Ledger(path)
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError):
        note(emulator, ledger)
    emulator.assert_nothing_sent("POST")


def test_a_new_ledger_is_logged_with_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong folder would forget everything that was made."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        Ledger("season.db").close()
    (warning,) = caplog.records
    assert warning.levelname == "WARNING"
    assert str(tmp_path / "season.db") in warning.getMessage()


@pytest.mark.parametrize("replace", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_is_replaced_while_open_stops_the_calls(
    emulator: Emulator, path: Path, *, replace: bool
) -> None:
    """SQLite would go on writing to the old file, without an error."""
    with emulator.client(ledger=path) as client:
        client.notes.create(project_id=emulator.project_id, idempotency_key="one")
        if replace:
            shutil.copy(path, path.with_suffix(".copy"))
            path.with_suffix(".copy").replace(path)
        else:
            path.unlink()
        with pytest.raises(LedgerError):
            client.notes.create(project_id=emulator.project_id, idempotency_key="two")
    assert emulator.count("notes") == 1


def test_a_file_that_was_copied_while_open_stops_the_calls(emulator: Emulator, path: Path) -> None:
    """The copy drops the locks by which another process sees that it is not the last one to use the file."""
    with Ledger(path) as ledger:
        note(emulator, ledger)
        shutil.copy(path, path.with_name("copy.db"))
        show = "import sys, scripe; print([item.state for item in scripe.Ledger(sys.argv[1]).items()])"
        shown = subprocess.run(
            [sys.executable, "-c", show, str(path)], capture_output=True, text=True, check=True
        )
        assert shown.stdout == "['done']\n"
        with pytest.raises(LedgerError) as caught:
            note(emulator, ledger, "two")
    assert "ledger.backup" in str(caught.value)
    assert emulator.count("notes") == 1


class FullDisk:
    """A disk that is full from a number of changes on: SQLite says so where the page limit is reached."""

    def __init__(self, ledger: Ledger) -> None:
        self._connection = store_of(ledger)._connection  # pyright: ignore[reportPrivateUsage]

    def fill(self) -> None:
        pages = self._connection.execute("PRAGMA page_count").fetchone()[0]
        self._connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_disk_without_shared_memory_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite grants no WAL there, as on some network file systems: two processes could damage the file."""
    connect = sqlite3.connect

    def connect_without_locks(
        path: Path, *, timeout: float, isolation_level: None, check_same_thread: bool
    ) -> sqlite3.Connection:
        return connect(
            f"file:{path}?vfs=unix-none",
            timeout=timeout,
            isolation_level=isolation_level,
            check_same_thread=check_same_thread,
            uri=True,
        )

    monkeypatch.setattr(sqlite3, "connect", connect_without_locks)
    with pytest.raises(LedgerError, match="wal"):
        Ledger(path)


def test_a_file_that_another_process_makes_is_waited_for(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    timer.start()
    Ledger(path).close()
    timer.join()
    other.close()


def test_a_file_that_another_process_turns_into_a_ledger_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite fails at once then, instead of after its timeout."""
    connect = sqlite3.connect

    def connect_to_busy(
        path: Path, *, timeout: float, isolation_level: None, check_same_thread: bool
    ) -> sqlite3.Connection:
        return connect(
            path,
            timeout=timeout,
            isolation_level=isolation_level,
            check_same_thread=check_same_thread,
            factory=BusyOnce,
        )

    monkeypatch.setattr(sqlite3, "connect", connect_to_busy)
    Ledger(path).close()
    assert BusyOnce.refused


class BusyOnce(sqlite3.Connection):
    """A connection to a file that another process is just turning into a ledger."""

    refused = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if "journal_mode" in sql and not BusyOnce.refused:
            BusyOnce.refused = True
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return super().execute(sql, parameters)


def test_a_file_that_stays_locked_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripe._ledger.BUSY_TIMEOUT", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LedgerError, match=path.name):
        Ledger(path)
    other.close()


def test_more_processes_than_the_lock_has_bytes_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripe._ledger.MAX_PROCESSES", 1)
    with pytest.raises(LedgerError, match=path.name):
        Ledger(path)


def test_a_full_disk_sends_nothing(emulator: Emulator, path: Path) -> None:
    with Ledger(path) as ledger, emulator.client(ledger=ledger) as client:
        FullDisk(ledger).fill()
        for number in range(200):
            try:
                client.notes.create(project_id=emulator.project_id, idempotency_key=f"key-{number}")
            except LedgerError:
                break
        else:
            pytest.fail("The disk did not fill up.")
        sent = len(emulator.assert_sent("POST", "/notes"))
    assert sent == number


def test_an_answer_that_cannot_be_stored_is_in_the_error_and_is_replayed(
    emulator: Emulator, path: Path
) -> None:
    vanishing = VanishingFile(path)
    emulator.add_observer(vanishing.vanish_once)
    with emulator.client(ledger=path) as client, pytest.raises(LedgerError) as caught:
        client.notes.create(project_id=emulator.project_id, content="Idea.", idempotency_key="one")
    vanishing.come_back()
    assert caught.value.idempotency_key == "one"
    assert note(emulator, path).id in str(caught.value)
    assert emulator.count("notes") == 1


def test_a_client_that_is_closed_in_mid_call_says_what_was_made(path: Path) -> None:
    """The server's clock is another one, and what the response says of it cannot be kept either."""
    emulator = Emulator(clock=Clock(datetime(2026, 5, 1, 9, tzinfo=UTC)))
    with emulator, emulator.serve() as server, Ledger(path) as ledger:
        client = Scripe(emulator.api_key, base_url=server.base_url, ledger=ledger)

        def close(request: Request, response: Response) -> None:
            if request.method == "POST":
                emulator.clock.advance(60)
                ledger.close()

        emulator.add_observer(close)
        with client, pytest.raises(LedgerError) as caught:
            client.notes.create(project_id=emulator.project_id, content="Idea.", idempotency_key="one")
        (made,) = emulator.client().notes.list(project_id=emulator.project_id)
    assert made.id in str(caught.value)


class VanishingFile:
    """The ledger's file, which vanishes while the first write is answered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._elsewhere = path.with_suffix(".moved")
        self._has_vanished = False

    def vanish_once(self, request: Request, response: Response) -> None:
        if request.method == "POST" and not self._has_vanished:
            self._has_vanished = True
            self._path.rename(self._elsewhere)

    def come_back(self) -> None:
        self._elsewhere.rename(self._path)


# Who uses it


def test_threads_with_one_key_make_one_thing(emulator: Emulator, path: Path) -> None:
    emulator.delay_next(0.2, method="POST", path="/notes")
    with Ledger(path) as ledger, ThreadPoolExecutor(8) as threads:
        notes = list(threads.map(note, [emulator] * 8, [ledger] * 8))
    assert len({made.id for made in notes}) == 1
    emulator.assert_sent("POST", "/notes", times=1)


def test_clients_with_one_path_share_the_file(emulator: Emulator, path: Path) -> None:
    first, second = Ledger(path), Ledger(path.parent / "." / path.name)
    assert store_of(first) is store_of(second)
    first.close()
    note(emulator, second)
    assert second.find("one") is not None
    second.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["season.db", "season.db.lock"]


def test_a_ledger_that_is_collected_while_another_is_opened_blocks_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collect(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        gc.collect()  # it may remove folders of an emulator, and opens those with `dir_fd`
        return os_open(path, flags, mode, dir_fd=dir_fd)

    os_open = os.open
    cycle: list[object] = [Ledger(path)]
    cycle.append(cycle)
    del cycle
    monkeypatch.setattr(os, "open", collect)
    opening = threading.Thread(target=lambda: Ledger(path.with_name("other.db")).close(), daemon=True)
    opening.start()
    opening.join(10)
    assert not opening.is_alive()


def test_the_file_is_private(path: Path) -> None:
    Ledger(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_pickles_carry_the_path(path: Path) -> None:
    with Ledger(path) as ledger, Scripe(KEY, ledger=ledger) as client:
        again = pickle.loads(pickle.dumps(client))
        loaded = pickle.loads(pickle.dumps(ledger))
        assert again.ledger.path == path
        assert loaded.path == path
        again.ledger.close()
        loaded.close()


def test_copies_keep_the_ledger_or_take_another(path: Path) -> None:
    with Scripe(KEY, ledger=path) as client:
        assert client.with_options(timeout=1).ledger is client.ledger
        assert client.with_options(ledger=None).ledger is None
        with Ledger(path.with_name("other.db")) as other:
            assert client.with_options(ledger=other).ledger is other


def test_tasks_with_one_key_make_one_thing(path: Path) -> None:
    async def create_twice(emulator: Emulator, url: str) -> list[Note]:
        async with AsyncScripe(emulator.api_key, base_url=url, ledger=path) as client:
            calls = (
                client.notes.create(project_id=emulator.project_id, idempotency_key="one") for _ in range(3)
            )
            return await asyncio.gather(*calls)

    with Emulator() as emulator, emulator.serve() as server:
        emulator.delay_next(0.5, method="POST", path="/notes")
        notes = asyncio.run(create_twice(emulator, server.base_url))
        emulator.assert_sent("POST", "/notes", times=1)
    assert len({made.id for made in notes}) == 1


def test_a_second_task_waits_within_its_own_limits(path: Path) -> None:
    async def create_twice(emulator: Emulator, url: str) -> None:
        async with AsyncScripe(emulator.api_key, base_url=url, ledger=path) as client:
            first = asyncio.create_task(
                client.notes.create(project_id=emulator.project_id, idempotency_key="one")
            )
            await asyncio.to_thread(wait_for_item, path, "sending")
            with pytest.raises(APITimeoutError) as caught:
                await client.with_options(total_timeout=0.3).notes.create(
                    project_id=emulator.project_id, idempotency_key="one"
                )
            assert caught.value.is_total
            await first

    with Emulator() as emulator, emulator.serve() as server:
        emulator.delay_next(2, method="POST", path="/notes")
        asyncio.run(create_twice(emulator, server.base_url))


CHILD = """
    import sys
    from scripe import Scripe
    with Scripe({key!r}, base_url={url!r}, ledger={path!r}, max_retries=0) as client:
        print(client.notes.create(project_id={project!r}, content="Idea.", idempotency_key="one").id)
"""


def start_child(emulator: Emulator, url: str, path: Path) -> subprocess.Popen[str]:
    program = textwrap.dedent(CHILD).format(
        key=emulator.api_key, url=url, path=str(path), project=emulator.project_id
    )
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_processes_with_one_key_make_one_thing(path: Path) -> None:
    with Emulator() as emulator, emulator.serve() as server:
        emulator.delay_next(1.0, method="POST", path="/notes")
        children = [start_child(emulator, server.base_url, path) for _ in range(3)]
        printed = {child.communicate(timeout=30)[0] for child in children}
        assert len(printed) == 1
        emulator.assert_sent("POST", "/notes", times=1)


def test_items_of_a_process_that_was_killed_are_free_at_once(path: Path) -> None:
    with Emulator() as emulator, emulator.serve() as server:
        emulator.delay_next(20, method="POST", path="/notes")
        child = start_child(emulator, server.base_url, path)
        wait_for_item(path, "sending")
        kill(child, emulator)
        started = time.monotonic()
        with Scripe(emulator.api_key, base_url=server.base_url, ledger=path) as client:
            client.notes.create(project_id=emulator.project_id, content="Idea.", idempotency_key="one")
        assert time.monotonic() - started < 10
        assert emulator.count("notes") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_one_process_at_a_time_makes_a_bulk_run(path: Path) -> None:
    program = f"""
        from scripe import Ledger
        from scripe._ledger import store_of

        ledger = Ledger({str(path)!r})
        store_of(ledger).lock_run()
        print("locked", flush=True)
        input()
        """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child, Ledger(path) as ledger:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        with pytest.raises(LedgerError):
            store_of(ledger).lock_run()
        child.kill()
        child.wait()
        store_of(ledger).lock_run()


def test_processes_that_name_one_file_by_two_links_wait_for_each_other(path: Path) -> None:
    link = path.with_name("link.db")
    Ledger(path).close()
    link.symlink_to(path)
    with Emulator() as emulator, emulator.serve() as server:
        emulator.delay_next(3, method="POST", path="/notes")
        child = start_child(emulator, server.base_url, link)
        wait_for_item(path, "sending")
        with (
            Scripe(emulator.api_key, base_url=server.base_url, ledger=path, total_timeout=0.5) as client,
            pytest.raises(APITimeoutError),
        ):
            client.notes.create(project_id=emulator.project_id, content="Idea.", idempotency_key="one")
        child.communicate()
        emulator.assert_sent("POST", "/notes", times=1)


def kill(child: subprocess.Popen[str], emulator: Emulator) -> None:
    """Kill a process, which may not have sent its request yet: no other one shall meet the delay of that."""
    child.send_signal(signal.SIGKILL)
    child.communicate()
    emulator.clear_faults()


def wait_for_item(path: Path, state: str, *, key: str = "one") -> LedgerItem:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with Ledger(path) as ledger:
            item = ledger.find(key)
        if item is not None and item.state == state:
            return item
        time.sleep(0.02)
    raise AssertionError(f"the item did not become {state}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_process_opens_the_file_again(emulator: Emulator, path: Path) -> None:
    with Ledger(path) as ledger:
        note(emulator, ledger)
        child = multiprocessing.get_context("fork").Process(target=check_in_child, args=(ledger,))
        child.start()
        child.join(20)
        assert child.exitcode == 0
        assert ledger.find("two") is not None


def check_in_child(ledger: Ledger) -> None:
    inherited = store_of(ledger).pid
    ledger.settle("two", result_id="note_2")
    os._exit(0 if inherited == os.getpid() and ledger.find("one") is not None else 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_what_a_forked_process_writes_outlives_its_parent(path: Path) -> None:
    """The parent, which closes the file first, must not take itself for the last one to use it."""
    ledger = Ledger(path)
    ledger.settle("one", result_id="note_1")
    closed = multiprocessing.get_context("fork").Event()
    child = multiprocessing.get_context("fork").Process(target=settle_after, args=(ledger, closed))
    child.start()
    wait_for_item(path, "done", key="two")
    ledger.close()
    closed.set()
    child.join(20)
    with Ledger(path) as again:
        assert [item.idempotency_key for item in again.items()] == ["one", "two", "three"]


def settle_after(ledger: Ledger, closed: Event) -> None:
    ledger.settle("two", result_id="note_2")
    closed.wait(20)
    ledger.settle("three", result_id="note_3")
    os._exit(0)


def test_items_of_a_killed_process_are_free_for_one_that_was_there_before(path: Path) -> None:
    with Ledger(path) as ledger, Emulator() as emulator, emulator.serve() as server:
        emulator.delay_next(20, method="POST", path="/notes")
        child = start_child(emulator, server.base_url, path)
        wait_for_item(path, "sending")
        kill(child, emulator)
        with Scripe(emulator.api_key, base_url=server.base_url, ledger=ledger) as client:
            client.notes.create(project_id=emulator.project_id, content="Idea.", idempotency_key="one")
        assert emulator.count("notes") == 1


def test_a_number_of_a_killed_process_is_taken_over_without_its_items(path: Path) -> None:
    """Another process would take them for those of the living one, and wait for their end."""
    with Emulator() as emulator, emulator.serve() as server:
        emulator.delay_next(20, method="POST", path="/notes")
        killed = start_child(emulator, server.base_url, path)
        wait_for_item(path, "sending")
        kill(killed, emulator)
        with Ledger(path):
            printed, _ = start_child(emulator, server.base_url, path).communicate(timeout=15)
    assert printed.startswith("note_")


def test_an_item_that_was_changed_meanwhile_is_not_overwritten(emulator: Emulator, path: Path) -> None:
    note(emulator, path)
    with Ledger(path) as ledger:
        store = store_of(ledger)
        (read,) = store.select("SELECT * FROM item JOIN attempt ON attempt.item = item.id")
        ledger.retry("one")
        with pytest.raises(ItemTaken):
            store.save(read, call=object(), keep=False, now=0)


def test_what_a_child_does_after_a_fork(
    emulator: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in one process: the stores of the parent are forgotten, and the file is opened again."""
    with Ledger(path) as ledger:
        note(emulator, ledger)
        inherited = store_of(ledger)
        monkeypatch.setattr(inherited, "pid", -1)
        import_module("scripe._ledger")._forget_stores()
        assert store_of(ledger) is not inherited
        assert ledger.find("one") is not None


def test_a_late_answer_is_kept_under_its_own_generation(emulator: Emulator, path: Path) -> None:
    """A person has allowed another try meanwhile, so the item goes on without it."""
    note(emulator, path)
    with Ledger(path) as ledger:
        store = store_of(ledger)
        (late,) = store.select("SELECT * FROM item JOIN attempt ON attempt.item = item.id")
        ledger.retry("one")
        store.save_result(replace(late, job_id="job_1"), call=object(), now=0)
        assert store.find_claimed(["job_1"]) == {"job_1"}
        item = ledger.find("one")
    assert item is not None
    assert item.state == "planned"


# Its methods


def test_find_and_items_tell_what_is_known(emulator: Emulator, path: Path) -> None:
    made = note(emulator, path)
    with Ledger(path) as ledger:
        item = ledger.find("one")
        assert item is not None
        assert item.result_id == made.id
        assert item.created_at == datetime(2026, 5, 1, 9, tzinfo=UTC)
        assert [each.idempotency_key for each in ledger.items(state="done")] == ["one"]
        assert list(ledger.items(state="failed")) == []
        assert ledger.find("two") is None
    emulator.assert_sent("POST", "/notes", times=1)


def test_retry_makes_another_and_keeps_the_item(emulator: Emulator, path: Path) -> None:
    first = note(emulator, path)
    with Ledger(path) as ledger:
        assert ledger.retry("one").generation == 1
    second = note(emulator, path)
    assert second.id != first.id
    assert note(emulator, path).id == second.id


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="neither"),
        pytest.param({"result_id": "note_1", "send_again": True}, id="both"),
        pytest.param({"result_id": "post_1", "route": "POST /notes"}, id="another route's id"),
        pytest.param({"result_id": "note_1", "route": "POST /nowhere"}, id="no route"),
        pytest.param({"result_id": "post_1"}, id="either of two routes"),
        pytest.param({"result_id": "x"}, id="no id"),
        pytest.param({"send_again": True}, id="unknown key"),
    ],
)
def test_settle_refuses_what_makes_no_sense(path: Path, arguments: dict[str, object]) -> None:
    with Ledger(path) as ledger, pytest.raises(InvalidArgumentError):
        ledger.settle("one", **arguments)  # type: ignore[arg-type]


def test_retry_refuses_an_unknown_key(path: Path) -> None:
    with Ledger(path) as ledger, pytest.raises(InvalidArgumentError, match="one"):
        ledger.retry("one")


def test_a_key_that_a_call_works_on_is_not_changed(path: Path) -> None:
    with Emulator() as emulator, emulator.serve() as server, Ledger(path) as ledger:
        emulator.delay_next(1, method="POST", path="/notes")
        with Scripe(emulator.api_key, base_url=server.base_url, ledger=ledger) as client:
            arguments = {"project_id": emulator.project_id, "idempotency_key": "one"}
            working = threading.Thread(target=client.notes.create, kwargs=arguments)
            working.start()
            wait_for_item(path, "sending")
            with pytest.raises(LedgerError, match="one"):
                ledger.retry("one")
            working.join()
        assert ledger.retry("one").state == "planned"


def test_a_ledger_shows_its_path(path: Path) -> None:
    with Ledger(path) as ledger:
        assert repr(ledger) == f"Ledger({str(path)!r})"


def test_items_refuse_an_unknown_state(path: Path) -> None:
    with Ledger(path) as ledger, pytest.raises(InvalidArgumentError, match="sent"):
        ledger.items(state="sent")  # type: ignore[arg-type]


def test_a_key_in_two_workspaces_must_be_told_apart(emulator: Emulator, path: Path) -> None:
    other = emulator.create_workspace()
    note(emulator, path)
    token = emulator.create_token([emulator.workspace_id, other])
    with emulator.client(token, ledger=path, workspace_id=other) as client:
        project = client.projects.list().first()
        assert project is not None
        client.notes.create(project_id=project.id, idempotency_key="one")
    assert emulator.count("notes") == 2
    with Ledger(path) as ledger:
        with pytest.raises(InvalidArgumentError, match="workspace_id"):
            ledger.find("one")
        item = ledger.find("one", workspace_id=other)
        assert item is not None
        assert item.workspace_id == other
        ledger.retry("one", workspace_id=other)
        ledger.settle("one", result_id="note_1", workspace_id=emulator.workspace_id)
        states = {item.workspace_id: item.state for item in ledger.items()}
    assert states == {other: "planned", emulator.workspace_id: "done"}


def test_a_backup_is_whole_while_the_ledger_is_in_use(emulator: Emulator, path: Path) -> None:
    with Ledger(path) as ledger:
        note(emulator, ledger)
        ledger.backup(path.with_name("copy.db"))
        with pytest.raises(LedgerError):
            ledger.backup(path.parent / "nowhere" / "copy.db")
    with Ledger(path.with_name("copy.db")) as copy:
        assert copy.find("one") is not None


def test_a_backup_is_another_file(emulator: Emulator, path: Path) -> None:
    with Ledger(path) as ledger:
        note(emulator, ledger)
        with pytest.raises(LedgerError, match="itself"):
            ledger.backup(path.parent / "." / path.name)


def test_nothing_secret_is_in_the_file(emulator: Emulator, path: Path, tmp_path: Path) -> None:
    recording = tmp_path / "episode.txt"
    recording.write_text("Confidential words.")
    with emulator.client(ledger=path) as client:
        source = client.sources.ingest(recording, project_id=emulator.project_id, idempotency_key="one")
        client.posts.generate(project_id=emulator.project_id, text=source.text_preview, idempotency_key="two")
    content = b"".join(file.read_bytes() for file in tmp_path.glob("season.db*"))
    for secret in ("Confidential", emulator.api_key, "Signature", str(recording.parent)):
        assert secret.encode() not in content


def test_a_call_costs_three_commits_and_a_client_one_more_request(emulator: Emulator, path: Path) -> None:
    with Ledger(path) as ledger, emulator.client(ledger=ledger) as client:
        commits: list[str] = []
        store_of(ledger)._connection.set_trace_callback(  # pyright: ignore[reportPrivateUsage]
            lambda statement: commits.append(statement) if statement == "COMMIT" else None
        )
        for key in ("one", "two"):
            client.posts.generate_and_wait(project_id=emulator.project_id, text="Words.", idempotency_key=key)
        assert len(commits) <= 6
    emulator.assert_sent("GET", "/workspaces/me", times=1)


def test_a_client_without_a_ledger_loads_nothing_of_it() -> None:
    """Run it without the tracer, which loads sqlite3 itself."""
    program = """
        import sys
        from scripe import Scripe
        with Scripe({key!r}, base_url={url!r}) as client:
            client.notes.create(project_id={project!r}, idempotency_key="one")
        print([name for name in sys.modules if "ledger" in name])
        """
    with Emulator() as emulator, emulator.serve() as server:
        values = {"key": emulator.api_key, "url": server.base_url, "project": emulator.project_id}
        command = [sys.executable, "-c", textwrap.dedent(program).format(**values)]
        untraced = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        printed = subprocess.run(command, capture_output=True, text=True, check=True, env=untraced)
    assert printed.stdout.strip() == "[]"


def test_the_offset_of_the_clocks_is_kept(path: Path) -> None:
    """The machine's clock is an hour late; what counts is the server's."""
    late = Emulator(clock=Clock(datetime.now(UTC) + timedelta(hours=1)))
    with late, late.serve() as server, Scripe(late.api_key, base_url=server.base_url, ledger=path) as client:
        client.notes.create(project_id=late.project_id, idempotency_key="one")
    with Ledger(path) as ledger:
        item = ledger.find("one")
        assert item is not None
        assert abs(item.created_at - late.clock.now()) < timedelta(seconds=30)


def test_a_second_thread_waits_within_its_own_limits(path: Path) -> None:
    with Emulator() as emulator, emulator.serve() as server, Ledger(path) as ledger:
        emulator.delay_next(3, method="POST", path="/notes")
        with Scripe(emulator.api_key, base_url=server.base_url, ledger=ledger) as client:
            arguments = {"project_id": emulator.project_id, "idempotency_key": "one"}
            working = threading.Thread(target=client.notes.create, kwargs=arguments)
            working.start()
            wait_for_item(path, "sending")
            with pytest.raises(APITimeoutError) as caught:
                client.with_options(total_timeout=0.5).notes.create(
                    project_id=emulator.project_id, idempotency_key="one"
                )
            working.join()
    assert caught.value.is_total
    assert caught.value.idempotency_key == "one"
