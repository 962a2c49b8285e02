"""Bodies as they arrive: decompressed, and limited in size."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe._core.body import MAX_SUCCESS_BYTES, Body, BodyError

WORDS = b'{"data": "Nobody buys features."}' * 50


def raw_deflate(text: bytes) -> bytes:
    squeezed = zlib.compressobj(wbits=-15)
    return squeezed.compress(text) + squeezed.flush()


def decompress(encoding: str | None, sent: bytes, limit: int = 1_000_000, size: int = 7) -> bytes:
    body = Body(encoding, limit)
    for start in range(0, len(sent), size):
        body.feed(sent[start : start + size])
        if body.is_full:
            break
    return body.finish()


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        (None, WORDS),
        ("identity", WORDS),
        (" GZIP ", gzip.compress(WORDS)),
        ("x-gzip", gzip.compress(WORDS)),
        ("deflate", zlib.compress(WORDS)),
        ("deflate", raw_deflate(WORDS)),
        ("gzip", gzip.compress(WORDS) + b"what follows is not part of it"),
        ("gzip", gzip.compress(WORDS) + bytes(100)),
        ("gzip", gzip.compress(WORDS[:700]) + gzip.compress(b"") + gzip.compress(WORDS[700:])),
        ("deflate", zlib.compress(WORDS) + zlib.compress(b"another")),
    ],
    ids=[
        "no encoding",
        "identity",
        "GZIP in capitals",
        "x-gzip",
        "deflate",
        "deflate without a header",
        "gzip with a tail",
        "gzip with zeros after it",
        "gzip in three members",
        "deflate twice",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_was_sent_comes_out(encoding: str | None, sent: bytes, size: int) -> None:
    assert decompress(encoding, sent, size=size) == WORDS


def test_an_empty_body_is_empty_whatever_its_encoding() -> None:
    assert decompress("gzip", b"") == b""


def test_a_body_is_cut_at_its_limit() -> None:
    assert decompress(None, WORDS, limit=100) == WORDS[:100]
    assert decompress("gzip", gzip.compress(WORDS), limit=100) == WORDS[:100]


@given(st.binary(max_size=300), st.integers(1, 400), st.integers(1, 50))
def test_never_more_than_the_limit(text: bytes, limit: int, size: int) -> None:
    assert decompress("gzip", gzip.compress(text), limit, size) == text[:limit]
    assert decompress(None, text, limit, size) == text[:limit]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_is_not_encoded_as_its_header_says_is_refused(encoding: str) -> None:
    with pytest.raises(BodyError, match="Content-Encoding"):
        decompress(encoding, WORDS, size=1000)


def test_a_compressed_body_that_ends_too_early_is_refused() -> None:
    with pytest.raises(BodyError, match="gzip"):
        decompress("gzip", gzip.compress(WORDS)[:-10])


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(BodyError, match="'br'"):
        Body("br", 100)


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000)
    tracemalloc.start()
    try:
        assert len(decompress("gzip", bomb, limit=1_000_000, size=len(bomb))) == 1_000_000
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"


def test_a_body_that_inflates_to_nothing_is_limited_in_memory_and_time() -> None:
    """40 MB that hold nothing: memory does not grow, and time grows with the bytes, not with their square."""
    head = gzip.compress(b"")[:10]
    tracemalloc.start()
    body = Body("gzip", MAX_SUCCESS_BYTES)
    body.feed(head)
    for _ in range(640):
        body.feed(EMPTY_BLOCK * 13_107)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    with pytest.raises(BodyError, match="gzip"):
        body.finish()


def test_bytes_without_end_after_a_finished_gzip_are_not_read() -> None:
    body = Body("gzip", MAX_SUCCESS_BYTES)
    body.feed(gzip.compress(WORDS))
    assert not body.is_full
    body.feed(b"x" * 10)
    assert body.is_full
    assert body.finish() == WORDS


def test_what_comes_in_is_bounded_though_nothing_comes_out() -> None:
    body = Body("gzip", 100)
    body.feed(gzip.compress(b"")[:10])
    count = 0
    while not body.is_full:
        body.feed(EMPTY_BLOCK * 1000)
        count += 1
    assert count < 20
    assert body.finish() == b""


def test_members_without_end_are_refused() -> None:
    body = Body("gzip", MAX_SUCCESS_BYTES)
    with pytest.raises(BodyError, match="1,000"):
        body.feed(gzip.compress(b"") * 100_000)


def test_a_body_in_many_small_blocks_takes_no_more_memory_than_its_size() -> None:
    tracemalloc.start()
    body = Body(None, MAX_SUCCESS_BYTES)
    for _ in range(500_000):
        body.feed(b"x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(body.finish()) == 500_000
    assert peak < 1_500_000
