"""The state that a client and all its copies share: connections, rate limiter, poll throttle.

**Event loops.** Connections belong to the event loop in which they were opened. Used from another loop, they hang or
raise errors that name neither loop: so the session remembers its loop and refuses any other. (For sync clients,
`current_loop` is always None.)

**Forks.** A forked child inherits the parent's connections, its locks in whatever state they were, and none of its
threads. The hooks at the end of this file keep three things from going wrong in the child:

- two processes that write to one TLS connection corrupt it, or read each other's responses;
- a lock that another thread held during the fork is never released;
- a module that another thread was importing during the fork stays locked, and the child's own import waits without end
  (seen on Python 3.11 and 3.13).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from weakref import WeakSet

from .._concurrency import AsyncCallback, AsyncClock, async_current_loop
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
from .credential import reset_after_fork


class AsyncSession:
    """Connections, rate limiter and poll throttle of a client and its copies."""

    def __init__(
        self,
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
        self._is_closed = False
        self._lock = threading.Lock()
        self._backend_or_client: AsyncHTTPClient | BackendName = http_client or default_backend_name()
        self._transport: AsyncHTTPTransport | None = None
        self._loop: object = None
        if isinstance(self._backend_or_client, str):
            check_backend_name(self._backend_or_client)
        else:
            self._transport = AsyncHTTPTransport(self._backend_or_client)
        _sessions.add(self)

    @property
    def opens_connections(self) -> bool:
        """True if the session opens and closes its connections; False if the caller passed an `http_client`."""
        return isinstance(self._backend_or_client, str)

    def transport(self) -> AsyncHTTPTransport:
        """Return the transport; open it with the first call, and again after a fork."""
        self.check_usable()
        return self._transport or self._open_transport()

    def _open_transport(self) -> AsyncHTTPTransport:
        with self._lock:
            # Check again under the lock: if another thread has just closed the client, nobody would close this
            # transport.
            self._check_open()
            self._transport = transport = self._transport or AsyncHTTPTransport(self._backend_or_client)
            return transport

    def open_separate_transport(self) -> AsyncHTTPTransport:
        """Open another transport of the same configuration, which the caller closes."""
        return AsyncHTTPTransport(self._backend_or_client)

    async def close(self) -> None:
        """Close the transport; calls raise `ClientClosedError` from now on."""
        if self._transport is not None and self.opens_connections:
            self._check_loop()
        with self._lock:
            self._is_closed = True
            transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    def reset_after_fork(self) -> None:
        """Replace connections, locks and counts of requests in flight, in a process that was just forked.

        The `http_client` of a caller stays in use: only its owner can know how to open another one.
        """
        self._lock, self._loop = threading.Lock(), None
        self.poll_throttle = PollThrottle()
        if self.limiter is not None:
            self.limiter.reset()
        _orphaned_transports.append(self._transport)
        self._transport = None if self.opens_connections else AsyncHTTPTransport(self._backend_or_client)

    def check_usable(self) -> None:
        """Raise an error if the client is closed, or belongs to another event loop."""
        self._check_open()
        self._check_loop()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClientClosedError(
                "This client is closed. Make a new client, or close this one after its last call."
            )

    def _check_loop(self) -> None:
        current = async_current_loop()
        if self._loop is None:
            self._loop = current
        if self._loop is not current:
            raise ConfigurationError(
                "This client was first used in another event loop, and its connections belong to that loop. "
                "Make one AsyncScripe for each event loop (each asyncio.run), and close it there."
            )


_make_clock: Callable[[], AsyncClock] = AsyncClock


def set_clock_factory(factory: Callable[[], AsyncClock]) -> Callable[[], AsyncClock]:
    """Make the clock of each new session with `factory`, and return the previous factory.

    A session measures deadlines and sleeps with its clock. `scripe.testing` sets a clock here that advances the
    emulator's time instead of sleeping: the application under test makes its clients itself, so there is no other place
    to pass one.
    """
    global _make_clock
    previous, _make_clock = _make_clock, factory
    return previous


_sessions: WeakSet[AsyncSession] = WeakSet()

# Transports of the parent process. They can neither be closed (the parent still uses the sockets) nor dropped: the
# garbage collector would close them, and warn.
_orphaned_transports: list[AsyncHTTPTransport | None] = []


# The modules that a first call imports. All of them are imported before a fork, so that no other thread can be in the
# middle of such an import, with its lock held, when the process forks.
LOADED_BEFORE_FORK = (
    "scripe._async.resources.health",
    "scripe._async.resources.jobs",
    "scripe._async.resources.knowledge",
    "scripe._async.resources.notes",
    "scripe._async.resources.post_statuses",
    "scripe._async.resources.posts",
    "scripe._async.resources.projects",
    "scripe._async.resources.sources",
    "scripe._async.resources.uploads",
    "scripe._async.resources.webhook_endpoints",
    "scripe._async.resources.workspaces",
    "scripe._core.pagination",
    "scripe.types.page",
    *("tenacity", "httpcore", "httpcore2", "h11", "certifi", "truststore", "encodings.idna"),
)


def before_fork() -> None:
    """Import everything that a call may import later, if this process has a client."""
    if not _sessions:
        return
    for name in LOADED_BEFORE_FORK:
        with suppress(Exception):
            import_module(name)
    plain_context()  # OpenSSL initialises itself with the first context, under a lock of its own


def after_fork() -> None:
    """Reset all sessions and credentials of the parent in the forked child."""
    reset_after_fork()
    for session in list(_sessions):
        session.reset_after_fork()


with suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(before=before_fork, after_in_child=after_fork)
