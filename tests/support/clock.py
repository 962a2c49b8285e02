"""A clock that does not wait: who sleeps moves it on, and is noted."""

from __future__ import annotations

import threading
import time

from scripe._concurrency import AsyncClock, Clock


class Slept:
    """Time as the test sees it: only what was slept or skipped, so that a slow machine changes nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._ahead = 0.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self._began + self._ahead

    def skip(self, seconds: float) -> None:
        with self._lock:
            self._ahead += seconds

    def note(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.skip(seconds)


class SleeplessClock(Slept, Clock):
    def sleep(self, seconds: float) -> None:
        self.note(seconds)


class AsyncSleeplessClock(Slept, AsyncClock):
    async def sleep(self, seconds: float) -> None:
        await AsyncClock.sleep(self, 0)
        self.note(seconds)
