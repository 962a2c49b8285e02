"""Lay out the pages of `--help`: sections of two columns, without boxes. rich is loaded only for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclopts import App, Group

from .output import write_stdout

if TYPE_CHECKING:
    from cyclopts.help import HelpPanel
    from rich.console import Console, ConsoleOptions, RenderableType

COMMAND_GROUP = Group("Commands", sort_key=0)
ONE_OF_THESE = Group("Content (give one of these)", sort_key=2)
COMMON_OPTIONS = Group("Options of every command", sort_key=100)


def new_command(name: str) -> App:
    """Make a command, or a group of commands, with these sections on its page."""
    return App(
        name=name,
        group_commands=COMMAND_GROUP,
        group_arguments=Group("Arguments", sort_key=1),
        group_parameters=Group("Options", sort_key=3),
    )


class SectionFormatter:
    """Write a page, which cyclopts hands over in parts: usage, description, and section after section.

    The console of cyclopts is not used: it ends the process if stdout fails.
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
        describe, table = DescriptionRenderer(), Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column()
        for entry in panel.entries:
            names = ", ".join(entry.display_labels_with_metavar)
            table.add_row(Text(names, "cyan"), describe(entry))
        _write(Text(f"{panel.title}:", "bold"), Padding(table, (0, 0, 0, 2)), Text())


def _write(*parts: RenderableType) -> None:
    from .tables import render

    write_stdout(render(*parts))
