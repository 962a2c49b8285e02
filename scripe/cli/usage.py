"""What is wrong with a command line, in one line, with the nearest right word."""

from __future__ import annotations

import difflib
from dataclasses import fields

from cyclopts.exceptions import (
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from .cleaning import on_one_line
from .options import Options

_OF_EVERY_COMMAND = [f"--{field.name.replace('_', '-')}" for field in fields(Options)]


def told(error: CycloptsError) -> str:
    """The error, and where to read on."""
    command = " ".join(["scripe", *(error.command_chain or ())])
    return on_one_line(f"{_problem(error)} See: {command} --help")


def _problem(error: CycloptsError) -> str:
    match error:
        case UnknownOptionError():
            return _unknown(error)
        case UnusedCliTokensError(unused_tokens=tokens):
            return f"Too much was given: {' '.join(tokens or ())}."
        case MissingArgumentError() if error.argument is not None:
            return _missing(error)
        case UnknownCommandError():
            return str(error) if error.command_chain else str(error).partition(" Available commands:")[0]
        case _:
            return str(error)


def _missing(error: MissingArgumentError) -> str:
    assert error.argument is not None
    return f"{error.keyword} needs a value." if error.keyword else f"{error.argument.name} is missing."


def _unknown(error: UnknownOptionError) -> str:
    given = error.token.keyword or error.token.value
    names = [name for argument in error.argument_collection for name in argument.names]
    nearest = difflib.get_close_matches(given, [*names, *_OF_EVERY_COMMAND], n=1)
    return f"There is no {given} here.{f' Did you mean {nearest[0]}?' if nearest else ''}"
