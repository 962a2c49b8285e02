"""The client: its options, its resources, and `request` for anything else.

A resource's module is imported when its property is first used, so that `import scripe` stays fast. The properties are
plain ones: a cached resource would travel with the shallow copy that `with_options` makes, and would go on to send with
the options of the client it was made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar, cast, overload

from pydantic import BaseModel

from .. import _log
from .._concurrency import AsyncAuth, AsyncCallback, AsyncClock, AsyncKeySource
from .._core import config
from .._core.config import Options, Secret
from .._core.rate_limit import RateLimiter
from .._core.request import Query, raw_request
from .._http import AsyncHTTPClient, BackendName
from .._lazy import stand_ins
from .._vocabulary import API_VERSION
from ..errors import ConfigurationError, InvalidArgumentError
from ..types._base import JSON, JSONInput
from ..types.not_given import NOT_GIVEN, NotGiven
from ..types.response_info import ResponseInfo
from .credential import AsyncAPIKeyCredential, AsyncCredential, AsyncLoginCredential, resolve_auth
from .sender import AsyncSender
from .session import AsyncSession

if TYPE_CHECKING:
    from .._core.diagnosis import Diagnosis
    from .._ledger import Ledger
    from .._oauth_refresh import Login
    from .._observer import Observer
    from .resources.bulk import AsyncBulk
    from .resources.health import AsyncHealthResource
    from .resources.jobs import AsyncJobs
    from .resources.knowledge import AsyncKnowledge
    from .resources.notes import AsyncNotes
    from .resources.post_statuses import AsyncPostStatuses
    from .resources.posts import AsyncPosts
    from .resources.projects import AsyncProjects
    from .resources.sources import AsyncSources
    from .resources.uploads import AsyncUploads
    from .resources.webhook_endpoints import AsyncWebhookEndpoints
    from .resources.workspaces import AsyncWorkspaces
else:
    globals().update(
        stand_ins(
            {
                "Diagnosis": "scripe._core.diagnosis",
                "Ledger": "scripe._ledger",
                "Login": "scripe._oauth_refresh",
                "AsyncBulk": "scripe._async.resources.bulk",
                "AsyncHealthResource": "scripe._async.resources.health",
                "AsyncJobs": "scripe._async.resources.jobs",
                "AsyncKnowledge": "scripe._async.resources.knowledge",
                "AsyncNotes": "scripe._async.resources.notes",
                "AsyncPostStatuses": "scripe._async.resources.post_statuses",
                "AsyncPosts": "scripe._async.resources.posts",
                "AsyncProjects": "scripe._async.resources.projects",
                "AsyncSources": "scripe._async.resources.sources",
                "AsyncUploads": "scripe._async.resources.uploads",
                "AsyncWebhookEndpoints": "scripe._async.resources.webhook_endpoints",
                "AsyncWorkspaces": "scripe._async.resources.workspaces",
            }
        )
    )

T = TypeVar("T", bound=BaseModel)

State: TypeAlias = Mapping[str, object]
"""Attributes by name, as `__getstate__` returns them."""


class AsyncScripe:
    """A client of the Scripe API v1. https://apidocs.scripe.io/api/v1

    Runs on asyncio and on trio. Make one for each event loop, and share it among tasks.

    A pickled client holds its configuration, and opens connections of its own where it is loaded. The pickle contains
    an API key that was passed as an argument, in plain text: protect it as you protect the key. An API key from
    `SCRIPE_API_KEY` is not in the pickle; it is read again where the client is loaded.

    Args:
        api_key: The API key, `scripe_sk_live_…` or `scripe_sk_test_…`; or a function that returns one (plain or
            coroutine). It is called before the first request, and once more in a call that gets a 401. If left out,
            the environment variable `SCRIPE_API_KEY` holds the key.
        base_url: Base URL of the API. Default: `SCRIPE_BASE_URL`, else `https://api.scripe.io/v1`.
        api_version: Dated version of the API, sent with every request.
        workspace_id: `org_…`, for an OAuth token that reaches several workspaces. Default: `SCRIPE_WORKSPACE_ID`.
        timeout: Seconds for each network operation (one connect, read or write), not for a whole upload; None
            for no limit.
        total_timeout: Seconds for each whole call, with its rate limit waits, retries and steps; None for no limit.
            After that the call raises `APITimeoutError`, or `JobTimeoutError` while it waits for jobs.
            It interrupts anything.
        max_retries: How many times a call is sent again after a transient failure.
        rate_limiter: Keeps the calls within the workspace's rate limit. Default: one for this client and its copies.
            Pass the same one to several clients to let them share it, or None to turn it off.
        http_client: A client of httpx or httpx2 to send with, for proxies, certificates or tests (you close it
            yourself); or the name of a backend, `httpx` or `httpx2`. Default: the backend that `SCRIPE_HTTP`
            names, else httpx.
        on_response: Called with each response of the API; a plain or a coroutine function.
        app_info: Name and version of your application, such as `newsroom/2.1`, added to the `User-Agent`.
        allow_insecure: Allow plain http to other machines than this one.
        ledger: A `scripe.Ledger`, or the path of one: a file that remembers what was made under an idempotency key of
            yours, so that no rerun makes it a second time, however late. A ledger given as a path is closed with the
            client.
        auth: Instead of an API key: a login or credentials of `scripe.oauth`, or an object with a function
            `access_token(rejected)` that returns an access token (plain or coroutine), another one than `rejected` if
            that is given. `SCRIPE_API_KEY` is ignored then.

    Raises:
        LedgerError: the ledger cannot be opened.
        ConfigurationError: there is no API key, or an option is invalid.

    """

    def __init__(
        self,
        api_key: str | AsyncKeySource | None = None,
        *,
        base_url: str | None = None,
        api_version: str = API_VERSION,
        workspace_id: str | None = None,
        timeout: float | None = 60.0,
        total_timeout: float | None = None,
        max_retries: int = 2,
        rate_limiter: RateLimiter | NotGiven | None = NOT_GIVEN,
        http_client: AsyncHTTPClient | BackendName | None = None,
        on_response: AsyncCallback[ResponseInfo] | None = None,
        app_info: str | None = None,
        allow_insecure: bool = False,
        ledger: Ledger | str | PathLike[str] | None = None,
        auth: AsyncAuth | Login | None = None,
    ) -> None:
        secret: Secret[str | AsyncKeySource | None] = Secret(api_key)
        # Some tracebacks print the local variables of each frame; the API key must not be one of them.
        del api_key
        options = Options(
            base_url=config.resolve_base_url(base_url),
            api_version=api_version,
            workspace_id=config.resolve_workspace_id(workspace_id),
            timeout=timeout,
            total_timeout=total_timeout,
            max_retries=max_retries,
            app_info=app_info,
            allow_insecure=allow_insecure,
        )
        if auth is not None and secret.reveal() is not None:
            raise ConfigurationError("There is an api_key and an auth. Pass one of them.")
        self._setup(secret, options, rate_limiter, http_client, on_response, ledger, auth)

    def _setup(
        self,
        api_key: Secret[str | AsyncKeySource | None],
        options: Options,
        rate_limiter: RateLimiter | NotGiven | None,
        http_client: AsyncHTTPClient | BackendName | None,
        on_response: AsyncCallback[ResponseInfo] | None,
        ledger: Ledger | str | PathLike[str] | None,
        auth: AsyncAuth | Login | None,
    ) -> None:
        _log.configure()
        self._api_key = api_key
        credential: AsyncCredential = (
            _use_api_key(api_key, options.base_url)
            if auth is None
            else AsyncLoginCredential(resolve_auth(auth, options.base_url))
        )
        limiter = RateLimiter() if isinstance(rate_limiter, NotGiven) else rate_limiter
        if limiter is not None:
            config.check_type(
                limiter,
                RateLimiter,
                "rate_limiter",
                "a RateLimiter, or None for no rate limit",
                ConfigurationError,
            )
        config.check_callable(on_response, "on_response")
        session = AsyncSession(limiter, http_client, on_response)
        self._sender = AsyncSender(session, options, credential, ledger=_open_ledger(ledger))
        self._owns_ledger = isinstance(ledger, str | PathLike)
        self._is_copy = (
            False  # a copy does not close the connections, which belong to the client it was made from
        )

    @property
    def ledger(self) -> Ledger | None:
        """The ledger that remembers what was made; None if the client has none."""
        return self._sender.ledger

    @property
    def health(self) -> AsyncHealthResource:
        """Health checks of the API and of the API key."""
        from .resources.health import AsyncHealthResource

        return AsyncHealthResource(self._sender)

    @property
    def workspaces(self) -> AsyncWorkspaces:
        """The workspaces that the API key or token reaches."""
        from .resources.workspaces import AsyncWorkspaces

        return AsyncWorkspaces(self._sender)

    @property
    def projects(self) -> AsyncProjects:
        """Projects: LinkedIn profiles and pages."""
        from .resources.projects import AsyncProjects

        return AsyncProjects(self._sender)

    @property
    def sources(self) -> AsyncSources:
        """Sources: transcripts of recordings, files and texts."""
        from .resources.sources import AsyncSources

        return AsyncSources(self._sender)

    @property
    def uploads(self) -> AsyncUploads:
        """Uploads of files to storage, through links from the API."""
        from .resources.uploads import AsyncUploads

        return AsyncUploads(self._sender)

    @property
    def jobs(self) -> AsyncJobs:
        """Jobs: background work of the API, and waiting for it."""
        from .resources.jobs import AsyncJobs

        return AsyncJobs(self._sender)

    @property
    def notes(self) -> AsyncNotes:
        """Notes, with their slots in the queue."""
        from .resources.notes import AsyncNotes

        return AsyncNotes(self._sender)

    @property
    def posts(self) -> AsyncPosts:
        """Posts, and their generation from notes or texts."""
        from .resources.posts import AsyncPosts

        return AsyncPosts(self._sender)

    @property
    def post_statuses(self) -> AsyncPostStatuses:
        """The statuses that the workspace has defined for its posts."""
        from .resources.post_statuses import AsyncPostStatuses

        return AsyncPostStatuses(self._sender)

    @property
    def bulk(self) -> AsyncBulk:
        """Bulk: thousands of files to sources, over hours or days."""
        from .resources.bulk import AsyncBulk

        return AsyncBulk(self._sender)

    @property
    def knowledge(self) -> AsyncKnowledge:
        """The knowledge base: documents that the API writes from."""
        from .resources.knowledge import AsyncKnowledge

        return AsyncKnowledge(self._sender)

    @property
    def webhook_endpoints(self) -> AsyncWebhookEndpoints:
        """Webhook endpoints: URLs of yours to which the API sends events."""
        from .resources.webhook_endpoints import AsyncWebhookEndpoints

        return AsyncWebhookEndpoints(self._sender)

    def with_options(
        self,
        *,
        timeout: float | NotGiven | None = NOT_GIVEN,
        total_timeout: float | NotGiven | None = NOT_GIVEN,
        max_retries: int | NotGiven = NOT_GIVEN,
        api_version: str | NotGiven = NOT_GIVEN,
        workspace_id: str | NotGiven | None = NOT_GIVEN,
        extra_headers: Mapping[str, str] | NotGiven = NOT_GIVEN,
        ledger: Ledger | str | PathLike[str] | NotGiven | None = NOT_GIVEN,
        auth: AsyncAuth | Login | NotGiven = NOT_GIVEN,
    ) -> Self:
        """Return a copy of the client with other options, which shares its connections and its rate limiter.

        Options that are left out stay as they are. But with `auth` the copy has no workspace and no ledger unless they
        are given too: neither may follow a client to another tenant.

        Args:
            timeout: Seconds for each network operation; None for no limit.
            total_timeout: Seconds for each whole call; None for no limit.
            max_retries: How many times a call is sent again after a transient failure.
            api_version: Dated version of the API.
            workspace_id: `org_…`; None for the token's default workspace.
            extra_headers: Headers to add to those that the client already sends.
            ledger: A `scripe.Ledger`, or the path of one; None for no ledger.
            auth: A login or credentials of `scripe.oauth`, or an object with `access_token(rejected)`, in place of the
                client's API key or login.

        Raises:
            LedgerError: the ledger cannot be opened.
            ConfigurationError: an option is invalid.

        """
        credential, api_key = self._sender.credential, self._api_key
        if not isinstance(auth, NotGiven):
            credential = AsyncLoginCredential(resolve_auth(auth, self._sender.options.base_url))
            api_key = Secret[str | AsyncKeySource | None](None)
            workspace_id = None if isinstance(workspace_id, NotGiven) else workspace_id
            ledger = None if isinstance(ledger, NotGiven) else ledger
        changes = {
            "timeout": timeout,
            "total_timeout": total_timeout,
            "max_retries": max_retries,
            "api_version": api_version,
            "workspace_id": workspace_id,
        }
        options = config.with_changes(self._sender.options, changes, extra_headers)
        # Not `type(self)(…)`: a subclass may have other arguments and state of its own, in `__dict__` or in slots.
        copy = object.__new__(type(self))
        copy.__dict__.update(vars(self))
        for name in _slot_names(type(self)):
            if hasattr(self, name):
                setattr(copy, name, getattr(self, name))
        own = self._sender.ledger if isinstance(ledger, NotGiven) else _open_ledger(ledger)
        copy._sender = AsyncSender(self._sender.session, options, credential, ledger=own)
        copy._api_key = api_key
        copy._is_copy = True
        return copy

    async def diagnose(self, *, facts: bool = False, oauth: bool = False, mcp: bool = False) -> Diagnosis:
        """Look at this machine, the network, the API and the credential, until something fails; raise nothing for it.

        At most three reads are sent, once and over a connection of their own. Nothing is written, and no login is
        refreshed. Print the result, or look at its `fault` and `warnings`.

        Args:
            facts: Also look at what the API does where its documentation says nothing, or two things: with up to 18
                more reads, one a second.
            oauth: Also look at the metadata of the authorization server, and whether scripe would refuse them.
            mcp: Also look at the metadata of Scripe's hosted MCP server. No credential is sent to either.

        Returns:
            What was seen, and what to do about it.

        """
        from .diagnosis import AsyncDoctor

        return await AsyncDoctor(self._sender).examine(facts=facts, oauth=oauth, mcp=mcp)

    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Query | None = None,
        json: JSONInput = None,
        idempotency_key: str | None = None,
        returns: type[T],
    ) -> T: ...

    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Query | None = None,
        json: JSONInput = None,
        idempotency_key: str | None = None,
        returns: None = None,
    ) -> JSON: ...

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Query | None = None,
        json: JSONInput = None,
        idempotency_key: str | None = None,
        returns: type[BaseModel] | None = None,
    ) -> BaseModel | JSON:
        """Call any endpoint of the API, with the client's API key, API version, rate limit and retries.

        Args:
            method: HTTP method.
            path: Path below the base URL, such as `/projects`.
            params: Query parameters; those that are None are left out.
            json: Body.
            idempotency_key: Idempotency key of a write. If left out, one is generated; but a write whose response
                was lost is sent again only with a key of yours, since not every endpoint honours the keys.
            returns: A pydantic model to parse the response into (its `data`, where the response has an envelope).

        Returns:
            The model; without `returns`, the whole JSON of the response.

        Raises:
            InvalidArgumentError: an argument is invalid; nothing was sent.
            APIStatusError: the API responded with an error.
            APIConnectionError: no response arrived.

        """
        config.check_type(method, str, "method", "a str such as `GET`")
        config.check_type(path, str, "path", "a path below the base URL, such as `/projects`")
        config.check_type({} if params is None else params, Mapping, "params", "a mapping")
        if returns is None:
            return await self._sender.send_json(
                raw_request(method, path, BaseModel, params, json, idempotency_key)
            )
        if not (isinstance(returns, type) and issubclass(returns, BaseModel)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError(
                f"returns is {returns!r}. Give a pydantic model class, or leave it out."
            )
        return await self._sender.send(raw_request(method, path, returns, params, json, idempotency_key))

    async def close(self) -> None:
        """Close the client's connections. Calls of the client and of its copies raise `ClientClosedError` from now on.

        A copy that `with_options` made closes nothing, and an `http_client` of yours stays open.
        """
        if not self._is_copy:
            await self._sender.session.close()
            if self._owns_ledger and self._sender.ledger is not None:
                self._sender.ledger.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        # There is no sender yet if `__init__` raises and the traceback prints this object.
        sender = getattr(self, "_sender", None)
        return f"{type(self).__name__}(base_url={sender and sender.options.base_url!r})"

    def __copy__(self) -> Self:
        return self.with_options()

    def __reduce__(self) -> tuple[object, ...]:
        session = self._sender.session
        if not session.opens_connections:
            raise ConfigurationError(
                "A client with an http_client that you passed cannot be pickled, since its connections cannot. "
                "Make the client in the process that uses it."
            )
        # A rate limiter holds locks and the counts of this process: the client gets a new one where it is loaded.
        limiter = None if session.limiter is None else NOT_GIVEN
        sender = self._sender
        state = (
            self._api_key,
            sender.options,
            limiter,
            session.http_client,
            session.on_response,
            sender.ledger,
            sender.credential.auth if isinstance(sender.credential, AsyncLoginCredential) else None,
        )
        return _unpickle, (type(self), state), self._instance_state()

    def _instance_state(self) -> object:
        """Return the attributes that a subclass, or its user, has set."""
        state: object = self.__getstate__()
        if type(self).__getstate__ is not object.__getstate__:
            return state  # a subclass with its own `__getstate__` also has the `__setstate__` for it
        named, slots = cast(
            "tuple[State, State | None]", state if isinstance(state, tuple) else (state, None)
        )
        attributes = {name: value for name, value in named.items() if name not in _CLIENT_ATTRIBUTES}
        return (attributes, slots) if slots else attributes


_CLIENT_ATTRIBUTES = ("_api_key", "_sender", "_is_copy", "_owns_ledger")


def _use_api_key(api_key: Secret[str | AsyncKeySource | None], base_url: str) -> AsyncAPIKeyCredential:
    """Return the credential of an API key; if there is none, the error names the login of this machine."""
    try:
        return AsyncAPIKeyCredential(api_key)
    except ConfigurationError as error:
        if api_key.reveal() is not None or config.has_api_key_in_environment():
            raise
        from .._default_login import has_default_login  # so that no client has to load it

        if not has_default_login(base_url):
            raise
        raise ConfigurationError(
            f"{error.message} This machine has a login, too: pass it as `AsyncScripe(auth=scripe.oauth.credentials())`."
        ) from None


def _open_ledger(ledger: Ledger | str | PathLike[str] | None) -> Ledger | None:
    """Return the ledger, opened if it was given as a path."""
    if ledger is None:
        return None
    from .._ledger import Ledger
    from . import ledger_write as ledger_write  # so that no call has to load it

    return ledger if isinstance(ledger, Ledger) else Ledger(ledger)


def _slot_names(cls: type) -> list[str]:
    """Return the names of the attributes that a class and its bases keep in slots."""
    declared = [vars(base).get("__slots__", ()) for base in cls.__mro__]
    return [name for slots in declared for name in ([slots] if isinstance(slots, str) else slots)]


def set_clock(client: AsyncScripe, clock: AsyncClock) -> None:
    """Set the clock of a client and of its copies, such as the emulator's."""
    client._sender.session.clock = clock  # pyright: ignore[reportPrivateUsage] - this module's own


def set_observer(client: AsyncScripe, observer: Observer) -> None:
    """Set the observer of a client and of its copies, in place of the previous one."""
    client._sender.session.observer = observer  # pyright: ignore[reportPrivateUsage] - this module's own


def _unpickle(cls: type[AsyncScripe], state: tuple[object, ...]) -> AsyncScripe:
    client = object.__new__(cls)
    client._setup(*state)  # type: ignore[arg-type]
    return client
