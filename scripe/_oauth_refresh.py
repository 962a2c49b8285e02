"""Refresh a login exactly once, however many threads, tasks and processes share it.

A refresh token works once: the second one who sends it is taken for a thief, and the server ends the login. So what
happens between the lock and the save is one plain function in one thread that is not a daemon, for both clients. The
caller waits for it, and may leave at any moment, cancelled or timed out: the thread goes on and saves what the server
has sent. No shield of an event loop does that: asyncio's and trio's both give way when their loop ends.

The order of the steps, each of which a failure showed to be needed:

1. a token in memory that lives long enough is returned, without a lock or any I/O;
2. one thread for each login and process;
3. the store is read: another process may have refreshed;
4. the store's lock is taken, and
5. the store is read again: another process may have refreshed while this one waited;
6. the intent is saved, so that a full disk is found before the token is spent;
7. the refresh token is sent, again at once if no response came: nothing else is left to send;
8. the new tokens are saved, and only then handed out.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ._concurrency import on_trio, real_seconds
from ._core.config import Secret
from ._core.oauth.discovery import origin_of
from ._core.oauth.login import StoredLogin, parse_login
from ._core.oauth.refresh import (
    LOCK_SECONDS,
    PAUSE_AFTER_FAILURE,
    PAUSE_AFTER_REJECTION,
    REFRESH_SECONDS,
    RefreshAttempts,
)
from ._core.oauth.response import error_of, response_error
from ._core.oauth.token_store import TokenStore, record_name
from ._core.oauth.tokens import ClientIdentity, parse_tokens, refresh_form
from ._core.outcome import Outcome, RawResponse, TransportFailure
from ._oauth_server import AuthorizationServer, connection_error
from .errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigurationError,
    ConsentReason,
    ConsentRequiredError,
    DiscoveryError,
    OAuthError,
    RegistrationError,
    ScripeError,
    TokenStoreError,
    TokenStoreWarning,
)

if TYPE_CHECKING:
    import asyncio

_log = logging.getLogger("scripe.oauth")


class LoginSource:
    """One login of a token store, with the tokens in memory and the refresh that may be running."""

    def __init__(
        self,
        server: AuthorizationServer,
        store: TokenStore,
        name: str,
        client: ClientIdentity | None = None,
    ) -> None:
        self.server = server
        self.store = store
        self.name = name
        self._client = client
        self.record_name: str = record_name("login", server.issuer, name)
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._login: StoredLogin | None = None
        self._unsaved: tuple[StoredLogin, str] | None = None  # and the revision that it may replace
        self._running: Future[str] | None = None
        self._pause_until = 0.0
        self._refreshed: str | None = None  # the access token of this process's last refresh
        self._rejected: tuple[str, float] | None = None

    @property
    def login(self) -> StoredLogin | None:
        """The login in memory, if it was read."""
        return self._login

    def token_in_memory(self, rejected: Secret[str | None]) -> str | None:
        """Return the access token in memory if it can be sent without asking anybody; else None."""
        login = self._login if self._pid == os.getpid() else None
        if login is None or self._unsaved is not None or login.access_token == rejected.reveal():
            return None
        now = self.server.now()
        is_usable = login.is_fresh(now) or (real_seconds() < self._pause_until and login.is_alive(now))
        return login.access_token if is_usable else None

    def start(self, rejected: Secret[str | None]) -> Future[str]:
        """Return the refresh that runs, or start one; its result is an access token."""
        if self._pid != os.getpid():
            self._reset()  # a forked process has neither the thread of its parent nor its connections
        with self._lock:
            if self._running is None:
                future: Future[str] = Future()
                future.set_running_or_notify_cancel()  # from now on no waiter can cancel it
                thread = threading.Thread(
                    target=self._work,
                    args=(future, rejected),
                    name="scripe-oauth-refresh",
                    daemon=False,
                )
                try:
                    thread.start()
                except RuntimeError:  # this process has begun to exit
                    raise _exiting() from None
                self._running = future
            return self._running

    def reject(self, token: str) -> None:
        """Note that the API rejected a token; if a refresh had just brought it, another one would not help.

        One that was taken over from another process may be old: the next call refreshes it.
        """
        if token == self._refreshed:
            self._rejected = token, real_seconds() + PAUSE_AFTER_REJECTION

    def adopt(self, login: StoredLogin | None) -> None:
        """Use a login that was just saved, or none after it was removed."""
        self._login, self._unsaved, self._pause_until, self._rejected = login, None, 0.0, None

    def _is_paused(self, token: str) -> bool:
        return (
            self._rejected is not None and self._rejected[0] == token and real_seconds() < self._rejected[1]
        )

    def _work(self, future: Future[str], rejected: Secret[str | None]) -> None:
        token, failure = None, None
        try:
            token = Secret(self._renew(rejected))
        except BaseException as error:  # noqa: BLE001 - raised again for whoever waits
            failure = error
        with self._lock:
            self._running = None
        if token is not None:
            future.set_result(token.reveal())
        else:
            future.set_exception(failure)

    def _renew(self, rejected: Secret[str | None]) -> str:
        """Return a token of the store, or refresh; while the old one lives, no failure of that fails a call."""
        try:
            return self._load_or_refresh(rejected)
        except ConsentRequiredError:
            raise
        except ScripeError as error:
            login = self._login
            if (
                login is None
                or not login.is_alive(self.server.now())
                or login.access_token == rejected.reveal()
            ):
                raise
            _log.info(
                "The login %r could not be refreshed; its token still lives, and is used. %s",
                self.name,
                error,
            )
            self._pause_until = real_seconds() + PAUSE_AFTER_FAILURE
            return login.access_token

    def _load_or_refresh(self, rejected: Secret[str | None]) -> str:
        self._save_unsaved()
        login, _ = self._load()
        if self._can_send(login, rejected):
            return login.access_token
        with hold_lock(self):
            end = real_seconds() + REFRESH_SECONDS
            for _ in range(3):
                login, revision = self._load()
                if self._can_send(login, rejected):
                    return login.access_token
                token = self._refresh(login, revision, end)
                if token is not None:
                    return token
        raise TokenStoreError(
            f"The login {self.name!r} was replaced three times while it was refreshed. Check which program signs in "
            "again and again.",
            retryable=True,
        )

    def _can_send(self, login: StoredLogin, rejected: Secret[str | None]) -> bool:
        """Return True if a refresh is not needed, or would not help."""
        if login.access_token == rejected.reveal():
            return self._is_paused(login.access_token)
        return login.is_fresh(self.server.now())

    def _load(self) -> tuple[StoredLogin, str]:
        """Return the login in the store and its revision, and keep it in memory.

        Raises:
            ConsentRequiredError: there is none, or it is over.

        """
        if self._unsaved is not None:
            return self._unsaved
        record = self.store.load(self.record_name)
        login = self._login = None if record is None else parse_login(record)
        if record is None or login is None:
            raise self._consent_required("missing")
        if login.ended is not None:
            raise self._consent_required(login.ended)
        return login, record.revision

    def _save_unsaved(self) -> None:
        """Try to save tokens whose save failed before; whatever was stored meanwhile wins."""
        if self._unsaved is None:
            return
        login, revision = self._unsaved
        try:
            self.store.save(self.record_name, login.to_record(), only_over=revision)
            self._unsaved = None
        except Exception as error:  # noqa: BLE001 - whatever a store raises
            self._warn_unsaved(error)

    def _warn_unsaved(self, error: Exception) -> None:
        warnings.warn(
            f"The new tokens of the login {self.name!r} could not be saved ({error}). They are kept in memory, and "
            "lost if this process ends before the store works again.",
            TokenStoreWarning,
            stacklevel=2,
        )

    def _refresh(self, login: StoredLogin, revision: str, end: float) -> str | None:
        """Send the refresh token, save what comes, and return the access token.

        Return None if another login was stored meanwhile: what is stored wins.
        """
        if login.refresh_token is None:
            return self._end(login, revision, "revoked" if login.is_alive(self.server.now()) else "expired")
        if not threading.main_thread().is_alive():
            raise _exiting()
        attempts, sent_at = RefreshAttempts(end, login.has_unfinished_refresh()), self.server.now()
        intent = login.begin_refresh(sent_at).to_record()
        if not self.store.save(self.record_name, intent, only_over=revision):
            return None
        try:
            outcome, login = self._send_until_response(login, attempts)
        except ScripeError:
            # It was not sent: the proxy or the certificates of the environment cannot be used.
            self._abandon(login, intent.revision, attempts)
            raise
        tokens = parse_tokens(outcome, login.scopes, sent_at) if isinstance(outcome, RawResponse) else None
        if tokens is not None:
            return self._save(login.with_tokens(tokens), intent.revision)
        if isinstance(outcome, RawResponse) and error_of(outcome)[0] == "invalid_grant":
            reason = login.reason_to_end(self.server.now(), response_lost=attempts.may_be_spent)
            return self._end(login, intent.revision, reason, outcome)
        self._abandon(login, intent.revision, attempts)
        failure = self._failure(outcome, login)
        if isinstance(failure, RegistrationError) and login.registration is not None:
            self.store.pop(login.registration)  # so that the next sign-in registers again
        raise failure

    def _abandon(self, login: StoredLogin, revision: str, attempts: RefreshAttempts) -> None:
        """Take the intent back, unless the refresh token may be spent."""
        if not attempts.may_be_spent:
            abandoned = login.abandon_refresh().to_record()
            self.store.save(self.record_name, abandoned, only_over=revision)

    def _send_until_response(
        self, login: StoredLogin, attempts: RefreshAttempts
    ) -> tuple[Outcome, StoredLogin]:
        """Send the refresh token; return the last outcome, and the login with the endpoints that were used."""
        while True:
            form = Secret(refresh_form(login.refresh_token or ""))
            client = self.client_of(login).authenticate(login.metadata)
            timeout = attempts.timeout(real_seconds())
            outcome = self.server.send_form(login.token_endpoint, form, client, timeout)
            next_step = attempts.record(outcome, real_seconds())
            if next_step == "stop" or not threading.main_thread().is_alive():
                return outcome, login
            if next_step == "discover":
                with suppress(DiscoveryError, APIConnectionError):
                    login = login.with_endpoints(self.server.discover(again=True, timeout=timeout))

    def client_of(self, login: StoredLogin) -> ClientIdentity:
        """Return the application that a login was made for; its secret may be known only here."""
        return self._client if self._client and self._client.client_id == login.client_id else login.client

    def _save(self, login: StoredLogin, only_over: str) -> str | None:
        """Save new tokens, and return the access token; None if another login was stored meanwhile."""
        self._login = login
        try:
            is_saved = self.store.save(self.record_name, login.to_record(), only_over=only_over)
        except Exception as error:  # noqa: BLE001 - whatever a store raises, the old token is spent
            self._unsaved = login, only_over
            self._warn_unsaved(error)
            return login.access_token
        if not is_saved:
            return None
        self._unsaved, self._pause_until, self._refreshed = None, 0.0, login.access_token
        _log.info("The login %r was refreshed.", self.name)
        return login.access_token

    def _end(
        self, login: StoredLogin, revision: str, reason: ConsentReason, outcome: RawResponse | None = None
    ) -> str | None:
        """Mark the login as over and raise; return None if the store has another login meanwhile."""
        ended = login.end(reason)
        if not self.store.save(self.record_name, ended.to_record(), only_over=revision):
            return None
        self._login = ended
        raise self._consent_required(reason, outcome)

    def _consent_required(
        self, reason: ConsentReason, outcome: RawResponse | None = None
    ) -> ConsentRequiredError:
        code, description = (
            (None, None) if outcome is None else error_of(outcome, self._secrets_of(self._login))
        )
        return ConsentRequiredError(
            f"{_REASONS[reason].format(name=self.name)} Let the user allow access again.",
            reason=reason,
            name=self.name,
            error=code,
            description=description,
        )

    def _failure(self, outcome: Outcome, login: StoredLogin) -> ScripeError:
        if isinstance(outcome, TransportFailure):
            return connection_error(login.token_endpoint, outcome)
        action, client_id = f"the login {self.name!r} was refreshed", self.client_of(login).client_id
        return response_error(outcome, action, client_id, self._secrets_of(login))

    def _secrets_of(self, login: StoredLogin | None) -> tuple[str, ...]:
        """Return what a refresh sends, and the server's texts may echo."""
        secret = None if login is None else self.client_of(login).secret
        token = None if login is None else login.refresh_token
        return (token or "", "" if secret is None else secret.reveal())


_REASONS: Mapping[ConsentReason, str] = {
    "missing": "There is no login {name!r} in this token store.",
    "revoked": "The login {name!r} was revoked.",
    "expired": "The login {name!r} has expired.",
    "response_lost": "New tokens of the login {name!r} were lost on their way, and its refresh token works only once.",
}


def _exiting() -> OAuthError:
    return OAuthError("This process is exiting: no refresh of a login begins any more. Nothing was sent.")


@contextmanager
def hold_lock(source: LoginSource) -> Generator[None]:
    """Hold the lock of a login; raise TokenStoreError if another process keeps it too long."""
    with ExitStack() as stack:
        try:
            stack.enter_context(source.store.lock(source.record_name, LOCK_SECONDS))
        except TimeoutError:
            raise TokenStoreError(
                f"The login {source.name!r} was held by other processes for {LOCK_SECONDS:g} seconds. Check whether "
                "one of them hangs, then try again.",
                retryable=True,
            ) from None
        yield


@dataclass(frozen=True, slots=True)
class Login:
    """A login that a user has just allowed; pass it as `Scripe(auth=login)`.

    Attributes:
        scopes: What the user allowed; it may be less than was asked for.
        expires_at: When the access token ends, in seconds since 1970; None if the server did not say. It is refreshed
            by itself.
        workspace_id: The workspace that the user chose; None if the API did not say.
        credentials: The credentials, which can be made again at any time by the login's name.

    """

    scopes: tuple[str, ...]
    expires_at: float | None
    workspace_id: str | None
    credentials: Credentials


def load_login(credentials: Credentials) -> StoredLogin | None:
    """Return the login as it is stored, without a refresh; None if there is none.

    Raises:
        TokenStoreError: it cannot be read.

    """
    source = credentials._source  # pyright: ignore[reportPrivateUsage] - this module's own
    record = source.store.load(source.record_name)
    return None if record is None else parse_login(record)


Recipe: TypeAlias = "tuple[Callable[..., Credentials], tuple[object, ...]]"
"""How to make credentials in another process: a function and its arguments."""


class Credentials:
    """A login of a token store, for `Scripe(auth=…)` and `AsyncScripe(auth=…)`.

    They refresh themselves: once among all threads, tasks and processes that share the token store.
    """

    def __init__(self, source: LoginSource, origins: frozenset[str], recipe: Recipe | None) -> None:
        self._source = source
        self._origins = origins
        self._recipe = recipe

    @property
    def name(self) -> str:
        """The name of the login in its token store."""
        return self._source.name

    @property
    def issuer(self) -> str:
        """The authorization server that the login belongs to."""
        return self._source.server.issuer

    @property
    def workspace_id(self) -> str | None:
        """The workspace of the login; None if the login was not read yet, or its workspace could not be read."""
        login = self._source.login
        return None if login is None else login.workspace_id

    @property
    def rate_limit_key(self) -> str:
        """The workspace whose rate limit a call counts for, or the login itself until that is known."""
        return self.workspace_id or f"login {self._source.record_name}"

    def allows(self, base_url: str) -> bool:
        """Return True if the tokens may be sent to an API: never those of one server to another."""
        return origin_of(base_url) in self._origins

    def access_token(self, rejected: str | None = None, timeout: float | None = None) -> str:
        """Return an access token, refreshed if need be.

        Args:
            rejected: A token that the API has rejected.
            timeout: Seconds to wait for a refresh, which goes on without its caller; None for as long as it takes.

        Raises:
            ConsentRequiredError: the login is over, or there is none.
            OAuthError: the authorization server refused for another reason.
            APIConnectionError: the authorization server cannot be reached, and the token is over.
            APITimeoutError: `timeout` passed.

        """
        hidden = Secret(rejected)
        del rejected  # a traceback that prints the locals of this frame must not show it
        token = self._source.token_in_memory(hidden) or _result(self._source.start(hidden), timeout)
        if token == hidden.reveal():
            # It joined another caller's refresh, which did not know that this token was rejected.
            token = _result(self._source.start(hidden), timeout)
        return token

    async def async_access_token(self, rejected: str | None = None, timeout: float | None = None) -> str:  # noqa: ARG002
        """Return an access token, as `access_token` does, without blocking the event loop; a caller interrupts it."""
        hidden = Secret(rejected)
        del rejected
        token = self._source.token_in_memory(hidden) or await _async_result(self._source.start(hidden))
        if token == hidden.reveal():
            token = await _async_result(self._source.start(hidden))
        return token

    def reject(self, token: str) -> None:
        """Note that the API rejected a token right after its refresh, so that no storm of refreshes follows."""
        self._source.reject(token)

    def __reduce__(self) -> Recipe:
        if self._recipe is None:
            raise ConfigurationError(
                "Credentials with a client_secret cannot be pickled, since the pickle would hold it. Give the app "
                "client_secret_variable instead, or make the credentials in the process that uses them."
            )
        return self._recipe

    def __repr__(self) -> str:
        return f"Credentials(name={self.name!r}, issuer={self.issuer!r})"


def _result(future: Future[str], timeout: float | None) -> str:
    try:
        return future.result(timeout)
    except ScripeError as error:
        raise copy(error) from error  # each waiter gets its own: a call adds its idempotency key to it
    except TimeoutError:
        if future.done():
            raise
    raise APITimeoutError(
        "The total timeout passed while the login was being refreshed; the refresh goes on. Call again, or allow more "
        "time with total_timeout.",
        is_total=True,
        retryable=True,
    )


async def _async_result(future: Future[str]) -> str:
    """Wait for a refresh, and return its token; a cancellation ends the wait, not the refresh."""
    if on_trio():
        import trio

        event, token = trio.Event(), trio.lowlevel.current_trio_token()

        def wake_task(_: Future[str]) -> None:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(event.set)

        future.add_done_callback(wake_task)
        await event.wait()
    else:
        import asyncio

        waiter: asyncio.Future[str] = asyncio.wrap_future(future)
        await asyncio.wait([waiter])
        waiter.exception()  # or asyncio would log that nobody looked at it
    return _result(future, None)
