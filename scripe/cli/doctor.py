"""Define `scripe doctor`: it works without the extra `cli`, whose absence may be what is to be found.

So its options are read by argparse, and nothing here loads cyclopts or rich.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from .._core.config import Secret, has_api_key_in_environment, resolve_base_url
from ..errors import ConfigurationError, LedgerError, ScripeError
from .credential import CredentialChoice, choose_credential, make_credentials
from .exit_codes import USAGE, WARNED, exit_code
from .input import read_api_key
from .output import write_stderr, write_stdout
from .sanitize import escape_controls, strip_controls

if TYPE_CHECKING:
    from .. import Scripe
    from .._core.diagnosis import Diagnosis
    from .options import Options

_NOT_A_CREDENTIAL = "no-credential"


class _UsageError(Exception):
    """The arguments are wrong."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(message)

    def _print_message(self, message: str, file: object = None) -> None:
        del file  # `--help` is written whole, or not at all
        write_stdout(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scripe doctor",
        allow_abbrev=False,
        description=(
            "Look at this machine, the network, the API key or login and the API, and say what to do about the first "
            "thing that does not work. At most six reads are sent, and nothing is written."
        ),
    )
    add = parser.add_argument
    add(
        "--facts",
        action="store_true",
        help="also look at what the API does where its documentation says nothing, or two things: with up to 18 more "
        "reads, one a second",
    )
    add("--oauth", action="store_true", help="also look at the metadata of the authorization server")
    add(
        "--mcp",
        action="store_true",
        help="also look at the metadata of Scripe's hosted MCP server; no credential is sent there",
    )
    add("--strict", action="store_true", help="exit with 20 if there is a warning")
    add(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a page to paste into a bug report, without names, ids, texts and addresses",
    )
    add("--json", action="store_true", help="write one JSON document, without names, ids and addresses")
    add(
        "--api-key-file", type=Path, metavar="PATH", help="read the API key from a file, or with - from stdin"
    )
    add("--profile", metavar="NAME", help="use this login, which scripe login made, not SCRIPE_API_KEY")
    add("--base-url", metavar="URL", help="send requests here instead of to SCRIPE_BASE_URL")
    add("--allow-insecure", action="store_true", help="allow plain http to other machines")
    add("--workspace-id", metavar="ID", help="use this workspace, not SCRIPE_WORKSPACE_ID")
    add("--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="limit each network operation")
    add("--ledger", type=Path, metavar="FILE", help="look at this ledger too")
    add("--total-timeout", type=_seconds, metavar="SECONDS", help=argparse.SUPPRESS)
    add("--no-progress", action="store_true", help=argparse.SUPPRESS)
    add("--verbose", "-v", action="store_true", help=argparse.SUPPRESS)
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise ValueError("not above 0")
    return seconds


def run_doctor(arguments: Sequence[str]) -> int:
    """Look, write what was seen, and return the exit code."""
    try:
        options = _parser().parse_args(arguments)
    except _UsageError as error:
        write_stderr(f"error: {error}. `scripe doctor --help` shows the options.")
        return USAGE
    except SystemExit:  # --help
        return 0
    diagnosis = examine(options)
    if options.json:
        from .._core.diagnosis_report import to_document

        write_stdout(escape_controls(json.dumps(to_document(diagnosis), indent=2)) + "\n")
    else:
        write_stdout(strip_controls(str(diagnosis)) + "\n")
    if options.report is not None and not _write_report(options.report, diagnosis):
        return USAGE
    if diagnosis.fault is not None:
        return exit_code(diagnosis.error or ScripeError(diagnosis.fault.text))
    return WARNED if options.strict and diagnosis.warnings else 0


def _write_report(path: Path, diagnosis: Diagnosis) -> bool:
    from .._core.diagnosis_report import to_markdown

    try:
        path.write_text(to_markdown(diagnosis), encoding="utf-8")
    except OSError as error:
        write_stderr(f"error: --report: {path} cannot be written: {error.strerror or error}.")
        return False
    return True


def examine(options: argparse.Namespace) -> Diagnosis:
    """Return what was seen; whatever keeps a client from being made is a fault like others."""
    from .._core.diagnosis import Findings
    from .._sync.diagnosis import Doctor, add_machine

    before = Findings()
    try:
        problem, choice = _find_problem(options)
        client = _make_client(options, choice)
    except LedgerError as error:
        add_machine(before)
        before.fail("ledger", "ledger_unreadable", error)
        return before.result()
    except ConfigurationError as error:
        add_machine(before)
        before.fail("configuration", "configuration", error)
        return before.result()
    is_missing = options.ledger is not None and client.ledger is None
    with client:
        sender = client._sender  # pyright: ignore[reportPrivateUsage]
        return Doctor(sender, problem, is_ledger_missing=is_missing).examine(
            facts=options.facts, oauth=options.oauth, mcp=options.mcp
        )


def _find_problem(options: argparse.Namespace) -> tuple[ConfigurationError | None, CredentialChoice | None]:
    """Return which credential counts, or why there is none; nobody is asked for one."""
    try:
        choice = choose_credential(cast("Options", options))
    except ConfigurationError as error:
        resolve_base_url(options.base_url)
        return error, None
    if choice.source != "prompt":
        return None, choice
    return ConfigurationError("There is no API key and no login."), None


def _make_client(options: argparse.Namespace, choice: CredentialChoice | None) -> Scripe:
    from .. import Scripe

    profile = None if choice is None else choice.profile
    api_key: Secret[str | None] = Secret(_NOT_A_CREDENTIAL)  # which is never sent
    if choice is not None:
        is_given = profile is None and (options.api_key_file is not None or has_api_key_in_environment())
        api_key = Secret(read_api_key(options.api_key_file) if is_given else None)
    ledger = options.ledger if options.ledger is not None and os.path.exists(options.ledger) else None  # noqa: PTH110
    return Scripe(
        api_key.reveal(),
        auth=None if profile is None else make_credentials(profile, cast("Options", options)),
        base_url=options.base_url,
        allow_insecure=options.allow_insecure,
        workspace_id=options.workspace_id,
        timeout=options.timeout,
        app_info="scripe-cli",
        ledger=ledger,
    )
