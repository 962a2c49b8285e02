"""Register an application (RFC 7591): what is sent, and what of the response counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import InvalidArgumentError, RegistrationError
from ..config import check_type, is_loopback, parse_host
from ..outcome import RawResponse
from ..retry import is_transient
from .discovery import ServerMetadata
from .records import decode_record, encode_record
from .response import describe_error, error_of, parse_object
from .token_store import TokenRecord
from .tokens import secret_auth_method

FORMAT = "scripe-registration-1"


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered application. Keep `client_id`, and `client_secret` if there is one: each call registers another.

    Attributes:
        client_id: The id of the application.
        client_secret: Its secret; None for a public client.
        redirect_uri: Where the browser comes back to.
        scopes: The scopes that it may ask for, as the server registered them.

    """

    client_id: str
    client_secret: str | None
    redirect_uri: str
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Registration(client_id={self.client_id!r}, redirect_uri={self.redirect_uri!r})"


def check_redirect_uri(redirect_uri: str) -> str:
    """Return a redirect URI; raise InvalidArgumentError unless it is https, or plain http to this machine."""
    check_type(redirect_uri, str, "redirect_uri", "a str")
    is_usable = redirect_uri.isascii() and redirect_uri.isprintable() and " " not in redirect_uri
    host = parse_host(redirect_uri) if is_usable else ""
    is_local = redirect_uri.startswith("http://") and is_loopback(host)
    is_secure = host != "" and (redirect_uri.startswith("https://") or is_local)
    if not is_secure or "#" in redirect_uri:
        raise InvalidArgumentError(
            f"redirect_uri {redirect_uri!r} is not an https URL without a fragment. Give the address of your callback "
            "exactly as it was registered; plain http works for this machine alone."
        )
    return redirect_uri


def registration_body(
    metadata: ServerMetadata,
    client_name: str,
    redirect_uri: str,
    scopes: Sequence[str],
    *,
    with_secret: bool,
) -> bytes:
    """Return the body of a registration; a secret is asked for as it will be sent later."""
    return json.dumps(
        {
            "client_name": client_name,
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": " ".join(scopes),
            "token_endpoint_auth_method": secret_auth_method(metadata) if with_secret else "none",
        }
    ).encode()


def parse_registration(
    metadata: ServerMetadata, raw: RawResponse, redirect_uri: str, scopes: Sequence[str]
) -> Registration:
    """Return the registration in a response: what came back counts, not what was asked for.

    Raises:
        RegistrationError: the server did not register the application.

    """
    document = parse_object(raw) if raw.is_success else None
    client_id = document.get("client_id") if document else None
    if document is None or not isinstance(client_id, str) or not client_id:
        code, description = error_of(raw)
        raise RegistrationError(
            f"{metadata.issuer} did not register the application: it responded with {describe_error(raw)}. Check "
            "client_name, redirect_uri and scopes.",
            error=code,
            description=description,
            retryable=is_transient(raw),
        )
    secret, uris, scope = document.get("client_secret"), document.get("redirect_uris"), document.get("scope")
    if isinstance(uris, list) and uris and redirect_uri not in uris:
        raise RegistrationError(
            f"{metadata.issuer} registered other redirect URIs than {redirect_uri!r}. Give one that it allows."
        )
    return Registration(
        client_id=client_id,
        client_secret=secret if isinstance(secret, str) and secret else None,
        redirect_uri=redirect_uri,
        scopes=tuple(scope.split()) if isinstance(scope, str) else tuple(scopes),
    )


def encode_registration(registration: Registration) -> TokenRecord:
    """Return a registration as a token store keeps it."""
    return encode_record(registration, FORMAT)


def parse_registration_record(record: TokenRecord) -> Registration:
    """Return the registration in a record; raise TokenStoreError if it holds something else."""
    return decode_record(record, FORMAT, Registration)
