"""Lists in pages: `limit`, opaque cursors that are bound to their filters, and date filters."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable

from .canonical_json import Json, JsonObject, encode, fingerprint, parse
from .database import FOREVER, Record, Selection
from .dates import DAY, day_of, moment_of
from .errors import ApiError
from .messages import Response
from .routing import Call, bare
from .validation import wrong

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def listing(
    call: Call, select: Callable[[tuple[int, str]], Selection], show: Callable[[Record], JsonObject]
) -> Response:
    """One page of a list.

    Args:
        call: the call that asks for it.
        select: what the list shows, given where the previous page ended.
        show: a record as the API shows it.

    """
    return _page(call, lambda before, count: call.backend.state.page(select(before), count), show)


def listing_of(call: Call, records: Iterable[Record], show: Callable[[Record], JsonObject]) -> Response:
    """One page of a list whose records are at hand."""
    ordered = sorted(records, key=_place, reverse=True)
    return _page(call, lambda before, count: [one for one in ordered if _place(one) < before][:count], show)


def _page(
    call: Call,
    fetch: Callable[[tuple[int, str], int], list[Record]],
    show: Callable[[Record], JsonObject],
) -> Response:
    limit = _limit(call.request.query.get("limit"))
    records = fetch(_position(call), limit + 1)
    shown, more = records[:limit], len(records) > limit
    shown_fields: list[Json] = [show(record) for record in shown]
    pagination: JsonObject = {"next_cursor": _cursor(call, shown[-1]) if more else None, "has_more": more}
    return bare({"data": shown_fields, "pagination": pagination})


def _place(record: Record) -> tuple[int, str]:
    return record.created_at, record.id


def words(call: Call, name: str, known: tuple[str, ...]) -> list[str] | None:
    """A comma-separated filter, None when it is absent or empty.

    Raises:
        ApiError: 400, one of the words is unknown.

    """
    given = call.request.query.get(name)
    if not given:
        return None
    unknown = set(given.split(",")) - set(known)
    if unknown:
        raise wrong(name, f"must be some of {', '.join(known)}")
    return given.split(",")


def span(call: Call, *, times: bool) -> tuple[int, int]:
    """The first and the last millisecond that `dateFrom` and `dateTo` allow.

    Raises:
        ApiError: 400, a date has a wrong form; date-times pass only when `times` is set.

    """
    query = call.request.query
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
    day, exact = day_of(given), moment_of(given) if times else None
    if day is not None:
        return day, day + DAY - 1
    if exact is not None:
        return exact, exact
    raise wrong(
        name, "must be a date, YYYY-MM-DD" + (", or an ISO 8601 date-time with its zone" if times else "")
    )


def _binding(call: Call) -> str:
    # What a cursor is good for: the same list of the same workspace with the same filters, at any limit.
    filters: JsonObject = {
        name: text for name, text in call.request.query.items() if name not in ("limit", "cursor")
    }
    return fingerprint([call.workspace_id, call.request.path, filters, call.backend.cursor_age])


def _cursor(call: Call, last: Record) -> str:
    return base64.urlsafe_b64encode(encode([_binding(call), last.created_at, last.id])).decode()


def _position(call: Call) -> tuple[int, str]:
    cursor = call.request.query.get("cursor")
    if not cursor:
        return FOREVER, ""
    try:
        match parse(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)):
            case [str(binding), int(created_at), str(record_id)] if (
                binding == _binding(call) and abs(created_at) <= FOREVER
            ):
                return created_at, record_id
            case _:
                pass
    except (binascii.Error, ValueError):
        pass
    raise ApiError(
        "bad_cursor", "The cursor is malformed or stale, or the filters changed; start again without one."
    )
