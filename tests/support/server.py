"""A real HTTP server on loopback that answers by script, byte for byte, and notes what it was sent."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias, cast


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool = True
    at: float = field(default_factory=time.monotonic)
    head: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def json(self) -> dict[str, object]:
        return cast("dict[str, object]", json.loads(self.body))


@dataclass(frozen=True)
class Reply:
    """An answer. `cut` sends so many bytes of the body and breaks off; `hold` waits before it; `trailer` follows it."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: int | None = None
    hold: float = 0.0
    pace: float = 0.0
    trailer: bytes = b""
    is_slow_from_its_head: bool = False


BREAK = Reply(status=0)
"""No answer at all: the connection breaks."""

Step: TypeAlias = Reply | Callable[[Received], Reply]


def json_reply(value: object, status: int = 200, /, **headers: str) -> Reply:
    """A JSON answer; names of headers are spelled with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


def error(status: int, code: str = "", **headers: str) -> Reply:
    """The API's error envelope."""
    said = {"code": code, "message": f"told as {code}", "request_id": "req_told", "docs_url": "https://docs/"}
    return json_reply({"error": said}, status, **headers)


class ScriptedServer:
    """Answers requests in turn from a script, then with its last step for ever."""

    def __init__(self, *steps: Step, body_limit: int | None = None) -> None:
        self.steps: list[Step] = list(steps)
        self.received: list[Received] = []
        self.connections = 0
        self._body_limit = body_limit
        self._lock = threading.Lock()
        self._is_released = threading.Event()
        scripted = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                scripted.connections += 1
                while scripted.serve_one(self):
                    pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def open_connections(self) -> int:
        return self._server.count()

    def script(self, *steps: Step) -> None:
        self.steps = list(steps)

    def bodies(self) -> set[bytes]:
        return {each.body for each in self.received}

    def sent(self, header: str) -> list[str | None]:
        return [each.headers.get(header) for each in self.received]

    def release(self) -> None:
        """Send at once whatever waits for its `hold` or its `pace`, now and later."""
        self._is_released.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.break_all()
        self._server.server_close()
        self._thread.join()

    def serve_one(self, handler: socketserver.StreamRequestHandler) -> bool:
        try:
            request = self._read(handler)
        except (OSError, ValueError):
            return False
        if request is None:
            return False
        with self._lock:
            self.received.append(request)
            step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if not request.is_whole and self._body_limit is None:
            return False
        reply = step(request) if callable(step) else step
        try:
            return self._write(handler, reply) and request.is_whole
        except OSError:
            return False

    def _read(self, handler: socketserver.StreamRequestHandler) -> Received | None:
        head = handler.rfile.readline()
        line = head.decode("latin-1").split()
        if len(line) < 2:
            return None
        headers: dict[str, str] = {}
        while (raw := handler.rfile.readline()).strip():
            name, _, value = raw.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
            head += raw
        length = int(headers.get("content-length", "0"))
        body = handler.rfile.read(length if self._body_limit is None else min(length, self._body_limit))
        return Received(line[0], line[1], headers, body, is_whole=len(body) == length, head=head + raw)

    def _write(self, handler: socketserver.StreamRequestHandler, reply: Reply) -> bool:
        if reply.hold:
            self._is_released.wait(reply.hold)
        if reply.status == 0:
            return False
        lines = [f"HTTP/1.1 {reply.status} Scripted", f"Content-Length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if reply.trailer:
            handler.wfile.write(head + reply.body + reply.trailer)
            return True
        body = reply.body if reply.cut is None else reply.body[: reply.cut]
        if reply.is_slow_from_its_head:
            body = head + body
        else:
            handler.wfile.write(head)
        for piece in _pieces(body, reply.pace):
            handler.wfile.write(piece)
            self._is_released.wait(reply.pace)
        return reply.cut is None


def _pieces(body: bytes, pace: float) -> Iterable[bytes]:
    return [body] if not pace else [body[at : at + 1] for at in range(len(body))]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[socketserver.StreamRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.discard(request)
        super().shutdown_request(request)

    def count(self) -> int:
        return len(self._open)

    def break_all(self) -> None:
        for each in list(self._open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
