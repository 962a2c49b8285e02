"""Lists in pages: `limit`, opaque cursors that are bound to their filters, and date filters."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable

from .canonical_json import Json, JsonObject, dumps, fingerprint, loads
from .database import FOREVER, Record, Selection
from .dates import DAY, parse_datetime, parse_day
from .errors import ApiError
from .messages import Response
from .routing import RequestContext, json_response
from .validation import invalid_field

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def page_of_selection(
    context: RequestContext,
    select: Callable[[tuple[int, str]], Selection],
    show: Callable[[Record], JsonObject],
) -> Response:
    """One page of a list.

    Args:
        context: the call that asks for it.
        select: what the list shows, given where the previous page ended.
        show: a record as the API shows it.

    """
    return _page(context, lambda before, count: context.services.database.page(select(before), count), show)


def page_of_records(
    context: RequestContext, records: Iterable[Record], show: Callable[[Record], JsonObject]
) -> Response:
    """One page of a list whose records are at hand."""
    ordered = sorted(records, key=_place, reverse=True)
    return _page(
        context, lambda before, count: [one for one in ordered if _place(one) < before][:count], show
    )


def _page(
    context: RequestContext,
    fetch: Callable[[tuple[int, str], int], list[Record]],
    show: Callable[[Record], JsonObject],
) -> Response:
    limit = _limit(context.request.query.get("limit"))
    records = fetch(_position(context), limit + 1)
    shown, more = records[:limit], len(records) > limit
    shown_fields: list[Json] = [show(record) for record in shown]
    pagination: JsonObject = {"next_cursor": _cursor(context, shown[-1]) if more else None, "has_more": more}
    return json_response({"data": shown_fields, "pagination": pagination})


def _place(record: Record) -> tuple[int, str]:
    return record.created_at, record.id


def parse_enum_list(context: RequestContext, name: str, known: tuple[str, ...]) -> list[str] | None:
    """A comma-separated filter, None when it is absent or empty.

    Raises:
        ApiError: 400, one of the words is unknown.

    """
    given = context.request.query.get(name)
    if not given:
        return None
    unknown = set(given.split(",")) - set(known)
    if unknown:
        raise invalid_field(name, f"must be some of {', '.join(known)}")
    return given.split(",")


def parse_date_range(context: RequestContext, *, times: bool) -> tuple[int, int]:
    """The first and the last millisecond that `dateFrom` and `dateTo` allow.

    Raises:
        ApiError: 400, a date has a wrong form; date-times pass only when `times` is set.

    """
    query = context.request.query
    earliest = _moment("dateFrom", query.get("dateFrom"), times=times)
    latest = _moment("dateTo", query.get("dateTo"), times=times)
    return earliest[0] if earliest else 0, latest[1] if latest else FOREVER


def _limit(given: str | None) -> int:
    if given is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,9}", given) or not 1 <= int(given) <= MAX_LIMIT:
        raise ApiError("bad_pagination", f"limit must be an integer from 1 to {MAX_LIMIT}.")
    return int(given)


def _moment(name: str, given: str | None, *, times: bool) -> tuple[int, int] | None:
    if given is None:
        return None
    day, exact = parse_day(given), parse_datetime(given) if times else None
    if day is not None:
        return day, day + DAY - 1
    if exact is not None:
        return exact, exact
    raise invalid_field(
        name, "must be a date, YYYY-MM-DD" + (", or an ISO 8601 date-time with its zone" if times else "")
    )


def _binding(context: RequestContext) -> str:
    # What a cursor is good for: the same list of the same workspace with the same filters, at any limit.
    filters: JsonObject = {
        name: text for name, text in context.request.query.items() if name not in ("limit", "cursor")
    }
    return fingerprint([context.workspace_id, context.request.path, filters, context.services.cursor_age])


def _cursor(context: RequestContext, last: Record) -> str:
    return base64.urlsafe_b64encode(dumps([_binding(context), last.created_at, last.id])).decode()


def _position(context: RequestContext) -> tuple[int, str]:
    cursor = context.request.query.get("cursor")
    if not cursor:
        return FOREVER, ""
    try:
        match loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)):
            case [str(binding), int(created_at), str(record_id)] if (
                binding == _binding(context) and abs(created_at) <= FOREVER
            ):
                return created_at, record_id
            case _:
                pass
    except (binascii.Error, ValueError):
        pass
    raise ApiError(
        "bad_cursor", "The cursor is malformed or stale, or the filters changed; start again without one."
    )
