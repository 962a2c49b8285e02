"""What goes up: a path, bytes, or a binary file object; looked at before it is sent."""

from __future__ import annotations

import inspect
import io
import os
import select
import stat
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias, cast, runtime_checkable

from ._core.uploads import BLOCK_SIZE
from ._file_content import Claim, UploadContent, disk_errors, file_stat, open_file, read_block
from ._redaction import replace_lone_surrogates
from .errors import (
    InvalidArgumentError,
)


@runtime_checkable
class ReadableFile(Protocol):
    """A file object opened for reading bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


FileInput: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | ReadableFile
"""A path, bytes, or a binary file object (read from where it stands)."""


class UploadedFile(Protocol):
    """A file that a web framework received, as FastAPI's and Starlette's `UploadFile`."""

    @property
    def file(self) -> ReadableFile: ...


class WrappedFile(Protocol):
    """A file that anyio or trio opened."""

    @property
    def wrapped(self) -> ReadableFile: ...


AsyncFileInput: TypeAlias = FileInput | UploadedFile | WrappedFile
"""The same, or an object that reads it with `await`, such as `UploadFile`: what it holds in `file` is read."""

INNER_ATTRIBUTES = ("file", "wrapped")
"""Where an object that reads with `await` keeps the one that it reads."""

PIPE_POLL_INTERVAL = 0.05
"""Seconds between two looks at whether a named pipe is still waited for."""


class Inspection:
    """The look at what is to be uploaded, which its caller may abandon: reading a stream can take forever."""

    def __init__(
        self, open_content: Callable[[Callable[[], None]], UploadContent], check_time: Callable[[], None]
    ) -> None:
        self._open_content = open_content
        self._check_time = check_time
        self._lock = threading.Lock()
        self._content: UploadContent | None = None
        self._is_abandoned = False

    def run(self) -> UploadContent:
        content = self._open_content(self._check)
        with self._lock:
            self._content = content
            is_abandoned = self._is_abandoned
        if is_abandoned:
            content.close()
        return content

    def abandon(self) -> None:
        """Close what was found, now or when the look ends."""
        with self._lock:
            self._is_abandoned = True
        if self._content is not None:
            self._content.close()

    def _check(self) -> None:
        if self._is_abandoned:
            raise InvalidArgumentError("The upload was given up before its file was read.")
        self._check_time()


def _do_not_check() -> None:
    pass


def async_open_content(file: AsyncFileInput, check: Callable[[], None] = _do_not_check) -> UploadContent:
    """Look at what is to go up: its name and size; of an object that reads with `await`, at the file within.

    Args:
        file: What the caller gave.
        check: Called while a stream is read, which can take long; what it raises ends the look.

    Raises:
        InvalidArgumentError: it is empty, a directory, missing, or nothing that can be read.

    """
    inner = _inner_name(file)
    if inner is None:
        return open_content(cast("FileInput", file), check)
    return _refuse_empty(_open_object(getattr(file, inner), check, file))


def open_content(file: FileInput, check: Callable[[], None] = _do_not_check) -> UploadContent:
    """The same for a client that cannot wait for one that reads with `await`: it says what to give instead."""
    return _refuse_empty(_open_content(file, check))


def _refuse_empty(content: UploadContent) -> UploadContent:
    if content.size == 0:
        content.close()
        raise InvalidArgumentError(f"{content.name or 'The file'} is empty; there is nothing to upload.")
    return content


def _open_content(file: FileInput, check: Callable[[], None]) -> UploadContent:
    if isinstance(file, bytes | bytearray | memoryview):
        return UploadContent(None, memoryview(file).nbytes, _file=io.BytesIO(bytes(file)))
    if isinstance(file, (str, os.PathLike)):
        return _open_path(Path(os.fsdecode(file)), check)
    inner = _inner_name(file)
    if inner is None and isinstance(file, ReadableFile):  # pyright: ignore[reportUnnecessaryIsInstance]
        return _open_object(cast("BinaryIO", file), check, file)
    if inner is None:
        hint = "give a path, bytes, or a file opened with 'rb'."
    else:
        hint = f"Scripe cannot read it, AsyncScripe can: give the file that it holds, as in `upload_file.{inner}`."
    raise InvalidArgumentError(f"file is a {type(file).__name__}; {hint}")


def _inner_name(file: object) -> str | None:
    """Return the attribute that has the bytes of an object which does not give them itself, or only with `await`."""
    read = getattr(file, "read", None)
    if read is not None and not inspect.iscoroutinefunction(read):
        return None
    return next((name for name in INNER_ATTRIBUTES if hasattr(getattr(file, name, None), "read")), None)


def _open_path(path: Path, check: Callable[[], None]) -> UploadContent:
    name = replace_lone_surrogates(path.name)
    with open_file(path) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_size:
            return UploadContent(name, status.st_size, _path=path, _stamp=file_stat(file))
        if not stat.S_ISFIFO(status.st_mode):
            os.set_blocking(file.fileno(), True)
        return _spool_to_disk(file, check, name)  # /proc/version, say, has bytes but no size


def _open_object(file: BinaryIO, check: Callable[[], None], original: object) -> UploadContent:
    """Look at a file object; `given` is the one that the caller gave, which may hold it, and has its names."""
    _check_binary(file)
    content = _open_by_position(file)
    if content is None:
        content = _open_sequential(file, check)
    content.name, content.content_type = _name_of(original), _type_of(original)
    return content


def _open_by_position(file: BinaryIO) -> UploadContent | None:
    """Look at what each upload reads at a place of its own: bytes in memory, and files on a disk that have a size."""
    if type(file) is io.BytesIO:
        content = file.getvalue()
        return UploadContent(
            None, max(0, len(content) - file.tell()), _file=io.BytesIO(content), _start=file.tell()
        )
    stamp = file_stat(file) if hasattr(os, "pread") and _is_plain(file) else None
    if not stamp or not stamp[0]:
        return None
    with disk_errors("The file"):
        file.flush()
        start, size = file.tell(), os.fstat(file.fileno()).st_size
    return UploadContent(
        None, max(0, size - start), _file=file, _start=start, _stamp=file_stat(file), _is_positioned=True
    )


def _is_plain(file: object) -> bool:
    """Return whether it gives the bytes that its descriptor does: a gzip's object, say, has that of the packed file."""
    raw: object = getattr(file, "raw") if type(file) in (io.BufferedReader, io.BufferedRandom) else file  # noqa: B009
    return type(raw) is io.FileIO


def _open_sequential(file: BinaryIO, check: Callable[[], None]) -> UploadContent:
    claim, content = Claim(file), None
    try:
        content = _open_seekable(file)
        if content is None:
            return _spool_to_disk(file, check, None)
        content.claim = claim
        return content
    finally:
        if content is None:
            claim.release()


def _open_seekable(file: BinaryIO) -> UploadContent | None:
    """Look at what can be rewound; None if it cannot. What `seek` returns does not count: paramiko's gives None."""
    try:
        start = file.tell()
        file.seek(0, os.SEEK_END)
        size = file.tell() - start
        file.seek(start)
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    if not size and not start:
        return None  # empty, or like the files in /proc, which have bytes and no size
    return UploadContent(None, max(0, size), _file=file, _start=start, _stamp=file_stat(file))


def _name_of(file: object) -> str | None:
    """Return the name of the file. What web frameworks give has it in `filename`, and the form's field in `name`."""
    name: object = getattr(file, "name", None)
    if not isinstance(file, io.IOBase):
        name = getattr(file, "filename", name)
    return (
        replace_lone_surrogates(Path(os.fsdecode(name)).name)
        if name and isinstance(name, str | bytes)
        else None
    )


def _type_of(file: object) -> str | None:
    content_type: object = getattr(file, "content_type", None)
    return content_type if isinstance(content_type, str) else None


def _spool_to_disk(file: BinaryIO, check: Callable[[], None], name: str | None) -> UploadContent:
    """What cannot be rewound is kept on disk, so that an attempt can be made again."""
    read = (
        file.read1 if isinstance(file, io.BufferedReader) else file.read
    )  # what has come, without waiting for more
    if hasattr(select, "poll") and _is_plain(cast("object", file)):
        read = partial(_read_when_ready, file.fileno(), read, check)
    with disk_errors("a temporary file"):
        spool = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by Content.close
    try:
        while block := read_block(read, BLOCK_SIZE):
            with disk_errors("a temporary file"):
                spool.write(block)
            check()
        with disk_errors("a temporary file"):
            spool.flush()
        return UploadContent(name, spool.tell(), _file=spool, _spool=spool)
    except BaseException:
        with suppress(OSError):
            spool.close()
        raise


def _read_when_ready(
    descriptor: int, read: Callable[[int], bytes], check: Callable[[], None], size: int
) -> bytes:
    """Wait for a pipe in steps: who waits in `read` itself cannot be called off, and may be waiting at the exit.

    What the file object has in its buffer comes when the pipe has more or ends.
    """
    poll, block = select.poll(), None
    poll.register(descriptor, select.POLLIN)
    while block is None:
        if poll.poll(PIPE_POLL_INTERVAL * 1000):
            block = cast("bytes | None", read(size))  # None if another reader was faster
        else:
            check()
    return block


def _check_binary(file: BinaryIO) -> None:
    try:
        sample: Any = file.read(0)
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"file cannot be read: {error}.") from None
    if inspect.isawaitable(sample):
        if inspect.iscoroutine(sample):
            sample.close()
        raise InvalidArgumentError(
            f"file is a {type(file).__name__}, which is read with `await`: give its path, or the bytes that it gives."
        )
    if not isinstance(sample, bytes):
        raise InvalidArgumentError("file gives text; open it with 'rb', or give `text.encode()`.")
