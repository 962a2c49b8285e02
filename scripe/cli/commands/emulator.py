"""`scripe emulator`, where an option of every command stands before it; `starting.py` sees to all else."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from ..emulator import run_emulator
from ..groups import command

app: App = command("emulator")


@app.default
def emulator(
    *arguments: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="`scripe emulator --help` lists them.")
    ],
) -> int:
    """Serve a Scripe API on this machine until Ctrl-C."""
    return run_emulator(arguments)
