"""What an application finds that makes its own clients: where the API is, a key, and time that nobody waits for."""

from __future__ import annotations

import os

import pytest

from scripe._async import session as async_sessions
from scripe._concurrency import AsyncClock, Clock
from scripe._core.config import BASE_URL_VARIABLE, KEY_VARIABLE, WORKSPACE_VARIABLE
from scripe._sync import session as sessions
from scripe.emulator import Emulator, Server
from scripe.emulator.mount import AsyncEmulatorClock, EmulatorClock, EmulatorTime


def lead_to(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients that are made from the environment call a server."""
    monkeypatch.setenv(BASE_URL_VARIABLE, server.base_url)
    monkeypatch.setenv(KEY_VARIABLE, server.api_key)
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)


def give_time_of(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients that are made in this process move an emulator's clock on where they would wait.

    A forked process has but a copy of that clock, which moves nothing: its clients wait.
    """
    time, here = EmulatorTime(emulator), os.getpid()

    def clock() -> Clock:
        return EmulatorClock(time) if os.getpid() == here else Clock()

    def async_clock() -> AsyncClock:
        return AsyncEmulatorClock(time) if os.getpid() == here else AsyncClock()

    monkeypatch.setattr(sessions, "Clock", clock)
    monkeypatch.setattr(async_sessions, "AsyncClock", async_clock)
