"""A body without end takes no more memory than its limit, as an error and as a success."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from scripe._core.body import MAX_SUCCESS_BYTES

PROGRAM = """
import asyncio, resource, sys
from scripe import AsyncScripe, Scripe, ScripeError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def call(url):
    with Scripe("scripe_sk_test_x", base_url=url, max_retries=0) as client:
        try:
            client.sources.retrieve("src_1")
        except ScripeError as error:
            return type(error).__name__

async def async_invoke(url):
    async with AsyncScripe("scripe_sk_test_x", base_url=url, max_retries=0) as client:
        try:
            await client.sources.retrieve("src_1")
        except ScripeError as error:
            return type(error).__name__

world, url = sys.argv[1:]
run = call if world == "sync" else lambda url: asyncio.run(async_invoke(url))
run(url + "/small")
before = peak()
print(run(url + "/large"), peak() - before)
"""

BLOCK = b"x" * 1_000_000


@contextmanager
def endless(status: int) -> Generator[str]:
    """A server whose answers are a thousand megabytes long, but for small ones."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            target = self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            blocks = 1 if b"/small" in target else 1000
            head = f"HTTP/1.1 {status} Long\r\nContent-Length: {blocks * len(BLOCK)}\r\nConnection: close\r\n\r\n"
            try:
                self.wfile.write(head.encode())
                for _ in range(blocks):
                    self.wfile.write(BLOCK)
            except OSError:
                return

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("world", ["sync", "async"])
@pytest.mark.parametrize(
    ("status", "kind", "megabytes"),
    [(500, "ServerError", 16), (200, "APIResponseValidationError", 4 * MAX_SUCCESS_BYTES // 1024**2)],
)
def test_a_body_of_a_gigabyte_is_cut(world: str, status: int, kind: str, megabytes: int) -> None:
    with endless(status) as url:
        command = [sys.executable, "-c", PROGRAM, world, url]
        ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    raised, grown = ended.stdout.split()
    assert raised == kind
    assert int(grown) < megabytes * 1024, f"grew by {grown} KiB"
