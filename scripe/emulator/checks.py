"""Fields of a body, checked for their type one by one."""

from scripe.emulator.errors import ApiError
from scripe.emulator.wire import JsonObject


def text_of(body: JsonObject, name: str) -> str:
    """A required string that is not empty.

    Raises:
        ApiError: 400, it is missing, empty or no string.

    """
    found = body.get(name)
    if not isinstance(found, str) or not found:
        raise wrong(name, "must be a string that is not empty")
    return found


def optional_text_of(body: JsonObject, name: str) -> str | None:
    """A string or null, null when absent.

    Raises:
        ApiError: 400, it is something else.

    """
    found = body.get(name)
    if found is not None and not isinstance(found, str):
        raise wrong(name, "must be a string or null")
    return found


def integer_of(body: JsonObject, name: str, default: int) -> int:
    """An integer, the default when absent.

    Raises:
        ApiError: 400, it is something else.

    """
    found = body.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int):
        raise wrong(name, "must be an integer")
    return found


def wrong(name: str, rule: str) -> ApiError:
    """The error for a parameter or field that breaks a rule of form."""
    return ApiError("invalid_request", f"{name} {rule}.", details={"parameter": name})
