"""The engines: chosen by name, proxies and certificates of the environment, cookies, tracers, a caller's aiohttp."""

from __future__ import annotations

import asyncio
import importlib
import os
import pickle
import socket
import ssl
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Literal, cast

import aiohttp
import httpx
import httpx2
import pytest
import trio
import trustme
from httpx_aiohttp.httpx2 import Httpx2AiohttpClient

from scripe import APIConnectionError, APITimeoutError, AsyncScripe, ConfigurationError, Scripe
from scripe._core.outcome import TransportFailure
from scripe._http.client_pool import MAX_CANCELLED_CALLS, ClientPool
from scripe._http.exceptions import classify_exception
from scripe._http.prepared_request import OPERATIONS, SendOptions
from scripe._http.tls import ssl_context
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import BREAK, Reply, ScriptedServer, json_reply

GOOD = json_reply({"data": shapes.source()})
Engine = Literal["httpx", "httpx2"]
ENGINES: tuple[Engine, ...] = ("httpx", "httpx2")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_chosen_by_name(server: ScriptedServer, engine: Engine) -> None:
    server.script(GOOD)
    with Scripe(KEY, base_url=server.base_url, http_client=engine) as client:
        assert client.sources.retrieve("src_1").id == "src_1"
        again = cast("Scripe", pickle.loads(pickle.dumps(client)))
        assert again.with_options().sources.retrieve("src_1").id == "src_1"
        again.close()


def test_what_is_no_engine_is_refused() -> None:
    for name in ("aiohttp", "requests"):
        with pytest.raises(ConfigurationError, match=r"http_client.*httpx2"):
            Scripe(KEY, http_client=cast("Engine", name))
        with pytest.raises(ConfigurationError, match=r"http_client.*httpx2"):
            AsyncScripe(KEY, http_client=cast("Engine", name))


def test_an_engine_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ConfigurationError, match="httpx2"):
        AsyncScripe(KEY, http_client="httpx2")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_goes_up_with_either_library_in_both_worlds(emulator: Emulator, engine: Engine) -> None:
    async def upload() -> None:
        async with AsyncScripe(served.api_key, base_url=served.base_url, http_client=engine) as client:
            await client.uploads.upload_file(b"Words.", content_type="text/plain")

    with emulator.serve() as served:
        with Scripe(served.api_key, base_url=served.base_url, http_client=engine) as client:
            client.uploads.upload_file(b"Words.", content_type="text/plain")
        asyncio.run(upload())
    puts = [request for request in emulator.requests if request.method == "PUT"]
    assert [request.status for request in puts] == [200, 200]


# A caller's own client of httpx-aiohttp.

UseAiohttp = Callable[[AsyncScripe], Awaitable[None]]


def over_aiohttp(base_url: str, use: UseAiohttp, key: str = KEY, **options: float) -> None:
    async def main() -> None:
        async with Httpx2AiohttpClient() as http_client:
            client = AsyncScripe(
                key,
                base_url=base_url,
                http_client=http_client,
                max_retries=int(options.get("max_retries", 0)),
                timeout=options.get("timeout", 5.0),
                rate_limiter=None,
            )
            await use(client)

    asyncio.run(main())


def test_a_callers_aiohttp_carries_calls_pages_and_writes(emulator: Emulator) -> None:
    seeded = emulator.seed(jobs=3)

    async def use(client: AsyncScripe) -> None:
        assert (await client.workspaces.me()).workspace.name == "Acme"
        assert {job.id async for job in client.jobs.list(page_size=2)} == set(seeded.job_ids)
        emulator.drop_next(path="/sources")
        source = await client.sources.create_text(project_id=emulator.project_id, text="Words.")
        assert source.last_response.attempts == 2
        assert emulator.count("sources") == 1

    with emulator.serve() as served:
        over_aiohttp(served.base_url, use, served.api_key, max_retries=2)


def test_a_read_over_aiohttp_has_no_body_and_keeps_its_connection(server: ScriptedServer) -> None:
    """httpx-aiohttp sends any stream chunked, an empty one too; then neither side can use the connection again."""
    server.script(json_reply({"data": shapes.job()}))

    async def use(client: AsyncScripe) -> None:
        for _ in range(3):
            await client.jobs.retrieve("job_1")

    over_aiohttp(server.base_url, use)
    assert (server.sent("transfer-encoding"), server.connections) == ([None] * 3, 1)


def test_a_lost_response_over_aiohttp_is_not_taken_for_a_request_that_never_left(
    server: ScriptedServer,
) -> None:
    """httpx-aiohttp calls both a `ConnectTimeout`; a rotation must not be sent again."""
    server.script(BREAK, json_reply({"data": shapes.webhook_endpoint(secret="whsec_1")}))

    async def use(client: AsyncScripe) -> None:
        with pytest.raises(APIConnectionError):
            await client.webhook_endpoints.rotate_secret("whe_1")

    over_aiohttp(server.base_url, use, max_retries=2)
    assert len(server.received) == 1


def test_nobody_listening_over_aiohttp_is_no_time_out() -> None:
    async def use(client: AsyncScripe) -> None:
        with pytest.raises(APIConnectionError, match="ClientConnectorError") as caught:
            await client.workspaces.me()
        assert not isinstance(caught.value, APITimeoutError)

    over_aiohttp("http://127.0.0.1:9/v1", use)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"{", cut=0, headers={"Content-Length": "5"}),
        Reply(200, GOOD.body, hold=2),
        Reply(200, GOOD.body, {"Content-Encoding": "gzip"}),
        Reply(200, b"x", {"Transfer-Encoding": "chunked"}),
    ],
    ids=["cut", "slow", "not gzip", "not http"],
)
def test_what_goes_wrong_over_aiohttp_is_an_error_of_the_tree(server: ScriptedServer, reply: Reply) -> None:
    server.script(reply, GOOD)

    async def use(client: AsyncScripe) -> None:
        with pytest.raises(APIConnectionError) as caught:
            await client.sources.retrieve("src_1")
        assert KEY not in repr(caught.value)
        # aiohttp may send the next call on a connection that the server is closing: that one is sent again.
        assert (await client.with_options(max_retries=2).sources.retrieve("src_1")).id == "src_1"

    over_aiohttp(server.base_url, use, timeout=0.5)


def test_a_url_in_what_aiohttp_says_is_not_repeated() -> None:
    error = aiohttp.InvalidURL("http://storage/key?X-Amz-Signature=c0ffee")
    assert classify_exception(httpx2, error) == TransportFailure(
        "not_sent", False, "InvalidURL: the connection broke"
    )


def test_cancelled_calls_over_aiohttp_leave_a_client_that_works(server: ScriptedServer) -> None:
    server.script(GOOD)

    async def use(client: AsyncScripe) -> None:
        for steps in range(100):
            task = asyncio.ensure_future(client.sources.retrieve("src_1"))
            for _ in range(steps % 20):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        # aiohttp may take a connection out of its pool that the server has closed after a cancelled request.
        retrying = client.with_options(max_retries=2)
        await asyncio.gather(*(retrying.sources.retrieve("src_1") for _ in range(50)))

    over_aiohttp(server.base_url, use)


def test_modules_that_another_thread_is_importing_break_no_call(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their names are in `sys.modules` before their contents are there."""
    for name in ("trio", "trio.lowlevel", "aiohttp"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    server.script(BREAK, GOOD)

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url) as client:
            assert (await client.sources.retrieve("src_1")).id == "src_1"

    asyncio.run(use())


@pytest.mark.parametrize("engine", ENGINES)
def test_no_cookie_is_kept(server: ScriptedServer, engine: Engine) -> None:
    server.script(Reply(200, GOOD.body, {"Set-Cookie": "session=1; Path=/"}))
    with Scripe(KEY, base_url=server.base_url, http_client=engine) as client:
        for _ in range(2):
            client.sources.retrieve("src_1")
    assert server.sent("cookie") == [None, None]


Watched = Callable[..., object]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("kind", "method"), [("Client", "send"), ("HTTPTransport", "handle_request")], ids=["client", "transport"]
)
def test_tracers_that_patch_the_engine_see_calls(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, engine: Engine, kind: str, method: str
) -> None:
    """As those of Sentry and OpenTelemetry do: they see the request, and may add a header to it."""
    watched = getattr(importlib.import_module(engine), kind)
    carried = cast("Watched", getattr(watched, method))
    seen: list[str] = []

    def traced(self: object, request: httpx.Request, *args: object, **kwargs: object) -> object:
        seen.append(f"{request.method} {request.url.path}")
        request.headers["traceparent"] = "00-1"
        return carried(self, request, *args, **kwargs)

    monkeypatch.setattr(watched, method, traced)
    server.script(GOOD)
    with Scripe(KEY, base_url=server.base_url, http_client=engine) as client:
        client.sources.retrieve("src_1")
    assert seen == ["GET /v1/sources/src_1"]
    assert server.sent("traceparent") == ["00-1"]


@pytest.mark.parametrize("engine", ENGINES)
def test_async_tracers_see_calls_too(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    watched = importlib.import_module(engine).AsyncHTTPTransport
    carried = watched.handle_async_request
    seen: list[str] = []

    async def traced(self: object, request: httpx.Request) -> object:
        seen.append(request.url.path)
        return await carried(self, request)

    monkeypatch.setattr(watched, "handle_async_request", traced)
    server.script(GOOD)

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url, http_client=engine) as client:
            await client.sources.retrieve("src_1")

    asyncio.run(use())
    assert seen == ["/v1/sources/src_1"]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_hook_changes_in_a_request_stays_in_that_request(
    server: ScriptedServer, engine: Engine
) -> None:
    """Requests are made of parts that are kept for the next: nobody may reach these through them."""
    changes = iter([True, False])

    def moved(request: httpx.Request) -> None:
        if next(changes):
            request.url = request.url.copy_with(path="/v1/sources/src_2")
            request.headers["X-Once"] = "1"
            del request.headers["Accept"]

    server.script(GOOD)
    family = importlib.import_module(engine)
    with family.Client(event_hooks={"request": [moved]}) as given:
        client = Scripe(KEY, base_url=server.base_url, http_client=given)
        for _ in range(2):
            client.sources.retrieve("src_1")
    assert [each.path for each in server.received] == ["/v1/sources/src_2", "/v1/sources/src_1"]
    assert server.sent("x-once") == ["1", None]
    assert server.sent("accept") == [None, "application/json"]


# Certificates.


@pytest.fixture
def forgotten() -> Iterator[None]:
    """No context of another test; and none of this one's for the next."""
    ssl_context.cache_clear()
    yield
    ssl_context.cache_clear()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[ScriptedServer, Path]]:
    """The scripted server over TLS, and the certificate of who vouches for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    scripted = ScriptedServer(GOOD)
    listening = scripted._server  # pyright: ignore[reportPrivateUsage]
    listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    with scripted:
        yield scripted, tmp_path / "ca.pem"


def address_of(server: ScriptedServer) -> str:
    return server.base_url.replace("http:", "https:").replace("127.0.0.1", "localhost")


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("engine", ENGINES)
def test_certificates_of_the_environment_are_trusted_by_both_worlds(
    secure: tuple[ScriptedServer, Path], monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    server, certificate = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Scripe(KEY, base_url=address_of(server), http_client=engine) as client:
        assert client.sources.retrieve("src_1").id == "src_1"

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=address_of(server), http_client=engine) as client:
            assert (await client.sources.retrieve("src_1")).id == "src_1"

    asyncio.run(use())
    trio.run(use)


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("engine", "variable"),
    [
        *((engine, variable) for engine in ENGINES for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR")),
        ("httpx", "SSLKEYLOGFILE"),  # httpx2 writes no such file
    ],
)
def test_certificates_that_cannot_be_loaded_are_an_error_that_names_variable_and_path(
    secure: tuple[ScriptedServer, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    engine: Engine,
    variable: str,
) -> None:
    missing = str(tmp_path / "missing" / "file")
    monkeypatch.setenv(variable, missing)
    with (
        Scripe(KEY, base_url=address_of(secure[0]), http_client=engine) as client,
        pytest.raises(ConfigurationError) as caught,
    ):
        client.sources.retrieve("src_1")
    assert f"{variable}={missing!r}" in str(caught.value)


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_of_certificates_that_holds_none_is_named_too(
    secure: tuple[ScriptedServer, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: Engine
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(broken))
    with (
        Scripe(KEY, base_url=address_of(secure[0]), http_client=engine) as client,
        pytest.raises(ConfigurationError, match="SSL_CERT_FILE"),
    ):
        client.sources.retrieve("src_1")


@pytest.mark.usefixtures("forgotten")
def test_no_certificates_are_loaded_for_plain_calls_to_this_machine(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(**_: object) -> ssl.SSLContext:
        raise AssertionError("certificates were loaded")

    monkeypatch.setattr(httpx, "create_ssl_context", never)
    server.script(GOOD)
    with Scripe(KEY, base_url=server.base_url, http_client="httpx") as client:
        client.sources.retrieve("src_1")


def test_timeouts_are_cut_to_what_is_left_of_the_deadline() -> None:
    assert dict(SendOptions(60.0, lambda: 5.0).timeouts()) == dict.fromkeys(OPERATIONS, 5.0)
    assert dict(SendOptions(60.0, lambda: None).timeouts()) == dict.fromkeys(OPERATIONS, 60.0)
    assert len(SendOptions(60.0, lambda: 5.0).timeouts()) == len(OPERATIONS)


def test_a_client_that_was_replaced_is_closed_after_its_last_call() -> None:
    opened: list[str] = []

    def open_client(route: str) -> str:
        opened.append(route)
        return f"client {len(opened)}"

    pool = ClientPool("httpx", None, open_client)
    slow = pool.acquire("http://127.0.0.1:1")
    for _ in range(int(MAX_CANCELLED_CALLS["httpx"])):
        pool.release(pool.acquire("http://127.0.0.1:1"), was_cancelled=True)
    assert pool.acquire("http://127.0.0.1:1").client == "client 2"
    assert pool.pop_retired() is None
    pool.release(slow, was_cancelled=False)
    assert pool.pop_retired() == "client 1"
    assert pool.pop_retired() is None
    assert opened == ["plain", "plain"]


def test_all_clients_of_a_family_have_one_context() -> None:
    assert ssl_context("httpx") is ssl_context("httpx")
    assert ssl_context("httpx2") is not ssl_context("httpx")
    assert {httpx.__name__, httpx2.__name__, aiohttp.__name__} == {"httpx", "httpx2", "aiohttp"}


# Proxies that the environment names.

ODD_PROXIES = {
    "socks, without its package": "socks5://127.0.0.1:1",
    "socks, of many desktops": "socks://127.0.0.1:1",
    "a slash in the password": "http://user:pa55/wd@h:1",
    "a blank": " ",
    "a blank in the host": "http://a b:1",
    "no host": "http://:3128",
    "an empty label": "http://proxy..corp.example:1",
    "a port too large": "http://127.0.0.1:99999",
    "no port": "http://proxy:port",
    "brackets": "http://[::1",
    "an unknown scheme": "ftp://127.0.0.1:1",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("value", ODD_PROXIES.values(), ids=ODD_PROXIES)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_an_error_that_names_the_variable_alone(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, value: str, variable: str
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(variable, value)
    with (
        Scripe(KEY, base_url="https://api.example/v1", http_client=engine, max_retries=0) as client,
        pytest.raises(ConfigurationError) as caught,
    ):
        client.workspaces.me()
    shown = "".join(traceback.format_exception(caught.value))
    assert str(caught.value).startswith(f"The proxy in {variable} cannot be used: ")
    assert value.strip() in ("", "http://:3128") or value.partition("://")[2] not in shown
    assert "pa55" not in shown
    assert ("socksio" in shown) == value.startswith("socks5")

    async def use() -> None:
        async with AsyncScripe(KEY, base_url="https://api.example/v1", http_client=engine) as client:
            with pytest.raises(ConfigurationError, match=variable):
                await client.workspaces.me()

    asyncio.run(use())
    trio.run(use)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("value", [*ODD_PROXIES.values(), "http://127.0.0.1:9"], ids=[*ODD_PROXIES, "dead"])
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_no_proxy_of_the_environment_concerns_this_machine(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, engine: Engine, value: str, host: str
) -> None:
    """Plain http is allowed to these hosts; a proxy would see the API key. All of 127.0.0.0/8 is this machine."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, value)
    server.script(GOOD)
    url = server.base_url.replace("127.0.0.1", host)
    monkeypatch.setattr(
        socket, "create_connection", partial(_connect_to, int(url.split(":")[2].split("/")[0]))
    )
    with Scripe(KEY, base_url=url, http_client=engine, max_retries=0) as client:
        assert client.sources.retrieve("src_1").id == "src_1"
    assert server.sent("authorization") == [f"Bearer {KEY}"]


_connect = socket.create_connection


def _connect_to(
    port: int, address: tuple[str, int], *args: float, **kwargs: tuple[str, int]
) -> socket.socket:
    """The scripted server listens on 127.0.0.1 alone; a proxy's port is reached as it is."""
    return _connect(("127.0.0.1", port) if address[1] == port else address, *args, **kwargs)  # type: ignore[arg-type] # pyright: ignore


def test_an_upload_link_on_this_machine_goes_through_no_proxy(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with (
        emulator.serve(host="127.0.0.2") as served,
        Scripe(served.api_key, base_url=served.base_url) as client,
    ):
        upload = client.uploads.upload_file(b"Words.", content_type="text/plain")
        assert upload.upload_url.startswith("http://127.0.0.2:")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("exempt", "through_proxy"),
    [
        ("[::1]", True),
        ("fe80::/10", True),
        ("://,[,*x,http://,%%", True),
        ("other.example", True),
        ("", True),
        ("elsewhere.example", False),
        (" .example , a", False),
        ("*", False),
    ],
)
def test_entries_of_no_proxy_are_heeded_and_those_that_mean_nothing_are_skipped(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, exempt: str, through_proxy: bool
) -> None:
    proxy = ScriptedServer(GOOD)
    with proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        monkeypatch.setenv("NO_PROXY", exempt)
        url = "http://elsewhere.example/v1"
        options = {"base_url": url, "allow_insecure": True, "max_retries": 0}
        with Scripe(KEY, http_client=engine, **options) as client:  # type: ignore[arg-type]
            if through_proxy:
                assert client.sources.retrieve("src_1").id == "src_1"
            else:
                with pytest.raises(APIConnectionError):
                    client.sources.retrieve("src_1")
    assert len(proxy.received) == through_proxy


ODD_ENVIRONMENTS = [
    {"ALL_PROXY": "socks5://127.0.0.1:1"},
    {"NO_PROXY": "[::1]", "HTTP_PROXY": "http://127.0.0.1:9"},
    {"HTTPS_PROXY": "http://user:pa55/wd@h:1"},
    {"SSL_CERT_FILE": "/nope"},
]

FORKED = """
import os, sys, threading
from scripe import Scripe

client = Scripe(sys.argv[1], base_url=sys.argv[2], max_retries=0)
if os.fork() == 0:
    client.sources.retrieve("src_1")
    os._exit(0)
assert os.wait()[1] == 0
"""


@pytest.mark.parametrize("environment", ODD_ENVIRONMENTS, ids=lambda each: next(iter(each)))
def test_a_fork_says_nothing_of_what_the_environment_holds(
    server: ScriptedServer, environment: dict[str, str]
) -> None:
    server.script(GOOD)
    command = [sys.executable, "-c", FORKED, KEY, server.base_url]
    ran = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=60
    )
    assert (ran.stderr, ran.returncode) == ("", 0)
