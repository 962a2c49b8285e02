"""The body of a response as it arrives: inflated, and bounded in size, memory and time.

A few kilobytes of gzip may hold gigabytes of zeros, gigabytes of gzip may hold nothing, and an error may have no end.
So what comes in is bounded as well as what is kept. Of errors the beginning is enough; a success beyond the limit is
not one of the API's.
"""

from __future__ import annotations

import io
import zlib
from contextlib import suppress

MAX_SUCCESS_BYTES = 64 * 1024 * 1024
"""Bytes of a success; the largest that the API's pages speak of is a text of 1 MB, or a page of 200 objects."""

MAX_ERROR_BYTES = 1024 * 1024
"""Bytes of an error's body that are kept; what follows is not read."""

INPUT_SLACK = 64 * 1024
"""Bytes that may come in beyond the limit: heads and ends of what is compressed."""

MAX_MEMBERS = 1000
"""Members of a gzip body, each of which costs time, even an empty one."""

PIECE_SIZE = 64 * 1024
"""Bytes that are inflated at once: what follows the end of a member is copied, so a piece must not be large."""

_COMPRESSED = ("gzip", "x-gzip", "deflate")
_GZIP = b"\x1f\x8b"
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # gzip or zlib, as its own head says
_RAW_DEFLATE = -zlib.MAX_WBITS  # what some servers take `deflate` for


class BodyError(ValueError):
    """The body is not encoded as its headers say."""


class Body:
    """One body, block by block; what it takes in and what it keeps are both bounded."""

    def __init__(self, encoding: str | None, limit: int) -> None:
        self._encoding = (encoding or "identity").strip().lower()
        self._remaining_output = limit
        self._remaining_input = limit + INPUT_SLACK
        self._content = io.BytesIO()
        self._first_bytes = b""
        self._members = 1
        self._is_ended = False
        self._inflater = None
        if self._encoding in _COMPRESSED:
            self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
        elif self._encoding != "identity":
            raise BodyError(f"Content-Encoding is {self._encoding[:40]!r}, which was not asked for")

    @property
    def is_full(self) -> bool:
        """Whether the rest need not come: a limit is reached, or what was compressed has ended."""
        return self._is_ended or self._remaining_output <= 0 or self._remaining_input <= 0

    def feed(self, block: bytes) -> None:
        """Add the next block.

        Raises:
            BodyError: the body is not encoded as its headers say.

        """
        self._remaining_input -= len(block)
        if self._inflater is None:
            self._append(block)
        for start in range(0, len(block) if self._inflater else 0, PIECE_SIZE):
            self._inflate(block[start : start + PIECE_SIZE])

    def finish(self) -> bytes:
        """Return all of it, up to the limit.

        Raises:
            BodyError: what was compressed ends too early.

        """
        is_cut = self._inflater is not None and self._first_bytes and not self._inflater.eof
        if is_cut and not self.is_full:
            raise BodyError(f"the {self._encoding} body is cut")
        return self._content.getvalue()

    def _append(self, chunk: bytes) -> None:
        self._content.write(chunk[: self._remaining_output])
        self._remaining_output -= len(chunk)

    def _inflate(self, piece: bytes) -> None:
        while piece and not self.is_full:
            assert self._inflater is not None
            if self._inflater.eof and not self._begins_gzip_member(piece):
                self._is_ended = True
                return
            try:
                inflated = self._inflater.decompress(piece, self._remaining_output)
            except zlib.error:
                inflated = self._inflate_raw(piece)
            if len(self._first_bytes) < 2:
                self._first_bytes += piece[:2]
            self._append(inflated)
            piece = self._inflater.unused_data

    def _begins_gzip_member(self, piece: bytes) -> bool:
        """Go on with another gzip member, of which a body may have several; anything else is not part of it."""
        if self._encoding == "deflate" or not piece.startswith(_GZIP[: len(piece)]):
            return False
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BodyError(f"the gzip body has more than {MAX_MEMBERS:,} members")
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
        return True

    def _inflate_raw(self, piece: bytes) -> bytes:
        """Inflate what `deflate` means to some servers; it shows within the first two bytes."""
        if self._encoding == "deflate" and len(self._first_bytes) < 2:
            self._inflater = zlib.decompressobj(_RAW_DEFLATE)
            with suppress(zlib.error):
                return self._inflater.decompress(self._first_bytes + piece, self._remaining_output)
        raise BodyError(f"the body is not {self._encoding}, though Content-Encoding says so")
