"""From the words of a command line to a command; what is wrong with them is told here."""

from __future__ import annotations

import os

from .._format import environment_for_rich
from .credentials import KEY_AS_ARGUMENT
from .error_output import refuse

INSTALL = '{0} is missing: install the extra "cli" of scripe (it brings {0})'


def run(tokens: list[str]) -> int:
    """Run a command line that is more than a question for help; give back the exit code."""
    options = tokens[: tokens.index("--")] if "--" in tokens else tokens
    as_json = "--json" in options
    if any(each.split("=")[0] == "--api-key" for each in options):
        return refuse(KEY_AS_ARGUMENT, as_json=as_json)
    if tokens[0] == "help":
        tokens = [*tokens[1:], "--help"]
    if tokens[0] == "emulator":
        from .emulator import run_emulator

        return run_emulator(tokens[1:])
    for impossible in os.environ.keys() - environment_for_rich().keys():
        del os.environ[impossible]
    try:
        from cyclopts import CycloptsError

        from .app import COMMANDS, app
        from .usage import told
    except ImportError as error:
        return refuse(INSTALL.format(error.name), as_json=as_json, kind="ImportError")
    if tokens[0] not in COMMANDS and not tokens[0].startswith("-"):
        tokens = tokens[:1]  # with --help the page of all would be shown, as if there were such a command
    try:
        return int(app.meta(tokens) or 0)
    except CycloptsError as error:
        return refuse(told(error), as_json=as_json)
