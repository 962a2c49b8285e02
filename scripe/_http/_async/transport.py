"""Send one prepared request through an HTTP client, and read its whole response.

The response is read in a stream, so that its size and its time are limited while it arrives. Every way out of here
closes it: a response that is left open keeps its slot in the connection pool of the client.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from ..._concurrency import async_drain, async_run_shielded
from ..._core.body import MAX_ERROR_BYTES, MAX_SUCCESS_BYTES, Body, BodyError
from ..._core.outcome import Outcome, RawResponse, TransportFailure
from ...errors import ClientClosedError
from ...types.response_info import Headers
from ..backends import AsyncHTTPClient, BackendName, backend_of, check_client, import_backend, open_client
from ..client_pool import ClientPool
from ..exceptions import classify_exception, transport_exceptions
from ..prepared_request import PreparedRequest, SendOptions
from ..routes import Route

if TYPE_CHECKING:
    import httpx


class AsyncHTTPTransport:
    """Sends requests through clients of one backend: our own, or the caller's `http_client`."""

    def __init__(self, backend_or_client: AsyncHTTPClient | BackendName) -> None:
        client: httpx.AsyncClient | None = None
        if isinstance(backend_or_client, str):
            self._backend = import_backend(backend_or_client)
        else:
            self._backend = backend_of(backend_or_client)
            checked = check_client(backend_or_client, self._backend.AsyncClient)
            client = cast("httpx.AsyncClient", checked)
        self._pool = ClientPool(self._backend.__name__, client, self._open)

    @property
    def backend_name(self) -> str:
        """The name of the HTTP library."""
        return self._backend.__name__

    def _open(self, route: Route) -> httpx.AsyncClient:
        return cast("httpx.AsyncClient", open_client(self._backend, "AsyncClient", route))

    async def send(self, request: PreparedRequest, options: SendOptions) -> Outcome:
        """Send a request once. Raise `ClientClosedError` if the caller's client was closed."""
        while (idle := self._pool.pop_retired()) is not None:
            await async_run_shielded(idle.aclose)
        lease, was_cancelled = self._pool.acquire(request.headers.origin), True
        try:
            outcome = await self._send_on(lease.client, request, options)
            was_cancelled = False
            return outcome
        finally:
            self._pool.release(lease, was_cancelled=was_cancelled)

    async def _send_on(
        self, client: httpx.AsyncClient, request: PreparedRequest, options: SendOptions
    ) -> Outcome:
        if client.is_closed:
            raise ClientClosedError(
                "The http_client was closed. Keep it open as long as the scripe client is used."
            )
        started = time.monotonic()
        extensions: dict[str, object] = {"timeout": options.timeouts()}
        if options.trace is not None:
            extensions["trace"] = options.trace.async_record
        try:
            # The built request has no local name: error trackers print locals, and its URL may be an upload link.
            response = await client.send(
                request.build(self._backend, extensions),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                if options.trace is not None:
                    options.trace.observe(response)
                headers = Headers.from_raw(response.headers.raw)
                content = await self._read(response, headers, options)
            finally:
                if not response.is_closed:
                    await async_run_shielded(response.aclose)
                # If another task closed the client while this call was connecting, it did not close this connection.
                if client.is_closed and (connection := response.extensions.get("network_stream")):
                    await async_run_shielded(connection.aclose)
        except transport_exceptions(self._backend) as error:
            return classify_exception(self._backend, error)
        except BodyError as error:
            return TransportFailure("response_lost", is_timeout=False, message=str(error))
        if content is None:
            message = "the total timeout passed while the response was being read"
            return TransportFailure("response_lost", is_timeout=True, message=message)
        return RawResponse(response.status_code, headers, content, time.monotonic() - started, time.time())

    async def _read(self, response: httpx.Response, headers: Headers, options: SendOptions) -> bytes | None:
        """Read the body up to its limit; return None if the deadline passes before its end."""
        if response.is_stream_consumed:
            return response.content  # a transport in this process had it whole
        limit = MAX_SUCCESS_BYTES if 200 <= response.status_code < 300 else MAX_ERROR_BYTES
        body, is_late = Body(headers.lower_items.get("content-encoding"), limit), False
        blocks = response.aiter_raw()
        try:
            async for block in blocks:
                body.feed(block)
                if body.is_full or is_late:
                    break
                is_late = options.remaining is not None and options.deadline_passed()
            else:
                return body.finish()  # a whole response counts, however late its end
        except BodyError:
            await async_drain(blocks)
            raise
        await async_drain(blocks)
        return None if is_late else body.finish()

    async def close(self) -> None:
        """Close all clients that were opened here, even if the caller is cancelled meanwhile."""
        await async_run_shielded(self._close_all)

    async def _close_all(self) -> None:
        for client in self._pool.pop_all():
            await client.aclose()
