"""Asking the caller for a key: one asks, and those who wait meanwhile take its answer.

If the one is cancelled, or the caller's function raises, the next in line asks. A function that calls with the very
client that it is to give a key would wait for itself for ever: that is an error.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from ._concurrency import on_trio
from .errors import APITimeoutError, ConfigurationError

if TYPE_CHECKING:
    import asyncio

    import trio

T = TypeVar("T")

_active_refreshes: ContextVar[tuple[object, ...]] = ContextVar("scripe_asking", default=())
"""Whoever asks, where this code was called from."""


class _APIKeyRefreshLock:
    def __init__(self) -> None:
        self._active_refresh: object = None

    def _check_not_reentrant(self) -> None:
        if self._active_refresh is not None and self._active_refresh in _active_refreshes.get():
            raise ConfigurationError(
                "The function that gives this client its key called with this client, "
                "which waits for the key: let it use another one."
            )

    @contextmanager
    def _active(self) -> Generator[None]:
        refresh, outer = object(), _active_refreshes.get()
        try:
            self._active_refresh = refresh
            _active_refreshes.set((*outer, refresh))
            yield
        finally:
            self._active_refresh = None
            _active_refreshes.set(outer)


class AsyncAPIKeyRefreshLock(_APIKeyRefreshLock):
    """One at a time, on asyncio and on trio."""

    def __init__(self) -> None:
        super().__init__()
        self._lock: asyncio.Lock | trio.Lock | None = None

    async def refresh_with(self, function: Callable[[], Awaitable[T]], timeout: float | None = None) -> T:  # noqa: ARG002 - it is interrupted
        self._check_not_reentrant()
        async with self._get_lock():
            with self._active():
                return await function()

    def _get_lock(self) -> asyncio.Lock | trio.Lock:
        if self._lock is None:
            if on_trio():
                import trio

                self._lock = trio.Lock()
            else:
                import asyncio

                self._lock = asyncio.Lock()
        return self._lock


class APIKeyRefreshLock(_APIKeyRefreshLock):
    """One at a time, of many threads."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def refresh_with(self, function: Callable[[], T], timeout: float | None = None) -> T:
        """Ask when nobody else does; wait so many seconds for that.

        Raises:
            APITimeoutError: somebody else is still asking.

        """
        self._check_not_reentrant()
        if timeout is None:
            with self._lock, self._active():
                return function()
        if not self._lock.acquire(timeout=timeout):
            raise APITimeoutError(
                "The total timeout has passed while another call still waits for the `api_key` function.",
                is_total=True,
                retryable=True,
            )
        try:
            with self._active():
                return function()
        finally:
            self._lock.release()
