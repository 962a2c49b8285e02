"""What one call is; how ids become paths."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Generic, Literal, TypeAlias, TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit

from pydantic import BaseModel

from .._vocabulary import RateLimitBucket
from ..errors import InvalidArgumentError
from ..types._base import JSONInput, format_instant
from ..types.not_given import NotGiven
from .idempotency import check_idempotency_key, new_idempotency_key

T = TypeVar("T", bound=BaseModel)

Query: TypeAlias = Mapping[str, str | int | float | bool | None]

_BUCKETS: Mapping[str, RateLimitBucket] = {"/uploads": "upload", "/posts/generations": "generation"}


_METHOD = re.compile("[A-Z]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class FilledPath(str):
    """A path that knows what it was made of."""

    __slots__ = ("template",)
    template: str | None


@dataclass(slots=True)
class Request(Generic[T]):
    """One call, before it is addressed to a server.

    Attributes:
        method: HTTP method.
        path: Path below the base URL, ids quoted.
        returns: The model that the answer becomes.
        params: Query, as text.
        body: The JSON body, serialised once: the same bytes go up with every attempt.
        idempotency_key: Made before the first attempt, the same for all.
        repeatable: Whether it may be sent again when it may have arrived before. One that is not is still
            sent again after a 429, or when no connection was made: then nothing was done.
        shape: Where the answer holds the object: under `data`, as its whole, or (C23) either way.
        answers: Statuses beside 2xx that carry the object (a degraded `/health` is a 503).
        needs_key: Whether the key goes with it.
        held: Seconds for which the server may hold the answer back.

    """

    method: str
    path: str
    returns: type[T]
    params: Mapping[str, str] | None = None
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    repeatable: bool = True
    envelope: Literal["data", "whole", "either"] = "data"
    extra_success_statuses: frozenset[int] = frozenset()
    authenticated: bool = True
    server_wait: float = 0.0

    @property
    def template(self) -> str | None:
        """The path with its ids left out; None if the caller wrote it, who alone knows which parts are ids."""
        return self.path.template if isinstance(self.path, FilledPath) else self.path

    @property
    def safe_path(self) -> str:
        """The path as it may be told: without a query that the caller wrote into it."""
        return str(self.path).partition("?")[0]

    @property
    def target(self) -> str:
        """Path and query."""
        if not self.params:
            return self.path
        return f"{self.path}{'&' if '?' in self.path else '?'}{urlencode(self.params)}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of this call, beside those that all calls have."""
        headers: dict[str, str] = {}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.idempotency_key is not None:
            headers["Idempotency-Key"] = self.idempotency_key
        return headers

    @property
    def bucket(self) -> RateLimitBucket:
        if self.method in ("GET", "HEAD"):
            return "read"
        return _BUCKETS.get(self.path, "write")


def create_request(
    method: str, path: str, returns: type[T], fields: Mapping[str, JSONInput], idempotency_key: str | None
) -> Request[T]:
    """A write that the API gives a key: fields that are None are left out."""
    key = new_idempotency_key() if idempotency_key is None else check_idempotency_key(idempotency_key)
    given_fields = {name: value for name, value in fields.items() if value is not None}
    return Request(method, path, returns, body=to_json_bytes(given_fields), idempotency_key=key)


def patch_request(
    path: str, returns: type[T], fields: Mapping[str, JSONInput | NotGiven], idempotency_key: str | None
) -> Request[T]:
    """A PATCH that the API gives a key: only what was given is sent, None too."""
    request = create_request("PATCH", path, returns, {}, idempotency_key)
    return replace(request, body=to_json_bytes(drop_not_given(fields)))


def drop_not_given(fields: Mapping[str, JSONInput | NotGiven]) -> dict[str, JSONInput]:
    """The fields that were given, of which there must be one."""
    changes = {name: value for name, value in fields.items() if not isinstance(value, NotGiven)}
    if not changes:
        raise InvalidArgumentError("There is nothing to change: give at least one field.")
    return changes


def raw_request(
    method: str,
    path: str,
    returns: type[T],
    params: Query | None,
    json: JSONInput,
    idempotency_key: str | None,
) -> Request[T]:
    """A call to any endpoint. Whether it honours keys is unknown: a write is repeated only with the caller's own."""
    verb = method.upper()
    if not _METHOD.fullmatch(verb):
        raise InvalidArgumentError(f"method is {method!r}; give one of HTTP, such as `GET`.")
    is_read = verb in ("GET", "HEAD")
    if is_read and idempotency_key is not None:
        raise InvalidArgumentError(f"idempotency_key has no meaning for a {verb}: the API ignores it there.")
    is_callers_key = idempotency_key is not None
    if not is_read:
        idempotency_key = (
            new_idempotency_key() if idempotency_key is None else check_idempotency_key(idempotency_key)
        )
    return Request(
        verb,
        check_literal_path(path),
        returns,
        params=build_query(params),
        body=None if json is None else to_json_bytes(json),
        idempotency_key=idempotency_key,
        repeatable=is_read or is_callers_key,
        envelope="either",
    )


def to_json_bytes(value: JSONInput) -> bytes:
    """JSON text in UTF-8, of what JSON can hold and nothing else."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        problem = "a text holds half a surrogate pair, which UTF-8 cannot carry"
    except RecursionError:
        problem = "it is nested too deep"
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise InvalidArgumentError(f"The body cannot be sent as JSON: {problem}.")


def check_id(value: str, name: str) -> str:
    """An id as the caller gave it: opaque, but never one that would reach another endpoint."""
    if not isinstance(value, str) or value.strip() in ("", ".", "..") or not _is_encodable(value):  # pyright: ignore[reportUnnecessaryIsInstance]
        problem = f"{value!r} is no id" if isinstance(value, str) else f"is a {type(value).__name__}"  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"{name} {problem}: give the text that the API returned as `id`.")
    return value


def build_path(template: str, *ids: str) -> FilledPath:
    """Fill ids into a path, quoted, so that none can reach another endpoint."""
    filled = FilledPath(
        template.format(*(quote(check_id(resource_id, "The id"), safe="") for resource_id in ids))
    )
    filled.template = template
    return filled


def check_literal_path(text: str) -> FilledPath:
    """A path that the caller wrote out: below the base URL, and nowhere else."""
    decoded = unquote(text.split("?")[0])
    if (
        not text.startswith("/")
        or text.startswith("//")
        or {".", ".."} & set(decoded.split("/"))
        or "#" in text
    ):
        raise InvalidArgumentError(f"path {text!r} must be one below the base URL, such as `/projects`.")
    if decoded.startswith("/v1/"):
        raise InvalidArgumentError(
            f"path {text!r} begins with the version, which the base URL has: leave out `/v1`."
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidArgumentError(f"path {text!r} holds characters that must be percent-encoded.")
    path = FilledPath(text)
    path.template = None
    return path


def page_query(page_size: int, cursor: str | None = None, **filters: str | None) -> dict[str, str]:
    """The query of a list: `limit` is 1 to 200 (C6), filters that are None are left out."""
    if isinstance(page_size, bool) or not isinstance(page_size, int) or not 1 <= page_size <= 200:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"page_size is {page_size!r}; the API takes 1 to 200.")
    return build_query({"limit": page_size, **filters, "cursor": cursor})


def build_query(params: Query | None) -> dict[str, str]:
    """Query parameters as the API spells them; those that are None are left out."""
    booleans = {True: "true", False: "false"}
    query = {
        name: booleans[value] if isinstance(value, bool) else _query_text(value)
        for name, value in (params or {}).items()
        if value is not None
    }
    if not all(_is_encodable(part) for pair in query.items() for part in pair):
        raise InvalidArgumentError("params hold half a surrogate pair, which UTF-8 cannot carry.")
    return query


def _query_text(value: str | float) -> str:
    return (
        str.__str__(value) if isinstance(value, str) else str(value)
    )  # an enum of texts names itself otherwise


def _is_encodable(value: str) -> bool:
    """Whether UTF-8 can carry it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def join_filter(values: Sequence[str] | None, name: str) -> str | None:
    """Several values of one filter; a single one may stand alone."""
    if values is None:
        return None
    texts = [values] if isinstance(values, str) else [*values]
    if not texts or not all(texts) or any("," in text for text in texts):
        raise InvalidArgumentError(f"{name} {values!r} must be a list of one or more values.")
    return ",".join(texts)


def format_utc_day(moment: date | datetime | str | None, name: str) -> str | None:
    """A date filter: the API takes UTC days (C27), also as text, as in the API's own examples."""
    if isinstance(moment, str):
        moment = _parse_day(moment, name)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise InvalidArgumentError(
                f"{name} {moment!r} has no time zone, so its UTC day is unknown: give a date or an aware datetime."
            )
        return _to_utc(moment, name).date().isoformat()
    if moment is not None and not isinstance(moment, date):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"{name} {moment!r} is no date: give a date or an aware datetime.")
    return None if moment is None else moment.isoformat()


def _parse_day(text: str, name: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidArgumentError(
        f"{name} {text[:40]!r} is not a day as the API writes it: give '2026-05-01', a date or an aware datetime."
    )


def format_datetime(value: datetime | None, name: str) -> str | None:
    """An instant of the caller's, as the API writes instants: keys compare bodies to the letter."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(
            f"{name} {value!r} is no moment in a known time zone: give an aware datetime, "
            "such as datetime(2026, 12, 1, 9, tzinfo=ZoneInfo('Europe/Berlin'))."
        )
    return format_instant(_to_utc(value, name))


def _to_utc(moment: datetime, name: str) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidArgumentError(f"{name} {moment!r} is beyond what there is in UTC.") from None


def format_slot_date(value: date | datetime | None, name: str) -> str | None:
    """The date of a queue slot: a moment, or a day as it is."""
    return format_datetime(value, name) if isinstance(value, datetime) else format_utc_day(value, name)


def check_http_url(url: str, name: str) -> str:
    parts = urlsplit(url) if isinstance(url, str) and "[" not in url else urlsplit("")  # pyright: ignore[reportUnnecessaryIsInstance]
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidArgumentError(
            f"{name} {url!r} is no address of a page: it must begin with https:// or http://."
        )
    return url
