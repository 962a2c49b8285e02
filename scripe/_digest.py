"""Compute the MD5 of an upload in a thread, while its blocks are sent.

MD5 is the slowest part of an upload to a server nearby. hashlib releases the interpreter lock while it works, so a
thread beside the sending costs no time. The queue between the two is short: a long one would hold the file in memory.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from contextlib import suppress

QUEUE_SIZE = 1
"""Blocks that may wait for the thread; each takes up memory."""


class Digest:
    """The MD5 of blocks, in their order. The first is hashed at once: small files need no thread."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._queue: queue.Queue[bytes] = queue.Queue(QUEUE_SIZE)
        self._thread: threading.Thread | None = None
        self._has_begun = False

    def update(self, block: bytes) -> None:
        """Add the next block."""
        if self._thread is None and (not self._has_begun or not self._start_thread()):
            self._has_begun = True
            self._md5.update(block)
        else:
            self._queue.put(block)

    def _start_thread(self) -> bool:
        """Start the thread; return False if the machine has no room for another one, which is not an error."""
        thread = threading.Thread(target=self._hash_queued_blocks, name="scripe-digest", daemon=True)
        with suppress(RuntimeError):
            thread.start()
            self._thread = thread
        return self._thread is not None

    def close(self) -> None:
        """Let the thread hash what is queued, and wait for its end."""
        if self._thread is not None:
            self._queue.put(b"")
            self._thread.join()
            self._thread = None

    def hexdigest(self) -> str:
        """Return the MD5 of all blocks."""
        self.close()
        return self._md5.hexdigest()

    def _hash_queued_blocks(self) -> None:
        while block := self._queue.get():
            self._md5.update(block)
