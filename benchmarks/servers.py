"""What the contenders talk to: two servers on loopback, each a process, that cost as little as they can.

`answers` gives the same job for any path, and for `/v1/jobs` 500 pages of 200. `sink` takes a PUT of any length and
discards it; its ETag is what it was told, since to compute it would cost more than the rest.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

PAGES = 500
PER_PAGE = 200

# Twelve headers, as real APIs send; the budget never ends. The request id is another one each time.
HEAD = (
    "HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 09:00:00 GMT\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\nConnection: keep-alive\r\n"
    "X-Request-Id: req_{count:020d}\r\nScripe-Api-Version: 2026-08-01\r\n"
    "X-RateLimit-Limit: 1000000\r\nX-RateLimit-Remaining: 999999\r\nX-RateLimit-Reset: 60\r\n"
    "Cache-Control: no-store\r\nStrict-Transport-Security: max-age=63072000\r\nX-Content-Type-Options: nosniff\r\n\r\n"
)
_CURSOR = re.compile(rb"cursor=page_(\d+)")


def job(number: int) -> dict[str, object]:
    """About 600 bytes, with all that a job can hold; the newest comes first."""
    moment = f"{datetime(2026, 5, 28, 23, 59, 59) - timedelta(seconds=number):%Y-%m-%dT%H:%M:%S}.000Z"
    return {
        "id": f"job_{number:020d}",
        "type": "SOURCE_INGEST_FILE",
        "status": "RUNNING",
        "projectId": "proj_01HZX3V7N5T2Q8K4M6P9R1S0",
        "startedAt": moment,
        "completedAt": None,
        "progress": {"progress": 0.42, "message": "Transcribing minute 12 of 28", "updatedAt": moment},
        "result": {"sourceId": "src_01HZX3V7N5T2Q8K4M6P9R1S0"},
        "errorCode": None,
        "errorMessage": None,
        "attemptCount": 1,
        "estimatedCompletionMs": 240_000,
        "createdAt": moment,
        "updatedAt": moment,
    }


def page(number: int) -> bytes:
    has_more = number + 1 < PAGES
    jobs = [job(number * PER_PAGE + each) for each in range(PER_PAGE)]
    cursor = f"page_{number + 1}" if has_more else None
    return json.dumps({"data": jobs, "pagination": {"next_cursor": cursor, "has_more": has_more}}).encode()


def answers(told: Connection, cpu: int | None) -> None:
    """Serve until the process is ended."""
    pin(cpu)
    single = json.dumps({"data": job(1)}).encode()
    pages = [page(number) for number in range(PAGES)]
    counted = itertools.count(1)

    class Answers(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self._transport, self._left = transport, b""

        def data_received(self, data: bytes) -> None:
            *heads, self._left = (self._left + data).split(b"\r\n\r\n")
            for head in heads:
                body = _chosen(head.partition(b"\r\n")[0], single, pages)
                said = HEAD.format(length=len(body), count=next(counted)).encode()
                self._transport.write(said + body)

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def _chosen(line: bytes, single: bytes, pages: list[bytes]) -> bytes:
    if not line.startswith(b"GET /v1/jobs?"):
        return single
    found = _CURSOR.search(line)
    return pages[int(found[1]) if found else 0]


def sink(told: Connection, cpu: int | None, md5: str, certificate: str) -> None:
    """Take and discard until the process is ended."""
    pin(cpu)
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    listening = socket.create_server(("127.0.0.1", 0))
    told.send(listening.getsockname()[1])
    while True:
        accepted = listening.accept()[0]
        threading.Thread(target=_discard, args=(accepted, context, md5), daemon=True).start()


def _discard(accepted: socket.socket, context: ssl.SSLContext | None, md5: str) -> None:
    buffer = bytearray(1024 * 1024)
    connection = context.wrap_socket(accepted, server_side=True) if context else accepted
    with connection, suppress(OSError):
        while head := _head(connection):
            text, _, body = head.partition(b"\r\n\r\n")
            found = re.search(rb"content-length: *(\d+)", text, re.IGNORECASE)
            if b"100-continue" in text.lower():
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            left = int(found[1]) - len(body) if found else 0
            while left > 0:
                left -= connection.recv_into(buffer) or left
            connection.sendall(f'HTTP/1.1 200 OK\r\nETag: "{md5}"\r\nContent-Length: 0\r\n\r\n'.encode())


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        block = connection.recv(65_536)
        if not block:
            return b""
        head += block
    return head


def pin(cpu: int | None) -> None:
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})


@contextmanager
def running(serve: Callable[..., None], *arguments: object) -> Generator[int]:
    """A server in a process of its own; its port."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, *arguments), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


def certificate(folder: Path) -> tuple[str, str]:
    """Paths of a certificate for this machine, and of what vouches for it."""
    import trustme

    authority = trustme.CA()
    own, trust = folder / "own.pem", folder / "trust.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(own))
    authority.cert_pem.write_to_path(str(trust))
    return str(own), str(trust)
