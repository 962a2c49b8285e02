"""How the pages of `--help` look: sections of two columns, without boxes. rich is loaded for them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import emit

if TYPE_CHECKING:
    from cyclopts.help import HelpPanel
    from rich.console import Console, ConsoleOptions, RenderableType


class Sections:
    """Writes a page: cyclopts gives it the usage, the description and one section after the other.

    cyclopts' own console is left alone: it ends the process where stdout fails.
    """

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        """Write the first line."""
        from rich.text import Text

        del console, options
        _write(Text(f"Usage: {usage}"))

    def render_description(
        self, console: Console, options: ConsoleOptions, description: RenderableType
    ) -> None:
        """Write what the command does."""
        del console, options
        _write(description)

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Write one section."""
        from cyclopts.help import DescriptionRenderer
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        del console, options
        if not panel.entries:
            return
        described, table = DescriptionRenderer(), Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column()
        for entry in panel.entries:
            names = ", ".join(entry.display_labels_with_metavar)
            table.add_row(Text(names, "cyan"), described(entry))
        _write(Text(f"{panel.title}:", "bold"), Padding(table, (0, 0, 0, 2)), Text())


def _write(*parts: RenderableType) -> None:
    from .tables import render

    emit(render(*parts))
