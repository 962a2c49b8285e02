"""One request, and its whole answer, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from .._concurrency import async_let_go, async_to_its_end
from .._core.body import ERROR_LIMIT, SUCCESS_LIMIT, Body, BodyError
from .._core.deadline import cap_timeout
from .._core.outcome import Answer, Failure, Outcome
from ..errors import ClientClosedError
from ..types.response_info import Headers
from .backends import AsyncHTTPClient, EngineName, HTTPClient, checked, family_named, family_of, open_client
from .client_pool import Pool
from .exceptions import errors, failure
from .prepared_request import Outgoing
from .routes import Route

if TYPE_CHECKING:
    import httpx


OPERATIONS = ("connect", "read", "write", "pool")


@dataclass(slots=True)
class Limits:
    """How far an exchange may go.

    Attributes:
        timeout: seconds for each network operation.
        remaining: tells the seconds left of the deadline, if there is one.

    """

    timeout: float | None
    remaining: Callable[[], float | None] | None = None

    def is_over(self) -> bool:
        return self.remaining is not None and self.remaining() == 0

    def timeouts(self) -> Mapping[str, float | None]:
        """Return the timeout of each network operation, as the engine looks it up when the operation begins."""
        return dict.fromkeys(OPERATIONS, self.timeout) if self.remaining is None else TimeLeft(self)


class TimeLeft(Mapping[str, float | None]):
    """Timeouts that are cut to what is left of the deadline at the moment when the engine looks them up.

    This is what bounds a sync call, which nothing can interrupt.
    """

    def __init__(self, limits: Limits) -> None:
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


_TOO_SLOW = Failure("lost", is_timeout=True, message="the deadline passed in mid-answer")


class AsyncEngine:
    """Sends one request, and gets its whole answer."""

    def __init__(self, chosen: AsyncHTTPClient | EngineName) -> None:
        self._family = family_named(chosen) if isinstance(chosen, str) else family_of(chosen)
        is_named = isinstance(chosen, str)
        given = None if is_named else cast("httpx.AsyncClient", checked(chosen, self._family.AsyncClient))
        self._pool = Pool(self._family.__name__, given, self._open)

    def _open(self, route: Route) -> httpx.AsyncClient:
        return cast("httpx.AsyncClient", open_client(self._family, "AsyncClient", route))

    async def send(self, outgoing: Outgoing, limits: Limits) -> Outcome:
        while (client := self._pool.take_idle()) is not None:
            await async_to_its_end(client.aclose)
        used, is_over = self._pool.take(outgoing.origin), False
        try:
            outcome = await self._exchanged(used.client, outgoing, limits)
            is_over = True
            return outcome
        finally:
            self._pool.give_back(used, was_abandoned=not is_over)

    async def _exchanged(self, client: httpx.AsyncClient, outgoing: Outgoing, limits: Limits) -> Outcome:
        if client.is_closed:
            raise ClientClosedError("The http_client of this client was closed.")
        started = time.monotonic()
        try:
            # The request is no local of ours: a traceback that prints these would show its URL.
            response = await client.send(
                outgoing.built(self._family, limits.timeouts()),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                headers = Headers.decoded(response.headers.raw)
                found = await self._read(response, _body(response, headers))
            finally:
                if not response.is_closed:
                    await async_to_its_end(response.aclose)
                # A client that was closed meanwhile did not see the connection that this call was still opening.
                if client.is_closed and (left := response.extensions.get("network_stream")):
                    await async_to_its_end(left.aclose)
        except errors(self._family) as error:
            return failure(self._family, error)
        except BodyError as error:
            return Failure("lost", is_timeout=False, message=str(error))
        return Answer(response.status_code, headers, found, time.monotonic() - started, time.time())

    async def _read(self, response: httpx.Response, body: Body) -> bytes:
        if response.is_stream_consumed:
            return response.content  # from a transport in this process, which had it whole
        blocks = response.aiter_raw()
        try:
            async for block in blocks:
                body.take(block)
                if body.is_full:
                    break
            else:
                return body.whole()
        except BodyError:
            await async_let_go(blocks)
            raise
        await async_let_go(blocks)
        return body.whole()

    async def close(self) -> None:
        await async_to_its_end(self._closed)

    async def _closed(self) -> None:
        for client in self._pool.take_all():
            await client.aclose()


class Engine:
    """Sends one request, and gets its whole answer."""

    def __init__(self, chosen: HTTPClient | EngineName) -> None:
        self._family = family_named(chosen) if isinstance(chosen, str) else family_of(chosen)
        is_named = isinstance(chosen, str)
        given = None if is_named else cast("httpx.Client", checked(chosen, self._family.Client))
        self._pool = Pool(self._family.__name__, given, self._open)

    def _open(self, route: Route) -> httpx.Client:
        return cast("httpx.Client", open_client(self._family, "Client", route))

    def send(self, outgoing: Outgoing, limits: Limits) -> Outcome:
        while (client := self._pool.take_idle()) is not None:
            client.close()
        used, is_over = self._pool.take(outgoing.origin), False
        try:
            outcome = self._exchanged(used.client, outgoing, limits)
            is_over = True
            return outcome
        finally:
            self._pool.give_back(used, was_abandoned=not is_over)

    def _exchanged(self, client: httpx.Client, outgoing: Outgoing, limits: Limits) -> Outcome:
        if client.is_closed:
            raise ClientClosedError("The http_client of this client was closed.")
        started = time.monotonic()
        try:
            # The request is no local of ours: a traceback that prints these would show its URL.
            response = client.send(
                outgoing.built(self._family, limits.timeouts()),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                headers = Headers.decoded(response.headers.raw)
                found = self._read(response, _body(response, headers), limits)
            finally:
                response.close()
                if client.is_closed and (left := response.extensions.get("network_stream")):
                    left.close()  # as above
        except errors(self._family) as error:
            return failure(self._family, error)
        except BodyError as error:
            return Failure("lost", is_timeout=False, message=str(error))
        if found is None:
            return _TOO_SLOW
        return Answer(response.status_code, headers, found, time.monotonic() - started, time.time())

    def _read(self, response: httpx.Response, body: Body, limits: Limits) -> bytes | None:
        if response.is_stream_consumed:
            return response.content  # from a transport in this process, which had it whole
        is_late = False
        for block in response.iter_raw():
            body.take(block)
            if body.is_full:
                break
            if is_late:
                return None
            is_late = limits.is_over()  # a whole answer counts, however late its end
        return body.whole()

    def close(self) -> None:
        for client in self._pool.take_all():
            client.close()
