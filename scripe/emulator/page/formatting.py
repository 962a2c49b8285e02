"""Format times, keys, paths, bodies and numbers for the page; no secret is shown whole."""

from datetime import timedelta
from urllib.parse import urlencode

from .._core.masking import mask_oauth_body, mask_parameters, mask_secrets
from .._core.messages import OAUTH_PATHS, ReceivedRequest

SHOWN_OF_A_KEY = 10
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def truncate(text: str, longest: int = SHOWN_OF_A_KEY) -> str:
    """Cut a text to a number of characters, by default to those that are shown of an idempotency key."""
    return text if len(text) <= longest + 1 else f"{text[:longest]}…"


def format_target(request: ReceivedRequest) -> str:
    """Format a request's path with its query, which is left out for storage: a presigned URL's query is a secret."""
    if request.storage or not request.query:
        return mask_secrets(request.path)
    if request.path in OAUTH_PATHS:
        return f"{request.path}?{mask_parameters(urlencode(request.query))}"
    return mask_secrets(f"{request.path}?{urlencode(request.query, safe=',:')}")


def format_body(request: ReceivedRequest, longest: int) -> str:
    """Format the beginning of a request's body; of a request of OAuth, only the values that are no secrets."""
    if request.path in OAUTH_PATHS:
        return truncate(mask_oauth_body(request.body), longest)
    return truncate(mask_secrets(request.body[: 4 * longest].decode(errors="replace")), longest)


def format_age(age: timedelta) -> str:
    """Format a span of time in its largest whole unit."""
    seconds = max(0, int(age.total_seconds()))
    size, unit = next((entry for entry in UNITS if seconds >= entry[0]), UNITS[-1])
    return f"{seconds // size} {unit}"


def format_milliseconds(count: float) -> str:
    """Format milliseconds to a tenth, with thousands separated."""
    return f"{count:,.1f}"
