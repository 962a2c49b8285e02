"""Serve the emulator on a port: Starlette on uvicorn, in a thread of its own."""

import asyncio
import errno
import logging
import re
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from types import TracebackType
from typing import BinaryIO, Self, cast

from ._core.application import Application
from ._core.clock import real_seconds
from ._core.database import new_id
from ._core.errors import error_response
from ._core.messages import AUTHORIZE_PATH, PAGE_PREFIX, PREFIX, Headers, Request, Response
from ._core.optional_dependencies import require_extra
from ._core.routing import MAX_BODY

with require_extra():
    import uvicorn
    from starlette import requests as starlette_requests
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.datastructures import MutableHeaders
    from starlette.middleware.cors import CORSMiddleware
    from starlette.responses import Response as StarletteResponse
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from uvicorn.protocols.http.h11_impl import H11Protocol

IN_MEMORY = 1 << 20
HOST = re.compile(r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
GRACE = 1
WITHOUT_BODY = (204, 304)  # HTTP does not let them have one
logger: logging.Logger = logging.getLogger("scripe.emulator")


class Server:
    """An emulator behind a port of this machine, made by `Emulator.serve`.

    Attributes:
        application: Answers the requests; `Emulator.take_over` puts another one in its place.
        in_real_time: Whether a call that waits for its job is answered when the job has ended in real time; else the
            emulator's clock moves on by as much.

    """

    def __init__(
        self, application: Application, host: str, port: int, load_page: Callable[[Application, str], ASGIApp]
    ) -> None:
        self._load_page = load_page
        self._host = host
        self._named_host = host
        self._port = port
        self._running: _UvicornThread | None = None
        self.application = application
        self.in_real_time = True

    @property
    def application(self) -> Application:
        return self._application

    @application.setter
    def application(self, application: Application) -> None:
        self._application = application
        self._page: ASGIApp | None = None
        self._api: ASGIApp = self._handle
        if application.settings.cors_origins:
            self._api = CORSMiddleware(
                self._handle,
                allow_origins=application.settings.cors_origins,
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=["*"],
                allow_private_network=True,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as an ASGI application: of the API, its storage or the page."""
        # Web pages elsewhere may call the API (`cors_origins`), but must not read what the consent page asks.
        app = self._handle if scope["path"] == AUTHORIZE_PATH else self._api
        if f"{scope['path']}/".startswith(f"{PAGE_PREFIX}/"):
            app = self._page = self._page or self._load_page(self.application, self._host)
        await app(scope, receive, send)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = self.application
        head = _parse_head(scope, in_real_time=self.in_real_time)
        if head is None:
            response = error_response(400, new_id("req"), message="The Host header is not a host name.")
            await _send_early(response, scope, receive, send)
            return
        rejection = await run_in_threadpool(application.reject_early, head)
        if rejection:
            await _send_early(rejection, scope, receive, send)
            return
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            try:
                async for chunk in _read_body(scope, receive):
                    if (
                        head.in_storage or spool.tell() <= MAX_BODY
                    ):  # a longer body is rejected, so the rest is not kept
                        spool.write(chunk)
            except OSError as error:
                await _send_early(application.reject_unstored(head, error), scope, receive, send)
                return
            spool.seek(0)
            request = replace(head, body=cast("BinaryIO", spool))
            response = await run_in_threadpool(application.handle, request)
        application.clock.advance(application.simulated_latency)
        await asyncio.sleep(response.delay)
        await _send(response, scope, receive, send)

    @property
    def base_url(self) -> str:
        """The API's base URL, such as ``http://127.0.0.1:8787/v1``; known once started.

        Of a server that listens on every address of this machine it is the loopback one.
        """
        return f"{self._origin}{PREFIX}"

    @property
    def page_url(self) -> str:
        """The URL of the emulator's page, such as ``http://127.0.0.1:8787/_emulator``; known once started."""
        return f"{self._origin}{PAGE_PREFIX}"

    @property
    def api_key(self) -> str:
        """A key with every scope."""
        return self.application.api_key

    def start(self) -> None:
        """Listen, and return once requests are answered.

        Raises:
            OSError: The port cannot be opened.

        """
        listener = self._listener()
        # Head and body are two writes: on a kept connection the second would wait 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address, self._port = listener.getsockname()[:2]
        if ip_address(address).is_unspecified:
            self._named_host = "::1" if ":" in address else "127.0.0.1"
        application = Starlette(exception_handlers={Exception: _respond_to_crash})
        application.router.default = self  # a route's pattern would not match every path
        self._running = _UvicornThread(_DateMiddleware(application, self), listener)

    def _listener(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            return socket.create_server((self._host, self._port), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        raise OSError(errno.EADDRINUSE, f"port {self._port} is taken; choose another, or 0 for any free one")

    def stop(self) -> None:
        """Stop listening, and return once the thread has ended."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _origin(self) -> str:
        host = f"[{self._named_host}]" if ":" in self._named_host else self._named_host
        return f"http://{host}:{self._port}"


class _DateMiddleware:
    """Dates what no `Application` has dated: the page, the response to a preflight, that of a crash."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, partial(self._send, send))

    async def _send(self, send: Send, message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("Date", self._server.application.date())
        await send(message)


class _EventLoop(asyncio.SelectorEventLoop):
    """Counts real time where a test has frozen it; else the server would wait for its next tick without end."""

    def time(self) -> float:
        return real_seconds()


class _Protocol(H11Protocol):
    """Hands out the transport of a connection, to break it: uvicorn has no way to send no response at all."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _UvicornThread(uvicorn.Server):
    def __init__(self, application: ASGIApp, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=_Protocol,
                ws="none",
                lifespan="off",
                proxy_headers=False,  # the page checks the caller's real address
                date_header=False,  # it would be the system's time
                log_config=None,
                log_level=logging.CRITICAL,  # responses that are dropped on purpose are not errors
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


def _parse_head(scope: Scope, *, in_real_time: bool) -> Request | None:
    headers = Headers((name.decode("latin-1"), text.decode("latin-1")) for name, text in scope["headers"])
    address, port = scope["server"]
    host = headers.get("host") or (f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
    if not HOST.fullmatch(host):
        return None
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    below = path if path.startswith("/") else f"/{path}"  # OPTIONS * and GET http://…, which are nowhere
    url = f"{scope['scheme']}://{host}{below}{'?' if query else ''}{query}"
    return Request(scope["method"], url, headers, in_real_time=in_real_time)


async def _read_body(scope: Scope, receive: Receive) -> AsyncIterator[bytes]:
    # A caller that goes away leaves a body cut short, which the emulator itself refuses.
    try:
        async for chunk in starlette_requests.Request(scope, receive).stream():
            yield chunk
    except starlette_requests.ClientDisconnect:
        return


async def _send(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if not response.status:
        scope["state"]["transport"].abort()
        return
    if response.connection_dropped:
        # More is announced than sent, and then the call ends: uvicorn closes the connection.
        length = len(response.body) + 1
        await _send_head(response, length, send)
        await send({"type": "http.response.body", "body": response.body[: length // 2], "more_body": True})
        return
    body = b"" if response.status in WITHOUT_BODY else response.body
    await StarletteResponse(body, response.status, response.headers)(scope, receive, send)


async def _send_early(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    # The response goes out before the body is read. The body is then read and thrown away: closing the
    # connection on a caller that still sends would reset it, and the response might be lost with it.
    await _send_head(response, len(response.body), send)
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    if b"expect" not in dict(scope["headers"]):
        async for _ in _read_body(scope, receive):
            pass
    await send({"type": "http.response.body", "body": b""})


async def _send_head(response: Response, length: int, send: Send) -> None:
    headers = {**response.headers, "Content-Length": str(length)}
    fields = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": fields})


async def _respond_to_crash(request: starlette_requests.Request, error: Exception) -> StarletteResponse:
    logger.error(
        "The emulator crashed on %s %s; please report it", request.method, request.url.path, exc_info=error
    )
    response = error_response(500, new_id("req"))
    return StarletteResponse(response.body, response.status, response.headers)
