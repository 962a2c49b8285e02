"""Serialise calls of the user's `api_key` function: concurrent callers share one refresh.

The lock is held while the function runs. `AsyncSession` checks again under the lock whether another
caller has refreshed the key meanwhile, so a burst of 401s costs one refresh (single flight). If the function raises, or
its caller is cancelled, the next one in line calls it.

The function must not make a call with the client that is waiting for the key: that call would wait for the lock that
its own caller holds. This is detected with a context variable, which the function inherits, and raised as an error.
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

_active_refreshes: ContextVar[tuple[object, ...]] = ContextVar("scripe_api_key_refreshes", default=())
"""The refreshes that this code was called from; several, if the function of one client uses another client."""


class _APIKeyRefreshLock:
    """Detects that a refresh was started from within itself."""

    def __init__(self) -> None:
        self._active_refresh: object = None

    def _check_not_reentrant(self) -> None:
        if self._active_refresh is not None and self._active_refresh in _active_refreshes.get():
            raise ConfigurationError(
                "The `api_key` function made a call with the same client, which is waiting for the key: deadlock. "
                "Use a separate client inside the function."
            )

    @contextmanager
    def _active(self) -> Generator[None]:
        """Mark the code inside the block, and what it calls, as part of this refresh."""
        refresh, outer = object(), _active_refreshes.get()
        try:
            self._active_refresh = refresh
            _active_refreshes.set((*outer, refresh))
            yield
        finally:
            self._active_refresh = None
            _active_refreshes.set(outer)


class AsyncAPIKeyRefreshLock(_APIKeyRefreshLock):
    """Runs one refresh at a time, on asyncio and on trio."""

    def __init__(self) -> None:
        super().__init__()
        self._lock: asyncio.Lock | trio.Lock | None = None

    async def refresh_with(self, function: Callable[[], Awaitable[T]], timeout: float | None = None) -> T:  # noqa: ARG002 - its caller interrupts it
        """Call the function when no other caller does."""
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
    """Runs one refresh at a time, in any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def refresh_with(self, function: Callable[[], T], timeout: float | None = None) -> T:
        """Call the function when no other caller does; wait for that for a number of seconds at most.

        Raises:
            APITimeoutError: another caller's refresh took longer.

        """
        self._check_not_reentrant()
        if timeout is None:
            with self._lock, self._active():
                return function()
        if not self._lock.acquire(timeout=timeout):
            raise APITimeoutError(
                "The total timeout passed while another call was waiting for the `api_key` function. "
                "Check why the function takes so long.",
                is_total=True,
                retryable=True,
            )
        try:
            with self._active():
                return function()
        finally:
            self._lock.release()
