"""What is wrong with a command line, in one line: what was typed, what is wanted, and an example."""

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
from .sanitize import on_one_line

_OF_EVERY_COMMAND = [f"--{field.name.replace('_', '-')}" for field in fields(Options)]
_OPTION_OF_ID = {"proj_": "--project-id", "note_": "--note-id", "org_": "--workspace-id"}
_KB_TYPES = "KB_INGEST_TEXT, KB_INGEST_FILE, KB_INGEST_URL and KB_INGEST_YOUTUBE"
_IN_THE_APP = "do that in the Scripe app"

_NOT_IN_THE_API: Mapping[str, str] = {
    "sources list": "The API has no list of sources: see `scripe jobs list --type SOURCE_INGEST_FILE`.",
    "sources update": "The API does not change sources.",
    "sources delete": "The API does not delete sources.",
    "knowledge list": "The API has no list of the knowledge base: see `scripe jobs list --type KB_INGEST_FILE`; "
    f"the types are {_KB_TYPES}.",
    "knowledge get": "The API does not show documents of the knowledge base: `scripe jobs get ID` shows the job that "
    "added one.",
    "knowledge update": "The API does not change documents of the knowledge base: add the new one.",
    "knowledge delete": f"The API does not delete documents of the knowledge base: {_IN_THE_APP}.",
    "uploads list": "The API has no list of uploads: keep the id that `scripe uploads put` shows.",
    "uploads get": "The API does not show uploads again: keep what `scripe uploads put` shows.",
    "uploads delete": "The API does not delete uploads: one that nothing is made of goes by itself.",
    "webhooks list": "The documented API has no list of webhook endpoints: keep the id that `scripe webhooks create` "
    "shows.",
    "webhooks delete": "The documented API does not delete webhook endpoints: `scripe webhooks update ID --inactive` "
    "silences one.",
    "notes update": f"The API does not change notes: {_IN_THE_APP}.",
    "notes delete": f"The API does not delete notes: {_IN_THE_APP}.",
    "posts delete": f"The API does not delete posts: {_IN_THE_APP}.",
    "posts publish": "The API does not publish at once: `scripe posts update ID --scheduled-for MOMENT` sets when.",
    "projects create": f"The API does not make projects: {_IN_THE_APP}.",
    "projects update": f"The API does not change projects: {_IN_THE_APP}.",
    "projects delete": f"The API does not delete projects: {_IN_THE_APP}.",
    "jobs create": "Jobs are made by other commands: `scripe posts generate`, `scripe knowledge add`, "
    "`scripe sources ingest`.",
    "jobs delete": "The API does not delete jobs: `scripe jobs cancel ID` cancels one that is still queued.",
    "login": "There is no login: set SCRIPE_API_KEY, or give --api-key-file PATH.",
}
_WORDS: Mapping[str, Sequence[str]] = {  # that people type for a command, by the word of `_NOT_IN_THE_API`
    "list": ("ls", "all", "index", "search", "find"),
    "get": ("show", "view", "retrieve", "read", "describe", "info", "status"),
    "create": ("new", "make", "add", "import"),
    "update": ("edit", "change", "set", "modify", "patch", "rename"),
    "delete": ("remove", "rm", "del", "archive"),
    "publish": ("send", "share"),
    "login": ("auth", "logout", "configure", "init"),
}
_INSTEAD: Mapping[str, str] = {
    "sources add": "sources create",
    "sources upload": "sources ingest",
    "knowledge create": "knowledge add",
    "knowledge ingest": "knowledge add",
    "uploads create": "uploads put",
    "uploads upload": "uploads put",
    "posts write": "posts generate",
    "posts schedule": "posts update",
    "jobs watch": "jobs wait",
    "jobs stop": "jobs cancel",
    "webhooks rotate": "webhooks rotate-secret",
    "ingest": "sources ingest",
    "upload": "sources ingest",
    "transcribe": "sources ingest",
    "generate": "posts generate",
    "statuses": "posts statuses",
    "wait": "jobs wait",
    "cancel": "jobs cancel",
    "workspace": "whoami",
    "workspaces": "whoami",
    "me": "whoami",
    "health": "whoami",
    "serve": "emulator",
    "server": "emulator",
    "kb": "knowledge",
    "version": "--version",
}


def told(error: CycloptsError) -> str:
    """The error, and where to read on."""
    command = " ".join(["scripe", *(error.command_chain or ())])
    return on_one_line(f"{_problem(error)} See: {command} --help")


def _problem(error: CycloptsError) -> str:
    match error:
        case UnknownOptionError():
            return _other_command(error) or _unknown(error)
        case UnusedCliTokensError(unused_tokens=tokens):
            return _other_command(error) or _too_much(error, tokens or [])
        case MissingArgumentError() if error.argument is not None:
            return _misspelt(error) or _missing(error)
        case CoercionError() | ValidationError() if error.argument is not None:
            return _wrong_moment(error) or f"{str(error).removesuffix('.')}."
        case UnknownCommandError():
            return _other_command(error) or _unknown_command(error)
        case _:
            return str(error)


def _other_command(error: CycloptsError) -> str | None:
    """What to do where a command was typed that there is not, if its meaning is known."""
    group = list(error.command_chain or ())
    rest = (error.root_input_tokens or [])[len(group) :]
    if len(group) > 1 or not rest or rest[0].startswith("-"):
        return None
    typed = " ".join([*group, rest[0]])
    meant = " ".join([*group, next((word for word, others in _WORDS.items() if rest[0] in others), rest[0])])
    for name in (typed, meant):
        if name in _NOT_IN_THE_API:
            return _NOT_IN_THE_API[name]
        if name in _INSTEAD:
            return f'Unknown command "{typed}". Did you mean: scripe {_INSTEAD[name]}?'
    return None if meant == typed else f'Unknown command "{typed}". Did you mean: scripe {meant}?'


def _unknown_command(error: UnknownCommandError) -> str:
    token = (error.unused_tokens or [""])[0]
    if token.startswith("-"):
        return _nothing(token, [], error)
    return str(error) if error.command_chain else str(error).partition(" Available commands:")[0]


def _too_much(error: CycloptsError, tokens: Sequence[str]) -> str:
    too_much = f"Too much was given: {' '.join(tokens)}."
    names = _names(error.app.assemble_argument_collection()) if error.app else []
    option = next(
        (option for start, option in _OPTION_OF_ID.items() if tokens[0].startswith(start)), "--text"
    )
    if option not in names or option in (error.root_input_tokens or ()):
        return too_much
    value = " ".join(tokens) if option == "--text" else tokens[0]
    return f"{too_much} Did you mean {option} {_quoted(value)}?"


def _wrong_moment(error: CoercionError | ValidationError) -> str | None:
    """What is wrong with a moment or a day; None for options that take something else."""
    argument = error.argument
    assert argument is not None
    kinds = {argument.hint, *get_args(argument.hint)}
    if not argument.tokens or not kinds & {datetime, date}:
        return None
    token = argument.tokens[-1]
    typed = f"{token.keyword} {_quoted(token.value)}"
    day, time = _parsed(token.value)
    if datetime not in kinds:
        example = day or datetime.now(UTC).date()
        return f"{typed}: this is not a day. Give one without a time, as in {example}."
    example = day or (datetime.now(UTC) + timedelta(days=1)).date()
    clock = time or "09:00"
    missing = (
        "this is not a moment"
        if day is None
        else "the time zone is missing"
        if time
        else "the time is missing"
    )
    return f"{typed}: {missing}. Give day, time and time zone, as in {example}T{clock}Z or {example}T{clock}+01:00."


def _parsed(text: str) -> tuple[date | None, str]:
    """Return the day and the time of what may be a moment, as far as they are there."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, ""
    return moment.date(), f"{moment:%H:%M}" if len(text) > len("2026-12-07") else ""


def _missing(error: MissingArgumentError) -> str:
    assert error.argument is not None
    if error.keyword:
        return f"{error.keyword} needs a value."
    name, alone = (
        error.argument.name,
        [token for token in error.unused_tokens or () if not token.startswith("-")],
    )
    if name.startswith("--") and alone:
        return f"{name} is missing. Did you mean {name} {_quoted(alone[0])}?"
    return f"{name} is missing."


def _misspelt(error: MissingArgumentError) -> str | None:
    """What is missing may have been given under a name that is not right."""
    strange = [token for token in error.unused_tokens or () if token.startswith("-") and len(token) > 1]
    if not strange or error.app is None:
        return None
    given, arguments = strange[0].partition("=")[0], error.app.assemble_argument_collection()
    is_known = given in _OF_EVERY_COMMAND or given in _names(arguments)
    return None if is_known else _nothing(given, arguments, error)


def _unknown(error: UnknownOptionError) -> str:
    given = (error.token.keyword or error.token.value).partition("=")[0]
    return _nothing(given, error.argument_collection, error)


def _nothing(given: str, arguments: Sequence[Argument], error: CycloptsError) -> str:
    """There is no such option; what it may have been meant to be, with the value that was typed."""
    nothing = f"There is no {given} here."
    value = _value_of(given, error.root_input_tokens or [])
    alone = given.lstrip("-").replace("-", "_").upper()
    if any(argument.name == alone for argument in arguments):
        command = " ".join(["scripe", *(error.command_chain or ())])
        return f"{nothing} Give the value alone, as in: {command} {value or alone}"
    own = [name for name in _names(arguments) if name.startswith("-")]
    nearest = difflib.get_close_matches(given, own, n=1)
    if not nearest and isinstance(error, MissingArgumentError) and error.argument is not None:
        nearest = [error.argument.name] * error.argument.name.startswith("--")
    if nearest:
        is_flag = any(
            bool in {each.hint, *get_args(each.hint)} for each in arguments if nearest[0] in each.names
        )
        return f"{nothing} Did you mean {nearest[0]}{f' {value}' if value and not is_flag else ''}?"
    nearest = difflib.get_close_matches(given, _OF_EVERY_COMMAND, n=1, cutoff=0.75)
    return f"{nothing} Did you mean {nearest[0]}?" if nearest else nothing


def _names(arguments: Sequence[Argument]) -> list[str]:
    return [name for argument in arguments if argument.parse for name in argument.names]


def _value_of(option: str, tokens: Sequence[str]) -> str:
    """Return the value that an option was given on the command line; empty if it was given none."""
    for token, following in zip(tokens, [*tokens[1:], "-"], strict=True):
        if token == option and not following.startswith("-"):
            return _quoted(following)
    given = next((token for token in tokens if token.startswith(f"{option}=")), "=")
    return _quoted(given.partition("=")[2]) if given[-1] != "=" else ""


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value or not value else value
