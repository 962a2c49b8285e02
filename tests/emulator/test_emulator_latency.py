"""Latency is the emulator's own time: it passes, and nobody waits for it."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from scripe import APITimeoutError, AsyncScripe, NotFoundError
from scripe.emulator import Emulator
from tests.emulator.emulator_calls import frozen

HOUR = 3600.0


def passed(emulator: Emulator, seconds: float) -> bool:
    return emulator.clock.now() - frozen().now() == timedelta(seconds=seconds)


@pytest.fixture
def slow() -> Emulator:
    return Emulator(clock=frozen(), simulated_latency=20)


def test_each_answer_takes_it(slow: Emulator) -> None:
    with slow.client() as client:
        client.workspaces.me()
        slow.fail_next(404)
        with pytest.raises(NotFoundError):
            client.projects.retrieve("proj_1")
    assert passed(slow, 40)


def test_it_can_be_changed(slow: Emulator) -> None:
    assert slow.simulated_latency == 20
    slow.simulated_latency = 0
    with slow.client() as client:
        client.workspaces.me()
    assert passed(slow, 0)
    with pytest.raises(ValueError, match=r"simulated_latency.* -1"):
        slow.simulated_latency = -1
    with pytest.raises(ValueError, match=r"simulated_latency.* -1"):
        Emulator(simulated_latency=-1)


def test_calls_beside_each_other_take_it_together(slow: Emulator) -> None:
    async def use(client: AsyncScripe) -> None:
        await asyncio.gather(*(client.workspaces.me() for _ in range(10)))

    asyncio.run(use(slow.async_client()))
    assert passed(slow, 20)


def test_a_client_gives_up_at_its_timeout(slow: Emulator) -> None:
    slow.simulated_latency = HOUR
    with slow.client(timeout=30, max_retries=0) as client, pytest.raises(APITimeoutError):
        client.workspaces.me()
    assert passed(slow, 30)


def test_an_async_client_gives_up_at_its_timeout(slow: Emulator) -> None:
    slow.simulated_latency = HOUR
    with pytest.raises(APITimeoutError):
        asyncio.run(slow.async_client(timeout=30, max_retries=0).workspaces.me())
    assert passed(slow, 30)


def test_a_client_without_timeout_has_patience(slow: Emulator) -> None:
    slow.simulated_latency = HOUR
    with slow.client(timeout=None) as client:
        client.workspaces.me()
    assert passed(slow, HOUR)


def test_a_deadline_is_met_on_the_way(slow: Emulator) -> None:
    slow.fail_next(503, times=2)
    with slow.client(total_timeout=30) as client, pytest.raises(APITimeoutError):
        client.workspaces.me()
    assert len(slow.requests) == 2
    assert passed(slow, 30)


def test_behind_a_port_it_passes_too(slow: Emulator) -> None:
    with slow.serve() as server:
        assert httpx.get(f"{server.base_url}/health").status_code == 200
    assert passed(slow, 20)
