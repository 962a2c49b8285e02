"""A company's network on this machine, for the page about proxies: a TLS server and a tunnelling proxy."""

from __future__ import annotations

import asyncio
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

Handler = Callable[[StreamReader, StreamWriter], Awaitable[None]]


class CompanyNetwork:
    """Forwards TLS from `tls_port` to `plain_port`; `proxy_port` tunnels there, and records its requests."""

    def __init__(self, plain_port: int, certificate: ssl.SSLContext) -> None:
        self.proxy_requests: list[str] = []
        self._plain_port = plain_port
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.tls_port = self._listen(self._unwrap, certificate)
        self.proxy_port = self._listen(self._tunnel, None)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _listen(self, handler: Handler, certificate: ssl.SSLContext | None) -> int:
        starting = asyncio.start_server(handler, "127.0.0.1", 0, ssl=certificate)
        server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        return int(server.sockets[0].getsockname()[1])

    async def _unwrap(self, reader: StreamReader, writer: StreamWriter) -> None:
        await join(reader, writer, self._plain_port)

    async def _tunnel(self, reader: StreamReader, writer: StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.proxy_requests.append(head.partition(" HTTP/")[0])
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await join(reader, writer, self.tls_port)


async def join(reader: StreamReader, writer: StreamWriter, port: int) -> None:
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(relay(reader, far_writer), relay(far_reader, writer))


async def relay(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
    except OSError:  # the other side has closed
        pass
    writer.close()
