"""What the emulator remembers, in one SQLite database.

Every resource is a `Record` of one table, so that a new kind of resource needs no new schema.
"""

import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .canonical_json import JsonObject
from .clock import real_seconds

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS workspaces (id TEXT PRIMARY KEY, name TEXT, plan TEXT, active INTEGER);
CREATE TABLE IF NOT EXISTS keys (
    token TEXT PRIMARY KEY, id TEXT, workspace_id TEXT, scopes TEXT, expires_on TEXT, revoked INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS workspace_access (
    principal_id TEXT, workspace_id TEXT, PRIMARY KEY (principal_id, workspace_id));
CREATE TABLE IF NOT EXISTS spending (
    workspace_id TEXT, bucket_date TEXT, cents INTEGER, PRIMARY KEY (workspace_id, bucket_date));
CREATE TABLE IF NOT EXISTS idempotency_records (
    workspace_id TEXT, route TEXT, key TEXT, fingerprint TEXT, created_at INTEGER,
    status INTEGER, headers TEXT, body BLOB, PRIMARY KEY (workspace_id, route, key));
CREATE TABLE IF NOT EXISTS records (
    resource TEXT, id TEXT, workspace_id TEXT, project_id TEXT, created_at INTEGER, next_transition_at INTEGER,
    fields TEXT, internal TEXT, PRIMARY KEY (resource, id));
CREATE INDEX IF NOT EXISTS newest ON records (resource, workspace_id, created_at, id);
CREATE INDEX IF NOT EXISTS due ON records (resource, next_transition_at) WHERE next_transition_at IS NOT NULL;
"""

INSERT = """INSERT INTO records VALUES (
    :resource, :id, :workspace, :project, :created, :next_transition_at, :fields, :internal)"""
UPDATE = """UPDATE records SET next_transition_at = :next_transition_at, fields = :fields, internal = :internal
WHERE resource = :resource AND id = :id"""
PAGE = """SELECT * FROM records WHERE resource = :resource AND workspace_id = :workspace
AND (:project IS NULL OR project_id = :project)
AND (:folder IS NULL OR json_extract(fields, '$.folderId') = :folder)
AND CASE WHEN :date_path IS NULL THEN created_at ELSE json_extract(internal, :date_path) END
    BETWEEN :earliest AND :latest
AND (:types IS NULL OR json_extract(fields, '$.type') IN (SELECT value FROM json_each(:types)))
AND (:statuses IS NULL OR json_extract(fields, '$.status') IN (SELECT value FROM json_each(:statuses)))
AND (created_at, id) < (:before, :before_id)
ORDER BY created_at DESC, id DESC LIMIT :count"""
LATEST = """SELECT * FROM records WHERE resource = :resource
ORDER BY json_extract(fields, '$.status') IN (SELECT value FROM json_each(:first)) DESC, created_at DESC, rowid DESC
LIMIT :count"""
FOREVER = 2**62
IN_MEMORY = ":memory:"
PRIVATE = 0o600
PATIENCE = 5.0
PAUSE = 0.02


@dataclass(slots=True)
class Record:
    """One resource as stored.

    Attributes:
        kind: the resource's plural name.
        id: its id, with the typed prefix.
        workspace_id: the workspace that owns it.
        project_id: the project it belongs to, if any.
        created_at: milliseconds since 1970.
        due_at: when it changes by itself next, if ever.
        fields: what the API shows beside id, project and creation.
        private: what the API keeps to itself.

    """

    resource: str
    id: str
    workspace_id: str
    project_id: str | None
    created_at: int
    next_transition_at: int | None = None
    fields: JsonObject = field(default_factory=dict[str, Any])
    internal: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records a list shows.

    Attributes:
        resource: the resource's plural name.
        workspace_id: the workspace that owns them.
        project_id: their project, None for any.
        folder_id: their folder, None for any.
        dated: where in `Record.internal` the moment stands that dates filter by; None for the creation.
        earliest: the first of those moments.
        latest: the last of them.
        types: their types, None for any.
        statuses: their statuses, None for any.
        before: where the previous page ended.

    """

    resource: str
    workspace_id: str
    project_id: str | None = None
    folder_id: str | None = None
    date_path: str | None = None
    earliest: int = 0
    latest: int = FOREVER
    types: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    before: tuple[int, str] = (FOREVER, "")


def new_id(prefix: str) -> str:
    """A fresh id with a typed prefix, such as ``src_a1b2c3d4e5f6a7b8``."""
    return f"{prefix}_{secrets.token_hex(8)}"


class Database:
    """The database; a path given survives a restart."""

    def __init__(self, database: str | Path) -> None:
        self._lock = threading.RLock()
        if str(database) != IN_MEMORY:
            _make_private(Path(database))
        self._connection = sqlite3.connect(
            database, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        """Make the tables. Where two emulators do so at once, SQLite refuses one instead of letting it wait."""
        until = real_seconds() + PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.executescript(SCHEMA)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or real_seconds() > until:
                    raise
            time.sleep(PAUSE)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing, one thread at a time; not to be nested."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:  # a full disk may have ended it, or refused the COMMIT
                    self._connection.execute("ROLLBACK")

    def execute(self, statement: str, values: Sequence[object] | dict[str, object] = ()) -> list[sqlite3.Row]:
        """Run one statement and return its rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def get_meta(self, name: str) -> str | None:
        """A remembered setting, None when there is none."""
        rows = self.execute("SELECT text FROM meta WHERE name = ?", (name,))
        return rows[0]["text"] if rows else None

    def set_meta_once(self, name: str, text: str) -> str:
        """Remember a setting unless there is one already, and return the one that counts."""
        self.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, text))
        return str(self.get_meta(name))

    def set_meta(self, name: str, text: str) -> None:
        """Remember a setting."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, text))

    def insert(self, record: Record) -> None:
        """Store a new record."""
        self.execute(INSERT, _columns(record))

    def update(self, record: Record) -> None:
        """Store a record's changed fields."""
        self.execute(UPDATE, _columns(record))

    def delete(self, record: Record) -> None:
        """Forget a record."""
        self.execute("DELETE FROM records WHERE resource = ? AND id = ?", (record.resource, record.id))

    def find(self, resource: str, record_id: str, workspace_id: str | None = None) -> Record | None:
        """One record by its id, None when there is none or it is another workspace's."""
        rows = self.execute("SELECT * FROM records WHERE resource = ? AND id = ?", (resource, record_id))
        records = [_record(row) for row in rows if workspace_id in (None, row["workspace_id"])]
        return records[0] if records else None

    def find_due(self, resource: str, moment: int) -> list[Record]:
        """The records that change by themselves at or before a moment, earliest first."""
        rows = self.execute(
            "SELECT * FROM records WHERE resource = ? AND next_transition_at <= ? ORDER BY next_transition_at, id",
            (resource, moment),
        )
        return [_record(row) for row in rows]

    def page(self, selection: Selection, count: int) -> list[Record]:
        """At most `count` records, newest first, then by id descending."""
        before, before_id = selection.before
        values: dict[str, object] = {
            "resource": selection.resource,
            "workspace": selection.workspace_id,
            "project": selection.project_id,
            "folder": selection.folder_id,
            "date_path": selection.date_path,
            "earliest": selection.earliest,
            "latest": selection.latest,
            "types": _list(selection.types),
            "statuses": _list(selection.statuses),
            "before": before,
            "before_id": before_id,
            "count": count,
        }
        return [_record(row) for row in self.execute(PAGE, values)]

    def latest(self, resource: str, count: int, first: Sequence[str]) -> list[Record]:
        """At most `count` records of all workspaces, newest first, but before all those in one of some statuses."""
        values: dict[str, object] = {"resource": resource, "count": count, "first": _list(first)}
        return [_record(row) for row in self.execute(LATEST, values)]

    def count(self, resource: str) -> int:
        """How many records of a resource there are."""
        return int(self.execute("SELECT count(*) FROM records WHERE resource = ?", (resource,))[0][0])


def _make_private(database: Path) -> None:
    """Let nobody else read the keys in it; SQLite gives the files that it puts beside it the same mode."""
    os.close(os.open(database, os.O_RDWR | os.O_CREAT, PRIVATE))
    with suppress(PermissionError):  # it is another user's, who lets this one write
        database.chmod(PRIVATE)


def _columns(record: Record) -> dict[str, object]:
    return {
        "resource": record.resource,
        "id": record.id,
        "workspace": record.workspace_id,
        "project": record.project_id,
        "created": record.created_at,
        "next_transition_at": record.next_transition_at,
        "fields": json.dumps(record.fields),
        "internal": json.dumps(record.internal),
    }


def _record(row: sqlite3.Row) -> Record:
    resource, record_id, workspace_id, project_id, created_at, next_transition_at, fields, internal = row
    return Record(
        resource,
        record_id,
        workspace_id,
        project_id,
        created_at,
        next_transition_at,
        json.loads(fields),
        json.loads(internal),
    )


def _list(values: Sequence[str] | None) -> str | None:
    return None if values is None else json.dumps(list(values))
