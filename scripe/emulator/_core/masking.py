"""Mask secrets in what the page and reprs show of requests and responses."""

import re
from typing import cast
from urllib.parse import parse_qsl, quote

from .canonical_json import JsonObject, dumps, loads

SECRET = re.compile(r"(scripe_(?:sk_live|sk_test|oauth|refresh|code|secret|form)_|whsec_)([A-Za-z0-9]+)")
SHOWN_OF_A_SECRET = 4
MAX_OAUTH_BODY = 64 * 1024
MASK = "…"
OPEN_PARAMETERS = frozenset(
    {
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "decision",
        "grant_type",
        "reach",
        "redirect_uri",
        "resource",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "token_type_hint",
    }
)
"""Parameters of OAuth that are shown: they are not secrets."""
SECRET_PARAMETERS = frozenset({"client_secret", "code", "code_verifier", "form", "refresh_token", "token"})
"""Parameters of OAuth of which only the name is shown; of unknown ones not even that."""
OPEN_METADATA = frozenset(
    {
        "client_name",
        "client_uri",
        "grant_types",
        "redirect_uris",
        "response_types",
        "scope",
        "token_endpoint_auth_method",
    }
)


def mask_secrets(text: str) -> str:
    """Cut every API key, token and secret in a text to its prefix and its last 4 characters."""
    return SECRET.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    end = match[2][-SHOWN_OF_A_SECRET:] if len(match[2]) > 3 * SHOWN_OF_A_SECRET else ""
    return f"{match[1]}{MASK}{end}"


def mask_parameters(text: str) -> str:
    """Return a query or form of OAuth with only those values that are no secrets."""
    return "&".join(_show(*pair) for pair in parse_qsl(text, keep_blank_values=True))


def _show(name: str, value: str) -> str:
    if name in OPEN_PARAMETERS:
        return f"{name}={mask_secrets(quote(value, safe=':/'))}"
    return f"{name if name in SECRET_PARAMETERS else MASK}={MASK}"


def mask_oauth_body(body: bytes) -> str:
    """Return the body of a request of OAuth, a form or a registration, with only those values that are no secrets."""
    if len(body) > MAX_OAUTH_BODY:
        return MASK
    if not body.lstrip().startswith(b"{"):
        return mask_parameters(body.decode(errors="replace"))
    try:
        document = cast("JsonObject", loads(body))
    except ValueError:
        return MASK
    shown = {name: value if name in OPEN_METADATA else MASK for name, value in document.items()}
    return mask_secrets(dumps(shown).decode())
