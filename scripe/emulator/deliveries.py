"""The way of an event to its endpoint: recorded always, and POSTed to this machine when that was asked for."""

import http.client
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from scripe.emulator.addresses import is_loopback
from scripe.emulator.wire import JsonObject, encode

TIMEOUT = 5.0
LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Delivery:
    """One event on its way to one endpoint; the form of body and headers is a guess of the emulator's.

    Attributes:
        id: the event's id, also in its body.
        event: its name, such as ``post.created``.
        endpoint_id: the endpoint that hears of it.
        url: where it goes.
        secret_last4: the end of the endpoint's secret when the event happened.
        body: what is sent.
        status: the status answered, None when nothing was sent or nothing came back.
        error: what went wrong on the way, if anything.

    """

    id: str
    event: str
    endpoint_id: str
    url: str
    secret_last4: str
    body: JsonObject
    status: int | None = None
    error: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The header fields sent."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "scripe-emulator",
            "X-Scripe-Emulator-Event": self.event,
            "X-Scripe-Emulator-Delivery": self.id,
        }


class Courier:
    """Sends deliveries to loopback addresses, one after the other, from a thread of its own; each is tried once.

    Nobody may be looking while a job ends or a post's hour comes, so the thread looks too.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def send(self, delivery: Delivery) -> None:
        """Take a delivery; without a thread it stays unsent."""
        if self._thread is not None:
            self._queue.put(delivery)

    def start(self, look: Callable[[], None]) -> None:
        """Start the thread; `look` moves on what changes by itself."""
        self._thread = threading.Thread(
            target=self._run, args=(look,), name="scripe-emulator-courier", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, and end the thread if there is one."""
        if self._thread is not None:
            self._queue.put(None)
            with suppress(RuntimeError):  # the last reference may go away on that very thread
                self._thread.join()

    def _run(self, look: Callable[[], None]) -> None:
        while True:
            try:
                delivery = self._queue.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                look()
                continue
            if delivery is None:
                return
            _deliver(delivery)


def _deliver(delivery: Delivery) -> None:
    address = urlsplit(delivery.url)
    if address.scheme != "http" or not is_loopback(address.hostname or ""):
        delivery.error = "not sent: the emulator delivers to loopback addresses only"
        return
    try:
        delivery.status = _post(
            delivery, address.netloc, f"{address.path or '/'}?{address.query}".rstrip("?")
        )
    except (OSError, http.client.HTTPException) as error:
        delivery.error = f"{type(error).__name__}: {error}"


def _post(delivery: Delivery, host: str, path: str) -> int:
    connection = http.client.HTTPConnection(host, timeout=TIMEOUT)
    try:
        connection.request("POST", path, encode(delivery.body), delivery.headers)
        with connection.getresponse() as answer:
            answer.read()
            return answer.status
    finally:
        connection.close()
