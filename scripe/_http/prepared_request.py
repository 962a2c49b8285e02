"""Prepare one request, and build the backend's request from it.

Requests are built by hand. `client.build_request` takes five times as long (100 µs), for defaults that scripe does not
use: it merges URLs, cookies, parameters and headers of the client.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Self, TypeAlias, cast

from .._core.config import Secret
from .._core.deadline import cap_timeout

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

    from .connection_trace import ConnectionTrace

Content: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes] | None

METHODS_WITH_LENGTH = ("POST", "PUT", "PATCH")
"""Methods that state the length of their body even if it is empty."""

OPERATIONS = ("connect", "read", "write", "pool")


@dataclass(slots=True)
class SendOptions:
    """The time limits of one request."""

    timeout: float | None  # seconds for each network operation
    remaining: Callable[[], float | None] | None = None  # seconds until the deadline
    trace: ConnectionTrace | None = None  # listens to the connection

    def deadline_passed(self) -> bool:
        """Return True if no time is left."""
        return self.remaining is not None and self.remaining() == 0

    def timeouts(self) -> Mapping[str, float | None]:
        """Return the timeout of each network operation, as the backend looks it up when the operation begins."""
        return dict.fromkeys(OPERATIONS, self.timeout) if self.remaining is None else RemainingTimeouts(self)


class RemainingTimeouts(Mapping[str, float | None]):
    """Timeouts, each cut to what is left of the deadline when the backend looks it up.

    Nothing can interrupt a sync call. With these, no read or write waits longer than the time that was left when it
    began. A server that sends its headers byte by byte, or a DNS look-up that hangs, can still hold the call longer.
    """

    def __init__(self, options: SendOptions) -> None:
        self._options = options

    def __getitem__(self, operation: str) -> float | None:
        remaining = self._options.remaining and self._options.remaining()
        return self._options.timeout if remaining is None else cap_timeout(self._options.timeout, remaining)

    def __iter__(self) -> Iterator[str]:
        return iter(OPERATIONS)

    def __len__(self) -> int:
        return len(OPERATIONS)


class CommonHeaders:
    """Headers that many requests to one server share, the API key among them: built once, then copied."""

    __slots__ = ("_built", "_plain", "origin")

    def __init__(self, url: str, plain: Mapping[str, str]) -> None:
        self.origin: str = "/".join(re.split("[/?#]", url, maxsplit=3)[:3])
        self._plain = Secret(plain)
        self._built: Secret[httpx.Headers] | None = None

    def build(self, backend: ModuleType) -> httpx.Headers:
        """Return the backend's headers, to be copied, not changed."""
        if self._built is None:
            self._built = Secret(cast("httpx.Headers", backend.Headers(self._plain.reveal())))
        return self._built.reveal()


@dataclass(slots=True)
class PreparedRequest:
    """A request that is ready to be sent; a header states the total length of chunks."""

    method: str
    url: Secret[str]
    headers: CommonHeaders
    content: Content = field(default=None, repr=False)
    extra_headers: Mapping[str, str] | None = None  # of this request only

    def build(self, backend: ModuleType, extensions: Mapping[str, object]) -> httpx.Request:
        """Return the backend's request, with the headers that the backend adds only to bodies of its own."""
        streams = import_module(f"{__package__}._{backend.__name__}_streams")
        content = b"" if self.content is None else self.content
        if not isinstance(content, bytes):
            stream, length = streams.ChunkStream(content), None
        else:
            stream, length = streams.BufferedStream(content) if content else streams.EMPTY, len(content)
        request = cast(
            "httpx.Request",
            backend.Request(
                self.method,
                self.url.reveal(),
                headers=self.headers.build(backend),  # the request copies them
                stream=stream,
                extensions=extensions,
            ),
        )
        if length == 0:
            request.read()  # so that it has an empty content: httpx-aiohttp sends a stream as a chunked body
        if self.extra_headers:
            request.headers.update(self.extra_headers)
        if length is None:
            request.headers["Host"] = request.url.netloc.decode("ascii")
        elif length or self.method in METHODS_WITH_LENGTH:
            request.headers["Content-Length"] = str(length)
        return request


class SingleChunk:
    """Iterates over one chunk. A generator would have to be closed, which nobody does after a cancellation."""

    def __init__(self, chunk: bytes) -> None:
        self._chunks = [chunk]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.pop()
