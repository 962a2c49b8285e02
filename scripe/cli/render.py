"""How a result goes to stdout: a JSON document for programs, tables for people, plain lines into a pipe."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from .output import emit, note
from .results import Listing, Result
from .sanitize import escaped, harmless
from .views import cells, long_text, view_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .options import Options

_LEFT_OUT = {"upload_url"}
"""The link is spent: of no use, and its query was a password."""


def show(result: Result, options: Options) -> int:
    """Write a result to stdout, and give back the exit code."""
    if options.json:
        emit(_document(result))
    elif isinstance(result, Listing):
        _show_listing(result)
    else:
        _show_one(result)
    return result.exit_code if isinstance(result, Listing) else 0


def _document(result: Result) -> str:
    if isinstance(result, Listing):
        value: object = {"data": [_plain(item) for item in result.items], "hasMore": result.has_more}
    else:
        value = _plain(result)
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    return escaped(json.dumps(value, indent=2, ensure_ascii=encoding != "utf8")) + "\n"


def _plain(model: BaseModel) -> dict[str, object]:
    return model.model_dump(by_alias=True, mode="json", exclude_unset=True, exclude=_LEFT_OUT)


def _show_listing(listing: Listing) -> None:
    view = view_of(listing.kind)
    rows = [cells(item, view.columns) for item in listing.items]
    if rows and _is_terminal():
        from . import tables

        emit(tables.table(view, rows))
    else:
        emit("".join("\t".join(row) + "\n" for row in rows))
    if not rows:
        note("There are none.")
    if listing.has_more:
        note("There are more: --limit N or --all shows them.")


def _show_one(model: BaseModel) -> None:
    view = view_of(type(model).__name__)
    values = zip(view.lines, cells(model, view.lines), strict=True)
    lines = {name: value for name, value in values if value}
    if _is_terminal():
        from . import tables

        emit(tables.lines(lines))
    else:
        width = max(map(len, lines)) + 2
        emit("".join(f"{name:{width}}{value}\n" for name, value in lines.items()))
    if text := harmless(long_text(model, view)).strip():
        emit(f"\n{text}\n")
    if "secret" in lines:
        note("The secret is shown this once, and cannot be read again: keep it now.")


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
