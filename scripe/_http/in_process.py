"""Send requests to an application in this process: the emulator needs no port.

One transport serves both backends, sync and async. At runtime it inherits from none of their four base classes: that
would import both backends, of which one may not be installed. Type checkers see it inherit from all four.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast, overload

from .._concurrency import AsyncClock, Clock
from .backends import AsyncHTTPClient, HTTPClient, backend_of, default_backend

if TYPE_CHECKING:
    from typing import Self

    import httpx
    import httpx2

_MAX_BYTES_IN_MEMORY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class InProcessResponse:
    """The response of an application in this process."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_lost: bool = False  # the connection breaks after the work, before the response
    delay: float = 0.0  # seconds that it takes, in real time
    latency: float = 0.0  # seconds that it takes, on the application's clock


Application: TypeAlias = Callable[[str, str, Sequence[tuple[str, str]], BinaryIO], InProcessResponse]
"""A function of method, URL, headers and body."""


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
            return self.handle(request)

        async def handle_async_request(self, request):
            return await self.async_handle(request)

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


class InProcessTransport(_AnyTransport):
    """Sends requests of either backend, sync or async, to an application in this process. It opens nothing."""

    def __init__(self, application: Application, clock: Clock, async_clock: AsyncClock) -> None:
        self._application = application
        self._clock = clock
        self._async_clock = async_clock

    def handle(self, request: httpx.Request) -> httpx.Response:
        with SpooledTemporaryFile(max_size=_MAX_BYTES_IN_MEMORY) as body:
            for chunk in cast("Iterable[bytes]", request.stream):
                body.write(chunk)
            response = self._call_application(request, cast("BinaryIO", body))
        for clock, seconds in ((self._clock, response.latency), (Clock(), response.delay)):
            if seconds:
                clock.sleep(min(seconds, _read_timeout(request)))
        return _to_response(request, response)

    async def async_handle(self, request: httpx.Request) -> httpx.Response:
        with SpooledTemporaryFile(max_size=_MAX_BYTES_IN_MEMORY) as body:
            async for chunk in cast("AsyncIterable[bytes]", request.stream):
                body.write(chunk)
            response = self._call_application(request, cast("BinaryIO", body))
        if response.latency:
            await self._async_clock.sleep(min(response.latency, _read_timeout(request)))
        await AsyncClock().sleep(min(response.delay, _read_timeout(request)))
        return _to_response(request, response)

    def _call_application(self, request: httpx.Request, body: BinaryIO) -> InProcessResponse:
        body.seek(0)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        return self._application(request.method, str(request.url), headers, body)


def _read_timeout(request: httpx.Request) -> float:
    limits: Mapping[str, float | None] = request.extensions.get("timeout", {})
    read = limits.get("read")
    return math.inf if read is None else read


def _to_response(request: httpx.Request, response: InProcessResponse) -> httpx.Response:
    backend = backend_of(request)
    if max(response.delay, response.latency) > _read_timeout(request):
        raise backend.ReadTimeout("there was no response in time", request=request)
    if response.is_lost:
        raise backend.ReadError("the connection broke before the response", request=request)
    return cast(
        "httpx.Response", backend.Response(response.status, headers=response.headers, content=response.body)
    )


def in_process_client(transport: InProcessTransport) -> HTTPClient:
    """Return a client of the default backend that sends to an application in this process."""
    return cast("httpx.Client", default_backend().Client(transport=transport))


def async_in_process_client(transport: InProcessTransport) -> AsyncHTTPClient:
    """Return an async client of the default backend that sends to an application in this process."""
    return cast("httpx.AsyncClient", default_backend().AsyncClient(transport=transport))
