"""Render tables and fields for a terminal, in colour if it has colours."""

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
_MIN_FLEXIBLE_WIDTH = 12
_GAP = 2


def render_fields(fields: Mapping[str, str]) -> str:
    """Render one model, a line for each field."""
    width = max(map(len, fields)) + _GAP
    lines = (Text.assemble((f"{label:{width}}", "dim"), _style(value)) for label, value in fields.items())
    return render(*lines, soft_wrap=True)


def render_table(view: View, rows: Sequence[Sequence[str]]) -> str:
    """Render several models, a line each. Ids are never cut; one column of the view gives way."""
    widths = _column_widths(view, rows, Console().width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for title, width in zip(view.columns, widths, strict=True):
        table.add_column(title, no_wrap=True, overflow="ellipsis", min_width=width, max_width=width)
    for row in rows:
        table.add_row(*map(_style, row))
    return render(table, width=sum(widths) + _GAP * len(widths))


def _column_widths(view: View, rows: Sequence[Sequence[str]], terminal_width: int) -> list[int]:
    columns = zip(view.columns, *rows, strict=True)
    widths = {column[0]: max(map(cell_len, column)) for column in columns}
    if view.flexible:
        excess = sum(widths.values()) + _GAP * (len(widths) - 1) - terminal_width
        min_width = min(widths[view.flexible], _MIN_FLEXIBLE_WIDTH)
        widths[view.flexible] = max(widths[view.flexible] - max(excess, 0), min_width)
    return list(widths.values())


def _style(value: str) -> Text:
    return Text(value, _STYLES[severity(value)])


def render(*parts: RenderableType, width: int | None = None, soft_wrap: bool = False) -> str:
    """Render for stdout, by default as wide as the terminal.

    With `soft_wrap` the terminal itself breaks long lines, so that they can be copied whole.
    """
    page = io.StringIO()
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    console = Console(
        file=page, force_terminal=is_terminal or None, width=width, highlight=False, markup=False, emoji=False
    )
    for part in parts:
        console.print(part, soft_wrap=soft_wrap)
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())
