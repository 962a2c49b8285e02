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

    def __init__(self, family: str, given: C | None, opened: Callable[[Route], C]) -> None:
        self._open = opened
        self._given = None if given is None else ClientLease(given)
        self._wears_out_after = MAX_CANCELLED_CALLS[family]
        self._routes: dict[str, Route] = {}
        self._current: dict[Route, ClientLease[C]] = {}
        self._retired: list[ClientLease[C]] = []
        self._lock = threading.Lock()

    def acquire(self, origin: str) -> ClientLease[C]:
        """Take the client for an origin such as `https://api.scripe.io`; `give_back` must follow."""
        with self._lock:
            used = self._given or self._current_lease(origin)
            used.calls += 1
            return used

    def _current_lease(self, origin: str) -> ClientLease[C]:
        route = self._routes.get(origin) or self._routes.setdefault(origin, route_to(origin))
        used = self._current.get(route)
        if used is not None and used.cancelled >= self._wears_out_after:
            self._retired.append(used)
            used = None
        if used is None:
            used = self._current[route] = ClientLease(self._open(route))
        return used

    def release(self, lease: ClientLease[C], *, was_cancelled: bool) -> None:
        with self._lock:
            lease.calls -= 1
            lease.cancelled += was_cancelled

    def pop_retired(self) -> C | None:
        """Take a client that was replaced and has no call left, to close it; None if there is none."""
        if not self._retired:
            return None
        with self._lock:
            idle = next((each for each in self._retired if not each.calls), None)
            if idle is None:
                return None
            self._retired.remove(idle)
            return idle.client

    def pop_all(self) -> list[C]:
        """Take all clients that are open and ours, to close them."""
        with self._lock:
            clients = [each.client for each in (*self._retired, *self._current.values())]
            self._retired.clear()
            self._current.clear()
            return clients
