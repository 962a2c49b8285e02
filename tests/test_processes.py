"""Threads, forks, spawned processes, event loops, pickles."""

from __future__ import annotations

import asyncio
import copy
import gc
import multiprocessing
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import cast

import httpx
import httpx2
import pytest

from scripe import (
    AsyncScripe,
    ClientClosedError,
    ConfigurationError,
    NotFoundError,
    RateLimiter,
    ResponseInfo,
    Scripe,
    Source,
)
from scripe._async import session
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import Received, Reply, ScriptedServer, answer, error

GOOD = answer({"data": shapes.source()})


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
    with family.Client() as http_client, pytest.raises(ConfigurationError, match="cannot be pickled"):  # type: ignore[attr-defined]
        pickle.dumps(Scripe(KEY, http_client=http_client))


def test_an_async_client_with_the_callers_connections_does_not_pickle_either() -> None:
    with pytest.raises(ConfigurationError, match="cannot be pickled"):
        pickle.dumps(AsyncScripe(KEY, http_client=httpx.AsyncClient()))


def test_clients_go_to_other_processes(server: ScriptedServer) -> None:
    server.script(GOOD)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        clients = [Scripe(KEY, base_url=server.base_url) for _ in range(4)]
        assert list(pool.map(retrieved, clients)) == ["src_1"] * 4


def in_fork(work: Callable[[], bool]) -> bool:
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_connections_of_its_own(server: ScriptedServer) -> None:
    server.script(GOOD)
    with Scripe(KEY, base_url=server.base_url) as client:
        client.sources.retrieve("src_1")
        assert in_fork(lambda: client.sources.retrieve("src_1").id == "src_1")
        client.sources.retrieve("src_1")
    assert len(server.received) == 3
    assert server.connections == 2


def test_an_async_client_opens_connections_of_its_own_in_a_fork_too(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As seen from within: the process has another number, all else is as it was."""
    server.script(GOOD)

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url) as client:
            await client.sources.retrieve("src_1")
            monkeypatch.setattr(os, "getpid", lambda: -1)
            await client.sources.retrieve("src_1")

    def use_and_let_go() -> None:
        asyncio.run(use())
        session._left_open.clear()  # pyright: ignore[reportPrivateUsage]
        gc.collect()

    with pytest.warns(ResourceWarning, match="unclosed"):
        use_and_let_go()
    assert server.connections == 2


def test_the_callers_connections_stay_the_callers_in_a_fork(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(GOOD)

    async def use() -> None:
        async with httpx.AsyncClient() as http_client:
            client = AsyncScripe(KEY, base_url=server.base_url, http_client=http_client, rate_limiter=None)
            await client.sources.retrieve("src_1")
            monkeypatch.setattr(os, "getpid", lambda: -1)
            await client.sources.retrieve("src_1")

    asyncio.run(use())
    assert server.connections == 1


def test_one_async_client_for_each_event_loop(server: ScriptedServer) -> None:
    server.script(GOOD)
    client = AsyncScripe(KEY, base_url=server.base_url)

    async def use() -> Source:
        return await client.sources.retrieve("src_1")

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(use())
        with pytest.raises(ConfigurationError, match="one AsyncScripe for each event loop"):
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
    with httpx.Client() as blocking, pytest.raises(ConfigurationError, match="AsyncScripe an AsyncClient"):
        AsyncScripe(KEY, http_client=cast("httpx.AsyncClient", blocking))
    with pytest.raises(ConfigurationError, match="needs a Client"):
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
    assert (there.code, there.request_id, str(there)) == (
        "not_found",
        caught.value.request_id,
        str(caught.value),
    )
