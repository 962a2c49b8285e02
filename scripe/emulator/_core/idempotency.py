"""Writes that are sent twice are done once.

An answer is kept for 24 hours under (workspace, route, key) with the fingerprint of the body it answered.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .canonical_json import Json, fingerprint
from .database import Database
from .errors import ApiError
from .messages import Response

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
LIFETIME = 24 * 60 * 60 * 1000
NOT_KEPT = frozenset({401, 403, 429})


def idempotency_key_of(headers: Mapping[str, str]) -> str | None:
    """The key of a call; one of an illegal form counts as none."""
    key = headers.get("idempotency-key", "")
    return key if KEY.fullmatch(key) else None


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The place of one call's answer."""

    workspace_id: str
    route: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, workspace_id: str, route: str, key: str, body: Json) -> "IdempotencyRecord":
        """The place of the answer to a body."""
        return cls(workspace_id, route, key, fingerprint(body))


class IdempotencyStore:
    """The stored answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replay(self, record: IdempotencyRecord, now: int) -> Response | None:
        """The stored answer of a slot, None when the call is the first.

        Raises:
            ApiError: 409, the key was used with another body.

        """
        rows = self._database.execute(
            "SELECT * FROM idempotency_records WHERE workspace_id = ? AND route = ? AND key = ? AND created_at > ?",
            (record.workspace_id, record.route, record.key, now - LIFETIME),
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
        """Store an answer, unless it is one that another attempt could better."""
        if response.status in NOT_KEPT or response.status >= 500:
            return
        self._database.execute(
            "INSERT OR REPLACE INTO idempotency_records VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.workspace_id,
                record.route,
                record.key,
                record.fingerprint,
                now,
                response.status,
                json.dumps(response.headers),
                response.body,
            ),
        )
