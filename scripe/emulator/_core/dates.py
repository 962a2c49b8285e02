"""Read and write dates and times as the API spells them; inside the emulator they are milliseconds since 1970."""

import re
from datetime import UTC, datetime, timedelta

from .canonical_json import JsonObject
from .validation import require_str, unprocessable_field

DAY_MS = 24 * 60 * 60 * 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def to_milliseconds(moment: datetime) -> int:
    """Return an aware datetime as whole milliseconds, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def format_timestamp(milliseconds: int) -> str:
    """Format milliseconds as the API does, `2026-05-15T08:21:00.000Z`."""
    return format_datetime(EPOCH + timedelta(milliseconds=milliseconds))


def format_datetime(moment: datetime) -> str:
    """Format an aware UTC datetime as the API does, `2026-05-15T08:21:00.000Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_day(text: str) -> int | None:
    """Return the first millisecond of a `YYYY-MM-DD` in UTC, None if it is another text."""
    if not DATE.fullmatch(text):
        return None
    try:
        return to_milliseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))
    except ValueError:
        return None


def parse_datetime(text: str) -> int | None:
    """Return the milliseconds of an ISO 8601 date-time with its zone, None if it is another text."""
    if not DATE_TIME.fullmatch(text):
        return None
    try:
        moment = to_milliseconds(datetime.fromisoformat(text))
        format_timestamp(moment)  # its zone may move it out of the years 1 to 9999
    except (ValueError, OverflowError):
        return None
    return moment


def require_future(body: JsonObject, name: str, now: int) -> int | None:
    """Return the milliseconds of a date-time in the future, None if it is absent, or raise a 400 or 422."""
    if name not in body:
        return None
    moment = parse_datetime(require_str(body, name))
    if moment is None or moment <= now:
        raise unprocessable_field(name, "must be an ISO 8601 date-time with its zone, in the future")
    return moment
