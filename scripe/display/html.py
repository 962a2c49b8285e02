"""HTML for notebooks, made of few parts. Colours are the page's own, so that light and dark themes both read well."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

CELL = "text-align:left;vertical-align:top;border:0;padding:2px 14px 2px 0;background:transparent"
HEAD = f"{CELL};opacity:.65;font-weight:normal;white-space:nowrap"
IGNORED_BY_MATHJAX = {"class": "tex2jax_ignore mathjax_ignore"}
"""Jupyter has MathJax typeset what stands between two dollar signs, but for what is inside such an element: the first
name is that of version 2, the second of 3 and 4."""
LONG = 200
"""Characters of a text that are shown before it is folded."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, content: str, style: str = "", **attributes: str) -> Markup:
    """An element around content, which is escaped unless it is markup."""
    given = {"style": style, **attributes}
    shown = "".join(f' {key}="{html.escape(value)}"' for key, value in given.items() if value)
    return Markup(f"<{name}{shown}>{escaped(content)}</{name}>")


def escaped(content: str) -> str:
    """Text as HTML."""
    return content if isinstance(content, Markup) else html.escape(content)


def joined(parts: Iterable[str]) -> Markup:
    """Parts in a row."""
    return Markup("".join(escaped(part) for part in parts))


def badge(text: str, colour: str = "currentColor") -> Markup:
    """A word that stands out."""
    style = f"border:1px solid {colour};color:{colour};border-radius:9px;padding:0 8px;white-space:nowrap"
    return tag("span", text, style)


def meter(fraction: float | None) -> Markup:
    """A bar that is filled to a fraction; one that is not known moves."""
    if fraction is None:
        return Markup('<progress max="1" style="width:180px"></progress>')
    filled = min(max(fraction, 0.0), 1.0)
    return Markup(f'<progress max="1" value="{filled:.3f}" style="width:180px">{filled:.0%}</progress>')


def folded(text: str) -> Markup:
    """A text, most of it folded away if it is long."""
    if len(text) <= LONG:
        return tag("span", text, "white-space:pre-wrap")
    start = tag("summary", f"{text[:LONG].rstrip()}…", "white-space:pre-wrap;cursor:pointer")
    return tag("details", joined([start, tag("div", text, "white-space:pre-wrap;margin-top:6px")]))


def card(title: str, fields: Mapping[str, str]) -> Markup:
    """A title over names and values."""
    parts = joined([tag("div", title, "margin-bottom:4px"), listing(fields)])
    return tag("div", parts, **IGNORED_BY_MATHJAX)


def listing(fields: Mapping[str, str]) -> Markup:
    """Names and values."""
    rows = joined(
        tag("tr", joined([tag("th", name, HEAD), tag("td", value, CELL)]), "background:transparent")
        for name, value in fields.items()
    )
    return tag("table", rows, "border:0;margin:0;border-collapse:collapse")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> Markup:
    """Rows under the names of their columns, and a note below."""
    head = tag("tr", joined(tag("th", column, HEAD) for column in columns), "background:transparent")
    line = "background:transparent;border-top:1px solid rgba(128,128,128,.3)"
    body = joined(tag("tr", joined(tag("td", cell, CELL) for cell in row), line) for row in rows)
    shown = tag("table", joined([head, body]), "border-collapse:collapse;margin:0")
    return tag(
        "div",
        joined([shown, tag("div", note, "opacity:.65;margin-top:4px")]),
        "overflow-x:auto;max-width:100%",
        **IGNORED_BY_MATHJAX,
    )
