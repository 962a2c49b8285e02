"""What an answer said beside its body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self, TypeVar, overload

T = TypeVar("T")


class Headers(Mapping[str, str]):
    """Headers of an answer; lookups ignore case, repeated headers are joined with a comma."""

    __slots__ = ("lower_items",)

    lower_items: Mapping[str, str]
    """The headers by their names in lower case, as a plain mapping."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, str] = {}
        for name, value in pairs:
            lower = name.lower()
            values[lower] = f"{values[lower]}, {value}" if lower in values else value
        self.lower_items = values

    @classmethod
    def from_raw(cls, raw: Sequence[tuple[bytes, bytes]]) -> Self:
        """Headers as they come over the wire, in Latin-1."""
        headers = cls()
        headers.lower_items = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in raw}
        if len(headers.lower_items) < len(raw):
            return cls([(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw])
        return headers

    def __getitem__(self, name: str) -> str:
        return self.lower_items[name.lower()]

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str | T) -> str | T: ...
    def get(self, key: str, /, default: object = None) -> object:
        """The value of a header, or the default; what `Mapping` has raises and catches an error for each absent one."""
        return self.lower_items.get(key.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lower_items)

    def __len__(self) -> int:
        return len(self.lower_items)

    def __repr__(self) -> str:
        return f"Headers({self.lower_items!r})"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the API said of one budget of requests; any part may be absent.

    Attributes:
        limit: Requests in a window of 60 seconds.
        remaining: Requests left.
        reset_after: Seconds until the budget is fresh again.

    """

    limit: int | None = None
    remaining: int | None = None
    reset_after: float | None = None


@dataclass(frozen=True, slots=True)
class Deprecation:
    """The API announced that a version will end.

    Attributes:
        version: The version in use.
        sunset: The day from which it is no longer served; None if not said.
        replacement: The version to move to; None if not said.

    """

    version: str
    sunset: date | None = None
    replacement: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseInfo:
    """One answer of the API, without its body.

    Attributes:
        method: HTTP method of the request.
        path: Path of the request below the base URL.
        status_code: HTTP status.
        headers: The answer's headers; lookups ignore case.
        request_id: The API's id of the request (`req_…`), to quote to its support.
        idempotent_replayed: True if the API replayed an earlier answer to this key, False if it did the
            work; None where it did not say (reads).
        rate_limit: What is left of the budget; None when the answer said nothing of it.
        deprecation: Set when the API announced an end for the version in use.
        elapsed: Seconds from sending the last attempt to its whole answer.
        attempts: How many times the request was sent.

    """

    method: str
    path: str
    status_code: int
    headers: Headers
    request_id: str | None
    idempotent_replayed: bool | None
    rate_limit: RateLimit | None
    deprecation: Deprecation | None
    elapsed: float
    attempts: int
