"""Check that a callback belongs to this browser and to this request, in an order that matters.

An attacker can send anybody's browser to the callback address, with a code of the attacker's own. So the state is
compared with the one in *this* browser's session before anything is looked up, and a missing one is an error, never
skipped: otherwise a user would be signed in to the attacker's workspace.
"""

from __future__ import annotations

import hmac
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from ..._redaction import clip
from ...errors import CallbackError, ConsentDeniedError, OAuthError
from ..config import Secret
from .authorization import PENDING_SECONDS, PendingLogin
from .discovery import ServerMetadata
from .response import TRANSIENT_ERRORS

DENIALS = (
    "access_denied",
    "consent_required",
    "interaction_required",
    "login_required",
    "account_selection_required",
)
START_AGAIN = "Send the browser to a new authorization request."


@dataclass(frozen=True, slots=True)
class Callback:
    """The parameters of a callback."""

    state: str
    code: str | None = field(repr=False)
    error: str | None
    description: str | None
    iss: str | None


def parse_callback(callback_url: Secret[str], state: str) -> Callback:
    """Return the parameters of a callback whose state is the browser's own.

    Only the query is looked at: behind a proxy, scheme and host are not those that the browser saw.

    Raises:
        CallbackError: a parameter is repeated, or the state is missing or another browser's.

    """
    pairs = Secret(_parse_query(callback_url.reveal()))
    repeated = [name for name, count in Counter(name for name, _ in pairs.reveal()).items() if count > 1]
    if repeated:
        raise CallbackError(
            f"The callback has {clip(repeated[0], 40)!r} more than once, which no honest server sends. {START_AGAIN}"
        )
    parameters = Secret(dict(pairs.reveal()))
    if not state:
        raise CallbackError(
            "There is no state in this browser's session, so nobody knows whether the callback belongs to it. Keep "
            f"AuthorizationRequest.state in the browser's own session, and pass it as state. {START_AGAIN}"
        )
    if not hmac.compare_digest(parameters.reveal().get("state", "").encode(), state.encode()):
        raise CallbackError(
            "The callback's state is not the one of this browser's session: it belongs to another request, or to "
            f"somebody else. {START_AGAIN}"
        )
    return Callback(
        state=state,
        code=parameters.reveal().get("code") or None,
        error=parameters.reveal().get("error") or None,
        description=clip(parameters.reveal().get("error_description", ""), 300) or None,
        iss=parameters.reveal().get("iss"),
    )


def _parse_query(callback_url: str) -> list[tuple[str, str]]:
    """Return the parameters of a URL, or of a query alone."""
    query = urlsplit(callback_url).query if "?" in callback_url else callback_url
    return parse_qsl(query, keep_blank_values=True)


def check_pending(pending: PendingLogin | None, name: str, client_id: str, now: float) -> PendingLogin:
    """Return the request that a callback belongs to.

    Raises:
        CallbackError: it is used up, too old, or was begun for another login or application.

    """
    # A clock that went back by some seconds does not make a request too old.
    if pending is None or not -60 <= now - pending.created_at <= PENDING_SECONDS:
        raise CallbackError(
            f"The authorization request of this callback was used before, is older than {PENDING_SECONDS / 60:.0f} "
            f"minutes, or is not in this token store. {START_AGAIN}"
        )
    if pending.name != name:
        raise CallbackError(
            f"The authorization request of this callback was made for {pending.name!r}, not for {name!r}. "
            f"{START_AGAIN}"
        )
    if pending.client_id != client_id:
        raise CallbackError(
            f"The authorization request of this callback was made with another client_id. {START_AGAIN}"
        )
    return pending


def code_of(callback: Callback, metadata: ServerMetadata) -> str:
    """Return the code of a callback.

    Raises:
        CallbackError: it comes from another server, or has no code.
        ConsentDeniedError: the user denied access.
        OAuthError: the server responded with another error.

    """
    if callback.iss is None and metadata.sends_iss:
        raise CallbackError(
            f"The callback does not name its issuer, although {metadata.issuer} always does. {START_AGAIN}"
        )
    if callback.iss is not None and callback.iss != metadata.issuer:
        raise CallbackError(
            f"The callback comes from {clip(callback.iss, 100)!r}, not from {metadata.issuer!r}. {START_AGAIN}"
        )
    if callback.error is not None:
        words = f": {callback.description.rstrip('.')}" if callback.description else ""
        if callback.error in DENIALS:
            raise ConsentDeniedError(
                f"Access was not allowed ({callback.error}{words}). Ask the user before you begin again.",
                error=callback.error,
                description=callback.description,
            )
        raise OAuthError(
            f"The authorization server responded with {clip(callback.error, 100)!r}{words}. Check client_id, "
            "redirect_uri and scopes.",
            error=callback.error,
            description=callback.description,
            retryable=callback.error in TRANSIENT_ERRORS,
        )
    if callback.code is None:
        raise CallbackError(f"The callback has no code. {START_AGAIN}")
    return callback.code
