"""Decide who may call: API keys, OAuth tokens, scopes, plans and the API version."""

import json
import re
import secrets
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import cast

from ..._vocabulary import Plan
from .canonical_json import JsonObject
from .clock import Clock
from .database import Database, new_id
from .errors import ApiError
from .settings import Settings

PLANS_WITH_ACCESS: frozenset[Plan] = frozenset({"ADVANCED", "BUSINESS", "ENTERPRISE"})
TOKEN = re.compile(r"scripe_(sk_live|sk_test|oauth)_[A-Za-z0-9]{16,}")
CREDENTIALS = """SELECT keys.id, workspace_id, scopes, expires_on, revoked, name, plan, active
FROM keys JOIN workspaces ON workspaces.id = workspace_id WHERE token = ?"""
OAUTH_CREDENTIALS = """SELECT user_id AS id, workspace_id, tokens.scopes, NULL AS expires_on, 0 AS revoked, name, plan,
active FROM oauth_access_tokens AS tokens JOIN oauth_grants AS grants ON grants.id = grant_id
JOIN workspaces ON workspaces.id = workspace_id WHERE token = ? AND expires_at > ? AND NOT grants.revoked"""
KEYS = """SELECT keys.id, token, scopes, expires_on, revoked, name AS workspace
FROM keys JOIN workspaces ON workspaces.id = workspace_id ORDER BY keys.rowid"""
WORKSPACES_OF = """SELECT workspaces.* FROM workspace_access JOIN workspaces ON workspaces.id = workspace_id
WHERE principal_id = ? UNION SELECT * FROM workspaces WHERE id = ?"""


@dataclass(frozen=True, slots=True)
class Principal:
    """The API key or token of a call, and the workspace that the call is for."""

    type: str
    id: str
    scopes: tuple[str, ...]
    workspace_id: str
    workspace_name: str
    plan: Plan
    active: bool = True

    def to_json(self) -> JsonObject:
        """Return the principal as the API shows it."""
        return {"type": self.type, "id": self.id, "scopes": [*self.scopes]}


class Auth:
    """Workspaces, API keys and tokens, and the checks of a call."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    def create_workspace(self, name: str, plan: Plan) -> str:
        """Add a workspace and return its id."""
        workspace_id = new_id("org")
        self._database.execute("INSERT INTO workspaces VALUES (?, ?, ?, 1)", (workspace_id, name, plan))
        return workspace_id

    def set_plan(self, workspace_id: str, plan: Plan, *, active: bool) -> None:
        """Change a workspace's plan, and whether its subscription is in good standing."""
        self._database.execute(
            "UPDATE workspaces SET plan = ?, active = ? WHERE id = ?", (plan, active, workspace_id)
        )

    def get_plan(self, workspace_id: str) -> Plan:
        """Return the plan of a workspace."""
        rows = self._database.execute("SELECT plan FROM workspaces WHERE id = ?", (workspace_id,))
        return cast("Plan", rows[0]["plan"])

    def create_key(
        self,
        workspace_id: str,
        scopes: Collection[str],
        expires_on: date | None = None,
        *,
        live: bool = False,
    ) -> str:
        """Add an API key and return it."""
        token = f"scripe_sk_{'live' if live else 'test'}_{secrets.token_hex(16)}"
        self._database.execute(
            "INSERT INTO keys (token, id, workspace_id, scopes, expires_on) VALUES (?, ?, ?, ?, ?)",
            (
                token,
                new_id("key"),
                workspace_id,
                json.dumps([*scopes]),
                expires_on and expires_on.isoformat(),
            ),
        )
        return token

    def create_token(self, workspace_ids: Sequence[str], scopes: Collection[str]) -> str:
        """Add a token for several workspaces, by default the first, and return it."""
        token, token_id = f"scripe_oauth_{secrets.token_hex(16)}", new_id("user")
        self._database.execute(
            "INSERT INTO keys (token, id, workspace_id, scopes) VALUES (?, ?, ?, ?)",
            (token, token_id, workspace_ids[0], json.dumps([*scopes])),
        )
        for workspace_id in workspace_ids:
            self._database.execute(
                "INSERT OR IGNORE INTO workspace_access VALUES (?, ?)", (token_id, workspace_id)
            )
        return token

    def workspaces_of(self, principal: Principal) -> list[sqlite3.Row]:
        """Return the workspaces that a principal may use."""
        return self._database.execute(WORKSPACES_OF, (principal.id, principal.workspace_id))

    def list_keys(self) -> list[sqlite3.Row]:
        """Return every API key and token, oldest first, each with the name of its workspace."""
        return self._database.execute(KEYS)

    def list_workspaces(self) -> list[sqlite3.Row]:
        """Return every workspace, oldest first."""
        return self._database.execute("SELECT * FROM workspaces ORDER BY rowid")

    def revoke_key(self, token: str) -> None:
        """Revoke an API key or token."""
        self._database.execute("UPDATE keys SET revoked = 1 WHERE token = ?", (token,))

    def authenticate(self, headers: Mapping[str, str]) -> Principal:
        """Return the principal of a call, or raise a 401, or a 403 for its plan or workspace."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ApiError("unauthenticated", "Send the header Authorization: Bearer <API key>.")
        rows = self._find_credentials(token) if TOKEN.fullmatch(token) else []
        if not rows:
            raise ApiError("invalid_token", "The token is malformed, unknown or no longer valid.")
        row = rows[0]
        if row["revoked"]:
            raise ApiError("key_revoked", "This API key was revoked.")
        if row["expires_on"] and self._clock.now().date() >= date.fromisoformat(row["expires_on"]):
            raise ApiError("key_expired", f"This API key expired on {row['expires_on']} at 00:00 UTC.")
        principal = Principal(
            "oauth" if token.startswith("scripe_oauth_") else "api_key",
            row["id"],
            tuple(json.loads(row["scopes"])),
            row["workspace_id"],
            row["name"],
            row["plan"],
            active=bool(row["active"]),
        )
        requested = headers.get("scripe-workspace-id")
        if requested and principal.type == "oauth":
            principal = self._switch_workspace(principal, requested)
        if principal.plan not in PLANS_WITH_ACCESS or not principal.active:
            raise ApiError("plan_not_eligible", "The workspace's plan does not include API access.")
        return principal

    def _find_credentials(self, token: str) -> list[sqlite3.Row]:
        rows = self._database.execute(CREDENTIALS, (token,))
        return rows or self._database.execute(OAUTH_CREDENTIALS, (token, self._clock.milliseconds()))

    def _switch_workspace(self, principal: Principal, workspace_id: str) -> Principal:
        for row in self.workspaces_of(principal):
            if row["id"] == workspace_id:
                return replace(
                    principal,
                    workspace_id=workspace_id,
                    workspace_name=row["name"],
                    plan=row["plan"],
                    active=bool(row["active"]),
                )
        raise ApiError("workspace_mismatch", f"The token has no access to {workspace_id}.")

    def negotiate_version(self, headers: Mapping[str, str]) -> str:
        """Return the API version that serves a call, or raise a 400 if the requested one is not served."""
        accepted = self._settings.versions
        requested = headers.get("scripe-api-version")
        if requested is None and self._settings.missing_version == "default":
            return accepted[0]
        if requested not in accepted:
            raise ApiError(
                "version_unsupported",
                f"Scripe-Api-Version must be one of {', '.join(accepted)}.",
                details={"accepted": [*accepted]},
            )
        return requested


def require_scope(principal: Principal, scopes: Collection[str]) -> None:
    """Raise a 403 if a call needs one of some scopes, and its principal has none of them."""
    if scopes and not set(scopes) & set(principal.scopes):
        message = f"This call needs the scope {' or '.join(scopes)}."
        raise ApiError("scope_missing", message, details={"required": [*scopes]})
