"""Say what a token store keeps, and under which name.

A refresh token works once, so two processes that save their results in the wrong order lose a login for good. Hence a
store does three things that a mere dictionary does not: a lock that holds between processes, a `save` that happens only
over the record that was read (`only_over`), and a `pop` of which one caller alone gets the record.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

RecordKind: TypeAlias = Literal["login", "pending", "registration"]


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A record that a token store keeps under a name.

    Attributes:
        revision: Another one with each save. It is not secret.
        content: JSON that holds tokens: encrypt it if others can read the store.

    """

    revision: str
    content: str

    def __repr__(self) -> str:
        return f"TokenRecord(revision={self.revision!r}, content='…')"


@runtime_checkable
class TokenStore(Protocol):
    """Keeps logins where all processes that share them can reach them. All methods are called from threads.

    Names hold only lower-case letters, digits, `-` and `_`, and at most 64 of them. Each method raises
    `scripe.TokenStoreError` if the store cannot be used.
    """

    def load(self, name: str) -> TokenRecord | None:
        """Return the record under a name; None if there is none."""
        ...

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        """Save a record so that it survives a crash, and return True.

        Args:
            name: The name.
            record: The record.
            only_over: If given: the revision that must still be stored. If another one is, or none, save nothing and
                return False. Comparing and saving are one step, even for processes that do not hold the lock.

        """
        ...

    def pop(self, name: str) -> TokenRecord | None:
        """Remove a record and return it; None if there is none. Of several callers at once, one gets it."""
        ...

    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
        """Return a context manager that one caller holds at a time, among all threads and processes of this store.

        If its holder dies, the lock falls within 30 seconds. Entering raises `TimeoutError` after `timeout` seconds.
        """
        ...


def make_record(content: str) -> TokenRecord:
    """Return a record with a revision of its own."""
    return TokenRecord(secrets.token_hex(16), content)


def record_name(kind: RecordKind, issuer: str, name: str) -> str:
    """Return the name under which a store keeps a record: no name reaches another folder or another one's record.

    It begins with some characters of the name, so that a person finds it, and is unique by its digest.
    """
    readable = re.sub(r"[^a-z0-9]", "", name.lower())[:8]
    digest = hashlib.sha256(json.dumps([kind, issuer, name]).encode()).hexdigest()[:32]
    return f"{kind}-{readable}-{digest}"
