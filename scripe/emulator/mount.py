"""The emulator mounted in process: clients of both worlds, with no port, on the emulator's own time.

A client made here does not sleep: where it would, the emulator's clock moves on by as much.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO, TypedDict, Unpack

from scripe import AsyncScripe, NotGiven, RateLimiter, ResponseInfo, Scripe
from scripe._async import client as async_clients
from scripe._concurrency import AsyncCallback, AsyncClock, AsyncKeySource, Callback, Clock, KeySource
from scripe._http.in_process import Mounted, Transport, async_mounted_client, mounted_client
from scripe._sync import client as clients
from scripe.emulator.messages import Headers, Request

if TYPE_CHECKING:
    from scripe.emulator.app import Emulator

BASE_URL = "http://emulator.localhost/v1"


class ClientOptions(TypedDict, total=False):
    """What a client in process takes beside its key: the same as `Scripe`, but for where the API is."""

    api_version: str
    workspace_id: str | None
    timeout: float | None
    total_timeout: float | None
    max_retries: int
    rate_limiter: RateLimiter | NotGiven | None
    app_info: str | None


class EmulatorTime:
    """The emulator's time as a client counts it: in seconds, moved on by who would sleep."""

    def __init__(self, emulator: "Emulator") -> None:
        self._clock = emulator.clock
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._clock.now().timestamp()

    def pass_to(self, moment: float) -> None:
        with self._lock:
            self._clock.advance(max(0.0, moment - self.now()))


class EmulatorClock(Clock):
    """Never sleeps."""

    def __init__(self, time: EmulatorTime) -> None:
        self._time = time

    def now(self) -> float:
        return self._time.now()

    def sleep(self, seconds: float) -> None:
        self._time.pass_to(self.now() + seconds)


class AsyncEmulatorClock(AsyncClock):
    """Never sleeps, but lets other tasks run."""

    def __init__(self, time: EmulatorTime) -> None:
        self._time = time

    def now(self) -> float:
        return self._time.now()

    async def sleep(self, seconds: float) -> None:
        moment = self.now() + seconds
        await super().sleep(0)
        self._time.pass_to(moment)


def client(
    emulator: "Emulator",
    api_key: str | KeySource | None,
    on_response: Callback[ResponseInfo] | None,
    **options: Unpack[ClientOptions],
) -> Scripe:
    made = Scripe(
        api_key or emulator.api_key,
        base_url=BASE_URL,
        http_client=mounted_client(transport(emulator)),
        on_response=on_response,
        **options,
    )
    clients.set_clock(made, EmulatorClock(EmulatorTime(emulator)))
    return made


def async_client(
    emulator: "Emulator",
    api_key: str | AsyncKeySource | None,
    on_response: AsyncCallback[ResponseInfo] | None,
    **options: Unpack[ClientOptions],
) -> AsyncScripe:
    made = AsyncScripe(
        api_key or emulator.api_key,
        base_url=BASE_URL,
        http_client=async_mounted_client(transport(emulator)),
        on_response=on_response,
        **options,
    )
    async_clients.set_clock(made, AsyncEmulatorClock(EmulatorTime(emulator)))
    return made


def transport(emulator: "Emulator") -> Transport:
    """The emulator as clients reach it in process; what its answers take of its own time, passes at once."""
    time = EmulatorTime(emulator)

    def answer(method: str, url: str, headers: Sequence[tuple[str, str]], body: BinaryIO) -> Mounted:
        found = emulator.handle(Request(method, url, Headers(headers), body))
        return Mounted(found.status, found.headers, found.body, found.dropped, found.delay, emulator.latency)

    return Transport(answer, EmulatorClock(time), AsyncEmulatorClock(time))
