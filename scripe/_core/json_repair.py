"""Small oddities of a JSON body that must not cost a caller the whole page.

| The body has | Read as |
|---|---|
| half an emoji, as JavaScript cuts it, or bytes that are not UTF-8 | U+FFFD |
| null where the model has a default | absent |
| null in a list whose items may not be null | left out |
| a fraction where the model has a whole number | rounded |

Nothing here runs for a body that fits its model.
"""

from __future__ import annotations

import json
import math
from typing import cast

from pydantic import ValidationError

from .._redaction import decode, replace_lone_surrogates
from ..types._base import JSON

MAX_PROBLEMS = 1000
"""Oddities of one body that are mended: a page has 200 records."""


def load_json(body: bytes) -> JSON:
    """Parse JSON; what UTF-8 cannot carry becomes U+FFFD.

    Raises:
        ValueError: it is not JSON.

    """
    document = cast("JSON", json.loads(decode(body)))
    text = json.dumps(document, ensure_ascii=False) if b"\\u" in body else ""
    repaired = replace_lone_surrogates(text)
    return document if repaired == text else cast("JSON", json.loads(repaired))


def repair_json(body: bytes, error: ValidationError) -> bytes | None:
    """Return the body without the oddities that the model refused; None if there is none that can be mended."""
    if error.error_count() > MAX_PROBLEMS:
        return None
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    try:
        document = load_json(body)
        if not any(problem["type"] == "json_invalid" for problem in problems):
            changes = [_repair_value(document, each["loc"], each["type"]) for each in problems]
            if not any(changes):
                return None
        repaired = json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return None if repaired == body else repaired


def _repair_value(document: JSON, location: tuple[int | str, ...], problem: str) -> bool:
    """Mend one value in place, and say whether it could be done.

    A location may go on beyond the value, with names of the types that were tried.
    """
    value, parent, position = document, document, cast("int | str", "")
    for step in location:
        if isinstance(value, dict) and step in value:
            value, parent, position = value[str(step)], value, step
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value, parent, position = value[step], value, step
    if parent is value:
        return False
    container = cast("dict[int | str, JSON]", parent)
    if value is None:
        del container[position]
        return True
    if problem == "int_from_float" and isinstance(value, float) and math.isfinite(value):
        container[position] = round(value)
        return True
    return False
