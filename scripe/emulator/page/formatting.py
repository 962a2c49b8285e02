"""How moments, keys, paths and numbers are written on the page; no secret is written whole."""

import re
from datetime import timedelta
from urllib.parse import urlencode

from .._core.messages import ReceivedRequest

SECRET = re.compile(r"(scripe_(?:sk_live|sk_test|oauth)_|whsec_)([A-Za-z0-9]+)")
SHOWN_OF_A_SECRET = 4
SHOWN_OF_A_KEY = 10
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def masked(text: str) -> str:
    """A text with every key and secret in it cut to its prefix and its last 4 characters."""
    return SECRET.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    end = found[2][-SHOWN_OF_A_SECRET:] if len(found[2]) > 3 * SHOWN_OF_A_SECRET else ""
    return f"{found[1]}…{end}"


def shortened(text: str, longest: int = SHOWN_OF_A_KEY) -> str:
    """Cut a text to so many characters, by default to those that are shown of an idempotency key."""
    return text if len(text) <= longest + 1 else f"{text[:longest]}…"


def target(request: ReceivedRequest) -> str:
    """A request's path with its query; the query of a presigned URL is left out, since it is what opens it."""
    if request.storage or not request.query:
        return masked(request.path)
    return masked(f"{request.path}?{urlencode(request.query, safe=',:')}")


def age(span: timedelta) -> str:
    """A span of time in its largest whole unit."""
    seconds = max(0, int(span.total_seconds()))
    size, unit = next((each for each in UNITS if seconds >= each[0]), UNITS[-1])
    return f"{seconds // size} {unit}"


def milliseconds(count: float) -> str:
    """Milliseconds to a tenth, thousands set apart."""
    return f"{count:,.1f}"


def plain(kind: str) -> str:
    """The name of a kind of records as a person writes it."""
    return kind.replace("_", " ")
