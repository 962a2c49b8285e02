"""The client: options, the resources, the escape hatch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar, cast, overload

from pydantic import BaseModel

from .. import _log
from .._concurrency import AsyncCallback, AsyncClock, AsyncKeySource
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
from .sender import AsyncSender
from .session import AsyncSession

if TYPE_CHECKING:
    from .._observer import Observer
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
"""Attributes by their names, as pickle has them."""


class AsyncScripe:
    """The client of the Scripe API v1. https://apidocs.scripe.io/api/v1

    Runs on asyncio and on trio. Make one for each event loop, and share it among tasks.

    It pickles as its configuration, and opens its connections where it arrives. A key that was given is in the
    pickle, in plain text: keep that as you would keep the key. A key from `SCRIPE_API_KEY` is not, and is read there.

    Args:
        api_key: The key, `scripe_sk_live_…` or `scripe_sk_test_…`; or a function, plain or coroutine, that
            returns one and is asked again, once, after a 401. From `SCRIPE_API_KEY` if left out.
        base_url: Where the API is; from `SCRIPE_BASE_URL` if left out, else `https://api.scripe.io/v1`.
        api_version: The dated version of the API that every call asks for.
        workspace_id: `org_…`, for OAuth tokens that reach several; from `SCRIPE_WORKSPACE_ID` if left out.
        timeout: Seconds for each network operation (connect, read, write), never for a whole upload.
        total_timeout: Seconds for each whole call, with its waits, retries and steps; None for no limit. Past it
            `APITimeoutError`, in a wait for jobs `JobTimeoutError`. It interrupts anything.
        max_retries: How often a call is sent again after a passing fault.
        rate_limiter: Keeps calls within the workspace's budget. One of its own if left out; None turns it
            off; give several clients the same one to let them share what they know.
        http_client: What to send with: a client of httpx or httpx2 that you made, for proxies, certificates or
            tests, which is never closed by this one; or the name of an engine, `httpx` or `httpx2`. The one
            that `SCRIPE_HTTP` names if left out, else httpx.
        on_response: Told of each answer of the API; a plain or a coroutine function.
        app_info: Name of your application, such as `newsroom/2.1`, added to the `User-Agent`.
        allow_insecure: Allow plain http to other machines than this one.

    Raises:
        ConfigurationError: no key, or an option that cannot be right.

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
    ) -> None:
        secret: Secret[str | AsyncKeySource | None] = Secret(api_key)
        del api_key  # a traceback that prints the locals of this frame must not show it
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
        self._setup(secret, options, rate_limiter, http_client, on_response)

    def _setup(
        self,
        api_key: Secret[str | AsyncKeySource | None],
        options: Options,
        rate_limiter: RateLimiter | NotGiven | None,
        http_client: AsyncHTTPClient | BackendName | None,
        on_response: AsyncCallback[ResponseInfo] | None,
    ) -> None:
        _log.configure()
        self._api_key = api_key
        limiter = RateLimiter() if isinstance(rate_limiter, NotGiven) else rate_limiter
        if limiter is not None:
            config.check_type(
                limiter, RateLimiter, "rate_limiter", "a RateLimiter, or None for none", ConfigurationError
            )
        config.check_callable(on_response, "on_response")
        session = AsyncSession(api_key, limiter, http_client, on_response)
        self._sender = AsyncSender(session, options)
        self._is_copy = False

    @property
    def health(self) -> AsyncHealthResource:
        """Whether the API, and the key, work."""
        from .resources.health import AsyncHealthResource

        return AsyncHealthResource(self._sender)

    @property
    def workspaces(self) -> AsyncWorkspaces:
        """The workspace that the key belongs to."""
        from .resources.workspaces import AsyncWorkspaces

        return AsyncWorkspaces(self._sender)

    @property
    def projects(self) -> AsyncProjects:
        """Projects, which are LinkedIn profiles and pages."""
        from .resources.projects import AsyncProjects

        return AsyncProjects(self._sender)

    @property
    def sources(self) -> AsyncSources:
        """Sources, which are transcripts of recordings, files and texts."""
        from .resources.sources import AsyncSources

        return AsyncSources(self._sender)

    @property
    def uploads(self) -> AsyncUploads:
        """Uploads, for which the API gives a link and storage takes the bytes."""
        from .resources.uploads import AsyncUploads

        return AsyncUploads(self._sender)

    @property
    def jobs(self) -> AsyncJobs:
        """Jobs, which are work that the API does in the background, and waiting for them."""
        from .resources.jobs import AsyncJobs

        return AsyncJobs(self._sender)

    @property
    def notes(self) -> AsyncNotes:
        """Notes, with their places in the queue."""
        from .resources.notes import AsyncNotes

        return AsyncNotes(self._sender)

    @property
    def posts(self) -> AsyncPosts:
        """Posts, and having them written."""
        from .resources.posts import AsyncPosts

        return AsyncPosts(self._sender)

    @property
    def post_statuses(self) -> AsyncPostStatuses:
        """Statuses that the workspace has defined for its posts."""
        from .resources.post_statuses import AsyncPostStatuses

        return AsyncPostStatuses(self._sender)

    @property
    def knowledge(self) -> AsyncKnowledge:
        """The knowledge base."""
        from .resources.knowledge import AsyncKnowledge

        return AsyncKnowledge(self._sender)

    @property
    def webhook_endpoints(self) -> AsyncWebhookEndpoints:
        """Addresses of yours that the API tells of events."""
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
    ) -> Self:
        """A copy with other options over the same connections; what is left out stays as it is.

        Args:
            timeout: Seconds for each network operation; None for no limit.
            total_timeout: Seconds for each whole call; None for no limit.
            max_retries: How often a call is sent again after a passing fault.
            api_version: The dated version of the API.
            workspace_id: `org_…`; None for the token's own.
            extra_headers: Added to those that the client has.

        Raises:
            ConfigurationError: an option that cannot be right.

        """
        changes = {
            "timeout": timeout,
            "total_timeout": total_timeout,
            "max_retries": max_retries,
            "api_version": api_version,
            "workspace_id": workspace_id,
        }
        options = config.with_changes(self._sender.options, changes, extra_headers)
        copy = object.__new__(type(self))
        copy.__dict__.update(vars(self))
        for name in _slot_names(type(self)):
            if hasattr(self, name):
                setattr(copy, name, getattr(self, name))
        copy._sender = AsyncSender(self._sender.session, options)
        copy._is_copy = True
        return copy

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
        """Call anything the API has: with the key, the version, the budget and the retries of all calls.

        Args:
            method: HTTP method.
            path: Path below the base URL, such as `/projects`.
            params: Query; what is None is left out.
            json: Body.
            idempotency_key: For a write. One is made if left out, but only a call with your own is sent
                again after its answer was lost: whether this endpoint honours keys, only you can know.
            returns: A pydantic model for the answer, taken out of `data` where it is wrapped so.

        Returns:
            The model; or, without `returns`, the whole JSON of the answer.

        Raises:
            InvalidArgumentError: an argument cannot be right; nothing was sent.
            APIStatusError: the API answered with an error.
            APIConnectionError: no answer came.

        """
        config.check_type(method, str, "method", "a str such as `GET`")
        config.check_type(path, str, "path", "one below the base URL, such as `/projects`")
        config.check_type({} if params is None else params, Mapping, "params", "a mapping")
        if returns is None:
            return await self._sender.send_json(
                raw_request(method, path, BaseModel, params, json, idempotency_key)
            )
        if not (isinstance(returns, type) and issubclass(returns, BaseModel)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError(
                f"returns is {returns!r}; give a class of pydantic's, or leave it out."
            )
        return await self._sender.send(raw_request(method, path, returns, params, json, idempotency_key))

    async def close(self) -> None:
        """Close the connections. On a copy, and for an `http_client` of yours, this does nothing to them."""
        if not self._is_copy:
            await self._sender.session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        sender = getattr(
            self, "_sender", None
        )  # none yet while a traceback shows a client that is being made
        return f"{type(self).__name__}(base_url={sender and sender.options.base_url!r})"

    def __copy__(self) -> Self:
        return self.with_options()

    def __reduce__(self) -> tuple[object, ...]:
        session = self._sender.session
        if not session.opens_connections:
            raise ConfigurationError(
                "A client with an http_client of its caller's cannot be pickled: the connections stay behind. "
                "Make the client where it is used."
            )
        limiter = None if session.limiter is None else NOT_GIVEN
        state = (self._api_key, self._sender.options, limiter, session.http_client, session.on_response)
        return _unpickle, (type(self), state), self._instance_state()

    def _instance_state(self) -> object:
        """Attributes that a subclass, or its user, has set."""
        state: object = self.__getstate__()
        if type(self).__getstate__ is not object.__getstate__:
            return state  # a subclass that says what its state is also takes it back
        named, slots = cast(
            "tuple[State, State | None]", state if isinstance(state, tuple) else (state, None)
        )
        attributes = {name: value for name, value in named.items() if name not in _CLIENT_ATTRIBUTES}
        return (attributes, slots) if slots else attributes


_CLIENT_ATTRIBUTES = ("_api_key", "_sender", "_is_copy")


def _slot_names(cls: type) -> list[str]:
    """Attributes that a subclass keeps in slots."""
    declared = [vars(base).get("__slots__", ()) for base in cls.__mro__]
    return [name for slots in declared for name in ([slots] if isinstance(slots, str) else slots)]


def set_clock(client: AsyncScripe, clock: AsyncClock) -> None:
    """Let a client go by another clock: the emulator's, or a test's."""
    client._sender.session.clock = clock  # pyright: ignore[reportPrivateUsage] - this module's own


def set_observer(client: AsyncScripe, observer: Observer) -> None:
    """Set the observer of a client and of its copies, in place of the one before."""
    client._sender.session.observer = observer  # pyright: ignore[reportPrivateUsage] - this module's own


def _unpickle(cls: type[AsyncScripe], state: tuple[object, ...]) -> AsyncScripe:
    client = object.__new__(cls)
    client._setup(*state)  # type: ignore[arg-type]
    return client
