"""Run a command line that names a command, or say what is wrong with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .._format import environment_for_rich
from .error_output import report_usage_error
from .exit_codes import OTHER, USAGE
from .input import API_KEY_AS_ARGUMENT
from .output import output_error, write_stderr

_WITH_VALUES = (
    "--api-key-file",
    "--profile",
    "--base-url",
    "--workspace-id",
    "--timeout",
    "--total-timeout",
    "--ledger",
)
"""Options of every command that have a value."""


def dispatch(tokens: list[str]) -> int:
    """Run the command that the tokens name; return the exit code."""
    options = tokens[: tokens.index("--")] if "--" in tokens else tokens
    as_json = "--json" in options
    if any(option.split("=")[0] == "--api-key" for option in options):
        return report_usage_error(API_KEY_AS_ARGUMENT, as_json=as_json)
    if tokens[0] == "help":
        tokens = [*tokens[1:], "--help"]
    if tokens[0] == "emulator":  # before cyclopts is imported, which it does not need
        return run_emulator(tokens[1:])
    if (arguments := _arguments_of_doctor(tokens)) is not None:  # it works without cyclopts
        from .doctor import run_doctor

        return run_doctor(arguments)
    for variable in os.environ.keys() - environment_for_rich().keys():
        del os.environ[variable]
    try:
        from cyclopts import CycloptsError

        from .app import COMMANDS, app
        from .usage import explain
    except ImportError as error:
        message = (
            f'{error.name} is not installed. Install scripe with the extra "cli", which adds {error.name}.'
        )
        return report_usage_error(message, as_json=as_json, error_type="ImportError")
    if tokens[0] not in COMMANDS and not tokens[0].startswith("-"):
        tokens = tokens[:1]  # with --help cyclopts would show the page of all commands, and no error
    try:
        return int(app.meta(tokens) or 0)
    except CycloptsError as error:
        return report_usage_error(explain(error), as_json=as_json)


def run_emulator(arguments: Sequence[str]) -> int:
    """Serve until interrupted; return the exit code. The command line of `scripe.emulator` reads the arguments."""
    if sys.stdout is None:  # closed before the program began
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - used until the process ends
    from ..emulator.__main__ import CANNOT_START, describe_failure, run_program

    try:
        run_program(arguments, program="scripe emulator")
    except BrokenPipeError as error:
        raise output_error(error) from None
    except ImportError as error:
        write_stderr(f"error: {error}")
        return USAGE
    except CANNOT_START as error:
        write_stderr(f"error: {describe_failure(error)}")
        return OTHER
    except SystemExit as end:  # argparse has written the reason
        return int(end.code or 0)
    return 0


def _arguments_of_doctor(tokens: Sequence[str]) -> list[str] | None:
    """Return the arguments of `doctor`, also those before it; None if the tokens name another command."""
    index = 0
    while index < len(tokens) and tokens[index].startswith("-"):
        index += 2 if tokens[index] in _WITH_VALUES else 1
    if index >= len(tokens) or tokens[index] != "doctor":
        return None
    return [*tokens[:index], *tokens[index + 1 :]]
