"""Keep logins in files that only one user can read.

For each name there are up to two files: `NAME.json` with the record, and `NAME.lock`, which `lock` locks. A lock file
is never deleted: a process that has just opened it would lock a file that the next one does not see.

**A record is replaced, never overwritten**: whoever loads it, or kills the process that saves it, finds the old one or
the new one.

**`.lock` makes comparing and saving one step.** All who save or pop hold it for as long as a file needs to be renamed,
whether they hold the lock of the name or not. There is one for all names, since a web application makes a name for each
browser that it sends away, and would leave a lock file for each.

**The kernel drops the locks of a process that dies**, so there is no lease and no clock. `fallback_to_soft=False`
refuses a file system that has no locks; filelock would otherwise use the existence of a file, which stays there after a
crash. With `thread_local=False` another thread than the one that entered a lock may leave it.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
import sys
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from os import PathLike, fsdecode
from pathlib import Path
from typing import Final

from ..._core.oauth.token_store import TokenRecord
from ..._default_login import token_folder
from ...errors import ConfigurationError, TokenStoreError, TokenStoreWarning
from ._names import check_name, lock_timeout_error

try:
    import platformdirs  # noqa: F401 - `token_folder` needs it  # pyright: ignore[reportUnusedImport] - only to see that it is there
    from filelock import FileLock, Timeout
except ModuleNotFoundError as _error:
    raise ConfigurationError(
        f'{_error.name} is not installed. Install scripe with the extra "oauth", which adds {_error.name}.'
    ) from None

POLL_INTERVAL: Final = 0.05
SAVE_TIMEOUT: Final = 10.0
SAVE_POLL_INTERVAL: Final = 0.01
ABANDONED_AFTER: Final = 60.0
"""Seconds after which a temporary file is left over from a process that crashed."""

# Windows has neither of the first two, others lack the third.
_NOT_THROUGH_LINKS: Final[int] = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)


class FileTokenStore:
    """Keeps logins in the files of a folder that only its user can read, for all processes of one machine.

    They are not encrypted: who can read the files of this user can act as everyone who signed in. Put the folder on a
    local disk; a network file system must have locks.

    Args:
        path: The folder. It is created when something is first saved. Default: `tokens` in the user's folder for the
            data of `scripe`, such as `~/.local/share/scripe/tokens`.

    Raises:
        ConfigurationError: filelock or platformdirs is not installed (extra `oauth`).

    """

    def __init__(self, path: str | PathLike[str] | None = None) -> None:
        folder = token_folder() if path is None else fsdecode(path)
        self.path: Path = Path(folder).absolute()

    def __repr__(self) -> str:
        return f"FileTokenStore({str(self.path)!r})"

    def load(self, name: str) -> TokenRecord | None:
        """Return the record under a name; None if there is none.

        A file that others can read is made private, with a `TokenStoreWarning`.

        Raises:
            TokenStoreError: the file cannot be read, belongs to another user, is a symbolic link, or is damaged.

        """
        check_name(name)
        if sys.platform == "win32":  # a file that somebody reads cannot be replaced there
            with self._changing():
                return self._load(name)
        return self._load(name)

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        """Save a record and return True; return False if `only_over` is given and is not the stored revision.

        Raises:
            TokenStoreError: the disk is full or read-only, or the folder or the file belongs to another user.

        """
        check_name(name)
        self._make_folder()
        path, temporary = self._file(name), self.path / f"{name}.{secrets.token_hex(8)}.tmp"
        try:
            with _explain(path, "cannot be written"):
                _write_private(temporary, record)
            with self._changing(), _explain(path, "cannot be written"):
                if not self._may_replace(name, only_over):
                    return False
                temporary.replace(path)
                _sync_folder(self.path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
                self._delete_abandoned(name)
        return True

    def pop(self, name: str) -> TokenRecord | None:
        """Remove a record and return it; None if there is none.

        Raises:
            TokenStoreError: the file cannot be read or removed, or the folder belongs to another user.

        """
        check_name(name)
        path = self._file(name)
        if not _check_file(path):
            return None
        self._make_folder()
        with self._changing(), _explain(path, "cannot be removed"):
            record = self._load(name)
            if record is not None:
                path.unlink()
                _sync_folder(self.path)
            return record

    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        """Hold the lock of a name among all threads and processes that use this folder.

        Raises:
            TimeoutError: somebody else has held it for `timeout` seconds.
            TokenStoreError: the file system has no locks, or the folder belongs to another user.

        """
        check_name(name)
        self._make_folder()
        lock = _make_lock(self.path / f"{name}.lock", max(timeout, 0), POLL_INTERVAL)
        if not _acquire(lock):
            raise lock_timeout_error(name, timeout)
        try:
            yield
        finally:
            lock.release()

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.json"

    def _load(self, name: str) -> TokenRecord | None:
        path = self._file(name)
        data = _read_private(path) if _check_file(path) else None
        return None if data is None else _decode(path, data)

    def _may_replace(self, name: str, only_over: str | None) -> bool:
        if only_over is None:
            _check_file(self._file(name))
            return True
        stored = self._load(name)
        return stored is not None and stored.revision == only_over

    @contextmanager
    def _changing(self) -> Generator[None]:
        """Hold the lock that all who save or pop share."""
        self._make_folder()
        lock = _make_lock(self.path / ".lock", SAVE_TIMEOUT, SAVE_POLL_INTERVAL)
        if not _acquire(lock):
            raise TokenStoreError(
                f"Another process has been saving to {str(self.path)!r} for {SAVE_TIMEOUT:g} seconds. If it hangs, "
                "end it."
            )
        try:
            yield
        finally:
            lock.release()

    def _make_folder(self) -> None:
        """Create the folder, unless it is there; refuse that of another user before anything is written to it."""
        with _explain(self.path, "cannot be used as the folder of tokens"):
            if not self.path.exists():
                parent = next(folder for folder in self.path.parents if folder.exists())
                _check_owner(parent, parent.stat(), allow_root=True)
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_folder(self.path)

    def _delete_abandoned(self, name: str) -> None:
        for path in self.path.glob(f"{name}.*.tmp"):
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink()


def _make_lock(path: Path, timeout: float, poll_interval: float) -> FileLock:
    return FileLock(
        path,
        timeout=timeout,
        mode=0o600,
        thread_local=False,
        poll_interval=poll_interval,
        fallback_to_soft=False,
    )


def _acquire(lock: FileLock) -> bool:
    """Acquire a lock and return True; return False if it was not free in time."""
    try:
        lock.acquire()
    except Timeout:
        return False
    except OSError as error:
        raise TokenStoreError(
            f"The file {lock.lock_file!r} cannot be locked: {_reason(error)}. Give the token store a folder that you "
            "can write to, on a disk that has locks."
        ) from error
    return True


def _write_private(path: Path, record: TokenRecord) -> None:
    """Write a record into a new file that only this user can read, so that it survives a power cut."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOT_THROUGH_LINKS | _BINARY
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(json.dumps({"revision": record.revision, "content": record.content}).encode())
        file.flush()
        os.fsync(file.fileno())


def _read_private(path: Path) -> bytes | None:
    """Return what a file holds, and make it private; None if it has just been removed."""
    with _explain(path, "cannot be read"):
        try:
            descriptor = os.open(path, os.O_RDONLY | _NOT_THROUGH_LINKS | _BINARY)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            _make_private(path, descriptor)
            return file.read()


def _decode(path: Path, data: bytes) -> TokenRecord:
    # The error is raised outside of `except`: the one of json holds the tokens, and would be its context.
    with suppress(ValueError, KeyError, TypeError):
        document = json.loads(data)
        revision, content = document["revision"], document["content"]
        if isinstance(revision, str) and isinstance(content, str):
            return TokenRecord(revision, content)
    raise TokenStoreError(
        f"The token file {str(path)!r} is damaged, or is not one of scripe. Delete it, and sign in again."
    )


def _check_file(path: Path) -> bool:
    """Return whether there is a file; raise TokenStoreError if it is a link, or belongs to another user."""
    with _explain(path, "cannot be read"):
        try:
            status = path.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(status.st_mode):
            raise TokenStoreError(
                f"The token file {str(path)!r} is a symbolic link, or not a file at all. Delete it, and sign in again."
            )
        _check_owner(path, status)
        return True


@contextmanager
def _explain(path: Path, problem: str) -> Generator[None]:
    """Turn an error of the disk into one that names the file."""
    try:
        yield
    except OSError as error:
        raise TokenStoreError(
            f"{str(path)!r} {problem}: {_reason(error)}. Make room or give yourself access, or give the token store "
            "another folder."
        ) from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


if sys.platform == "win32":

    def _check_owner(path: Path, status: os.stat_result, *, allow_root: bool = False) -> None:
        """Do nothing: access lists guard a user's folders there."""

    def _check_folder(path: Path) -> None:
        """Do nothing: access lists guard a user's folders there."""

    def _make_private(path: Path, descriptor: int) -> None:
        """Do nothing: access lists guard a user's files there."""

    def _sync_folder(path: Path) -> None:
        """Do nothing: a folder cannot be opened there."""

else:

    def _check_owner(path: Path, status: os.stat_result, *, allow_root: bool = False) -> None:
        """Refuse what another user owns: who ran this with sudo would lock that user out of their own tokens."""
        if status.st_uid != os.geteuid() and not (allow_root and status.st_uid == 0):
            raise TokenStoreError(
                f"{str(path)!r} belongs to another user (id {status.st_uid}, this process has {os.geteuid()}). "
                "Run the program as that user, without sudo, or give the token store another folder."
            )

    def _check_folder(path: Path) -> None:
        status = path.stat()
        _check_owner(path, status)
        if status.st_mode & 0o022:
            raise TokenStoreError(
                f"Other users can write to the folder {str(path)!r}. Give the token store a folder of its own, or run "
                f"`chmod 700 {path}`."
            )

    def _make_private(path: Path, descriptor: int) -> None:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o077:
            os.fchmod(descriptor, 0o600)
            warnings.warn(
                f"Other users could read the token file {str(path)!r} (mode {mode:o}). It is private now. If one may "
                "have read it, revoke the login and sign in again.",
                TokenStoreWarning,
                stacklevel=2,
            )

    def _sync_folder(path: Path) -> None:
        """Write the names of a folder to the disk."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some network file systems cannot do that with a folder
                raise
        finally:
            os.close(descriptor)
