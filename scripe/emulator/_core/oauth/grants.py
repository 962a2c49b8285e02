"""Keep what users granted: codes, access tokens, and refresh tokens that work once.

A grant is what a user allowed one client at one time: one code, and all tokens that come of it. A grant that is revoked
takes them all with it. So a code that is used twice, or a refresh token that is used again, ends the whole login.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..canonical_json import JsonObject
from ..clock import Clock
from ..database import Database, new_id
from ..dates import EPOCH
from ..settings import Settings
from .clients import OFFLINE_ACCESS, Client
from .parameters import RefusalError

FIRST_USER = "Ada Acme"
USERS = """SELECT oauth_users.id, oauth_users.name, workspaces.id AS workspace_id, workspaces.name AS workspace_name
FROM oauth_users JOIN workspace_access ON principal_id = oauth_users.id JOIN workspaces ON workspaces.id = workspace_id
ORDER BY oauth_users.rowid, workspace_access.rowid"""
REFRESHABLE = """SELECT oauth_grants.*, token, expires_at, rotated_at FROM oauth_refresh_tokens
JOIN oauth_grants ON oauth_grants.id = grant_id WHERE token = ?"""
REFRESHES = """SELECT client_id, user_id, issued_at, refresh FROM oauth_access_tokens
JOIN oauth_grants ON oauth_grants.id = grant_id WHERE refresh IS NOT NULL ORDER BY oauth_access_tokens.rowid"""


@dataclass(frozen=True, slots=True)
class OAuthUser:
    """A person who can log in at the emulator.

    Attributes:
        id: The id, which calls with the user's tokens have as that of their principal.
        name: The name on the consent page.
        workspace_ids: The workspaces that the user may choose, and that calls with the user's tokens reach.

    """

    id: str
    name: str
    workspace_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OAuthRefresh:
    """A refresh that was accepted.

    Attributes:
        client_id: The client that refreshed.
        user_id: The user whose login it is.
        refreshed_at: When, by the emulator's clock.
        is_repeat: Whether the refresh token had been used before, within `oauth_reuse_grace`.

    """

    client_id: str
    user_id: str
    refreshed_at: datetime
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An authorization request that passed the checks."""

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    code_challenge: str
    state: str | None
    issuer: str


class Grants:
    """Users, and what they granted."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    # Users

    def ensure_first_user(self) -> None:
        """Add a user of the first workspace to a database without users."""
        if not self._database.execute("SELECT 1 FROM oauth_users LIMIT 1"):
            self.add_user(FIRST_USER, [str(self._database.get_meta("workspace_id"))])

    def add_user(self, name: str, workspace_ids: Sequence[str]) -> str:
        """Add a user and return the id."""
        user_id = new_id("user")
        self._database.execute("INSERT INTO oauth_users VALUES (?, ?)", (user_id, name))
        for workspace_id in workspace_ids:
            self._database.execute(
                "INSERT OR IGNORE INTO workspace_access VALUES (?, ?)", (user_id, workspace_id)
            )
        return user_id

    def list_reach(self) -> list[sqlite3.Row]:
        """Return each user with each workspace of theirs: ids and names, oldest first."""
        return self._database.execute(USERS)

    def list_users(self) -> list[OAuthUser]:
        """Return the users, oldest first."""
        workspaces: dict[tuple[str, str], list[str]] = {}
        for row in self.list_reach():
            workspaces.setdefault((row["id"], row["name"]), []).append(row["workspace_id"])
        return [OAuthUser(*user, tuple(workspace_ids)) for user, workspace_ids in workspaces.items()]

    # Codes and tokens

    def create_code(
        self, request: AuthorizationRequest, user_id: str, workspace_id: str, scopes: Collection[str]
    ) -> str:
        """Store what a user granted and return the code for it."""
        code = f"scripe_code_{secrets.token_hex(24)}"
        expires_at = self._clock.milliseconds() + self._settings.oauth_code_seconds * 1000
        self._database.execute(
            """INSERT INTO oauth_grants (id, client_id, user_id, workspace_id, scopes, code, code_expires_at,
            redirect_uri, code_challenge) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                new_id("grant"),
                request.client.id,
                user_id,
                workspace_id,
                json.dumps([*scopes]),
                code,
                expires_at,
                request.redirect_uri,
                request.code_challenge,
            ),
        )
        return code

    def redeem(self, code: str, client: Client, redirect_uri: str, verifier: str) -> JsonObject:
        """Exchange a code for tokens, once; a second use of it, by whomever, kills the tokens of the first."""
        rows = self._database.execute("SELECT * FROM oauth_grants WHERE code = ?", (code,))
        if not rows:
            raise _refuse_grant("The code is unknown.")
        grant = rows[0]
        if grant["redeemed"]:
            self._kill(grant["id"])
            raise _refuse_grant("The code was used before. All tokens that came of it are dead now.")
        if grant["client_id"] != client.id:
            raise _refuse_grant("The code was given to another client.")
        if grant["revoked"] or self._clock.milliseconds() >= grant["code_expires_at"]:
            raise _refuse_grant("The code has expired or was revoked.")
        if grant["redirect_uri"] != redirect_uri:
            raise _refuse_grant("The redirect_uri is not that of the authorization request.")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        if not hmac.compare_digest(digest, grant["code_challenge"].encode()):
            raise _refuse_grant("The code_verifier does not match the code_challenge.")
        self._database.execute("UPDATE oauth_grants SET redeemed = 1 WHERE id = ?", (grant["id"],))
        scopes = json.loads(grant["scopes"])
        is_lasting = OFFLINE_ACCESS in scopes and "refresh_token" in client.grant_types
        refresh_token = self._create_refresh_token(grant["id"]) if is_lasting else None
        return self._issue(grant["id"], scopes, refresh_token)

    def refresh(self, token: str, client: Client, scopes: Collection[str] | None) -> JsonObject:
        """Exchange a refresh token for a new one and an access token; one that was rotated kills the login.

        Within the grace it repeats the newest refresh token instead.
        """
        rows = self._database.execute(REFRESHABLE, (token,))
        if not rows:
            raise _refuse_grant("The refresh token is unknown.")
        grant, now = rows[0], self._clock.milliseconds()
        rotated_at, grace = grant["rotated_at"], self._settings.oauth_reuse_grace * 1000
        if rotated_at is not None and now >= rotated_at + grace:
            self._kill(grant["id"])
            raise _refuse_grant("The refresh token was used before. All tokens of its login are dead now.")
        if grant["client_id"] != client.id:
            raise _refuse_grant("The refresh token was given to another client.")
        if grant["revoked"] or now >= grant["expires_at"]:
            raise _refuse_grant("The refresh token has expired or was revoked.")
        granted = json.loads(grant["scopes"])
        if scopes is not None and not set(scopes) <= set(granted):
            raise RefusalError("invalid_scope", "The scope is more than the user granted.")
        if rotated_at is None:
            self._database.execute(
                "UPDATE oauth_refresh_tokens SET rotated_at = ? WHERE token = ?", (now, token)
            )
            newest = self._create_refresh_token(grant["id"])
        else:
            newest = self._newest_refresh_token(grant["id"])
        return self._issue(grant["id"], granted if scopes is None else scopes, newest, refresh=token)

    def _create_refresh_token(self, grant_id: str) -> str:
        token = f"scripe_refresh_{secrets.token_hex(24)}"
        expires_at = self._clock.milliseconds() + self._settings.oauth_refresh_seconds * 1000
        self._database.execute(
            "INSERT INTO oauth_refresh_tokens VALUES (?, ?, ?, NULL)", (token, grant_id, expires_at)
        )
        return token

    def _newest_refresh_token(self, grant_id: str) -> str:
        statement = "SELECT token FROM oauth_refresh_tokens WHERE grant_id = ? AND rotated_at IS NULL"
        return str(self._database.execute(statement, (grant_id,))[0]["token"])

    def _issue(
        self, grant_id: str, scopes: Collection[str], refresh_token: str | None, *, refresh: str | None = None
    ) -> JsonObject:
        token, now = f"scripe_oauth_{secrets.token_hex(24)}", self._clock.milliseconds()
        lifetime = self._settings.oauth_access_seconds
        self._database.execute(
            "INSERT INTO oauth_access_tokens VALUES (?, ?, ?, ?, ?, ?)",
            (token, grant_id, json.dumps([*scopes]), now, now + lifetime * 1000, refresh),
        )
        body: JsonObject = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": " ".join(scopes),
        }
        return body if refresh_token is None else body | {"refresh_token": refresh_token}

    # Ends

    def revoke_token(self, token: str, client: Client) -> None:
        """Kill an access token, or with a refresh token its login; refuse one of another client, not an unknown one."""
        for table in ("oauth_access_tokens", "oauth_refresh_tokens"):
            rows = self._database.execute(
                f"SELECT grant_id, client_id FROM {table} JOIN oauth_grants ON id = grant_id WHERE token = ?",  # noqa: S608
                (token,),
            )
            if rows and rows[0]["client_id"] != client.id:
                raise _refuse_grant("The token was given to another client.")
            if rows and table == "oauth_refresh_tokens":
                self._kill(rows[0]["grant_id"])
        self._database.execute("UPDATE oauth_access_tokens SET expires_at = 0 WHERE token = ?", (token,))

    def revoke_all(self, user_or_client_id: str) -> None:
        """Kill every login of a user or of a client."""
        self._database.execute(
            "UPDATE oauth_grants SET revoked = 1 WHERE ? IN (user_id, client_id)", (user_or_client_id,)
        )

    def expire_access_tokens(self) -> None:
        """Kill every access token, and no refresh token."""
        self._database.execute("UPDATE oauth_access_tokens SET expires_at = 0")

    def _kill(self, grant_id: str) -> None:
        self._database.execute("UPDATE oauth_grants SET revoked = 1 WHERE id = ?", (grant_id,))

    # What happened

    def list_refreshes(self) -> list[OAuthRefresh]:
        """Return the refreshes that were accepted, in order."""
        refreshes: list[OAuthRefresh] = []
        seen: set[str] = set()
        for row in self._database.execute(REFRESHES):
            moment = EPOCH + timedelta(milliseconds=row["issued_at"])
            refreshes.append(OAuthRefresh(row["client_id"], row["user_id"], moment, row["refresh"] in seen))
            seen.add(row["refresh"])
        return refreshes


def _refuse_grant(description: str) -> RefusalError:
    return RefusalError("invalid_grant", description)
