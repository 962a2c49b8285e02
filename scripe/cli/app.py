"""Register all commands by name. The module of a command is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from inspect import BoundArguments
from typing import Annotated, cast

from cyclopts import App, Parameter

from .._version import __version__
from .error_output import report
from .help import COMMAND_GROUP, SectionFormatter
from .notices import print_deprecations
from .options import DEFAULTS, Options
from .output import ClosedOutputError
from .render import Result, write_result
from .session import Session

_ABOUT = """\
Use the Scripe API from the command line: turn recordings, files and notes into LinkedIn posts.

Sign in with scripe login, or set the API key in SCRIPE_API_KEY or with --api-key-file; at a terminal you are asked.
To see the options of a command, run scripe COMMAND --help.
To try the commands without an API key, run scripe emulator.
"""
COMMANDS = {  # the place of each command, and its line on the page of all
    "login": ("commands.login:login", "Sign in with the browser, and keep the login on this machine."),
    "logout": ("commands.login:logout", "Revoke a login, and remove it from this machine."),
    "whoami": (
        "commands.workspace:whoami",
        "Show the workspace, which credential is used, and what it may do.",
    ),
    "projects": ("commands.workspace:projects", "List projects, get one."),
    "sources": ("commands.files:sources", "Create sources from transcripts, ingest files, get a source."),
    "notes": ("commands.notes:app", "List, get and create notes."),
    "posts": ("commands.posts:app", "List, get, create, update and generate posts; list statuses."),
    "knowledge": ("commands.knowledge:app", "Add a text, file, web page or video to the knowledge base."),
    "jobs": ("commands.jobs:app", "List, get, wait for and cancel background jobs."),
    "uploads": ("commands.files:uploads", "Put a file into storage, without making anything of it."),
    "webhooks": ("commands.webhooks:app", "Create, get and update webhook endpoints; rotate-secret."),
    "bulk": ("commands.bulk:app", "Make sources of thousands of files: plan, ingest, retry."),
    "ledger": ("commands.ledger:app", "List what a ledger knows, settle a write, back it up."),
    "oauth": ("commands.oauth:app", "Register an application that acts for its users."),
    "doctor": ("doctor:run_doctor", "Look for what does not work, and say what to do about it."),
    "emulator": ("app:emulator", "Serve an emulated Scripe API on this machine until Ctrl-C."),
    "completion": ("commands.completion:app", "Write a completion script for bash, zsh or fish."),
}

app: App = App(
    name="scripe",
    help=_ABOUT,
    version=f"scripe {__version__}",
    version_format="plaintext",
    help_format="plaintext",
    help_formatter=SectionFormatter(),
    group_commands=COMMAND_GROUP,
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
for _order, (_name, (_place, _help)) in enumerate(COMMANDS.items()):
    app.command(f"scripe.cli.{_place}", name=_name, help=_help, sort_key=_order)
app["--help"].help = "Show this page, or the page of a command."
app["--version"].help = "Show the version."


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)], options: Options = DEFAULTS
) -> int:
    """Run the command that the tokens name; the options of every command may stand anywhere among them."""
    command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
    if "session" not in ignored:
        return cast("int | None", command(*bound.args, **bound.kwargs)) or 0
    return _run_with_session(command, bound, Session(options, tokens))


def _run_with_session(command: Callable[..., Result], bound: BoundArguments, session: Session) -> int:
    with print_deprecations(session.options), session:
        try:
            return write_result(command(*bound.args, **bound.kwargs, session=session), session.options)
        except ClosedOutputError:
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - any error is reported, without a traceback
            return report(error, session)


def emulator(
    *arguments: Annotated[
        str,
        Parameter(
            allow_leading_hyphen=True, help="Options of the emulator; `scripe emulator --help` lists them."
        ),
    ],
) -> int:
    """Serve an emulated Scripe API on this machine until Ctrl-C."""
    # `dispatch` calls it itself, unless an option stands before the command.
    from .dispatch import run_emulator

    return run_emulator(arguments)
