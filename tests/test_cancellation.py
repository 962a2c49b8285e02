"""Calls that are cancelled, at every point where they can be, leave a client that works and holds nothing.

The count of sockets is the server's: what it sees open.
"""

from __future__ import annotations

import asyncio
import io
import linecache
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO, Literal, TypeAlias

import pytest
import trio

from scripe import APITimeoutError, AsyncScripe, Scripe
from scripe._concurrency import AsyncClock
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import Reply, ScriptedServer, json_reply

GOOD = json_reply({"data": shapes.source()})
KEPT = 100 if os.environ.get("SCRIPE_HTTP") == "httpx2" else 20  # idle connections that a client keeps
HELD = KEPT + 10  # and what httpx may not give back before it is replaced


Use: TypeAlias = Callable[[], Coroutine[object, object, None]]
Run: TypeAlias = Callable[[Use], None]


def in_asyncio(use: Use) -> None:
    asyncio.run(use())


def in_trio(use: Use) -> None:
    trio.run(use)


RUNS: tuple[Run, ...] = (in_asyncio, in_trio)


def client_of(server: ScriptedServer) -> AsyncScripe:
    return AsyncScripe(KEY, base_url=server.base_url, max_retries=0, rate_limiter=None)


async def call(client: AsyncScripe) -> None:
    await client.sources.retrieve("src_1")


def holds_at_most(server: ScriptedServer, count: int) -> bool:
    """Whether the server sees so few connections open, once those that are being closed are."""
    until = time.monotonic() + 30
    while server.open_connections > count and time.monotonic() < until:
        time.sleep(0.01)
    return server.open_connections <= count


async def cancelled_in_asyncio(work: Callable[[], Awaitable[None]], steps: int) -> bool:
    task = asyncio.ensure_future(work())
    for _ in range(steps):
        await asyncio.sleep(0)
    await asyncio.sleep(random.uniform(0, 0.006) if steps % 3 == 0 else 0)
    task.cancel()
    return isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)


def test_a_thousand_cancelled_calls_and_a_thousand_that_succeed(server: ScriptedServer) -> None:
    server.script(GOOD)

    async def use() -> None:
        async with client_of(server) as client:
            cancelled, steps = 0, 0
            while cancelled < 1000:
                steps = (steps + 1) % 40
                together = [cancelled_in_asyncio(lambda: call(client), steps) for _ in range(20)]
                cancelled += sum(await asyncio.gather(*together))
            assert len(asyncio.all_tasks()) == 1
            for _ in range(50):
                await asyncio.gather(*(call(client) for _ in range(20)))
            assert holds_at_most(server, HELD)
        assert holds_at_most(server, 0)

    random.seed(1)
    asyncio.run(use())


def test_the_same_on_trio(server: ScriptedServer) -> None:
    server.script(GOOD)

    async def cancelled(client: AsyncScripe, steps: int) -> bool:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call, client)
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                await trio.sleep(random.uniform(0, 0.006) if steps % 3 == 0 else 0)
                scope.cancel()
        return scope.cancelled_caught

    async def use() -> None:
        async with client_of(server) as client:
            count, steps = 0, 0
            while count < 300:
                steps = (steps + 1) % 40
                count += await cancelled(client, steps)
            for _ in range(50):
                async with trio.open_nursery() as nursery:
                    for _ in range(20):
                        nursery.start_soon(call, client)
            assert holds_at_most(server, HELD)

    random.seed(2)
    trio.run(use)


def test_time_outs_of_the_callers_own(server: ScriptedServer) -> None:
    server.script(replace(GOOD, hold=0.003))

    async def use() -> None:
        async with client_of(server) as client:
            ended = 0
            for _ in range(300):
                try:
                    async with asyncio.timeout(random.uniform(0, 0.006)):
                        await call(client)
                except TimeoutError:
                    ended += 1
            assert ended > 20
            await asyncio.gather(*(call(client) for _ in range(100)))
            assert holds_at_most(server, HELD)

    random.seed(3)
    asyncio.run(use())


@pytest.mark.parametrize("run", RUNS)
def test_deadlines_leave_a_client_that_works(server: ScriptedServer, run: Run) -> None:
    """Each answer takes 3 ms, so that the earlier half of the deadlines passes in mid-call."""
    server.script(replace(GOOD, hold=0.003))

    async def use() -> None:
        async with client_of(server) as client:
            late = 0
            for count in range(300):
                try:
                    await call(client.with_options(total_timeout=0.0002 + 0.00002 * count))
                except APITimeoutError:
                    late += 1
            assert late > 20
            for _ in range(100):
                await call(client)
            assert holds_at_most(server, HELD)

    run(use)


def test_a_wait_for_the_budget_can_be_cancelled(server: ScriptedServer) -> None:
    """It gives its place back: a later call does not wait for one that is gone."""
    server.script(json_reply({"data": shapes.source()}, X_RateLimit_Limit="2", X_RateLimit_Remaining="1"))

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url) as client:
            await call(client)
            clock = AsyncClock()
            started = clock.now()
            for steps in range(30):
                await cancelled_in_asyncio(lambda: call(client), steps)
            assert clock.now() - started < 30  # a place that is lost holds up a call for 60 s

    asyncio.run(use())


@pytest.mark.parametrize("steps", range(0, 60, 4))
def test_a_walk_and_a_wait_go_on_after_a_cancellation(emulator: Emulator, steps: int) -> None:
    seeded = emulator.seed(jobs=7)

    async def use() -> list[str]:
        async with emulator.async_client() as client:
            walk = aiter(client.jobs.list(page_size=2))
            seen = [(await anext(walk)).id]

            async def step() -> None:
                seen.append((await anext(walk)).id)

            await cancelled_in_asyncio(step, steps)
            seen.extend([job.id async for job in walk])
            ended = [job.id async for job in client.jobs.as_completed(seeded.job_ids)]
            assert sorted(ended) == sorted(seeded.job_ids)
            return seen

    assert sorted(asyncio.run(use())) == sorted(seeded.job_ids)


@pytest.mark.parametrize("run", RUNS)
def test_an_upload_that_is_cancelled_leaves_no_source_and_a_client_that_works(
    tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "talk.mp3"
    path.write_bytes(os.urandom(8_000_000))

    async def use() -> None:
        with Emulator(job_speed=1000) as emulator, emulator.serve() as served:
            async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
                project = emulator.project_id
                for tenth in range(10):
                    hurried = client.with_options(total_timeout=0.002 + 0.002 * tenth)
                    with pytest.raises(APITimeoutError):
                        await hurried.sources.ingest(path, project_id=project)
                    assert emulator.count("sources") == 0
                await client.sources.create_text(project_id=project, text="Words.")
                assert emulator.count("sources") == 1

    run(use)


INTERRUPTED = """
import _thread, random, signal, sys, threading, time
from scripe import Scripe

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests may ignore it
key, base_url, deadline = sys.argv[1:]
client = Scripe(key, base_url=base_url, max_retries=0, rate_limiter=None, total_timeout=float(deadline) or None)
client.sources.retrieve("src_1")  # what is imported on the way is not interrupted
is_calling = threading.Event()

def interrupt():
    chance = random.Random(4)
    for _ in range(200):
        is_calling.wait()
        is_calling.clear()
        time.sleep(chance.uniform(0, 0.004))
        _thread.interrupt_main()

threading.Thread(target=interrupt, daemon=True).start()
for _ in range(200):
    try:
        is_calling.set()
        while True:
            client.sources.retrieve("src_1")
    except KeyboardInterrupt:
        pass
for _ in range(100):
    client.sources.retrieve("src_1")
print("done", flush=True)
sys.stdin.readline()
client.close()
"""


@pytest.mark.parametrize("deadline", ["0", "30"])
def test_ctrl_c_leaves_a_client_that_works(server: ScriptedServer, deadline: str) -> None:
    server.script(GOOD)
    command = [sys.executable, "-c", INTERRUPTED, KEY, server.base_url, deadline]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        assert holds_at_most(server, HELD)
        _, complaints = process.communicate("\n", timeout=30)
    assert process.returncode == 0
    assert complaints == ""
    assert holds_at_most(server, 0)


class Interrupting:
    """Raises KeyboardInterrupt at one line of the package, counted from the start of the call."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Interrupting | None:
        if "/scripe/" not in frame.f_code.co_filename or frame.f_code.co_name in ("reserve", "release"):
            return None  # their bodies are one `with`, which no signal leaves without giving the lock back
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip()
        self._left -= event == "line" and not line.startswith(
            "with "
        )  # no signal comes in entering or leaving one
        if self._left == 0:
            self._left = -1
            raise KeyboardInterrupt
        return self


def is_interrupted(work: Callable[[], object], at: int) -> bool:
    tracer = sys.gettrace()
    sys.settrace(Interrupting(at))
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(tracer)
    return False


def count_reservations(client: Scripe) -> int:
    """Count the rate limit slots that are held."""
    limiter = client._sender.session.limiter  # pyright: ignore[reportPrivateUsage]
    buckets = {} if limiter is None else limiter._buckets  # pyright: ignore[reportPrivateUsage]
    return sum(len(bucket.in_flight) for bucket in buckets.values())


def test_ctrl_c_at_any_line_of_a_call_releases_its_rate_limit_slot(server: ScriptedServer) -> None:
    """A slot that is not released counts as a request in flight until its timeout, and holds up other calls."""
    server.script(GOOD)
    lost = at = 0
    for at in range(1, 1000):
        with Scripe(KEY, base_url=server.base_url, max_retries=0, timeout=0.3, total_timeout=5) as client:
            client.sources.retrieve("src_1")
            if not is_interrupted(partial(client.sources.retrieve, "src_1"), at):
                break
            lost += bool(count_reservations(client))
    assert at > 100
    assert lost <= 10  # lines between taking the slot and remembering it


def test_a_callers_own_client_of_httpx2_gets_all_back(server: ScriptedServer) -> None:
    """With a client of its caller's nothing is replaced: httpx2 needs no help, and the docs recommend it."""
    import httpx2

    server.script(GOOD)

    async def use() -> None:
        async with (
            httpx2.AsyncClient() as http_client,
            AsyncScripe(KEY, base_url=server.base_url, http_client=http_client, rate_limiter=None) as client,
        ):
            for steps in range(400):
                await cancelled_in_asyncio(lambda: call(client), steps % 40)
            await asyncio.gather(*(call(client) for _ in range(50)))
            assert holds_at_most(server, 20)

    random.seed(5)
    asyncio.run(use())


@pytest.mark.parametrize("engine", ["httpx", "httpx2"])
def test_a_call_that_connects_while_its_client_is_closed_leaves_no_connection(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, engine: Literal["httpx", "httpx2"]
) -> None:
    """It may end well: but then nobody else would close what it has opened."""
    server.script(GOOD)
    client = Scripe(KEY, base_url=server.base_url.replace("127.0.0.1", "localhost"), http_client=engine)
    found = socket.getaddrinfo

    def closing(*args: object, **kwargs: object) -> object:
        client.close()
        return found(*args, **kwargs)  # type: ignore[arg-type] # pyright: ignore

    monkeypatch.setattr(socket, "getaddrinfo", closing)
    assert client.sources.retrieve("src_1").id == "src_1"
    assert holds_at_most(server, 0)


@pytest.mark.parametrize("engine", ["httpx", "httpx2"])
def test_an_async_call_that_connects_while_its_client_is_closed_leaves_none_either(
    server: ScriptedServer, engine: Literal["httpx", "httpx2"]
) -> None:
    server.script(GOOD)

    async def use() -> None:
        client = AsyncScripe(KEY, base_url=server.base_url, http_client=engine, rate_limiter=None)
        task = asyncio.ensure_future(client.sources.retrieve("src_1"))
        for _ in range(3):
            await asyncio.sleep(0)
        await client.close()
        assert (await task).id == "src_1"

    asyncio.run(use())
    assert holds_at_most(server, 0)


def test_a_trickled_answer_does_not_hold_a_sync_call_beyond_its_deadline(server: ScriptedServer) -> None:
    """Byte by byte, each within its timeout: only the deadline ends it, without a thread. The client then works on."""
    server.script(Reply(200, b" " * 3000 + GOOD.body, pace=0.01), GOOD)
    with Scripe(KEY, base_url=server.base_url, max_retries=0, timeout=5) as client:
        threads, started = threading.active_count(), time.monotonic()
        with pytest.raises(APITimeoutError):
            client.with_options(total_timeout=0.3).sources.retrieve("src_1")
        assert time.monotonic() - started < 15  # the whole answer takes 30 s
        assert not [each for each in threading.enumerate() if each.name.startswith("scripe")]
        assert holds_at_most(server, 0)
        assert client.sources.retrieve("src_1").id == "src_1"
    assert threading.active_count() <= threads + 1  # the server has one for each connection


class SlowNames:
    """A look-up of names that takes a while."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._found = socket.getaddrinfo

    def __call__(self, *args: object, **kwargs: object) -> object:
        time.sleep(self._seconds)
        return self._found(*args, **kwargs)  # type: ignore[arg-type] # pyright: ignore


@pytest.mark.parametrize("engine", ["httpx", "httpx2"])
def test_each_step_of_a_sync_call_has_only_what_is_left_of_the_deadline(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, engine: Literal["httpx", "httpx2"]
) -> None:
    """Connecting takes 1.5 s of 2 s: the read that follows has 0.5 s, not 2 s."""
    server.script(replace(GOOD, hold=20))
    monkeypatch.setattr(socket, "getaddrinfo", SlowNames(1.5))
    url = server.base_url.replace("127.0.0.1", "localhost")
    with Scripe(KEY, base_url=url, total_timeout=2, max_retries=0, http_client=engine) as client:
        started = time.monotonic()
        with pytest.raises(APITimeoutError):
            client.sources.retrieve("src_1")
        assert time.monotonic() - started < 3.4


def test_a_wait_for_a_job_makes_no_thread(emulator: Emulator) -> None:
    with emulator.serve() as served, Scripe(served.api_key, base_url=served.base_url) as client:
        job = client.posts.generate(project_id=emulator.project_id, text="Words.")
        threads = {each.name for each in threading.enumerate()}
        emulator.clock.advance(600)
        client.jobs.wait(job, on_update=lambda _: threads.update(each.name for each in threading.enumerate()))
        assert {name for name in threads if name.startswith("scripe")} == {"scripe-emulator"}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("is_late", [False, True])
def test_a_stream_that_stands_still_is_left_when_its_reader_is_cancelled_or_late(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, run: Run, is_late: bool
) -> None:
    """Its thread goes on waiting, which nothing can end; when it does end, its temporary file is closed."""
    spools: list[IO[bytes]] = []
    make = tempfile.TemporaryFile

    def watched() -> IO[bytes]:
        spools.append(make())
        return spools[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    is_read, may_go_on = threading.Event(), threading.Event()

    class Still(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int | None = -1) -> bytes:
            if size:
                is_read.set()
                may_go_on.wait(60)
            return b"Words."[:size]

    async def use() -> None:
        async with client_of(server) as client:
            hurried = client.with_options(total_timeout=0.2) if is_late else client
            upload = partial(hurried.uploads.upload_file, Still(), content_type="text/plain")
            if is_late:
                with pytest.raises(APITimeoutError, match=r"0\.2 s"):
                    await upload()
            else:
                assert not await cancelled_when(is_read, upload)

    began = time.monotonic()
    run(use)
    assert time.monotonic() - began < 30
    assert not spools[0].closed
    may_go_on.set()
    wait_until(lambda: spools[0].closed)
    assert server.received == []


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("has_writer", [False, True])
def test_a_named_pipe_that_stands_still_is_left_when_its_reader_is_cancelled(
    server: ScriptedServer, tmp_path: Path, run: Run, has_writer: bool
) -> None:
    """Nothing of it is left: neither the thread nor what it opened."""
    pipe = tmp_path / "stream.mp3"
    os.mkfifo(pipe)
    writers = [os.open(pipe, os.O_RDWR)] if has_writer else []
    threads, is_open = set(threading.enumerate()), threading.Event()

    def set_when_held() -> None:
        wait_until(lambda: holders_of(pipe) > len(writers))
        is_open.set()

    async def use() -> None:
        threading.Thread(target=set_when_held).start()
        async with client_of(server) as client:
            assert not await cancelled_when(is_open, partial(client.uploads.upload_file, pipe))
        wait_until(lambda: holders_of(pipe) == len(writers))

    run(use)
    wait_until(lambda: not [each for each in set(threading.enumerate()) - threads if "scripe" in each.name])
    for writer in writers:
        os.close(writer)
    assert server.received == []


@pytest.mark.parametrize("run", RUNS)
def test_a_file_that_is_read_for_the_callers_key_is_left_at_the_deadline(
    server: ScriptedServer, run: Run
) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            time.sleep(0.3 if size else 0)
            return super().read(size)

    async def use() -> None:
        async with client_of(server) as client:
            hurried = client.with_options(total_timeout=0.2)
            with pytest.raises(APITimeoutError, match=r"0\.2 s") as caught:
                await hurried.uploads.upload_file(
                    Slow(b"Words."), content_type="text/plain", idempotency_key="run-1"
                )
            assert caught.value.idempotency_key == "run-1"

    run(use)
    assert server.received == []


@pytest.mark.parametrize("has_writer", [False, True])
def test_a_named_pipe_that_stands_still_holds_no_sync_call_beyond_its_deadline(
    server: ScriptedServer, tmp_path: Path, has_writer: bool
) -> None:
    pipe = tmp_path / "stream.mp3"
    os.mkfifo(pipe)
    writers = [os.open(pipe, os.O_RDWR)] if has_writer else []
    with Scripe(KEY, base_url=server.base_url, total_timeout=0.2) as client:
        began = time.monotonic()
        with pytest.raises(APITimeoutError, match=r"0\.2 s"):
            client.uploads.upload_file(pipe)
        assert time.monotonic() - began < 30  # the pipe would hold it for ever
    assert holders_of(pipe) == len(writers)
    for writer in writers:
        os.close(writer)
    assert server.received == []


def test_a_stream_that_trickles_is_looked_at_between_its_blocks(server: ScriptedServer) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int | None = -1) -> bytes:
            time.sleep(0.01)
            return b"Words."[:size]

    client = Scripe(KEY, base_url=server.base_url, total_timeout=0.2)
    with client, pytest.raises(APITimeoutError, match=r"0\.2 s"):
        client.uploads.upload_file(Endless(), content_type="text/plain")
    assert server.received == []


LEFT = """
import asyncio, sys
from scripe import AsyncScripe

async def use():
    async with AsyncScripe("scripe_sk_test_x", base_url="http://127.0.0.1:9/v1", total_timeout=0.2) as client:
        try:
            await client.uploads.upload_file(sys.stdin.buffer, content_type="text/plain")
        except Exception as error:
            print(type(error).__name__)

if sys.argv[1] == "trio":
    import trio
    trio.run(use)
else:
    asyncio.run(use())
"""


@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_a_stream_that_was_left_keeps_no_interpreter_from_its_end(world: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LEFT, world], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdin, process.stdout:
        assert process.wait(30) == 0
        assert process.stdout.read().strip() == b"APITimeoutError"


async def cancelled_when(event: threading.Event, work: Callable[[], Awaitable[object]]) -> bool:
    """Whether the work ended by itself before it could be cancelled."""
    done: list[object] = []

    async def watch() -> None:
        done.append(await work())

    if "trio" in sys.modules and trio.lowlevel.in_trio_run():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            await trio.to_thread.run_sync(event.wait, 10)
            nursery.cancel_scope.cancel()
        return bool(done)
    task = asyncio.ensure_future(watch())
    await asyncio.to_thread(event.wait, 10)
    task.cancel()
    await asyncio.wait([task], timeout=30)
    return bool(done) or not task.cancelled()


def holders_of(path: Path) -> int:
    """How many descriptors of this process are open on a file."""
    found = 0
    for each in Path("/dev/fd").iterdir():
        with suppress(OSError):
            found += os.path.samestat(os.fstat(int(each.name)), path.stat())
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)
