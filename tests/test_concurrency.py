"""What differs between the two worlds, where the clients' own tests do not reach it."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
import trio

from scripe._concurrency import async_run, async_to_its_end
from scripe.emulator import Emulator


def test_work_in_a_thread_is_never_left_running() -> None:
    """Cancelled twice: the file that the thread reads must not be closed under it."""
    ended = threading.Event()
    go_on = threading.Event()

    def read() -> None:
        go_on.wait(5)
        ended.set()

    async def cancelled_twice() -> bool:
        task = asyncio.create_task(async_run(read))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.05)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended.is_set()

    assert asyncio.run(cancelled_twice())


def test_what_the_thread_raised_meanwhile_is_not_complained_of() -> None:
    go_on = threading.Event()

    def fail() -> None:
        go_on.wait(5)
        raise OSError("a disk that broke")

    async def cancelled() -> None:
        task = asyncio.create_task(async_run(fail))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.05)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


def test_what_must_end_ends_though_its_caller_is_cancelled_twice() -> None:
    done: list[int] = []

    async def close() -> None:
        for each in range(3):
            await asyncio.sleep(0.03)
            done.append(each)

    async def cancelled_twice() -> None:
        task = asyncio.create_task(async_to_its_end(close))
        for _ in range(2):
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled_twice())
    assert done == [0, 1, 2]


def test_what_must_end_ends_on_trio_too() -> None:
    done: list[int] = []

    async def close() -> None:
        for each in range(3):
            await trio.sleep(0.03)
            done.append(each)

    async def cancelled() -> None:
        with trio.move_on_after(0.01) as scope:
            await async_to_its_end(close)
            await trio.lowlevel.checkpoint()
        assert scope.cancelled_caught

    trio.run(cancelled)
    assert done == [0, 1, 2]


def test_the_emulators_transport_opens_and_closes_nothing(emulator: Emulator) -> None:
    headers = {"Authorization": f"Bearer {emulator.api_key}"}
    http_client = httpx.Client(transport=emulator.transport(), headers=headers)
    assert http_client.get("http://emulator.localhost/v1/workspaces/me").status_code == 200
    http_client.close()
    with httpx.Client(transport=emulator.transport()) as other:
        assert other.get("http://emulator.localhost/v1/health").status_code == 200

    async def close() -> None:
        await httpx.AsyncClient(transport=emulator.transport()).aclose()

    asyncio.run(close())


def test_a_closed_emulator_says_so() -> None:
    emulator = Emulator()
    client = emulator.client()
    emulator.close()
    with pytest.raises(RuntimeError, match="was closed"):
        client.workspaces.me()
