"""Make, check and derive idempotency keys.

The API remembers an idempotency key for 24 hours, per workspace and route. The same key with the same body replays the
first response; with another body it conflicts.

The API silently ignores a key of the wrong form (C31). A write with such a key would run twice when it is retried, so
the client refuses it.
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

from ..errors import InvalidArgumentError, ScripeDeprecationWarning, ScripeError

_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COMPLETED = re.compile(r"(?P<presign_key>scripe-[0-9a-f]{24})-(?P<md5>[0-9a-f]{32})")


def new_idempotency_key() -> str:
    """Return a random idempotency key."""
    return str(uuid.uuid4())


def check_idempotency_key(idempotency_key: str) -> str:
    """Return the idempotency key; refuse one that the API would ignore."""
    if not isinstance(idempotency_key, str) or not _FORM.fullmatch(idempotency_key):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(
            f"idempotency_key {idempotency_key!r:.80} is not of the form that the API accepts. Use 1 to 64 letters, "
            "digits, underscores and hyphens, or derive one with scripe.idempotency_key(…)."
        )
    return idempotency_key


def derive_idempotency_key(call_key: str, step: str) -> str:
    """Return the idempotency key of one step of a composite call: stable, and different for each step."""
    return idempotency_key("step", call_key, step)


def idempotency_key(*parts: object) -> str:
    """Derive a stable idempotency key from any parts.

    The same parts give the same key on every machine and in every run; other parts, or the same text split
    differently, give another. Use what identifies the operation: a path, a row's id, a digest of the content.

    The API remembers a key for 24 hours. A program that runs again later needs a ledger, `Scripe(ledger=…)`, which
    remembers what was made.

    Args:
        *parts: At least one `str`, `bytes`, `int`, `float`, `bool`, `None`, `date`, `datetime`, `UUID` or path.

    Returns:
        43 characters that the API accepts as an `Idempotency-Key`.

    Raises:
        InvalidArgumentError: no part is given, or one has no stable text.

    """
    if not parts:
        raise InvalidArgumentError("idempotency_key() needs at least one part that identifies the operation.")
    digest = hashlib.sha256()
    for part in parts:
        type_name, content = _canonical_part(part)
        digest.update(f"{type_name}:{len(content)}:".encode() + content)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _canonical_part(part: object) -> tuple[str, bytes]:
    """Return a part's type and bytes, the same on every machine; with the type, 1 and "1" give different keys."""
    match part:
        case bytes():
            return "bytes", part
        case str():
            return "str", part.encode("utf-8", "surrogatepass")
        case PathLike():
            return _canonical_part(fspath(part))  # pyright: ignore[reportUnknownArgumentType]
        case datetime() | date():
            return type(part).__name__, part.isoformat().encode()
        case None | bool() | int() | float() | uuid.UUID():
            return type(part).__name__, str(part).encode()
        case _:
            raise InvalidArgumentError(
                f"An idempotency key cannot be derived from a {type(part).__name__}, which has no stable text. "
                "Give str, bytes, numbers, dates, UUIDs or paths."
            )


def add_idempotency_key(error: Exception, idempotency_key: str | None) -> None:
    """Set the idempotency key on an error that ended a write after it was sent, so that the caller can repeat it.

    An error of the caller's own, which a callback raised, gets a note instead.
    """
    if idempotency_key is None:
        return
    if not isinstance(error, ScripeError | ScripeDeprecationWarning):
        error.add_note(f"The write was sent with idempotency_key={idempotency_key!r}.")
    elif error.idempotency_key is None:
        error.idempotency_key = idempotency_key


class FileIdempotencyKey:
    """The idempotency keys of a call that uploads a file: its own, and the one of its upload link.

    Two different files under the caller's one key must not share a link: the second would be taken for the first.
    The key of the link is therefore derived from the caller's key and a digest of the content, for which the content
    is read once before it is sent.

    If the caller gave no key, nobody else has the one that is made here. The link needs no digest then, and the file
    is read only once. When it was sent, `complete` adds its digest to the call's key, which errors carry: a rerun with
    that key recognises the content, and finds the same link.
    """

    def __init__(self, idempotency_key: str | None) -> None:
        self.value = (
            f"scripe-{uuid.uuid4().hex[:24]}"
            if idempotency_key is None
            else check_idempotency_key(idempotency_key)
        )
        """The key of the call, which errors carry: for what the API makes of the file."""
        self.presign_key = self.value
        self.is_bound = False
        """True if the link's key depends on the content: whoever used that link sent the same bytes."""
        self.is_callers = idempotency_key is not None
        self.sha256: str | None = None
        """Digest of the content, once it is known."""

    def renew(self) -> None:
        """Take a random key for the next link: with the old one, the API would return the old link."""
        self.presign_key, self.is_bound = new_idempotency_key(), False

    def bind(self, sha256: str, md5: str) -> None:
        """Derive the link's key from the caller's key and the content."""
        completed = _COMPLETED.fullmatch(self.value)
        if completed is not None and completed["md5"] == md5:
            self.presign_key = completed["presign_key"]
        else:
            self.presign_key = derive_idempotency_key(self.value, f"upload {sha256}")
        self.is_bound, self.sha256 = True, sha256

    def complete(self, md5: str) -> None:
        """Add the digest of the content to a key that was made here."""
        if not self.is_callers:
            self.value = f"{self.presign_key}-{md5}"

    @contextmanager
    def attach_to_errors(self) -> Generator[None]:
        """Set the key, as it is at that time, on errors of any step."""
        try:
            yield
        except ScripeError as error:
            error.idempotency_key = self.value
            raise


@contextmanager
def attach_idempotency_key(idempotency_key: str) -> Generator[None]:
    """Set the key of a composite call on errors of any of its steps: a rerun with it continues the call."""
    try:
        yield
    except ScripeError as error:
        error.idempotency_key = idempotency_key
        raise
