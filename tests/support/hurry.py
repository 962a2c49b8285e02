"""Time that runs faster, for an emulator and its clients alike: a minute of the budget in a few seconds."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from scripe import emulator
from scripe._concurrency import AsyncClock, Clock

BEGAN = datetime(2026, 5, 15, tzinfo=UTC)


class HurriedTime(emulator.Clock):
    """The emulator's clock, so many times as fast; the same in every process."""

    def __init__(self, factor: float) -> None:
        super().__init__(BEGAN)
        self._factor = factor
        self._from = time.monotonic()

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=(time.monotonic() - self._from) * self._factor)


class HurriedClock(Clock):
    def __init__(self, factor: float) -> None:
        self._factor = factor

    def now(self) -> float:
        return time.monotonic() * self._factor

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self._factor)


class AsyncHurriedClock(AsyncClock):
    def __init__(self, factor: float) -> None:
        self._factor = factor

    def now(self) -> float:
        return time.monotonic() * self._factor

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / self._factor)
