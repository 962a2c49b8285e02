"""A web service that acts for its tenants: each connects a workspace of Scripe, and the service calls the API for it.

    uvicorn examples.recipes.fastapi_tenants:app --workers 2

| Variable | Holds |
|---|---|
| `ACME_CLIENT_ID` | what `scripe.oauth.register` returned, once |
| `ACME_REDIRECT_URI` | `https://acme.example.com/callback`, as it was registered |
| `ACME_DATABASE` | `sqlite:///tenants.db`, or a URL of PostgreSQL |
| `ACME_KEY` | what `Fernet.generate_key()` returned, once |

All workers share one table, in which tokens are encrypted, and refresh a tenant's tokens once among them. Each browser
is a tenant of its own here; in your application, a tenant is the account of the user who has signed in to it.

The endpoints are plain functions, which FastAPI runs in threads, since `OAuthApp` blocks.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager
from html import escape

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import create_engine

from scripe import ConsentDeniedError, ConsentRequiredError, OAuthError, Scripe, ScripeError, TokenStoreError
from scripe.oauth import OAuthApp, SQLTokenStore, TokenRecord, TokenStore

SESSION_SECONDS = 30 * 24 * 3600
_log = logging.getLogger("acme")


class EncryptedTokenStore:
    """Encrypts what another token store keeps, together with its name: no row can be put in the place of another."""

    def __init__(self, store: TokenStore, fernet: Fernet | MultiFernet) -> None:
        self._store = store
        self._fernet = fernet

    def load(self, name: str) -> TokenRecord | None:
        return self._decrypt(name, self._store.load(name))

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        return self._store.save(name, self._encrypt(name, record), only_over)

    def pop(self, name: str) -> TokenRecord | None:
        return self._decrypt(name, self._store.pop(name))

    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
        return self._store.lock(name, timeout)

    def _encrypt(self, name: str, record: TokenRecord) -> TokenRecord:
        return TokenRecord(
            record.revision, self._fernet.encrypt(f"{name}\n{record.content}".encode()).decode()
        )

    def _decrypt(self, name: str, record: TokenRecord | None) -> TokenRecord | None:
        if record is None:
            return None
        try:
            own_name, _, content = self._fernet.decrypt(record.content).decode().partition("\n")
        except InvalidToken:
            own_name = content = ""
        if own_name != name:
            raise TokenStoreError(
                f"The record {name!r} cannot be decrypted. Check the key, or let the user connect again."
            )
        return TokenRecord(record.revision, content)


class Sessions:
    """Keeps what belongs to a browser in a cookie that only this service can read and write."""

    def __init__(self, fernet: Fernet | MultiFernet, *, is_secure: bool) -> None:
        self._fernet = fernet
        self._is_secure = is_secure

    def load(self, request: Request) -> dict[str, str]:
        """Return the session of a browser; a new one if it has none."""
        try:
            cookie = self._fernet.decrypt(request.cookies.get("session", ""), ttl=SESSION_SECONDS)
            session: dict[str, str] = json.loads(cookie)
        except (InvalidToken, ValueError):
            session = {"tenant": secrets.token_hex(8)}
        return session

    def save(self, session: dict[str, str], response: Response) -> Response:
        """Give the session to the browser, with a response that is returned."""
        cookie = self._fernet.encrypt(json.dumps(session).encode()).decode()
        # Lax: the cookie comes with the callback, and with no form of another site.
        response.set_cookie(
            "session",
            cookie,
            max_age=SESSION_SECONDS,
            httponly=True,
            secure=self._is_secure,
            samesite="lax",
        )
        return response


def render(status: int, text: str, button: str, path: str) -> HTMLResponse:
    """Return a page with one button."""
    method = "get" if path == "/" else "post"
    html = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Acme</title>
<h1>Acme</h1><p>{text}</p><form method="{method}" action="{path}"><button>{button}</button></form></html>"""
    return HTMLResponse(html, status, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def render_error(error: ScripeError) -> HTMLResponse:
    """Return the page for a user; what only helps a developer goes to the log."""
    if isinstance(error, ConsentRequiredError) and error.reason == "missing":
        return render(403, "Connect your workspace of Scripe to begin.", "Connect", "/connect")
    if isinstance(error, ConsentRequiredError):
        return render(403, "The connection to Scripe has ended.", "Connect again", "/connect")
    if isinstance(error, ConsentDeniedError):
        return render(403, "You did not allow access to Scripe.", "Connect", "/connect")
    _log.warning("%s: %s", type(error).__name__, error)
    if isinstance(error, OAuthError) and not error.retryable:
        text = "The connection to Scripe was not made. To choose another workspace, disconnect first."
        return render(400, text, "Connect again", "/connect")
    return render(502, "Scripe does not respond as it should. Try again in some minutes.", "Back", "/")


def create_app(oauth_app: OAuthApp, sessions: Sessions) -> FastAPI:
    client = Scripe(auth=oauth_app.credentials("nobody"))  # its copies share its connections

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        with oauth_app, client:
            yield

    service = FastAPI(lifespan=lifespan)

    @service.exception_handler(ScripeError)
    def show_error(_: Request, error: ScripeError) -> HTMLResponse:
        return render_error(error)

    @service.get("/")
    def show_projects(request: Request) -> Response:
        session = sessions.load(request)
        tenant = client.with_options(auth=oauth_app.credentials(session["tenant"]))
        workspace = tenant.workspaces.me().workspace
        projects = ", ".join(str(project.name) for project in tenant.projects.list())
        text = f"{escape(str(workspace.name))} has these projects: {escape(projects)}."
        return render(200, text, "Disconnect", "/disconnect")

    @service.post("/connect")
    def connect(request: Request) -> Response:
        session = sessions.load(request)
        asked = oauth_app.authorization_request(session["tenant"])
        return sessions.save({**session, "state": asked.state}, RedirectResponse(asked.url, 303))

    @service.get("/callback")
    def finish(request: Request) -> Response:
        session = sessions.load(request)
        oauth_app.exchange(session["tenant"], str(request.url), state=session.pop("state", ""))
        return sessions.save(session, RedirectResponse("/", 303))

    @service.post("/disconnect")
    def disconnect(request: Request) -> Response:
        oauth_app.revoke(sessions.load(request)["tenant"])
        return RedirectResponse("/", 303)

    return service


def create_app_from_environment() -> FastAPI:
    redirect_uri, fernet = os.environ["ACME_REDIRECT_URI"], Fernet(os.environ["ACME_KEY"])
    oauth_app = OAuthApp(
        client_id=os.environ["ACME_CLIENT_ID"],
        redirect_uri=redirect_uri,
        token_store=EncryptedTokenStore(SQLTokenStore(create_engine(os.environ["ACME_DATABASE"])), fernet),
    )
    return create_app(oauth_app, Sessions(fernet, is_secure=redirect_uri.startswith("https:")))


def __getattr__(name: str) -> FastAPI:
    """Make `app` when uvicorn asks for it: importing this file needs no environment."""
    if name == "app":
        return create_app_from_environment()
    raise AttributeError(name)
