"""Look up a name, and give up after some seconds: the operating system itself may take a minute or more."""

from __future__ import annotations

import queue
import socket
import threading


def look_up(host: str, port: int | str, seconds: float) -> int:
    """Return the number of addresses of a host.

    Raises:
        OSError: there is none, or no response in time.

    """
    outcome: queue.SimpleQueue[int | OSError] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put(len(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            outcome.put(error)

    # Nothing can interrupt the look-up: a thread that is a daemon may be left behind.
    threading.Thread(target=work, name="scripe-name-look-up", daemon=True).start()
    try:
        found = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(None, f"no response within {seconds:g} s") from None
    if isinstance(found, OSError):
        raise found
    return found
