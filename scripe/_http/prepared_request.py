"""One request, before it is the engine's.

Requests are built by hand: `client.build_request` takes five times as long, for defaults that are none of ours.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Self, TypeAlias, cast

from .._core.config import Secret

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

Content: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes] | None

_ALWAYS_WITH_LENGTH = ("POST", "PUT", "PATCH")


class CommonHeaders:
    """Headers that many requests have in common, the key among them: built once, then copied."""

    __slots__ = ("_built", "_plain")

    def __init__(self, plain: Mapping[str, str]) -> None:
        self._plain = Secret(plain)
        self._built: Secret[httpx.Headers] | None = None

    def build(self, family: ModuleType) -> httpx.Headers:
        """The family's own, to be copied, not changed."""
        if self._built is None:
            self._built = Secret(cast("httpx.Headers", family.Headers(self._plain.reveal())))
        return self._built.reveal()


@dataclass(slots=True)
class PreparedRequest:
    """What is to be sent.

    Attributes:
        method: HTTP method.
        url: where to, query included.
        headers: those that it has in common with others.
        content: the body: whole, or in blocks, whose length a header then tells.
        own: headers of this request alone.

    """

    method: str
    url: Secret[str]
    headers: CommonHeaders
    content: Content = field(default=None, repr=False)
    extra_headers: Mapping[str, str] | None = None

    @property
    def is_buffered(self) -> bool:
        return self.content is None or isinstance(self.content, bytes)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        scheme, _, rest = self.url.reveal().partition("://")
        return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}"

    def build(self, family: ModuleType, timeouts: Mapping[str, float | None]) -> httpx.Request:
        name, content, is_whole = family.__name__, self.content, self.is_buffered
        request = cast(
            "httpx.Request",
            family.Request(
                self.method,
                self.url.reveal(),
                headers=self.headers.build(family),  # of which it makes a copy
                stream=_whole(name)(content or b"") if is_whole else _blocks(name)(content),
                extensions={"timeout": timeouts},
            ),
        )
        if self.extra_headers:
            request.headers.update(self.extra_headers)
        _complete(request, is_whole=is_whole)
        return request


def _complete(request: httpx.Request, *, is_whole: bool) -> None:
    """Add what the engine would, had it not been given a stream. Whole bodies go to the API, whose host is known."""
    if not is_whole:
        request.headers["Host"] = request.url.netloc.decode("ascii")
        return
    length = len(request.read())
    if length or request.method in _ALWAYS_WITH_LENGTH:
        request.headers["Content-Length"] = str(length)


# Bodies are iterated by objects of ours: the family's are generators, which nobody closes when a call is cancelled.


class _Once:
    """One block, and then the end."""

    def __init__(self, block: bytes) -> None:
        self._left = [block]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


@cache
def _whole(family: str) -> Callable[[object], object]:
    names = import_module(family)

    class Whole(names.ByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, whole: bytes) -> None:
            super().__init__(whole)  # pyright: ignore[reportUnknownMemberType]
            self._whole = whole

        def __aiter__(self) -> AsyncIterator[bytes]:
            return _Once(self._whole)

    return cast("Callable[[object], object]", Whole)


@cache
def _blocks(family: str) -> Callable[[object], object]:
    names = import_module(family)

    class Blocks(names.SyncByteStream, names.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, blocks: object) -> None:
            self._blocks = blocks

        def __iter__(self) -> Iterator[bytes]:
            return iter(cast("Iterable[bytes]", self._blocks))

        def __aiter__(self) -> AsyncIterator[bytes]:
            return aiter(cast("AsyncIterable[bytes]", self._blocks))

    return Blocks
