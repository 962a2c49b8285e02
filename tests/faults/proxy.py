"""A proxy on loopback that stands between a client and a server, and mistreats the requests that it is told to.

It reads one request at a time and hands it to a fault, which decides what becomes of it: whether the server sees
it, and what the client is told. Without a fault the request and its answer pass unchanged. All that is random comes
from a seed.
"""

from __future__ import annotations

import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

LONGEST = 20.0  # seconds that any socket of the proxy waits: a test must end
_RESET = struct.pack("ii", 1, 0)


class GoneError(Exception):
    """The connection of this exchange is over."""


@dataclass(frozen=True)
class Sent:
    """What passed on to the server."""

    method: str
    path: str


class Wire:
    """A socket, with what was read of it beyond what was asked for."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._read = b""

    def until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._more()
        found, _, self._read = self._read.partition(mark)
        return found + mark

    def exactly(self, count: int) -> bytes:
        while len(self._read) < count:
            self._more()
        found, self._read = self._read[:count], self._read[count:]
        return found

    def _more(self) -> None:
        block = self.socket.recv(65536)
        if not block:
            raise GoneError
        self._read += block


class Exchange:
    """One request under way. A fault says what becomes of it, with the verbs below."""

    def __init__(self, proxy: FaultProxy, client: Wire, head: bytes, chance: random.Random) -> None:
        self._proxy = proxy
        self._client = client
        self.head = head
        self.random = chance
        self.method, self.target = head.split(b" ", 2)[:2]
        self._length = _length(head)

    def take(self, share: float = 1.0) -> bytes:
        """Read the body of the request, or a share of it."""
        return self._client.exactly(int(self._length * share))

    def forward(self, times: int = 1) -> bytes:
        """Let the server do it; its last answer, as it came over the wire."""
        body = self.take()
        return [self._proxy.forwarded(self, body) for _ in range(times)][-1]

    def send(self, raw: bytes) -> None:
        self._client.socket.sendall(raw)

    def reset(self) -> None:
        """End the connection as a crash does: what is under way is lost."""
        self._client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close()

    def close(self) -> None:
        """End the connection in good order, wherever the answer stands (over TLS, as a cut does)."""
        raise GoneError

    def hang(self) -> None:
        """Say nothing until the client goes away."""
        while self._client.socket.recv(65536):
            pass
        self.close()

    def is_over(self) -> bool:
        """Whether the proxy means to do no more of this."""
        return self._proxy.is_stopping or not self._proxy.is_unkind


Act: TypeAlias = Callable[[Exchange], None]


class FaultProxy:
    """The proxy: give it a fault with `meet`, and read what reached the server from `sent`."""

    def __init__(
        self, upstream: tuple[str, int], *, seed: str = "", context: ssl.SSLContext | None = None
    ) -> None:
        self._upstream = upstream
        self._context = context
        self._random = random.Random(seed)
        self._act: Act | None = None
        self._skip = 0
        self._times = 0
        self._on_connect = False
        self._spares: Callable[[Exchange], bool] = lambda _: False
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._forwarding = 0
        self.sent: list[Sent] = []
        self.met = 0
        self.is_stopping = False
        self._port = 0
        self._listen()

    @property
    def origin(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def meet(
        self,
        act: Act | None,
        *,
        skip: int = 0,
        times: int = 1,
        on_connect: bool = False,
        spares: Callable[[Exchange], bool] = lambda _: False,
    ) -> None:
        """Let this fault meet so many requests after the next few; None lets all pass."""
        with self._lock:
            self._act, self._skip, self._times = act, skip, times
            self._on_connect, self._spares = on_connect, spares

    @property
    def is_unkind(self) -> bool:
        return self._act is not None

    def seed(self, seed: str) -> None:
        self._random.seed(seed)
        self.sent, self.met = [], 0

    def refuse_for(self, seconds: float) -> None:
        """Have no one listen for a while: connections are refused."""
        self._stop_listening()
        self._break_all()
        waiter = threading.Timer(seconds, self._listen)
        waiter.daemon = True
        waiter.start()

    def open_connections(self) -> int:
        return len(self._connections)

    def settle(self) -> None:
        """Return once nothing is on its way to the server any more."""
        until = time.monotonic() + LONGEST
        while self._forwarding and time.monotonic() < until:
            time.sleep(0.005)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_stopping = True
        self._stop_listening()
        self._break_all()
        for thread in list(self._connections.values()):
            thread.join(LONGEST)

    def forwarded(self, exchange: Exchange, body: bytes) -> bytes:
        """One request to the server on a connection of its own, and the server's whole answer."""
        with self._lock:
            self._forwarding += 1
            path = exchange.target.decode("latin-1").partition("?")[0]
            self.sent.append(Sent(exchange.method.decode("latin-1"), path))
        try:
            with socket.create_connection(self._upstream, timeout=LONGEST) as server:
                server.sendall(exchange.head + body)
                wire = Wire(server)
                head = wire.until(b"\r\n\r\n")
                return self._addressed(head, wire.exactly(_length(head)))
        finally:
            with self._lock:
                self._forwarding -= 1

    def _addressed(self, head: bytes, body: bytes) -> bytes:
        """The answer, with links to this proxy as its client must follow them."""
        links = body.replace(b"http://127.0.0.1:%d/" % self._port, self.origin.encode() + b"/")
        return head.replace(b"ength: %d\r\n" % len(body), b"ength: %d\r\n" % len(links)) + links

    def _listen(self) -> None:
        if self.is_stopping:
            return
        self._listener = socket.create_server(("127.0.0.1", self._port), backlog=256)
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(LONGEST)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        carried = connection
        try:
            if self._on_connect:
                self._mistreat(Exchange(self, Wire(connection), b"CONNECT / \r\n\r\n", self._random))
            if self._context is not None:
                carried = self._context.wrap_socket(connection, server_side=True)
                carried.settimeout(LONGEST)
            wire = Wire(carried)
            while True:
                self._exchange(wire)
        except (GoneError, OSError, ValueError):
            pass
        finally:
            carried.close()
            connection.close()
            with self._lock:
                del self._connections[connection]

    def _exchange(self, wire: Wire) -> None:
        exchange = Exchange(self, wire, wire.until(b"\r\n\r\n"), self._random)
        if self._on_connect or not self._mistreat(exchange):
            exchange.send(exchange.forward())

    def _mistreat(self, exchange: Exchange) -> bool:
        """Let the fault have this one, if it is its turn."""
        with self._lock:
            act = self._act
            if act is None or self._times == 0 or self._spares(exchange):
                return False
            if self._skip:
                self._skip -= 1
                return False
            self._times -= 1
            self.met += 1
        act(exchange)
        return True

    def _break_all(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0
