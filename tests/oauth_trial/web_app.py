"""A small web application on loopback: connect, callback, and the browser's own session in a cookie."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from scripe import ScripeError, oauth
from scripe.oauth import OAuthApp, TokenStore
from tests.oauth.signing_in import NAME


class WebApp(ThreadingHTTPServer):
    """Serves `/connect`, and `/callback`, which shows what came of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.app: OAuthApp | None = None
        self.states: dict[str, str] = {}  # of each browser, by its cookie
        self.replaces = False  # a login by one to another workspace

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def redirect_uri(self) -> str:
        return f"{self.origin}/callback"


@contextmanager
def serve(store: TokenStore) -> Generator[WebApp]:
    """Register the application at the emulator that is served, and serve it."""
    server = WebApp()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    try:
        registration = oauth.register(client_name="Acme", redirect_uri=server.redirect_uri)
        server.app = OAuthApp(
            client_id=registration.client_id, redirect_uri=server.redirect_uri, token_store=store
        )
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    finally:
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: WebApp  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/connect":
            self._connect()
        elif path == "/callback":
            self._finish()
        else:
            self._respond(404, "nothing")

    def _connect(self) -> None:
        assert self.server.app is not None
        request = self.server.app.authorization_request(NAME)
        browser = self._browser() or secrets.token_hex(8)
        self.server.states[browser] = request.state
        cookie = f"browser={browser}; Path=/; HttpOnly; SameSite=Lax"
        self._respond(303, "", Location=request.url, Set_Cookie=cookie)

    def _finish(self) -> None:
        assert self.server.app is not None
        state = self.server.states.get(self._browser(), "")
        try:
            login = self.server.app.exchange(NAME, self.path, state=state, replace=self.server.replaces)
        except ScripeError as error:
            outcome = type(error).__name__
        else:
            outcome = f"connected to {login.workspace_id}"
        self._respond(200, outcome)

    def _browser(self) -> str:
        morsel = SimpleCookie(self.headers.get("Cookie", "")).get("browser")
        return morsel.value if morsel else ""

    def _respond(self, status: int, text: str, **headers: str) -> None:
        body = f"<!doctype html><title>Acme</title><h1>{text}</h1>".encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
        """Log nothing."""


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
