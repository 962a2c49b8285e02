"""How models, lists of them and errors look in a notebook. It knows none of ours: they tell what there is to show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, cast

from pydantic import BaseModel

from ._format import Tone, duration, moment, one_line, tone
from .display.html import Markup, badge, card, folded, joined, listing, meter, table, tag

COLOURS: dict[Tone | None, str] = {
    "good": "#2a8a4a",
    "bad": "#d1423f",
    "waiting": "#b27a00",
    None: "currentColor",
}
_TELLING = {"id", "status", "name", "title", "type"}
_NEEDED = ("status_code", "code", "request_id", "docs_url", "idempotency_key", "storage_code")
"""What an error knows that its reader needs."""
CELL_TEXT = 80
"""Characters of a text in a table."""
MOST_ROWS = 50
"""Rows of a list that a program holds."""
NARROW = 20
"""A text of fewer characters stays on one line; any other has some room."""


class _Job(Protocol):
    id: str
    status: str


def model_card(model: BaseModel, **more: str) -> Markup:
    """One object: its fields that say something, secrets masked as in its repr, and what more there is to say."""
    fields = {**_fields(model), **{label: shown for label, shown in more.items() if shown}}
    name = fields.pop("id", "")
    title = [tag("strong", type(model).__name__.partition("[")[0]), " ", tag("code", name) if name else ""]
    return card(joined(title), fields)


def model_table(models: Sequence[BaseModel], note: str) -> Markup:
    """Objects of one kind, a row each; what is the same in all of them is told once, below."""
    rows = [dict(shown_fields(model)) for model in models]
    names = dict.fromkeys(name for row in rows for name in row)
    values = {name: {_cell(name, row.get(name)) for row in rows} for name in names}
    same = [name for name in names if len(values[name]) == 1 and len(rows) > 1 and name not in _TELLING]
    told = [f"{name} {_told(rows[0][name])}" for name in same if _says_something(rows[0].get(name))]
    columns = [name for name in names if name not in same and any(values[name])]
    cells = [[_cell(name, row.get(name)) for name in columns] for row in rows]
    return table(columns, cells, "; ".join([note] * bool(note) + [f"all: {', '.join(told)}"] * bool(told)))


def page_table(models: Sequence[BaseModel], *, has_more: bool) -> Markup:
    """One page of a list."""
    if not models:
        return tag("em", "empty")
    count = _count(models)
    return model_table(models, f"the first {count}; there are more" if has_more else count)


def list_table(models: Sequence[BaseModel]) -> Markup:
    """A list that a program holds: its first rows."""
    count = _count(models)
    shown = models[:MOST_ROWS]
    return model_table(shown, count if len(shown) == len(models) else f"the first {MOST_ROWS} of {count}")


def _count(models: Sequence[BaseModel]) -> str:
    return f"{len(models):,} {'row' if len(models) == 1 else 'rows'}"


def _told(value: object) -> str:
    return moment(value) if isinstance(value, datetime) else one_line(str(value), CELL_TEXT)


def error_card(name: str, message: str, known: Mapping[str, object]) -> Markup:
    """What went wrong, and what is needed to go on."""
    fields = {each: str(known[each]) for each in _NEEDED if known.get(each) is not None}
    fields["retryable"] = "yes: the same call may succeed later" if known["retryable"] else "no"
    jobs = cast("Sequence[_Job]", known.get("jobs", [known["job"]] if "job" in known else []))
    if jobs:
        fields["jobs"] = ", ".join(f"{job.id} ({job.status})" for job in jobs[:5])
    return card(joined([badge(name, COLOURS["bad"]), " ", folded(message)]), fields)


def shown_fields(model: BaseModel) -> Iterable[tuple[str, object]]:
    """Names and values, as far as they may be shown."""
    return ((name, value) for name, value in model.__repr_args__() if name is not None)


def _fields(model: BaseModel) -> dict[str, str]:
    return {name: _value(name, value) for name, value in shown_fields(model) if _says_something(value)}


def span(start: datetime | None, end: datetime | None) -> str:
    """How long something took; nothing where that is not known."""
    return "" if start is None or end is None else duration((end - start).total_seconds())


def progress(fraction: float | None, message: str | None) -> Markup:
    """How far something is."""
    known = "" if fraction is None else f" {fraction:.0%}"
    return joined([meter(fraction), f"{known} {message or ''}"])


def _says_something(value: object) -> bool:
    return value is not None and value != [] and value != {} and value != ""


def _value(name: str, value: object) -> str:
    if models := _models(value):
        return model_table(models, "")
    if isinstance(value, BaseModel):
        return listing(_fields(value))
    return _plain(name, value, folded)


def _cell(name: str, value: object) -> str:
    if models := _models(value):
        return f"{len(models)}"
    if isinstance(value, BaseModel):
        parts = (f"{key}: {each}" for key, each in shown_fields(value) if _says_something(each))
        return _short(", ".join(parts))
    return _plain(name, value, _short)


def _short(text: str) -> str:
    shown = one_line(text, CELL_TEXT)
    return tag("div", shown, "white-space:nowrap" if len(shown) < NARROW else "min-width:14em")


def _models(value: object) -> list[BaseModel]:
    """The models of a list; none if it is no list, or one of other things."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, BaseModel)]


def _plain(name: str, value: object, text: Callable[[str], str]) -> str:
    if name == "status" and isinstance(value, str):
        return badge(value, COLOURS[tone(value)])
    if name == "id" or name.endswith("_id"):
        return tag("code", str(value or ""), "white-space:nowrap")
    if isinstance(value, datetime):
        return tag("span", moment(value), "white-space:nowrap")
    if isinstance(value, list):
        return text(", ".join(map(str, cast("list[object]", value))))
    return text("" if value is None else str(value))
