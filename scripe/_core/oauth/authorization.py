"""Build the URL that the browser is sent to, and what is kept until it comes back.

`state` and the PKCE verifier are 32 random bytes each. What is kept lies under a digest of the state: who reads the
token store cannot finish somebody else's sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args
from urllib.parse import urlencode, urlsplit

from ..._vocabulary import APIKeyScope
from ...errors import InvalidArgumentError
from ..config import check_type
from .discovery import ServerMetadata
from .records import decode_record, encode_record
from .token_store import TokenRecord

OFFLINE_ACCESS = "offline_access"
NOT_ASKED = ("webhooks:manage", OFFLINE_ACCESS)
READ_SCOPES = tuple(scope for scope in get_args(APIKeyScope) if scope.endswith(":read"))
FORMAT = "scripe-pending-1"
PENDING_SECONDS = 600.0
"""How long the browser may take."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The URL to send a browser to, and the state to keep in its session.

    Attributes:
        url: Redirect the browser to it.
        state: Keep it in the session of this browser, and give it to `OAuthApp.exchange`.

    """

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """The part of an authorization request that is kept until its callback."""

    name: str
    issuer: str
    client_id: str
    redirect_uri: str
    verifier: str = field(repr=False)
    created_at: float
    scopes: tuple[str, ...]

    def to_record(self) -> TokenRecord:
        """Return the request as a token store keeps it."""
        return encode_record(self, FORMAT)


def parse_pending(record: TokenRecord) -> PendingLogin:
    """Return the authorization request in a record; raise TokenStoreError if it holds something else."""
    return decode_record(record, FORMAT, PendingLogin)


def resolve_scopes(
    scopes: Sequence[str] | None, supported: tuple[str, ...] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the scopes to ask for, and those of them that the server does not list.

    Without `scopes`, all that the server lists are asked for but `webhooks:manage`; without a list, those for reading.
    `offline_access` brings the refresh token, and is left out only if the server lists its scopes without it.
    """
    if isinstance(scopes, str):
        raise InvalidArgumentError(f"scopes is a str. Give a list of scopes, such as {scopes.split()!r}.")
    if scopes is None:
        asked = [scope for scope in supported or READ_SCOPES if scope not in NOT_ASKED]
    else:
        asked = list(dict.fromkeys(scopes))
        for scope in asked:
            _check_scope(scope)
    if OFFLINE_ACCESS not in asked and (supported is None or OFFLINE_ACCESS in supported):
        asked.append(OFFLINE_ACCESS)
    return tuple(asked), tuple(scope for scope in asked if supported is not None and scope not in supported)


def _check_scope(scope: str) -> None:
    check_type(scope, str, "a scope", "a str such as 'posts:read'")
    if not scope or not scope.isascii() or not scope.isprintable() or set(scope) & set(' "\\'):
        raise InvalidArgumentError(f"{scope!r} is not a scope. Give one such as 'posts:read'.")


def random_token() -> str:
    """Return 32 random bytes as 43 characters that a URL may hold."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge (S256) of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def digest_of_state(state: str) -> str:
    """Return the digest under which a pending login is kept."""
    return hashlib.sha256(state.encode()).hexdigest()


def authorization_url(
    metadata: ServerMetadata, pending: PendingLogin, state: str, extra: Mapping[str, str]
) -> str:
    """Return the URL that asks the user."""
    endpoint = metadata.authorization_endpoint
    query = urlencode(
        {
            "response_type": "code",
            "client_id": pending.client_id,
            "redirect_uri": pending.redirect_uri,
            "scope": " ".join(pending.scopes),
            "state": state,
            "code_challenge": challenge_of(pending.verifier),
            "code_challenge_method": "S256",
            **extra,
        }
    )
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"
