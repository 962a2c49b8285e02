"""Blocking work that its caller can walk away from: in a thread of its own, which ends when it can.

What is sent is still read by the caller's own thread, where the callbacks of a sync client belong.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class LeftError(Exception):
    """Whoever reads the blocks has walked away."""


@dataclass(slots=True)
class _Ended(Generic[T]):
    returned: T | None = None
    raised: BaseException | None = None


class _Wanted:
    """The worker asks for the next block."""


class Relay:
    """Blocks for the worker, each fetched by the caller's thread when it is asked for."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._answers: queue.SimpleQueue[bytes | BaseException | None] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._ask()
        block = self._answers.get()
        if isinstance(block, BaseException):
            raise block
        if block is None:
            raise StopIteration
        return block

    def fetch(self, blocks: Iterator[bytes]) -> None:
        try:
            self._answers.put(next(blocks, None))
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker ends with it, and then the caller
            self._answers.put(error)

    def leave(self) -> None:
        self._answers.put(LeftError())


def hurried(
    seconds: float,
    work: Callable[[bytes | Iterable[bytes] | None], T],
    content: bytes | Iterable[bytes] | None,
    on_leaving: Callable[[], None],
) -> T | None:
    """What the work returns for the content; None if it takes longer, and goes on without its caller."""
    told: queue.SimpleQueue[_Wanted | _Ended[T]] = queue.SimpleQueue()
    relay = Relay(lambda: told.put(_Wanted()))
    is_whole = content is None or isinstance(content, bytes)
    blocks: Iterator[bytes] = iter(()) if content is None or isinstance(content, bytes) else iter(content)

    def run() -> None:
        try:
            told.put(_Ended(work(content if is_whole else relay)))
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            told.put(_Ended(raised=error))

    threading.Thread(
        target=contextvars.copy_context().run, args=(run,), name="scripe-call", daemon=True
    ).start()
    until = time.monotonic() + seconds
    try:
        while isinstance(news := told.get(timeout=max(0.0, until - time.monotonic())), _Wanted):
            relay.fetch(blocks)
    except BaseException as error:
        on_leaving()
        relay.leave()
        if isinstance(error, queue.Empty):
            return None
        raise
    if news.raised is not None:
        raise news.raised
    return news.returned
