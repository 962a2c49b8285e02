"""Clients of the scripted server, which never sleep, and clients of the emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator

import pytest

from scripe import AsyncScripe
from scripe._async.client import set_clock
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import ScriptedServer
from tests.support.traces import Telemetry


@pytest.fixture
def async_clock() -> AsyncSleeplessClock:
    return AsyncSleeplessClock()


@pytest.fixture
async def async_client(
    server: ScriptedServer, async_clock: AsyncSleeplessClock
) -> AsyncIterator[AsyncScripe]:
    """Return a client of the scripted server; its retries and polls do not wait."""
    async with AsyncScripe(KEY, base_url=server.base_url) as client:
        set_clock(client, async_clock)
        yield client


@pytest.fixture
async def async_local(emulator: Emulator) -> AsyncIterator[AsyncScripe]:
    """Return a client of the emulator, in process."""
    async with emulator.async_client() as client:
        yield client


@pytest.fixture
def telemetry() -> Generator[Telemetry]:
    recorder = Telemetry()
    yield recorder
    recorder.meter_provider.shutdown()


@pytest.fixture
def async_observed(async_local: AsyncScripe, telemetry: Telemetry) -> AsyncScripe:
    """Return a client of the emulator with an observer."""
    telemetry.instrument(async_local)
    return async_local


@pytest.fixture
def async_observed_server(async_client: AsyncScripe, telemetry: Telemetry) -> AsyncScripe:
    """Return a client of the scripted server with an observer."""
    telemetry.instrument(async_client)
    return async_client
