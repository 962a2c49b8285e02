"""Repair small faults of a JSON body, which must not cost a caller the whole page.

One record of 200 can be wrong in a way that no caller cares about. Without this, listing its neighbours would fail too.

| The body has | Read as |
|---|---|
| half an emoji, as JavaScript cuts it, or bytes that are not UTF-8 | U+FFFD |
| null where the model has a default | absent |
| null in a list whose items may not be null | left out |
| a fraction where the model has a whole number | rounded |

Nothing here runs for a body that fits its model. A repaired body is validated again: no repair can make wrong data
pass.
"""

from __future__ import annotations

import json
import math
from typing import cast

from pydantic import ValidationError

from .._redaction import decode, replace_lone_surrogates
from ..types._base import JSON

MAX_PROBLEMS = 1000
"""Faults of one body that are repaired; a page has up to 200 records."""


def load_json(body: bytes) -> JSON:
    """Parse JSON, or raise ValueError; bytes and escapes that UTF-8 cannot carry become U+FFFD."""
    document = cast("JSON", json.loads(decode(body)))
    text = json.dumps(document, ensure_ascii=False) if b"\\u" in body else ""
    repaired = replace_lone_surrogates(text)
    return document if repaired == text else cast("JSON", json.loads(repaired))


def repair_json(body: bytes, error: ValidationError) -> bytes | None:
    """Return the body without the faults that validation reported; None if none of them can be repaired."""
    if error.error_count() > MAX_PROBLEMS:
        return None
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    try:
        document = load_json(body)
        if not any(problem["type"] == "json_invalid" for problem in problems):
            changes = [_repair_value(document, problem["loc"], problem["type"]) for problem in problems]
            if not any(changes):
                return None
        repaired = json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return None if repaired == body else repaired


def _repair_value(document: JSON, location: tuple[int | str, ...], problem: str) -> bool:
    """Repair one value in place; return True if that was possible.

    A location of pydantic's may end with the names of types that it tried, which are not part of the document.
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
