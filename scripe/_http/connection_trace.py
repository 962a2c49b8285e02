"""Note what the engine reports of a new connection: its steps, their times, and the server's certificate."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from .._concurrency import real_seconds
from .._core.diagnosis import ConnectionSeen, certificate_end

if TYPE_CHECKING:
    import httpx

_STEPS = {"connect_tcp": "connect", "start_tls": "tls"}


class ConnectionTrace:
    """Listens to one request, by the extensions `trace` and `network_stream` of the engine."""

    def __init__(self) -> None:
        self.seen: ConnectionSeen = ConnectionSeen()
        self._started = 0.0

    async def async_record(self, event: str, details: Mapping[str, object]) -> None:
        """Note an event, such as `connection.start_tls.complete`."""
        self.record(event, details)

    def record(self, event: str, details: Mapping[str, object]) -> None:
        """Note an event, such as `connection.start_tls.complete`."""
        _, _, step_and_state = event.partition(".")
        step, _, state = step_and_state.partition(".")
        if step not in _STEPS:
            return
        if state == "started":
            self._started = real_seconds()
        elif state == "failed":
            self.seen.failed_step = "tls" if step == "start_tls" else "connect"
            for error in _causes(details.get("exception")):
                self.seen.is_refused |= isinstance(error, ConnectionRefusedError)
                if isinstance(error, ssl.SSLCertVerificationError):
                    self.seen.verify_code = error.verify_code  # OpenSSL's number
        elif step == "start_tls":
            self.seen.tls_seconds = real_seconds() - self._started
        else:
            self.seen.connect_seconds = real_seconds() - self._started

    def observe(self, response: httpx.Response) -> None:
        """Note the certificate of the connection that a response came over."""
        stream = response.extensions.get("network_stream")
        connection = None if stream is None else stream.get_extra_info("ssl_object")
        if connection is not None:
            tls = cast("ssl.SSLObject", connection)
            self.seen.tls_version = tls.version()
            self.seen.certificate_end = certificate_end(tls.getpeercert())


def _causes(error: object) -> Iterator[BaseException]:
    """Yield an exception and what caused it; asyncio and trio put several attempts to connect into a group."""
    if isinstance(error, BaseException):
        yield error
        yield from _causes(error.__cause__ or error.__context__)
    if isinstance(error, BaseExceptionGroup):
        for one in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _causes(one)
