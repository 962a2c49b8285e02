"""The engines: chosen by name, aiohttp among them, certificates, cookies, and those who watch their public classes."""

from __future__ import annotations

import asyncio
import importlib
import pickle
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, cast

import aiohttp
import httpx
import httpx2
import pytest
import trio
import trustme

from scripe import (
    APIConnectionError,
    APITimeoutError,
    AsyncScripe,
    ConfigurationError,
    Scripe,
    ServerError,
)
from scripe._engine.failing import failure
from scripe._engine.outgoing import parsed
from scripe._engine.trust import trust_of
from scripe._rules.answer import Failure
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import BREAK, Reply, ScriptedServer, answer

GOOD = answer({"data": shapes.source()})
Engine = Literal["httpx", "httpx2"]
ENGINES: tuple[Engine, ...] = ("httpx", "httpx2")


def over_aiohttp(server: ScriptedServer, **options: float) -> AsyncScripe:
    return AsyncScripe(
        KEY,
        base_url=server.base_url,
        http_client="aiohttp",
        max_retries=int(options.get("max_retries", 0)),
        timeout=options.get("timeout", 5.0),
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_chosen_by_name(server: ScriptedServer, engine: Engine) -> None:
    server.script(GOOD)
    with Scripe(KEY, base_url=server.base_url, http_client=engine) as client:
        assert client.sources.retrieve("src_1").id == "src_1"
        again = cast("Scripe", pickle.loads(pickle.dumps(client)))
        assert again.with_options().sources.retrieve("src_1").id == "src_1"
        again.close()


def test_what_is_no_engine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="httpx, httpx2, or a client"):
        Scripe(KEY, http_client=cast("Engine", "aiohttp"))
    with pytest.raises(ConfigurationError, match="httpx, httpx2, aiohttp, or a client"):
        AsyncScripe(KEY, http_client=cast("Engine", "requests"))


def test_an_engine_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx_aiohttp.httpx2", None)
    with pytest.raises(ConfigurationError, match='extra "aiohttp" of scripe'):
        AsyncScripe(KEY, http_client="aiohttp")


def test_aiohttp_carries_all_that_a_client_does(emulator: Emulator) -> None:
    """Calls, a write whose answer is lost, a file through storage, jobs that are waited for."""

    async def use() -> None:
        with emulator.serve() as served:
            async with AsyncScripe(served.api_key, base_url=served.base_url, http_client="aiohttp") as client:
                assert (await client.workspaces.me()).workspace.name == "Acme"
                emulator.drop_next(path="/sources")
                source = await client.sources.create_text(project_id=emulator.project_id, text="Words.")
                assert (source.last_response.attempts, emulator.count("sources")) == (2, 1)
                words = b"Words. " * 400_000
                upload = await client.uploads.upload_file(words, content_type="text/plain")
                job = await client.sources.create_file(project_id=emulator.project_id, upload_id=upload.id)
                emulator.clock.advance(600)
                assert (await client.jobs.wait(job)).succeeded
                assert [each.id async for each in client.jobs.list()] == [job.id]

    asyncio.run(use())


def test_over_aiohttp_storage_is_sent_just_what_its_link_was_signed_for(server: ScriptedServer) -> None:
    minted = shapes.upload(f"{server.origin}/key?X-Amz-Signature=0", maxSizeBytes=2_000_000)
    server.script(answer({"data": minted}), Reply(200), GOOD)

    async def use() -> None:
        async with over_aiohttp(server) as client:
            await client.uploads.upload_file(b"Words." * 300_000, content_type="text/plain")
            await client.sources.create_text(project_id="proj_1", text="Words.")
            await client.sources.retrieve("src_1")

    asyncio.run(use())
    mint, put, post, get = server.received
    assert put.body == b"Words." * 300_000
    assert put.headers["content-length"] == "1800000"
    assert put.headers["content-type"] == "text/plain"
    assert not {"authorization", "transfer-encoding", "scripe-api-version"} & set(put.headers)
    assert mint.headers["content-length"] == str(len(mint.body))
    assert post.headers["content-length"] == str(len(post.body))
    assert not {"transfer-encoding", "content-length"} & set(get.headers)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, b"{", cut=0, headers={"Content-Length": "5"}), APIConnectionError),
        (Reply(200, GOOD.body, hold=2), APITimeoutError),
        (Reply(200, GOOD.body, {"Content-Encoding": "gzip"}), APIConnectionError),
        (Reply(503), ServerError),
    ],
)
def test_what_goes_wrong_over_aiohttp_is_told_as_ever(
    server: ScriptedServer, reply: Reply, kind: type[Exception]
) -> None:
    server.script(reply, GOOD)

    async def use() -> None:
        async with over_aiohttp(server, timeout=0.5) as client:
            with pytest.raises(kind) as caught:
                await client.sources.retrieve("src_1")
            assert type(caught.value) is kind or kind is ServerError
            assert KEY not in repr(caught.value)
            assert (await client.sources.retrieve("src_1")).id == "src_1"

    asyncio.run(use())


def test_a_lost_answer_over_aiohttp_is_not_taken_for_a_request_that_never_left(
    server: ScriptedServer,
) -> None:
    """httpx-aiohttp calls both a `ConnectTimeout`; a rotation must not be sent again."""
    server.script(BREAK, answer({"data": shapes.webhook_endpoint(secret="whsec_1")}))

    async def use() -> None:
        async with over_aiohttp(server, max_retries=2) as client:
            with pytest.raises(APIConnectionError):
                await client.webhook_endpoints.rotate_secret("whe_1")

    asyncio.run(use())
    assert len(server.received) == 1


def test_nobody_listening_over_aiohttp_is_no_time_out() -> None:
    async def use() -> None:
        async with AsyncScripe(
            KEY, base_url="http://127.0.0.1:9/v1", http_client="aiohttp", max_retries=0
        ) as client:
            with pytest.raises(APIConnectionError, match="ClientConnectorError") as caught:
                await client.workspaces.me()
            assert not isinstance(caught.value, APITimeoutError)

    asyncio.run(use())


def test_what_is_no_http_is_an_error_of_ours_over_aiohttp(server: ScriptedServer) -> None:
    """An error of aiohttp's own, which its transport lets through as it is."""
    server.script(Reply(200, b"x", {"Transfer-Encoding": "chunked"}))

    async def use() -> None:
        async with over_aiohttp(server) as client:
            with pytest.raises(APIConnectionError):
                await client.sources.retrieve("src_1")

    asyncio.run(use())


def test_over_aiohttp_no_signature_is_shown_and_no_file_is_read_on(server: ScriptedServer) -> None:
    """Files go by httpx2: aiohttp would read on after the call, bound no write in time, and show the link."""
    minted = {
        **shapes.upload(f"{server.origin}/key?X-Amz-Signature=c0ffee"),
        "maxSizeBytes": 50_000_000,
    }
    server.script(answer({"data": minted}), BREAK)

    async def use() -> None:
        async with over_aiohttp(server) as client:
            with pytest.raises(APIConnectionError) as caught:
                await client.uploads.upload_file(b"x" * 20_000_000, content_type="text/plain")
            assert "c0ffee" not in str(caught.value)

    asyncio.run(use())
    assert not [each for each in threading.enumerate() if each.name == "scripe-digest"]


def test_a_url_in_what_aiohttp_says_is_not_repeated() -> None:
    error = aiohttp.InvalidURL("http://storage/key?X-Amz-Signature=c0ffee")
    assert failure(httpx2, error) == Failure("unsent", False, "InvalidURL: the connection broke")


def test_aiohttp_is_for_asyncio_alone() -> None:
    async def use() -> None:
        async with AsyncScripe(KEY, base_url="http://127.0.0.1:9/v1", http_client="aiohttp") as client:
            with pytest.raises(ConfigurationError, match="asyncio alone"):
                await client.workspaces.me()

    trio.run(use)


def test_cancelled_calls_over_aiohttp_leave_a_client_that_works(server: ScriptedServer) -> None:
    server.script(GOOD)

    async def use() -> None:
        async with AsyncScripe(
            KEY, base_url=server.base_url, http_client="aiohttp", rate_limiter=None
        ) as client:
            for steps in range(100):
                task = asyncio.ensure_future(client.sources.retrieve("src_1"))
                for _ in range(steps % 20):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await asyncio.gather(*(client.sources.retrieve("src_1") for _ in range(50)))

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


@pytest.mark.parametrize("engine", ENGINES)
def test_no_address_is_kept_that_has_a_query(server: ScriptedServer, engine: Engine) -> None:
    """What stands there may be a password, and comes once."""
    server.script(answer([]))
    with Scripe(KEY, base_url=server.base_url, http_client=engine) as client:
        parsed.cache_clear()
        client.request("GET", "/anything?token=secret")
        client.request("GET", "/anything", params={"token": "secret"})
        assert parsed.cache_info().currsize == 0
        client.request("GET", "/anything")
        client.request("GET", "/anything")
        assert parsed.cache_info().currsize == 1


# Whom TLS trusts.


@pytest.fixture
def forgotten() -> Iterator[None]:
    """No context of another test; and none of this one's for the next."""
    trust_of.cache_clear()
    yield
    trust_of.cache_clear()


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
def test_certificates_of_the_environment_are_trusted_over_aiohttp(
    secure: tuple[ScriptedServer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, certificate = secure

    async def use() -> None:
        async with AsyncScripe(
            KEY, base_url=address_of(server), http_client="aiohttp", max_retries=0
        ) as client:
            assert (await client.sources.retrieve("src_1")).id == "src_1"

    with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(use())
    trust_of.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    asyncio.run(use())


@pytest.mark.usefixtures("forgotten")
def test_certificates_that_are_not_there_are_told(
    secure: tuple[ScriptedServer, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(broken))
    client = Scripe(KEY, base_url=address_of(secure[0]), http_client="httpx")
    with client, pytest.raises(ConfigurationError, match="certificates"):
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


def test_all_clients_of_a_family_have_one_context() -> None:
    assert trust_of("httpx") is trust_of("httpx")
    assert trust_of("httpx2") is not trust_of("httpx")
    assert {httpx.__name__, httpx2.__name__, aiohttp.__name__} == {"httpx", "httpx2", "aiohttp"}
