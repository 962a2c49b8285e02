"""Check the fields of a body for their type: 400 for a wrong form, 422 for what is well formed but wrong."""

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from .canonical_json import JsonObject
from .errors import ApiError

PORT = r"(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?"
REST = r"([/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?(#[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?"
URL = rf"https?://[A-Za-z0-9][A-Za-z0-9.-]*{PORT}{REST}"
PUBLIC_URL = rf"https://[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{{2,63}}{PORT}{REST}"
"""URLs and URLs of webhooks as the OpenAPI description has them; the emulator also takes addresses in brackets."""
ANY_URL = re.compile(rf"https?://\[[0-9A-Fa-f:.]+\]{PORT}{REST}|{URL}")


def require_str(body: JsonObject, name: str) -> str:
    """Return a string that is required and not empty, or raise a 400."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid_field(name, "must be a string that is not empty")
    return value


def str_if_present(body: JsonObject, name: str) -> str | None:
    """Return a string that is not empty, None if it is absent, or raise a 400, also for null."""
    return require_str(body, name) if name in body else None


def optional_str(body: JsonObject, name: str) -> str | None:
    """Return a string or null, null if it is absent, or raise a 400."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_field(name, "must be a string or null")
    return value


def optional_int(body: JsonObject, name: str, default: int) -> int:
    """Return an integer, the default if it is absent, or raise a 400."""
    value = body.get(name, default)
    if isinstance(value, float) and value.is_integer():  # in JSON 5.0 is the same number as 5
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_field(name, "must be an integer")
    return value


def optional_bool(body: JsonObject, name: str) -> bool | None:
    """Return true or false, None if it is absent, or raise a 400."""
    value = body.get(name)
    if name in body and not isinstance(value, bool):
        raise invalid_field(name, "must be true or false")
    return value is True if name in body else None


def optional_choice(body: JsonObject, name: str, known: Sequence[str], default: str) -> str:
    """Return one of the known words, the default if it is absent, or raise a 400, or a 422 for another word."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise invalid_field(name, "must be a string")
    if value not in known:
        raise unprocessable_field(name, f"must be one of {', '.join(known)}")
    return value


def require_object(body: JsonObject, name: str) -> JsonObject:
    """Return an object that is required, or raise a 400."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise invalid_field(name, "must be an object")
    return value


def check_size(name: str, text: str, *, characters: int, size: int) -> None:
    """Raise a 413 if a text has more characters or bytes than it may have."""
    if len(text) > characters or len(text.encode()) > size:
        message = f"{name} may have {characters:,} characters and {size:,} bytes."
        raise ApiError("payload_too_large", message, details={"parameter": name})


def parse_url(url: str) -> SplitResult | None:
    """Return the parts of an http or https URL, None if it is another text."""
    try:
        return urlsplit(url) if ANY_URL.fullmatch(url) else None
    except ValueError:  # the text in brackets is not an address
        return None


def invalid_field(name: str, rule: str) -> ApiError:
    """Return the error for a parameter or field whose form is wrong."""
    return ApiError("invalid_request", f"{name} {rule}.", details={"parameter": name})


def unprocessable_field(name: str, rule: str) -> ApiError:
    """Return the error for a field that is well formed, but cannot be accepted."""
    return ApiError("unprocessable", f"{name} {rule}.", details={"parameter": name})
