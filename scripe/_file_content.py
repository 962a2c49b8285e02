"""Read what is uploaded, block by block, and notice if the file changes meanwhile.

A file that changes while it is sent would arrive as a mix of its old and its new bytes, which no error reports. So the
size, the time of the last change and the identity of the file are compared before, during and after each reading, and
the MD5 with that of an earlier reading. The last block is held back until that check: storage keeps only whole files,
so nothing is stored if it fails.
"""

from __future__ import annotations

import os
import re
import stat
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

from ._core.uploads import BLOCK_SIZE
from ._digest import Digest
from ._redaction import redact_query
from .errors import (
    FileIsDirectoryError,
    FileMissingError,
    FileUnreadableError,
    InvalidArgumentError,
    UploadIntegrityError,
)


class FileReader:
    """Reads a file once, block by block, and computes its MD5."""

    def __init__(self, file: BinaryIO, size: int, check: Callable[[str | None], None]) -> None:
        self._file = file
        self.remaining = size
        self._check = check
        self._digest = Digest()

    def read(self) -> bytes:
        """Return the next block; empty after the last. The last is returned only if the file has not changed."""
        block = read_block(self._file.read, min(BLOCK_SIZE, self.remaining))
        if self.remaining and not block:
            raise UploadIntegrityError(
                f"The file became shorter while it was sent: {self.remaining:,} bytes are missing. "
                "Upload it again when nothing writes to it."
            )
        if not block:
            self._digest.close()  # here, since async clients call `read` in a thread
            return block
        self.remaining -= len(block)
        self._digest.update(block)
        if not self.remaining:
            self._check(self.md5)
        return block

    def hash_next(self, update: Callable[[bytes], None]) -> bool:
        """Pass the next block to a hash; return False after the last."""
        block = self.read()
        update(block)
        return bool(block)

    def close(self) -> None:
        """End the thread that computes the MD5."""
        self._digest.close()

    @property
    def md5(self) -> str:
        """The MD5 of the bytes that were read."""
        return self._digest.hexdigest()


class _PositionedReader:
    """Reads an open file by offset. Its position stays, so that two uploads of it do not disturb each other."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._next = start

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int) -> bytes:
        block = os.pread(self._file.fileno(), size, self._next)
        self._next += len(block)
        return block


@dataclass(slots=True)
class UploadContent:
    """The content of an upload. `close` deletes its temporary file; the caller's own files stay open."""

    name: str | None
    size: int
    content_type: str | None = None  # as stated by the caller's object
    md5: str | None = None  # of the first reading; a later one must have the same
    _path: Path | None = None
    _file: BinaryIO | None = None
    _start: int = 0
    _stamp: tuple[int, ...] | None = None
    _is_positioned: bool = False
    _spool: BinaryIO | None = field(default=None, repr=False)
    claim: Claim | None = field(default=None, repr=False)

    @contextmanager
    def open(self) -> Generator[FileReader]:
        """Open the content at its start; raise UploadIntegrityError if it changes before the block ends."""
        with self._open_for_reading() as file:
            self._check_unchanged(file)
            with closing(FileReader(file, self.size, partial(self._check_unchanged, file))) as blocks:
                yield blocks
            # Only size and time are compared now: once it was read, the file may be moved or deleted.
            if not self._matches_stamp(file, fields=2):
                raise self._change_error()

    @contextmanager
    def _open_for_reading(self) -> Generator[BinaryIO]:
        if self._path is not None:
            with open_file(self._path) as file:
                yield file
            return
        file = cast("BinaryIO", self._file)
        if self._is_positioned:
            yield cast("BinaryIO", _PositionedReader(file, self._start))
            return
        with disk_errors(self.name):
            file.seek(self._start)
        yield file

    def close(self) -> None:
        """Release the caller's file, and delete the temporary one."""
        if self.claim is not None:
            self.claim.release()
        if self._spool is not None:
            self._spool.close()

    def _check_unchanged(self, file: BinaryIO, md5: str | None = None) -> None:
        has_other_bytes = md5 is not None and self.md5 is not None and md5 != self.md5
        if has_other_bytes or not self._matches_stamp(file):
            raise self._change_error()

    def _matches_stamp(self, file: BinaryIO, fields: int | None = None) -> bool:
        if self._stamp is None:
            return True
        return (file_stat(file) or ())[:fields] == self._stamp[:fields]

    def _change_error(self) -> UploadIntegrityError:
        return UploadIntegrityError(
            f"{self.name or 'The file'} changed while it was sent, so it was not stored. "
            "Upload it again when nothing writes to it."
        )


class Claim:
    """Reserves a file object with a single position for one upload: a second one would read half of its bytes.

    It ends with `release`, or when it is garbage collected: an upload that was never finished must not block the file.
    """

    _held: ClassVar[weakref.WeakValueDictionary[int, Claim]] = weakref.WeakValueDictionary()
    _lock = threading.Lock()

    def __init__(self, file: object) -> None:
        self._id = id(file)
        with self._lock:
            holder = self._held.setdefault(self._id, self)
        if holder is not self:
            raise InvalidArgumentError(
                "file is being read by another upload, and each would get only a part of its bytes. "
                "Open it once for each upload, or give its path."
            )

    def release(self) -> None:
        """Let another upload read the file."""
        with self._lock:
            if self._held.get(self._id) is self:
                del self._held[self._id]


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading."""
    problem: InvalidArgumentError
    try:
        return cast("BinaryIO", open(path, "rb", buffering=0, opener=_open_without_waiting))
    except IsADirectoryError:
        problem = FileIsDirectoryError(f"file {str(path)!r} is a directory. Give one file at a time.")
    except OSError as error:
        problem = _address_error(str(path)) or _open_error(path, error)
    except ValueError:
        problem = InvalidArgumentError(f"file {str(path)[:200]!r} is not a path. Give the path of a file.")
    raise problem


def _open_error(path: Path, error: OSError) -> InvalidArgumentError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return FileMissingError(
            f"file {str(path)!r} does not exist (working directory: {_current_folder()})."
        )
    return InvalidArgumentError(
        f"file {str(path)[:200]!r} cannot be read: {error.strerror}. Check the path and its permissions."
    )


def _address_error(path: str) -> InvalidArgumentError | None:
    """Return the error for a URL given as a path; `Path` leaves one slash of it: `https:/example.com/talk.mp3`."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):[/\\]+(?:[^/@]*@)?", path)
    if match is None:
        return None
    url = redact_query(f"{match[1]}://{path[match.end() :]}")[:200]
    if match[1].lower() == "file":
        return InvalidArgumentError(f"file {url!r} is a URL. Give the path only.")
    return InvalidArgumentError(
        f"file {url!r} is a URL, which is not fetched. Download the file, and give its path. "
        "For the knowledge base, knowledge.create_url takes a web page and knowledge.create_youtube a video."
    )


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe too that nobody writes to yet, which would otherwise block."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _current_folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "a folder that was deleted"


def read_block(read: Callable[[int], bytes], size: int) -> bytes:
    """Return the next bytes, empty at the end; a file object of the caller's may return anything."""
    with disk_errors("The file"):
        block = cast("object", read(size))
    if not isinstance(block, bytes):
        problem = (
            "None, since it does not wait for its bytes" if block is None else f"a {type(block).__name__}"
        )
    elif len(block) > size:
        problem = f"{len(block):,} bytes when {size:,} were read"
    else:
        return block
    raise FileUnreadableError(
        f"The file returned {problem}, so nothing was uploaded. Give its path, or its bytes."
    )


@contextmanager
def disk_errors(subject: str | None) -> Generator[None]:
    """Raise what a disk or a file object raises as FileUnreadableError."""
    try:
        yield
    # A disk that failed, a closed file, a cut gzip, the end of an iterator.
    except (OSError, ValueError, EOFError, StopIteration) as error:
        problem = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise FileUnreadableError(
            f"{subject or 'The file'} could not be read or written: {problem}. Nothing was uploaded."
        ) from error


def file_stat(file: BinaryIO) -> tuple[int, ...] | None:
    """Return size, times of the last change and identity of a file; None if it is not a file on a disk."""
    try:
        status = os.fstat(file.fileno())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
