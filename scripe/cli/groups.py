"""The sections of a page of help, in their order, and commands that have them."""

from __future__ import annotations

from cyclopts import App, Group

GROUP_OF_COMMANDS = Group("Commands", sort_key=0)
ONE_OF_THESE = Group("What to add (one of these)", sort_key=2)
OF_EVERY_COMMAND = Group("Options of every command", sort_key=100)


def command(name: str) -> App:
    """A command, or a group of them, by its name."""
    return App(
        name=name,
        group_commands=GROUP_OF_COMMANDS,
        group_arguments=Group("Arguments", sort_key=1),
        group_parameters=Group("Options", sort_key=3),
    )
