"""The MD5 beside the sending: the right one, in order, and no thread is left."""

from __future__ import annotations

import hashlib
import threading

import pytest

from scripe._digest import Digest


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "scripe-digest"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_it_is_the_md5_of_all_blocks_in_their_order(count: int) -> None:
    blocks = [bytes([each]) * (1000 + each) for each in range(count)]
    digest = Digest()
    for block in blocks:
        digest.update(block)
    assert digest.hexdigest() == hashlib.md5(b"".join(blocks), usedforsecurity=False).hexdigest()
    assert digest.hexdigest() == hashlib.md5(b"".join(blocks), usedforsecurity=False).hexdigest()
    assert workers() == []


def test_a_single_block_needs_no_thread() -> None:
    digest = Digest()
    digest.update(b"x" * 1_000_000)
    assert workers() == []
    digest.update(b"x")
    assert workers() == ["scripe-digest"]
    digest.close()
    assert workers() == []


def test_one_that_is_left_half_way_ends_its_thread() -> None:
    digest = Digest()
    for _ in range(5):
        digest.update(b"x" * 1_000_000)
    digest.close()
    digest.close()
    assert workers() == []


def test_where_no_thread_can_be_started_it_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    digest = Digest()
    for _ in range(3):
        digest.update(b"x")
    assert digest.hexdigest() == hashlib.md5(b"xxx", usedforsecurity=False).hexdigest()
