"""What goes up: a path, bytes, or a binary file object; opened anew for every attempt."""

from __future__ import annotations

import io
import os
import re
import stat
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias, cast, runtime_checkable

from ._digest import Digest
from ._rules.upload import BLOCK
from .errors import (
    ConfigurationError,
    FileIsDirectoryError,
    FileMissingError,
    FileUnreadableError,
    UploadIntegrityError,
)


@runtime_checkable
class ReadableFile(Protocol):
    """A file object opened for reading bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


FileInput: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | ReadableFile
"""A path, bytes, or a binary file object (read from where it stands)."""


class Blocks:
    """One reading of a file, block by block, with the MD5 of what was read."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.left = size
        self._digest = Digest()

    def read(self) -> bytes:
        """The next block; empty after the last.

        Raises:
            UploadIntegrityError: the file ends before the size it had.
            FileUnreadableError: the disk fails.

        """
        block = _read(self._file, min(BLOCK, self.left))
        if self.left and not block:
            raise UploadIntegrityError(
                f"The file became shorter while it was sent: {self.left:,} bytes are missing."
            )
        if block:
            self.left -= len(block)
            self._digest.take(block)
        else:
            self._digest.close()  # here, where async clients are in a thread
        return block

    def close(self) -> None:
        self._digest.close()

    @property
    def md5(self) -> str:
        return self._digest.hexdigest()


@dataclass(slots=True)
class Content:
    """What goes up. `close` frees what a spooled file took; paths and the caller's own files stay as they are."""

    name: str | None
    size: int
    _path: Path | None = None
    _file: BinaryIO | None = None
    _start: int = 0
    _stamp: tuple[int, ...] | None = None
    _spool: BinaryIO | None = field(default=None, repr=False)

    @contextmanager
    def opened(self) -> Generator[Blocks]:
        """Read it from its start; whoever changes the file meanwhile spoils the attempt."""
        with self._reading() as file:
            self._check_unchanged(file)
            with closing(Blocks(file, self.size)) as blocks:
                yield blocks
            self._check_unchanged(file)

    @contextmanager
    def _reading(self) -> Generator[BinaryIO]:
        if self._path is not None:
            with _opened(self._path) as file:
                yield file
            return
        file = cast("BinaryIO", self._file)
        with _disk_errors(self.name):
            file.seek(self._start)
        yield file

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()

    def _check_unchanged(self, file: BinaryIO) -> None:
        if self._stamp is not None and _stamp_of(file) != self._stamp:
            what = self.name or "The file"
            raise UploadIntegrityError(f"{what} changed while it was sent; nothing was made of it.")


def content_of(file: FileInput) -> Content:
    """Look at what is to go up: its name and size.

    Raises:
        ConfigurationError: it is empty, a directory, missing, or nothing that can be read.

    """
    content = _content_of(file)
    if content.size == 0:
        content.close()
        raise ConfigurationError(f"{content.name or 'The file'} is empty; there is nothing to upload.")
    return content


def _content_of(file: FileInput) -> Content:
    if isinstance(file, bytes | bytearray | memoryview):
        return Content(None, memoryview(file).nbytes, _file=io.BytesIO(bytes(file)))
    if isinstance(file, (str, os.PathLike)):
        return _content_of_path(Path(os.fsdecode(file)))
    if isinstance(file, ReadableFile):  # pyright: ignore[reportUnnecessaryIsInstance]
        return _content_of_object(cast("BinaryIO", file))
    raise ConfigurationError(
        f"file is a {type(file).__name__}; give a path, bytes, or a file opened with 'rb'."
    )


def _content_of_path(path: Path) -> Content:
    with _opened(path) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return Content(_text(path.name), status.st_size, _path=path, _stamp=_stamp_of(file))
        return _spooled(file, _text(path.name))


def _opened(path: Path) -> BinaryIO:
    problem: ConfigurationError
    try:
        return cast("BinaryIO", path.open("rb", buffering=0))
    except (FileNotFoundError, NotADirectoryError):
        problem = FileMissingError(f"file {str(path)!r} does not exist; seen from {Path.cwd()}.")
    except IsADirectoryError:
        problem = FileIsDirectoryError(f"file {str(path)!r} is a directory; give one file at a time.")
    except OSError as error:
        problem = ConfigurationError(f"file {str(path)[:200]!r} cannot be read: {error.strerror}.")
    except ValueError:
        problem = ConfigurationError(f"file {str(path)[:200]!r} is no path.")
    raise problem


def _content_of_object(file: BinaryIO) -> Content:
    name = getattr(file, "name", None)
    label = _text(Path(os.fsdecode(name)).name) if isinstance(name, str | bytes) else None
    _check_binary(file)
    try:
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
    except (AttributeError, OSError, ValueError):
        return _spooled(file, label)
    return Content(label, max(0, size), _file=file, _start=start, _stamp=_stamp_of(file))


def _spooled(file: BinaryIO, name: str | None) -> Content:
    """What cannot be rewound is kept on disk, so that an attempt can be made again."""
    with _disk_errors("a temporary file"):
        spool = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by Content.close
    try:
        while block := _read(file, BLOCK):
            with _disk_errors("a temporary file"):
                spool.write(block)
        with _disk_errors("a temporary file"):
            spool.flush()
        return Content(name, spool.tell(), _file=spool, _spool=spool)
    except BaseException:
        with suppress(OSError):
            spool.close()
        raise


def _read(file: BinaryIO, size: int) -> bytes:
    """The next bytes; none at the end. A file object of the caller's may give anything."""
    with _disk_errors("The file"):
        block = cast("object", file.read(size))
    if not isinstance(block, bytes):
        gave = "nothing yet: it does not wait for its bytes" if block is None else f"a {type(block).__name__}"
    elif len(block) > size:
        gave = f"{len(block):,} bytes, though {size:,} were asked for"
    else:
        return block
    raise FileUnreadableError(f"The file gave {gave}; nothing was made of it.")


@contextmanager
def _disk_errors(what: str | None) -> Generator[None]:
    """What the disk says against it, as an error of ours."""
    try:
        yield
    except OSError as error:
        reason = error
    else:
        return
    raise FileUnreadableError(
        f"{what or 'The file'} failed: {reason.strerror or reason}; nothing was made of it."
    ) from reason


def _check_binary(file: BinaryIO) -> None:
    try:
        sample: object = file.read(0)
    except (OSError, ValueError) as error:
        sample, problem = None, f"file cannot be read: {error}."
    else:
        problem = "file gives text; open it with 'rb', or give `text.encode()`."
    if not isinstance(sample, bytes):
        raise ConfigurationError(problem)


def _stamp_of(file: BinaryIO) -> tuple[int, ...] | None:
    """Size and time of the last change; None for what is no file on a disk."""
    try:
        status = os.fstat(file.fileno())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def _text(name: str) -> str:
    """A file name that JSON can carry: what UTF-8 has no text for is marked as such."""
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", name)
