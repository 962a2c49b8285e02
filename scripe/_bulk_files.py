"""Keep the files of a bulk run: one row for each path, in the ledger that remembers what was made of them.

A row names the item of its content and destination, so several paths with one content have one item. How far a file
is, its item says: nothing is counted in memory, and a run that was killed at any moment finds all as it was.

A file is read just before its upload. A rerun reads only those whose size, time of change or inode has changed.
"""

from __future__ import annotations

import glob
import json
import os
import sqlite3
import stat
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from ._core import bulk
from ._core import ledger as rules
from ._core.ledger import Item, Unit
from ._core.uploads import resolve_content_type
from ._ledger import SELECT_ITEMS, Store
from .errors import InvalidArgumentError, LedgerError
from .types.bulk import BulkFile, BulkFileStatus, BulkProgress
from .types.job import Job
from .types.ledger import ItemState

BulkInput: TypeAlias = str | os.PathLike[str] | BulkFile | Iterable[str | os.PathLike[str] | BulkFile]
"""A folder, a pattern such as `episodes/*.mp3`, a file, or any iterable of them."""

BATCH: Final = 1_000
ENDED: Final = ("refused", "failed", "cancelled")
UNSENT: Final = ("planned", "stored", "sending")
ACQUIRED_AT_ONCE: Final = 100
MAX_INTEGER: Final = 2**63 - 1  # of SQLite

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    project_id TEXT NOT NULL, path TEXT NOT NULL, run INTEGER NOT NULL, size INTEGER, mtime_ns INTEGER, inode INTEGER,
    sha256 BLOB, item INTEGER REFERENCES item (id), name TEXT, content_type TEXT, code TEXT, reason TEXT,
    request_id TEXT, PRIMARY KEY (project_id, path)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS file_item ON file (item) WHERE item IS NOT NULL
"""
_IS_SAME = "size IS excluded.size AND mtime_ns IS excluded.mtime_ns AND inode IS excluded.inode"
# What the API said of a file, or of its job, stays true until the file changes; all else is looked at again.
_KEEPS_REASON = f"{_IS_SAME} AND (SELECT state FROM item WHERE item.id = file.item) IN {ENDED}"
_ADD = f"""
INSERT INTO file (project_id, path, run, size, mtime_ns, inode, name, content_type, code, reason)
VALUES (:project_id, :path, :run, :size, :mtime_ns, :inode, :name, :content_type, :code, :reason)
ON CONFLICT (project_id, path) DO UPDATE SET
    run = excluded.run, size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,
    name = excluded.name, content_type = excluded.content_type,
    sha256 = CASE WHEN {_IS_SAME} THEN sha256 END, item = CASE WHEN {_IS_SAME} THEN item END,
    request_id = CASE WHEN {_KEEPS_REASON} THEN request_id END,
    code = coalesce(excluded.code, CASE WHEN {_KEEPS_REASON} THEN code END),
    reason = coalesce(excluded.reason, CASE WHEN {_KEEPS_REASON} THEN reason END)
"""
_STATE = (
    "CASE WHEN item.state IS NULL THEN iif(file.reason IS NULL, 'planned', 'refused') "
    "WHEN item.state = 'refused' AND file.reason IS NULL THEN 'planned' ELSE item.state END"
)
_OF_RUN = (
    "FROM file LEFT JOIN item ON item.id = file.item WHERE file.project_id = :project_id AND file.run = :run"
)
_WORKABLE = f"""
SELECT file.* {_OF_RUN} AND file.reason IS NULL AND file.path > :after
AND (item.state IS NULL OR item.state IN {bulk.WORKABLE}) ORDER BY file.path LIMIT {ACQUIRED_AT_ONCE}
"""
_SUBMITTED = """
FROM item JOIN attempt ON attempt.item = item.id AND attempt.generation = item.generation
WHERE item.state = 'submitted'
AND item.id IN (SELECT item FROM file WHERE project_id = :project_id AND run = :run)
"""


@dataclass(frozen=True, slots=True)
class Price:
    """The words of the API in errors of the spend cap: the price of a file, the cap, and of how many files."""

    estimate_cents: int | None = None
    cap_cents: int | None = None
    files: int = 0


@dataclass(slots=True)
class FileRow:
    """A file of a run, as it was when it was last looked at."""

    path: str
    size: int | None = None
    mtime_ns: int | None = None
    inode: int | None = None
    name: str | None = None
    content_type: str | None = None
    code: str | None = None
    reason: str | None = None
    sha256: str | None = None
    item: int | None = None

    @property
    def stamp(self) -> tuple[int | None, int | None, int | None]:
        """Size, time of change and inode: one of them changes when the file does."""
        return self.size, self.mtime_ns, self.inode

    def refuse(self, code: str, reason: str) -> FileRow:
        """Return the row of a file that cannot be sent."""
        return replace(self, code=code, reason=reason)


def expand(files: BulkInput) -> Iterator[BulkFile]:
    """Iterate over the files that the caller named; folders are walked. Links to files are followed, to folders not."""
    if isinstance(files, str | os.PathLike | BulkFile):
        files = [files]
    if not isinstance(files, Iterable) or isinstance(files, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(
            f"files is a {type(files).__name__}. Give a folder, a pattern, or an iterable of paths."
        )
    for file in files:
        if isinstance(file, BulkFile):
            yield file
        elif isinstance(file, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
            yield from map(BulkFile, _expand_path(os.fsdecode(file)))
        else:
            raise InvalidArgumentError(
                f"files yields a {type(file).__name__}. Give paths, or scripe.types.BulkFile."
            )


def _expand_path(path: str) -> Iterator[str]:
    if os.path.isdir(path):  # noqa: PTH112 - for speed
        yield from _walk(path)
    elif os.path.lexists(path) or not glob.has_magic(path):
        yield path
    else:
        matches = (match for match in glob.iglob(path, recursive=True) if not os.path.isdir(match))  # noqa: PTH112, PTH207
        yield next(matches, path)  # a pattern that matches nothing is reported as missing
        yield from matches


def _walk(folder: str) -> Iterator[str]:
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders.sort()
        yield from (os.path.join(parent, name) for name in sorted(names))  # noqa: PTH118 - for speed
    yield from (str(error.filename) for error in unreadable)


def inspect(file: BulkFile) -> FileRow:
    """Return the row of a file, with the reason if it cannot be sent. Only its status is read."""
    path = os.path.abspath(os.fsdecode(file.path))  # noqa: PTH100 - for speed
    row = FileRow(path, name=file.name)
    if not _is_text(path):
        shown = path.encode("utf-8", "backslashreplace").decode()
        return replace(row, path=shown).refuse("name_not_text", "Its name is no text. Rename it.")
    try:
        status = os.stat(path)  # noqa: PTH116 - for speed
    except FileNotFoundError:
        return row.refuse("missing", "It does not exist.")
    except (OSError, ValueError) as error:
        return row.refuse("unreadable", f"It cannot be read: {getattr(error, 'strerror', None) or error}.")
    row = replace(row, size=status.st_size, mtime_ns=status.st_mtime_ns, inode=status.st_ino & MAX_INTEGER)
    if stat.S_ISDIR(status.st_mode):
        return row.refuse("unreadable", "It is a folder whose files cannot be listed.")
    if not stat.S_ISREG(status.st_mode):
        return row.refuse("not_a_file", "It is a pipe, a socket or a device.")
    if not status.st_size:
        return row.refuse("empty", "It is empty.")
    if not os.access(path, os.R_OK):
        return row.refuse("unreadable", "It cannot be read: Permission denied.")
    try:
        content_type = resolve_content_type(Path(path).name, file.content_type, label=file.name)
    except InvalidArgumentError as error:
        return row.refuse("unknown_type", error.message)
    return replace(row, content_type=content_type)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


class BulkFiles:
    """The files of one run; may be used from several threads."""

    def __init__(self, store: Store, project_id: str, run: int | None = None) -> None:
        self.store: Store = store
        self.project_id: str = project_id
        self._lock = threading.Lock()
        self._queue: deque[FileRow] = deque()
        self._after = ""
        self._is_over = False  # nothing is left in the queue, unless something is put back
        self._has_returned = False  # something was put back since the queue was begun
        self._in_work: set[str | int] = set()
        with store.change() as connection:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
        self.run: int = int(store.get_meta("bulk_run") or 0) if run is None else run

    @property
    def of_run(self) -> dict[str, object]:
        """The values by which statements choose the files of the run."""
        return {"project_id": self.project_id, "run": self.run}

    @classmethod
    def open(cls, store: Store, project_id: str | None) -> BulkFiles:
        """Open the files of a project; without one, of the only project that the ledger has files of."""
        if project_id is None:
            rows = cls(store, "").store.query("SELECT DISTINCT project_id FROM file ORDER BY 1")
            if len(rows) != 1:
                known = ", ".join(row[0] for row in rows) or "none"
                raise InvalidArgumentError(
                    f"The ledger {str(store.path)!r} holds files of these projects: {known}. Give project_id."
                )
            project_id = str(rows[0][0])
        return cls(store, project_id)

    def begin(self, base_url: str, workspace_id: str) -> None:
        """Begin a run; refuse a ledger that holds one of another workspace."""
        owner = f"{base_url} {workspace_id}"
        known = self.store.get_meta("bulk_workspace") or owner
        if known != owner:
            raise LedgerError(
                f"The ledger {str(self.store.path)!r} holds a run of the workspace {known.rpartition(' ')[2]} at "
                f"{known.partition(' ')[0]}. Give each workspace a ledger of its own."
            )
        self.run += 1
        self.store.set_meta({"bulk_workspace": owner, "bulk_run": str(self.run)})

    # What is to be done

    def add(self, files: Iterator[BulkFile]) -> bool:
        """Add the next thousand files to the run; return False if there are no more."""
        rows = [asdict(inspect(file)) | self.of_run for file in islice(files, BATCH)]
        with self.store.change() as connection:
            connection.executemany(_ADD, rows)
        return len(rows) == BATCH

    def add_failed(self, code: str | None) -> int:
        """Add the files that were refused, or whose job failed or was cancelled; return their number.

        If the latest retry was interrupted, this one goes on with the files that it left.
        """
        failed = (
            "SELECT file.path FROM file LEFT JOIN item ON item.id = file.item WHERE file.project_id = :project_id "
            "AND ((file.reason IS NOT NULL OR item.state IN ('failed', 'cancelled')) "
            "AND (:code IS NULL OR coalesce(file.code, item.code) = :code) "
            "OR file.run = :retry AND file.reason IS NULL "
            "AND (item.state IS NULL OR item.state NOT IN ('done', 'failed', 'cancelled')))"
        )
        mine = "project_id = :project_id AND run = :run"
        retry = int(self.store.get_meta("bulk_retry") or 0)
        with self.store.change() as connection:
            connection.execute(
                f"UPDATE file SET run = :run WHERE project_id = :project_id AND path IN ({failed})",
                {**self.of_run, "code": code, "retry": retry},
            )
        self.store.set_meta({"bulk_retry": str(self.run)})
        ended = f"SELECT id FROM item WHERE state IN {ENDED} AND id IN (SELECT item FROM file WHERE {mine})"
        for item in self._select_items(ended, self.of_run):
            self.store.save(rules.record_retry(item), call=self, keep=False, now=item.updated_at)
        with self.store.change() as connection:
            changed = connection.execute(
                f"UPDATE file SET code = NULL, reason = NULL, request_id = NULL WHERE {mine}", self.of_run
            )
            return changed.rowcount

    def acquire(self) -> FileRow | None:
        """Return the next file to work on; None if there is none now. `release` ends the work on it."""
        with self._lock:
            while True:
                while self._queue:
                    row = self._queue.popleft()
                    if not self._in_work & {row.path, row.item}:
                        self._in_work |= {row.path} | ({row.item} if row.item else set())
                        return row
                if self._is_over and not self._has_returned:
                    return None
                if self._is_over:
                    self._after, self._is_over, self._has_returned = "", False, False
                rows = self.store.query(_WORKABLE, {**self.of_run, "after": self._after})
                self._queue.extend(map(_to_row, rows))
                self._is_over = not rows
                if rows:
                    self._after = rows[-1]["path"]

    def release(self, row: FileRow, *, again: bool) -> None:
        """End the work on a file; with `again` it is not done yet."""
        with self._lock:
            self._in_work -= {row.path, row.item}
            self._has_returned |= again

    @property
    def is_working(self) -> bool:
        """True if a file is being worked on."""
        return bool(self._in_work)

    def link(self, row: FileRow, unit: Unit) -> Item | None:
        """Bind a file to the item of its content; return the item if the run must work on it for this file."""
        with self._lock:
            item = self.store.find(unit) or self._create(unit)
            with self.store.change() as connection:
                connection.execute(
                    "UPDATE file SET size = :size, mtime_ns = :mtime_ns, inode = :inode, sha256 = :digest, "
                    "item = :new_item WHERE project_id = :project_id AND path = :path",
                    {
                        **asdict(row),
                        **self.of_run,
                        "digest": bytes.fromhex(row.sha256 or ""),
                        "new_item": item.id,
                    },
                )
            is_taken = row.item != item.id and item.id in self._in_work  # for another file with this content
            if is_taken or item.state not in bulk.WORKABLE:
                return None
            self._in_work -= {row.item}
            self._in_work.add(item.id)
            row.item = item.id
            return item

    def _create(self, unit: Unit) -> Item:
        return self.store.save(Item(unit, "bulk.ingest"), call=self, keep=False, now=self._now())

    def _now(self) -> int:
        return self.store.server_time(time.time())

    # What came of it

    def record_reason(self, row: FileRow, code: str, reason: str, request_id: str | None = None) -> None:
        """Record why a file is not done in this run; all files with its content have the same reason."""
        with self.store.change() as connection:
            connection.execute(
                "UPDATE file SET code = :code, reason = :reason, request_id = :request_id "
                "WHERE project_id = :project_id AND (path = :path OR item = :item)",
                {**asdict(row), **self.of_run, "code": code, "reason": reason, "request_id": request_id},
            )

    def refuse_item(self, row: FileRow, code: str) -> None:
        """Mark the item of a file as refused, so that only `retry` tries it again."""
        for item in self._select_items("SELECT :item", {"item": row.item}):
            if item.state in ("planned", "stored"):
                refused = replace(item, state="refused", code=code)
                self.store.save(refused, call=self, keep=False, now=self._now())

    def _select_items(self, ids: str, values: Mapping[str, object]) -> list[Item]:
        return self.store.select(f"{SELECT_ITEMS} WHERE item.id IN ({ids})", values)

    def count_submitted(self) -> int:
        """Return how many jobs of the run have not ended, as far as is known."""
        return int(self.store.query(f"SELECT count(*) {_SUBMITTED}", self.of_run)[0][0])

    def oldest_submission(self) -> int | None:
        """Return when the oldest of these jobs was submitted."""
        value = self.store.query(f"SELECT min(attempt.first_sent_at) {_SUBMITTED}", self.of_run)[0][0]
        return None if value is None else int(value)

    def unlisted_jobs(self, listed: set[str], before: int) -> list[str]:
        """Return the jobs that were submitted before a moment and are not among those that were listed."""
        rows = self.store.query(
            f"SELECT attempt.job_id {_SUBMITTED} AND attempt.last_sent_at <= :before",
            {**self.of_run, "before": before},
        )
        return [row[0] for row in rows if row[0] not in listed]

    def record_jobs(self, jobs: Sequence[Job], now: int) -> list[str | None]:
        """Record the jobs that have ended, as far as they are the ledger's; return their errors, None for a success."""
        errors: list[str | None] = []
        finished = [job for job in jobs if job.is_finished]
        for job in sorted(finished, key=lambda job: (job.completed_at or job.created_at).timestamp()):
            item = self.store.find_job(job.id)
            if item is None or item.state != "submitted":
                continue
            self.store.record_job(job, now)
            errors.append(None if job.is_succeeded else job.error_code or job.status)
            if not job.is_succeeded:
                reason = job.error_message or "The API did not say why."
                with self.store.change() as connection:
                    connection.execute(
                        "UPDATE file SET code = ?, reason = ? WHERE item = ?",
                        (job.error_code or job.status.lower(), reason, item.id),
                    )
        return errors

    def record_forgotten(self, job_id: str) -> None:
        """Record that the API does not know a job any more: only a person can say what it made."""
        ids = f"SELECT item.id {_SUBMITTED} AND attempt.job_id = :job_id"
        for item in self._select_items(ids, {**self.of_run, "job_id": job_id}):
            self.store.save(rules.record_unknown(item, ()), call=self, keep=False, now=self._now())

    def record_price(self, estimate_cents: int | None, cap_cents: int | None) -> None:
        """Remember what the API said that a file costs, and the spend cap."""
        price = self.price()
        counted = price.files + 1 if estimate_cents is not None else price.files
        new = Price(
            price.estimate_cents if estimate_cents is None else estimate_cents,
            price.cap_cents if cap_cents is None else cap_cents,
            counted,
        )
        self.store.set_meta({"bulk_price": json.dumps(asdict(new))})

    def price(self) -> Price:
        """Return what the API said that a file costs, and the spend cap."""
        return Price(**json.loads(self.store.get_meta("bulk_price") or "{}"))

    # What is known

    def count_states(self) -> dict[ItemState, tuple[int, int]]:
        """Return the files and bytes of the run by state."""
        rows = self.store.query(
            f"SELECT {_STATE} AS state, count(*), coalesce(sum(size), 0) {_OF_RUN} GROUP BY 1", self.of_run
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def count_duplicates(self) -> int:
        """Return how many files have the content of another one."""
        row = self.store.query(f"SELECT count(file.item) - count(DISTINCT file.item) {_OF_RUN}", self.of_run)[
            0
        ]
        return int(row[0])

    def progress(
        self,
        *,
        bytes_per_second: float,
        upload_speed: float,
        calls_per_minute: int,
        waiting_until: datetime | None,
        last_errors: tuple[str, ...],
    ) -> BulkProgress:
        """Return how far the run is, counted from the ledger."""
        states = self.count_states()
        files, size = sum(count for count, _ in states.values()), sum(size for _, size in states.values())
        unsent, unsent_bytes = (sum(states.get(name, (0, 0))[index] for name in UNSENT) for index in (0, 1))
        not_in_storage = states.get("planned", (0, 0))[1] + states.get("refused", (0, 0))[1]
        price = self.price()
        left = bulk.estimate_time(
            unsent,
            unsent_bytes,
            calls_per_minute,
            upload_speed,
            price.estimate_cents,
            price.cap_cents,
        )
        return BulkProgress(
            files=files,
            bytes_total=size,
            states={name: count for name, (count, _) in states.items()},
            bytes_sent=size - not_in_storage,
            bytes_per_second=bytes_per_second,
            calls_per_minute=calls_per_minute,
            seconds_left=left.seconds,
            limited_by=left.limited_by,
            waiting_until=waiting_until,
            cap_cents=price.cap_cents,
            cents_per_file=price.estimate_cents,
            last_errors=last_errors,
        )

    def statuses(self, where: str = "1") -> Iterator[BulkFileStatus]:
        """Iterate over the files of the run, in the order of their paths."""
        statement = (
            f"SELECT file.path, file.size, {_STATE} AS state, coalesce(file.code, item.code) AS code, file.reason, "
            "file.request_id, item.result_id AS source_id, item.idempotency_key, (SELECT min(other.path) FROM file AS "
            "other WHERE other.item = file.item AND other.run = file.run AND other.project_id = file.project_id) AS "
            f"first_path {_OF_RUN} AND file.path > :after AND {where} ORDER BY file.path LIMIT {BATCH}"
        )
        after = ""
        while rows := self.store.query(statement, {**self.of_run, "after": after}):
            for row in rows:
                first = row["first_path"]
                yield BulkFileStatus(
                    path=row["path"],
                    size=row["size"],
                    state=row["state"],
                    code=row["code"],
                    reason=row["reason"],
                    request_id=row["request_id"],
                    source_id=row["source_id"],
                    idempotency_key=row["idempotency_key"],
                    same_as=first if first is not None and first != row["path"] else None,
                )
            after = rows[-1]["path"]

    def problems(self) -> Iterator[BulkFileStatus]:
        """Iterate over the files that are not done."""
        return self.statuses("(item.state IS NULL OR item.state != 'done')")

    def duplicates(self) -> Iterator[BulkFileStatus]:
        """Iterate over the files that have the content of another one."""
        return (status for status in self.statuses("file.item IS NOT NULL") if status.same_as is not None)


def _to_row(row: sqlite3.Row) -> FileRow:
    digest: bytes | None = row["sha256"]
    names = ("path", "size", "mtime_ns", "inode", "name", "content_type", "item")
    return FileRow(**{name: row[name] for name in names}, sha256=digest.hex() if digest else None)
