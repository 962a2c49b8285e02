"""Read texts and the API key: from an option, a file or stdin, the API key never from an argument.

Everyone on the machine can see the arguments of a process (`ps`), and the shell keeps them in its history.
"""

from __future__ import annotations

import codecs
import getpass
import os
import select
import sys
from collections.abc import Iterable, Iterator
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .._core.config import API_KEY_VARIABLE, has_api_key_in_environment
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .options import Options

QUESTION = f"Scripe API key ({API_KEY_VARIABLE} is not set; scripe login signs in instead): "
API_KEY_AS_ARGUMENT = (
    "There is no option --api-key: other users of this machine and the history of the shell would see the API key. "
    "Set SCRIPE_API_KEY, or give --api-key-file PATH (- reads stdin)."
)


def is_stdin(path: Path) -> bool:
    """Return whether the path is `-`."""
    return str(path) == "-"


def read_file(path: Path, option: str) -> str:
    """Read a text in UTF-8, without its byte order mark, from a file or from stdin."""
    try:
        content = _read_stdin() if is_stdin(path) else path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{option}: {path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{option}: {path} is not a text in UTF-8.") from None


def _read_stdin() -> bytes:
    return b"".join(stdin_parts())


def stdin_parts() -> Iterator[bytes]:
    """Read stdin to its end; with `O_NONBLOCK`, which a parent process may have set, `read` returns before it."""
    if sys.stdin is None:
        return
    raw: RawIOBase | BinaryIO = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
    while (part := raw.read(65_536)) != b"":
        if part is None:
            select.select([raw], [], [])
        else:
            yield part


def open_paths(file: Path, option: str) -> BinaryIO:
    """Open a file with paths, one a line."""
    try:
        return file.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{option}: {file} cannot be read: {error.strerror or error}.") from None


def split_paths(parts: Iterable[bytes]) -> Iterator[str]:
    """Iterate over the paths in a text that comes in parts, one a line; they may have any encoding."""
    rest = b""
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        yield from filter(None, map(_to_path, lines))
    yield from filter(None, [_to_path(rest)])


def _to_path(line: bytes) -> str:
    return os.fsdecode(line.removeprefix(codecs.BOM_UTF8).removesuffix(b"\r"))


def read_text(text: str | None, file: Path | None, options: Options) -> str | None:
    """Return the text of `--text` or `--text-file`; None if neither was given."""
    if text is not None and file is not None:
        raise ConfigurationError("Give --text or --text-file, not both.")
    if file is None:
        return text
    if is_stdin(file) and options.api_key_file is not None and is_stdin(options.api_key_file):
        raise ConfigurationError("Only one option can read stdin (-): --text-file or --api-key-file.")
    return read_file(file, "--text-file")


def require_text(text: str | None, file: Path | None, options: Options) -> str:
    """Return the text of `--text` or `--text-file`, one of which must be given, and not be empty."""
    content = read_text(text, file, options)
    if content is None:
        raise ConfigurationError(
            "There is no text. Give it with --text, or with --text-file PATH (- reads stdin)."
        )
    if not content.strip():
        raise ConfigurationError("The text is empty.")
    return content


def read_api_key(file: Path | None) -> str | None:
    """Return the API key; None if the client finds it in the environment by itself."""
    if file is not None:
        return _read_first_line(file)
    return None if has_api_key_in_environment() else _ask()


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
        api_key = getpass.getpass(QUESTION).strip()
    except EOFError:
        api_key = ""
    if not api_key:
        raise ConfigurationError(
            f"No API key was entered. Run `scripe login`, or set {API_KEY_VARIABLE}, or give --api-key-file PATH."
        )
    return api_key
