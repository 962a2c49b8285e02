"""Threads, forks, spawned processes, event loops, pickles."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, cast

import anyio
import httpx
import httpx2
import pytest
import trio

from scripe import (
    APITimeoutError,
    AsyncScripe,
    ClientClosedError,
    ConfigurationError,
    NotFoundError,
    RateLimiter,
    ResponseInfo,
    Scripe,
    ScripeDeprecationWarning,
    Source,
)
from scripe._async import session
from scripe._concurrency import AsyncClock
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import Received, Reply, ScriptedServer, error, json_reply

GOOD = json_reply({"data": shapes.source()})


def OWN(request: Received) -> Reply:  # noqa: N802 - used as GOOD is
    """The very source that was asked for."""
    return json_reply({"data": {**shapes.source(), "id": request.path.rpartition("/")[2]}})


def keep(response: ResponseInfo) -> None:
    """A callback that pickles."""


def retrieved(client: Scripe) -> str:
    with client:
        return client.sources.retrieve("src_1").id


def test_one_client_serves_many_threads(emulator: Emulator) -> None:
    with emulator.serve() as served, Scripe(served.api_key, base_url=served.base_url) as client:

        def write(number: int) -> str:
            return client.sources.create_text(project_id=emulator.project_id, text=f"Take {number}").id

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(write, range(80)))
    assert len(set(made)) == emulator.count("sources") == 80


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_client_pickles_as_its_configuration(server: ScriptedServer, protocol: int) -> None:
    server.script(GOOD)
    with Scripe(KEY, base_url=server.base_url, max_retries=7, on_response=keep, app_info="a/1") as client:
        client.sources.retrieve("src_1")
        arrived: Scripe = pickle.loads(pickle.dumps(client.with_options(timeout=3), protocol))
    assert retrieved(arrived) == "src_1"
    assert server.sent("authorization") == [f"Bearer {KEY}"] * 2
    assert str(server.sent("user-agent")[1]).endswith("a/1")


class Tenant(Scripe):
    """A client with something of its own, as applications make them."""

    __slots__ = ("region",)
    name: str
    region: str


class PlainTenant(Scripe):
    """The same without slots."""

    name: str


class StatefulTenant(Scripe):
    """One that says what its state is."""

    def __getstate__(self) -> dict[str, object]:
        return {"name": vars(self)["name"]}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [PlainTenant, StatefulTenant, Scripe])
def test_attributes_are_kept_in_every_pickle(kind: type[Scripe], protocol: int) -> None:
    client = kind(KEY)
    vars(client)["name"] = "Acme"
    for other in (pickle.loads(pickle.dumps(client, protocol)), copy.deepcopy(client), copy.copy(client)):
        assert vars(other)["name"] == "Acme"


class AsyncTenant(AsyncScripe):
    """An async client with a slot, of which one may be empty, and with a state of its own."""

    __slots__ = ("empty", "region")
    empty: str
    region: str


class StatefulAsyncTenant(AsyncScripe):
    """One that says what its state is."""

    def __getstate__(self) -> dict[str, object]:
        return {"region": vars(self)["region"]}


def test_attributes_of_an_async_subclass_are_kept_too() -> None:
    tenant, stateful = AsyncTenant(KEY), StatefulAsyncTenant(KEY)
    tenant.region = vars(stateful)["region"] = "eu"
    for other in (tenant.with_options(timeout=5), pickle.loads(pickle.dumps(tenant)), copy.copy(tenant)):
        assert other.region == "eu"
        assert not hasattr(other, "empty")
    assert vars(pickle.loads(pickle.dumps(stateful)))["region"] == "eu"


def test_attributes_of_a_subclass_are_kept(server: ScriptedServer) -> None:
    server.script(GOOD)
    with Tenant(KEY, base_url=server.base_url) as tenant:
        tenant.name, tenant.region = "Acme", "eu"
        assert tenant.with_options(timeout=5).name == "Acme"
        assert copy.copy(tenant).region == "eu"
        for other in (pickle.loads(pickle.dumps(tenant)), copy.deepcopy(tenant)):
            assert isinstance(other, Tenant)
            with other:
                assert (other.name, other.region) == ("Acme", "eu")
                assert other.sources.retrieve("src_1").id == "src_1"
    assert server.connections == 2


def test_a_key_from_the_environment_pickles_by_its_variables_name(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", KEY)
    pickled = pickle.dumps(Scripe(base_url=server.base_url))
    assert KEY.encode() not in pickled
    monkeypatch.setenv("SCRIPE_API_KEY", "scripe_sk_test_there")
    server.script(GOOD)
    retrieved(pickle.loads(pickled))
    assert server.sent("authorization") == ["Bearer scripe_sk_test_there"]


def test_a_budget_that_is_off_stays_off() -> None:
    limiter = pickle.loads(pickle.dumps(RateLimiter()))
    assert repr(limiter) == "RateLimiter(0 buckets)"
    arrived: AsyncScripe = pickle.loads(pickle.dumps(AsyncScripe(KEY, rate_limiter=None)))
    assert arrived.__reduce__()[1][1][2] is None  # type: ignore[index]


@pytest.mark.parametrize("family", [httpx, httpx2])
def test_a_client_with_the_callers_connections_does_not_pickle(family: type[httpx]) -> None:  # type: ignore[valid-type]
    with family.Client() as http_client, pytest.raises(ConfigurationError, match="http_client"):  # type: ignore[attr-defined]
        pickle.dumps(Scripe(KEY, http_client=http_client))


def test_an_async_client_with_the_callers_connections_does_not_pickle_either() -> None:
    with pytest.raises(ConfigurationError, match="http_client"):
        pickle.dumps(AsyncScripe(KEY, http_client=httpx.AsyncClient()))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_clients_go_to_other_processes(server: ScriptedServer, method: str) -> None:
    server.script(GOOD)
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        clients = [Scripe(KEY, base_url=server.base_url) for _ in range(4)]
        assert list(pool.map(retrieved, clients)) == ["src_1"] * 4


def forked(work: Callable[[], bool]) -> int:
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return child


def ended_well(child: int) -> bool:
    return os.waitpid(child, 0)[1] == 0


def in_fork(work: Callable[[], bool]) -> bool:
    return ended_well(forked(work))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_connections_of_its_own(server: ScriptedServer) -> None:
    server.script(GOOD)
    with Scripe(KEY, base_url=server.base_url) as client:
        client.sources.retrieve("src_1")
        assert in_fork(lambda: client.sources.retrieve("src_1").id == "src_1")
        client.sources.retrieve("src_1")
    assert len(server.received) == 3
    assert server.connections == 2


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_an_async_client_opens_connections_of_its_own_in_a_fork_too(server: ScriptedServer) -> None:
    """In an event loop of its own, since the parent's stays behind."""
    server.script(GOOD)

    async def use(client: AsyncScripe) -> bool:
        return (await client.sources.retrieve("src_1")).id == "src_1"

    async def fork_between() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url) as client:
            await use(client)
            assert in_fork(lambda: asyncio.run(use(client)))
            await use(client)

    asyncio.run(fork_between())
    assert len(server.received) == 3
    assert server.connections == 2


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_client_that_was_loaded_before_the_fork_serves_many_children_at_once(
    server: ScriptedServer,
) -> None:
    """As gunicorn does with `preload`: nobody gets the answer to another's question."""
    server.script(OWN)
    with Scripe(KEY, base_url=server.base_url) as client:
        client.sources.retrieve("src_0")

        def ask(child: int) -> bool:
            wanted = [f"src_{child}_{count}" for count in range(25)]
            return [client.sources.retrieve(each).id for each in wanted] == wanted

        children = [forked(lambda child=child: ask(child)) for child in range(4)]  # type: ignore[misc]
        assert ask(9)
        assert all(ended_well(child) for child in children)
    assert server.connections == 5


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_while_other_threads_call(server: ScriptedServer) -> None:
    """Whatever lock they hold at that moment, the child does not wait for it."""
    server.script(OWN)
    with Scripe(KEY, base_url=server.base_url) as client, ThreadPoolExecutor(4) as threads:
        is_over = threading.Event()

        def call(thread: int) -> int:
            count = 0
            while not is_over.is_set():
                count += 1
                wanted = f"src_{thread}_{count}"
                assert client.sources.retrieve(wanted).id == wanted
            return count

        client.sources.retrieve("src_0")
        calls = [threads.submit(call, thread) for thread in range(4)]
        children = [forked(lambda: client.sources.retrieve("src_c").id == "src_c") for _ in range(12)]
        assert all(ended_well(child) for child in children)
        is_over.set()
        assert all(each.result() for each in calls)


def test_locks_that_others_hold_during_a_fork_are_made_anew(server: ScriptedServer) -> None:
    """As seen from within: of an async client, whose locks only a fork between two threads can meet."""
    server.script(GOOD)

    async def use() -> None:
        async with AsyncScripe(lambda: KEY, base_url=server.base_url) as client:
            held = client._sender.session  # pyright: ignore[reportPrivateUsage]
            await client.sources.retrieve("src_1")
            assert held.limiter is not None
            for lock in (held._lock, held.limiter._lock):  # pyright: ignore[reportPrivateUsage]
                lock.acquire()
            async with contextlib.AsyncExitStack() as connections:
                connections.push_async_callback(held.transport().close)
                session.after_fork()
            await client.sources.retrieve("src_1")
            assert repr(held.limiter) == "RateLimiter(1 buckets)"

    asyncio.run(use())
    assert server.connections == 2


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_a_client_loads_is_loaded_before_a_fork() -> None:
    """Another thread may be loading it at that moment, and a child would wait for it for ever."""
    program = """
import os, sys, scripe
before = set(sys.modules)
os.fork() or os._exit(0)
os.wait()
assert set(sys.modules) == before
client = scripe.Scripe("scripe_sk_test_x")
if not os.fork():
    wanted = {"scripe._sync.resources.jobs", "scripe.types.job"}
    wanted |= {"tenacity", "httpcore", "httpcore2"}
    os._exit(len(wanted - set(sys.modules)))
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert ran_by(program).returncode == 0


FORKED_IN_A_FIRST_CALL = """
import os, random, signal, sys, threading, time, warnings
from scripe import Scripe

# From Python 3.12 on, a fork warns if the thread is still there.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
key, base_url, seed = sys.argv[1:]
client = Scripe(key, base_url=base_url)
thread = threading.Thread(target=client.sources.retrieve, args=("src_1",))
thread.start()
time.sleep(random.Random(seed).uniform(0, 0.06))
child = os.fork()
if child == 0:
    signal.alarm(60)
    client.sources.retrieve("src_1")
    client.jobs.list().to_list()
    os._exit(0)
thread.join()
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.parametrize("seed", range(6))
def test_a_fork_while_another_thread_makes_its_first_call(server: ScriptedServer, seed: int) -> None:
    """The thread may hold the lock of a module that it imports; the child must not wait for that lock."""
    source, empty = json_reply({"data": shapes.source()}), json_reply({"data": list[object]()})
    server.script(lambda request: source if "sources" in request.path else empty)
    ran = ran_by(FORKED_IN_A_FIRST_CALL, KEY, server.base_url, str(seed))
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_callers_connections_stay_the_callers_in_a_fork(server: ScriptedServer) -> None:
    """As seen from within: what the caller opened, the caller answers for."""
    server.script(GOOD)

    async def use() -> None:
        async with httpx.AsyncClient() as http_client:
            client = AsyncScripe(KEY, base_url=server.base_url, http_client=http_client, rate_limiter=None)
            await client.sources.retrieve("src_1")
            session.after_fork()
            await client.sources.retrieve("src_1")

    asyncio.run(use())
    assert server.connections == 1


MODULE = """
import multiprocessing, sys
from scripe import Scripe

client = Scripe(sys.argv[1], base_url=sys.argv[2])

def look(number):
    return client.sources.retrieve(f"src_{number}").id

if __name__ == "__main__":
    with client:
        assert look(0) == "src_0"
        with multiprocessing.get_context(sys.argv[3]).Pool(2) as pool:
            assert pool.map(look, range(6)) == [f"src_{number}" for number in range(6)]
            pool.close()
            pool.join()
    print("done")
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_client_of_a_module_serves_in_worker_processes(
    server: ScriptedServer, tmp_path: Path, method: str
) -> None:
    server.script(OWN)
    program = tmp_path / "program.py"
    program.write_text(MODULE)
    ran = subprocess.run(
        [sys.executable, str(program), KEY, server.base_url, method],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("done\n", "", 0)


CLOSED = {
    "closed twice": "client.sources.retrieve('src_1'); client.close(); client.close()",
    "never used": "client.close()",
    "an async one": """
async def main():
    async with AsyncScripe(KEY, base_url=URL) as client: await client.sources.retrieve('src_1')
asyncio.run(main())""",
    "a fork that closes its own and exits": """
client.sources.retrieve('src_1')
if os.fork() == 0:
    client.sources.retrieve('src_1')
    client.close()
    sys.exit()
assert os.wait()[1] == 0
client.close()""",
}

LEFT_OPEN = {
    "used": "client.sources.retrieve('src_1')",
    "unused, and an async one": "AsyncScripe(KEY)",
    "an async one on asyncio": "asyncio.run(AsyncScripe(KEY, base_url=URL).sources.retrieve('src_1'))",
    "an async one on trio": "trio.run(AsyncScripe(KEY, base_url=URL).sources.retrieve, 'src_1')",
    "a task that nobody waits for": """
async def main():
    global task
    task = asyncio.ensure_future(AsyncScripe(KEY, base_url=URL).sources.retrieve('src_1'))
    await asyncio.sleep(0.002)
asyncio.run(main())""",
    "a daemon that calls": """
def call():
    while True: client.sources.retrieve('src_1')
threading.Thread(target=call, daemon=True).start()
time.sleep(0.2)""",
    "a daemon that calls with a deadline": """
def call():
    while True: client.with_options(total_timeout=5).sources.retrieve('src_1')
threading.Thread(target=call, daemon=True).start()
time.sleep(0.2)""",
    "a thread that goes on": """
def call():
    for _ in range(50): client.sources.retrieve('src_1')
threading.Thread(target=call).start()""",
    "no farewell": "client.sources.retrieve('src_1'); os._exit(0)",
    "a call at exit": "client.sources.retrieve('src_1'); atexit.register(client.sources.retrieve, 'src_1')",
}

HEAD = """
import asyncio, atexit, os, sys, threading, time, trio
from scripe import AsyncScripe, Scripe
KEY, URL = sys.argv[1:]
client = Scripe(KEY, base_url=URL, rate_limiter=None)
"""

STRICT = ["-X", "dev", "-W", "error::ResourceWarning"]
"""Says of each socket that was left open; a loop that is slow for once is none of ours."""


def ran_by(program: str, *arguments: str, strict: bool = False) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(STRICT if strict else []), "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("program", CLOSED.values(), ids=CLOSED)
def test_a_client_that_was_closed_leaves_nothing_to_complain_of(server: ScriptedServer, program: str) -> None:
    server.script(GOOD)
    ran = ran_by(HEAD + program, KEY, server.base_url, strict=True)
    told = [line for line in ran.stderr.splitlines() if not line.startswith("Executing <Task")]
    assert told == []
    assert ran.returncode == 0


@pytest.mark.parametrize("program", LEFT_OPEN.values(), ids=LEFT_OPEN)
def test_an_interpreter_ends_quietly_with_clients_left_open(server: ScriptedServer, program: str) -> None:
    server.script(GOOD)
    ran = ran_by(HEAD + program, KEY, server.base_url)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("", "", 0)


def test_one_async_client_for_each_event_loop(server: ScriptedServer) -> None:
    server.script(GOOD)
    client = AsyncScripe(KEY, base_url=server.base_url)

    async def use() -> Source:
        return await client.sources.retrieve("src_1")

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(use())
        with pytest.raises(ConfigurationError, match="event loop"):
            second.run(use())
        first.run(client.close())


def test_a_closed_client_leaves_nothing_open(server: ScriptedServer) -> None:
    server.script(GOOD)
    client = Scripe(KEY, base_url=server.base_url)
    client.sources.retrieve("src_1")
    client.close()
    del client
    gc.collect()


@pytest.mark.parametrize("family", ["httpx", "httpx2"])
def test_the_callers_connections_are_used_and_never_closed(server: ScriptedServer, family: str) -> None:
    """Neither its own authorisation nor its headers go with our calls."""
    server.script(GOOD)
    module = {"httpx": httpx, "httpx2": httpx2}[family]
    with module.Client(auth=("user", "pass"), headers={"X-Mine": "1"}) as http_client:
        with Scripe(KEY, base_url=server.base_url, http_client=http_client) as client:
            client.sources.retrieve("src_1")
        assert not http_client.is_closed
    assert server.sent("authorization") == [f"Bearer {KEY}"]
    assert server.sent("x-mine") == [None]


def test_a_client_of_the_other_world_is_refused() -> None:
    with httpx.Client() as blocking, pytest.raises(ConfigurationError, match=r"http_client.*httpx\.Client"):
        AsyncScripe(KEY, http_client=cast("httpx.AsyncClient", blocking))
    with pytest.raises(ConfigurationError, match=r"http_client.*httpx\.AsyncClient"):
        Scripe(KEY, http_client=cast("httpx.Client", httpx.AsyncClient()))


def test_a_callers_client_that_was_closed_is_told_as_such() -> None:
    http_client = httpx.Client()
    http_client.close()
    with pytest.raises(ClientClosedError, match="http_client"):
        Scripe(KEY, http_client=http_client).workspaces.me()


def test_an_async_callers_client_that_was_closed_is_told_as_such() -> None:
    async def use() -> None:
        http_client = httpx.AsyncClient()
        await http_client.aclose()
        with pytest.raises(ClientClosedError, match="http_client"):
            await AsyncScripe(KEY, http_client=http_client).workspaces.me()

    asyncio.run(use())


def test_many_calls_refused_at_once_ask_for_one_new_key(server: ScriptedServer) -> None:
    keys = iter(["scripe_sk_test_old", "scripe_sk_test_new", "scripe_sk_test_newer"])

    def reply(request: Received) -> Reply:
        return GOOD if request.headers["authorization"].endswith("_new") else error(401, "key_expired")

    async def use() -> None:
        async with AsyncScripe(lambda: next(keys), base_url=server.base_url) as client:
            await asyncio.gather(*(client.sources.retrieve("src_1") for _ in range(8)))

    server.script(reply)
    asyncio.run(use())
    assert next(keys) == "scripe_sk_test_newer"


def test_models_pages_and_errors_pickle_as_they_are(emulator: Emulator) -> None:
    emulator.seed(jobs=3)
    with emulator.client() as client:
        page = next(iter(client.jobs.list().pages()))
        arrived = pickle.loads(pickle.dumps(page))
        assert arrived == page
        assert arrived.last_response == page.last_response
        assert copy.deepcopy(page.data[0]) == page.data[0]
        with pytest.raises(NotFoundError) as caught:
            client.jobs.retrieve("job_unknown")
    there: NotFoundError = pickle.loads(pickle.dumps(caught.value))
    assert there.code == "not_found"
    assert there.request_id == caught.value.request_id
    assert str(there) == str(caught.value)


Use: TypeAlias = Callable[[], Coroutine[object, object, None]]


def in_asyncio(use: Use) -> None:
    asyncio.run(use())


def in_trio(use: Use) -> None:
    trio.run(use)


RUNS: tuple[Callable[[Use], None], ...] = (in_asyncio, in_trio)


@pytest.mark.parametrize("run", RUNS)
def test_tasks_that_need_a_key_at_once_ask_once(server: ScriptedServer, run: Callable[[Use], None]) -> None:
    """The one who asks may be cancelled, or meet an error: then the next in line asks."""
    server.script(GOOD)
    asked: list[int] = []

    async def key() -> str:
        asked.append(len(asked))
        await AsyncClock().sleep(0.02)
        if len(asked) == 2:
            raise LookupError("no vault")
        return KEY

    async def use() -> None:
        client = AsyncScripe(key, base_url=server.base_url)
        failed: list[str] = []

        async def call() -> None:
            try:
                await client.sources.retrieve("src_1")
            except (APITimeoutError, LookupError) as error:
                failed.append(type(error).__name__)

        async def call_in_a_hurry() -> None:
            with pytest.raises(APITimeoutError):
                await client.with_options(total_timeout=0.01).sources.retrieve("src_1")

        async with client, anyio.create_task_group() as group:
            group.start_soon(call_in_a_hurry)
            await anyio.lowlevel.checkpoint()
            for _ in range(8):
                group.start_soon(call)
        assert failed == ["LookupError"]

    run(use)
    assert len(asked) == 3
    assert len(server.received) == 7


def test_threads_that_need_a_key_at_once_ask_once(server: ScriptedServer) -> None:
    server.script(GOOD)
    asked: list[int] = []
    together = threading.Barrier(8)

    def key() -> str:
        asked.append(1)
        time.sleep(0.02)
        if len(asked) == 1:
            raise LookupError("no vault")
        return KEY

    def call(_: int) -> str:
        together.wait()
        try:
            return client.sources.retrieve("src_1").id
        except LookupError as error:
            return str(error)

    with Scripe(key, base_url=server.base_url) as client, ThreadPoolExecutor(8) as threads:
        told = sorted(threads.map(call, range(8)))
    assert told == ["no vault", *["src_1"] * 7]
    assert len(asked) == 2


def test_a_function_that_gives_keys_may_not_call_with_the_client_that_asks(server: ScriptedServer) -> None:
    """With another one it may, even if that one asks a function too."""
    server.script(GOOD)

    def other() -> str:
        with Scripe(lambda: KEY, base_url=server.base_url) as another:
            another.health.check()
        return client.sources.retrieve("src_1").id

    with (
        Scripe(other, base_url=server.base_url) as client,
        pytest.raises(ConfigurationError, match="`api_key`"),
    ):
        client.sources.retrieve("src_1")


@pytest.mark.parametrize("run", RUNS)
def test_an_async_function_that_gives_keys_may_not_either(
    server: ScriptedServer, run: Callable[[Use], None]
) -> None:
    server.script(GOOD)

    async def use() -> None:
        async def key() -> str:
            return (await client.sources.retrieve("src_1")).id

        async with AsyncScripe(key, base_url=server.base_url) as client:
            with pytest.raises(ConfigurationError, match="`api_key`"):
                await client.sources.retrieve("src_1")

    run(use)


@pytest.mark.parametrize("run", RUNS)
def test_an_async_client_is_closed_where_it_was_used(
    server: ScriptedServer, run: Callable[[Use], None]
) -> None:
    """Its connections live there. Elsewhere that is told, and nothing is lost by it."""
    server.script(GOOD)
    client = AsyncScripe(KEY, base_url=server.base_url)

    async def use() -> None:
        await client.sources.retrieve("src_1")

    async def close_elsewhere() -> None:
        with pytest.raises(ConfigurationError, match="event loop"):
            await client.close()

    with asyncio.Runner() as home:
        home.run(use())
        run(close_elsewhere)
        home.run(use())
        home.run(client.close())


def test_a_loop_that_is_over_is_not_taken_for_another(emulator: Emulator) -> None:
    """However often a new one is made in its place in memory."""

    async def use(client: AsyncScripe) -> None:
        await client.health.check()

    client = emulator.async_client()
    asyncio.run(use(client))
    for _ in range(20):
        gc.collect()
        with pytest.raises(ConfigurationError, match="event loop"):
            asyncio.run(use(client))


def test_a_log_that_the_environment_asks_for_tells_each_line_once() -> None:
    program = """
import logging, os, scripe
logging.basicConfig(level="DEBUG")
os.environ["SCRIPE_LOG"] = "debug"
for _ in range(2):
    try: scripe.Scripe("x", base_url="http://127.0.0.1:9", max_retries=0).health.check()
    except scripe.APIConnectionError: pass
"""
    told = [line for line in ran_by(program).stderr.splitlines() if "GET /health failed" in line]
    assert len(told) == 2
    assert all(" scripe DEBUG " in line for line in told)


def test_a_warning_names_a_caller_in_a_folder_beside_ours(server: ScriptedServer) -> None:
    notice = f"{uuid.uuid4()}; sunset=2026-12-01"
    server.script(json_reply({"data": shapes.source()}, Scripe_Deprecation=notice))
    beside = str(Path(session.__file__).parents[1]) + "_application/main.py"
    with Scripe(KEY, base_url=server.base_url) as client, pytest.warns(ScripeDeprecationWarning) as caught:
        exec(compile("client.sources.retrieve('src_1')", beside, "exec"), {"client": client})
    assert caught[0].filename == beside
