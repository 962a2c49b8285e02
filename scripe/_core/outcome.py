"""The outcome of one attempt: a response, or the failure of the transport.

A failure is a value, not an exception: the retry loop decides about both in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..types.response_info import Headers


@dataclass(slots=True)
class RawResponse:
    """A whole HTTP response, before it is parsed; its body is decompressed."""

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)  # not in the repr: some proxies echo the API key
    elapsed: float = 0.0  # seconds from the request to the end of the response
    arrived: float = 0.0  # time of day at its end, in seconds since 1970

    @property
    def is_success(self) -> bool:
        """True for a 2xx."""
        return 200 <= self.status < 300

    @property
    def is_replay(self) -> bool:
        """True if the API repeated an earlier response instead of doing the work."""
        return self.headers.get("idempotent-replayed", "").strip().lower() == "true"


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """An attempt without a whole response."""

    reason: Literal["not_sent", "response_lost"]  # it surely did not arrive, or it may have
    is_timeout: bool
    message: str


Outcome: TypeAlias = RawResponse | TransportFailure
