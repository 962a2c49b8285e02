"""The clients that calls go through: the caller's own, or ours, one for each route, each replaced when it wears out.

httpx never gets back the place in its pool, and the socket, of some calls that are cancelled in mid-flight: about one
in ten, cancelled at random. So after a few such calls the next one goes through a new client, and the old one is
closed when its last call has ended. httpx2 gets them all back.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .routes import Route, route_to

C = TypeVar("C")

MAX_CANCELLED_CALLS = {"httpx": 10, "httpx2": math.inf}
"""Abandoned calls after which a client of this family is replaced; each may hold a socket until then."""


class ClientLease(Generic[C]):
    """One client of the engine, and the calls that are on their way through it."""

    def __init__(self, client: C) -> None:
        self.client = client
        self.calls = 0
        self.cancelled = 0


class ClientPool(Generic[C]):
    """Hands out the client that the next call to an origin goes through; may be used from several threads."""

    def __init__(self, backend_name: str, client: C | None, open_client: Callable[[Route], C]) -> None:
        self._open = open_client
        self._callers_lease = None if client is None else ClientLease(client)
        self._max_cancelled = MAX_CANCELLED_CALLS[backend_name]
        self._routes: dict[str, Route] = {}
        self._current: dict[Route, ClientLease[C]] = {}
        self._retired: list[ClientLease[C]] = []
        self._lock = threading.Lock()

    def acquire(self, origin: str) -> ClientLease[C]:
        """Take the client for an origin such as `https://api.scripe.io`; `give_back` must follow."""
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
        with self._lock:
            lease.calls -= 1
            lease.cancelled += was_cancelled

    def pop_retired(self) -> C | None:
        """Take a client that was replaced and has no call left, to close it; None if there is none."""
        if not self._retired:
            return None
        with self._lock:
            idle = next((lease for lease in self._retired if not lease.calls), None)
            if idle is None:
                return None
            self._retired.remove(idle)
            return idle.client

    def pop_all(self) -> list[C]:
        """Take all clients that are open and ours, to close them."""
        with self._lock:
            clients = [lease.client for lease in (*self._retired, *self._current.values())]
            self._retired.clear()
            self._current.clear()
            return clients
