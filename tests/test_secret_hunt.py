"""The hunt for secrets where several things meet: proxies, TLS, whole processes, interrupts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Self

import httpx
import httpx2
import pytest
import trio
import trustme

from scripe import APIConnectionError, APIStatusError, AsyncScripe, ConfigurationError, Scripe
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.hunt import format_error, format_own_frames, reachable
from tests.support.server import Received, Reply, ScriptedServer, json_reply

GOOD = json_reply({"data": shapes.source()})
SIGNATURE = "c0ffee0123456789"
PASSWORD = "hush-9876543210"
HOST = "api.scripe.test"
"""Known to nobody but the proxy."""


class ConnectProxy:
    """Takes whoever asks for a tunnel to one server on loopback, and keeps all that it could read."""

    def __init__(self, port: int, refusal: bytes = b"") -> None:
        self._port = port
        self._refusal = refusal
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.asked = b""
        self.carried = b""

    @property
    def url(self) -> str:
        return f"http://me:{PASSWORD}@127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._begin(self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._threads:
            each.join()

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments))
        self._threads[-1].start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._begin(self._tunnel, self._listening.accept()[0])

    def _tunnel(self, near: socket.socket) -> None:
        with near:
            while b"\r\n\r\n" not in self.asked:
                self.asked += near.recv(65536)
            if self._refusal:
                near.sendall(self._refusal)
                return
            with socket.create_connection(("127.0.0.1", self._port)) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self._pass_on, args=(far, near))
                back.start()
                self._pass_on(near, far)
                back.join()

    def _pass_on(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := here.recv(65536):
                self.carried += block
                there.sendall(block)
            there.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[ScriptedServer]:
    """The scripted server, over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert(HOST, "localhost", "127.0.0.1")
    issued.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    scripted = ScriptedServer(GOOD)
    listening = scripted._server  # pyright: ignore[reportPrivateUsage]
    listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    with scripted:
        yield scripted


def port_of(server: ScriptedServer) -> int:
    return int(server.origin.rpartition(":")[2])


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    return context


@pytest.mark.parametrize("engine", [httpx.Client, httpx2.Client])
def test_a_proxy_for_https_sees_no_key(
    secure: ScriptedServer, trusting: ssl.SSLContext, engine: type[httpx.Client]
) -> None:
    with (
        ConnectProxy(port_of(secure)) as proxy,
        engine(proxy=proxy.url, verify=trusting) as http_client,
        Scripe(KEY, base_url=f"https://{HOST}/v1", http_client=http_client) as client,
    ):
        assert client.sources.retrieve("src_1").id == "src_1"
    assert secure.sent("authorization") == [f"Bearer {KEY}"]
    assert proxy.asked.startswith(f"CONNECT {HOST}:443".encode())
    assert proxy.carried
    assert KEY.encode() not in proxy.asked + proxy.carried


def test_a_proxy_that_refuses_is_an_error_that_shows_neither_key_nor_password(
    secure: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with ConnectProxy(port_of(secure), refusal) as proxy, httpx.Client(proxy=proxy.url) as http_client:
        client = Scripe(KEY, base_url=f"https://{HOST}/v1", http_client=http_client, max_retries=0)
        with pytest.raises(APIConnectionError, match="407") as caught:
            client.sources.retrieve("src_1")
        text = format_error(caught.value) + caplog.text
    assert KEY not in text
    assert PASSWORD not in text


BEHIND_A_PROXY = """
import sys, scripe
with scripe.Scripe(sys.argv[1], base_url=sys.argv[2]) as client:
    print(client.sources.retrieve("src_1").id)
"""


def in_process(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_a_proxy_of_the_environment_sees_no_key(
    secure: ScriptedServer, server: ScriptedServer, authority: trustme.CA, tmp_path: Path
) -> None:
    """By https it carries what it cannot read; what goes to this machine passes it by, plain http above all."""
    server.script(GOOD)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with ConnectProxy(port_of(secure)) as proxy:
        names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY")
        environment = {**dict.fromkeys(names, proxy.url), "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        near = in_process(BEHIND_A_PROXY, KEY, server.base_url, **environment)
        assert (near.stdout, near.stderr) == ("src_1\n", "")
        assert proxy.asked == b""
        far = in_process(BEHIND_A_PROXY, KEY, f"https://{HOST}/v1", **environment)
    assert (far.stdout, far.stderr) == ("src_1\n", "")
    assert secure.sent("authorization") == [f"Bearer {KEY}"]
    assert KEY.encode() not in proxy.asked + proxy.carried


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_key_from_https_to_http(
    secure: ScriptedServer, server: ScriptedServer, trusting: ssl.SSLContext, status: int
) -> None:
    """Not even if the caller's own client follows redirects."""
    secure.script(Reply(status, headers={"Location": f"{server.base_url}/sources/src_1"}))
    with httpx.Client(verify=trusting, follow_redirects=True) as http_client:
        client = Scripe(KEY, base_url=secure.base_url.replace("http:", "https:"), http_client=http_client)
        with pytest.raises(APIStatusError, match=str(status)) as caught:
            client.sources.retrieve("src_1")
    assert server.received == []
    assert KEY not in format_error(caught.value)


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_key_goes_out(
    secure: ScriptedServer,
) -> None:
    client = Scripe(KEY, base_url=secure.base_url.replace("http:", "https:"), max_retries=0)
    with client, pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        client.sources.retrieve("src_1")
    assert secure.received == []
    assert KEY not in format_error(caught.value)


LOUD = """
import asyncio, logging, sys, warnings
logging.basicConfig(level=1)
for name in ("asyncio", "httpx", "httpcore", "httpx2", "httpcore2", "h11"):
    logging.getLogger(name).setLevel(1)
warnings.simplefilter("always")
import scripe
key, url, project = sys.argv[1:]

with scripe.Scripe(key, base_url=url, total_timeout=20) as client:
    client.uploads.upload_file(b"Words.", content_type="text/plain")
    print(client, vars(client), client.uploads, vars(client.uploads))

async def main():
    asyncio.get_running_loop().slow_callback_duration = 0
    async with scripe.AsyncScripe(key, base_url=url) as client:
        upload = await client.uploads.create(content_type="text/plain")
        await client.uploads.put(upload, b"Words.")
        print(client, upload, [upload])
        task = asyncio.ensure_future(client.sources.retrieve("src_unknown"))
        await asyncio.sleep(0)
        print(task)
        task.print_stack()
        print(await asyncio.gather(task, return_exceptions=True))
        await client.sources.retrieve("src_unknown")

asyncio.run(main(), debug=True)
"""


def test_a_process_that_tells_all_it_can_tells_no_secret(emulator: Emulator) -> None:
    """Every logger at its loudest, asyncio's debug mode with slow callbacks shown, an error that nobody catches."""
    with emulator.serve() as served:
        ran = in_process(LOUD, served.api_key, served.base_url, emulator.project_id, SCRIPE_LOG="debug")
    told = ran.stdout + ran.stderr
    for name in ("NotFoundError", "DEBUG:asyncio", "PUT http", "HTTP Request", "receive_response_headers"):
        assert name in told
    for secret in (served.api_key, "X-Amz-Signature", "X-Amz-Credential"):
        assert secret not in told


def hold(_: Received) -> Reply:
    return Reply(200, b"{}", hold=1.0)


def test_a_cancelled_call_shows_no_key_in_our_frames(server: ScriptedServer) -> None:
    server.script(hold)

    async def use() -> asyncio.CancelledError:
        async with AsyncScripe(KEY, base_url=server.base_url) as client:
            task = asyncio.ensure_future(client.sources.retrieve("src_1"))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value

    assert KEY not in format_own_frames(asyncio.run(use()))


def test_a_call_that_trio_cancels_shows_no_key_in_our_frames(server: ScriptedServer) -> None:
    server.script(hold)
    caught: list[trio.Cancelled] = []

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url) as client:
            with trio.move_on_after(0.1):
                try:
                    await client.sources.retrieve("src_1")
                except trio.Cancelled as error:
                    caught.append(error)
                    raise

    trio.run(use)
    assert len(caught) == 1
    assert KEY not in format_own_frames(caught[0])


@contextlib.contextmanager
def heeding_interrupts() -> Generator[None]:
    """Whoever starts the tests in the background has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("deadline", [None, 20.0])
def test_an_interrupted_call_shows_no_key_in_our_frames(
    server: ScriptedServer, deadline: float | None
) -> None:
    caller = threading.get_ident()

    def interrupting(received: Received) -> Reply:
        signal.pthread_kill(caller, signal.SIGINT)
        return hold(received)

    server.script(interrupting)
    with (
        Scripe(KEY, base_url=server.base_url, total_timeout=deadline) as client,
        heeding_interrupts(),
        pytest.raises(KeyboardInterrupt) as caught,
    ):
        client.sources.retrieve("src_1")
    assert KEY not in format_own_frames(caught.value)


def test_what_was_made_by_calls_pickles_without_the_key(emulator: Emulator) -> None:
    """But for the link, which an upload is for: its pickle is as good as the link."""
    emulator.seed(jobs=3)
    with emulator.serve() as served, Scripe(served.api_key, base_url=served.base_url) as client:
        made: list[object] = [
            client.workspaces.me(),
            client.uploads.create(content_type="text/plain"),
            client.webhook_endpoints.create(
                name="Desk", url="https://example.com/hook", events=["note.created"]
            ),
            *client.jobs.list(page_size=2).pages(),
        ]
        with pytest.raises(APIStatusError) as caught:
            client.jobs.retrieve("job_unknown")
        key = served.api_key.encode()
        assert all(key not in pickle.dumps(each) for each in [*made, caught.value])
        assert key in pickle.dumps(client)
        assert not [each for each in reachable(made) if isinstance(each, str) and served.api_key in each]
    assert "in plain text" in (Scripe.__doc__ or "")
    assert "in plain text" in (AsyncScripe.__doc__ or "")


def test_a_base_url_with_a_password_shows_none(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Scripe(KEY, base_url=f"https://me:{PASSWORD}@host/v1")
    assert PASSWORD not in f"{caught.value} {caught.value!r} {caplog.text}"
