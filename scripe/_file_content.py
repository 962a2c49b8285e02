"""Read what goes up: opened anew for every attempt, block by block, and never changed meanwhile."""

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
    """One reading of a file, block by block, with the MD5 of what was read."""

    def __init__(self, file: BinaryIO, size: int, check: Callable[[str | None], None]) -> None:
        self._file = file
        self.remaining = size
        self._check = check
        self._digest = Digest()

    def read(self) -> bytes:
        """Return the next block; empty after the last.

        The last one is given only if the file is still what it was: storage takes a file whole or not at all.

        Raises:
            UploadIntegrityError: the file ends before the size it had, or has changed.
            FileUnreadableError: the disk fails.

        """
        block = read_block(self._file.read, min(BLOCK_SIZE, self.remaining))
        if self.remaining and not block:
            raise UploadIntegrityError(
                f"The file became shorter while it was sent: {self.remaining:,} bytes are missing."
            )
        if not block:
            self._digest.close()  # here, where async clients are in a thread
            return block
        self.remaining -= len(block)
        self._digest.update(block)
        if not self.remaining:
            self._check(self.md5)
        return block

    def hash_next(self, update: Callable[[bytes], None]) -> bool:
        """Give the next block to a hash, and return whether there was one."""
        block = self.read()
        update(block)
        return bool(block)

    def close(self) -> None:
        self._digest.close()

    @property
    def md5(self) -> str:
        return self._digest.hexdigest()


class _PositionedReader:
    """Reads an open file by offset, and leaves its place alone: two uploads of one file do not disturb each other."""

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
    """What goes up. `close` frees what a spooled file took; paths and the caller's own files stay as they are."""

    name: str | None
    size: int
    content_type: str | None = None  # as the object says that was given
    md5: str | None = None  # once it was read, so that no other bytes are sent later
    _path: Path | None = None
    _file: BinaryIO | None = None
    _start: int = 0
    _stamp: tuple[int, ...] | None = None
    _is_positioned: bool = False
    _spool: BinaryIO | None = field(default=None, repr=False)
    claim: Claim | None = field(default=None, repr=False)

    @contextmanager
    def open(self) -> Generator[FileReader]:
        """Read it from its start; whoever changes the file meanwhile spoils the attempt."""
        with self._open_for_reading() as file:
            self._check_unchanged(file)
            with closing(FileReader(file, self.size, partial(self._check_unchanged, file))) as blocks:
                yield blocks
            self._check_unmodified(file)

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
        if self.claim is not None:
            self.claim.release()
        if self._spool is not None:
            self._spool.close()

    def _check_unchanged(self, file: BinaryIO, md5: str | None = None) -> None:
        has_other_bytes = md5 is not None and self.md5 is not None and md5 != self.md5
        if has_other_bytes or not self._matches_stamp(file):
            raise self._change_error()

    def _check_unmodified(self, file: BinaryIO) -> None:
        """Check less once it was read: the file may well be moved or deleted then."""
        if not self._matches_stamp(file, fields=2):
            raise self._change_error()

    def _matches_stamp(self, file: BinaryIO, fields: int | None = None) -> bool:
        if self._stamp is None:
            return True
        return (file_stat(file) or ())[:fields] == self._stamp[:fields]

    def _change_error(self) -> UploadIntegrityError:
        return UploadIntegrityError(
            f"{self.name or 'The file'} changed while it was sent; nothing was made of it."
        )


class Claim:
    """An upload's hold on a file object that has only one place to read at: a second upload would get half its bytes.

    It ends with `release`, or when its content is forgotten.

    Raises:
        InvalidArgumentError: another upload has the file.

    """

    _held: ClassVar[weakref.WeakValueDictionary[int, Claim]] = weakref.WeakValueDictionary()
    _lock = threading.Lock()

    def __init__(self, file: object) -> None:
        self._id = id(file)
        with self._lock:
            holder = self._held.setdefault(self._id, self)
        if holder is not self:
            raise InvalidArgumentError(
                "file is being read by another upload, and each would get a part of its bytes: "
                "open it once for each upload, or give its path."
            )

    def release(self) -> None:
        with self._lock:
            if self._held.get(self._id) is self:
                del self._held[self._id]


def open_file(path: Path) -> BinaryIO:
    problem: InvalidArgumentError
    try:
        return cast("BinaryIO", open(path, "rb", buffering=0, opener=_open_without_waiting))
    except IsADirectoryError:
        problem = FileIsDirectoryError(f"file {str(path)!r} is a directory; give one file at a time.")
    except OSError as error:
        problem = _address_error(str(path)) or _open_error(path, error)
    except ValueError:
        problem = InvalidArgumentError(f"file {str(path)[:200]!r} is no path.")
    raise problem


def _open_error(path: Path, error: OSError) -> InvalidArgumentError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return FileMissingError(f"file {str(path)!r} does not exist; seen from {_current_folder()}.")
    return InvalidArgumentError(f"file {str(path)[:200]!r} cannot be read: {error.strerror}.")


def _address_error(path: str) -> InvalidArgumentError | None:
    """Tell what to do with an address, of which a path leaves one slash: `https:/example.com/talk.mp3`."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):[/\\]+(?:[^/@]*@)?", path)
    if match is None:
        return None
    url = redact_query(f"{match[1]}://{path[match.end() :]}")[:200]
    if match[1].lower() == "file":
        return InvalidArgumentError(f"file {url!r} is an address: give the path alone.")
    return InvalidArgumentError(
        f"file {url!r} is an address, and addresses are not fetched: download it first and give the path. "
        "For the knowledge base, knowledge.create_url takes a web page and knowledge.create_youtube a video."
    )


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a named pipe though no one writes to it yet; other files know no waiting."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _current_folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "a folder that was deleted"


def read_block(read: Callable[[int], bytes], size: int) -> bytes:
    """The next bytes; none at the end. A file object of the caller's may give anything."""
    with disk_errors("The file"):
        block = cast("object", read(size))
    if not isinstance(block, bytes):
        problem = (
            "nothing yet: it does not wait for its bytes" if block is None else f"a {type(block).__name__}"
        )
    elif len(block) > size:
        problem = f"{len(block):,} bytes, though {size:,} were asked for"
    else:
        return block
    raise FileUnreadableError(f"The file gave {problem}; nothing was made of it.")


@contextmanager
def disk_errors(subject: str | None) -> Generator[None]:
    """What the disk says against it, as an error of ours."""
    try:
        yield
    except (
        OSError,
        ValueError,
        EOFError,
        StopIteration,
    ) as error:  # a closed file, a cut gzip, an iterator's end
        reason = error
    else:
        return
    problem = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    raise FileUnreadableError(
        f"{subject or 'The file'} failed: {problem}; nothing was made of it."
    ) from reason


def file_stat(file: BinaryIO) -> tuple[int, ...] | None:
    """Size, times of the last change and identity; None for what is no file on a disk."""
    try:
        status = os.fstat(file.fileno())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
