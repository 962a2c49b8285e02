"""Idempotency keys: made, checked, derived.

The API keeps a key for 24 hours per workspace and route: the same key with the same body replays the first
answer, with another body it conflicts. A key of an illegal form is silently ignored by the API (C31), which
would leave the write unprotected: so it is refused here.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime
from os import PathLike, fspath

from ..errors import ConfigurationError, ScripeDeprecationWarning, ScripeError

_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")


def new_key() -> str:
    return str(uuid.uuid4())


def checked_key(key: str) -> str:
    if not isinstance(key, str) or not _FORM.fullmatch(key):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            f"idempotency_key {key!r:.80} is not of the form the API knows: 1 to 64 letters, digits, "
            "underscores and hyphens. scripe.idempotency_key(…) makes one from any parts."
        )
    return key


def derived_key(key: str, step: str) -> str:
    """The key of one step of a composite call: the same for the same call, another for each step."""
    return idempotency_key("step", key, step)


def idempotency_key(*parts: object) -> str:
    """Derive a stable idempotency key from any parts.

    The same parts give the same key on every machine and in every run; other parts, or the same text split
    differently, give another. Use what identifies the operation: a path, a row's id, a digest of the content.

    The API remembers a key for 24 hours. A program that runs again later must itself remember what it has made.

    Args:
        *parts: At least one `str`, `bytes`, `int`, `float`, `bool`, `None`, `date`, `datetime`, `UUID` or path.

    Returns:
        43 characters that the API accepts as an `Idempotency-Key`.

    Raises:
        ConfigurationError: no part, or one that has no stable text.

    """
    if not parts:
        raise ConfigurationError("idempotency_key() needs at least one part that identifies the operation.")
    digest = hashlib.sha256()
    for part in parts:
        kind, content = _spelled(part)
        digest.update(f"{kind}:{len(content)}:".encode() + content)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _spelled(part: object) -> tuple[str, bytes]:
    match part:
        case bytes():
            return "bytes", part
        case str():
            return "str", part.encode("utf-8", "surrogatepass")
        case PathLike():
            return _spelled(fspath(part))  # pyright: ignore[reportUnknownArgumentType]
        case datetime() | date():
            return type(part).__name__, part.isoformat().encode()
        case None | bool() | int() | float() | uuid.UUID():
            return type(part).__name__, str(part).encode()
        case _:
            raise ConfigurationError(
                f"A {type(part).__name__} has no stable text to derive a key from; "
                "give str, bytes, numbers, dates, UUIDs or paths."
            )


def note_idempotency_key(error: Exception, key: str | None) -> None:
    """Let an error that ends a write after it was sent carry the write's key: the caller can go on with it.

    An error of the caller's own, raised in a callback, stays as it is, and gets a note.
    """
    if key is None:
        return
    if not isinstance(error, ScripeError | ScripeDeprecationWarning):
        error.add_note(f"The write was sent with idempotency_key={key!r}.")
    elif error.idempotency_key is None:
        error.idempotency_key = key


@contextmanager
def carrying(key: str) -> Generator[None]:
    """Errors of any step of a composite call carry the key of the whole, with which it can be gone on with."""
    try:
        yield
    except ScripeError as error:
        error.idempotency_key = key
        raise
