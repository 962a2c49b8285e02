"""One request, and its whole answer, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from .._concurrency import async_drain, async_shielded
from .._core.body import ERROR_LIMIT, SUCCESS_LIMIT, Body, BodyError
from .._core.deadline import cap_timeout
from .._core.outcome import Outcome, RawResponse, TransportFailure
from ..errors import ClientClosedError
from ..types.response_info import Headers
from .backends import (
    AsyncHTTPClient,
    BackendName,
    HTTPClient,
    backend_of,
    check_client,
    import_backend,
    open_client,
)
from .client_pool import ClientPool
from .exceptions import classify_exception, transport_exceptions
from .prepared_request import PreparedRequest
from .routes import Route

if TYPE_CHECKING:
    import httpx


OPERATIONS = ("connect", "read", "write", "pool")


@dataclass(slots=True)
class SendOptions:
    """How far an exchange may go.

    Attributes:
        timeout: seconds for each network operation.
        remaining: tells the seconds left of the deadline, if there is one.

    """

    timeout: float | None
    remaining: Callable[[], float | None] | None = None

    def deadline_passed(self) -> bool:
        return self.remaining is not None and self.remaining() == 0

    def timeouts(self) -> Mapping[str, float | None]:
        """Return the timeout of each network operation, as the engine looks it up when the operation begins."""
        return dict.fromkeys(OPERATIONS, self.timeout) if self.remaining is None else TimeLeft(self)


class TimeLeft(Mapping[str, float | None]):
    """Timeouts that are cut to what is left of the deadline at the moment when the engine looks them up.

    This is what bounds a sync call, which nothing can interrupt.
    """

    def __init__(self, limits: SendOptions) -> None:
        self._limits = limits

    def __getitem__(self, operation: str) -> float | None:
        remaining = self._limits.remaining and self._limits.remaining()
        return self._limits.timeout if remaining is None else cap_timeout(self._limits.timeout, remaining)

    def __iter__(self) -> Iterator[str]:
        return iter(OPERATIONS)

    def __len__(self) -> int:
        return len(OPERATIONS)


def _body(response: httpx.Response, headers: Headers) -> Body:
    limit = SUCCESS_LIMIT if 200 <= response.status_code < 300 else ERROR_LIMIT
    return Body(headers.get("content-encoding"), limit)


_TOO_SLOW = TransportFailure("response_lost", is_timeout=True, message="the deadline passed in mid-answer")


class AsyncHTTPTransport:
    """Sends one request, and gets its whole answer."""

    def __init__(self, chosen: AsyncHTTPClient | BackendName) -> None:
        self._family = import_backend(chosen) if isinstance(chosen, str) else backend_of(chosen)
        is_named = isinstance(chosen, str)
        given = (
            None if is_named else cast("httpx.AsyncClient", check_client(chosen, self._family.AsyncClient))
        )
        self._pool = ClientPool(self._family.__name__, given, self._open)

    def _open(self, route: Route) -> httpx.AsyncClient:
        return cast("httpx.AsyncClient", open_client(self._family, "AsyncClient", route))

    async def send(self, outgoing: PreparedRequest, limits: SendOptions) -> Outcome:
        while (client := self._pool.pop_retired()) is not None:
            await async_shielded(client.aclose)
        used, is_over = self._pool.acquire(outgoing.origin), False
        try:
            outcome = await self._send_on(used.client, outgoing, limits)
            is_over = True
            return outcome
        finally:
            self._pool.release(used, was_abandoned=not is_over)

    async def _send_on(
        self, client: httpx.AsyncClient, outgoing: PreparedRequest, limits: SendOptions
    ) -> Outcome:
        if client.is_closed:
            raise ClientClosedError("The http_client of this client was closed.")
        started = time.monotonic()
        try:
            # The request is no local of ours: a traceback that prints these would show its URL.
            response = await client.send(
                outgoing.build(self._family, limits.timeouts()),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                headers = Headers.from_raw(response.headers.raw)
                found = await self._read(response, _body(response, headers))
            finally:
                if not response.is_closed:
                    await async_shielded(response.aclose)
                # A client that was closed meanwhile did not see the connection that this call was still opening.
                if client.is_closed and (left := response.extensions.get("network_stream")):
                    await async_shielded(left.aclose)
        except transport_exceptions(self._family) as error:
            return classify_exception(self._family, error)
        except BodyError as error:
            return TransportFailure("response_lost", is_timeout=False, message=str(error))
        return RawResponse(response.status_code, headers, found, time.monotonic() - started, time.time())

    async def _read(self, response: httpx.Response, body: Body) -> bytes:
        if response.is_stream_consumed:
            return response.content  # from a transport in this process, which had it whole
        blocks = response.aiter_raw()
        try:
            async for block in blocks:
                body.feed(block)
                if body.is_full:
                    break
            else:
                return body.finish()
        except BodyError:
            await async_drain(blocks)
            raise
        await async_drain(blocks)
        return body.finish()

    async def close(self) -> None:
        await async_shielded(self._closed)

    async def _closed(self) -> None:
        for client in self._pool.pop_all():
            await client.aclose()


class HTTPTransport:
    """Sends one request, and gets its whole answer."""

    def __init__(self, chosen: HTTPClient | BackendName) -> None:
        self._family = import_backend(chosen) if isinstance(chosen, str) else backend_of(chosen)
        is_named = isinstance(chosen, str)
        given = None if is_named else cast("httpx.Client", check_client(chosen, self._family.Client))
        self._pool = ClientPool(self._family.__name__, given, self._open)

    def _open(self, route: Route) -> httpx.Client:
        return cast("httpx.Client", open_client(self._family, "Client", route))

    def send(self, outgoing: PreparedRequest, limits: SendOptions) -> Outcome:
        while (client := self._pool.pop_retired()) is not None:
            client.close()
        used, is_over = self._pool.acquire(outgoing.origin), False
        try:
            outcome = self._send_on(used.client, outgoing, limits)
            is_over = True
            return outcome
        finally:
            self._pool.release(used, was_abandoned=not is_over)

    def _send_on(self, client: httpx.Client, outgoing: PreparedRequest, limits: SendOptions) -> Outcome:
        if client.is_closed:
            raise ClientClosedError("The http_client of this client was closed.")
        started = time.monotonic()
        try:
            # The request is no local of ours: a traceback that prints these would show its URL.
            response = client.send(
                outgoing.build(self._family, limits.timeouts()),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                headers = Headers.from_raw(response.headers.raw)
                found = self._read(response, _body(response, headers), limits)
            finally:
                response.close()
                if client.is_closed and (left := response.extensions.get("network_stream")):
                    left.close()  # as above
        except transport_exceptions(self._family) as error:
            return classify_exception(self._family, error)
        except BodyError as error:
            return TransportFailure("response_lost", is_timeout=False, message=str(error))
        if found is None:
            return _TOO_SLOW
        return RawResponse(response.status_code, headers, found, time.monotonic() - started, time.time())

    def _read(self, response: httpx.Response, body: Body, limits: SendOptions) -> bytes | None:
        if response.is_stream_consumed:
            return response.content  # from a transport in this process, which had it whole
        is_late = False
        for block in response.iter_raw():
            body.feed(block)
            if body.is_full:
                break
            if is_late:
                return None
            is_late = limits.deadline_passed()  # a whole answer counts, however late its end
        return body.finish()

    def close(self) -> None:
        for client in self._pool.pop_all():
            client.close()
