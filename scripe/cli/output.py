"""What goes to stdout and stderr, so that no reader who leaves, no encoding and no text of others breaks it."""

from __future__ import annotations

import os
import re
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import TextIO

CLOSED = 141
"""The exit code that a shell shows for a program whose reader went away (128 and SIGPIPE)."""

# What moves the cursor, changes colours or the direction of writing, or cannot be encoded; not tab and line feed.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SECRETS = re.compile(r"(scripe_sk_|whsec_)\w+")


class ClosedOutputError(Exception):
    """Whoever read stdout has gone away: there is nothing more to say, and no one to say it to."""


class UnwritableOutputError(Exception):
    """Stdout takes no more, as on a full disk."""


def harmless(text: str) -> str:
    """A text of others with nothing in it that a terminal would obey."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def on_one_line(text: str) -> str:
    """The same, for the cell of a table or a message."""
    return harmless(" ".join(text.split()))


def without_secrets(text: str) -> str:
    """What may be said on stderr, which often ends in a log: a key that was put in a wrong place is not repeated."""
    return _SECRETS.sub(r"\1…", text)


def escaped(document: str) -> str:
    """JSON in which what a terminal would obey, or an encoding refuse, is written as an escape."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def emit(text: str) -> None:
    """Write to stdout, whole.

    Raises:
        ClosedOutputError: the reader has gone away.
        UnwritableOutputError: the text cannot be written.

    """
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        _leave_stdout_behind()
        raise ClosedOutputError from None
    except OSError as error:
        _leave_stdout_behind()
        raise UnwritableOutputError(f"The output cannot be written: {error.strerror or error}.") from None


def note(text: str) -> None:
    """Write a line to stderr, if anyone takes it."""
    try:
        _write(sys.stderr, without_secrets(text) + "\n")
    except OSError:
        return


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed before the program began
        return
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def _leave_stdout_behind() -> None:
    """What is still in its buffer would be written, and fail again, when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    finally:
        os.close(nowhere)
