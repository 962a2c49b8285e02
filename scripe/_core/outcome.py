"""What one attempt brought: an answer, or the failure to get one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..types.response_info import Headers


@dataclass(slots=True)
class RawResponse:
    """A whole HTTP answer: `elapsed` in seconds, `arrived` as the time of day in seconds since 1970."""

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)  # some proxies echo what they were sent, the key too
    elapsed: float = 0.0
    arrived: float = 0.0

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_replay(self) -> bool:
        """Whether the API gave an earlier answer again instead of doing the work."""
        return self.headers.get("idempotent-replayed", "").strip().lower() == "true"


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """No answer, or half of one. `unsent`: the request surely did not arrive."""

    reason: Literal["not_sent", "response_lost"]
    is_timeout: bool
    message: str


Outcome: TypeAlias = RawResponse | TransportFailure
