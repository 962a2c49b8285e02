"""Lend HTTP clients to calls: the caller's own, or ours, one for each route. Worn clients are replaced.

When a call is cancelled in mid-flight, httpx sometimes loses the call's slot in the connection pool, and its socket
(encode/httpcore#1093): about one in ten, if they are cancelled at random. A program that cancels many calls would run
out of slots, and every later call would end with a PoolTimeout.

So after ten cancelled calls, the next call gets a new client. The old one is retired: it is closed when its last call
has ended. httpx2 loses no slots, and its clients are never replaced.

The lock is held for counters and lists only, never while a client sends or closes.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .routes import Route, route_to

C = TypeVar("C")

MAX_CANCELLED_CALLS = {"httpx": 10, "httpx2": math.inf}
"""Cancelled calls after which a client of the backend is replaced; each may hold a socket until then."""


class ClientLease(Generic[C]):
    """One client of the backend, the number of calls in flight on it, and of cancelled ones."""

    def __init__(self, client: C) -> None:
        self.client = client
        self.calls = 0
        self.cancelled = 0


class ClientPool(Generic[C]):
    """Lends the client for the next call to an origin; may be used from several threads."""

    def __init__(self, backend_name: str, client: C | None, open_client: Callable[[Route], C]) -> None:
        self._open = open_client
        self._callers_lease = None if client is None else ClientLease(client)
        self._max_cancelled = MAX_CANCELLED_CALLS[backend_name]
        self._routes: dict[str, Route] = {}
        self._current: dict[Route, ClientLease[C]] = {}
        self._retired: list[ClientLease[C]] = []
        self._lock = threading.Lock()

    def acquire(self, origin: str) -> ClientLease[C]:
        """Lend the client for an origin such as `https://api.scripe.io`; `release` must follow."""
        with self._lock:
            lease = self._callers_lease or self._current_lease(origin)
            lease.calls += 1
            return lease

    def _current_lease(self, origin: str) -> ClientLease[C]:
        route = self._routes.get(origin) or self._routes.setdefault(origin, route_to(origin))
        lease = self._current.get(route)
        if lease is not None and lease.cancelled >= self._max_cancelled:
            self._retired.append(lease)
            lease = None
        if lease is None:
            lease = self._current[route] = ClientLease(self._open(route))
        return lease

    def release(self, lease: ClientLease[C], *, was_cancelled: bool) -> None:
        """Return a client after a call."""
        with self._lock:
            lease.calls -= 1
            lease.cancelled += was_cancelled

    def pop_retired(self) -> C | None:
        """Return a retired client without calls, to be closed; None if there is none."""
        if not self._retired:
            return None
        with self._lock:
            idle = next((lease for lease in self._retired if not lease.calls), None)
            if idle is None:
                return None
            self._retired.remove(idle)
            return idle.client

    def pop_all(self) -> list[C]:
        """Return all open clients of ours, to be closed."""
        with self._lock:
            clients = [lease.client for lease in (*self._retired, *self._current.values())]
            self._retired.clear()
            self._current.clear()
            return clients
