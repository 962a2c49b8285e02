"""The body of an answer as it arrives: inflated, and no larger than is good for us.

A few kilobytes of gzip may hold gigabytes of zeros, and an error may have no end: what is kept is bounded, whatever is
sent. Of errors the beginning is enough; a success beyond the limit is none of the API's.
"""

from __future__ import annotations

import zlib
from contextlib import suppress

SUCCESS_LIMIT = 64 * 1024 * 1024
"""Bytes of a success; the largest that the API's pages speak of is a text of 1 MB, or a page of 200 objects."""

ERROR_LIMIT = 1024 * 1024
"""Bytes of an error's body that are kept; what follows is not read."""

_EITHER = 32 + zlib.MAX_WBITS  # gzip or zlib, as its own head says
_BARE = -zlib.MAX_WBITS  # what some servers take `deflate` for


class BodyError(ValueError):
    """The body is not encoded as its headers say."""


class Body:
    """One body, block by block."""

    def __init__(self, encoding: str | None, limit: int) -> None:
        self._encoding = (encoding or "identity").strip().lower()
        self._left = limit
        self._blocks: list[bytes] = []
        self._head = b""
        self._inflater = None
        if self._encoding in ("gzip", "x-gzip", "deflate"):
            self._inflater = zlib.decompressobj(_EITHER)
        elif self._encoding != "identity":
            raise BodyError(f"Content-Encoding is {self._encoding[:40]!r}, which was not asked for")

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached, and the rest need not come."""
        return self._left <= 0

    def take(self, block: bytes) -> None:
        found = block if self._inflater is None else self._inflated(block)
        self._blocks.append(found[: self._left])
        self._left -= len(found)

    def whole(self) -> bytes:
        """All of it, up to the limit.

        Raises:
            BodyError: what was compressed ends too early.

        """
        is_cut = self._inflater is not None and self._blocks and not self._inflater.eof
        if is_cut and not self.is_full:
            raise BodyError(f"the {self._encoding} body is cut")
        return b"".join(self._blocks)

    def _inflated(self, block: bytes) -> bytes:
        assert self._inflater is not None
        if self._inflater.eof:
            return b""
        try:
            found = self._inflater.decompress(block, max(1, self._left))
        except zlib.error:
            found = self._inflated_bare(block)
        self._head = b"" if found else self._head + block
        return found

    def _inflated_bare(self, block: bytes) -> bytes:
        """What `deflate` means to some servers; it shows within the first bytes, before anything came out."""
        if self._encoding == "deflate" and not any(self._blocks):
            self._inflater = zlib.decompressobj(_BARE)
            with suppress(zlib.error):
                return self._inflater.decompress(self._head + block, max(1, self._left))
        raise BodyError(f"the body is not {self._encoding}, though Content-Encoding says so")
