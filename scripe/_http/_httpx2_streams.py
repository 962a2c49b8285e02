"""Request bodies for httpx2.

The streams of httpx2 are async generators. Nobody closes such a generator when its call is cancelled, and trio warns
about each of them. These streams return plain iterators, which need no closing.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import cast

import httpx2

from .prepared_request import SingleChunk


class BufferedStream(httpx2.ByteStream):
    """A body that is held in memory."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return SingleChunk(self._content)


EMPTY = BufferedStream(b"")


class ChunkStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that is read chunk by chunk while it is sent, sync or async."""

    def __init__(self, chunks: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(cast("Iterable[bytes]", self._chunks))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(cast("AsyncIterable[bytes]", self._chunks))
