"""The HTTP engine: httpx, or httpx2 on request. The only file that imports either.

The two families have the same names, so what differs between them (classes of exceptions, above all) is asked
of the module that a client came from. Only names that are public in both are used.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Self, TypeAlias, cast, overload

from ._concurrency import AsyncClock, Clock, async_let_go
from ._rules.answer import ERROR_BODY_LIMIT, Answer, Failure, Outcome
from ._rules.config import Secret
from .errors import ClientClosedError, ConfigurationError
from .types.response_info import Headers

if TYPE_CHECKING:
    import ssl
    from types import ModuleType
    from typing import Self

    import httpx
    import httpx2

    HTTPClient: TypeAlias = httpx.Client | httpx2.Client
    AsyncHTTPClient: TypeAlias = httpx.AsyncClient | httpx2.AsyncClient
else:
    HTTPClient = AsyncHTTPClient = object

_SPOOLED = 1024 * 1024

VARIABLE = "SCRIPE_HTTP"
FAMILIES = ("httpx", "httpx2")


def family_of(thing: object) -> ModuleType:
    """The module that a client or a request came from; subclasses come from it too."""
    for kind in type(thing).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in FAMILIES:
            return sys.modules[root]
    raise ConfigurationError(f"http_client is a {type(thing).__name__}; give a client of httpx or httpx2.")


def default_family() -> ModuleType:
    name = os.environ.get(VARIABLE) or "httpx"
    if name not in FAMILIES:
        raise ConfigurationError(f"{VARIABLE} is {name!r}; it may be {' or '.join(FAMILIES)}.")
    try:
        return import_module(name)
    except ImportError:
        raise ConfigurationError(f'{VARIABLE}={name} needs `pip install "scripe[{name}]"`.') from None


@cache
def _tls(family: str) -> ssl.SSLContext:
    """One context for all clients of a process: to load the certificates takes longer than the rest of a client."""
    return cast("ssl.SSLContext", import_module(family).create_ssl_context())


def _options(family: ModuleType) -> dict[str, object]:
    """How a client of ours is opened.

    Connections are not what limits calls, the budget is: a call that waits for one would time out, though nothing is
    slow. What goes to this machine goes through no proxy, whatever the environment says.
    """
    direct = dict.fromkeys(("all://localhost", "all://*.localhost", "all://127.0.0.1", "all://[::1]"))
    limits = family.Limits(max_connections=1000, max_keepalive_connections=20)
    return {"verify": _tls(family.__name__), "limits": limits, "mounts": direct}


def _checked(client: object, kind: type) -> object:
    if not isinstance(client, kind):
        raise ConfigurationError(
            f"http_client is a {type(client).__module__.partition('.')[0]}.{type(client).__name__}; "
            f"this client needs a {kind.__name__}: Scripe a Client, AsyncScripe an AsyncClient."
        )
    return client


@cache
def _stream(family: str) -> Callable[[object], object]:
    """A body in blocks, for both worlds. The family's own wraps it in a generator, which nobody closes."""
    names = import_module(family)

    class Blocks(names.SyncByteStream, names.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, blocks: object) -> None:
            self._blocks = blocks

        def __iter__(self) -> Iterator[bytes]:
            return iter(cast("Iterable[bytes]", self._blocks))

        def __aiter__(self) -> AsyncIterator[bytes]:
            return aiter(cast("AsyncIterable[bytes]", self._blocks))

    return Blocks


class _Engine:
    """What the two engines share: building requests, and telling what came back."""

    def __init__(self, family: ModuleType) -> None:
        self._family = family

    def _request(
        self,
        method: str,
        url: Secret[str],
        headers: Secret[Mapping[str, str]],
        content: bytes | Iterable[bytes] | AsyncIterable[bytes] | None,
        timeout: float | None,
    ) -> httpx.Request:
        limits = {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}
        is_whole = content is None or isinstance(content, bytes)
        request = cast(
            "httpx.Request",
            self._family.Request(
                method,
                url.reveal(),
                headers=headers.reveal(),
                content=content if is_whole else None,
                stream=None if is_whole else _stream(self._family.__name__)(content),
                extensions={"timeout": limits},
            ),
        )
        request.headers.setdefault("Host", request.url.netloc.decode("ascii"))
        return request

    def _failure(self, error: Exception) -> Failure:
        names = self._family
        unsent = (
            names.ConnectError,
            names.ConnectTimeout,
            names.PoolTimeout,
            names.ProxyError,
            names.UnsupportedProtocol,
        )
        is_timeout = isinstance(error, names.TimeoutException)
        text = str(error) or ("no answer in time" if is_timeout else "the connection broke")
        return Failure(
            "unsent" if isinstance(error, unsent) else "lost", is_timeout, f"{type(error).__name__}: {text}"
        )

    def _errors(self) -> tuple[type[Exception], ...]:
        return self._family.RequestError, self._family.InvalidURL, self._family.StreamError


def _headers(response: httpx.Response) -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)


def _limit(response: httpx.Response) -> float:
    return float("inf") if 200 <= response.status_code < 300 else ERROR_BODY_LIMIT


_TOO_SLOW = Failure("lost", is_timeout=True, message="the deadline passed in mid-answer")


class AsyncEngine(_Engine):
    """Sends one request, and gets its whole answer."""

    def __init__(self, client: AsyncHTTPClient | None = None, family: ModuleType | None = None) -> None:
        super().__init__(family_of(client) if client else family or default_family())
        self._owned = client is None
        opened = client or self._family.AsyncClient(**_options(self._family))
        self._client = cast("httpx.AsyncClient", _checked(opened, self._family.AsyncClient))

    async def send(
        self,
        method: str,
        url: Secret[str],
        headers: Secret[Mapping[str, str]],
        content: bytes | AsyncIterable[bytes] | None = None,
        *,
        timeout: float | None,
        expires: Callable[[], bool],
    ) -> Outcome:
        if self._client.is_closed:
            raise ClientClosedError("The http_client of this client was closed.")
        started = time.monotonic()
        try:
            response = await self._client.send(
                self._request(method, url, headers, content, timeout),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                body = await self._read(response, expires)
            finally:
                await response.aclose()
        except self._errors() as error:
            return self._failure(error)
        if body is None:
            return _TOO_SLOW
        return Answer(response.status_code, _headers(response), body, time.monotonic() - started, time.time())

    async def _read(self, response: httpx.Response, expires: Callable[[], bool]) -> bytes | None:
        chunks: list[bytes] = []
        left = _limit(response)
        blocks, is_late = response.aiter_bytes(), False
        async for chunk in blocks:
            chunks.append(chunk[: int(min(left, len(chunk)))])
            left -= len(chunk)
            if left <= 0 or is_late:
                await async_let_go(blocks)
                return None if left > 0 else b"".join(chunks)
            is_late = expires()  # a whole answer counts, however late its end
        return b"".join(chunks)

    async def close(self) -> None:
        if self._owned:
            await self._client.aclose()


class Engine(_Engine):
    """Sends one request, and gets its whole answer."""

    def __init__(self, client: HTTPClient | None = None, family: ModuleType | None = None) -> None:
        super().__init__(family_of(client) if client else family or default_family())
        self._owned = client is None
        opened = client or self._family.Client(**_options(self._family))
        self._client = cast("httpx.Client", _checked(opened, self._family.Client))

    def send(
        self,
        method: str,
        url: Secret[str],
        headers: Secret[Mapping[str, str]],
        content: bytes | Iterable[bytes] | None = None,
        *,
        timeout: float | None,
        expires: Callable[[], bool],
    ) -> Outcome:
        if self._client.is_closed:
            raise ClientClosedError("The http_client of this client was closed.")
        started = time.monotonic()
        try:
            response = self._client.send(
                self._request(method, url, headers, content, timeout),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                body = self._read(response, expires)
            finally:
                response.close()
        except self._errors() as error:
            return self._failure(error)
        if body is None:
            return _TOO_SLOW
        return Answer(response.status_code, _headers(response), body, time.monotonic() - started, time.time())

    def _read(self, response: httpx.Response, expires: Callable[[], bool]) -> bytes | None:
        chunks: list[bytes] = []
        left = _limit(response)
        is_late = False
        for chunk in response.iter_bytes():
            chunks.append(chunk[: int(min(left, len(chunk)))])
            left -= len(chunk)
            if left <= 0 or is_late:
                return None if left > 0 else b"".join(chunks)
            is_late = expires()  # a whole answer counts, however late its end
        return b"".join(chunks)

    def close(self) -> None:
        if self._owned:
            self._client.close()


@dataclass(frozen=True, slots=True)
class Mounted:
    """What an application that is mounted in process answers: or that the connection breaks after the work."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_lost: bool = False
    delay: float = 0.0


Application: TypeAlias = Callable[[str, str, Sequence[tuple[str, str]], BinaryIO], Mounted]
"""Takes method, URL, headers and body."""


if TYPE_CHECKING:

    class _AnyTransport(
        httpx.BaseTransport, httpx.AsyncBaseTransport, httpx2.BaseTransport, httpx2.AsyncBaseTransport
    ):
        @overload
        def handle_request(self, request: httpx.Request) -> httpx.Response: ...
        @overload
        def handle_request(self, request: httpx2.Request) -> httpx2.Response: ...
        def handle_request(
            self, request: httpx.Request | httpx2.Request
        ) -> httpx.Response | httpx2.Response: ...

        @overload
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response: ...
        @overload
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response: ...
        async def handle_async_request(
            self, request: httpx.Request | httpx2.Request
        ) -> httpx.Response | httpx2.Response: ...

        def __enter__(self) -> Self: ...
        async def __aenter__(self) -> Self: ...
        def __exit__(self, *_: object) -> None: ...
        async def __aexit__(self, *_: object) -> None: ...

else:

    class _AnyTransport:
        def handle_request(self, request):
            return self.carry(request)

        async def handle_async_request(self, request):
            return await self.async_carry(request)

        def __enter__(self):
            return self

        async def __aenter__(self):
            return self

        def __exit__(self, *_):
            return None

        async def __aexit__(self, *_):
            return None

        def close(self):
            return None

        async def aclose(self):
            return None


class Transport(_AnyTransport):
    """Carries requests of either family, sync or async, to an application in this process. Nothing is open."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def carry(self, request: httpx.Request) -> httpx.Response:
        with SpooledTemporaryFile(max_size=_SPOOLED) as body:
            for chunk in cast("Iterable[bytes]", request.stream):
                body.write(chunk)
            answer = self._answer(request, cast("BinaryIO", body))
        Clock().sleep(_bearable(request, answer))
        return _carried(request, answer)

    async def async_carry(self, request: httpx.Request) -> httpx.Response:
        with SpooledTemporaryFile(max_size=_SPOOLED) as body:
            async for chunk in cast("AsyncIterable[bytes]", request.stream):
                body.write(chunk)
            answer = self._answer(request, cast("BinaryIO", body))
        await AsyncClock().sleep(_bearable(request, answer))
        return _carried(request, answer)

    def _answer(self, request: httpx.Request, body: BinaryIO) -> Mounted:
        body.seek(0)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        return self._application(request.method, str(request.url), headers, body)


def _patience(request: httpx.Request) -> float:
    limits: Mapping[str, float | None] = request.extensions.get("timeout", {})
    read = limits.get("read")
    return math.inf if read is None else read


def _bearable(request: httpx.Request, answer: Mounted) -> float:
    return min(answer.delay, _patience(request))


def _carried(request: httpx.Request, answer: Mounted) -> httpx.Response:
    family = family_of(request)
    if answer.delay > _patience(request):
        raise family.ReadTimeout("no answer in time", request=request)
    if answer.is_lost:
        raise family.ReadError("the connection broke before the answer", request=request)
    return cast("httpx.Response", family.Response(answer.status, headers=answer.headers, content=answer.body))


def mounted_client(application: Application) -> HTTPClient:
    """A client of the default family over an application in this process."""
    return cast("httpx.Client", default_family().Client(transport=Transport(application)))


def async_mounted_client(application: Application) -> AsyncHTTPClient:
    """A client of the default family over an application in this process."""
    return cast("httpx.AsyncClient", default_family().AsyncClient(transport=Transport(application)))
