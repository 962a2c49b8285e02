"""Writes that are sent twice are done once.

An answer is kept for 24 hours under (workspace, route, key) with the fingerprint of the body it answered.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .canonical_json import Json, fingerprint
from .database import State
from .errors import ApiError
from .messages import Response

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
LIFETIME = 24 * 60 * 60 * 1000
NOT_KEPT = frozenset({401, 403, 429})


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key of a call; one of an illegal form counts as none."""
    key = headers.get("idempotency-key", "")
    return key if KEY.fullmatch(key) else None


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one call's answer."""

    workspace_id: str
    route: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, workspace_id: str, route: str, key: str, body: Json) -> "Slot":
        """The place of the answer to a body."""
        return cls(workspace_id, route, key, fingerprint(body))


class Answers:
    """The stored answers."""

    def __init__(self, state: State) -> None:
        self._state = state

    def replay(self, slot: Slot, now: int) -> Response | None:
        """The stored answer of a slot, None when the call is the first.

        Raises:
            ApiError: 409, the key was used with another body.

        """
        rows = self._state.execute(
            "SELECT * FROM answers WHERE workspace_id = ? AND route = ? AND key = ? AND created_at > ?",
            (slot.workspace_id, slot.route, slot.key, now - LIFETIME),
        )
        if not rows:
            return None
        row = rows[0]
        if row["fingerprint"] != slot.fingerprint:
            raise ApiError(
                "idempotency_key_conflict",
                "This Idempotency-Key was used with another body in the last 24 hours.",
            )
        headers: dict[str, str] = json.loads(row["headers"])
        return Response(row["status"], headers | {"Idempotent-Replayed": "true"}, row["body"])

    def keep(self, slot: Slot, response: Response, now: int) -> None:
        """Store an answer, unless it is one that another attempt could better."""
        if response.status in NOT_KEPT or response.status >= 500:
            return
        self._state.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                slot.workspace_id,
                slot.route,
                slot.key,
                slot.fingerprint,
                now,
                response.status,
                json.dumps(response.headers),
                response.body,
            ),
        )
