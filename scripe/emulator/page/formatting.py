"""Format times, keys, paths and numbers for the page; no secret is shown whole."""

import re
from datetime import timedelta
from urllib.parse import urlencode

from .._core.messages import ReceivedRequest

SECRET = re.compile(r"(scripe_(?:sk_live|sk_test|oauth)_|whsec_)([A-Za-z0-9]+)")
SHOWN_OF_A_SECRET = 4
SHOWN_OF_A_KEY = 10
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def mask_secrets(text: str) -> str:
    """Cut every API key and secret in a text to its prefix and its last 4 characters."""
    return SECRET.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    end = match[2][-SHOWN_OF_A_SECRET:] if len(match[2]) > 3 * SHOWN_OF_A_SECRET else ""
    return f"{match[1]}…{end}"


def truncate(text: str, longest: int = SHOWN_OF_A_KEY) -> str:
    """Cut a text to a number of characters, by default to those that are shown of an idempotency key."""
    return text if len(text) <= longest + 1 else f"{text[:longest]}…"


def format_target(request: ReceivedRequest) -> str:
    """Format a request's path with its query, which is left out for storage: a presigned URL's query is a secret."""
    if request.storage or not request.query:
        return mask_secrets(request.path)
    return mask_secrets(f"{request.path}?{urlencode(request.query, safe=',:')}")


def format_age(age: timedelta) -> str:
    """Format a span of time in its largest whole unit."""
    seconds = max(0, int(age.total_seconds()))
    size, unit = next((entry for entry in UNITS if seconds >= entry[0]), UNITS[-1])
    return f"{seconds // size} {unit}"


def format_milliseconds(count: float) -> str:
    """Format milliseconds to a tenth, with thousands separated."""
    return f"{count:,.1f}"
