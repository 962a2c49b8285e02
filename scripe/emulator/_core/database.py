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
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, setting TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS workspaces (id TEXT PRIMARY KEY, name TEXT, plan TEXT, active INTEGER);
CREATE TABLE IF NOT EXISTS keys (
    token TEXT PRIMARY KEY, id TEXT, workspace_id TEXT, scopes TEXT, expires_on TEXT, revoked INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS reach (principal_id TEXT, workspace_id TEXT, PRIMARY KEY (principal_id, workspace_id));
CREATE TABLE IF NOT EXISTS spending (
    workspace_id TEXT, bucket_date TEXT, cents INTEGER, PRIMARY KEY (workspace_id, bucket_date));
CREATE TABLE IF NOT EXISTS answers (
    workspace_id TEXT, route TEXT, key TEXT, fingerprint TEXT, created_at INTEGER,
    status INTEGER, headers TEXT, body BLOB, PRIMARY KEY (workspace_id, route, key));
CREATE TABLE IF NOT EXISTS records (
    kind TEXT, id TEXT, workspace_id TEXT, project_id TEXT, created_at INTEGER, due_at INTEGER,
    fields TEXT, private TEXT, PRIMARY KEY (kind, id));
CREATE INDEX IF NOT EXISTS newest ON records (kind, workspace_id, created_at, id);
CREATE INDEX IF NOT EXISTS due ON records (kind, due_at) WHERE due_at IS NOT NULL;
"""

INSERT = "INSERT INTO records VALUES (:kind, :id, :workspace, :project, :created, :due, :fields, :private)"
UPDATE = """UPDATE records SET due_at = :due, fields = :fields, private = :private
WHERE kind = :kind AND id = :id"""
PAGE = """SELECT * FROM records WHERE kind = :kind AND workspace_id = :workspace
AND (:project IS NULL OR project_id = :project)
AND (:folder IS NULL OR json_extract(fields, '$.folderId') = :folder)
AND CASE WHEN :dated IS NULL THEN created_at ELSE json_extract(private, :dated) END BETWEEN :earliest AND :latest
AND (:types IS NULL OR json_extract(fields, '$.type') IN (SELECT value FROM json_each(:types)))
AND (:statuses IS NULL OR json_extract(fields, '$.status') IN (SELECT value FROM json_each(:statuses)))
AND (created_at, id) < (:before, :before_id)
ORDER BY created_at DESC, id DESC LIMIT :count"""
LATEST = """SELECT * FROM records WHERE kind = :kind
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

    kind: str
    id: str
    workspace_id: str
    project_id: str | None
    created_at: int
    due_at: int | None = None
    fields: JsonObject = field(default_factory=dict[str, Any])
    private: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records a list shows.

    Attributes:
        kind: the resource's plural name.
        workspace_id: the workspace that owns them.
        project_id: their project, None for any.
        folder_id: their folder, None for any.
        dated: where in `Record.private` the moment stands that dates filter by; None for the creation.
        earliest: the first of those moments.
        latest: the last of them.
        types: their types, None for any.
        statuses: their statuses, None for any.
        before: where the previous page ended.

    """

    kind: str
    workspace_id: str
    project_id: str | None = None
    folder_id: str | None = None
    dated: str | None = None
    earliest: int = 0
    latest: int = FOREVER
    types: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    before: tuple[int, str] = (FOREVER, "")


def new_id(prefix: str) -> str:
    """A fresh id with a typed prefix, such as ``src_a1b2c3d4e5f6a7b8``."""
    return f"{prefix}_{secrets.token_hex(8)}"


class State:
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

    def setting(self, name: str) -> str | None:
        """A remembered setting, None when there is none."""
        rows = self.execute("SELECT setting FROM meta WHERE name = ?", (name,))
        return rows[0]["setting"] if rows else None

    def set_setting_once(self, name: str, setting: str) -> str:
        """Remember a setting unless there is one already, and return the one that counts."""
        self.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, setting))
        return str(self.setting(name))

    def set_setting(self, name: str, setting: str) -> None:
        """Remember a setting."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, setting))

    def insert(self, record: Record) -> None:
        """Store a new record."""
        self.execute(INSERT, _columns(record))

    def update(self, record: Record) -> None:
        """Store a record's changed fields."""
        self.execute(UPDATE, _columns(record))

    def delete(self, record: Record) -> None:
        """Forget a record."""
        self.execute("DELETE FROM records WHERE kind = ? AND id = ?", (record.kind, record.id))

    def find(self, kind: str, record_id: str, workspace_id: str | None = None) -> Record | None:
        """One record by its id, None when there is none or it is another workspace's."""
        rows = self.execute("SELECT * FROM records WHERE kind = ? AND id = ?", (kind, record_id))
        records = [_record(row) for row in rows if workspace_id in (None, row["workspace_id"])]
        return records[0] if records else None

    def due(self, kind: str, moment: int) -> list[Record]:
        """The records that change by themselves at or before a moment, earliest first."""
        rows = self.execute(
            "SELECT * FROM records WHERE kind = ? AND due_at <= ? ORDER BY due_at, id", (kind, moment)
        )
        return [_record(row) for row in rows]

    def page(self, selection: Selection, count: int) -> list[Record]:
        """At most `count` records, newest first, then by id descending."""
        before, before_id = selection.before
        values: dict[str, object] = {
            "kind": selection.kind,
            "workspace": selection.workspace_id,
            "project": selection.project_id,
            "folder": selection.folder_id,
            "dated": selection.dated,
            "earliest": selection.earliest,
            "latest": selection.latest,
            "types": _list(selection.types),
            "statuses": _list(selection.statuses),
            "before": before,
            "before_id": before_id,
            "count": count,
        }
        return [_record(row) for row in self.execute(PAGE, values)]

    def latest(self, kind: str, count: int, first: Sequence[str]) -> list[Record]:
        """At most `count` records of all workspaces, newest first, but before all those in one of some statuses."""
        values: dict[str, object] = {"kind": kind, "count": count, "first": _list(first)}
        return [_record(row) for row in self.execute(LATEST, values)]

    def count(self, kind: str) -> int:
        """How many records of a kind there are."""
        return int(self.execute("SELECT count(*) FROM records WHERE kind = ?", (kind,))[0][0])


def _make_private(database: Path) -> None:
    """Let nobody else read the keys in it; SQLite gives the files that it puts beside it the same mode."""
    os.close(os.open(database, os.O_RDWR | os.O_CREAT, PRIVATE))
    with suppress(PermissionError):  # it is another user's, who lets this one write
        database.chmod(PRIVATE)


def _columns(record: Record) -> dict[str, object]:
    return {
        "kind": record.kind,
        "id": record.id,
        "workspace": record.workspace_id,
        "project": record.project_id,
        "created": record.created_at,
        "due": record.due_at,
        "fields": json.dumps(record.fields),
        "private": json.dumps(record.private),
    }


def _record(row: sqlite3.Row) -> Record:
    kind, record_id, workspace_id, project_id, created_at, due_at, fields, private = row
    return Record(
        kind, record_id, workspace_id, project_id, created_at, due_at, json.loads(fields), json.loads(private)
    )


def _list(values: Sequence[str] | None) -> str | None:
    return None if values is None else json.dumps(list(values))
