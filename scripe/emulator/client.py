"""Clients of the emulator in this process: no port, and no waiting.

A client made here does not sleep: where it would, the emulator's clock moves on by as much.
"""

import threading
from collections.abc import Sequence
from os import PathLike
from typing import BinaryIO, TypedDict, Unpack

from .. import AsyncScripe, Ledger, NotGiven, RateLimiter, ResponseInfo, Scripe
from .._async import client as async_clients
from .._concurrency import AsyncCallback, AsyncClock, AsyncKeySource, Callback, Clock, KeySource
from .._http.in_process import (
    InProcessResponse,
    InProcessTransport,
    async_in_process_client,
    in_process_client,
)
from .._sync import client as clients
from ._core import clock as emulator_clock
from ._core.application import Application
from ._core.messages import Headers, Request

BASE_URL = "http://emulator.localhost/v1"


class ClientOptions(TypedDict, total=False):
    """The options of a client in process: those of `Scripe`, except where the API is."""

    api_version: str
    workspace_id: str | None
    timeout: float | None
    total_timeout: float | None
    max_retries: int
    rate_limiter: RateLimiter | NotGiven | None
    app_info: str | None
    ledger: Ledger | str | PathLike[str] | None


class EmulatorTime:
    """The emulator's clock in the seconds that clients count in."""

    def __init__(self, clock: emulator_clock.Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._clock.now().timestamp()

    def advance_to(self, moment: float) -> None:
        """Move the clock to a moment, unless it is past: waits of several threads overlap, and do not add up."""
        with self._lock:
            self._clock.advance(max(0.0, moment - self.now()))


class EmulatorClock(Clock):
    """Moves the emulator's clock on instead of sleeping."""

    def __init__(self, time: EmulatorTime) -> None:
        self._time = time

    def now(self) -> float:
        return self._time.now()

    def wall_time(self) -> float:
        return self._time.now()

    def sleep(self, seconds: float) -> None:
        self._time.advance_to(self.now() + seconds)


class AsyncEmulatorClock(AsyncClock):
    """Moves the emulator's clock on instead of sleeping, and lets other tasks run."""

    def __init__(self, time: EmulatorTime) -> None:
        self._time = time

    def now(self) -> float:
        return self._time.now()

    def wall_time(self) -> float:
        return self._time.now()

    async def sleep(self, seconds: float) -> None:
        moment = self.now() + seconds
        await super().sleep(0)
        self._time.advance_to(moment)


def make_client(
    application: Application,
    api_key: str | KeySource | None,
    on_response: Callback[ResponseInfo] | None,
    **options: Unpack[ClientOptions],
) -> Scripe:
    """Make a client that calls the application."""
    client = Scripe(
        api_key or application.api_key,
        base_url=BASE_URL,
        http_client=in_process_client(make_transport(application)),
        on_response=on_response,
        **options,
    )
    clients.set_clock(client, EmulatorClock(EmulatorTime(application.clock)))
    return client


def make_async_client(
    application: Application,
    api_key: str | AsyncKeySource | None,
    on_response: AsyncCallback[ResponseInfo] | None,
    **options: Unpack[ClientOptions],
) -> AsyncScripe:
    """Make an async client that calls the application."""
    client = AsyncScripe(
        api_key or application.api_key,
        base_url=BASE_URL,
        http_client=async_in_process_client(make_transport(application)),
        on_response=on_response,
        **options,
    )
    async_clients.set_clock(client, AsyncEmulatorClock(EmulatorTime(application.clock)))
    return client


def make_transport(application: Application) -> InProcessTransport:
    """Make a transport that calls the application; its simulated latency passes at once."""
    time = EmulatorTime(application.clock)

    def handle(
        method: str, url: str, headers: Sequence[tuple[str, str]], body: BinaryIO
    ) -> InProcessResponse:
        response = application.handle(Request(method, url, Headers(headers), body))
        return InProcessResponse(
            response.status,
            response.headers,
            response.body,
            response.connection_dropped,
            response.delay,
            application.simulated_latency,
        )

    return InProcessTransport(handle, EmulatorClock(time), AsyncEmulatorClock(time))
