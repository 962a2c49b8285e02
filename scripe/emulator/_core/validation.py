"""Fields of a body, checked for their type one by one."""

from collections.abc import Sequence

from .canonical_json import JsonObject
from .errors import ApiError


def require_str(body: JsonObject, name: str) -> str:
    """A required string that is not empty.

    Raises:
        ApiError: 400, it is missing, empty or no string.

    """
    found = body.get(name)
    if not isinstance(found, str) or not found:
        raise invalid_field(name, "must be a string that is not empty")
    return found


def optional_str(body: JsonObject, name: str) -> str | None:
    """A string or null, null when absent.

    Raises:
        ApiError: 400, it is something else.

    """
    found = body.get(name)
    if found is not None and not isinstance(found, str):
        raise invalid_field(name, "must be a string or null")
    return found


def optional_int(body: JsonObject, name: str, default: int) -> int:
    """An integer, the default when absent.

    Raises:
        ApiError: 400, it is something else.

    """
    found = body.get(name, default)
    if isinstance(found, float) and found.is_integer():  # in JSON 5.0 is the same number as 5
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise invalid_field(name, "must be an integer")
    return found


def str_if_present(body: JsonObject, name: str) -> str | None:
    """A string that is not empty, None when absent.

    Raises:
        ApiError: 400, it is empty or no string; null is none.

    """
    return require_str(body, name) if name in body else None


def require_object(body: JsonObject, name: str) -> JsonObject:
    """A required object.

    Raises:
        ApiError: 400, it is missing or something else.

    """
    found = body.get(name)
    if not isinstance(found, dict):
        raise invalid_field(name, "must be an object")
    return found


def optional_choice(body: JsonObject, name: str, known: Sequence[str], default: str) -> str:
    """One of the known words, the default when absent.

    Raises:
        ApiError: 400, it is no string; 422, it is another word.

    """
    found = body.get(name, default)
    if not isinstance(found, str):
        raise invalid_field(name, "must be a string")
    if found not in known:
        raise unprocessable_field(name, f"must be one of {', '.join(known)}")
    return found


def optional_bool(body: JsonObject, name: str) -> bool | None:
    """True or false, None when absent.

    Raises:
        ApiError: 400, it is something else.

    """
    found = body.get(name)
    if name in body and not isinstance(found, bool):
        raise invalid_field(name, "must be true or false")
    return found is True if name in body else None


def check_size(name: str, text: str, *, characters: int, size: int) -> None:
    """Let a text pass that is no longer than it may be.

    Raises:
        ApiError: 413, it has more characters, or more bytes.

    """
    if len(text) > characters or len(text.encode()) > size:
        rule = f"{name} may have {characters:,} characters and {size:,} bytes"
        raise ApiError("payload_too_large", f"{rule}.", details={"parameter": name})


def unprocessable_field(name: str, rule: str) -> ApiError:
    """The error for a field that is well formed but cannot be taken."""
    return ApiError("unprocessable", f"{name} {rule}.", details={"parameter": name})


def invalid_field(name: str, rule: str) -> ApiError:
    """The error for a parameter or field that breaks a rule of form."""
    return ApiError("invalid_request", f"{name} {rule}.", details={"parameter": name})
