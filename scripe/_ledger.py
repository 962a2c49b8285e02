"""Keep a ledger in a SQLite file: one item for each idempotency key, and one row for each of its generations.

**Who works on an item.** The owner of an item is a call. A process locks one byte of `FILE.lock`, and writes the byte's
number into the items of its calls. The kernel releases the lock when the process dies, however it dies: then the next
process may take its items at once, while those of a living process stay its own for as long as they need. Nothing has
to be renewed, and no clock is compared.

POSIX drops all locks of a process on a file as soon as the process closes any descriptor of that file. So a process has
one store for each file, which all its clients share, and the lock file is opened once.

**The files are checked before each change**: SQLite would go on writing to a file that was deleted or replaced, without
an error, and everything written since would be lost. The file beside it (`-wal`) is deleted by the last program that
closes the ledger. A program that copies an open ledger drops the locks by which others know that they are not the last.

**No connection is open during a fork.** In the child, SQLite would take the locks of the parent for its own, and the
parent would delete the file beside it while the child still writes to it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, Final, Self, get_args

from . import _log
from ._concurrency import real_seconds
from ._core import ledger as rules
from ._core.ledger import Item, Unit
from .errors import InvalidArgumentError, LedgerError
from .types.job import Job
from .types.ledger import ItemState, LedgerItem

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SCHEMA_VERSION: Final = 1
BUSY_TIMEOUT: Final = 10.0
MAX_PROCESSES: Final = 1000
MIN_CORRECTION: Final = 2_000

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE item (
    id INTEGER PRIMARY KEY, base_url TEXT NOT NULL, workspace_id TEXT NOT NULL, route TEXT NOT NULL,
    idempotency_key TEXT NOT NULL, method TEXT NOT NULL, state TEXT NOT NULL, arguments TEXT, path TEXT,
    generation INTEGER NOT NULL, result_id TEXT, code TEXT, failures INTEGER NOT NULL, ended_at INTEGER,
    candidates TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL,
    owner INTEGER);
CREATE UNIQUE INDEX item_unit ON item (idempotency_key, route, workspace_id, base_url);
CREATE INDEX item_result ON item (result_id) WHERE result_id IS NOT NULL;
CREATE TABLE attempt (
    item INTEGER NOT NULL REFERENCES item (id), generation INTEGER NOT NULL, wire_key TEXT NOT NULL,
    first_sent_at INTEGER, last_sent_at INTEGER, unresolved INTEGER NOT NULL, upload_id TEXT, name TEXT,
    minted_at INTEGER, wait_ms INTEGER, job_id TEXT, PRIMARY KEY (item, generation)) WITHOUT ROWID;
CREATE INDEX attempt_job ON attempt (job_id) WHERE job_id IS NOT NULL;
"""

_UNIT = ("base_url", "workspace_id", "route", "idempotency_key")
_OF_ITEM = (
    "method",
    "state",
    "arguments",
    "path",
    "generation",
    "result_id",
    "code",
    "failures",
    "ended_at",
    "candidates",
    "created_at",
    "updated_at",
    "version",
)
_OF_ATTEMPT = (
    "wire_key",
    "first_sent_at",
    "last_sent_at",
    "unresolved",
    "upload_id",
    "name",
    "minted_at",
    "wait_ms",
    "job_id",
)
_COLUMNS = (*_UNIT, *_OF_ITEM, "owner")
_INSERT_ITEM = (
    f"INSERT INTO item ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
)
_UPDATE_ITEM = f"UPDATE item SET {', '.join(f'{name} = :{name}' for name in _COLUMNS)} WHERE id = :id"
_WRITE_ATTEMPT = (
    f"INSERT OR REPLACE INTO attempt (item, generation, {', '.join(_OF_ATTEMPT)}) "
    f"VALUES (?, ?{', ?' * len(_OF_ATTEMPT)})"
)
SELECT_ITEMS: Final = (
    "SELECT * FROM item JOIN attempt ON attempt.item = item.id AND attempt.generation = item.generation"
)


class ItemTaken(Exception):  # noqa: N818  (it never leaves the client)
    """Another call has changed the item, or is working on it: look at it again."""


class Ledger:
    """A file that remembers what was made under which idempotency key, so that no rerun makes it a second time.

    The clients, threads and processes of one machine can share a file. It holds digests of arguments, ids and names of
    files; no API key, no upload link and no content.

    Args:
        path: The file. It is created if it does not exist, with a warning in the log: nothing is known to it yet.

    Raises:
        LedgerError: the file is not a ledger, is of a newer version, or cannot be written or locked.

    """

    def __init__(self, path: str | PathLike[str]) -> None:
        if not isinstance(path, str | PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise LedgerError(f"ledger is {path!r}. Give the path of a file, or a scripe.Ledger.")
        self.path: Path = Path(fsdecode(path)).absolute()
        self._open()

    def _open(self) -> Store:
        self._store: Store | None = _open_store(self.path)
        self._release: Callable[[], object] = weakref.finalize(self, _close_store, self._store)
        return self._store

    def find(
        self, idempotency_key: str, *, route: str | None = None, workspace_id: str | None = None
    ) -> LedgerItem | None:
        """Return what the ledger knows of a key; None if it does not know it. Nothing is sent.

        Args:
            idempotency_key: The key.
            route: Its route, such as `POST /posts`, for a key that was used on several.
            workspace_id: `org_…`, for a key that was used in several workspaces.

        Raises:
            InvalidArgumentError: the key was used on several routes or in several workspaces, and none was named.

        """
        item = self._find_one(idempotency_key, route, workspace_id)
        return None if item is None else _to_public(item)

    def items(self, *, state: ItemState | None = None) -> Iterator[LedgerItem]:
        """Iterate over all items, or those in one state, oldest first."""
        if state is not None and state not in get_args(ItemState):
            raise InvalidArgumentError(f"state is {state!r}. Give one of {', '.join(get_args(ItemState))}.")
        where, values = ("", ()) if state is None else (" WHERE state = ?", (state,))
        return map(_to_public, store_of(self).select(f"{SELECT_ITEMS}{where} ORDER BY item.id", values))

    def settle(
        self,
        idempotency_key: str,
        *,
        result_id: str | None = None,
        send_again: bool = False,
        route: str | None = None,
        workspace_id: str | None = None,
    ) -> LedgerItem:
        """Say what came of a write: what it made, or that it made nothing.

        A key that the ledger does not know yet is added with its `result_id`: so what was made before there was a
        ledger comes in.

        Args:
            idempotency_key: The key.
            result_id: Id of what was made: `src_…`, `note_…`, `post_…` or `kb_…`.
            send_again: True if it made nothing: the next call sends it again.
            route: Its route, such as `POST /posts`, for a key that was used on several; needed for a new key with a
                `post_…`, which either `POST /posts` or `POST /posts/generations` made.
            workspace_id: `org_…`, for a key that was used in several workspaces.

        Raises:
            InvalidArgumentError: neither or both were given, or the key or its route is unknown.

        """
        if (result_id is None) != send_again:
            raise InvalidArgumentError("Give either result_id= or send_again=True.")
        item = self._find_one(idempotency_key, route, workspace_id)
        if result_id is None:
            if item is None:
                raise self._unknown_key(idempotency_key)
            return self._save(rules.record_retry(item))
        new_route = route or (item.unit.route if item else _route_of(result_id))
        if not result_id.startswith(rules.THINGS[new_route].prefix):
            raise InvalidArgumentError(
                f"result_id {result_id!r} is not the id of what {new_route} makes. Give one that begins with "
                f"{rules.THINGS[new_route].prefix!r}."
            )
        if item is None:
            item = Item(Unit("", "", new_route, idempotency_key), "", arguments=None)
        return self._save(rules.record_thing(item, result_id))

    def retry(
        self, idempotency_key: str, *, route: str | None = None, workspace_id: str | None = None
    ) -> LedgerItem:
        """Let the next call with a key make another thing, whatever came of the last one.

        The item stays, and the next call sends another key over the wire: a deleted item would get the old response
        again for 24 hours.

        Args:
            idempotency_key: The key.
            route: Its route, such as `POST /posts`, for a key that was used on several.
            workspace_id: `org_…`, for a key that was used in several workspaces.

        Raises:
            InvalidArgumentError: the ledger does not know the key.

        """
        item = self._find_one(idempotency_key, route, workspace_id)
        if item is None:
            raise self._unknown_key(idempotency_key)
        return self._save(rules.record_retry(item))

    def backup(self, path: str | PathLike[str]) -> None:
        """Write a copy of the ledger, whole and in one file, while it is in use.

        A copy that other programs make of the file alone lacks what is still in the file beside it (`-wal`).

        Raises:
            LedgerError: the copy cannot be written.

        """
        store_of(self).backup(Path(fsdecode(path)).absolute())

    def close(self) -> None:
        """Close the file; the last one in this process to close it leaves a single file. A second call does nothing."""
        self._store = None
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (str(self.path),)

    def _find_one(self, idempotency_key: str, route: str | None, workspace_id: str | None) -> Item | None:
        if route is not None and route not in rules.THINGS:
            raise InvalidArgumentError(f"route is {route!r}. Give one of {', '.join(rules.THINGS)}.")
        items = [
            item
            for item in store_of(self).select(f"{SELECT_ITEMS} WHERE idempotency_key = ?", (idempotency_key,))
            if route in (None, item.unit.route)
            and (workspace_id is None or item.unit.workspace_id in (workspace_id, ""))
        ]
        if len(items) > 1:
            routes = sorted({item.unit.route for item in items})
            workspaces = sorted({item.unit.workspace_id for item in items})
            where = (
                f"on {' and '.join(routes)}. Give route="
                if len(routes) > 1
                else f"in the workspaces {' and '.join(workspaces)}. Give workspace_id="
            )
            raise InvalidArgumentError(f"idempotency_key {idempotency_key!r} was used {where}.")
        return items[0] if items else None

    def _save(self, item: Item) -> LedgerItem:
        try:
            store = store_of(self)
            now = store.server_time(time.time())
            return _to_public(store.save(item, call=self, keep=False, now=now))
        except ItemTaken:
            raise LedgerError(
                f"A call is working on {item.unit.idempotency_key!r} right now. Wait for its end, then try again."
            ) from None

    def _unknown_key(self, idempotency_key: str) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"The ledger {str(self.path)!r} does not know idempotency_key {idempotency_key!r}. "
            "`scripe ledger list` shows what it knows."
        )


def store_of(ledger: Ledger) -> Store:
    """Return the open file of a ledger; opened again in a forked process, since no two may use one connection."""
    store = ledger._store  # pyright: ignore[reportPrivateUsage] - this module's own
    if store is None:
        raise LedgerError(
            f"The ledger {str(ledger.path)!r} is closed. Open it again with scripe.Ledger(path)."
        )
    if store.pid != os.getpid():
        return ledger._open()  # pyright: ignore[reportPrivateUsage] - this module's own
    return store


def _route_of(result_id: str) -> str:
    routes = [route for route, thing in rules.THINGS.items() if result_id.startswith(thing.prefix)]
    if len(routes) != 1:
        choice = " or ".join(routes) or ", ".join(rules.THINGS)
        raise InvalidArgumentError(f"result_id {result_id!r} does not name its route. Give route=, {choice}.")
    return routes[0]


def _to_public(item: Item) -> LedgerItem:
    unit = item.unit
    return LedgerItem(
        idempotency_key=unit.idempotency_key,
        route=unit.route,
        method=item.method,
        state=item.state,
        result_id=item.result_id,
        job_id=item.job_id,
        code=item.code,
        generation=item.generation,
        candidates=item.candidates,
        base_url=unit.base_url,
        workspace_id=unit.workspace_id,
        created_at=rules.from_milliseconds(item.created_at),
        updated_at=rules.from_milliseconds(item.updated_at),
    )


class Store:
    """One open file, which all `Ledger` objects of a process share."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path
        self.pid: int = os.getpid()
        self.users: int = 0  # `Ledger` objects that use it
        self.offset: int = 0  # milliseconds that the server's clock is ahead of this machine's
        self._has_run = False  # of bulk, in this process
        self._held: dict[int, object] = {}  # the items that calls of this process work on, with the call
        self._lock = threading.RLock()
        is_new = not path.exists() or path.stat().st_size == 0
        with _explain(path, "cannot be opened"), ExitStack() as undo:
            _create_private(path)
            self.identity: tuple[int, int] = _identity(path)
            file = path.resolve()  # programs that name it by other links must meet at one lock
            self._owners = _OwnerLock(file.with_name(f"{file.name}.lock"))
            undo.callback(self._owners.close)
            self._wal_path = file.with_name(f"{file.name}-wal")
            self._connect()
            undo.callback(self._connection.close)
            self._prepare()
            undo.pop_all()
        if is_new:
            _log.log_new_ledger(str(path))

    def _connect(self) -> None:
        self._connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        with ExitStack() as undo:
            undo.callback(self._connection.close)
            self._connection.row_factory = sqlite3.Row
            mode = self._set_journal_mode()
            if mode != "wal":
                raise LedgerError(
                    f"The ledger {str(self.path)!r} cannot be kept safely here: SQLite granted the journal mode "
                    f"{mode!r} instead of 'wal'. Put it on a local disk."
                )
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA fullfsync = 1")
            # With the first read, SQLite makes the file beside it.
            self._connection.execute("SELECT * FROM sqlite_master").fetchall()
            self._wal_identity = _identity(self._wal_path)
            undo.pop_all()

    def _prepare(self) -> None:
        with self._transaction():
            tables = self.query("SELECT name FROM sqlite_master")
            if not tables:
                for statement in _SCHEMA.split(";"):
                    self._connection.execute(statement)
                self._set_meta("version", str(SCHEMA_VERSION))
            self._check_version()
            self.offset = int(self.get_meta("offset") or 0)
            # Whoever had this number before has died: else its byte could not have been locked.
            self._connection.execute("UPDATE item SET owner = NULL WHERE owner = ?", (self._owners.number,))

    def disconnect(self) -> None:
        """Close the connection until `reconnect`; all other threads wait."""
        self._lock.acquire()
        self._connection.close()

    def reconnect(self) -> None:
        """Open the connection again."""
        try:
            self._connect()
        finally:
            self._lock.release()

    def _set_journal_mode(self) -> str:
        # Where two processes create the file at once, SQLite fails at once instead of after its timeout.
        deadline = real_seconds() + BUSY_TIMEOUT
        while True:
            try:
                return str(self._connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or real_seconds() > deadline:
                    raise
            time.sleep(0.02)

    def _check_version(self) -> None:
        try:
            version = int(self.get_meta("version") or 0)
        except (sqlite3.OperationalError, ValueError):
            version = 0
        if version < 1:
            raise LedgerError(f"{str(self.path)!r} is a database of another program. Give another path.")
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"The ledger {str(self.path)!r} was written by a newer version of scripe. Update scripe."
            )

    # Read

    def find(self, unit: Unit) -> Item | None:
        """Return the item of a unit."""
        where = " AND ".join(f"{name} = ?" for name in _UNIT)
        items = self.select(f"{SELECT_ITEMS} WHERE {where}", [getattr(unit, name) for name in _UNIT])
        return items[0] if items else None

    def find_job(self, job_id: str) -> Item | None:
        """Return the item whose present generation has a job."""
        items = self.select(f"{SELECT_ITEMS} WHERE job_id = ?", (job_id,))
        return items[0] if items else None

    def find_claimed(self, ids: Sequence[str]) -> set[str]:
        """Return those of some jobs and things that an item has, in whatever generation."""
        rows = self.query(
            "SELECT job_id FROM attempt WHERE job_id IN (SELECT value FROM json_each(:ids)) "
            "UNION SELECT result_id FROM item WHERE result_id IN (SELECT value FROM json_each(:ids))",
            {"ids": json.dumps(list(ids))},
        )
        return {str(row[0]) for row in rows}

    def known_jobs(self, unit: Unit, since: int, until: int) -> set[str]:
        """Return the jobs of a workspace and route that were started in a window, as far as the ledger knows."""
        rows = self.query(
            "SELECT job_id FROM attempt JOIN item ON item.id = attempt.item WHERE job_id IS NOT NULL AND base_url = ? "
            "AND workspace_id = ? AND route = ? AND first_sent_at >= ? AND last_sent_at <= ?",
            (unit.base_url, unit.workspace_id, unit.route, since, until),
        )
        return {str(row[0]) for row in rows}

    def count_rivals(self, item: Item, argument: str) -> int:
        """Count other unsettled items of the same workspace and route that were sent with an equal argument."""
        others = self.select(
            f"{SELECT_ITEMS} WHERE base_url = ? AND workspace_id = ? AND route = ? AND item.id != ? "
            "AND state IN ('sending', 'unknown')",
            (item.unit.base_url, item.unit.workspace_id, item.unit.route, item.id),
        )
        sent = (item.arguments or {}).get(argument)
        return sum(1 for other in others if (other.arguments or {}).get(argument) == sent)

    def select(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Item]:
        """Return items."""
        return [_to_item(row) for row in self.query(statement, values)]

    # Write

    def save(self, item: Item, *, call: object, keep: bool, now: int) -> Item:
        """Write an item, if nobody has changed it since it was read; else raise `ItemTaken`.

        With `keep`, this call alone works on it from now on; without, it is given back.
        """
        with self.change():
            row = self._find_row(item)
            version = 0 if row is None else row["version"]
            if version != item.version or (row is not None and self._is_owned_by_other(row, call)):
                raise ItemTaken
            return self._write(item, call=call, keep=keep, now=now)

    def adopt(self, unit: Unit) -> Item | None:
        """Give an item that a person brought in to the first workspace that asks for it, and return it."""
        item = self.find(Unit("", "", unit.route, unit.idempotency_key))
        if item is None:
            return None
        try:
            return self.save(replace(item, unit=unit), call=self, keep=False, now=item.updated_at)
        except ItemTaken:  # another call has just adopted it
            return self.find(unit)

    def save_result(self, item: Item, *, call: object, now: int) -> None:
        """Write what came of a generation, whoever works on the item by now, and give it back."""
        with self.change():
            row = self._find_row(item)
            if row is not None and row["generation"] == item.generation:
                self._write(replace(item, version=row["version"]), call=call, keep=False, now=now)
            else:
                self._write_attempt(item)

    def record_job(self, job: Job, now: int) -> None:
        """Write how a job has ended, if it is one of the ledger's."""
        item = self.find_job(job.id)
        if item is not None and item.state == "submitted":
            with suppress(ItemTaken):  # another call has just written the same
                self.save(rules.record_job(item, job, now), call=self, keep=False, now=now)

    # Who works on an item

    def is_taken(self, item: Item, call: object) -> bool:
        """Return True if another call that is still alive works on the item."""
        row = self._find_row(item)
        return row is not None and self._is_owned_by_other(row, call)

    def holds_any(self, call: object) -> bool:
        """Return True if a call works on an item."""
        return any(holder is call for holder in list(self._held.values()))

    def give_back(self, call: object) -> None:
        """Let other calls work on the items of a call; their states stay as they are."""
        ids = [item_id for item_id, holder in list(self._held.items()) if holder is call]
        for item_id in ids:
            del self._held[item_id]
        # If the file cannot be written, the error that ended the call is the one to show.
        with suppress(LedgerError), self.change():
            for item_id in ids:
                self._connection.execute("UPDATE item SET owner = NULL WHERE id = ?", (item_id,))

    def _is_owned_by_other(self, row: sqlite3.Row, call: object) -> bool:
        owner = row["owner"]
        if owner is None:
            return False
        if owner == self._owners.number:
            return self._held.get(row["id"], call) is not call
        return self._owners.is_alive(owner)

    def lock_run(self) -> None:
        """Let no other bulk run work with the ledger, in this process or another."""
        with self._lock:
            if self._has_run or not self._owners.lock_run():
                raise LedgerError(
                    f"Another bulk run works with the ledger {str(self.path)!r}. Wait for its end, or give this one a "
                    "ledger of its own."
                )
            self._has_run = True

    def unlock_run(self) -> None:
        """Let the next bulk run begin."""
        with self._lock:
            self._has_run = False
            self._owners.unlock_run()

    # The clock

    def server_time(self, local: float) -> int:
        """Return milliseconds of the server's clock at a time of this machine's, in seconds since 1970."""
        return round(local * 1000) + self.offset

    def is_clock_wrong(self, local: float, server: datetime) -> bool:
        """Return True if the server's time is another one; two seconds are the precision of `Date`."""
        return abs(_offset(local, server) - self.offset) > MIN_CORRECTION

    def correct_clock(self, local: float, server: datetime) -> None:
        """Remember the difference of the clocks, as a response shows it."""
        self.offset = _offset(local, server)
        with self.change():
            self._set_meta("offset", str(self.offset))

    # The file

    def backup(self, path: Path) -> None:
        """Write a whole copy."""
        with _explain(path, "cannot be written"):
            if path.exists() and _identity(path) == self.identity:
                raise LedgerError(f"{str(path)!r} is the ledger itself. Give another path for its copy.")
            _create_private(path)
            with self._lock, closing(sqlite3.connect(path)) as target:
                self._connection.backup(target)

    def close(self) -> None:
        """Close the file and release the lock."""
        with self._lock:
            self._connection.close()
            self._owners.close()

    def _find_row(self, item: Item) -> sqlite3.Row | None:
        columns = "SELECT id, version, generation, owner FROM item WHERE"
        if item.id:
            rows = self.query(f"{columns} id = ?", (item.id,))
        else:
            where = " AND ".join(f"{name} = :{name}" for name in _UNIT)
            rows = self.query(f"{columns} {where}", asdict(item.unit))
        return rows[0] if rows else None

    def _write(self, item: Item, *, call: object, keep: bool, now: int) -> Item:
        item = replace(item, version=item.version + 1, updated_at=now, created_at=item.created_at or now)
        values = {**asdict(item.unit), **_columns(item), "owner": self._owners.number if keep else None}
        if item.id:
            self._connection.execute(_UPDATE_ITEM, {**values, "id": item.id})
        else:
            item = replace(item, id=int(self._connection.execute(_INSERT_ITEM, values).lastrowid or 0))
        self._write_attempt(item)
        if keep:
            self._held[item.id] = call
        else:
            self._held.pop(item.id, None)
        return item

    def _write_attempt(self, item: Item) -> None:
        values = (getattr(item, name) for name in _OF_ATTEMPT)
        self._connection.execute(_WRITE_ATTEMPT, (item.id, item.generation, *values))

    def query(
        self, statement: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with _explain(self.path, "cannot be read"), self._lock:
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def change(self) -> Generator[sqlite3.Connection]:
        """Make all changes of a `with` block or none, in the file that was opened."""
        with _explain(self.path, "cannot be written"), self._transaction():
            self._check_files()
            yield self._connection

    def _check_files(self) -> None:
        for path, identity in ((self.path, self.identity), (self._wal_path, self._wal_identity)):
            if not path.exists() or _identity(path) != identity:
                raise LedgerError(
                    f"{str(path)!r} was deleted or replaced while the ledger was in use, so nothing more is sent. If "
                    "you moved it, put it back. Start the program again. (To copy a ledger that is in use, call "
                    "ledger.backup.)"
                )

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def get_meta(self, name: str) -> str | None:
        """Return what the ledger itself remembers under a name."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, values: Mapping[str, str]) -> None:
        """Remember values under their names."""
        with self.change():
            for name, value in values.items():
                self._set_meta(name, value)

    def _set_meta(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


class _OwnerLock:
    """One locked byte of a file: its number names this process for as long as the process lives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _create_private(path)
        self._descriptor = os.open(path, os.O_RDWR)
        try:
            self.number = self._take_number()
        except BaseException:
            os.close(self._descriptor)
            raise

    def _take_number(self) -> int:
        for number in range(1, MAX_PROCESSES):
            if self._lock_byte(number):
                return number
        raise LedgerError(f"The file {str(self._path)!r} cannot be locked. Put the ledger on a local disk.")

    def is_alive(self, number: int) -> bool:
        """Return True if another living process has a number."""
        if not self._lock_byte(number):
            return True
        self._unlock_byte(number)
        return False

    def lock_run(self) -> bool:
        """Lock the byte of the bulk run; return False if another process has it."""
        return self._lock_byte(0)

    def unlock_run(self) -> None:
        """Release the byte of the bulk run."""
        self._unlock_byte(0)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)

    if sys.platform == "win32":

        def _lock_byte(self, number: int) -> bool:
            os.lseek(self._descriptor, number, os.SEEK_SET)
            try:
                msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                return False
            return True

        def _unlock_byte(self, number: int) -> None:
            os.lseek(self._descriptor, number, os.SEEK_SET)
            msvcrt.locking(self._descriptor, msvcrt.LK_UNLCK, 1)

    else:

        def _lock_byte(self, number: int) -> bool:
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except (BlockingIOError, PermissionError):
                return False
            return True

        def _unlock_byte(self, number: int) -> None:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, number)


_stores: dict[tuple[int, int], Store] = {}
_stores_lock = threading.RLock()  # the garbage collector may close a ledger while its thread opens one


def _open_store(path: Path) -> Store:
    with _stores_lock:
        store = _stores.get(_identity(path)) if path.exists() else None
        if store is None:
            store = Store(path)
            _stores[store.identity] = store
        store.users += 1
        return store


def _close_store(store: Store) -> None:
    with _stores_lock:
        store.users -= 1
        if store.users == 0 and store.pid == os.getpid():
            _stores.pop(store.identity, None)
            store.close()


def _prepare_fork() -> None:
    """Close all connections before a fork."""
    _stores_lock.acquire()
    for store in _stores.values():
        store.disconnect()


def _reopen_stores() -> None:
    """Open all connections again in the parent, after a fork."""
    try:
        for store in _stores.values():
            store.reconnect()
    finally:
        _stores_lock.release()


def _forget_stores() -> None:
    """Open everything again in a process that was just forked, when it is used."""
    global _stores_lock
    _stores_lock = threading.RLock()
    _stores.clear()


with suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(before=_prepare_fork, after_in_parent=_reopen_stores, after_in_child=_forget_stores)


def _offset(local: float, server: datetime) -> int:
    return rules.to_milliseconds(server) + 500 - round(local * 1000)  # `Date` is cut to the second


def _identity(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino


def _create_private(path: Path) -> None:
    """Create a file that only the user can read, unless it exists."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


@contextmanager
def _explain(path: Path, problem: str) -> Generator[None]:
    """Turn an error of the disk or of SQLite into one that names the file."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(f"The ledger {str(path)!r} {problem}: {error}.") from error


def _columns(item: Item) -> dict[str, object]:
    columns = {name: getattr(item, name) for name in _OF_ITEM}
    arguments = None if item.arguments is None else json.dumps(dict(item.arguments))
    return {**columns, "arguments": arguments, "candidates": json.dumps(item.candidates)}


def _to_item(row: sqlite3.Row) -> Item:
    values: dict[str, Any] = {
        name: row[name] for name in ("id", *_OF_ITEM, *_OF_ATTEMPT) if name != "wire_key"
    }
    values["arguments"] = json.loads(row["arguments"] or "null")
    values["candidates"] = tuple(json.loads(row["candidates"]))
    return Item(Unit(*(row[name] for name in _UNIT)), **values)
