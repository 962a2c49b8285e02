"""The clients that calls go through: the caller's own, or one of ours, which is replaced when it wears out.

httpx never gets back the place in its pool, and the socket, of some calls that are cancelled in mid-flight: about one
in ten, cancelled at random. So after a few such calls the next one goes through a new client, and the old one is
closed when its last call has ended. httpx2 gets them all back.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

C = TypeVar("C")

WEARS_OUT_AFTER = {"httpx": 10, "httpx2": math.inf}
"""Abandoned calls after which a client of this family is replaced; each may hold a socket until then."""


class Connections(Generic[C]):
    """One client of the engine, and the calls that are on their way through it."""

    def __init__(self, client: C) -> None:
        self.client = client
        self.calls = 0
        self.abandoned = 0.0


class Pool(Generic[C]):
    """Hands out the client that the next call goes through; may be used from several threads."""

    def __init__(self, family: str, given: C | None, opened: Callable[[], C]) -> None:
        self._open = opened
        self._owned = given is None
        self._wears_out_after = WEARS_OUT_AFTER[family]
        self._current = Connections(opened() if given is None else given)
        self._worn: list[Connections[C]] = []
        self._lock = threading.Lock()

    def take(self) -> Connections[C]:
        with self._lock:
            if self._owned and self._current.abandoned >= self._wears_out_after:
                self._worn.append(self._current)
                self._current = Connections(self._open())
            self._current.calls += 1
            return self._current

    def give_back(self, used: Connections[C], *, was_abandoned: bool) -> None:
        with self._lock:
            used.calls -= 1
            used.abandoned += was_abandoned

    def wear_out(self, used: Connections[C]) -> None:
        """Let no further call go through these; those on their way go on."""
        with self._lock:
            used.abandoned = math.inf

    def idle(self) -> C | None:
        """A client that has been replaced and has no call left, once: whoever asks closes it."""
        if not self._worn:
            return None
        with self._lock:
            found = next((each for each in self._worn if not each.calls), None)
            if found is None:
                return None
            self._worn.remove(found)
            return found.client

    def owned(self) -> list[C]:
        """What is open and ours, but for what a call that was left behind still reads from: that closes it itself."""
        with self._lock:
            left = [each for each in self._worn if each.calls and each.abandoned == math.inf]
            closing = [each.client for each in (*self._worn, self._current) if each not in left]
            self._worn = left
            return closing if self._owned else []
