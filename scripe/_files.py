"""Inspect what a caller wants to upload: a path, bytes, or a binary file object.

An upload link is made for a size, storage accepts no body of unknown length, and a retry sends the file again. So the
size must be known before the first byte is sent, and the bytes must be readable twice:

| Given | Read |
|---|---|
| path of a file | opened again for each attempt |
| bytes, `io.BytesIO` | from memory |
| file on disk, opened with `open` | by offset, without moving its position |
| any other object with `seek` | rewound for each attempt; only one upload at a time |
| pipe, socket, gzip stream, ... | copied to a temporary file first |

Reading a pipe can block forever, and no other thread can interrupt a blocking read. A pipe is therefore polled, so that
a cancelled upload ends, and the interpreter can exit.
"""

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
from typing import Any, BinaryIO, Protocol, TypeAlias, cast

from ._core.uploads import BLOCK_SIZE
from ._file_content import Claim, UploadContent, disk_errors, file_stat, open_file, read_block
from ._redaction import replace_lone_surrogates
from .errors import InvalidArgumentError


class ReadableFile(Protocol):
    """A file object opened for reading bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


FileInput: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | ReadableFile
"""A path, bytes, or a binary file object, which is read from its current position."""


class UploadedFile(Protocol):
    """A file that a web framework received, such as the `UploadFile` of FastAPI and Starlette."""

    @property
    def file(self) -> ReadableFile: ...


class WrappedFile(Protocol):
    """A file that anyio or trio opened."""

    @property
    def wrapped(self) -> ReadableFile: ...


AsyncFileInput: TypeAlias = FileInput | UploadedFile | WrappedFile
"""The same, or an object that is read with `await`, such as `UploadFile`; the file that it holds is read directly."""

INNER_ATTRIBUTES = ("file", "wrapped")
"""Attributes in which an object that is read with `await` holds the file itself."""

PIPE_POLL_INTERVAL = 0.05
"""Seconds after which a read of a pipe checks whether the upload was given up."""


class Inspection:
    """Opens what is to be uploaded, in a thread that the caller may abandon: reading a stream can take forever.

    If the caller has abandoned it, nobody would close what it opened. So whichever comes last closes it: `run`, or
    `abandon`. The lock decides which one that is.
    """

    def __init__(
        self, open_content: Callable[[Callable[[], None]], UploadContent], check_time: Callable[[], None]
    ) -> None:
        self._open_content = open_content
        self._check_time = check_time
        self._lock = threading.Lock()
        self._content: UploadContent | None = None
        self._is_abandoned = False

    def run(self) -> UploadContent:
        """Open and return the content."""
        content = self._open_content(self._check)
        with self._lock:
            self._content = content
            is_abandoned = self._is_abandoned
        if is_abandoned:
            content.close()
        return content

    def abandon(self) -> None:
        """Close the content, now or as soon as it is open."""
        with self._lock:
            self._is_abandoned = True
        if self._content is not None:
            self._content.close()

    def _check(self) -> None:
        if self._is_abandoned:
            raise InvalidArgumentError("The upload was cancelled before its file was read.")
        self._check_time()


def _do_not_check() -> None:
    pass


def absolute_path(file: object) -> str | None:
    """Return the absolute path of a file that was given as a path; None for anything else."""
    if not isinstance(file, str | os.PathLike):
        return None
    return str(Path(os.fsdecode(file)).absolute())  # pyright: ignore[reportUnknownArgumentType]


def async_open_content(file: AsyncFileInput, check: Callable[[], None] = _do_not_check) -> UploadContent:
    """Open what is to be uploaded, and find its name and size. An object that is read with `await` holds the file.

    Reading a stream can take long: `check` is called meanwhile, and its exception ends the reading.
    """
    inner = _inner_name(file)
    if inner is None:
        return open_content(cast("FileInput", file), check)
    return _refuse_empty(_open_object(getattr(file, inner), check, file))


def open_content(file: FileInput, check: Callable[[], None] = _do_not_check) -> UploadContent:
    """Open what is to be uploaded, for a sync client, which refuses an object that is read with `await`."""
    return _refuse_empty(_open_content(file, check))


def _refuse_empty(content: UploadContent) -> UploadContent:
    if content.size == 0:
        content.close()
        raise InvalidArgumentError(f"{content.name or 'The file'} is empty, so there is nothing to upload.")
    return content


def _open_content(file: FileInput, check: Callable[[], None]) -> UploadContent:
    if isinstance(file, bytes | bytearray | memoryview):
        return UploadContent(None, memoryview(file).nbytes, _file=io.BytesIO(bytes(file)))
    if isinstance(file, (str, os.PathLike)):
        return _open_path(Path(os.fsdecode(file)), check)
    inner = _inner_name(file)
    # `isinstance` with a protocol misses `__getattr__` from Python 3.12 on.
    if inner is None and callable(getattr(file, "read", None)):
        return _open_object(cast("BinaryIO", file), check, file)
    if inner is None:
        hint = "Give a path, bytes, or a file opened with 'rb'."
    else:
        hint = f"Only AsyncScripe can read it. Give the file that it holds, as in `upload_file.{inner}`."
    raise InvalidArgumentError(f"file is a {type(file).__name__}. {hint}")


def _inner_name(file: object) -> str | None:
    """Return the attribute in which an object holds its file; None if the object itself is readable."""
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
        return _spool_to_disk(file, check, name)  # a file in /proc has bytes, but its size is 0


def _open_object(file: BinaryIO, check: Callable[[], None], original: object) -> UploadContent:
    """Open a file object; `original` is the caller's object, which may be a wrapper, and has the name and type."""
    _check_binary(file)
    content = _open_by_position(file)
    if content is None:
        content = _open_sequential(file, check)
    content.name = _name_of(original)
    content_type: object = getattr(original, "content_type", None)
    content.content_type = content_type if isinstance(content_type, str) else None
    return content


def _open_by_position(file: BinaryIO) -> UploadContent | None:
    """Open a file object that can be read by offset: bytes in memory, or a file on disk; None for others."""
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
    """Return True if a file object returns the bytes of its descriptor; that of a gzip file has the packed ones."""
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
    """Open a file object that can be rewound; None for others. paramiko's `seek` returns None, so `tell` counts."""
    try:
        start = file.tell()
        file.seek(0, os.SEEK_END)
        size = file.tell() - start
        file.seek(start)
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    if not size and not start:
        return None  # empty, or a file in /proc, which has bytes but no size
    return UploadContent(None, max(0, size), _file=file, _start=start, _stamp=file_stat(file))


def _name_of(file: object) -> str | None:
    """Return the name of a file object. Those of web frameworks have it in `filename`; `name` is the form's field."""
    name: object = getattr(file, "name", None)
    if not isinstance(file, io.IOBase):
        name = getattr(file, "filename", name)
    return (
        replace_lone_surrogates(Path(os.fsdecode(name)).name)
        if name and isinstance(name, str | bytes)
        else None
    )


def _spool_to_disk(file: BinaryIO, check: Callable[[], None], name: str | None) -> UploadContent:
    """Copy what cannot be rewound to a temporary file, so that an attempt can be repeated."""
    # `read1` returns the bytes that have arrived; `read` would wait for more.
    read = file.read1 if isinstance(file, io.BufferedReader) else file.read
    if hasattr(select, "poll") and _is_plain(cast("object", file)):
        read = partial(_read_when_ready, file.fileno(), read, check)
    with disk_errors("A temporary file"):
        spool = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by UploadContent.close
    try:
        while block := read_block(read, BLOCK_SIZE):
            with disk_errors("A temporary file"):
                spool.write(block)
            check()
        with disk_errors("A temporary file"):
            spool.flush()
        return UploadContent(name, spool.tell(), _file=spool, _spool=spool)
    except BaseException:
        with suppress(OSError):
            spool.close()
        raise


def _read_when_ready(
    descriptor: int, read: Callable[[int], bytes], check: Callable[[], None], size: int
) -> bytes:
    """Read from a pipe once it has bytes, and call `check` while it has none.

    Bytes in the buffer of the file object are returned when the pipe has more, or ends.
    """
    poll, block = select.poll(), None
    poll.register(descriptor, select.POLLIN)
    while block is None:
        if poll.poll(PIPE_POLL_INTERVAL * 1000):
            block = cast("bytes | None", read(size))  # None if another process read the bytes first
        else:
            check()
    return block


def _check_binary(file: BinaryIO) -> None:
    try:
        sample: Any = file.read(0)
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"file cannot be read: {error}. Open it with 'rb'.") from None
    if inspect.isawaitable(sample):
        if inspect.iscoroutine(sample):
            sample.close()
        raise InvalidArgumentError(
            f"file is a {type(file).__name__}, which is read with `await`. Give its path, or the bytes that it returns."
        )
    if not isinstance(sample, bytes):
        raise InvalidArgumentError(
            "file returns text instead of bytes. Open it with 'rb', or give `text.encode()`."
        )
