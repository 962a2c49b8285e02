"""Sign in on one's own machine: a browser comes back to a port of it, or a person pastes the address it ended at."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import TypeAlias
from urllib.parse import urlsplit

from .._concurrency import real_seconds
from .._core import config
from .._core.config import Secret
from .._core.oauth.authorization import PENDING_SECONDS, AuthorizationRequest, resolve_scopes
from .._core.oauth.callback import parse_callback
from .._core.oauth.discovery import allowed_origins, check_issuer, short_origin
from .._core.oauth.registration import Registration, encode_registration, parse_registration_record
from .._core.oauth.token_store import TokenStore, record_name
from .._default_login import DEFAULT_PROFILE
from .._oauth_refresh import Credentials, Login, LoginSource
from .._oauth_server import AuthorizationServer
from ..errors import (
    CallbackError,
    ConfigurationError,
    InvalidArgumentError,
    LoginTimeoutError,
    RegistrationError,
    TokenStoreError,
)
from ._loopback import LoopbackServer
from ._registration import register_with
from .app import ConfirmReplacement, OAuthApp, Revocation
from .stores.file import FileTokenStore

CLIENT_NAME = "scripe for Python"
CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")
"""Files that Docker and Podman put into each container."""

AskForAddress: TypeAlias = Callable[[str], "str | None"]
"""A function that shows a text to a person and returns the address that they paste; None if they give up."""


def login(
    profile: str = DEFAULT_PROFILE,
    *,
    scopes: Sequence[str] | None = None,
    port: int = 0,
    open_browser: bool | None = None,
    timeout: float = 300.0,
    ask_for_address: AskForAddress | None = None,
    replace: bool | ConfirmReplacement = False,
    base_url: str | None = None,
    issuer: str | None = None,
    token_store: TokenStore | None = None,
) -> Login:
    """Sign in with the browser, and store the login on this machine. https://apidocs.scripe.io/api/v1/oauth

    The address to open is written to stderr. The browser comes back to a port of this machine. Where that does not
    work, over SSH or in a container, `ask_for_address` lets a person paste the address at which the browser ended.

    Args:
        profile: A name for the login.
        scopes: What to ask for; None for all that the server lists but `webhooks:manage`.
        port: The port on 127.0.0.1, if it is forwarded; 0 for any free one.
        open_browser: Open a browser; None to do so where one can be seen.
        timeout: Seconds to wait for the person, at most 600.
        ask_for_address: Called in a thread of its own with a text to show, again after an address that does not fit;
            returns what was pasted, or None to stop asking. Not `input`: it still waits after the browser came back,
            and Python aborts if it exits while a thread waits in it.
        replace: Store the login even if it belongs to another workspace than the one stored for this profile; or a
            function that is asked then, with the ids of the old and the new workspace.
        base_url: The API; None for `SCRIPE_BASE_URL`, else the default.
        issuer: The authorization server; None for the origin of the API.
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
    _check_timeout(timeout)
    config.check_type(port, int, "port", "a number from 0 to 65535")
    check_profile(profile)
    store = FileTokenStore() if token_store is None else token_store
    place = _Place.find(base_url, issuer)
    server = AuthorizationServer(place.issuer)
    scopes, _ = resolve_scopes(scopes, server.discover().scopes_supported)
    registration_name = record_name("registration", server.issuer, f"loopback {' '.join(sorted(scopes))}")
    known = _load_registration(store, registration_name)
    with _open_loopback(port, known) as loopback:
        registration = _register(server, store, registration_name, known, loopback.redirect_uri, scopes)
        app = _LoopbackApp(place, store, registration, scopes, registration_name=registration_name)
        request = app.authorization_request(profile)
        loopback.start(request.state)
        try:
            callback_url = Secret(
                _wait_for_callback(
                    loopback, request.url, request.state, timeout, ask_for_address, open_browser=open_browser
                )
            )
            loopback.close()
            stored = app.exchange(profile, callback_url.reveal(), state=request.state, replace=replace)
        except (LoginTimeoutError, RegistrationError):
            # The server may have forgotten the registration, and says so only to the browser.
            _forget(store, registration_name)
            raise
        finally:
            _forget(store, app.pending_name(request))
    own = credentials(profile, base_url=base_url, issuer=issuer, token_store=store)
    return Login(stored.scopes, stored.expires_at, stored.workspace_id, own)


def credentials(
    profile: str = DEFAULT_PROFILE,
    *,
    base_url: str | None = None,
    issuer: str | None = None,
    token_store: TokenStore | None = None,
) -> Credentials:
    """Return the credentials of a login that `login` stored, for `Scripe(auth=…)`. Nothing is read or sent yet.

    Args:
        profile: The name of the login.
        base_url: The API; None for `SCRIPE_BASE_URL`, else the default.
        issuer: The authorization server; None for the origin of the API.
        token_store: Where the login is kept; None for `FileTokenStore()`.

    """
    check_profile(profile)
    store = FileTokenStore() if token_store is None else token_store
    place = _Place.find(base_url, issuer)
    return _make_credentials(profile, place.issuer, store, place.origins)


def _make_credentials(profile: str, issuer: str, store: TokenStore, origins: frozenset[str]) -> Credentials:
    source = LoginSource(AuthorizationServer(issuer), store, profile)
    return Credentials(source, origins, (_make_credentials, (profile, source.server.issuer, store, origins)))


def logout(
    profile: str = DEFAULT_PROFILE,
    *,
    base_url: str | None = None,
    issuer: str | None = None,
    token_store: TokenStore | None = None,
) -> Revocation:
    """Revoke a login that `login` stored, and forget it here even if that fails.

    Args:
        profile: The name of the login.
        base_url: The API; None for `SCRIPE_BASE_URL`, else the default.
        issuer: The authorization server; None for the origin of the API.
        token_store: Where the login is kept; None for `FileTokenStore()`.

    Raises:
        TokenStoreError: the token store cannot be used.

    """
    check_profile(profile)
    store = FileTokenStore() if token_store is None else token_store
    unknown = Registration("unknown: a login keeps its own", None, "http://127.0.0.1/callback", ())
    with _LoopbackApp(_Place.find(base_url, issuer), store, unknown) as app:
        return app.revoke(profile)


def check_profile(profile: str) -> None:
    """Raise InvalidArgumentError for a profile that is not a name."""
    config.check_type(profile, str, "profile", "a str such as 'default'")
    if not profile.strip() or not profile.isprintable():
        raise InvalidArgumentError(f"profile {profile!r} is not a name. Give one such as 'default'.")


def _check_timeout(timeout: float) -> None:
    config.check_type(timeout, (int, float), "timeout", "a number of seconds")
    if not 0 < timeout <= PENDING_SECONDS:
        raise InvalidArgumentError(
            f"timeout is {timeout!r}. Give seconds above 0 and up to {PENDING_SECONDS:.0f}: after that the "
            "authorization request is too old."
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """The API that a login is for, and its authorization server."""

    api_url: str
    issuer: str
    origins: frozenset[str]  # to which its tokens may be sent

    @classmethod
    def find(cls, base_url: str | None, issuer: str | None) -> _Place:
        """Return the place that the arguments name, else the configured one."""
        api_url = config.resolve_base_url(base_url)
        server = check_issuer(short_origin(api_url) if issuer is None else issuer)
        return cls(api_url, server, allowed_origins(server, api_url))


class _LoopbackApp(OAuthApp):
    """The application of this machine: it registers itself, so its logins keep what they need to refresh."""

    def __init__(
        self,
        place: _Place,
        store: TokenStore,
        registration: Registration,
        scopes: Sequence[str] | None = None,
        *,
        registration_name: str | None = None,
    ) -> None:
        super().__init__(
            client_id=registration.client_id,
            client_secret=registration.client_secret,
            redirect_uri=registration.redirect_uri,
            token_store=store,
            scopes=scopes,
            issuer=place.issuer,
        )
        self._api_url, self._origins = place.api_url, place.origins
        self._registration_name = registration_name

    def pending_name(self, request: AuthorizationRequest) -> str:
        """Return the name under which an authorization request is kept until it is used."""
        return self._pending_name(request.state)


def _forget(store: TokenStore, name: str) -> None:
    with suppress(TokenStoreError):  # an error that is raised already says more
        store.pop(name)


def _load_registration(store: TokenStore, name: str) -> Registration | None:
    try:
        record = store.load(name)
        return None if record is None else parse_registration_record(record)
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
    store.save(name, encode_registration(registration))
    return registration


def _wait_for_callback(
    loopback: LoopbackServer,
    url: str,
    state: str,
    timeout: float,
    ask_for_address: AskForAddress | None,
    *,
    open_browser: bool | None,
) -> str:
    """Return the address that the browser came back to, or that a person pasted, whichever is first."""
    pasted: Queue[str] = Queue()
    _show(f"Open this address to sign in:\n\n  {url}\n\n")
    if has_display() if open_browser is None else open_browser:
        # In a thread, since some browsers return only when they are closed.
        _start_thread("scripe-oauth-browser", webbrowser.open, url)
    if ask_for_address is not None:
        _start_thread("scripe-oauth-paste", _ask, ask_for_address, state, pasted)
    end = real_seconds() + timeout
    while real_seconds() < end:
        callback_url = loopback.wait(min(0.1, max(0.0, end - real_seconds())))
        if callback_url is not None:
            return callback_url
        with suppress(Empty):
            return pasted.get_nowait()
    raise LoginTimeoutError(
        f"Nobody finished signing in within {timeout:g} seconds. Sign in again; if the browser cannot reach this "
        "machine, paste the address at which it ended."
    )


def _show(text: str) -> None:
    """Write to stderr, unless it is closed."""
    with suppress(OSError, ValueError):
        if sys.stderr is not None:  # pyright: ignore[reportUnnecessaryComparison] - it was closed before the program began
            sys.stderr.write(text)
            sys.stderr.flush()


def _start_thread(name: str, target: Callable[..., object], *arguments: object) -> None:
    """Start a thread that no exit of the program waits for."""
    threading.Thread(target=target, args=arguments, name=name, daemon=True).start()


def _ask(ask_for_address: AskForAddress, state: str, pasted: Queue[str]) -> None:
    """Ask until an address fits or the person gives up. What is pasted is checked like a callback."""
    text = "Or paste the address at which the browser ended, even if it shows an error: "
    with suppress(EOFError):  # what reads lines raises it at the end
        while (address := ask_for_address(text)) is not None:
            if _is_callback(address.strip(), state):
                pasted.put(address.strip())
                return
            text = "That is not the address of this sign-in. Paste the whole address, from http to its end: "


def _is_callback(address: str, state: str) -> bool:
    """Return True for the address of a callback; the one to open has the same state, but neither code nor error."""
    try:
        callback = parse_callback(Secret(address), state)
    except CallbackError:
        return False
    return callback.code is not None or callback.error is not None


def has_display() -> bool:
    """Return True if a browser that is opened here can be seen: not over SSH, in a container, or without a display."""
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return False
    if sys.platform != "linux":
        return True
    is_container = any(Path(name).exists() for name in CONTAINER_FILES)
    return not is_container and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
