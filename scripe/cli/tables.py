"""What a person sees at a terminal: tables and lines, in colour where the terminal has any."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from .._format import severity
from .views import View

_STYLES = {"good": "green", "bad": "red", "waiting": "yellow", None: ""}
_NARROWEST = 12
_GAP = 2


def lines(named: Mapping[str, str]) -> str:
    """One thing, a line for each of its fields."""
    width = max(map(len, named)) + _GAP
    return render(*(_line(f"{name:{width}}", value) for name, value in named.items()), soft_wrap=True)


def table(view: View, rows: Sequence[Sequence[str]]) -> str:
    """Several things, a line for each. Ids stay whole, whatever the width; one column gives way."""
    widths = _widths(view, rows, Console().width)
    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for title, width in zip(view.columns, widths, strict=True):
        made.add_column(title, no_wrap=True, overflow="ellipsis", min_width=width, max_width=width)
    for row in rows:
        made.add_row(*(Text(cell, _style(cell)) for cell in row))
    return render(made, width=sum(widths) + _GAP * len(widths))


def _widths(view: View, rows: Sequence[Sequence[str]], room: int) -> list[int]:
    columns = zip(view.columns, *rows, strict=True)
    widths = {column[0]: max(map(cell_len, column)) for column in columns}
    if view.flexible:
        excess = sum(widths.values()) + _GAP * (len(widths) - 1) - room
        at_least = min(widths[view.flexible], _NARROWEST)
        widths[view.flexible] = max(widths[view.flexible] - max(excess, 0), at_least)
    return list(widths.values())


def _line(name: str, value: str) -> Text:
    return Text.assemble((name, "dim"), (value, _style(value)))


def _style(value: str) -> str:
    return _STYLES[severity(value)]


def render(*parts: RenderableType, width: int | None = None, soft_wrap: bool = False) -> str:
    """Render for stdout, as wide as the terminal unless told.

    With `soft_wrap` a line that is too long is broken by the terminal, not here: so it can be copied whole.
    """
    page = io.StringIO()
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    console = Console(
        file=page, force_terminal=is_terminal or None, width=width, highlight=False, markup=False, emoji=False
    )
    for part in parts:
        console.print(part, soft_wrap=soft_wrap)
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())
