"""Check the names of records, and report a lock that somebody else holds."""

from __future__ import annotations

import re

from ...errors import InvalidArgumentError

_NAME = re.compile(r"[a-z0-9_-]{1,64}")


def check_name(name: str) -> None:
    """Raise InvalidArgumentError for a name that could reach another folder, or that not every store can keep."""
    if not _NAME.fullmatch(name):
        raise InvalidArgumentError(
            f"The name {name!r} of a token record is invalid. Use 1 to 64 lower-case letters, digits, hyphens and "
            "underscores."
        )


def lock_timeout_error(name: str, timeout: float) -> TimeoutError:
    """Return the error for a lock that was not free in time."""
    return TimeoutError(
        f"Another thread or process has held the lock of {name!r} for {timeout:g} seconds. Try again."
    )
