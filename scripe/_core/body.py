"""The body of a response as it arrives: inflated, and bounded in size, memory and time.

A few kilobytes of gzip may hold gigabytes of zeros, gigabytes of gzip may hold nothing, and an error may have no end.
So what comes in is bounded as well as what is kept. Of errors the beginning is enough; a success beyond the limit is
not one of the API's.
"""

from __future__ import annotations

import io
import zlib
from contextlib import suppress

SUCCESS_LIMIT = 64 * 1024 * 1024
"""Bytes of a success; the largest that the API's pages speak of is a text of 1 MB, or a page of 200 objects."""

ERROR_LIMIT = 1024 * 1024
"""Bytes of an error's body that are kept; what follows is not read."""

SLACK = 64 * 1024
"""Bytes that may come in beyond the limit: heads and ends of what is compressed."""

MAX_MEMBERS = 1000
"""Members of a gzip body, each of which costs time, even an empty one."""

PIECE = 64 * 1024
"""Bytes that are inflated at once: what follows the end of a member is copied, so a piece must not be large."""

_COMPRESSED = ("gzip", "x-gzip", "deflate")
_GZIP = b"\x1f\x8b"
_EITHER = 32 + zlib.MAX_WBITS  # gzip or zlib, as its own head says
_BARE = -zlib.MAX_WBITS  # what some servers take `deflate` for


class BodyError(ValueError):
    """The body is not encoded as its headers say."""


class Body:
    """One body, block by block; what it takes in and what it keeps are both bounded."""

    def __init__(self, encoding: str | None, limit: int) -> None:
        self._encoding = (encoding or "identity").strip().lower()
        self._left = limit
        self._left_to_come = limit + SLACK
        self._kept = io.BytesIO()
        self._head = b""
        self._members = 1
        self._is_ended = False
        self._inflater = None
        if self._encoding in _COMPRESSED:
            self._inflater = zlib.decompressobj(_EITHER)
        elif self._encoding != "identity":
            raise BodyError(f"Content-Encoding is {self._encoding[:40]!r}, which was not asked for")

    @property
    def is_full(self) -> bool:
        """Whether the rest need not come: a limit is reached, or what was compressed has ended."""
        return self._is_ended or self._left <= 0 or self._left_to_come <= 0

    def feed(self, block: bytes) -> None:
        """Add the next block.

        Raises:
            BodyError: the body is not encoded as its headers say.

        """
        self._left_to_come -= len(block)
        if self._inflater is None:
            self._append(block)
        for start in range(0, len(block) if self._inflater else 0, PIECE):
            self._inflate(block[start : start + PIECE])

    def finish(self) -> bytes:
        """Return all of it, up to the limit.

        Raises:
            BodyError: what was compressed ends too early.

        """
        is_cut = self._inflater is not None and self._head and not self._inflater.eof
        if is_cut and not self.is_full:
            raise BodyError(f"the {self._encoding} body is cut")
        return self._kept.getvalue()

    def _append(self, found: bytes) -> None:
        self._kept.write(found[: self._left])
        self._left -= len(found)

    def _inflate(self, piece: bytes) -> None:
        while piece and not self.is_full:
            assert self._inflater is not None
            if self._inflater.eof and not self._begins_gzip_member(piece):
                self._is_ended = True
                return
            try:
                found = self._inflater.decompress(piece, self._left)
            except zlib.error:
                found = self._inflate_bare(piece)
            if len(self._head) < 2:
                self._head += piece[:2]
            self._append(found)
            piece = self._inflater.unused_data

    def _begins_gzip_member(self, piece: bytes) -> bool:
        """Go on with another gzip member, of which a body may have several; anything else is not part of it."""
        if self._encoding == "deflate" or not piece.startswith(_GZIP[: len(piece)]):
            return False
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BodyError(f"the gzip body has more than {MAX_MEMBERS:,} members")
        self._inflater = zlib.decompressobj(_EITHER)
        return True

    def _inflate_bare(self, piece: bytes) -> bytes:
        """Inflate what `deflate` means to some servers; it shows within the first two bytes."""
        if self._encoding == "deflate" and len(self._head) < 2:
            self._inflater = zlib.decompressobj(_BARE)
            with suppress(zlib.error):
                return self._inflater.decompress(self._head + piece, self._left)
        raise BodyError(f"the body is not {self._encoding}, though Content-Encoding says so")
