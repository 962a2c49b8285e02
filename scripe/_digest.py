"""The MD5 of what is sent, made in a thread beside the sending: hashlib lets go of the interpreter while it works.

It is the slowest part of an upload to a machine nearby, and costs nothing on any slower network.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from contextlib import suppress

QUEUE_SIZE = 1
"""Blocks that may wait for the thread, and take up memory meanwhile."""


class Digest:
    """The MD5 of blocks, taken in their order. The first is digested at once: a small file needs no thread."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._queue: queue.Queue[bytes] = queue.Queue(QUEUE_SIZE)
        self._thread: threading.Thread | None = None
        self._has_begun = False

    def update(self, block: bytes) -> None:
        if self._thread is None and (not self._has_begun or not self._start_thread()):
            self._has_begun = True
            self._md5.update(block)
        else:
            self._queue.put(block)

    def _start_thread(self) -> bool:
        """Whether there is a thread now; a machine that has no room for another does without."""
        thread = threading.Thread(target=self._hash_queued_blocks, name="scripe-digest", daemon=True)
        with suppress(RuntimeError):
            thread.start()
            self._thread = thread
        return self._thread is not None

    def close(self) -> None:
        """Let the thread end what it has, and wait for that."""
        if self._thread is not None:
            self._queue.put(b"")
            self._thread.join()
            self._thread = None

    def hexdigest(self) -> str:
        self.close()
        return self._md5.hexdigest()

    def _hash_queued_blocks(self) -> None:
        while block := self._queue.get():
            self._md5.update(block)
