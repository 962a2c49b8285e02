"""Dates and times as callers write them."""

import re
from datetime import UTC, datetime

from .canonical_json import JsonObject
from .clock import milliseconds, timestamp
from .validation import text_of, unfit

DAY = 24 * 60 * 60 * 1000
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def day_of(text: str) -> int | None:
    """The first millisecond of a ``YYYY-MM-DD`` in UTC, None when it is no date."""
    if not DATE.fullmatch(text):
        return None
    try:
        return milliseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))
    except ValueError:
        return None


def moment_of(text: str) -> int | None:
    """The millisecond of an ISO 8601 date-time with its zone, None when it is none."""
    if not DATE_TIME.fullmatch(text):
        return None
    try:
        moment = milliseconds(datetime.fromisoformat(text))
        timestamp(moment)  # with its zone a moment may lie outside of the years 1 to 9999
    except (ValueError, OverflowError):
        return None
    return moment


def future_of(body: JsonObject, name: str, now: int) -> int | None:
    """The millisecond of a date-time to come, None when the field is absent.

    Raises:
        ApiError: 400, it is no string; 422, it is no date-time with its zone, or not in the future.

    """
    if name not in body:
        return None
    moment = moment_of(text_of(body, name))
    if moment is None or moment <= now:
        raise unfit(name, "must be an ISO 8601 date-time with its zone, in the future")
    return moment
