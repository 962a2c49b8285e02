"""Plan a bulk run: look at the files, and say what they will take. Nothing is sent, and no ledger is changed."""

from __future__ import annotations

import hashlib
import math
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from ._bulk_files import BulkFiles, BulkInput, expand
from ._core import bulk
from ._core.rate_limit import READ_LIMIT
from ._ledger import Ledger, store_of
from .types.bulk import BulkPlan, Limit
from .types.workspace import Workspace

_NEW_FILES = f"""
WITH unique_file AS (
    SELECT file.*, item.state AS state,
        row_number() OVER (PARTITION BY coalesce(file.sha256, file.path) ORDER BY file.path) AS number
    FROM file LEFT JOIN item ON item.id = file.item
    WHERE project_id = :project_id AND run = :run AND reason IS NULL)
SELECT {{}} FROM unique_file WHERE number = 1 AND (state IS NULL OR state IN {bulk.WORKABLE})
"""
_UNHASHED = """
SELECT path FROM file WHERE project_id = :project_id AND run = :run AND reason IS NULL AND sha256 IS NULL
AND path > :after AND size IN (
    SELECT size FROM file WHERE project_id = :project_id AND run = :run AND reason IS NULL
    GROUP BY size HAVING count(*) > 1)
ORDER BY path LIMIT 1000
"""


def make_plan(
    files: BulkInput,
    project_id: str,
    ledger: Ledger | Path | None,
    base_url: str,
    workspace: Workspace,
    rate_limit: int | None,
    share: float,
) -> BulkPlan:
    """Return the plan of a run. It is made in a temporary copy of the ledger, if there is one already."""
    with tempfile.TemporaryDirectory(prefix="scripe-plan-") as folder:
        copy = Path(folder, "plan.db")
        path = _copy_ledger(ledger, copy)
        with Ledger(copy) as temporary:
            table = BulkFiles(store_of(temporary), project_id)
            table.begin(base_url, workspace.id)
            entries = expand(files)
            while table.add(entries):
                pass
            _hash_equal_sizes(table)
            return _summarize(table, path, workspace, rate_limit or READ_LIMIT, share)


def _copy_ledger(ledger: Ledger | Path | None, copy: Path) -> str | None:
    """Copy a ledger, and return its path; None if there is none yet."""
    if isinstance(ledger, Ledger):
        ledger.backup(copy)
        return str(ledger.path)
    if ledger is not None and ledger.exists():
        with Ledger(ledger) as opened:
            opened.backup(copy)
        return str(ledger.absolute())
    with closing(sqlite3.connect(copy)) as connection:
        # A file that is not empty is not announced as a new ledger.
        connection.execute("PRAGMA user_version = 1")
    return None


def _hash_equal_sizes(table: BulkFiles) -> None:
    """Read the files of equal size: only these can be duplicates."""
    after = ""
    while rows := table.store.query(_UNHASHED, {**table.of_run, "after": after}):
        digests: list[tuple[bytes | None, str | None, str | None, str, str]] = []
        for row in rows:
            after = row["path"]
            try:
                with Path(after).open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").digest()
            except OSError as error:
                reason = f"It cannot be read: {error.strerror}."
                digests.append((None, "unreadable", reason, table.project_id, after))
            else:
                digests.append((digest, None, None, table.project_id, after))
        with table.store.change() as connection:
            connection.executemany(
                "UPDATE file SET sha256 = ?, code = ?, reason = ? WHERE project_id = ? AND path = ?", digests
            )


def _summarize(
    table: BulkFiles, ledger: str | None, workspace: Workspace, rate_limit: int, share: float
) -> BulkPlan:
    query, values = table.store.query, {**table.of_run, "separator": os.sep}
    by_type = query(
        _NEW_FILES.format("content_type, count(*), coalesce(sum(size), 0)") + " GROUP BY content_type", values
    )
    types = {row[0]: (row[1], row[2]) for row in by_type}
    files, size = sum(count for count, _ in types.values()), sum(each for _, each in types.values())
    folder = "rtrim(path, replace(path, :separator, ''))"  # the path without its last part
    folders = query(_NEW_FILES.format(f"count(DISTINCT {folder})"), values)[0][0]
    of_run = "FROM file LEFT JOIN item ON item.id = file.item WHERE project_id = :project_id AND run = :run"
    left_out = {
        row[0]: row[1]
        for row in query(
            f"SELECT coalesce(file.code, item.code, 'refused'), count(*) {of_run} AND (reason IS NOT NULL OR "
            "item.state IN ('failed', 'cancelled', 'unknown')) GROUP BY 1",
            values,
        )
    }
    done = query(
        f"SELECT count(DISTINCT file.item) {of_run} AND reason IS NULL AND item.state IN ('done', 'submitted')",
        values,
    )[0][0]
    usable = query(
        f"SELECT count(*) {of_run} AND reason IS NULL AND (item.state IS NULL OR item.state NOT IN "
        "('failed', 'cancelled', 'unknown'))",
        values,
    )[0][0]
    if usable > files + done:
        left_out["duplicate"] = usable - files - done
    price = table.price()
    cap_cents = price.cap_cents or bulk.CAPS.get(str(workspace.plan))
    cents = (price.estimate_cents, price.estimate_cents) if price.estimate_cents else bulk.GUESSED_CENTS
    cap_days = (
        None if not cap_cents else (_days(files * cents[0], cap_cents), _days(files * cents[1], cap_cents))
    )
    requests, calls = bulk.count_requests(files), bulk.allowed_calls(rate_limit, share)
    request_seconds = bulk.request_seconds(requests, calls)
    upload_seconds = size / bulk.ASSUMED_UPLOAD_SPEED
    times: dict[Limit, float] = {
        "rate limit": request_seconds,
        "upload": upload_seconds,
        "spend cap": 0 if cap_days is None else bulk.DAY * (cap_days[1] - 1),
    }
    return BulkPlan(
        project_id=table.project_id,
        workspace_name=workspace.name,
        plan=None if workspace.plan is None else str(workspace.plan),
        ledger=ledger,
        files=files,
        size=size,
        folders=folders,
        types=types,
        left_out=left_out,
        done=done,
        requests=requests,
        calls_per_minute=calls,
        rate_limit=rate_limit,
        rate_limit_share=share,
        request_seconds=request_seconds,
        upload_seconds=upload_seconds,
        cap_cents=cap_cents,
        cents_per_file=cents,
        priced_files=price.files,
        cap_days=cap_days,
        limited_by=max(times, key=lambda limit: times[limit]),
    )


def _days(cents: int, cap_cents: int) -> int:
    return max(1, math.ceil(cents / cap_cents))
