"""The emulator on a port: Starlette on uvicorn, in a thread of its own."""

import asyncio
import errno
import logging
import re
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from ._core.clock import real_seconds
from ._core.database import new_id
from ._core.errors import failure
from ._core.messages import PAGE_PREFIX, PREFIX, Headers, Request, Response
from ._core.optional_dependencies import extra
from ._core.routing import EDGE_LIMIT

with extra():
    import uvicorn
    from starlette import requests as starlette_requests
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware.cors import CORSMiddleware
    from starlette.responses import Response as StarletteResponse
    from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from ._emulator import Emulator
    from .page import Page

IN_MEMORY = 1 << 20
HOST = re.compile(r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
GRACE = 1
WITHOUT_BODY = (204, 304)  # HTTP lets them have none
logger: logging.Logger = logging.getLogger("scripe.emulator")


class Server:
    """An emulator behind a port of this machine.

    Args:
        emulator: what answers.
        host: the address to listen on.
        port: the port to listen on, 0 for any free one.
        page_of: makes the page that shows what happens here, beside the API.

    Attributes:
        in_real_time: whether the answer of a call that waits for its job is held back as long as the job takes;
            else the emulator's clock moves on by as much.

    """

    def __init__(
        self, emulator: "Emulator", host: str, port: int, page_of: Callable[["Emulator"], "Page"]
    ) -> None:
        self._page_of = page_of
        self.emulator = emulator
        self.in_real_time = True
        self._host = host
        self._named = host
        self._port = port
        self._running: _Running | None = None

    @property
    def emulator(self) -> "Emulator":
        """What answers; another one may take its place at any time."""
        return self._emulator

    @emulator.setter
    def emulator(self, emulator: "Emulator") -> None:
        self._emulator = emulator
        self._page: Page | None = None
        self._api: ASGIApp = self._answer
        if emulator.settings.cors_origins:
            self._api = CORSMiddleware(
                self._answer,
                allow_origins=emulator.settings.cors_origins,
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=["*"],
                allow_private_network=True,
            )

    @property
    def page(self) -> "Page":
        """Shows what happens here, beside the API; loaded when first asked for."""
        if self._page is None:
            self._page = self._page_of(self.emulator)
        return self._page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as an ASGI application, of the API, its storage or the page."""
        is_of_page = f"{scope['path']}/".startswith(f"{PAGE_PREFIX}/")
        await (self.page if is_of_page else self._api)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _serve(self.emulator, scope, receive, send, in_real_time=self.in_real_time)

    @property
    def base_url(self) -> str:
        """Where the API is, such as ``http://127.0.0.1:8787/v1``; known once started.

        Of a server that listens on every address of this machine it is the loopback one.
        """
        return f"{self._origin}{PREFIX}"

    @property
    def page_url(self) -> str:
        """Where a browser can watch the emulator, such as ``http://127.0.0.1:8787/_emulator``; known once started."""
        return f"{self._origin}{PAGE_PREFIX}"

    @property
    def api_key(self) -> str:
        """A key with every scope."""
        return self.emulator.api_key

    def start(self) -> None:
        """Listen, and return once requests are answered.

        Raises:
            OSError: the port cannot be had.

        """
        listener = self._listener()
        # Head and body are two writes: on a kept connection the second would wait 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address, self._port = listener.getsockname()[:2]
        if ip_address(address).is_unspecified:
            self._named = "::1" if ":" in address else "127.0.0.1"
        self._running = _Running(_application(self), listener)

    def _listener(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        taken = None
        try:
            return socket.create_server((self._host, self._port), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            taken = error.errno
        raise OSError(taken, f"port {self._port} is taken, choose another one, or 0 for any that is free")

    def stop(self) -> None:
        """Stop listening, and return once the thread has ended."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _origin(self) -> str:
        host = f"[{self._named}]" if ":" in self._named else self._named
        return f"http://{host}:{self._port}"


class _EventLoop(asyncio.SelectorEventLoop):
    """Goes by real time where a test has frozen it: else the server would wait for its next tick, and never stop."""

    def time(self) -> float:
        return real_seconds()


class _Running(uvicorn.Server):
    def __init__(self, application: Starlette, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http="h11",
                ws="none",
                lifespan="off",
                proxy_headers=False,  # who sits where is judged by the connection alone
                log_config=None,
                log_level=logging.CRITICAL,  # answers that are dropped on purpose are no news
                access_log=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=self.run, args=([listener],), name="scripe-emulator", daemon=True
        )
        self._thread.start()
        self._ready.wait()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        with asyncio.Runner(loop_factory=_EventLoop) as runner:
            runner.run(self.serve(sockets))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self._ready.set()

    def stop(self) -> None:
        self.should_exit = True
        self._thread.join()


def _application(server: Server) -> Starlette:
    application = Starlette(exception_handlers={Exception: _crashed})
    application.router.default = server  # a route's pattern would not match every path
    return application


async def _serve(
    emulator: "Emulator", scope: Scope, receive: Receive, send: Send, *, in_real_time: bool
) -> None:
    head = _head(scope, in_real_time=in_real_time)
    if head is None:
        refusal = failure(400, new_id("req"), message="The Host header names no host.")
        await _refuse(refusal, scope, receive, send)
        return
    refused = await run_in_threadpool(emulator.admit, head)
    if refused:
        await _refuse(refused, scope, receive, send)
        return
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        try:
            async for chunk in _chunks(scope, receive):
                if (
                    head.in_storage or spool.tell() <= EDGE_LIMIT
                ):  # what is longer than that is refused unread
                    spool.write(chunk)
        except OSError as error:
            await _refuse(emulator.refuse(head, error), scope, receive, send)
            return
        spool.seek(0)
        request = replace(head, body=cast("BinaryIO", spool))
        response = await run_in_threadpool(emulator.handle, request)
    emulator.clock.advance(emulator.latency)
    await asyncio.sleep(response.delay)
    await _send(response, scope, receive, send)


def _head(scope: Scope, *, in_real_time: bool) -> Request | None:
    headers = Headers((name.decode("latin-1"), text.decode("latin-1")) for name, text in scope["headers"])
    address, port = scope["server"]
    host = headers.get("host") or (f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
    if not HOST.fullmatch(host):
        return None
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    below = path if path.startswith("/") else f"/{path}"  # OPTIONS * and GET http://…, which are nowhere
    url = f"{scope['scheme']}://{host}{below}{'?' if query else ''}{query}"
    return Request(scope["method"], url, headers, in_real_time=in_real_time)


async def _chunks(scope: Scope, receive: Receive) -> AsyncIterator[bytes]:
    # A caller that goes away leaves a body cut short, which the emulator itself refuses.
    try:
        async for chunk in starlette_requests.Request(scope, receive).stream():
            yield chunk
    except starlette_requests.ClientDisconnect:
        return


async def _send(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if response.dropped:
        await _break_off(response, send)
    else:
        body = b"" if response.status in WITHOUT_BODY else response.body
        answer = StarletteResponse(body, response.status, response.headers)
        await answer(scope, receive, send)


async def _break_off(response: Response, send: Send) -> None:
    # More is announced than sent, and then the call ends: uvicorn closes the connection.
    length = len(response.body) + 1
    await _begin(response, length, send)
    await send({"type": "http.response.body", "body": response.body[: length // 2], "more_body": True})


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    # The answer goes out before the body is read. The body is then read and thrown away: closing the
    # connection on a caller that still sends would reset it, and the answer might be lost with it.
    await _begin(response, len(response.body), send)
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    if b"expect" not in dict(scope["headers"]):
        async for _ in _chunks(scope, receive):
            pass
    await send({"type": "http.response.body", "body": b""})


async def _begin(response: Response, length: int, send: Send) -> None:
    headers = {**response.headers, "Content-Length": str(length)}
    fields = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": fields})


async def _crashed(request: starlette_requests.Request, error: Exception) -> StarletteResponse:
    logger.error("%s %s crashed the emulator", request.method, request.url.path, exc_info=error)
    response = failure(500, new_id("req"))
    return StarletteResponse(response.body, response.status, response.headers)
