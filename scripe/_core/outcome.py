"""The outcome of one attempt: a response, or the failure of the transport.

A failure is a value, not an exception: the retry loop decides about both in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..types.response_info import Headers


@dataclass(slots=True)
class RawResponse:
    """A whole HTTP response, before it is parsed.

    Attributes:
        status: HTTP status.
        headers: Headers of the response.
        body: The decompressed body.
        elapsed: Seconds from the request to the end of the response.
        arrived: Time of day at its end, in seconds since 1970.

    """

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)  # not in the repr: some proxies echo the API key
    elapsed: float = 0.0
    arrived: float = 0.0

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
    """An attempt without a whole response.

    Attributes:
        reason: `not_sent` if the request surely did not arrive; `response_lost` if it may have.
        is_timeout: True if a time limit ended the attempt.
        message: A description, for logs and errors.

    """

    reason: Literal["not_sent", "response_lost"]
    is_timeout: bool
    message: str


Outcome: TypeAlias = RawResponse | TransportFailure
