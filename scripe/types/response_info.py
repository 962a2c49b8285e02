"""A response without its body: status, headers, rate limit, timing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Self, TypeVar, overload

T = TypeVar("T")


class Headers(Mapping[str, str]):
    """Headers of a response. Lookups ignore case; repeated headers are joined with a comma."""

    __slots__ = ("lower_items",)

    lower_items: Mapping[str, str]
    """The headers as a plain mapping, with lower-case names."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, str] = {}
        for name, value in pairs:
            lower = name.lower()
            values[lower] = f"{values[lower]}, {value}" if lower in values else value
        self.lower_items = values

    @classmethod
    def from_raw(cls, raw: Sequence[tuple[bytes, bytes]]) -> Self:
        """Decode raw headers, which are Latin-1."""
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
        """Return the value of a header, or the default.

        `Mapping.get` would raise and catch a `KeyError` for each absent header.
        """
        return self.lower_items.get(key.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lower_items)

    def __len__(self) -> int:
        return len(self.lower_items)

    def __repr__(self) -> str:
        return f"Headers({self.lower_items!r})"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A rate limit, as reported by the API; any part may be absent.

    Attributes:
        limit: Requests allowed in a window of 60 seconds.
        remaining: Requests left in this window.
        reset_after: Seconds until the rate limit is reset.

    """

    limit: int | None = None
    remaining: int | None = None
    reset_after: float | None = None


@dataclass(frozen=True, slots=True)
class Deprecation:
    """The API's announcement that a version will end.

    Attributes:
        version: The version in use.
        sunset: The day on which it ends; None if not announced.
        replacement: The version to use instead; None if not announced.

    """

    version: str
    sunset: date | None = None
    replacement: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseInfo:
    """A response of the API, without its body.

    Attributes:
        method: HTTP method of the request.
        path: Path of the request below the base URL.
        status_code: HTTP status.
        headers: Headers of the response; lookups ignore case.
        request_id: The API's id of the request (`req_…`), to quote to its support.
        idempotent_replayed: True if the API replayed its earlier response to this idempotency key, False if it
            executed the write; None if it did not say (reads).
        rate_limit: The rate limit; None if the response did not report it.
        deprecation: The announced end of the API version in use; None if there is none.
        elapsed: Seconds from sending the last attempt to the end of its response.
        attempts: Number of attempts.

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

    @property
    def date(self) -> datetime | None:
        """Time of the server, to the second, as the `Date` header says it; None if there is no such header."""
        try:
            moment = parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
