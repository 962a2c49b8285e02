"""Answer a write that is sent twice with the response of the first time.

A response is stored for 24 hours under workspace, route and idempotency key, with a fingerprint of the request's body.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .database import Database
from .dates import DAY_MS
from .errors import ApiError
from .messages import Response

IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
NOT_STORED = frozenset({401, 403, 429})


def parse_idempotency_key(headers: Mapping[str, str]) -> str | None:
    """Return the idempotency key of a call, None if it is absent or malformed."""
    idempotency_key = headers.get("idempotency-key", "")
    return idempotency_key if IDEMPOTENCY_KEY.fullmatch(idempotency_key) else None


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The place of a stored response, and the fingerprint of the request's body."""

    workspace_id: str
    route: str
    idempotency_key: str
    fingerprint: str


class IdempotencyStore:
    """The stored responses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replay(self, record: IdempotencyRecord, now: int) -> Response | None:
        """Return the stored response, None for the first call, or raise a 409 if the first had another body."""
        rows = self._database.execute(
            """SELECT * FROM idempotency_records
            WHERE workspace_id = ? AND route = ? AND idempotency_key = ? AND created_at > ?""",
            (record.workspace_id, record.route, record.idempotency_key, now - DAY_MS),
        )
        if not rows:
            return None
        row = rows[0]
        if row["fingerprint"] != record.fingerprint:
            raise ApiError(
                "idempotency_key_conflict",
                "This Idempotency-Key was used with another body in the last 24 hours.",
            )
        headers: dict[str, str] = json.loads(row["headers"])
        return Response(row["status"], headers | {"Idempotent-Replayed": "true"}, row["body"])

    def save(self, record: IdempotencyRecord, response: Response, now: int) -> None:
        """Store a response, unless it is an error that another attempt may not meet."""
        if response.status in NOT_STORED or response.status >= 500:
            return
        self._database.execute(
            "INSERT OR REPLACE INTO idempotency_records VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.workspace_id,
                record.route,
                record.idempotency_key,
                record.fingerprint,
                now,
                response.status,
                json.dumps(response.headers),
                response.body,
            ),
        )
