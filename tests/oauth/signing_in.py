"""Sign users in at an emulator, as a web application and a browser would."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from scripe import oauth
from scripe.emulator import Emulator
from scripe.oauth import Login, OAuthApp, TokenStore

CALLBACK = "https://acme.example/callback"
NAME = "tenant-42"


def make_app(store: TokenStore, **options: Any) -> OAuthApp:
    """Register an application, and return it."""
    with_secret = bool(options.pop("with_secret", False))
    registration = oauth.register(client_name="Acme", redirect_uri=CALLBACK, with_secret=with_secret)
    return OAuthApp(
        client_id=registration.client_id,
        client_secret=registration.client_secret,
        redirect_uri=CALLBACK,
        token_store=store,
        **options,
    )


def sign_in(emulator: Emulator, app: OAuthApp, name: str = NAME, **consent: Any) -> Login:
    """Let the user allow access, and exchange the code."""
    request = app.authorization_request(name)
    return app.exchange(name, emulator.oauth.consent(request.url, **consent), state=request.state)


@contextmanager
def at(app: OAuthApp, seconds: float) -> Generator[None]:
    """Let an application see a later time of day."""
    server = app._server  # pyright: ignore[reportPrivateUsage]
    server.now = lambda: time.time() + seconds
    try:
        yield
    finally:
        server.now = time.time
