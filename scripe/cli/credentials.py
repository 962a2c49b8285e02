"""Where the API key comes from: a file, the environment, or a person at a terminal. Never an argument.

Arguments are seen by everyone on the machine (`ps`), and kept in the history of the shell.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from .._core.config import KEY_VARIABLE
from ..errors import ConfigurationError
from .input import is_stdin, read_text

KEY_AS_ARGUMENT = (
    "There is no --api-key: what stands on a command line is seen by others on this machine and stays in the history "
    "of the shell. Set SCRIPE_API_KEY, or give --api-key-file PATH (- for stdin)."
)


def api_key(file: Path | None) -> str | None:
    """The key; None where the client finds it in the environment by itself.

    Raises:
        ConfigurationError: there is none.

    """
    if file is not None:
        return _first_line(file)
    if os.environ.get(KEY_VARIABLE, "").strip():
        return None
    if sys.stdin is not None and sys.stdin.isatty():
        return _asked()
    raise ConfigurationError(
        f"No API key: set {KEY_VARIABLE}, or give --api-key-file PATH (- for stdin). "
        "Keys are made in the Scripe dashboard under Settings, Developer, API keys."
    )


def _first_line(file: Path) -> str:
    lines = read_text(file, "--api-key-file").splitlines()
    key = lines[0].strip() if lines else ""
    if not key:
        where = "stdin" if is_stdin(file) else f"{file}"
        raise ConfigurationError(
            f"--api-key-file: the first line of {where} is empty; the key belongs there."
        )
    return key


def _asked() -> str:
    try:
        key = getpass.getpass(f"Scripe API key ({KEY_VARIABLE} is not set): ").strip()
    except EOFError:
        key = ""
    if not key:
        raise ConfigurationError(f"No API key was given. Set {KEY_VARIABLE}, or give --api-key-file PATH.")
    return key
