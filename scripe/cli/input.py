"""Read texts from an option, a file or stdin."""

from __future__ import annotations

import select
import sys
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .options import Options


def is_stdin(path: Path) -> bool:
    """Return whether the path is `-`."""
    return str(path) == "-"


def read_file(path: Path, option: str) -> str:
    """Read a text in UTF-8, without its byte order mark, from a file or from stdin.

    Raises:
        ConfigurationError: It cannot be read, or it is not UTF-8.

    """
    try:
        content = _read_stdin() if is_stdin(path) else path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{option}: {path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{option}: {path} is not a text in UTF-8.") from None


def _read_stdin() -> bytes:
    """Read to the end; with `O_NONBLOCK`, which a parent process may have set, `read` returns before it."""
    if sys.stdin is None:
        return b""
    raw: RawIOBase | BinaryIO = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
    parts: list[bytes] = []
    while (part := raw.read(65_536)) != b"":
        if part is None:
            select.select([raw], [], [])
        else:
            parts.append(part)
    return b"".join(parts)


def read_text(text: str | None, file: Path | None, options: Options) -> str | None:
    """Return the text of `--text` or `--text-file`; None if neither was given.

    Raises:
        ConfigurationError: Both were given, the file cannot be read, or the API key comes from stdin as well.

    """
    if text is not None and file is not None:
        raise ConfigurationError("Give --text or --text-file, not both.")
    if file is None:
        return text
    if is_stdin(file) and options.api_key_file is not None and is_stdin(options.api_key_file):
        raise ConfigurationError("Only one option can read stdin (-): --text-file or --api-key-file.")
    return read_file(file, "--text-file")


def require_text(text: str | None, file: Path | None, options: Options) -> str:
    """Return the text of `--text` or `--text-file`.

    Raises:
        ConfigurationError: As `read_text`, or there is no text, or an empty one.

    """
    content = read_text(text, file, options)
    if content is None:
        raise ConfigurationError(
            "There is no text. Give it with --text, or with --text-file PATH (- reads stdin)."
        )
    if not content.strip():
        raise ConfigurationError("The text is empty.")
    return content
