"""Store everything in one SQLite database.

Every resource is a `Record` in one table, so a new resource needs no new schema.
"""

import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
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
    workspace_id TEXT, route TEXT, idempotency_key TEXT, fingerprint TEXT, created_at INTEGER,
    status INTEGER, headers TEXT, body BLOB, PRIMARY KEY (workspace_id, route, idempotency_key));
CREATE TABLE IF NOT EXISTS records (
    resource TEXT, id TEXT, workspace_id TEXT, project_id TEXT, created_at INTEGER, next_transition_at INTEGER,
    fields TEXT, internal TEXT, PRIMARY KEY (resource, id));
CREATE TABLE IF NOT EXISTS oauth_users (id TEXT PRIMARY KEY, name TEXT);
CREATE TABLE IF NOT EXISTS oauth_clients (id TEXT PRIMARY KEY, secret TEXT, metadata TEXT);
CREATE TABLE IF NOT EXISTS oauth_forms (id TEXT PRIMARY KEY, authorization_query TEXT, expires_at INTEGER);
CREATE TABLE IF NOT EXISTS oauth_grants (
    id TEXT PRIMARY KEY, client_id TEXT, user_id TEXT, workspace_id TEXT, scopes TEXT, code TEXT UNIQUE,
    code_expires_at INTEGER, redirect_uri TEXT, code_challenge TEXT, redeemed INTEGER DEFAULT 0,
    revoked INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS oauth_access_tokens (
    token TEXT PRIMARY KEY, grant_id TEXT, scopes TEXT, issued_at INTEGER, expires_at INTEGER, refresh TEXT);
CREATE TABLE IF NOT EXISTS oauth_refresh_tokens (
    token TEXT PRIMARY KEY, grant_id TEXT, expires_at INTEGER, rotated_at INTEGER);
CREATE INDEX IF NOT EXISTS newest ON records (resource, workspace_id, created_at, id);
CREATE INDEX IF NOT EXISTS due ON records (resource, next_transition_at) WHERE next_transition_at IS NOT NULL;
"""

INSERT = """INSERT INTO records VALUES (
    :resource, :id, :workspace_id, :project_id, :created_at, :next_transition_at, :fields, :internal)"""
UPDATE = """UPDATE records SET next_transition_at = :next_transition_at, fields = :fields, internal = :internal
WHERE resource = :resource AND id = :id"""
PAGE = """SELECT * FROM records WHERE resource = :resource AND workspace_id = :workspace_id
AND (:project_id IS NULL OR project_id = :project_id)
AND (:folder_id IS NULL OR json_extract(fields, '$.folderId') = :folder_id)
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
BUSY_TIMEOUT = 5.0
BUSY_PAUSE = 0.02


@dataclass(slots=True)
class Record:
    """One record of a resource."""

    resource: str
    id: str
    workspace_id: str
    project_id: str | None
    created_at: int  # milliseconds since 1970
    next_transition_at: int | None = None  # when it changes by itself next, if ever
    # What the API shows besides id, project and creation.
    fields: JsonObject = field(default_factory=dict[str, Any])
    internal: dict[str, Any] = field(default_factory=dict[str, Any])  # what the API does not show


@dataclass(frozen=True, slots=True)
class Selection:
    """The records that a list shows; None stands for any."""

    resource: str
    workspace_id: str
    project_id: str | None = None
    folder_id: str | None = None
    # In `Record.internal`, of the moment that dates filter by; None for the creation.
    date_path: str | None = None
    earliest: int = 0
    latest: int = FOREVER
    types: Sequence[str] | None = None
    statuses: Sequence[str] | None = None


def new_id(prefix: str) -> str:
    """Return a new id with the prefix of its type, such as `src_a1b2c3d4e5f6a7b8`."""
    return f"{prefix}_{secrets.token_hex(8)}"


class Database:
    """The database; if it is a file, it survives a restart."""

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.RLock()
        if str(path) != IN_MEMORY:
            _make_private(Path(path))
        self._connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        try:
            self._create_tables()
        except BaseException:
            self._connection.close()
            raise

    def _create_tables(self) -> None:
        # Where two emulators create the tables at once, SQLite fails at once instead of after its timeout.
        deadline = real_seconds() + BUSY_TIMEOUT
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.executescript(SCHEMA)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or real_seconds() > deadline:
                    raise
            time.sleep(BUSY_PAUSE)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Make all changes of a `with` block or none, in one thread at a time; blocks must not be nested."""
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
        """Return a text about the emulator itself, None if there is none."""
        rows = self.execute("SELECT text FROM meta WHERE name = ?", (name,))
        return rows[0]["text"] if rows else None

    def set_meta_once(self, name: str, text: str) -> str:
        """Store a text about the emulator itself unless there is one, and return the stored one."""
        self.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, text))
        return str(self.get_meta(name))

    def set_meta(self, name: str, text: str) -> None:
        """Store a text about the emulator itself."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, text))

    def insert(self, record: Record) -> None:
        """Store a new record."""
        self.execute(INSERT, _to_row(record))

    def update(self, record: Record) -> None:
        """Store a record's changed fields."""
        self.execute(UPDATE, _to_row(record))

    def delete(self, record: Record) -> None:
        """Delete a record."""
        self.execute("DELETE FROM records WHERE resource = ? AND id = ?", (record.resource, record.id))

    def find(self, resource: str, record_id: str, workspace_id: str | None = None) -> Record | None:
        """Return a record, None if there is none or it belongs to another workspace."""
        rows = self.execute("SELECT * FROM records WHERE resource = ? AND id = ?", (resource, record_id))
        records = [_to_record(row) for row in rows if workspace_id in (None, row["workspace_id"])]
        return records[0] if records else None

    def find_due(self, resource: str, moment: int) -> list[Record]:
        """Return the records that change by themselves by a moment, earliest first."""
        rows = self.execute(
            """SELECT * FROM records WHERE resource = ? AND next_transition_at <= ?
            ORDER BY next_transition_at, id""",
            (resource, moment),
        )
        return [_to_record(row) for row in rows]

    def page(self, selection: Selection, count: int, before: tuple[int, str] = (FOREVER, "")) -> list[Record]:
        """Return the newest records of a selection, or those before a creation time and id, then by id descending."""
        values: dict[str, object] = {
            **asdict(selection),
            "types": _to_json(selection.types),
            "statuses": _to_json(selection.statuses),
            "before": before[0],
            "before_id": before[1],
            "count": count,
        }
        return [_to_record(row) for row in self.execute(PAGE, values)]

    def latest(self, resource: str, count: int, first: Sequence[str]) -> list[Record]:
        """Return the newest records of all workspaces, those in one of some statuses first."""
        values: dict[str, object] = {"resource": resource, "count": count, "first": _to_json(first)}
        return [_to_record(row) for row in self.execute(LATEST, values)]

    def count(self, resource: str) -> int:
        """Count the records of a resource."""
        return int(self.execute("SELECT count(*) FROM records WHERE resource = ?", (resource,))[0][0])


def _make_private(path: Path) -> None:
    """Let only the user read the API keys in a file; SQLite gives the files beside it the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
    with suppress(PermissionError):  # it belongs to another user, who lets this one write
        path.chmod(PRIVATE)


def _to_row(record: Record) -> dict[str, object]:
    return {**asdict(record), "fields": json.dumps(record.fields), "internal": json.dumps(record.internal)}


def _to_record(row: sqlite3.Row) -> Record:
    fields, internal = json.loads(row["fields"]), json.loads(row["internal"])
    return Record(**{**dict(row), "fields": fields, "internal": internal})


def _to_json(values: Sequence[str] | None) -> str | None:
    return None if values is None else json.dumps(list(values))
