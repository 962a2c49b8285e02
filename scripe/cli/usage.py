"""What is wrong with a command line, in one line, with the nearest right word."""

from __future__ import annotations

import difflib
from dataclasses import fields
from datetime import date, datetime
from typing import get_args

from cyclopts import ArgumentCollection
from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from .cleaning import on_one_line
from .options import Options

_OF_EVERY_COMMAND = [f"--{field.name.replace('_', '-')}" for field in fields(Options)]


EXAMPLES: dict[type[date], str] = {datetime: "2026-12-01T09:00Z", date: "2026-12-01"}


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
            return _misspelt(error) or _missing(error)
        case CoercionError() if error.argument is not None:
            return f"{str(error).removesuffix('.')}{_example(error.argument.hint)}."
        case UnknownCommandError():
            return str(error) if error.command_chain else str(error).partition(" Available commands:")[0]
        case _:
            return str(error)


def _example(hint: object) -> str:
    """What a moment or a day looks like, for an option that takes one."""
    kinds = {hint, *get_args(hint)}
    return next((f"; it looks like {text}" for kind, text in EXAMPLES.items() if kind in kinds), "")


def _missing(error: MissingArgumentError) -> str:
    assert error.argument is not None
    return f"{error.keyword} needs a value." if error.keyword else f"{error.argument.name} is missing."


def _misspelt(error: MissingArgumentError) -> str | None:
    """What is missing may have been given under a name that is not right."""
    strange = [token for token in error.unused_tokens or () if token.startswith("--")]
    if not strange or error.app is None:
        return None
    given, arguments = strange[0].partition("=")[0], error.app.assemble_argument_collection()
    is_known = given in _OF_EVERY_COMMAND or any(given in argument.names for argument in arguments)
    return None if is_known else _nothing(given, arguments)


def _unknown(error: UnknownOptionError) -> str:
    return _nothing(error.token.keyword or error.token.value, error.argument_collection)


def _nothing(given: str, arguments: ArgumentCollection) -> str:
    names = [name for argument in arguments for name in argument.names]
    nearest = difflib.get_close_matches(given, [*names, *_OF_EVERY_COMMAND], n=1)
    return f"There is no {given} here.{f' Did you mean {nearest[0]}?' if nearest else ''}"
