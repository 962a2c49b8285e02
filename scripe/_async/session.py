"""What a client and all its copies share: connections, the key, the budget of requests, the line of polls."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import cast
from weakref import WeakSet

from .._api_key_refresh import AsyncAPIKeyRefreshLock
from .._concurrency import AsyncCallback, AsyncClock, AsyncKeySource, async_current_loop, async_invoke
from .._core import config
from .._core.config import Secret
from .._core.poll_throttle import PollThrottle
from .._core.rate_limit import RateLimiter
from .._http import (
    AsyncHTTPClient,
    AsyncHTTPTransport,
    BackendName,
    check_backend_name,
    default_backend_name,
    plain_context,
)
from .._observer import NULL_OBSERVER, Observer
from ..errors import ClientClosedError, ConfigurationError
from ..types.response_info import ResponseInfo


class AsyncSession:
    def __init__(
        self,
        api_key: Secret[str | AsyncKeySource | None],
        limiter: RateLimiter | None,
        http_client: AsyncHTTPClient | BackendName | None,
        on_response: AsyncCallback[ResponseInfo] | None,
    ) -> None:
        self.http_client = http_client
        self.limiter = limiter
        self.on_response = on_response
        self.observer: Observer = NULL_OBSERVER
        self.clock: AsyncClock = _make_clock()
        self.poll_throttle: PollThrottle = PollThrottle()
        self._api_key_function = cast("AsyncKeySource | None", config.callable_api_key(api_key))
        self._api_key = None if self._api_key_function else config.resolve_api_key(api_key)
        self._is_closed = False
        self._lock = threading.Lock()
        self._backend_or_client: AsyncHTTPClient | BackendName = http_client or default_backend_name()
        self._transport: AsyncHTTPTransport | None = None
        self._loop: object = None
        self._refresh_lock: AsyncAPIKeyRefreshLock = AsyncAPIKeyRefreshLock()
        if isinstance(self._backend_or_client, str):
            check_backend_name(self._backend_or_client)
        else:
            self._transport = AsyncHTTPTransport(self._backend_or_client)
        _sessions.add(self)

    @property
    def opens_connections(self) -> bool:
        """Whether the connections are our own, not those of a client that the caller gave."""
        return isinstance(self._backend_or_client, str)

    def transport(self) -> AsyncHTTPTransport:
        """The open connections, opened when first needed, and anew in a forked process."""
        self._check()
        return self._transport or self._open_transport()

    def _open_transport(self) -> AsyncHTTPTransport:
        with self._lock:
            self._check_open()  # again: another thread may have closed meanwhile, and nobody would close this one
            self._transport = transport = self._transport or AsyncHTTPTransport(self._backend_or_client)
            return transport

    async def api_key(self, seconds: float | None = None) -> Secret[str]:
        """The key to send; a sync client waits so many seconds for another call that is asking for it."""
        return self._api_key or await self._get_or_refresh_api_key(None, seconds)

    async def refresh_api_key(self, rejected: Secret[str], seconds: float | None = None) -> bool:
        """Ask the caller's function for another key, unless that was done meanwhile; False if there is none."""
        if self._api_key_function is None:
            return False
        await self._get_or_refresh_api_key(rejected, seconds)
        return True

    async def _get_or_refresh_api_key(
        self, rejected: Secret[str] | None, seconds: float | None
    ) -> Secret[str]:
        self._check()
        return await self._refresh_lock.refresh_with(partial(self._refresh_api_key, rejected), seconds)

    async def _refresh_api_key(self, rejected: Secret[str] | None) -> Secret[str]:
        api_key = self._api_key
        if api_key is None or (rejected is not None and api_key.reveal() == rejected.reveal()):
            returned = Secret(await async_invoke(cast("AsyncKeySource", self._api_key_function)))
            self._api_key = api_key = config.resolve_api_key(returned)
        return api_key

    async def close(self) -> None:
        if self._transport is not None and self.opens_connections:
            self._check_loop()
        with self._lock:
            self._is_closed = True
            transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    def reset_after_fork(self) -> None:
        """Begin afresh in a process that was forked.

        The connections are the parent's: two processes on one would mix their answers. Other threads may have held
        any lock, and the calls that they had in flight do not end here. A client of the caller's stays in use.
        """
        self._lock, self._refresh_lock, self._loop = threading.Lock(), AsyncAPIKeyRefreshLock(), None
        self.poll_throttle = PollThrottle()
        if self.limiter is not None:
            self.limiter.reset()
        _orphaned_transports.append(self._transport)
        self._transport = None if self.opens_connections else AsyncHTTPTransport(self._backend_or_client)

    def _check(self) -> None:
        self._check_open()
        self._check_loop()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClientClosedError("This client was closed; make a new one, or close it later.")

    def _check_loop(self) -> None:
        current = async_current_loop()
        if self._loop is None:
            self._loop = current
        if self._loop is not current:
            raise ConfigurationError(
                "This client was first used in another event loop, where its connections live: "
                "make one AsyncScripe for each event loop (each asyncio.run), and close it there."
            )


_make_clock: Callable[[], AsyncClock] = AsyncClock


def set_clock_factory(factory: Callable[[], AsyncClock]) -> Callable[[], AsyncClock]:
    """Make the clock of each session from now on with `factory`, and return the previous factory.

    A session counts time limits and sleeps with its clock. `scripe.testing` sets a clock here that moves the emulator's
    time on instead of sleeping, since the clients are made by the application under test.
    """
    global _make_clock
    previous, _make_clock = _make_clock, factory
    return previous


_sessions: WeakSet[AsyncSession] = WeakSet()

_orphaned_transports: list[
    AsyncHTTPTransport | None
] = []  # kept, since whoever collects an open connection complains of it


# What a first call imports. If another thread held the lock of one of these modules during a fork, the child would wait
# for that lock without end: so all of them are imported before the fork.
LOADED_BEFORE_FORK = (
    "scripe._async.resources.health",
    "scripe._async.resources.jobs",
    "scripe._async.resources.knowledge",
    "scripe._async.resources.notes",
    "scripe._async.resources.post_statuses",
    "scripe._async.resources.posts",
    "scripe._async.resources.projects",
    "scripe._async.resources.sources",
    "scripe._async.resources.webhook_endpoints",
    "scripe._async.resources.workspaces",
    "scripe._core.pagination",
    "scripe.types.page",
    *("tenacity", "httpcore", "httpcore2", "h11", "certifi", "truststore", "encodings.idna"),
)


def before_fork() -> None:
    if not _sessions:
        return
    for name in LOADED_BEFORE_FORK:
        with suppress(Exception):
            import_module(name)
    plain_context()  # OpenSSL sets itself up with the first context, under a lock of its own


def after_fork() -> None:
    for session in list(_sessions):
        session.reset_after_fork()


with suppress(AttributeError):  # on Windows, where nothing forks
    os.register_at_fork(before=before_fork, after_in_child=after_fork)
