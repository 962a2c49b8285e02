"""Texts that are given as an option, as a file, or on stdin."""

from __future__ import annotations

import select
import sys
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from ..errors import ConfigurationError


def is_stdin(path: Path) -> bool:
    """Whether `-` was given."""
    return str(path) == "-"


def read_text(path: Path, option: str) -> str:
    """The text of a file, or of stdin; a byte order mark is no part of it.

    Raises:
        ConfigurationError: it cannot be read, or is no UTF-8.

    """
    try:
        return _bytes(path).decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{option}: {path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{option}: {path} is no text in UTF-8.") from None


def _bytes(path: Path) -> bytes:
    if not is_stdin(path):
        return path.read_bytes()
    return b"" if sys.stdin is None else _read_to_the_end(sys.stdin.buffer)


def _read_to_the_end(stream: BinaryIO) -> bytes:
    """Read all, from a descriptor that does not wait too: of such a one `read` gives what has come so far."""
    raw: RawIOBase | BinaryIO = getattr(stream, "raw", stream)
    parts: list[bytes] = []
    while (part := raw.read(65_536)) != b"":
        if part is None:
            select.select([raw], [], [])
        else:
            parts.append(part)
    return b"".join(parts)


def optional_text(text: str | None, file: Path | None) -> str | None:
    """What `--text` or `--text-file` say, if one of them is there.

    Raises:
        ConfigurationError: both are there, or the file cannot be read.

    """
    if text is not None and file is not None:
        raise ConfigurationError("Give --text or --text-file, not both.")
    return text if file is None else read_text(file, "--text-file")


def required_text(text: str | None, file: Path | None) -> str:
    """The same, where there must be one."""
    found = optional_text(text, file)
    if found is None:
        raise ConfigurationError("Give the text with --text, or with --text-file PATH (- for stdin).")
    if not found.strip():
        raise ConfigurationError("The text is empty.")
    return found


def check_one_reader(*files: Path | None) -> None:
    """Stdin can be read once.

    Raises:
        ConfigurationError: two options are to read it.

    """
    if sum(file is not None and is_stdin(file) for file in files) > 1:
        raise ConfigurationError("Stdin (-) can be read by one option alone.")
