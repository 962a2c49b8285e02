"""Explain in one line what is wrong with a command line: what was typed, what is expected, and an example."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import get_args

from cyclopts import Argument
from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from .options import Options
from .sanitize import to_one_line

_COMMON_OPTIONS = [f"--{field.name.replace('_', '-')}" for field in fields(Options)]
_ID_OPTIONS = {"proj_": "--project-id", "note_": "--note-id", "org_": "--workspace-id"}
_KB_TYPES = "KB_INGEST_TEXT, KB_INGEST_FILE, KB_INGEST_URL and KB_INGEST_YOUTUBE"
_IN_THE_APP = "do that in the Scripe app"

_NOT_SUPPORTED: Mapping[str, str] = {
    "sources list": "The API does not list sources. Run `scripe jobs list --type SOURCE_INGEST_FILE` instead.",
    "sources update": "The API does not change sources.",
    "sources delete": "The API does not delete sources.",
    "knowledge list": "The API does not list the knowledge base. Run `scripe jobs list --type KB_INGEST_FILE` instead; "
    f"the types are {_KB_TYPES}.",
    "knowledge get": "The API does not show documents of the knowledge base. Run `scripe jobs get ID` to see the job "
    "that added one.",
    "knowledge update": "The API does not change documents of the knowledge base. Add the new one instead.",
    "knowledge delete": f"The API does not delete documents of the knowledge base: {_IN_THE_APP}.",
    "uploads list": "The API does not list uploads. Keep the id that `scripe uploads put` shows.",
    "uploads get": "The API does not show uploads again. Keep what `scripe uploads put` shows.",
    "uploads delete": "The API does not delete uploads. An unused one disappears by itself.",
    "webhooks list": "The documented API does not list webhook endpoints. Keep the id that `scripe webhooks create` "
    "shows.",
    "webhooks delete": "The documented API does not delete webhook endpoints. Run "
    "`scripe webhooks update ID --inactive` to stop its events.",
    "notes update": f"The API does not change notes: {_IN_THE_APP}.",
    "notes delete": f"The API does not delete notes: {_IN_THE_APP}.",
    "posts delete": f"The API does not delete posts: {_IN_THE_APP}.",
    "posts publish": "The API does not publish at once. Run `scripe posts update ID --scheduled-for MOMENT` instead.",
    "projects create": f"The API does not create projects: {_IN_THE_APP}.",
    "projects update": f"The API does not change projects: {_IN_THE_APP}.",
    "projects delete": f"The API does not delete projects: {_IN_THE_APP}.",
    "jobs create": "Other commands create jobs: `scripe posts generate`, `scripe knowledge add`, "
    "`scripe sources ingest`.",
    "jobs delete": "The API does not delete jobs. Run `scripe jobs cancel ID` to cancel one that is still queued.",
}
_SYNONYMS: Mapping[str, Sequence[str]] = {  # words that people type, by the word of `_NOT_SUPPORTED`
    "list": ("ls", "all", "index", "search", "find"),
    "get": ("show", "view", "retrieve", "read", "describe", "info", "status"),
    "create": ("new", "make", "add", "import"),
    "update": ("edit", "change", "set", "modify", "patch", "rename"),
    "delete": ("remove", "rm", "del", "archive"),
    "publish": ("send", "share"),
}
_OTHER_NAMES: Mapping[str, Sequence[str]] = {  # what people type for a command with another name
    "sources create": ("sources add",),
    "bulk ingest": ("bulk import", "bulk upload", "bulk run", "bulk start", "bulk resume", "import"),
    "sources ingest": ("sources upload", "ingest", "upload", "transcribe"),
    "knowledge": ("kb",),
    "knowledge add": ("knowledge create", "knowledge ingest"),
    "uploads put": ("uploads create", "uploads upload"),
    "posts generate": ("posts write", "generate"),
    "posts update": ("posts schedule",),
    "posts statuses": ("statuses",),
    "jobs wait": ("jobs watch", "wait"),
    "jobs cancel": ("jobs stop", "cancel"),
    "webhooks rotate-secret": ("webhooks rotate",),
    "login": ("auth", "signin", "sign-in", "configure", "init", "connect"),
    "logout": ("signout", "sign-out", "disconnect"),
    "whoami": ("workspace", "workspaces", "me", "health"),
    "emulator": ("serve", "server"),
    "--version": ("version",),
}


def explain(error: CycloptsError) -> str:
    """Describe the error, and name the page of help to read."""
    return to_one_line(f"{_problem(error)} See: {_command(error)} --help")


def _command(error: CycloptsError) -> str:
    return " ".join(["scripe", *(error.command_chain or ())])


def _problem(error: CycloptsError) -> str:
    match error:
        case UnknownOptionError():
            return _other_command(error) or _unknown_option(error)
        case UnusedCliTokensError(unused_tokens=tokens):
            return _other_command(error) or _extra_tokens(error, tokens or [])
        case MissingArgumentError() if error.argument is not None:
            return _misspelt_option(error) or _missing_argument(error)
        case CoercionError() | ValidationError() if error.argument is not None:
            return _invalid_moment(error) or f"{str(error).removesuffix('.')}."
        case UnknownCommandError():
            return _other_command(error) or _unknown_command(error)
        case _:
            return str(error)


def _other_command(error: CycloptsError) -> str | None:
    """Say what to do instead of a command that does not exist; None if that is not known."""
    group = list(error.command_chain or ())
    rest = (error.root_input_tokens or [])[len(group) :]
    if len(group) > 1 or not rest or rest[0].startswith("-"):
        return None
    word = next((word for word, synonyms in _SYNONYMS.items() if rest[0] in synonyms), rest[0])
    typed, meant = " ".join([*group, rest[0]]), " ".join([*group, word])
    for name in (typed, meant):
        if name in _NOT_SUPPORTED:
            return _NOT_SUPPORTED[name]
    other = (command for command, names in _OTHER_NAMES.items() if {typed, meant} & {*names})
    command = next(other, meant)
    return None if command == typed else f'Unknown command "{typed}". Did you mean: scripe {command}?'


def _unknown_command(error: UnknownCommandError) -> str:
    token = (error.unused_tokens or [""])[0]
    if token.startswith("-"):
        return _no_such_option(token, [], error)
    return str(error) if error.command_chain else str(error).partition(" Available commands:")[0]


def _extra_tokens(error: CycloptsError, tokens: Sequence[str]) -> str:
    message = f"Unexpected arguments: {' '.join(tokens)}."
    names = _names(error.app.assemble_argument_collection()) if error.app else []
    option = next(
        (option for prefix, option in _ID_OPTIONS.items() if tokens[0].startswith(prefix)), "--text"
    )
    if option not in names or option in (error.root_input_tokens or ()):
        return message
    value = " ".join(tokens) if option == "--text" else tokens[0]
    return f"{message} Did you mean {option} {_quote(value)}?"


def _invalid_moment(error: CoercionError | ValidationError) -> str | None:
    """Say what is wrong with a moment or a day; None for an option of another type."""
    argument = error.argument
    assert argument is not None
    types = {argument.hint, *get_args(argument.hint)}
    if not argument.tokens or not types & {datetime, date}:
        return None
    token = argument.tokens[-1]
    typed = f"{token.keyword} {_quote(token.value)}"
    day, time = _parse_moment(token.value)
    if datetime not in types:
        example = day or datetime.now(UTC).date()
        return f"{typed}: this is not a date. Give a date without a time, as in {example}."
    example = day or (datetime.now(UTC) + timedelta(days=1)).date()
    clock = time or "09:00"
    problem = (
        "the time zone is missing"
        if time
        else "the time is missing"
        if day
        else "this is not a date and time"
    )
    return f"{typed}: {problem}. Give date, time and time zone, as in {example}T{clock}Z or {example}T{clock}+01:00."


def _parse_moment(text: str) -> tuple[date | None, str]:
    """Return the day and the time of a moment, as far as they are there."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, ""
    return moment.date(), f"{moment:%H:%M}" if len(text) > len("2026-12-07") else ""


def _missing_argument(error: MissingArgumentError) -> str:
    assert error.argument is not None
    if error.keyword:
        return f"{error.keyword} needs a value."
    name = error.argument.name
    values = [token for token in error.unused_tokens or () if not token.startswith("-")]
    if name.startswith("--") and values:
        return f"{name} is missing. Did you mean {name} {_quote(values[0])}?"
    return f"{name} is missing."


def _misspelt_option(error: MissingArgumentError) -> str | None:
    """Say which unknown option was given in place of the missing one; None if there is none."""
    options = [token for token in error.unused_tokens or () if token.startswith("-") and len(token) > 1]
    if not options or error.app is None:
        return None
    option, arguments = options[0].partition("=")[0], error.app.assemble_argument_collection()
    is_known = option in _COMMON_OPTIONS or option in _names(arguments)
    return None if is_known else _no_such_option(option, arguments, error)


def _unknown_option(error: UnknownOptionError) -> str:
    option = (error.token.keyword or error.token.value).partition("=")[0]
    return _no_such_option(option, error.argument_collection, error)


def _no_such_option(option: str, arguments: Sequence[Argument], error: CycloptsError) -> str:
    """Say that an option does not exist, and suggest the nearest one with the value that was typed."""
    message = f"There is no option {option}."
    value = _value_of(option, error.root_input_tokens or [])
    positional = option.lstrip("-").replace("-", "_").upper()
    if any(argument.name == positional for argument in arguments):
        return f"{message} Give only the value, as in: {_command(error)} {value or positional}"
    names = [name for name in _names(arguments) if name.startswith("-")]
    nearest = difflib.get_close_matches(option, names, n=1)
    if not nearest and isinstance(error, MissingArgumentError) and error.argument is not None:
        nearest = [error.argument.name] * error.argument.name.startswith("--")
    if nearest:
        hints = [argument.hint for argument in arguments if nearest[0] in argument.names]
        is_flag = any(bool in {hint, *get_args(hint)} for hint in hints)
        return f"{message} Did you mean {nearest[0]}{f' {value}' if value and not is_flag else ''}?"
    nearest = difflib.get_close_matches(option, _COMMON_OPTIONS, n=1, cutoff=0.75)
    return f"{message} Did you mean {nearest[0]}?" if nearest else message


def _names(arguments: Sequence[Argument]) -> list[str]:
    return [name for argument in arguments if argument.parse for name in argument.names]


def _value_of(option: str, tokens: Sequence[str]) -> str:
    """Return the value that an option has on the command line; empty if it has none."""
    for token, following in zip(tokens, [*tokens[1:], "-"], strict=True):
        if token == option and not following.startswith("-"):
            return _quote(following)
    value = next((token for token in tokens if token.startswith(f"{option}=")), "").partition("=")[2]
    return _quote(value) if value else ""


def _quote(value: str) -> str:
    return f'"{value}"' if " " in value or not value else value
