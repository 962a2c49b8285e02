"""Authenticate calls: with an API key, a function that returns API keys, or a login that refreshes itself.

A credential belongs to a client and those of its copies that did not get another one. So nothing that was learnt with
one tenant's credential, its last token and its workspace, follows a client to another tenant.

An API key function is called for one request at a time (`_api_key_refresh.py`). Under that lock, the current key is
compared with the rejected one. If they differ, another call has refreshed the key meanwhile: a burst of 401s costs a
single refresh. A login of a token store does the same for all processes that share it (`_oauth_refresh.py`).
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, TypeGuard, cast
from weakref import WeakSet

from .._api_key_refresh import AsyncAPIKeyRefreshLock
from .._concurrency import AsyncAuth, AsyncKeySource, async_invoke
from .._core import config
from .._core.config import Secret
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .._oauth_refresh import Credentials


class AsyncCredential(ABC):
    """The base class of what authenticates calls."""

    def __init__(self) -> None:
        self.api_key: Secret[str] | None = None  # what can be sent without asking anybody
        # Whose rate limit a call counts for, if the client names no workspace.
        self.rate_limit_key: Hashable = None
        self.workspace_ids: dict[str | None, str] = {}  # as the API names them, by the client's option
        self._refresh_lock: AsyncAPIKeyRefreshLock = AsyncAPIKeyRefreshLock()
        _credentials.add(self)

    @abstractmethod
    async def get(self, seconds: float | None = None) -> Secret[str]:
        """Return the key or token to send; `seconds` is how long a sync client waits for another thread's refresh."""

    @abstractmethod
    async def refresh(self, rejected: Secret[str], seconds: float | None = None) -> Secret[str] | None:
        """Return another key or token than the rejected one; None if there is none."""

    def reject(self, refreshed: Secret[str]) -> None:  # noqa: B027 - only a login remembers it
        """Note that the API rejected a key or token that a refresh had just brought."""

    def reset_after_fork(self) -> None:
        """Replace the lock, which another thread of the parent may have held."""
        self._refresh_lock = AsyncAPIKeyRefreshLock()


class AsyncAPIKeyCredential(AsyncCredential):
    """An API key, or a function of the caller's that returns API keys."""

    def __init__(self, api_key: Secret[str | AsyncKeySource | None]) -> None:
        super().__init__()
        self._function = cast("AsyncKeySource | None", config.callable_api_key(api_key))
        self.api_key = None if self._function else config.resolve_api_key(api_key)

    async def get(self, seconds: float | None = None) -> Secret[str]:
        """Return the API key to send; call the caller's function unless another call has."""
        return await self._refresh_lock.refresh_with(partial(self._renew, None), seconds)

    async def refresh(self, rejected: Secret[str], seconds: float | None = None) -> Secret[str] | None:
        """Call the caller's function for another API key, unless another call has; None if it is a plain string."""
        if self._function is None:
            return None
        return await self._refresh_lock.refresh_with(partial(self._renew, rejected), seconds)

    async def _renew(self, rejected: Secret[str] | None) -> Secret[str]:
        api_key = self.api_key
        if api_key is None or (rejected is not None and api_key.reveal() == rejected.reveal()):
            returned = Secret(await async_invoke(cast("AsyncKeySource", self._function)))
            self.api_key = api_key = config.resolve_api_key(returned)
        return api_key


class AsyncLoginCredential(AsyncCredential):
    """A login of a token store, or an object of the caller's with an `access_token` function."""

    def __init__(self, auth: AsyncAuth) -> None:
        super().__init__()
        self.auth = auth
        self._token: Secret[str] | None = None

    async def get(self, seconds: float | None = None) -> Secret[str]:
        """Return the access token to send. It is asked for with each request, since only the login knows its end."""
        return self._keep(await self._ask(None, seconds))

    async def refresh(self, rejected: Secret[str], seconds: float | None = None) -> Secret[str] | None:
        """Ask for another access token than the rejected one; return None if there is no other."""
        if is_stored_login(self.auth):
            token = self._keep(await self._ask(rejected, seconds))
        else:
            token = await self._refresh_lock.refresh_with(partial(self._renew, rejected, seconds), seconds)
        return None if token.reveal() == rejected.reveal() else token

    async def _renew(self, rejected: Secret[str], seconds: float | None) -> Secret[str]:
        current = self._token
        if current is not None and current.reveal() != rejected.reveal():
            return current  # another call's refresh has brought it meanwhile
        return self._keep(await self._ask(rejected, seconds))

    async def _ask(self, rejected: Secret[str] | None, seconds: float | None) -> Secret[object]:
        hidden = Secret[str | None](None) if rejected is None else rejected
        if is_stored_login(self.auth):
            return Secret[object](await self.auth.async_access_token(hidden.reveal(), seconds))
        return Secret[object](await async_invoke(self.auth.access_token, hidden.reveal()))

    def _keep(self, returned: Secret[object]) -> Secret[str]:
        """Return the token; the same object for the same text, so that the headers are built once."""
        self.rate_limit_key = self._find_rate_limit_key()
        if self._token is None or self._token.reveal() != returned.reveal():
            self._token = config.check_access_token(returned)
        return self._token

    def _find_rate_limit_key(self) -> Hashable:
        """Return the workspace of the login; until it is known, the login itself."""
        if is_stored_login(self.auth):
            return self.auth.rate_limit_key
        return getattr(self.auth, "workspace_id", None) or ("auth", id(self.auth))

    def reject(self, refreshed: Secret[str]) -> None:
        """Note that the API rejected a token right after its refresh."""
        if is_stored_login(self.auth):
            self.auth.reject(refreshed.reveal())

    def reset_after_fork(self) -> None:
        """Forget the token: the parent may have refreshed it."""
        super().reset_after_fork()
        self._token = None


def is_stored_login(auth: object) -> TypeGuard[Credentials]:
    """Return True for a login of a token store, which does its own refresh, once for all processes."""
    module = sys.modules.get("scripe._oauth_refresh")  # without it there is no such login
    return module is not None and isinstance(auth, module.Credentials)


def resolve_auth(auth: object, base_url: str) -> AsyncAuth:
    """Return what has the `access_token` function; refuse anything else, and the login of another server.

    The tokens of one server must never be sent to another, such as the emulator's to the live API.
    """
    if not hasattr(auth, "access_token"):
        auth = getattr(auth, "credentials", auth)  # a Login
    if not callable(getattr(auth, "access_token", None)):
        raise ConfigurationError(
            f"auth is a {type(auth).__name__}. Give a login or credentials of scripe.oauth, or an object with a "
            "function access_token(rejected)."
        )
    if is_stored_login(auth) and not auth.allows(base_url):
        raise ConfigurationError(
            f"The login {auth.name!r} belongs to {auth.issuer}, and base_url is {base_url!r}: its tokens must not be "
            "sent there. Set base_url or SCRIPE_BASE_URL to the API of that login, or sign in to this one."
        )
    return cast("AsyncAuth", auth)


_credentials: WeakSet[AsyncCredential] = WeakSet()


def reset_after_fork() -> None:
    """Reset all credentials of the parent in a forked child."""
    for credential in list(_credentials):
        credential.reset_after_fork()
