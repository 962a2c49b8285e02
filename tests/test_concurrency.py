"""What differs between the two worlds, where the clients' own tests do not reach it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import anyio
import httpx
import pytest
import trio

from scripe import APITimeoutError, AsyncScripe, Scripe, Source
from scripe._concurrency import (
    async_run_abandonable,
    async_run_blocking,
    async_run_shielded,
    async_run_together,
    run_together,
)
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import ScriptedServer, error, json_reply


def test_work_in_a_thread_is_never_left_running() -> None:
    """Cancelled twice: the file that the thread reads must not be closed under it."""
    ended = threading.Event()
    go_on = threading.Event()

    def read() -> None:
        go_on.wait(5)
        ended.set()

    async def cancelled_twice() -> bool:
        task = asyncio.create_task(async_run_blocking(read))
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
        task = asyncio.create_task(async_run_blocking(fail))
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
        task = asyncio.create_task(async_run_shielded(close))
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
            await async_run_shielded(close)
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
    with pytest.raises(RuntimeError):
        client.workspaces.me()


def test_calls_that_hang_hold_up_no_other_after_the_reset(server: ScriptedServer) -> None:
    """They were sent before the reset, so what they bring says nothing of the new window."""
    good = json_reply({"data": shapes.source()})
    left = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}
    fresh = replace(good, headers={**left, "X-RateLimit-Remaining": "4"})
    hanging_reply = replace(good, hold=60)
    server.script(hanging_reply, hanging_reply, replace(good, headers=left), fresh)
    with Scripe(KEY, base_url=server.base_url, timeout=None) as client, ThreadPoolExecutor() as pool:
        hanging = [pool.submit(client.sources.retrieve, "src_1") for _ in range(2)]
        while len(server.received) < 2:
            time.sleep(0.01)
        client.sources.retrieve("src_1")
        started = time.monotonic()
        for _ in range(3):
            client.sources.retrieve("src_1")
        assert time.monotonic() - started < 30
        assert not any(each.done() for each in hanging)
        server.script(good)
        server.release()


def test_a_deadline_bounds_the_wait_for_another_threads_api_key_function(server: ScriptedServer) -> None:
    server.script(json_reply({"data": shapes.source()}))
    is_asked, go_on = threading.Event(), threading.Event()

    def api_key() -> str:
        is_asked.set()
        go_on.wait(60)
        return KEY

    with Scripe(api_key, base_url=server.base_url) as client, ThreadPoolExecutor() as pool:
        first = pool.submit(client.sources.retrieve, "src_1")
        is_asked.wait(10)
        started = time.monotonic()
        with pytest.raises(APITimeoutError, match="api_key"):
            client.with_options(total_timeout=0.3).sources.retrieve("src_1")
        hurried = client.with_options(total_timeout=0.3)
        with pytest.raises(APITimeoutError) as caught:
            hurried.notes.create(project_id="proj_1", content="Words.", idempotency_key="k-1")
        assert caught.value.idempotency_key == "k-1"
        assert time.monotonic() - started < 30
        go_on.set()
        assert first.result().id == "src_1"
        assert client.with_options(total_timeout=5).sources.retrieve("src_1").id == "src_1"


def test_a_deadline_bounds_the_wait_for_a_renewed_key_too(server: ScriptedServer) -> None:
    server.script(error(401, "key_expired"), json_reply({"data": shapes.source()}))
    asked: list[str] = []
    is_renewing, go_on = threading.Event(), threading.Event()

    def api_key() -> str:
        asked.append(KEY)
        if len(asked) == 2:
            is_renewing.set()
            go_on.wait(10)
        return f"{KEY}{len(asked)}"

    with Scripe(api_key, base_url=server.base_url, total_timeout=5) as client, ThreadPoolExecutor() as pool:
        server.script(error(401, "key_expired"))
        first = pool.submit(client.sources.retrieve, "src_1")
        is_renewing.wait(10)
        with pytest.raises(APITimeoutError, match="api_key"):
            client.with_options(total_timeout=0.3).sources.retrieve("src_1")
        server.script(json_reply({"data": shapes.source()}))
        go_on.set()
        assert first.result().id == "src_1"


WORDS = b"Words worth keeping. " * 100_000


def by_threads(key: str, base_url: str, ingest: Callable[[Any], Any]) -> list[Source]:
    with Scripe(key, base_url=base_url) as client, ThreadPoolExecutor(3) as pool:
        sources: list[Source] = list(pool.map(ingest, [client] * 3))
        return sources


def by_tasks(key: str, base_url: str, ingest: Callable[[Any], Any]) -> list[Source]:
    async def use() -> list[Source]:
        async with AsyncScripe(key, base_url=base_url) as client:
            sources: list[Source] = await asyncio.gather(*(ingest(client) for _ in range(3)))
            return sources

    return asyncio.run(use())


def by_tasks_of_trio(key: str, base_url: str, ingest: Callable[[Any], Any]) -> list[Source]:
    sources: list[Source] = []

    async def use() -> None:
        async def run() -> None:
            sources.append(await ingest(client))

        async with AsyncScripe(key, base_url=base_url) as client, trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(run)

    trio.run(use)
    return sources


@pytest.mark.parametrize("run", [by_threads, by_tasks, by_tasks_of_trio])
def test_runs_at_once_under_one_key_end_at_one_source(run: Callable[..., list[Source]]) -> None:
    """Whichever sends its file first; the link of the others is used then, by the same content."""
    with Emulator(job_speed=1000) as emulator, emulator.serve() as served:

        def ingest(client: Any) -> Any:
            return client.sources.ingest(
                WORDS, name="words.txt", project_id=emulator.project_id, idempotency_key="run-1"
            )

        sources = run(served.api_key, served.base_url, ingest)
        assert len({source.id for source in sources}) == 1
        assert [emulator.count(kind) for kind in ("uploads", "jobs", "sources")] == [1, 1, 1]


@pytest.mark.parametrize("run", [anyio.run, trio.run])
def test_what_the_thread_that_may_be_left_returns_and_raises(run: Callable[..., object]) -> None:
    def fail() -> None:
        raise KeyError("the caller's own")

    async def use() -> None:
        assert await async_run_abandonable(lambda: 7) == 7
        with pytest.raises(KeyError, match="the caller's own"):
            await async_run_abandonable(fail)

    run(use)


class FailureError(Exception):
    """What one of several works raises."""


class Works:
    """Works side by side: one fails, one ends when it is told to, one never does."""

    def __init__(self) -> None:
        self.is_stopped = False
        self.events: list[str] = []

    def stop(self) -> None:
        self.is_stopped = True

    async def async_watch(self) -> None:
        self.events.append("watch")

    async def async_fail(self) -> None:
        raise FailureError

    async def async_end_when_stopped(self) -> None:
        while not self.is_stopped:  # noqa: ASYNC110 - as a worker does, which hears of it between two steps
            await anyio.sleep(0.01)
        self.events.append("ended")

    async def async_go_on(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self.events.append("cancelled")

    def watch(self) -> None:
        self.events.append("watch")

    def fail(self) -> None:
        raise FailureError

    def end_when_stopped(self) -> None:
        while not self.is_stopped:
            time.sleep(0.01)
        self.events.append("ended")

    def go_on(self) -> None:
        while self.events[-1:] != ["over"]:
            time.sleep(0.01)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_after_a_failure_works_may_end_by_themselves_and_are_cancelled_then(backend: str) -> None:
    works = Works()

    async def main() -> None:
        await async_run_together(
            [works.async_end_when_stopped, works.async_go_on, works.async_fail],
            works.async_watch,
            works.stop,
            0.2,
        )

    with pytest.raises(FailureError):
        anyio.run(main, backend=backend)
    assert [event for event in works.events if event != "watch"] == ["ended", "cancelled"]


def test_after_a_failure_threads_may_end_by_themselves_and_are_left_behind_then() -> None:
    works = Works()
    with pytest.raises(FailureError):
        run_together([works.end_when_stopped, works.go_on, works.fail], works.watch, works.stop, 0.2)
    assert [event for event in works.events if event != "watch"] == ["ended"]
    works.events.append("over")
    for thread in threading.enumerate():
        if thread.name == "scripe-bulk":
            thread.join(5)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_caller_that_is_cancelled_lets_works_end_by_themselves(backend: str) -> None:
    works = Works()

    async def main() -> None:
        with anyio.move_on_after(0.1):
            await async_run_together([works.async_end_when_stopped], works.async_watch, works.stop, 5)

    anyio.run(main, backend=backend)
    assert works.events == ["ended"]


def test_works_are_watched_until_they_have_ended() -> None:
    works = Works()

    def end_later() -> None:
        time.sleep(1.2)

    run_together([end_later], works.watch, works.stop, 5)
    assert works.events == ["watch", "watch"]


@pytest.mark.parametrize("run", [anyio.run, trio.run])
def test_what_the_watcher_raises_ends_the_works_and_comes_as_it_is(run: Callable[..., object]) -> None:
    async def use() -> None:
        is_stopping = anyio.Event()

        async def watch() -> None:
            raise KeyError("the caller's own")

        with pytest.raises(KeyError):
            await async_run_together([is_stopping.wait] * 2, watch, is_stopping.set, 30)

    run(use)
