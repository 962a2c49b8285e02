"""Token stores of which each breaks a rule, as one would that was written in an afternoon."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from scripe._core.oauth.token_store import make_record
from scripe.oauth import FileTokenStore, MemoryTokenStore, TokenRecord

# In one process


class LoadRaises(MemoryTokenStore):
    """`load` of a name without a record is a KeyError."""

    def load(self, name: str) -> TokenRecord:
        return self._records[name]


class LoadCuts(MemoryTokenStore):
    """A column is too short for the content."""

    def load(self, name: str) -> TokenRecord | None:
        record = super().load(name)
        return record and TokenRecord(record.revision, record.content[:4_000])


class LoadInvents(MemoryTokenStore):
    """`load` of a name without a record returns one."""

    def load(self, name: str) -> TokenRecord:
        return super().load(name) or make_record("null")


class SaveReturnsNone(MemoryTokenStore):
    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        return super().save(name, record, only_over) and None  # type: ignore[return-value]


class SaveOnlyInserts(MemoryTokenStore):
    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        return super().save(name, record, only_over) if only_over or not self.load(name) else True


class SaveRefusesToReplace(MemoryTokenStore):
    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        return bool(only_over or not self.load(name)) and super().save(name, record, only_over)


class NamesAreCut(MemoryTokenStore):
    """A column is too short for the name."""

    def load(self, name: str) -> TokenRecord | None:
        return super().load(name[:40])

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        return super().save(name[:40], record, only_over)

    def pop(self, name: str) -> TokenRecord | None:
        return super().pop(name[:40])


class OnlyOverIsIgnored(MemoryTokenStore):
    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        return super().save(name, record)


class OnlyOverInserts(MemoryTokenStore):
    """If no record is stored, there is nothing to compare with."""

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        return super().save(name, record, only_over if self.load(name) else None)


class OnlyOverInsertsAndDenies(MemoryTokenStore):
    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        is_new = self.load(name) is None
        return super().save(name, record, None if is_new else only_over) and not (is_new and only_over)


class OnlyOverSavesAndDenies(MemoryTokenStore):
    """It saves first, and compares then."""

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        stored = self.load(name)
        if stored is None and only_over:
            return False
        super().save(name, record)
        return stored is None or only_over in (None, stored.revision)


class OnlyOverNeverSaves(MemoryTokenStore):
    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        return only_over is None and super().save(name, record)


class OnlyOverForgets(MemoryTokenStore):
    """It compares, and does not save."""

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        if only_over is None:
            return super().save(name, record)
        stored = self.load(name)
        return stored is not None and stored.revision == only_over


class PopRaises(MemoryTokenStore):
    def pop(self, name: str) -> TokenRecord | None:
        return self._records.pop(name)


class PopInvents(MemoryTokenStore):
    def pop(self, name: str) -> TokenRecord:
        return super().pop(name) or make_record("null")


class PopReturnsAnother(MemoryTokenStore):
    def pop(self, name: str) -> TokenRecord | None:
        record = super().pop(name)
        return record and make_record(record.content)


class PopKeeps(MemoryTokenStore):
    def pop(self, name: str) -> TokenRecord | None:
        return self.load(name)


class PopHides(MemoryTokenStore):
    """A removed record is marked, and `pop` does not look at the mark."""

    def __init__(self) -> None:
        super().__init__()
        self._removed: set[str] = set()

    def load(self, name: str) -> TokenRecord | None:
        return None if name in self._removed else super().load(name)

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        self._removed.discard(name)
        return super().save(name, record, only_over)

    def pop(self, name: str) -> TokenRecord | None:
        self._removed.add(name)
        return super().load(name)


class SaveInTwoSteps(MemoryTokenStore):
    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        stored = self.load(name)
        if only_over is not None and (stored is None or stored.revision != only_over):
            return False
        time.sleep(0)
        self._records[name] = record
        return True


class SaveIsUndone(MemoryTokenStore):
    """Comparing is one step with the answer, but not with saving: a loser replaces the winner's record."""

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        stored = self.load(name)
        is_late = only_over is not None and stored is not None and stored.content == "0"
        is_saved = super().save(name, record, only_over)
        if is_late and not is_saved:
            super().save(name, record)
        return is_saved


class PopInTwoSteps(MemoryTokenStore):
    def pop(self, name: str) -> TokenRecord | None:
        record = self.load(name)
        time.sleep(0)
        self._records.pop(name, None)
        return record


class LockIsNone(MemoryTokenStore):
    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        yield


class LockWaitsForever(MemoryTokenStore):
    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        with super().lock(name, 1_000):
            yield


class LockIsImpatient(MemoryTokenStore):
    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        with super().lock(name, 0 if timeout < 1 else timeout):
            yield


class LockStays(MemoryTokenStore):
    """No `finally`."""

    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=timeout):
            raise TimeoutError
        yield
        lock.release()


class LockIsOfAll(MemoryTokenStore):
    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        with super().lock("all", timeout):
            yield


class LockIsInTheWay(MemoryTokenStore):
    """`save` waits for the lock."""

    def __init__(self) -> None:
        super().__init__()
        self._only = threading.RLock()

    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        if not self._only.acquire(timeout=timeout):
            raise TimeoutError
        try:
            yield
        finally:
            self._only.release()

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        with self._only:
            return super().save(name, record, only_over)


class SaveFailsBesideLock(MemoryTokenStore):
    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        lock = self._locks.get(name)
        return not (lock and lock.locked()) and super().save(name, record, only_over)


# Between processes


class EndsElsewhere(FileTokenStore):
    """It takes its process with it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if multiprocessing.parent_process():
            os._exit(3)


class FailsElsewhere(FileTokenStore):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if multiprocessing.parent_process():
            raise RuntimeError("no such folder")


class HangsElsewhere(FileTokenStore):
    def load(self, name: str) -> TokenRecord | None:
        if multiprocessing.parent_process():
            time.sleep(60)
        return super().load(name)


class LockOfThreads(FileTokenStore):
    """The lock holds among the threads of a process."""

    _lock = threading.Lock()

    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        if not self._lock.acquire(timeout=timeout):
            raise TimeoutError
        try:
            yield
        finally:
            self._lock.release()


class StepsOfThreads(FileTokenStore):
    """`save` and `pop` are one step each among the threads of a process."""

    _mutex = threading.Lock()

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        with self._mutex:
            stored = self.load(name)
            if only_over is not None and (stored is None or stored.revision != only_over):
                return False
            return super().save(name, record)

    def pop(self, name: str) -> TokenRecord | None:
        with self._mutex:
            record = self.load(name)
            time.sleep(0.001)
            super().pop(name)
            return record


class LockThatStays(FileTokenStore):
    """The lock is the existence of a file: nobody removes it after a crash."""

    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        path, deadline = self.path.parent / f"{name}.held", time.monotonic() + timeout
        while True:
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL))
                break
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.01)
        try:
            yield
        finally:
            path.unlink()


class Overwrites(FileTokenStore):
    """It writes into the file that others load."""

    def load(self, name: str) -> TokenRecord | None:
        try:
            revision, content = (self.path / name).read_text().split("\n", 1)
        except FileNotFoundError:
            return None
        return TokenRecord(revision, content)

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        self.path.mkdir(exist_ok=True)
        with self._changing():
            stored = self.load(name) if only_over else None
            if only_over and (stored is None or stored.revision != only_over):
                return False
            with (self.path / name).open("w") as file:
                file.write(f"{record.revision}\n")
                file.flush()
                time.sleep(0.005)
                file.write(record.content)
            return True

    def pop(self, name: str) -> TokenRecord | None:
        if not self.path.exists():
            return None
        with self._changing():
            record = self.load(name)
            (self.path / name).unlink(missing_ok=True)
            return record


class OverwritesUnseen(Overwrites):
    """Who loads waits for who writes, but a crash leaves a torn file."""

    def load(self, name: str) -> TokenRecord | None:
        if not self.path.exists():
            return None
        with self._changing():
            return super().load(name)

    @contextmanager
    def _changing(self) -> Generator[None]:
        if getattr(self._here, "is_changing", False):
            yield
            return
        with super()._changing():
            self._here.is_changing = True
            try:
                yield
                time.sleep(0)
            finally:
                self._here.is_changing = False

    _here = threading.local()


class SavesLater(FileTokenStore):
    """`save` returns before the record is on the disk."""

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        if multiprocessing.parent_process() and len(record.content) > 1_000:
            if not self.load(name):
                return super().save(name, record)
            threading.Timer(0.5, super().save, (name, record)).start()
            return True
        return super().save(name, record, only_over)
