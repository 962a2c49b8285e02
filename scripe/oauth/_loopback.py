"""Receive one callback on this machine: a server on 127.0.0.1 that waits for one browser.

Anything on this machine, and any web page through the user's browser, can call it. So only `GET /callback` with our
own `Host` and the state of this sign-in ends the wait; all else is a 404, and the wait goes on. The response sends the
browser to `/done`, so that the code is neither in the address bar nor in the history.
"""

from __future__ import annotations

import hmac
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from urllib.parse import parse_qs, urlsplit

from ..errors import ConfigurationError

HOST = "127.0.0.1"
SECONDS_FOR_DONE = 1.0
"""How long the browser may take to fetch the last page."""

PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<body style="font: 1.1rem system-ui, sans-serif; margin: 4rem auto; max-width: 30rem">
<h1>Nearly done</h1><p>Go back to the program that asked you to sign in: it finishes there. You can close this page.</p>
"""


class LoopbackServer:
    """Waits on 127.0.0.1 for the callback with a state. It is a context manager."""

    def __init__(self, port: int = 0) -> None:
        try:
            self._server = _Server((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"Port {port} of {HOST} cannot be used ({error}). Give another port, or 0 for any free one."
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="scripe-oauth-callback", daemon=True
        )

    @property
    def redirect_uri(self) -> str:
        """The address that the browser comes back to."""
        return f"http://{self._server.host}/callback"

    def start(self, state: str) -> None:
        """Wait for the callback with this state."""
        self._server.state = state
        self._thread.start()

    def wait(self, seconds: float) -> str | None:
        """Return the address of the callback; None if none came within some seconds."""
        return self._server.callback_url if self._server.has_callback.wait(seconds) else None

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, once the browser has its last page."""
        if self._thread.is_alive():
            if self._server.has_callback.is_set():
                self._server.is_done.wait(SECONDS_FOR_DONE)
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingMixIn, TCPServer):
    """One thread for each connection: browsers open some that they do not use.

    It is not an `HTTPServer`, which looks up the name of the machine: without a network that takes seconds.
    """

    daemon_threads = True
    # Else a port could not be used again for a minute. On Windows it would let another program listen there too.
    allow_reuse_address = sys.platform != "win32"
    state = ""
    callback_url: str | None = None

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.has_callback = threading.Event()
        self.is_done = threading.Event()
        self.lock = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Take the port for this program alone."""
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        super().server_bind()

    @property
    def host(self) -> str:
        """The `Host` header of a request of our browser."""
        return f"{HOST}:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Print no traceback if a browser closes a connection early."""

    def accept(self, target: str) -> bool:
        """Keep the address of the callback, if it is the one waited for and the first."""
        states = parse_qs(urlsplit(target).query).get("state", [])
        is_ours = len(states) == 1 and hmac.compare_digest(states[0].encode(), self.state.encode())
        with self.lock:
            if not is_ours or self.has_callback.is_set():
                return False
            self.callback_url = f"http://{self.host}{target}"
            self.has_callback.set()
        return True


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - as socketserver passes it
    timeout = 10  # seconds for a connection that sends nothing

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        is_addressed = self.headers.get_all("Host") == [self.server.host]
        if is_addressed and path == "/callback" and self.server.accept(self.path):
            self._respond(HTTPStatus.SEE_OTHER, b"", Location="/done")
        elif is_addressed and path == "/done" and self.server.has_callback.is_set():
            self._respond(HTTPStatus.OK, PAGE)
            self.server.is_done.set()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer 404, also to other methods and to what is not HTTP."""
        self._respond(HTTPStatus.NOT_FOUND, b"There is nothing here.\n")

    def _respond(self, status: HTTPStatus, body: bytes, **headers: str) -> None:
        self.send_response(status)
        headers |= {
            "Content-Type": "text/html; charset=utf-8" if status == HTTPStatus.OK else "text/plain",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        }
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Name no version of Python in the header `Server`."""
        return "scripe"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
        """Log nothing: the line would hold the code."""
