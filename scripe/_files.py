"""What goes up: a path, bytes, or a binary file object; opened anew for every attempt."""

from __future__ import annotations

import inspect
import io
import os
import re
import select
import stat
import tempfile
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Protocol, TypeAlias, cast, runtime_checkable

from ._digest import Digest
from ._redaction import replace_halves, without_query
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

INNER = ("file", "wrapped")
"""Where an object that reads with `await` keeps the one that it reads."""

POLL = 0.05
"""Seconds between two looks at whether a named pipe is still waited for."""


class Blocks:
    """One reading of a file, block by block, with the MD5 of what was read."""

    def __init__(self, file: BinaryIO, size: int, check: Callable[[str | None], None]) -> None:
        self._file = file
        self.left = size
        self._check = check
        self._digest = Digest()

    def read(self) -> bytes:
        """Return the next block; empty after the last.

        The last one is given only if the file is still what it was: storage takes a file whole or not at all.

        Raises:
            UploadIntegrityError: the file ends before the size it had, or has changed.
            FileUnreadableError: the disk fails.

        """
        block = _read(self._file.read, min(BLOCK, self.left))
        if self.left and not block:
            raise UploadIntegrityError(
                f"The file became shorter while it was sent: {self.left:,} bytes are missing."
            )
        if not block:
            self._digest.close()  # here, where async clients are in a thread
            return block
        self.left -= len(block)
        self._digest.take(block)
        if not self.left:
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
class Content:
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
    claim: _Claim | None = field(default=None, repr=False)

    @contextmanager
    def opened(self) -> Generator[Blocks]:
        """Read it from its start; whoever changes the file meanwhile spoils the attempt."""
        with self._reading() as file:
            self._check_unchanged(file)
            with closing(Blocks(file, self.size, partial(self._check_unchanged, file))) as blocks:
                yield blocks
            self._check_unmodified(file)

    @contextmanager
    def _reading(self) -> Generator[BinaryIO]:
        if self._path is not None:
            with _opened(self._path) as file:
                yield file
            return
        file = cast("BinaryIO", self._file)
        if self._is_positioned:
            yield cast("BinaryIO", _PositionedReader(file, self._start))
            return
        with _disk_errors(self.name):
            file.seek(self._start)
        yield file

    def close(self) -> None:
        if self.claim is not None:
            self.claim.release()
        if self._spool is not None:
            self._spool.close()

    def _check_unchanged(self, file: BinaryIO, md5: str | None = None) -> None:
        has_other_bytes = md5 is not None and self.md5 is not None and md5 != self.md5
        if has_other_bytes or not self._is_stamped(file):
            raise self._changed()

    def _check_unmodified(self, file: BinaryIO) -> None:
        """Check less once it was read: the file may well be moved or deleted then."""
        if not self._is_stamped(file, fields=2):
            raise self._changed()

    def _is_stamped(self, file: BinaryIO, fields: int | None = None) -> bool:
        if self._stamp is None:
            return True
        return (_stamp_of(file) or ())[:fields] == self._stamp[:fields]

    def _changed(self) -> UploadIntegrityError:
        return UploadIntegrityError(
            f"{self.name or 'The file'} changed while it was sent; nothing was made of it."
        )


class _Claim:
    """An upload's hold on a file object that has only one place to read at: a second upload would get half its bytes.

    It ends with `release`, or when its content is forgotten.

    Raises:
        ConfigurationError: another upload has the file.

    """

    _held: ClassVar[weakref.WeakValueDictionary[int, _Claim]] = weakref.WeakValueDictionary()
    _lock = threading.Lock()

    def __init__(self, file: object) -> None:
        self._id = id(file)
        with self._lock:
            holder = self._held.setdefault(self._id, self)
        if holder is not self:
            raise ConfigurationError(
                "file is being read by another upload, and each would get a part of its bytes: "
                "open it once for each upload, or give its path."
            )

    def release(self) -> None:
        with self._lock:
            if self._held.get(self._id) is self:
                del self._held[self._id]


class Inspection:
    """The look at what is to be uploaded, which its caller may abandon: reading a stream can take forever."""

    def __init__(self, look: Callable[[Callable[[], None]], Content], check_time: Callable[[], None]) -> None:
        self._look = look
        self._check_time = check_time
        self._lock = threading.Lock()
        self._content: Content | None = None
        self._is_abandoned = False

    def run(self) -> Content:
        content = self._look(self._check)
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
            raise ConfigurationError("The upload was given up before its file was read.")
        self._check_time()


def _do_not_check() -> None:
    pass


def async_content_of(file: AsyncFileInput, check: Callable[[], None] = _do_not_check) -> Content:
    """Look at what is to go up: its name and size; of an object that reads with `await`, at the file within.

    Args:
        file: What the caller gave.
        check: Called while a stream is read, which can take long; what it raises ends the look.

    Raises:
        ConfigurationError: it is empty, a directory, missing, or nothing that can be read.

    """
    inner = _inner_name(file)
    if inner is None:
        return content_of(cast("FileInput", file), check)
    return _refuse_empty(_content_of_object(getattr(file, inner), check, file))


def content_of(file: FileInput, check: Callable[[], None] = _do_not_check) -> Content:
    """The same for a client that cannot wait for one that reads with `await`: it says what to give instead."""
    return _refuse_empty(_content_of(file, check))


def _refuse_empty(content: Content) -> Content:
    if content.size == 0:
        content.close()
        raise ConfigurationError(f"{content.name or 'The file'} is empty; there is nothing to upload.")
    return content


def _content_of(file: FileInput, check: Callable[[], None]) -> Content:
    if isinstance(file, bytes | bytearray | memoryview):
        return Content(None, memoryview(file).nbytes, _file=io.BytesIO(bytes(file)))
    if isinstance(file, (str, os.PathLike)):
        return _content_of_path(Path(os.fsdecode(file)), check)
    inner = _inner_name(file)
    if inner is None and isinstance(file, ReadableFile):  # pyright: ignore[reportUnnecessaryIsInstance]
        return _content_of_object(cast("BinaryIO", file), check, file)
    if inner is None:
        hint = "give a path, bytes, or a file opened with 'rb'."
    else:
        hint = f"Scripe cannot read it, AsyncScripe can: give the file that it holds, as in `upload_file.{inner}`."
    raise ConfigurationError(f"file is a {type(file).__name__}; {hint}")


def _inner_name(file: object) -> str | None:
    """Return the attribute that has the bytes of an object which does not give them itself, or only with `await`."""
    read = getattr(file, "read", None)
    if read is not None and not inspect.iscoroutinefunction(read):
        return None
    return next((name for name in INNER if hasattr(getattr(file, name, None), "read")), None)


def _content_of_path(path: Path, check: Callable[[], None]) -> Content:
    name = replace_halves(path.name)
    with _opened(path) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_size:
            return Content(name, status.st_size, _path=path, _stamp=_stamp_of(file))
        if not stat.S_ISFIFO(status.st_mode):
            os.set_blocking(file.fileno(), True)
        return _spooled(file, check, name)  # /proc/version, say, has bytes but no size


def _opened(path: Path) -> BinaryIO:
    problem: ConfigurationError
    try:
        return cast("BinaryIO", open(path, "rb", buffering=0, opener=_open_without_waiting))
    except IsADirectoryError:
        problem = FileIsDirectoryError(f"file {str(path)!r} is a directory; give one file at a time.")
    except OSError as error:
        problem = _address_error(str(path)) or _opening_error(path, error)
    except ValueError:
        problem = ConfigurationError(f"file {str(path)[:200]!r} is no path.")
    raise problem


def _opening_error(path: Path, error: OSError) -> ConfigurationError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return FileMissingError(f"file {str(path)!r} does not exist; seen from {_folder()}.")
    return ConfigurationError(f"file {str(path)[:200]!r} cannot be read: {error.strerror}.")


def _address_error(path: str) -> ConfigurationError | None:
    """Tell what to do with an address, of which a path leaves one slash: `https:/example.com/talk.mp3`."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):[/\\]+(?:[^/@]*@)?", path)
    if found is None:
        return None
    shown = without_query(f"{found[1]}://{path[found.end() :]}")[:200]
    if found[1].lower() == "file":
        return ConfigurationError(f"file {shown!r} is an address: give the path alone.")
    return ConfigurationError(
        f"file {shown!r} is an address, and addresses are not fetched: download it first and give the path. "
        "For the knowledge base, knowledge.create_url takes a web page and knowledge.create_youtube a video."
    )


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a named pipe though no one writes to it yet; other files know no waiting."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "a folder that was deleted"


def _content_of_object(file: BinaryIO, check: Callable[[], None], given: object) -> Content:
    """Look at a file object; `given` is the one that the caller gave, which may hold it, and has its names."""
    _check_binary(file)
    content = _content_of_own_place(file)
    if content is None:
        content = _content_of_one_place(file, check)
    content.name, content.content_type = _name_of(given), _type_of(given)
    return content


def _content_of_own_place(file: BinaryIO) -> Content | None:
    """Look at what each upload reads at a place of its own: bytes in memory, and files on a disk that have a size."""
    if type(file) is io.BytesIO:
        held = file.getvalue()
        return Content(None, max(0, len(held) - file.tell()), _file=io.BytesIO(held), _start=file.tell())
    stamp = _stamp_of(file) if hasattr(os, "pread") and _is_plain(file) else None
    if not stamp or not stamp[0]:
        return None
    with _disk_errors("The file"):
        file.flush()
        start, size = file.tell(), os.fstat(file.fileno()).st_size
    return Content(
        None, max(0, size - start), _file=file, _start=start, _stamp=_stamp_of(file), _is_positioned=True
    )


def _is_plain(file: object) -> bool:
    """Return whether it gives the bytes that its descriptor does: a gzip's object, say, has that of the packed file."""
    raw: object = getattr(file, "raw") if type(file) in (io.BufferedReader, io.BufferedRandom) else file  # noqa: B009
    return type(raw) is io.FileIO


def _content_of_one_place(file: BinaryIO, check: Callable[[], None]) -> Content:
    claim, content = _Claim(file), None
    try:
        content = _content_of_seekable(file)
        if content is None:
            return _spooled(file, check, None)
        content.claim = claim
        return content
    finally:
        if content is None:
            claim.release()


def _content_of_seekable(file: BinaryIO) -> Content | None:
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
    return Content(None, max(0, size), _file=file, _start=start, _stamp=_stamp_of(file))


def _name_of(file: object) -> str | None:
    """Return the name of the file. What web frameworks give has it in `filename`, and the form's field in `name`."""
    name: object = getattr(file, "name", None)
    if not isinstance(file, io.IOBase):
        name = getattr(file, "filename", name)
    return replace_halves(Path(os.fsdecode(name)).name) if name and isinstance(name, str | bytes) else None


def _type_of(file: object) -> str | None:
    content_type: object = getattr(file, "content_type", None)
    return content_type if isinstance(content_type, str) else None


def _spooled(file: BinaryIO, check: Callable[[], None], name: str | None) -> Content:
    """What cannot be rewound is kept on disk, so that an attempt can be made again."""
    read = (
        file.read1 if isinstance(file, io.BufferedReader) else file.read
    )  # what has come, without waiting for more
    if hasattr(select, "poll") and _is_plain(cast("object", file)):
        read = partial(_read_when_ready, file.fileno(), read, check)
    with _disk_errors("a temporary file"):
        spool = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by Content.close
    try:
        while block := _read(read, BLOCK):
            with _disk_errors("a temporary file"):
                spool.write(block)
            check()
        with _disk_errors("a temporary file"):
            spool.flush()
        return Content(name, spool.tell(), _file=spool, _spool=spool)
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
        if poll.poll(POLL * 1000):
            block = cast("bytes | None", read(size))  # None if another reader was faster
        else:
            check()
    return block


def _read(read: Callable[[int], bytes], size: int) -> bytes:
    """The next bytes; none at the end. A file object of the caller's may give anything."""
    with _disk_errors("The file"):
        block = cast("object", read(size))
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
    except (
        OSError,
        ValueError,
        EOFError,
        StopIteration,
    ) as error:  # a closed file, a cut gzip, an iterator's end
        reason = error
    else:
        return
    said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    raise FileUnreadableError(f"{what or 'The file'} failed: {said}; nothing was made of it.") from reason


def _check_binary(file: BinaryIO) -> None:
    try:
        sample: Any = file.read(0)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"file cannot be read: {error}.") from None
    if inspect.isawaitable(sample):
        if inspect.iscoroutine(sample):
            sample.close()
        raise ConfigurationError(
            f"file is a {type(file).__name__}, which is read with `await`: give its path, or the bytes that it gives."
        )
    if not isinstance(sample, bytes):
        raise ConfigurationError("file gives text; open it with 'rb', or give `text.encode()`.")


def _stamp_of(file: BinaryIO) -> tuple[int, ...] | None:
    """Size, times of the last change and identity; None for what is no file on a disk."""
    try:
        status = os.fstat(file.fileno())
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
