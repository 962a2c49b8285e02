"""Dates and times as callers write them."""

import re
from datetime import UTC, datetime

from .canonical_json import JsonObject
from .clock import milliseconds, timestamp
from .validation import require_str, unprocessable_field

DAY = 24 * 60 * 60 * 1000
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def parse_day(text: str) -> int | None:
    """The first millisecond of a ``YYYY-MM-DD`` in UTC, None when it is no date."""
    if not DATE.fullmatch(text):
        return None
    try:
        return milliseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))
    except ValueError:
        return None


def parse_datetime(text: str) -> int | None:
    """The millisecond of an ISO 8601 date-time with its zone, None when it is none."""
    if not DATE_TIME.fullmatch(text):
        return None
    try:
        moment = milliseconds(datetime.fromisoformat(text))
        timestamp(moment)  # with its zone a moment may lie outside of the years 1 to 9999
    except (ValueError, OverflowError):
        return None
    return moment


def require_future(body: JsonObject, name: str, now: int) -> int | None:
    """The millisecond of a date-time to come, None when the field is absent.

    Raises:
        ApiError: 400, it is no string; 422, it is no date-time with its zone, or not in the future.

    """
    if name not in body:
        return None
    moment = parse_datetime(require_str(body, name))
    if moment is None or moment <= now:
        raise unprocessable_field(name, "must be an ISO 8601 date-time with its zone, in the future")
    return moment
