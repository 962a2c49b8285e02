"""Return lists in pages: `limit`, date filters, and opaque cursors that are bound to a list and its filters."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable

from .canonical_json import Json, JsonObject, dumps, fingerprint, loads
from .database import FOREVER, Record, Selection
from .dates import DAY_MS, parse_datetime, parse_day
from .errors import ApiError
from .messages import Response
from .routing import RequestContext, json_response
from .validation import invalid_field

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
Position = tuple[int, str]
"""The creation time and id of a record."""


def page_of_selection(
    context: RequestContext, selection: Selection, to_json: Callable[[Record], JsonObject]
) -> Response:
    """Return one page of a selection of stored records."""
    database = context.services.database
    return _page(context, lambda before, count: database.page(selection, count, before), to_json)


def page_of_records(
    context: RequestContext, records: Iterable[Record], to_json: Callable[[Record], JsonObject]
) -> Response:
    """Return one page of records that are not stored."""
    ordered = sorted(records, key=_position_of, reverse=True)

    def fetch(before: Position, count: int) -> list[Record]:
        return [record for record in ordered if _position_of(record) < before][:count]

    return _page(context, fetch, to_json)


def _page(
    context: RequestContext,
    fetch: Callable[[Position, int], list[Record]],
    to_json: Callable[[Record], JsonObject],
) -> Response:
    text = context.request.query.get("limit", str(DEFAULT_LIMIT))
    limit = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise ApiError("bad_pagination", f"limit must be an integer from 1 to {MAX_LIMIT}.")
    records = fetch(_parse_cursor(context), limit + 1)
    data: list[Json] = [to_json(record) for record in records[:limit]]
    has_more = len(records) > limit
    cursor = None
    if has_more:
        content = dumps([_cursor_binding(context), *_position_of(records[limit - 1])])
        cursor = base64.urlsafe_b64encode(content).decode()
    return json_response({"data": data, "pagination": {"next_cursor": cursor, "has_more": has_more}})


def _position_of(record: Record) -> Position:
    return record.created_at, record.id


def parse_enum_list(context: RequestContext, name: str, known: tuple[str, ...]) -> list[str] | None:
    """Return the words of a comma-separated filter, None if it is absent or empty, or raise a 400."""
    text = context.request.query.get(name)
    if not text:
        return None
    words = text.split(",")
    if set(words) - set(known):
        raise invalid_field(name, f"must be some of {', '.join(known)}")
    return words


def parse_date_range(context: RequestContext, *, times: bool) -> tuple[int, int]:
    """Return the first and last millisecond of `dateFrom` and `dateTo`, which may be date-times only if `times`."""
    earliest = _parse_date(context, "dateFrom", times=times)
    latest = _parse_date(context, "dateTo", times=times)
    return earliest[0] if earliest else 0, latest[1] if latest else FOREVER


def _parse_date(context: RequestContext, name: str, *, times: bool) -> tuple[int, int] | None:
    text = context.request.query.get(name)
    if text is None:
        return None
    day, moment = parse_day(text), parse_datetime(text) if times else None
    if day is not None:
        return day, day + DAY_MS - 1
    if moment is not None:
        return moment, moment
    alternative = ", or an ISO 8601 date-time with its zone" if times else ""
    raise invalid_field(name, f"must be a date, YYYY-MM-DD{alternative}")


def _cursor_binding(context: RequestContext) -> str:
    """Identify what a cursor is valid for: a list of a workspace with its filters, at any limit."""
    query = context.request.query
    filters: JsonObject = {name: text for name, text in query.items() if name not in ("limit", "cursor")}
    return fingerprint([context.workspace_id, context.request.path, filters, context.services.cursor_age])


def _parse_cursor(context: RequestContext) -> Position:
    cursor = context.request.query.get("cursor")
    if not cursor:
        return FOREVER, ""
    try:
        match loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)):
            case [str(binding), int(created_at), str(record_id)] if (
                binding == _cursor_binding(context) and abs(created_at) <= FOREVER
            ):
                return created_at, record_id
            case _:
                pass
    except (binascii.Error, ValueError):
        pass
    raise ApiError(
        "bad_cursor", "The cursor is malformed or stale, or the filters changed; start again without one."
    )
