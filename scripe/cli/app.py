"""All commands. Each is loaded when it is used: here are only its name and one line for the page of all."""

from __future__ import annotations

from typing import Annotated, cast

from cyclopts import App, Parameter

from .._version import __version__
from .groups import GROUP_OF_COMMANDS
from .help import Sections
from .options import DEFAULTS, Options

_ABOUT = """\
The Scripe API on the command line: recordings, files and notes in, LinkedIn posts out.

The key comes from SCRIPE_API_KEY or --api-key-file, or is asked for.
More of a command: scripe COMMAND --help. Without a key: scripe emulator.
"""
COMMANDS = {
    "whoami": "Show the workspace and the key, with what it may do.",
    "projects": "Projects: list, get.",
    "sources": "Transcripts: create, ingest, get.",
    "notes": "Notes: list, get, create.",
    "posts": "Posts: list, get, create, update, generate, statuses.",
    "knowledge": "The knowledge base: add.",
    "jobs": "Work in the background: list, get, wait, cancel.",
    "uploads": "Files on their way to Scripe: put.",
    "webhooks": "Webhook endpoints: create, get, update, rotate-secret.",
    "emulator": "Serve a Scripe API on this machine until Ctrl-C.",
    "completion": "Teach a shell to complete commands: bash, zsh, fish.",
}

app: App = App(
    name="scripe",
    help=_ABOUT,
    version=f"scripe {__version__}",
    version_format="plaintext",
    help_format="plaintext",
    help_formatter=Sections(),
    group_commands=GROUP_OF_COMMANDS,
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
for _order, (_name, _help) in enumerate(COMMANDS.items()):
    app.command(f"scripe.cli.commands.{_name}:app", name=_name, help=_help, sort_key=_order)
app["--help"].help = "Show this page, or that of a command."
app["--version"].help = "Show the version."


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)], options: Options = DEFAULTS
) -> int:
    """Run the command that the tokens name, with the options of every command taken out of them."""
    command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
    if "session" not in ignored:
        return cast("int | None", command(*bound.args, **bound.kwargs)) or 0
    from .running import run_with_session

    return run_with_session(command, bound, options)
