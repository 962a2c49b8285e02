"""Sign in on one's own machine: a browser comes back to a port of it, or a person pastes the address it ended at."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, Queue
from urllib.parse import urlsplit

from .._concurrency import real_seconds
from .._core import config
from .._core.config import Secret
from .._core.oauth.authorization import resolve_scopes
from .._core.oauth.callback import parse_callback
from .._core.oauth.registration import Registration, decode_registration, encode_registration
from .._core.oauth.token_store import TokenStore, make_record, record_name
from .._oauth_refresh import AuthorizationServer, Credentials, Login, LoginSource
from ..errors import (
    CallbackError,
    ConfigurationError,
    InvalidArgumentError,
    LoginTimeoutError,
    RegistrationError,
    TokenStoreError,
)
from ._loopback import LoopbackServer
from .app import OAuthApp, Revocation, allowed_origins, register_with, resolve_issuer
from .stores.file import FileTokenStore

DEFAULT_PROFILE = "default"
CLIENT_NAME = "scripe for Python"

AskForAddress = Callable[[str], "str | None"]
"""A function that shows a text to a person and returns the address that they paste; None if they give up."""


def login(
    profile: str = DEFAULT_PROFILE,
    *,
    scopes: Sequence[str] | None = None,
    port: int = 0,
    open_browser: bool | None = None,
    timeout: float = 300.0,
    ask_for_address: AskForAddress | None = None,
    replace: bool = False,
    issuer: str | None = None,
    token_store: TokenStore | None = None,
) -> Login:
    """Sign in with the browser, and store the login on this machine. https://apidocs.scripe.io/api/v1/oauth

    The address to open is written to stderr. The browser comes back to a port of this machine. Where that does not work,
    over SSH or in a container, `ask_for_address` lets a person paste the address at which the browser ended.

    Args:
        profile: A name for the login.
        scopes: What to ask for; None for all that the server lists but `webhooks:manage`.
        port: The port on 127.0.0.1, if it is forwarded; 0 for any free one.
        open_browser: Open a browser; None to do so where one can be seen.
        timeout: Seconds to wait for the person.
        ask_for_address: Called in a thread of its own with a text to show, again after an address that does not fit;
            returns what was pasted, or None to stop asking.
        replace: Store the login even if it belongs to another workspace than the one stored for this profile.
        issuer: The authorization server; None for the origin of `SCRIPE_BASE_URL`, else of the API.
        token_store: Where to keep the login; None for `FileTokenStore()`.

    Raises:
        LoginTimeoutError: nobody finished signing in.
        ConsentDeniedError: access was denied.
        CallbackError: another workspace than before was chosen; see `replace`.
        ConfigurationError: the port is in use.
        OAuthError: the authorization server refused.
        TokenStoreError: the login cannot be stored.
        APIConnectionError: the authorization server cannot be reached.

    """
    config.check_seconds(timeout, "timeout")
    config.check_type(port, int, "port", "a number from 0 to 65535")
    check_profile(profile)
    store = FileTokenStore() if token_store is None else token_store
    server = AuthorizationServer(resolve_issuer(issuer))
    scopes, _ = resolve_scopes(scopes, server.discover().scopes_supported)
    registration_name = record_name("registration", server.issuer, f"loopback {' '.join(sorted(scopes))}")
    known = _load_registration(store, registration_name)
    with _open_loopback(port, known) as loopback:
        registration = _register(server, store, registration_name, known, loopback.redirect_uri, scopes)
        app = _LoopbackApp(
            client_id=registration.client_id,
            client_secret=registration.client_secret,
            redirect_uri=registration.redirect_uri,
            token_store=store,
            scopes=scopes,
            issuer=issuer,
        )
        request = app.authorization_request(profile)
        loopback.start(request.state)
        try:
            callback_url = _wait_for_callback(
                loopback, request.url, request.state, timeout, open_browser, ask_for_address
            )
            loopback.close()
            found = app.exchange(profile, callback_url, state=request.state, replace=replace)
        except (LoginTimeoutError, RegistrationError):
            # The server may have forgotten the registration, and says so only to the browser.
            store.pop(registration_name)
            raise
    own = credentials(profile, issuer=issuer, token_store=store)
    return Login(found.scopes, found.expires_at, found.workspace_id, own)


def credentials(
    profile: str = DEFAULT_PROFILE, *, issuer: str | None = None, token_store: TokenStore | None = None
) -> Credentials:
    """Return the credentials of a login that `login` stored, for `Scripe(auth=…)`. Nothing is read or sent yet.

    Args:
        profile: The name of the login.
        issuer: The authorization server; None for the origin of `SCRIPE_BASE_URL`, else of the API.
        token_store: Where the login is kept; None for `FileTokenStore()`.

    """
    check_profile(profile)
    store = FileTokenStore() if token_store is None else token_store
    server = AuthorizationServer(resolve_issuer(issuer))
    origins = allowed_origins(server.issuer, is_explicit=issuer is not None)
    return _make_credentials(profile, server.issuer, store, origins)


def _make_credentials(profile: str, issuer: str, store: TokenStore, origins: frozenset[str]) -> Credentials:
    source = LoginSource(AuthorizationServer(issuer), store, profile)
    return Credentials(source, origins, (_make_credentials, (profile, issuer, store, origins)))


def logout(
    profile: str = DEFAULT_PROFILE, *, issuer: str | None = None, token_store: TokenStore | None = None
) -> Revocation:
    """Revoke a login that `login` stored, and forget it here even if that fails.

    Args:
        profile: The name of the login.
        issuer: The authorization server; None for the origin of `SCRIPE_BASE_URL`, else of the API.
        token_store: Where the login is kept; None for `FileTokenStore()`.

    Raises:
        TokenStoreError: the token store cannot be used.

    """
    check_profile(profile)
    store = FileTokenStore() if token_store is None else token_store
    with _LoopbackApp(
        client_id="unused: a login knows its own",
        redirect_uri="http://127.0.0.1/callback",
        token_store=store,
        issuer=resolve_issuer(issuer),
    ) as app:
        return app.revoke(profile)


def check_profile(profile: str) -> None:
    """Raise InvalidArgumentError for a profile that is not a name."""
    config.check_type(profile, str, "profile", "a str such as 'default'")
    if not profile.strip() or not profile.isprintable():
        raise InvalidArgumentError(f"profile {profile!r} is not a name. Give one such as 'default'.")


class _LoopbackApp(OAuthApp):
    """The application of this machine: it registers itself, so its logins keep what they need to refresh."""

    _is_of_this_machine = True


def _load_registration(store: TokenStore, name: str) -> Registration | None:
    try:
        record = store.load(name)
        return None if record is None else decode_registration(record.content)
    except TokenStoreError:
        return None  # what cannot be read is made again


def _open_loopback(port: int, known: Registration | None) -> LoopbackServer:
    """Listen on the port that was asked for, else on that of the last registration, else on any free one."""
    if port or known is None:
        return LoopbackServer(port)
    try:
        return LoopbackServer(urlsplit(known.redirect_uri).port or 0)
    except ConfigurationError:
        return LoopbackServer()  # another program uses that port now


def _register(
    server: AuthorizationServer,
    store: TokenStore,
    name: str,
    known: Registration | None,
    redirect_uri: str,
    scopes: Sequence[str],
) -> Registration:
    """Return the registration for a redirect URI; register if the last one was for another."""
    if known is not None and known.redirect_uri == redirect_uri:
        return known
    registration = register_with(server, CLIENT_NAME, redirect_uri, scopes)
    store.save(name, make_record(encode_registration(registration)))
    return registration


def _wait_for_callback(
    loopback: LoopbackServer,
    url: str,
    state: str,
    timeout: float,
    open_browser: bool | None,
    ask_for_address: AskForAddress | None,
) -> str:
    """Return the address that the browser came back to, or that a person pasted, whichever is first."""
    pasted: Queue[str] = Queue()
    sys.stderr.write(f"Open this address to sign in:\n\n  {url}\n\n")
    sys.stderr.flush()
    if ask_for_address is not None:
        threading.Thread(
            target=_ask, args=(ask_for_address, state, pasted), name="scripe-oauth-paste", daemon=True
        ).start()
    if has_display() if open_browser is None else open_browser:
        webbrowser.open(url)
    end = real_seconds() + timeout
    while real_seconds() < end:
        callback_url = loopback.wait(min(0.1, max(0.0, end - real_seconds())))
        if callback_url is not None:
            return callback_url
        try:
            return pasted.get_nowait()
        except Empty:
            continue
    raise LoginTimeoutError(
        f"Nobody finished signing in within {timeout:g} seconds. Sign in again; if the browser cannot reach this machine, "
        "paste the address at which it ended."
    )


def _ask(ask_for_address: AskForAddress, state: str, pasted: Queue[str]) -> None:
    """Ask until an address fits or the person gives up. What is pasted is checked like a callback."""
    text = "Or paste the address at which the browser ended, even if it shows an error: "
    while (address := ask_for_address(text)) is not None:
        try:
            parse_callback(Secret(address.strip()), state)
        except CallbackError:
            text = "That is not the address of this sign-in. Paste the whole address, from http to its end: "
        else:
            pasted.put(address.strip())
            return


def has_display() -> bool:
    """Return True if a browser that is opened here can be seen: not over SSH, in a container, or without a display."""
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return False
    if sys.platform != "linux":
        return True
    is_container = Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
    return not is_container and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
