"""Write to stdout and stderr: whole texts, in any encoding, even if the reader closes the pipe."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import TextIO

    from typing_extensions import Buffer

CLOSED = 141
"""The exit code that a shell shows for a program that SIGPIPE ended (128 + 13)."""


class ClosedOutputError(Exception):
    """The reader of stdout has closed it: the program ends without a message."""


class UnwritableOutputError(Exception):
    """Stdout cannot be written, for example because the disk is full."""


class _WaitingWriter(io.FileIO):
    """Write all data to a descriptor with `O_NONBLOCK`, which a parent process may have set, as Node.js does for pipes.

    Python itself writes only what the pipe has room for, 64 KiB, and with `PYTHONUNBUFFERED` drops the rest silently.
    """

    def write(self, data: Buffer, /) -> int:
        """Write all of the data; wait for room as often as needed."""
        rest = memoryview(data)
        while rest:
            written: int | None = super().write(rest)
            if written is None:
                import select  # only a full pipe needs it

                select.select([], [self], [])
            else:
                rest = rest[written:]
        return memoryview(data).nbytes


def wait_for_room(stream: TextIO | None) -> TextIO | None:
    """Return a stream to the same descriptor that blocks until all is written; the stream itself if it does."""
    try:
        if stream is None or os.get_blocking(stream.fileno()):
            return stream
        stream.flush()
    # Windows before Python 3.12; a stream in memory; a closed one.
    except (AttributeError, OSError, ValueError):
        return stream
    raw = _WaitingWriter(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(raw, stream.encoding, stream.errors, write_through=True)


def write_stdout(text: str) -> None:
    """Write a whole text to stdout."""
    try:
        _write(sys.stdout, text)
    except OSError as error:
        raise output_error(error) from None


def output_error(error: OSError) -> ClosedOutputError | UnwritableOutputError:
    """Make the error to raise after stdout failed. Its buffer is dropped, or Python would fail again at its exit."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, sys.stdout.fileno())
    finally:
        os.close(devnull)
    if isinstance(error, BrokenPipeError):
        return ClosedOutputError()
    return UnwritableOutputError(f"The output cannot be written: {error.strerror or error}.")


def write_stderr(text: str) -> None:
    """Write a line to stderr, without secrets and control characters; a closed stderr is ignored."""
    from .sanitize import hide_secrets, strip_controls

    try:
        _write(sys.stderr, strip_controls(hide_secrets(text)) + "\n")
    except OSError:
        return


def write_prompt(text: str) -> None:
    """Write a question to stderr, without the end of a line; a closed stderr is ignored."""
    from .sanitize import strip_controls

    try:
        _write(sys.stderr, strip_controls(text))
    except OSError:
        return


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed before the program began
        return
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()
