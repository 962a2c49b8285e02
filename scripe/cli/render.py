"""Write the result of a command to stdout: JSON for programs, tables for people, lines with tabs into a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from .output import write_stderr, write_stdout
from .sanitize import escape_controls, strip_controls
from .views import VIEWS, cells, format_value, long_text

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .. import Pager
    from .options import Options

T = TypeVar("T", bound="BaseModel")

MAX_PAGE_SIZE = 200
_HIDDEN_FIELDS = {"upload_url"}  # a used link is worth nothing, and its query was a password


@dataclass(frozen=True, slots=True)
class Listing:
    """Models of one class, whose name is `model`."""

    model: str
    items: Sequence[BaseModel]
    has_more: bool = False
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that no model of the API holds: a document for programs, and lines for people by their labels."""

    document: Mapping[str, object]
    lines: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of text for people, and the same as a document for programs."""

    text: str
    document: Mapping[str, object]
    exit_code: int = 0


if TYPE_CHECKING:
    Result: TypeAlias = BaseModel | Listing | Facts | Page
else:
    Result = object  # cyclopts evaluates the annotations of commands, and pydantic is slow to load


def page_size(limit: int | None) -> int:
    """Return how many items to fetch at once: one more than the limit says whether there are more."""
    return MAX_PAGE_SIZE if limit is None else min(limit + 1, MAX_PAGE_SIZE)


def fetch_listing(model: str, pager: Pager[T], limit: int | None = None) -> Listing:
    """Fetch the first items of a list; all of them without a limit."""
    items = pager.to_list(None if limit is None else limit + 1)
    return Listing(model, items[:limit], has_more=limit is not None and len(items) > limit)


def write_result(result: Result, options: Options) -> int:
    """Write a result to stdout; return the exit code."""
    if options.json:
        write_stdout(_to_json(result))
    elif isinstance(result, Listing):
        _write_listing(result)
    elif isinstance(result, Page):
        write_stdout(f"{strip_controls(result.text)}\n")
    elif isinstance(result, Facts):
        values = {label: format_value(value) for label, value in result.lines.items()}
        _write_fields({label: value for label, value in values.items() if value})
    else:
        _write_model(result)
    return result.exit_code if isinstance(result, Listing | Page) else 0


def _to_json(result: Result) -> str:
    value: object
    if isinstance(result, Listing):
        value = {"data": [to_dict(item) for item in result.items], "hasMore": result.has_more}
    else:
        value = result.document if isinstance(result, Facts | Page) else to_dict(result)
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    return escape_controls(json.dumps(value, indent=2, ensure_ascii=encoding != "utf8")) + "\n"


def to_dict(model: BaseModel) -> dict[str, object]:
    """Return the JSON of a model, as the API sent it."""
    return model.model_dump(by_alias=True, mode="json", exclude_unset=True, exclude=_HIDDEN_FIELDS)


def _write_listing(listing: Listing) -> None:
    view = VIEWS[listing.model]
    rows = [cells(item, view.columns) for item in listing.items]
    if rows and _is_terminal():
        from .tables import render_table

        write_stdout(render_table(view, rows))
    else:
        write_stdout("".join("\t".join(row) + "\n" for row in rows))
    if not rows:
        write_stderr("The list is empty.")
    if listing.has_more:
        write_stderr("There are more. To see them, add --limit N or --all.")


def _write_model(model: BaseModel) -> None:
    view, fields = VIEWS[type(model).__name__], to_fields(model)
    _write_fields(fields)
    if text := strip_controls(long_text(model, view)).strip():
        write_stdout(f"\n{text}\n")
    if "secret" in fields:
        write_stderr("The secret is shown only now, and cannot be read again. Store it.")


def to_fields(model: BaseModel) -> dict[str, str]:
    """Return the lines of a model by their labels."""
    view = VIEWS[type(model).__name__]
    values = zip(view.fields, cells(model, view.fields), strict=True)
    return {label: value for label, value in values if value}


def _write_fields(fields: Mapping[str, str]) -> None:
    if _is_terminal():
        from .tables import render_fields

        write_stdout(render_fields(fields))
    else:
        width = max(map(len, fields)) + 2
        write_stdout("".join(f"{label:{width}}{value}\n" for label, value in fields.items()))


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
