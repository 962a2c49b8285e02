"""An application that acts for its users: send the browser to sign in, exchange the code, keep the login, revoke it.

Everything here is plain synchronous code, since it runs a few times a month for each user. In a coroutine, run it in a
thread: `await asyncio.to_thread(app.exchange, …)`.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias
from weakref import WeakValueDictionary

from .._core import config
from .._core.config import Secret
from .._core.oauth import registration as registrations
from .._core.oauth.authorization import (
    PENDING_SECONDS,
    AuthorizationRequest,
    PendingLogin,
    authorization_url,
    digest_of_state,
    parse_pending,
    random_token,
    resolve_scopes,
)
from .._core.oauth.callback import START_AGAIN, check_pending, code_of, parse_callback
from .._core.oauth.discovery import ServerMetadata, allowed_origins, origin_of, resolve_issuer, short_origin
from .._core.oauth.login import StoredLogin, parse_login
from .._core.oauth.response import describe_error, error_of, response_error
from .._core.oauth.token_store import TokenRecord, TokenStore, record_name
from .._core.oauth.tokens import ClientIdentity, Tokens, exchange_form, parse_tokens, revocation_form
from .._core.outcome import RawResponse, TransportFailure
from .._oauth_refresh import Credentials, Login, LoginSource, Recipe, hold_lock
from .._oauth_server import AuthorizationServer
from .._sync.client import Scripe
from ..errors import (
    CallbackError,
    ConfigurationError,
    ExchangeLostError,
    InvalidArgumentError,
    ScripeError,
    TokenStoreError,
)

ConfirmReplacement: TypeAlias = Callable[[str, str], bool]
"""A function that is asked whether a login may replace one of another workspace: the id of the old, of the new one."""

RECENT_LOGINS = 1000
"""Logins that an app keeps in memory although no client uses them: a web service makes a client for each request."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """The result of revoking a login. It is forgotten here in any case.

    Attributes:
        revoked: True if the authorization server confirmed it; False if it offers no revocation, refused it or could
            not be reached, so that its tokens work until they end.

    """

    revoked: bool


class OAuthApp:
    """An application that acts for users of Scripe. https://apidocs.scripe.io/api/v1/oauth

    Make one for the process, and use it from any thread. It is a context manager, but keeps nothing open.

    Args:
        client_id: The id of the registered application. Register once (`scripe.oauth.register`), not in each worker.
        redirect_uri: Where the browser comes back to, exactly as registered.
        token_store: Where logins are kept: `SQLTokenStore` for a service, `FileTokenStore` for one machine.
        client_secret: The application's secret; None for a public client.
        client_secret_variable: The name of the environment variable that holds the secret. Only then can credentials
            travel to another process in a pickle, since no pickle holds a secret.
        scopes: What to ask users for; None for all that the server lists but `webhooks:manage`. `offline_access`, which
            brings the refresh token, is added.
        issuer: The authorization server; None for the origin of `SCRIPE_BASE_URL`, else of the API.
        timeout: Seconds for each request to the authorization server.

    Raises:
        ConfigurationError: an argument is invalid.

    """

    _registration_name: str | None = None  # the record of an application that registers itself

    def __init__(
        self,
        *,
        client_id: str,
        redirect_uri: str,
        token_store: TokenStore,
        client_secret: str | None = None,
        client_secret_variable: str | None = None,
        scopes: Sequence[str] | None = None,
        issuer: str | None = None,
        timeout: float = 20.0,
    ) -> None:
        secret = _resolve_secret(Secret(client_secret), client_secret_variable)
        del client_secret
        config.check_type(
            client_id, str, "client_id", "the id of a registered application", ConfigurationError
        )
        if not client_id:
            raise ConfigurationError(
                "There is no client_id. Register the application once with scripe.oauth.register, and keep the id."
            )
        wanted = "a SQLTokenStore, a FileTokenStore, or an object with load, save, pop and lock"
        config.check_type(token_store, TokenStore, "token_store", wanted, ConfigurationError)
        config.check_seconds(timeout, "timeout", ConfigurationError)
        self._client = ClientIdentity(client_id, secret)
        self._secret_variable = client_secret_variable
        self._redirect_uri = registrations.check_redirect_uri(redirect_uri)
        self._store = token_store
        if scopes is not None:
            resolve_scopes(scopes, None)  # a wrong one fails here, not when the first user signs in
        self._scopes = None if scopes is None else tuple(scopes)
        self._server = AuthorizationServer(resolve_issuer(issuer), timeout)
        self._api_url = config.resolve_base_url(None)
        self._origins = allowed_origins(self._server.issuer, self._api_url)
        self._sources: WeakValueDictionary[str, LoginSource] = WeakValueDictionary()
        self._recent: deque[LoginSource] = deque(maxlen=RECENT_LOGINS)
        self._begun: deque[tuple[str, float]] = deque()  # records of requests that began here, and when

    @property
    def client_id(self) -> str:
        """The id of the application."""
        return self._client.client_id

    @property
    def issuer(self) -> str:
        """The authorization server."""
        return self._server.issuer

    def authorization_request(
        self, name: str, *, prompt: str | None = None, resource: str | None = None
    ) -> AuthorizationRequest:
        """Return the URL to redirect the browser to, and the state to keep in the browser's own session.

        Args:
            name: Your name for the login, such as the id of your tenant.
            prompt: How the server asks, such as `consent`; None to leave it to the server.
            resource: The resource that the tokens are for (RFC 8707); None to leave it out.

        Raises:
            DiscoveryError: the authorization server's metadata cannot be read, or must not be trusted.
            APIConnectionError: no response from it.
            TokenStoreError: the token store cannot be used.

        """
        _check_name(name)
        metadata = self._server.discover()
        scopes, unknown = resolve_scopes(self._scopes, metadata.scopes_supported)
        if unknown:
            warnings.warn(
                f"{metadata.issuer} does not list the scopes {' '.join(unknown)}. They are asked for all the same.",
                UserWarning,
                stacklevel=2,
            )
        state = random_token()
        pending = PendingLogin(
            name=name,
            issuer=metadata.issuer,
            client_id=self.client_id,
            redirect_uri=self._redirect_uri,
            verifier=random_token(),
            created_at=self._server.now(),
            scopes=scopes,
        )
        self._forget_old_requests()
        self._begun.append((self._pending_name(state), pending.created_at))
        self._store.save(self._pending_name(state), pending.to_record())
        given = {"prompt": prompt, "resource": resource}
        extra = {field: value for field, value in given.items() if value is not None}
        return AuthorizationRequest(authorization_url(metadata, pending, state, extra), state)

    def exchange(
        self, name: str, callback_url: str, *, state: str, replace: bool | ConfirmReplacement = False
    ) -> Login:
        """Exchange the code of a callback for tokens, and store the login.

        Args:
            name: Your name for the login, as given to `authorization_request`.
            callback_url: The address at which the browser came back; only its query counts.
            state: The state from this browser's own session.
            replace: Store the login even if it belongs to another workspace than the one stored under this name; or a
                function that is asked then, with the ids of the old and the new workspace.

        Raises:
            CallbackError: the callback does not belong to this browser's request, was used before or is too old, or the
                user chose another workspace than before.
            ConsentDeniedError: the user denied access.
            ExchangeLostError: no response; send the browser to a new authorization request.
            OAuthError: the authorization server refused for another reason.
            TokenStoreError: the token store cannot be used.

        """
        callback_secret = Secret(callback_url)
        del callback_url  # a traceback that prints the locals of this frame must not show its code
        _check_name(name)
        callback = parse_callback(callback_secret, state)
        metadata = self._server.discover()
        record = self._store.pop(self._pending_name(state))
        pending = None if record is None else parse_pending(record)
        pending = check_pending(pending, name, self.client_id, self._server.now())
        tokens = self._exchange(metadata, pending, Secret(code_of(callback, metadata)))
        workspace_id = self._find_workspace(tokens)
        return self._store_login(name, self._make_login(metadata, tokens, workspace_id), replace=replace)

    def credentials(self, name: str) -> Credentials:
        """Return the credentials of a stored login, for `Scripe(auth=…)`. They cost nothing to make."""
        return Credentials(self._source(name), self._origins, self._recipe(name))

    def revoke(self, name: str) -> Revocation:
        """Revoke a login at the authorization server, and forget it here even if that fails.

        Another process may use an access token that it has in memory until that token ends.

        Raises:
            TokenStoreError: the token store cannot be used.

        """
        source = self._source(name)
        with hold_lock(source):
            record = self._store.load(source.record_name)
            try:
                is_revoked = record is not None and self._send_revocation(name, parse_login(record))
            except ScripeError:
                is_revoked = False
            self._store.pop(source.record_name)
            source.adopt(None)
        return Revocation(is_revoked)

    def close(self) -> None:
        """Forget the tokens in memory. The logins stay in the token store."""
        self._recent.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"OAuthApp(client_id={self.client_id!r}, issuer={self.issuer!r})"

    def _recipe(self, name: str) -> Recipe | None:
        """Return how to make credentials again in another process; None if a pickle would hold the client's secret."""
        if self._client.secret is not None and self._secret_variable is None:
            return None
        arguments = {
            "client_id": self.client_id,
            "redirect_uri": self._redirect_uri,
            "token_store": self._store,
            "client_secret_variable": self._secret_variable,
            "issuer": self.issuer,
            "timeout": self._server.timeout,
        }
        return OAuthApp._make_credentials, (arguments, self._origins, name)

    @classmethod
    def _make_credentials(cls, arguments: dict[str, Any], origins: frozenset[str], name: str) -> Credentials:
        """Make credentials in the process where they are loaded from a pickle."""
        app = cls(**arguments)
        app._origins = origins
        return app.credentials(name)

    def _source(self, name: str) -> LoginSource:
        _check_name(name)
        source = self._sources.get(name)
        if source is None:
            new = LoginSource(self._server, self._store, name, self._client)
            source = self._sources.setdefault(name, new)  # another thread may have been faster
            self._recent.append(source)
        return source

    def _forget_old_requests(self) -> None:
        """Remove the requests of browsers that never came back, or the store would keep them without end."""
        while self._begun and self._begun[0][1] < self._server.now() - PENDING_SECONDS:
            self._store.pop(self._begun.popleft()[0])

    def _pending_name(self, state: str) -> str:
        return record_name("pending", self.issuer, digest_of_state(state))

    def _exchange(self, metadata: ServerMetadata, pending: PendingLogin, code: Secret[str]) -> Tokens:
        """Send a code once: whether or not a response comes, it does not work a second time."""
        form = Secret(exchange_form(code.reveal(), pending.redirect_uri, pending.verifier))
        sent_at = self._server.now()
        outcome = self._server.send_form(metadata.token_endpoint, form, self._client.authenticate(metadata))
        if isinstance(outcome, TransportFailure) or outcome.status >= 500:
            problem = outcome.message if isinstance(outcome, TransportFailure) else f"status {outcome.status}"
            raise ExchangeLostError(
                f"The authorization server did not exchange the code ({problem}), and a code works once. {START_AGAIN}"
            )
        tokens = parse_tokens(outcome, pending.scopes, sent_at)
        if tokens is None:
            raise self._exchange_error(outcome, pending, code)
        return tokens

    def _exchange_error(self, outcome: RawResponse, pending: PendingLogin, code: Secret[str]) -> ScripeError:
        secret = self._client.secret.reveal() if self._client.secret else ""
        sent = (code.reveal(), pending.verifier, secret)
        error, description = error_of(outcome, sent)
        if error == "invalid_grant":
            return CallbackError(
                f"The authorization server does not take the code: {describe_error(outcome, sent)}. It was used "
                f"before, is too old, or was made for another request. {START_AGAIN}",
                error=error,
                description=description,
            )
        return response_error(outcome, "the code was exchanged", self.client_id, sent)

    def _make_login(self, metadata: ServerMetadata, tokens: Tokens, workspace_id: str | None) -> StoredLogin:
        login = StoredLogin.create(metadata, self.client_id, tokens, workspace_id)
        if self._registration_name is None:
            return login
        # Nobody will give these again to those who use the login later.
        secret = None if self._client.secret is None else self._client.secret.reveal()
        return replace(login, client_secret=secret, registration=self._registration_name)

    def _find_workspace(self, tokens: Tokens) -> str | None:
        """Return the workspace that the user chose; None if the API does not say."""
        seconds = self._server.timeout
        try:
            with Scripe(
                tokens.access_token,
                base_url=self._base_url(),
                timeout=seconds,
                total_timeout=seconds,
                max_retries=0,
                rate_limiter=None,
            ) as client:
                return client.with_options(workspace_id=None).workspaces.me().workspace.id
        except ScripeError:
            return None

    def _base_url(self) -> str:
        """Return the API that the tokens are for: the configured one if they may be sent there."""
        is_allowed = origin_of(self._api_url) in self._origins
        return self._api_url if is_allowed else f"{short_origin(self.issuer)}/v1"

    def _store_login(self, name: str, login: StoredLogin, *, replace: bool | ConfirmReplacement) -> Login:
        source = self._source(name)
        while (workspace_id := self._save_login(source, login, replace=replace is True)) is not None:
            # No lock is held while somebody is asked.
            if not (callable(replace) and replace(workspace_id, login.workspace_id or "")):
                self._send_revocation(name, login)
                raise CallbackError(
                    f"The user chose the workspace {login.workspace_id}, but the login {name!r} belongs to "
                    f"{workspace_id}. Nothing was stored. Ask the user, and pass replace=True to change it."
                )
            replace = True
        return Login(login.scopes, login.expires_at, login.workspace_id, self.credentials(name))

    def _save_login(self, source: LoginSource, login: StoredLogin, *, replace: bool) -> str | None:
        """Save a login; if the stored one belongs to another workspace, save nothing and return the id of that."""
        with hold_lock(source):
            record = self._store.load(source.record_name)
            stored = _parse_or_none(record) if record else None
            workspace_id = stored.workspace_id if stored else None
            if not replace and workspace_id and login.workspace_id not in (None, workspace_id):
                return workspace_id
            self._store.save(source.record_name, login.to_record())
            source.adopt(login)
            return None

    def _send_revocation(self, name: str, login: StoredLogin) -> bool:
        """Revoke the grant of a login; return True if the server confirmed it."""
        token, hint = (
            (login.access_token, "access_token")
            if login.refresh_token is None
            else (login.refresh_token, "refresh_token")
        )
        if login.revocation_endpoint is None:
            return False
        client = self._source(name).client_of(login)
        form = Secret(revocation_form(token, hint))
        outcome = self._server.send_form(login.revocation_endpoint, form, client.authenticate(login.metadata))
        return isinstance(outcome, RawResponse) and outcome.is_success


def _parse_or_none(record: TokenRecord) -> StoredLogin | None:
    try:
        return parse_login(record)
    except TokenStoreError:
        return None  # what cannot be read is replaced


def _check_name(name: str) -> None:
    config.check_type(name, str, "the name of the login", "a str, such as a tenant's id")
    if not name:
        raise InvalidArgumentError(
            "The name of the login is empty. Give one of your own, such as a tenant's id."
        )


def _resolve_secret(client_secret: Secret[str | None], variable: str | None) -> Secret[str] | None:
    if client_secret.reveal() is not None and variable is not None:
        raise ConfigurationError("There is a client_secret and a client_secret_variable. Pass one of them.")
    secret = Secret(os.environ.get(variable)) if variable is not None else client_secret
    if variable is not None and not secret.reveal():
        raise ConfigurationError(
            f"The environment variable {variable} is not set. Set it to the client secret."
        )
    text = secret.reveal()
    return None if text is None else Secret(text)
