"""Read the responses of an authorization server, errors included.

An OAuth response has `error` as a text (RFC 6749); the API's own errors have an object there. A proxy, or the server's
own framework, may send either, so both are understood.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..._redaction import clip
from ...errors import OAuthError, RegistrationError
from ...types._base import JSON
from ..json_repair import load_json
from ..outcome import RawResponse
from ..retry import is_transient

TRANSIENT_ERRORS = ("temporarily_unavailable", "server_error")
UNKNOWN_CLIENT = ("invalid_client", "unauthorized_client")


def parse_object(raw: RawResponse) -> Mapping[str, JSON] | None:
    """Return the JSON object of a response; None if its body is anything else."""
    try:
        document = load_json(raw.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def error_of(raw: RawResponse, secrets: tuple[str, ...] = ()) -> tuple[str | None, str | None]:
    """Return the error code of a response and its description, each None if it has none.

    Texts of a server may echo what was sent to it, so each of `secrets` is masked.
    """
    document: Mapping[str, JSON] = parse_object(raw) or {}
    error = document.get("error")
    if isinstance(error, dict):  # the API's own envelope
        return _clean(error.get("code"), 100, secrets), _clean(error.get("message"), 300, secrets)
    return _clean(error, 100, secrets), _clean(document.get("error_description"), 300, secrets)


def describe_error(raw: RawResponse, secrets: tuple[str, ...] = ()) -> str:
    """Return the error of a response as a part of a sentence."""
    code, description = error_of(raw, secrets)
    named = f"status {raw.status}" if code is None else f"{code!r} (status {raw.status})"
    return named if description is None else f"{named}: {description.rstrip('.')}"


def response_error(
    raw: RawResponse, action: str, client_id: str, secrets: tuple[str, ...] = ()
) -> OAuthError:
    """Return the error for a response of the token endpoint without tokens; `action` says what was tried."""
    code, description = error_of(raw, secrets)
    message = f"The authorization server responded with {describe_error(raw, secrets)} when {action}."
    if code in UNKNOWN_CLIENT:
        return RegistrationError(
            f"{message} It does not know the application {client_id!r}, or not its secret. Check client_id and "
            "client_secret, or register the application again.",
            error=code,
            description=description,
        )
    is_passing = is_transient(raw) or code in TRANSIENT_ERRORS
    advice = "Try again later." if is_passing else "Check the application's registration and settings."
    return OAuthError(f"{message} {advice}", error=code, description=description, retryable=is_passing)


def _clean(value: JSON, length: int, secrets: tuple[str, ...]) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    return clip(text, length) or None
