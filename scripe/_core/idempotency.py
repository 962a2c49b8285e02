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

from ..errors import InvalidArgumentError, ScripeDeprecationWarning, ScripeError

_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OURS = re.compile(r"(?P<mint>scripe-[0-9a-f]{24})-(?P<md5>[0-9a-f]{32})")


def new_idempotency_key() -> str:
    return str(uuid.uuid4())


def check_idempotency_key(idempotency_key: str) -> str:
    if not isinstance(idempotency_key, str) or not _FORM.fullmatch(idempotency_key):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(
            f"idempotency_key {idempotency_key!r:.80} is not of the form the API knows: 1 to 64 letters, digits, "
            "underscores and hyphens. scripe.idempotency_key(…) makes one from any parts."
        )
    return idempotency_key


def derive_idempotency_key(call_key: str, step: str) -> str:
    """The key of one step of a composite call: the same for the same call, another for each step."""
    return idempotency_key("step", call_key, step)


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
        InvalidArgumentError: no part, or one that has no stable text.

    """
    if not parts:
        raise InvalidArgumentError("idempotency_key() needs at least one part that identifies the operation.")
    digest = hashlib.sha256()
    for part in parts:
        type_name, content = _canonical_part(part)
        digest.update(f"{type_name}:{len(content)}:".encode() + content)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _canonical_part(part: object) -> tuple[str, bytes]:
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
                f"A {type(part).__name__} has no stable text to derive a key from; "
                "give str, bytes, numbers, dates, UUIDs or paths."
            )


def add_idempotency_key(error: Exception, idempotency_key: str | None) -> None:
    """Let an error that ends a write after it was sent carry the write's key: the caller can go on with it.

    An error of the caller's own, raised in a callback, stays as it is, and gets a note.
    """
    if idempotency_key is None:
        return
    if not isinstance(error, ScripeError | ScripeDeprecationWarning):
        error.add_note(f"The write was sent with idempotency_key={idempotency_key!r}.")
    elif error.idempotency_key is None:
        error.idempotency_key = idempotency_key


class FileIdempotencyKey:
    """The idempotency key of a call that uploads a file, and the key of its link, which holds a digest of the content.

    A key covers what it protects: under the same key another content gets another link, so that it is never taken for
    the first one, and a source of it is another body under the key, which conflicts.

    For a key of the caller's, the content is read once before it is sent. A key of ours is used by no one else, so
    the link needs no digest; the call's own key gets one once the content was sent, and before anything is made of
    it. A rerun with that key, which errors carry, finds the link again, and knows what went through it.
    """

    def __init__(self, idempotency_key: str | None) -> None:
        self.value = (
            f"scripe-{uuid.uuid4().hex[:24]}"
            if idempotency_key is None
            else check_idempotency_key(idempotency_key)
        )
        """The key of what is made of the file, and what errors carry."""
        self.presign_key = self.value
        self.is_bound = False
        """Whether the mint's key holds a digest of the content, so that whoever used its link sent the same."""
        self.is_callers = idempotency_key is not None

    def bind(self, sha256: str, md5: str) -> None:
        """Make the link's key of the caller's key and the content."""
        ours = _OURS.fullmatch(self.value)
        if ours is not None and ours["md5"] == md5:
            self.presign_key = ours["mint"]
        else:
            self.presign_key = derive_idempotency_key(self.value, f"upload {sha256}")
        self.is_bound = True

    def complete(self, md5: str) -> None:
        """Note the content that a key of ours was used for."""
        if not self.is_callers:
            self.value = f"{self.presign_key}-{md5}"

    @contextmanager
    def attach_to_errors(self) -> Generator[None]:
        """Let errors of any step carry the key as it is then."""
        try:
            yield
        except ScripeError as error:
            error.idempotency_key = self.value
            raise


@contextmanager
def attach_idempotency_key(idempotency_key: str) -> Generator[None]:
    """Errors of any step of a composite call carry the key of the whole, with which it can be gone on with."""
    try:
        yield
    except ScripeError as error:
        error.idempotency_key = idempotency_key
        raise
