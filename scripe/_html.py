"""Show models, lists of them and errors as HTML in a notebook.

This module lies below the models and the errors, which import it when a notebook shows them: it knows none of them by
name. Colours are those of the page, so that light and dark themes are both readable.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, cast

from pydantic import BaseModel

from ._format import Severity, format_duration, format_moment, severity, shorten

CELL = "text-align:left;vertical-align:top;border:0;padding:2px 14px 2px 0;background:transparent"
HEAD = f"{CELL};opacity:.65;font-weight:normal;white-space:nowrap"
COLOURS: dict[Severity | None, str] = {
    "good": "#2a8a4a",
    "bad": "#d1423f",
    "waiting": "#b27a00",
    None: "currentColor",
}
# Jupyter has MathJax typeset any text between two dollar signs, such as two prices, unless an element around it has one
# of these classes: the first is for MathJax 2, the second for 3 and 4.
IGNORED_BY_MATHJAX = {"class": "tex2jax_ignore mathjax_ignore"}

MAX_UNFOLDED = 200  # characters of a text on a card; the rest is collapsed
MAX_CELL_TEXT = 80  # characters of a text in a table
MAX_ROWS = 50  # rows of a Python list
PREVIEW_ROWS = 10  # rows of a list of the API, which are fetched to be shown
NO_WRAP_BELOW = 20  # shorter texts stay on one line; longer ones get a column of some width

_ALWAYS_COLUMNS = {"id", "status", "name", "title", "type"}
_ERROR_FIELDS = ("status_code", "code", "request_id", "docs_url", "idempotency_key", "storage_code")


class Markup(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


def tag(name: str, content: str, style: str = "", **attributes: str) -> Markup:
    """Wrap content in an element; it is escaped unless it is markup."""
    pairs = {"style": style, **attributes}.items()
    written = "".join(f' {attribute}="{html.escape(value)}"' for attribute, value in pairs if value)
    return Markup(f"<{name}{written}>{_escape(content)}</{name}>")


def _escape(content: str) -> str:
    return content if isinstance(content, Markup) else html.escape(content)


def concat(parts: Iterable[str]) -> Markup:
    """Join parts, each escaped unless it is markup."""
    return Markup("".join(map(_escape, parts)))


def meter(fraction: float | None) -> Markup:
    """Draw a bar that is filled to a fraction, or one that moves if the fraction is unknown."""
    if fraction is None:
        return Markup('<progress max="1" style="width:180px"></progress>')
    filled = min(max(fraction, 0.0), 1.0)
    return Markup(f'<progress max="1" value="{filled:.3f}" style="width:180px">{filled:.0%}</progress>')


def _badge(text: str, colour: str) -> Markup:
    style = f"border:1px solid {colour};color:{colour};border-radius:9px;padding:0 8px;white-space:nowrap"
    return tag("span", text, style)


def _collapsible(text: str) -> Markup:
    if len(text) <= MAX_UNFOLDED:
        return tag("span", text, "white-space:pre-wrap")
    summary = tag("summary", f"{text[:MAX_UNFOLDED].rstrip()}…", "white-space:pre-wrap;cursor:pointer")
    return tag("details", concat([summary, tag("div", text, "white-space:pre-wrap;margin-top:6px")]))


def _card(title: str, fields: Mapping[str, str]) -> Markup:
    parts = concat([tag("div", title, "margin-bottom:4px"), _field_list(fields)])
    return tag("div", parts, **IGNORED_BY_MATHJAX)


def _field_list(fields: Mapping[str, str]) -> Markup:
    rows = concat(
        tag("tr", concat([tag("th", name, HEAD), tag("td", value, CELL)]), "background:transparent")
        for name, value in fields.items()
    )
    return tag("table", rows, "border:0;margin:0;border-collapse:collapse")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> Markup:
    head = tag("tr", concat(tag("th", column, HEAD) for column in columns), "background:transparent")
    line = "background:transparent;border-top:1px solid rgba(128,128,128,.3)"
    body = concat(tag("tr", concat(tag("td", cell, CELL) for cell in row), line) for row in rows)
    grid = tag("table", concat([head, body]), "border-collapse:collapse;margin:0")
    footer = tag("div", note, "opacity:.65;margin-top:4px")
    return tag("div", concat([grid, footer]), "overflow-x:auto;max-width:100%", **IGNORED_BY_MATHJAX)


def model_card(model: BaseModel, **extra: str) -> Markup:
    """Show one object: its fields that are not empty, secrets masked as in its repr, and the extra ones."""
    fields = {**_card_fields(model), **{label: text for label, text in extra.items() if text}}
    model_id = fields.pop("id", "")
    title = [
        tag("strong", type(model).__name__.partition("[")[0]),
        " ",
        tag("code", model_id) if model_id else "",
    ]
    return _card(concat(title), fields)


def model_table(models: Sequence[BaseModel], note: str) -> Markup:
    """Show objects of one class, a row each; a value that all of them share is in the note below."""
    rows = [dict(_fields(model)) for model in models]
    names = dict.fromkeys(name for row in rows for name in row)
    values = {name: {_cell(name, row.get(name)) for row in rows} for name in names}
    same = [
        name for name in names if len(values[name]) == 1 and len(rows) > 1 and name not in _ALWAYS_COLUMNS
    ]
    shared = [f"{name} {_format(rows[0][name])}" for name in same if not _is_empty(rows[0].get(name))]
    columns = [name for name in names if name not in same and any(values[name])]
    cells = [[_cell(name, row.get(name)) for name in columns] for row in rows]
    notes = [note, f"all: {', '.join(shared)}" if shared else ""]
    return _table(columns, cells, "; ".join(filter(None, notes)))


def page_table(models: Sequence[BaseModel], *, has_more: bool) -> Markup:
    """Show one page of a list."""
    if not models:
        return tag("em", "empty")
    count = _count(models)
    return model_table(models, f"the first {count}; there are more" if has_more else count)


def list_table(models: Sequence[BaseModel]) -> Markup:
    """Show the first rows of a Python list."""
    count = _count(models)
    rows = models[:MAX_ROWS]
    return model_table(rows, count if len(rows) == len(models) else f"the first {MAX_ROWS} of {count}")


def _count(models: Sequence[BaseModel]) -> str:
    return f"{len(models):,} {'row' if len(models) == 1 else 'rows'}"


def error_card(name: str, message: str, attributes: Mapping[str, object]) -> Markup:
    """Show an error: its message, and the attributes that its reader needs to go on."""
    fields = {field: str(attributes[field]) for field in _ERROR_FIELDS if attributes.get(field) is not None}
    fields["retryable"] = "yes: the same call may succeed later" if attributes["retryable"] else "no"
    jobs: Any = attributes.get("jobs", [attributes["job"]] if "job" in attributes else [])
    if jobs:
        fields["jobs"] = ", ".join(f"{job.id} ({job.status})" for job in jobs[:5])
    return _card(concat([_badge(name, COLOURS["bad"]), " ", _collapsible(message)]), fields)


def duration_between(start: datetime | None, end: datetime | None) -> str:
    """Format the time between two moments; return an empty text if one of them is unknown."""
    return "" if start is None or end is None else format_duration((end - start).total_seconds())


def progress_html(fraction: float | None, message: str | None) -> Markup:
    """Show the progress of a job: a bar, the percentage and the message."""
    percentage = "" if fraction is None else f" {fraction:.0%}"
    return concat([meter(fraction), f"{percentage} {message or ''}"])


def preview_html(pager: Any, error_class: type[Exception]) -> str:
    """Fetch and show the first rows of a list; an error of this class is shown in their place.

    A notebook shows an object at the end of a cell: that must not raise.
    """
    rows: Any
    try:
        rows = pager.head(PREVIEW_ROWS)
    except error_class as error:
        rows = error
    return cast("str", rows._repr_html_())


def async_preview_html(pager: object, _: type[Exception]) -> str:
    """Say how to see the first rows: nothing can be awaited while a notebook shows an object."""
    hint = [tag("code", repr(pager)), "; ", tag("code", "await ….head()"), " shows a table"]
    return tag("span", concat(hint))


def _fields(model: BaseModel) -> Iterable[tuple[str, object]]:
    """Return names and values as the repr shows them: without secrets."""
    return ((name, value) for name, value in model.__repr_args__() if name is not None)


def _card_fields(model: BaseModel) -> dict[str, str]:
    return {name: _card_value(name, value) for name, value in _fields(model) if not _is_empty(value)}


def _is_empty(value: object) -> bool:
    return value is None or value in ([], {}, "")


def _card_value(name: str, value: object) -> str:
    if models := _models(value):
        return model_table(models, "")
    if isinstance(value, BaseModel):
        return _field_list(_card_fields(value))
    return _plain_value(name, value, _collapsible)


def _cell(name: str, value: object) -> str:
    if models := _models(value):
        return f"{len(models)}"
    if isinstance(value, BaseModel):
        parts = (f"{field}: {content}" for field, content in _fields(value) if not _is_empty(content))
        return _short_cell(", ".join(parts))
    return _plain_value(name, value, _short_cell)


def _short_cell(text: str) -> str:
    line = shorten(text, MAX_CELL_TEXT)
    return tag("div", line, "white-space:nowrap" if len(line) < NO_WRAP_BELOW else "min-width:14em")


def _format(value: object) -> str:
    return format_moment(value) if isinstance(value, datetime) else shorten(str(value), MAX_CELL_TEXT)


def _models(value: object) -> list[BaseModel]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, BaseModel)]


def _plain_value(name: str, value: object, format_text: Callable[[str], str]) -> str:
    if name == "status" and isinstance(value, str):
        return _badge(value, COLOURS[severity(value)])
    if name == "id" or name.endswith("_id"):
        return tag("code", str(value or ""), "white-space:nowrap")
    if isinstance(value, datetime):
        return tag("span", format_moment(value), "white-space:nowrap")
    if isinstance(value, list):
        return format_text(", ".join(map(str, cast("list[object]", value))))
    return format_text("" if value is None else str(value))


ListFormatter: TypeAlias = "Callable[[list[object]], str | None]"


def show_lists_as_tables(cls: type[BaseModel]) -> None:
    """Have IPython show Python lists of such models as tables: those of `to_list`, and slices of them.

    Other lists look as before. Nothing happens if IPython is loaded but no shell runs.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["text/html"]
    previous: ListFormatter = formatter.for_type(list) or _subclass_html

    def list_html(items: list[object]) -> str | None:
        models = [item for item in items if isinstance(item, cls)]
        return list_table(models) if models and len(models) == len(items) else previous(items)

    formatter.for_type(list, list_html)


def _subclass_html(items: list[object]) -> str | None:
    """Return the HTML of a subclass of list that shows itself: IPython asks a formatter of `list` first."""
    show = getattr(items, "_repr_html_", None)
    return None if show is None else show()
