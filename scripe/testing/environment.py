"""Prepare the environment for applications that make their own clients: the API's address, a key, and no waiting."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from .._async import session as async_session
from .._concurrency import AsyncClock, Clock
from .._core.config import API_KEY_VARIABLE, BASE_URL_VARIABLE, WORKSPACE_VARIABLE
from .._sync import session
from ..emulator import Emulator, Server
from ..emulator.client import AsyncEmulatorClock, EmulatorClock, EmulatorTime


def set_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients that are made from the environment call a server."""
    monkeypatch.setenv(BASE_URL_VARIABLE, server.base_url)
    monkeypatch.setenv(API_KEY_VARIABLE, server.api_key)
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)


@contextmanager
def use_emulator_clock(emulator: Emulator) -> Generator[None]:
    """Let clients that are made in this process move the emulator's clock on instead of sleeping.

    A forked process only has a copy of that clock, which moves nothing: its clients sleep.
    """
    time, process = EmulatorTime(emulator.clock), os.getpid()

    def make_clock() -> Clock:
        return EmulatorClock(time) if os.getpid() == process else Clock()

    def make_async_clock() -> AsyncClock:
        return AsyncEmulatorClock(time) if os.getpid() == process else AsyncClock()

    previous = session.set_clock_factory(make_clock)
    async_previous = async_session.set_clock_factory(make_async_clock)
    try:
        yield
    finally:
        session.set_clock_factory(previous)
        async_session.set_clock_factory(async_previous)
