"""Decompress the body of a response as it arrives, and limit its size.

Without limits one response could exhaust memory or run forever:

- a few kilobytes of gzip can hold gigabytes of zeros, so the output is limited;
- gigabytes of gzip can hold nothing at all (empty members), so the input is limited, and the number of members too;
- an error page may have no end, so only its beginning is read.

A success beyond the limit cannot be a response of the API, whose largest are far smaller.
"""

from __future__ import annotations

import io
import zlib
from contextlib import suppress

MAX_SUCCESS_BYTES = 64 * 1024 * 1024
"""Longest body of a success, in bytes. The API's largest are a text of 1 MB, or a page of 200 objects."""

MAX_ERROR_BYTES = 1024 * 1024
"""Bytes of an error's body that are read."""

INPUT_SLACK = 64 * 1024
"""Bytes of input allowed beyond the limit of the output, for headers and trailers of gzip members."""

MAX_MEMBERS = 1000
"""Members that a gzip body may have. Each costs time, even an empty one."""

PIECE_SIZE = 64 * 1024
"""Bytes that are inflated at once. zlib copies what follows the end of a member: in one large piece that would be
quadratic."""

_COMPRESSED = ("gzip", "x-gzip", "deflate")
_GZIP = b"\x1f\x8b"
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib reads from the first bytes which of the two it is
_RAW_DEFLATE = -zlib.MAX_WBITS  # what some servers send as `deflate`, against RFC 9110


class BodyError(ValueError):
    """The body is not encoded as its headers say."""


class Body:
    """Collects one body, block by block; both its input and its output are limited."""

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
            raise BodyError(f"Content-Encoding is {self._encoding[:40]!r}, which the request did not accept")

    @property
    def is_full(self) -> bool:
        """True if the rest need not be read: a limit is reached, or the compressed data has ended."""
        return self._is_ended or self._remaining_output <= 0 or self._remaining_input <= 0

    def feed(self, block: bytes) -> None:
        """Decompress the next block and keep the result; a wrong encoding is a BodyError."""
        self._remaining_input -= len(block)
        if self._inflater is None:
            self._append(block)
        for start in range(0, len(block) if self._inflater else 0, PIECE_SIZE):
            self._inflate(block[start : start + PIECE_SIZE])

    def finish(self) -> bytes:
        """Return the body, up to the limit; compressed data that ends too early is a BodyError."""
        is_cut = self._inflater is not None and self._first_bytes and not self._inflater.eof
        if is_cut and not self.is_full:
            raise BodyError(f"the {self._encoding} body ends too early")
        return self._content.getvalue()

    def _append(self, chunk: bytes) -> None:
        self._content.write(chunk[: self._remaining_output])
        self._remaining_output -= len(chunk)

    def _inflate(self, piece: bytes) -> None:
        while piece and not self.is_full:
            assert self._inflater is not None
            if self._inflater.eof and not self._start_gzip_member(piece):
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

    def _start_gzip_member(self, piece: bytes) -> bool:
        """Start another gzip member if one follows the last; other trailing bytes are not part of the body."""
        if self._encoding == "deflate" or not piece.startswith(_GZIP[: len(piece)]):
            return False
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BodyError(f"the gzip body has more than {MAX_MEMBERS:,} members")
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
        return True

    def _inflate_raw(self, piece: bytes) -> bytes:
        """Inflate a deflate stream without its zlib header, which zlib rejects within the first two bytes."""
        if self._encoding == "deflate" and len(self._first_bytes) < 2:
            self._inflater = zlib.decompressobj(_RAW_DEFLATE)
            with suppress(zlib.error):
                return self._inflater.decompress(self._first_bytes + piece, self._remaining_output)
        raise BodyError(f"Content-Encoding is {self._encoding}, but the body is not")
