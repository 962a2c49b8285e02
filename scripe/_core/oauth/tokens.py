"""Write requests to the token endpoint, and parse the tokens in its responses."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from urllib.parse import quote

from ...types._base import JSON
from ..config import Secret
from ..outcome import RawResponse
from .discovery import ServerMetadata
from .response import parse_object


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """The application, as the token endpoint knows it; without a secret it is a public client."""

    client_id: str
    secret: Secret[str] | None = None

    def authenticate(self, metadata: ServerMetadata) -> Secret[tuple[dict[str, str], dict[str, str]]]:
        """Return the headers and the form fields that identify the application."""
        return Secret(self._identify(metadata))

    def _identify(self, metadata: ServerMetadata) -> tuple[dict[str, str], dict[str, str]]:
        if self.secret is None:
            return {}, {"client_id": self.client_id}
        if secret_auth_method(metadata) == "client_secret_post":
            return {}, {"client_id": self.client_id, "client_secret": self.secret.reveal()}
        pair = f"{quote(self.client_id, safe='')}:{quote(self.secret.reveal(), safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}


def secret_auth_method(metadata: ServerMetadata) -> str:
    """Return how a client secret travels: in a header, unless the server takes it in the form alone."""
    methods = metadata.token_auth_methods or ("client_secret_basic",)
    is_form_only = "client_secret_basic" not in methods and "client_secret_post" in methods
    return "client_secret_post" if is_form_only else "client_secret_basic"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one response."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: float | None  # seconds since 1970; None if the server did not say
    lifetime: float | None  # seconds
    refresh_expires_at: float | None = None


def exchange_form(code: str, redirect_uri: str, verifier: str) -> dict[str, str]:
    """Return the form that exchanges a code for tokens."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }


def refresh_form(refresh_token: str) -> dict[str, str]:
    """Return the form that exchanges a refresh token for new tokens."""
    return {"grant_type": "refresh_token", "refresh_token": refresh_token}


def revocation_form(token: str, hint: str) -> dict[str, str]:
    """Return the form that revokes a token (RFC 7009)."""
    return {"token": token, "token_type_hint": hint}


def parse_tokens(raw: RawResponse, asked: tuple[str, ...], now: float) -> Tokens | None:
    """Return the tokens of a response, None if it holds none that can be used.

    `asked` are the scopes that the tokens have if the response does not say; `now` is when the request left, in seconds
    since 1970.
    """
    document = parse_object(raw) if raw.is_success else None
    if document is None or document.get("error") is not None:
        return None
    access_token, token_type = document.get("access_token"), document.get("token_type", "Bearer")
    if not _is_token(access_token) or not isinstance(token_type, str) or token_type.lower() != "bearer":
        return None
    refresh_token = document.get("refresh_token")
    lifetime = _seconds(document.get("expires_in"))
    refresh_lifetime = _seconds(document.get("refresh_token_expires_in"))
    scope = document.get("scope")
    return Tokens(
        access_token=str(access_token),
        refresh_token=str(refresh_token) if _is_token(refresh_token) else None,
        scopes=tuple(scope.split()) if isinstance(scope, str) else asked,
        expires_at=None if lifetime is None else now + lifetime,
        lifetime=lifetime,
        refresh_expires_at=None if refresh_lifetime is None else now + refresh_lifetime,
    )


def _is_token(value: JSON) -> bool:
    """Return True for a text that can be sent as a header."""
    return (
        isinstance(value, str)
        and value != ""
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _seconds(value: JSON) -> float | None:
    """Return a positive number of seconds, which some servers send as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and 0 < seconds < 1e10 else None
