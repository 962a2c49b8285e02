"""What goes to stdout and stderr, so that no reader who leaves and no encoding breaks it."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import TextIO

    from typing_extensions import Buffer

CLOSED = 141
"""The exit code that a shell shows for a program whose reader went away (128 and SIGPIPE)."""


class ClosedOutputError(Exception):
    """Whoever read stdout has gone away: there is nothing more to say, and no one to say it to."""


class UnwritableOutputError(Exception):
    """Stdout takes no more, as on a full disk."""


class _WholeWriter(io.FileIO):
    """Write everything, to a descriptor that does not wait too.

    A parent process may have set `O_NONBLOCK`, as Node.js does for its pipes. Python then writes what the pipe has room
    for, 64 KiB, and with `PYTHONUNBUFFERED` drops the rest without a word.
    """

    def write(self, data: Buffer, /) -> int:
        """Write all of the data, waiting for room as often as needed."""
        rest = memoryview(data)
        while rest:
            written: int | None = super().write(rest)
            if written is None:
                import select  # loaded by those alone who have to wait

                select.select([], [self], [])
            else:
                rest = rest[written:]
        return memoryview(data).nbytes


def wait_for_room(stream: TextIO | None) -> TextIO | None:
    """Return a stream that writes everything to where this one writes: itself, if it waits for room by itself."""
    try:
        if stream is None or os.get_blocking(stream.fileno()):
            return stream
        stream.flush()
    except (
        AttributeError,
        OSError,
        ValueError,
    ):  # Windows before Python 3.12, a stream in memory, a closed one
        return stream
    raw = _WholeWriter(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(raw, stream.encoding, stream.errors, write_through=True)


def emit(text: str) -> None:
    """Write to stdout, whole.

    Raises:
        ClosedOutputError: the reader has gone away.
        UnwritableOutputError: the text cannot be written.

    """
    try:
        _write(sys.stdout, text)
    except OSError as error:
        raise given_up(error) from None


def given_up(error: OSError) -> ClosedOutputError | UnwritableOutputError:
    """What to raise when stdout has failed; what is still in its buffer is dropped, or would fail again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    finally:
        os.close(nowhere)
    if isinstance(error, BrokenPipeError):
        return ClosedOutputError()
    return UnwritableOutputError(f"The output cannot be written: {error.strerror or error}.")


def note(text: str) -> None:
    """Write a line to stderr, if anyone takes it: without secrets, and with nothing that a terminal would obey."""
    from .sanitize import harmless, without_secrets

    try:
        _write(sys.stderr, harmless(without_secrets(text)) + "\n")
    except OSError:
        return


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed before the program began
        return
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()
