"""Keep logins in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

from ..._core.oauth.token_store import TokenRecord
from ...errors import ConfigurationError, TokenStoreError
from ._names import check_name, lock_timeout_error


class MemoryTokenStore:
    """Keeps logins in the memory of one process; they are gone when it ends.

    It is for tests, and for programs that sign in each time. A process that is forked may load what it inherited, but
    not change it: two processes would each refresh the same login, and the server would end it for both.
    """

    def __init__(self) -> None:
        self._records: dict[str, TokenRecord] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._mutex = threading.Lock()
        self._process = os.getpid()

    def load(self, name: str) -> TokenRecord | None:
        """Return the record under a name; None if there is none."""
        check_name(name)
        return self._records.get(name)

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        """Save a record and return True; return False if `only_over` is given and is not the stored revision."""
        check_name(name)
        self._check_process()
        with self._mutex:
            stored = self._records.get(name)
            if only_over is not None and (stored is None or stored.revision != only_over):
                return False
            self._records[name] = record
            return True

    def pop(self, name: str) -> TokenRecord | None:
        """Remove a record and return it; None if there is none."""
        check_name(name)
        self._check_process()
        with self._mutex:
            return self._records.pop(name, None)

    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        """Hold the lock of a name among the threads of this process.

        Raises:
            TimeoutError: another thread has held it for `timeout` seconds.

        """
        check_name(name)
        self._check_process()
        with self._mutex:
            lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=max(timeout, 0)):
            raise lock_timeout_error(name, timeout)
        try:
            yield
        finally:
            lock.release()

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise TokenStoreError(
                "This MemoryTokenStore was made by the process that this one was forked from, and they do not share "
                "it. Make the store in this process, or use a FileTokenStore or an SQLTokenStore."
            )

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError(
            "A MemoryTokenStore cannot be pickled, since its logins are in the memory of this process. Make it in the "
            "process that uses it, or use a FileTokenStore."
        )
