"""Describe one call: its path, query and body, before it is addressed to a server.

Ids come from the caller's data. They are quoted and checked when they become part of a path: an id such as `../posts`
would otherwise send a DELETE to another endpoint.

The body is serialised once, before the first attempt. The idempotency key belongs to exactly these bytes, and the API
compares them when a retry uses the key again.
"""

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
    """A path, and the template that it was built from."""

    __slots__ = ("template",)
    template: str | None


@dataclass(slots=True)
class Request(Generic[T]):
    """One call to the API, with the same body and idempotency key for every attempt.

    A call that is not `repeatable` is not sent again if an earlier attempt may have arrived. Every call is sent again
    after a 429, or if no connection was made: nothing was done then.
    """

    method: str
    path: str  # below the base URL, with quoted ids
    returns: type[T]
    params: Mapping[str, str] | None = None
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    repeatable: bool = True
    envelope: Literal["data", "whole", "either"] = "data"  # where the object is; `either`: C23
    extra_success_statuses: frozenset[int] = frozenset()  # a degraded `/health` is a 503
    authenticated: bool = True
    server_wait: float = 0.0  # seconds for which the server may hold the response back
    has_callers_key: bool = False  # so that a later call can use it again

    @property
    def template(self) -> str | None:
        """The path with its ids left out; None if the caller wrote the path, so that its ids are unknown."""
        return self.path.template if isinstance(self.path, FilledPath) else self.path

    @property
    def safe_path(self) -> str:
        """The path as it may be logged: without a query that the caller wrote into it."""
        return str(self.path).partition("?")[0]

    @property
    def target(self) -> str:
        """The path and the query."""
        if not self.params:
            return self.path
        return f"{self.path}{'&' if '?' in self.path else '?'}{urlencode(self.params)}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of this call only."""
        headers: dict[str, str] = {}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.idempotency_key is not None:
            headers["Idempotency-Key"] = self.idempotency_key
        return headers

    @property
    def is_write(self) -> bool:
        """True if the call changes something."""
        return self.method not in ("GET", "HEAD")

    @property
    def bucket(self) -> RateLimitBucket:
        """The rate limit that the call counts for."""
        if not self.is_write:
            return "read"
        return _BUCKETS.get(self.path, "write")


def create_request(
    method: str, path: str, returns: type[T], fields: Mapping[str, JSONInput], idempotency_key: str | None
) -> Request[T]:
    """Return a write with an idempotency key; fields that are None are left out."""
    wire_key = new_idempotency_key() if idempotency_key is None else check_idempotency_key(idempotency_key)
    given_fields = {name: value for name, value in fields.items() if value is not None}
    return Request(
        method,
        path,
        returns,
        body=to_json_bytes(given_fields),
        idempotency_key=wire_key,
        has_callers_key=idempotency_key is not None,
    )


def patch_request(
    path: str, returns: type[T], fields: Mapping[str, JSONInput | NotGiven], idempotency_key: str | None
) -> Request[T]:
    """Return a PATCH with an idempotency key; it sends the given fields only, None included."""
    request = create_request("PATCH", path, returns, {}, idempotency_key)
    return replace(request, body=to_json_bytes(drop_not_given(fields)))


def drop_not_given(fields: Mapping[str, JSONInput | NotGiven]) -> dict[str, JSONInput]:
    """Return the fields that were given, at least one."""
    changes = {name: value for name, value in fields.items() if not isinstance(value, NotGiven)}
    if not changes:
        raise InvalidArgumentError("There is nothing to change. Give at least one field.")
    return changes


def raw_request(
    method: str,
    path: str,
    returns: type[T],
    params: Query | None,
    json: JSONInput,
    idempotency_key: str | None,
) -> Request[T]:
    """Return a call to any endpoint of the API.

    Whether the endpoint honours idempotency keys is unknown: a write is repeated only with a key of the caller's own.
    """
    verb = method.upper()
    if not _METHOD.fullmatch(verb):
        raise InvalidArgumentError(f"method is {method!r}. Give a method of HTTP, such as `GET`.")
    is_read = verb in ("GET", "HEAD")
    if is_read and idempotency_key is not None:
        raise InvalidArgumentError(f"The API ignores the idempotency_key of a {verb}. Leave it out.")
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
    """Serialise a value as JSON in UTF-8; refuse what JSON cannot hold, NaN included."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        problem = "a str holds half a surrogate pair, which UTF-8 cannot carry"
    except RecursionError:
        problem = "it is nested too deeply"
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise InvalidArgumentError(f"The body cannot be sent as JSON: {problem}.")


def check_id(value: str, name: str) -> str:
    """Return an id; refuse one that would lead to another endpoint. Apart from that, ids are opaque."""
    if not isinstance(value, str) or value.strip() in ("", ".", "..") or not _is_encodable(value):  # pyright: ignore[reportUnnecessaryIsInstance]
        problem = f"{value!r} is not an id" if isinstance(value, str) else f"is a {type(value).__name__}"  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"{name} {problem}. Give the str that the API returned as `id`.")
    return value


def build_path(template: str, *ids: str) -> FilledPath:
    """Fill quoted ids into a path."""
    filled = FilledPath(
        template.format(*(quote(check_id(resource_id, "The id"), safe="") for resource_id in ids))
    )
    filled.template = template
    return filled


def check_literal_path(text: str) -> FilledPath:
    """Return a path that the caller wrote out; refuse one that would leave the base URL."""
    decoded = unquote(text.split("?")[0])
    if (
        not text.startswith("/")
        or text.startswith("//")
        or {".", ".."} & set(decoded.split("/"))
        or "#" in text
    ):
        raise InvalidArgumentError(f"path {text!r} is not below the base URL. Give one such as `/projects`.")
    if decoded.startswith("/v1/"):
        raise InvalidArgumentError(
            f"path {text!r} begins with the version, which is part of the base URL. Leave out `/v1`."
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidArgumentError(
            f"path {text!r} holds characters that no URL may hold. Percent-encode them."
        )
    path = FilledPath(text)
    path.template = None
    return path


def page_query(page_size: int, cursor: str | None = None, **filters: str | None) -> dict[str, str]:
    """Return the query of a list; `limit` is 1 to 200 (C6), and filters that are None are left out."""
    if isinstance(page_size, bool) or not isinstance(page_size, int) or not 1 <= page_size <= 200:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"page_size is {page_size!r}. Give 1 to 200.")
    return build_query({"limit": page_size, **filters, "cursor": cursor})


def build_query(params: Query | None) -> dict[str, str]:
    """Return query parameters as the API spells them; those that are None are left out."""
    booleans = {True: "true", False: "false"}
    query = {
        name: booleans[value] if isinstance(value, bool) else _query_text(value)
        for name, value in (params or {}).items()
        if value is not None
    }
    if not all(_is_encodable(part) for pair in query.items() for part in pair):
        raise InvalidArgumentError("params hold half a surrogate pair, which UTF-8 cannot carry. Replace it.")
    return query


def _query_text(value: str | float) -> str:
    # `str()` of an enum of texts would return the name of its member.
    return str.__str__(value) if isinstance(value, str) else str(value)


def _is_encodable(value: str) -> bool:
    """Return True if UTF-8 can carry the text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def join_filter(values: Sequence[str] | None, name: str) -> str | None:
    """Join the values of one filter; a single str counts as one value."""
    if values is None:
        return None
    texts = [values] if isinstance(values, str) else [*values]
    if not texts or not all(texts) or any("," in text for text in texts):
        raise InvalidArgumentError(
            f"{name} is {values!r}. Give at least one value, and none that is empty or has a comma."
        )
    return ",".join(texts)


def format_utc_day(moment: date | datetime | str | None, name: str) -> str | None:
    """Return the UTC day of a date filter (C27). A str is accepted in the form of the API's own examples."""
    if isinstance(moment, str):
        moment = _parse_day(moment, name)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise InvalidArgumentError(
                f"{name} {moment!r} has no time zone, so its UTC day is unknown. Give a date or an aware datetime."
            )
        return _to_utc(moment, name).date().isoformat()
    if moment is not None and not isinstance(moment, date):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"{name} {moment!r} is not a date. Give a date or an aware datetime.")
    return None if moment is None else moment.isoformat()


def _parse_day(text: str, name: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidArgumentError(
        f"{name} {text[:40]!r} is not a day. Give one such as '2026-05-01', a date or an aware datetime."
    )


def format_datetime(value: datetime | None, name: str) -> str | None:
    """Return an instant in the API's own form, so that a repeated call has the same body to the letter."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(
            f"{name} {value!r} is not an instant in a known time zone. Give an aware datetime, "
            "such as datetime(2026, 12, 1, 9, tzinfo=ZoneInfo('Europe/Berlin'))."
        )
    return format_instant(_to_utc(value, name))


def _to_utc(moment: datetime, name: str) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidArgumentError(
            f"{name} {moment!r} does not exist in UTC. Give a year from 2 to 9998."
        ) from None


def format_slot_date(value: date | datetime | None, name: str) -> str | None:
    """Return the date of a queue slot: an instant, or a day."""
    return format_datetime(value, name) if isinstance(value, datetime) else format_utc_day(value, name)


def check_http_url(url: str, name: str) -> str:
    """Return the URL; refuse one that is not http or https, or has no host."""
    parts = urlsplit(url) if isinstance(url, str) and "[" not in url else urlsplit("")  # pyright: ignore[reportUnnecessaryIsInstance]
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidArgumentError(
            f"{name} {url!r} is not the URL of a page. Give one that begins with https:// or http://."
        )
    return url
