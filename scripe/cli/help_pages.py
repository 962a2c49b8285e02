"""How the pages of `--help` look: sections of two columns, without boxes. rich is loaded for them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts.help import HelpPanel
    from rich.console import Console, ConsoleOptions


class Sections:
    """Writes a page: cyclopts gives it the usage and one section after the other."""

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        """Write the first line."""
        from rich.text import Text

        del options
        console.print(Text(f"Usage: {usage}"))

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Write one section."""
        from cyclopts.help import DescriptionRenderer
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        del options
        if not panel.entries:
            return
        described, table = DescriptionRenderer(), Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column()
        for entry in panel.entries:
            names = ", ".join(entry.display_labels_with_metavar)
            table.add_row(Text(names, "cyan"), described(entry))
        console.print(Text(f"{panel.title}:", "bold"))
        console.print(Padding(table, (0, 0, 0, 2)))
        console.print()
