"""Look for faults of the network on real sockets: names, connections, proxies, certificates."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
import trustme

from scripe import AsyncScripe, Diagnosis, Scripe
from scripe._http import BackendName, backends
from scripe._http.tls import ssl_context
from tests.conftest import KEY
from tests.support.server import Reply, ScriptedServer, json_reply

ENGINES: list[BackendName] = ["httpx", "httpx2"]
WELL = json_reply({"status": "ok"})
NOW = datetime.now(UTC)
DAY = timedelta(days=1)

MakeServer = Callable[..., str]
Relay = Callable[..., str]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Load certificates again, as the environment of this test names them."""
    ssl_context.cache_clear()
    yield
    ssl_context.cache_clear()


@pytest.fixture
def make_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MakeServer]:
    """Return a function that serves over TLS with a certificate, and returns the base URL."""
    servers: list[ScriptedServer] = []

    def make(
        *names: str, trusted: bool = True, starts: datetime = NOW - DAY, ends: datetime = NOW + DAY
    ) -> str:
        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = authority.issue_cert(*(names or ("localhost",)), not_before=starts, not_after=ends)
        issued.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
        if trusted:
            authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        server = ScriptedServer(WELL)
        listening = server._server  # pyright: ignore[reportPrivateUsage]
        listening.socket = context.wrap_socket(
            listening.socket, server_side=True, do_handshake_on_connect=False
        )
        servers.append(server.__enter__())
        return server.base_url.replace("http:", "https:").replace("127.0.0.1", "localhost")

    yield make
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def proxy() -> Iterator[Relay]:
    """Return a function that makes a proxy with this answer to each CONNECT; an empty one passes it on."""
    listening: list[socket.socket] = []
    ends = threading.Event()

    def serve(server: socket.socket, answer: bytes, target: list[int]) -> None:
        with suppress(OSError):
            while not ends.is_set():
                client, _ = server.accept()
                with client:
                    client.recv(65536)
                    client.sendall(answer)
                    if target:
                        _pass_on(client, target[0])

    def make(answer: bytes, *target: int) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)
        threading.Thread(target=serve, args=(server, answer, list(target)), daemon=True).start()
        return f"http://user:canary-password@127.0.0.1:{server.getsockname()[1]}"

    yield make
    ends.set()
    for server in listening:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def _pass_on(client: socket.socket, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as far:
        back = threading.Thread(target=_copy, args=(far, client))
        back.start()
        _copy(client, far)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def look(base_url: str, engine: BackendName = "httpx", timeout: float | None = 60) -> Diagnosis:
    """Return the diagnosis of both clients, which must be the same and come within 15 seconds."""

    async def look_async() -> Diagnosis:
        async with AsyncScripe(KEY, base_url=base_url, http_client=engine, timeout=timeout) as client:
            return await client.diagnose()

    started = time.monotonic()
    with Scripe(KEY, base_url=base_url, http_client=engine, timeout=timeout) as client:
        diagnosis = client.diagnose()
    assert time.monotonic() - started < 15
    codes = [(check.name, check.code) for check in diagnosis.checks]
    assert [(check.name, check.code) for check in anyio.run(look_async).checks] == codes
    return diagnosis


def fault_of(diagnosis: Diagnosis) -> tuple[str, str]:
    assert diagnosis.fault is not None
    assert diagnosis.fault.next_step
    return diagnosis.fault.name, diagnosis.fault.code


def text_of(diagnosis: Diagnosis, name: str) -> str:
    return next(check.text for check in diagnosis.checks if check.name == name)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_end_of_a_certificate_is_shown(engine: BackendName, make_server: MakeServer) -> None:
    text = text_of(look(make_server(), engine), "tls")
    assert f"certificate valid until {NOW + DAY:%Y-%m-%d}" in text
    assert text.startswith("TLSv1.3 in ")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "certificate", "code"),
    [
        ("localhost", {"starts": NOW - 9 * DAY, "ends": NOW - DAY}, "certificate_expired"),
        ("localhost", {"starts": NOW + DAY, "ends": NOW + 9 * DAY}, "certificate_not_yet_valid"),
        ("localhost", {"trusted": False}, "certificate_unknown"),
        ("api.example.com", {}, "certificate_other_host"),
    ],
    ids=["expired", "early", "unknown", "other host"],
)
def test_what_is_wrong_with_a_certificate_is_named(
    engine: BackendName, name: str, certificate: dict[str, object], code: str, make_server: MakeServer
) -> None:
    diagnosis = look(make_server(name, **certificate), engine)
    assert fault_of(diagnosis) == ("tls", code)
    assert f"the date of this machine is {datetime.now(UTC):%Y-%m-%d}" in text_of(diagnosis, "tls")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("engine", ENGINES)
def test_an_async_client_sees_the_same(engine: BackendName, backend: str, make_server: MakeServer) -> None:
    base_url = make_server(starts=NOW - 9 * DAY, ends=NOW - DAY)

    async def look_async() -> Diagnosis:
        async with AsyncScripe(KEY, base_url=base_url, http_client=engine) as client:
            return await client.diagnose()

    assert fault_of(anyio.run(look_async, backend=backend)) == ("tls", "certificate_expired")


def test_a_server_without_tls_is_named(server: ScriptedServer) -> None:
    diagnosis = look(server.base_url.replace("http:", "https:"))
    assert fault_of(diagnosis) == ("tls", "tls_failed")


def test_a_port_where_nothing_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert fault_of(look(f"http://127.0.0.1:{port}/v1")) == ("connection", "connection_refused")


def test_a_server_that_does_not_respond_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        diagnosis = look(f"http://127.0.0.1:{silent.getsockname()[1]}/v1", timeout=0.2)
    assert fault_of(diagnosis) == ("health", "no_response")


def test_a_name_that_does_not_resolve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    diagnosis = look("https://api.example.com/v1")
    assert fault_of(diagnosis) == ("name look-up", "name_not_found")


def test_a_look_up_that_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        ends.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    diagnosis = look("https://api.example.com/v1", timeout=0.1)
    ends.set()
    assert fault_of(diagnosis) == ("name look-up", "name_not_found")
    assert "no response within 0.1 s" in text_of(diagnosis, "name look-up")


def test_a_dead_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:canary-password@127.0.0.1:{port}")
    diagnosis = look("https://api.example.com/v1")
    assert fault_of(diagnosis) == ("proxy", "proxy_unreachable")
    assert "127.0.0.1 (HTTPS_PROXY)" in text_of(diagnosis, "proxy")
    assert "canary" not in str(diagnosis)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_proxy_that_refuses_is_named(
    engine: BackendName, proxy: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"))
    assert fault_of(look("https://api.example.com/v1", engine)) == ("proxy", "proxy_refused")


@pytest.mark.parametrize("engine", ENGINES)
def test_behind_a_proxy_the_connection_is_not_seen(
    engine: BackendName, proxy: Relay, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(make_server("api.example.com").split(":")[2].split("/")[0])
    monkeypatch.setenv("HTTPS_PROXY", proxy(b"HTTP/1.1 200 OK\r\n\r\n", port))
    diagnosis = look("https://api.example.com/v1", engine)
    assert text_of(diagnosis, "connection") == "not seen: the proxy makes it"
    assert "certificate valid until" in text_of(diagnosis, "tls")
    assert text_of(diagnosis, "health").startswith("ok")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_proxy_that_signs_by_itself_is_an_unknown_certificate(
    engine: BackendName, proxy: Relay, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(make_server("api.example.com", trusted=False).split(":")[2].split("/")[0])
    monkeypatch.setenv("HTTPS_PROXY", proxy(b"HTTP/1.1 200 OK\r\n\r\n", port))
    assert fault_of(look("https://api.example.com/v1", engine)) == ("tls", "certificate_unknown")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HTTPS_PROXY", "http://"), ("SSL_CERT_FILE", "/canary/missing.pem")],
    ids=["proxy", "certificates"],
)
def test_what_cannot_be_used_of_the_environment_is_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(socket, "getaddrinfo", _find)
    diagnosis = look("https://api.example.com/v1")
    assert fault_of(diagnosis) == ("configuration", "configuration")
    assert variable in text_of(diagnosis, "configuration")


def _find(*_: object, **__: object) -> list[object]:
    return [object()]


def test_an_engine_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    client = AsyncScripe(KEY, base_url=server.base_url, http_client="httpx2")
    monkeypatch.setattr(backends, "import_module", _refuse_import)
    assert fault_of(anyio.run(client.diagnose)) == ("engine", "configuration")


def _refuse_import(name: str) -> object:
    raise ModuleNotFoundError(name)


def test_plain_http_to_another_machine_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with Scripe(KEY, base_url="http://api.example.com/v1", allow_insecure=True) as client:
        assert [check.code for check in client.diagnose().warnings] == ["base_url_insecure"]


def test_an_address_without_the_version_is_a_warning(server: ScriptedServer) -> None:
    server.script(Reply(404, b"none"))
    diagnosis = look(server.origin)
    assert [check.code for check in diagnosis.warnings] == ["base_url_path"]


def test_a_key_log_is_a_warning(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "/canary/keys")
    server.script(Reply(404, b"none"))
    diagnosis = look(server.base_url)
    assert [check.code for check in diagnosis.warnings] == ["tls_keys_logged"]
    assert "canary" not in str(diagnosis)
