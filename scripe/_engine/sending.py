"""One request, and its whole answer, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

from .._concurrency import async_let_go, async_to_its_end, on_trio
from .._rules.answer import Answer, Failure, Outcome
from .._rules.body import ERROR_LIMIT, SUCCESS_LIMIT, Body, BodyError
from ..errors import ClientClosedError, ConfigurationError
from ..types.response_info import Headers
from . import trust
from .connections import Connections, Pool
from .failing import errors, failure
from .family import (
    AsyncEngineName,
    AsyncHTTPClient,
    EngineName,
    HTTPClient,
    checked,
    family_named,
    family_of,
    opened,
)
from .outgoing import Outgoing

if TYPE_CHECKING:
    import httpx


@dataclass(slots=True)
class Limits:
    """How far an exchange may go.

    Attributes:
        timeout: seconds for each network operation.
        remaining: tells the seconds left of the deadline, if there is one.
        is_echo: whether the answer with these headers is one that came before, and belongs to another request.

    """

    timeout: float | None
    remaining: Callable[[], float | None] | None
    is_echo: Callable[[Headers], bool] = lambda _: False

    def is_over(self) -> bool:
        return self.remaining is not None and self.remaining() == 0


GRACE = 0.1
"""Seconds past the deadline in which a blocked read may end by its own timeout, which spares the connection."""


def _body(response: httpx.Response, headers: Headers) -> Body:
    limit = SUCCESS_LIMIT if 200 <= response.status_code < 300 else ERROR_LIMIT
    return Body(headers.get("content-encoding"), limit)


_TOO_SLOW = Failure("lost", is_timeout=True, message="the deadline passed in mid-answer")
_ECHO = Failure("lost", is_timeout=False, message="the answer to an earlier request came again")


class AsyncEngine:
    """Sends one request, and gets its whole answer."""

    def __init__(self, chosen: AsyncHTTPClient | AsyncEngineName) -> None:
        self._family = family_named(chosen) if isinstance(chosen, str) else family_of(chosen)
        self._name = chosen if isinstance(chosen, str) else None
        given = None if self._name else cast("httpx.AsyncClient", checked(chosen, self._family.AsyncClient))
        self._pool = Pool(self._family.__name__, given, self._open)
        # aiohttp reads on from a file after a call has ended, and bounds no write in time: files go another way.
        self._files = AsyncEngine("httpx2") if self._name == "aiohttp" else self

    def _open(self) -> httpx.AsyncClient:
        if self._name == "aiohttp" and on_trio():
            raise ConfigurationError(
                "aiohttp runs on asyncio alone; on trio, leave out http_client or give `httpx2`."
            )
        return cast("httpx.AsyncClient", opened(cast("AsyncEngineName", self._name), "AsyncClient"))

    async def send(self, outgoing: Outgoing, limits: Limits) -> Outcome:
        if self._files is not self and not outgoing.is_whole:
            return await self._files.send(outgoing, limits)
        while (client := self._pool.idle()) is not None:
            await async_to_its_end(client.aclose)
        if self._name and outgoing.is_secure:
            trust.load(self._family.__name__)
        used, is_over = self._pool.take(), False
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
                outgoing.built(self._family, limits.timeout),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                headers = Headers.decoded(response.headers.raw)
                if limits.is_echo(headers):
                    return _ECHO  # unread, and so the connection is closed: what else it holds is not ours either
                found = await self._read(response, _body(response, headers), limits)
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
        if found is None:
            return _TOO_SLOW
        return Answer(response.status_code, headers, found, time.monotonic() - started, time.time())

    async def _read(self, response: httpx.Response, body: Body, limits: Limits) -> bytes | None:
        if response.is_stream_consumed:
            return response.content  # from a transport in this process, which had it whole
        blocks, is_late = response.aiter_raw(), False
        try:
            async for block in blocks:
                body.take(block)
                if body.is_full or is_late:
                    break
                is_late = limits.is_over()  # a whole answer counts, however late its end
            else:
                return body.whole()
        except BodyError:
            await async_let_go(blocks)
            raise
        await async_let_go(blocks)
        return body.whole() if body.is_full else None

    async def close(self) -> None:
        await async_to_its_end(self._closed)

    async def _closed(self) -> None:
        for engine in {self, self._files}:
            for client in engine._pool.owned():
                await client.aclose()


class Engine:
    """Sends one request, and gets its whole answer."""

    def __init__(self, chosen: HTTPClient | EngineName) -> None:
        self._family = family_named(chosen) if isinstance(chosen, str) else family_of(chosen)
        self._name = chosen if isinstance(chosen, str) else None
        given = None if self._name else cast("httpx.Client", checked(chosen, self._family.Client))
        self._pool = Pool(self._family.__name__, given, self._open)

    def _open(self) -> httpx.Client:
        return cast("httpx.Client", opened(cast("EngineName", self._name), "Client"))

    def send(self, outgoing: Outgoing, limits: Limits) -> Outcome:
        if self._name and outgoing.is_secure:
            trust.load(self._family.__name__)
        used = self._pool.take()
        if limits.remaining is None:
            return self._carried(used, outgoing, limits)

        def carry(content: bytes | Iterable[bytes] | None) -> Outcome:
            return self._carried(used, replace(outgoing, content=content), limits)

        from .leaving import hurried  # loaded by those alone who set a deadline

        seconds = (limits.remaining() or 0.0) + GRACE
        content = cast("bytes | Iterable[bytes] | None", outgoing.content)
        return hurried(seconds, carry, content, partial(self._pool.wear_out, used)) or _TOO_SLOW

    def _carried(self, used: Connections[httpx.Client], outgoing: Outgoing, limits: Limits) -> Outcome:
        is_over = False
        try:
            outcome = self._exchanged(used.client, outgoing, limits)
            is_over = True
            return outcome
        finally:
            self._pool.give_back(used, was_abandoned=not is_over)
            self._tidy()

    def _tidy(self) -> None:
        while (client := self._pool.idle()) is not None:
            client.close()

    def _exchanged(self, client: httpx.Client, outgoing: Outgoing, limits: Limits) -> Outcome:
        if client.is_closed:
            raise ClientClosedError("The http_client of this client was closed.")
        started = time.monotonic()
        try:
            # The request is no local of ours: a traceback that prints these would show its URL.
            response = client.send(
                outgoing.built(self._family, limits.timeout),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            try:
                headers = Headers.decoded(response.headers.raw)
                if limits.is_echo(headers):
                    return _ECHO  # unread, and so the connection is closed: what else it holds is not ours either
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
        for client in self._pool.owned():
            client.close()
