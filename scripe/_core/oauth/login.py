"""Describe a stored login, and what a refresh does to it.

A refresh token works once. Before it is sent, the *intent* is saved (`refreshing_since`, a digest of the token): a full
disk is found before the token is spent, and whoever finds an intent without a result knows that new tokens may have
been lost on the way.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace

from ...errors import ConsentReason
from ..config import Secret
from .discovery import ServerMetadata
from .records import decode_record, encode_record
from .token_store import TokenRecord
from .tokens import ClientIdentity, Tokens

EARLY_SECONDS = 60.0
"""A token is refreshed so long before its end, or a tenth of its lifetime if that is less."""


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """A login, as a token store keeps it. Times are in seconds since 1970."""

    issuer: str
    client_id: str
    token_endpoint: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scopes: tuple[str, ...]
    revocation_endpoint: str | None = None
    token_auth_methods: tuple[str, ...] | None = None
    expires_at: float | None = None
    lifetime: float | None = None
    refresh_expires_at: float | None = None
    workspace_id: str | None = None
    # Of an application that registered itself on this machine: its secret, and the record of its registration.
    client_secret: str | None = field(default=None, repr=False)
    registration: str | None = None
    refreshing_since: float | None = None
    refreshing: str | None = None  # a digest of the refresh token that was sent
    ended: ConsentReason | None = None  # the user has to allow access again

    @classmethod
    def create(
        cls,
        metadata: ServerMetadata,
        client_id: str,
        tokens: Tokens,
        workspace_id: str | None,
    ) -> StoredLogin:
        """Return the login of an exchange."""
        return cls(
            issuer=metadata.issuer,
            client_id=client_id,
            token_endpoint=metadata.token_endpoint,
            revocation_endpoint=metadata.revocation_endpoint,
            token_auth_methods=metadata.token_auth_methods,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            scopes=tokens.scopes,
            expires_at=tokens.expires_at,
            lifetime=tokens.lifetime,
            refresh_expires_at=tokens.refresh_expires_at,
            workspace_id=workspace_id,
        )

    @property
    def metadata(self) -> ServerMetadata:
        """The server as it was when the login was made, as far as a refresh needs it."""
        return ServerMetadata(
            self.issuer,
            authorization_endpoint="",
            token_endpoint=self.token_endpoint,
            revocation_endpoint=self.revocation_endpoint,
            token_auth_methods=self.token_auth_methods,
        )

    @property
    def client(self) -> ClientIdentity:
        """The application that the login was made for."""
        secret = None if self.client_secret is None else Secret(self.client_secret)
        return ClientIdentity(self.client_id, secret)

    def is_alive(self, now: float) -> bool:
        """Return True unless the end of the access token is known and has come."""
        return self.ended is None and (self.expires_at is None or now < self.expires_at)

    def is_fresh(self, now: float) -> bool:
        """Return True if the access token lives long enough to be sent without a refresh."""
        if self.ended is not None:
            return False
        early = min(EARLY_SECONDS, (self.lifetime or math.inf) / 10)
        return self.expires_at is None or now < self.expires_at - early

    def begin_refresh(self, now: float) -> StoredLogin:
        """Return the login with the intent to send its refresh token."""
        return replace(self, refreshing_since=now, refreshing=digest(self.refresh_token or ""))

    def has_unfinished_refresh(self) -> bool:
        """Return True if this refresh token was sent before, and no result was saved."""
        return self.refreshing is not None and self.refreshing == digest(self.refresh_token or "")

    def abandon_refresh(self) -> StoredLogin:
        """Return the login without an intent, after a response that proves that its refresh token is unspent."""
        return replace(self, refreshing_since=None, refreshing=None)

    def with_tokens(self, tokens: Tokens) -> StoredLogin:
        """Return the login with the tokens of a refresh; a server that rotates nothing sends no refresh token."""
        return replace(
            self.abandon_refresh(),
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token or self.refresh_token,
            scopes=tokens.scopes,
            expires_at=tokens.expires_at,
            lifetime=tokens.lifetime,
            refresh_expires_at=tokens.refresh_expires_at or self.refresh_expires_at,
        )

    def with_endpoints(self, metadata: ServerMetadata) -> StoredLogin:
        """Return the login with the endpoints of metadata that was fetched again."""
        return replace(
            self,
            token_endpoint=metadata.token_endpoint,
            revocation_endpoint=metadata.revocation_endpoint,
            token_auth_methods=metadata.token_auth_methods,
        )

    def end(self, reason: ConsentReason) -> StoredLogin:
        """Return the login as one that needs the user again. Nothing of it is deleted."""
        return replace(self, ended=reason)

    def reason_to_end(self, now: float, *, response_lost: bool) -> ConsentReason:
        """Return why the server refuses the refresh token."""
        if response_lost:
            return "response_lost"
        has_expired = self.refresh_expires_at is not None and now >= self.refresh_expires_at
        return "expired" if has_expired else "revoked"

    def to_record(self) -> TokenRecord:
        """Return the login as a token store keeps it."""
        return encode_record(self, FORMAT)


FORMAT = "scripe-login-1"


def parse_login(record: TokenRecord) -> StoredLogin:
    """Return the login in a record; raise TokenStoreError if it holds something else."""
    return decode_record(record, FORMAT, StoredLogin)


def digest(token: str) -> str:
    """Return a digest of a token, which tells two tokens apart and reveals neither."""
    return hashlib.sha256(token.encode()).hexdigest()
