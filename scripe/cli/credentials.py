"""Read the API key from a file, the environment, or a person at a terminal, but never from an argument.

Everyone on the machine can see the arguments of a process (`ps`), and the shell keeps them in its history.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from .._core.config import API_KEY_VARIABLE
from ..errors import ConfigurationError
from .input import is_stdin, read_file

API_KEY_AS_ARGUMENT = (
    "There is no option --api-key: other users of this machine and the history of the shell would see the API key. "
    "Set SCRIPE_API_KEY, or give --api-key-file PATH (- reads stdin)."
)


def read_api_key(file: Path | None) -> str | None:
    """Return the API key; None if the client finds it in the environment by itself.

    Raises:
        ConfigurationError: There is no API key.

    """
    if file is not None:
        return _read_first_line(file)
    if os.environ.get(API_KEY_VARIABLE, "").strip():
        return None
    if sys.stdin is not None and sys.stdin.isatty():
        return _ask()
    raise ConfigurationError(
        f"There is no API key. Set {API_KEY_VARIABLE}, or give --api-key-file PATH (- reads stdin). "
        "Create an API key in the Scripe dashboard: Settings, Developer, API keys."
    )


def _read_first_line(file: Path) -> str:
    lines = read_file(file, "--api-key-file").splitlines()
    api_key = lines[0].strip() if lines else ""
    if not api_key:
        name = "stdin" if is_stdin(file) else f"{file}"
        raise ConfigurationError(
            f"--api-key-file: the first line of {name} is empty. Write the API key into it."
        )
    return api_key


def _ask() -> str:
    try:
        api_key = getpass.getpass(f"Scripe API key ({API_KEY_VARIABLE} is not set): ").strip()
    except EOFError:
        api_key = ""
    if not api_key:
        raise ConfigurationError(
            f"No API key was entered. Set {API_KEY_VARIABLE}, or give --api-key-file PATH."
        )
    return api_key
