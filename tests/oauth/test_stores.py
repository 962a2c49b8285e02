"""The token stores: what each keeps, and what it refuses."""

from __future__ import annotations

import errno
import os
import pickle
import stat
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

import filelock
import platformdirs
import pytest
import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.dialects import registry

from scripe import ConfigurationError, InvalidArgumentError, TokenStoreError, TokenStoreWarning
from scripe._core.oauth.token_store import make_record
from scripe.oauth import FileTokenStore, MemoryTokenStore, SQLTokenStore, TokenRecord, TokenStore
from scripe.oauth.stores import file, sql
from scripe.testing import check_token_store

from .stores import brief_sql_store, sql_store, sqlite_engine

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights, and no fork")
CANARY = "canary-0123456789"
STRANGER = 54321


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


@pytest.fixture
def files(folder: Path) -> FileTokenStore:
    return FileTokenStore(folder)


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return sqlite_engine(tmp_path / "tokens.db")


@pytest.fixture(params=["memory", "file", "sql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    stores: dict[str, Callable[[], TokenStore]] = {
        "memory": MemoryTokenStore,
        "file": partial(FileTokenStore, tmp_path / "tokens"),
        "sql": partial(sql_store, tmp_path / "tokens.db"),
    }
    return stores[request.param]()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a path belong to another user than the one who runs the test."""
    if os.geteuid() == 0:
        os.chown(path, STRANGER, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: STRANGER)


def exit_code_of_fork(work: Callable[[], bool]) -> int:
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_lock_free(store: TokenStore, name: str) -> bool:
    try:
        with store.lock(name, 0.1):
            return True
    except TimeoutError:
        return False


# All stores


def test_the_memory_store_keeps_the_contract() -> None:
    check_token_store(MemoryTokenStore, between_processes=False)


def test_the_file_store_keeps_the_contract(folder: Path) -> None:
    check_token_store(partial(FileTokenStore, folder))
    assert list(folder.glob("*.json")) == []


def test_the_sql_store_keeps_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "tokens.db"
    check_token_store(partial(brief_sql_store, path))
    with sqlite_engine(path).connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM scripe_tokens")).scalar() == 0


def test_a_store_is_a_token_store(store: TokenStore) -> None:
    assert isinstance(store, TokenStore)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "Acme", "a.b", "x" * 65, "é", "a\n"])
@pytest.mark.parametrize("method", ["load", "save", "pop", "lock"])
def test_a_name_that_could_reach_elsewhere_is_refused(
    store: TokenStore, tmp_path: Path, name: str, method: str
) -> None:
    methods: dict[str, Callable[[], object]] = {
        "load": lambda: store.load(name),
        "save": lambda: store.save(name, make_record("1")),
        "pop": lambda: store.pop(name),
        "lock": lambda: is_lock_free(store, name),
    }
    with pytest.raises(InvalidArgumentError):
        methods[method]()
    assert names_in(tmp_path) == []


def test_a_lock_without_a_timeout_is_tried_once(store: TokenStore) -> None:
    with store.lock("one", 0):
        start = time.monotonic()
        with pytest.raises(TimeoutError), store.lock("one", 0):
            pass
        assert time.monotonic() - start < 1


@pytest.mark.parametrize("kind", ["memory", "sql"])
def test_a_store_that_cannot_travel_says_so(kind: str, engine: sa.Engine) -> None:
    store: object = MemoryTokenStore() if kind == "memory" else SQLTokenStore(engine)
    with pytest.raises(ConfigurationError):
        pickle.dumps(store)


@pytest.mark.parametrize(
    ("package", "module", "extra"),
    [
        ("filelock", "scripe.oauth.stores.file", '"oauth"'),
        ("platformdirs", "scripe.oauth.stores.file", '"oauth"'),
        ("sqlalchemy", "scripe.oauth.stores.sql", '"sql"'),
    ],
)
def test_a_missing_extra_is_named(
    package: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError) as caught:
        import_module(module)
    assert package in str(caught.value)
    assert extra in str(caught.value)


# Memory


@on_posix
def test_a_forked_process_changes_nothing_of_a_memory_store() -> None:
    store, record = MemoryTokenStore(), make_record("1")
    store.save("one", record)

    def is_refused(change: Callable[[], object]) -> bool:
        try:
            change()
        except TokenStoreError:
            return True
        return False

    def work() -> bool:
        changes = (
            partial(store.save, "one", record),
            partial(store.pop, "one"),
            partial(is_lock_free, store, "one"),
        )
        return store.load("one") == record and all(is_refused(change) for change in changes)

    with store.lock("one", 1):
        assert exit_code_of_fork(work) == 0


class SlowRevision(str):
    """One that lets other threads run while it is compared."""

    def __ne__(self, other: object) -> bool:
        time.sleep(0.05)
        return str(self) != str(other)

    __hash__ = str.__hash__


def test_comparing_and_saving_in_memory_is_one_step() -> None:
    store = MemoryTokenStore()
    store.save("one", TokenRecord(SlowRevision("1"), "1"))

    def save(revision: str) -> bool:
        return store.save("one", TokenRecord(revision, "1"), "1")

    with ThreadPoolExecutor(2) as pool:
        saved = pool.map(save, ["2", "3"])
        assert sorted(saved) == [False, True]


def test_an_inherited_memory_store_cannot_be_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryTokenStore()
    monkeypatch.setattr(os, "getpid", lambda: 0)
    with pytest.raises(TokenStoreError):
        is_lock_free(store, "one")


# Files


def test_the_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    path = FileTokenStore().path
    assert path == Path(platformdirs.user_data_dir("scripe", appauthor=False)) / "tokens"
    assert path.is_relative_to(tmp_path)


def test_a_file_store_travels_as_its_path(folder: Path) -> None:
    FileTokenStore(folder).save("one", make_record("1"))
    arrived = pickle.loads(pickle.dumps(FileTokenStore(str(folder))))
    assert repr(arrived) == f"FileTokenStore({str(folder)!r})"
    assert arrived.load("one") == FileTokenStore(folder).load("one")


@on_posix
def test_nobody_else_can_read_what_is_saved(files: FileTokenStore, folder: Path) -> None:
    umask = os.umask(0)
    try:
        files.save("one", make_record("1"))
        with files.lock("one", 1):
            pass
    finally:
        os.umask(umask)
    assert mode_of(folder) == 0o700
    assert {name: mode_of(folder / name) for name in names_in(folder)} == {
        ".lock": 0o600,
        "one.json": 0o600,
        "one.lock": 0o600,
    }


def test_to_look_leaves_nothing_behind(files: FileTokenStore, tmp_path: Path) -> None:
    assert files.load("one") is None
    assert files.pop("one") is None
    assert names_in(tmp_path) == []


@contextmanager
def nothing_written_to(folder: Path) -> Generator[None]:
    before = names_in(folder)
    with pytest.raises(TokenStoreError) as caught:
        yield
    assert str(folder) in str(caught.value)
    assert names_in(folder) == before


CHANGES: dict[str, Callable[[FileTokenStore], object]] = {
    "save": lambda store: store.save("one", make_record("2")),
    "save over": lambda store: store.save("one", make_record("2"), "1"),
    "pop": lambda store: store.pop("one"),
    "lock": lambda store: is_lock_free(store, "two"),
}


@on_posix
@pytest.mark.parametrize("change", CHANGES)
def test_the_folder_of_another_user_is_refused(
    change: str, files: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.save("one", make_record("1"))
    give_away(folder, monkeypatch)
    with nothing_written_to(folder):
        CHANGES[change](files)


@on_posix
@pytest.mark.parametrize("change", ["save", "save over", "lock"])
def test_no_folder_is_made_in_that_of_another_user(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    give_away(home, monkeypatch)
    with nothing_written_to(home):
        CHANGES[change](FileTokenStore(home / "data" / "tokens"))


@on_posix
def test_a_folder_may_be_made_in_one_of_root(
    files: FileTokenStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in `/tmp` or `/var/lib`."""
    true_stat = Path.stat

    def rooted(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        status = true_stat(self, follow_symlinks=follow_symlinks)
        return os.stat_result([*status[:4], 0 if self == tmp_path else STRANGER, *status[5:]])

    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    monkeypatch.setattr(Path, "stat", rooted)
    assert files.save("one", make_record("1"))


@on_posix
@pytest.mark.parametrize("mode", [0o720, 0o702])
@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_that_others_can_write_to_is_refused(
    change: str, mode: int, files: FileTokenStore, folder: Path
) -> None:
    files.save("one", make_record("1"))
    folder.chmod(mode)
    with nothing_written_to(folder):
        CHANGES[change](files)


@on_posix
def test_the_file_of_another_user_is_refused(
    files: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.save("one", make_record("1"))
    give_away(folder / "one.json", monkeypatch)
    with nothing_written_to(folder):
        files.load("one")
    with nothing_written_to(folder):
        files.save("one", make_record("2"))


@on_posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_could_read_is_made_private(
    mode: int, files: FileTokenStore, folder: Path
) -> None:
    record = make_record("1")
    files.save("one", record)
    (folder / "one.json").chmod(mode)
    with pytest.warns(TokenStoreWarning):
        assert files.load("one") == record
    assert mode_of(folder / "one.json") == 0o600
    assert files.load("one") == record


@on_posix
@pytest.mark.parametrize("change", ["load", "save", "save over", "pop"])
def test_a_symbolic_link_in_place_of_a_file_is_refused(
    change: str, files: FileTokenStore, folder: Path
) -> None:
    files.save("two", make_record("1"))
    content = (folder / "two.json").read_bytes()
    (folder / "one.json").symlink_to(folder / "two.json")
    with nothing_written_to(folder):
        files.load("one") if change == "load" else CHANGES[change](files)
    assert (folder / "two.json").read_bytes() == content


@on_posix
def test_a_symbolic_link_in_place_of_a_lock_is_refused(
    files: FileTokenStore, folder: Path, tmp_path: Path
) -> None:
    files.save("one", make_record("1"))
    precious = tmp_path / "precious"
    precious.write_text("words")
    (folder / "two.lock").symlink_to(precious)
    with pytest.raises(TokenStoreError), files.lock("two", 1):
        pass
    assert precious.read_text() == "words"


@on_posix
def test_a_pipe_in_place_of_a_file_hangs_nobody(files: FileTokenStore, folder: Path) -> None:
    files.save("two", make_record("1"))
    os.mkfifo(folder / "one.json")
    with pytest.raises(TokenStoreError):
        files.load("one")


def test_a_file_in_place_of_the_folder_is_an_error(files: FileTokenStore, folder: Path) -> None:
    folder.write_text("words")
    with pytest.raises(TokenStoreError):
        files.save("one", make_record("1"))
    assert folder.read_text() == "words"


DAMAGED = {
    "empty": b"",
    "torn": b'{"revision": "1", "content": "' + CANARY.encode(),
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "a number": b"1",
    "another object": b'{"access_token": "x"}',
    "other types": b'{"revision": 1, "content": {}}',
}


@pytest.mark.parametrize("change", ["load", "save over", "pop"])
@pytest.mark.parametrize("data", DAMAGED)
def test_a_damaged_file_is_an_error_that_names_it(
    data: str, change: str, files: FileTokenStore, folder: Path
) -> None:
    files.save("one", make_record("1"))
    path = folder / "one.json"
    path.write_bytes(DAMAGED[data])
    with pytest.raises(TokenStoreError) as caught:
        files.load("one") if change == "load" else CHANGES[change](files)
    assert str(path) in str(caught.value)
    assert caught.value.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert path.read_bytes() == DAMAGED[data]


def test_a_new_login_replaces_a_damaged_file(files: FileTokenStore, folder: Path) -> None:
    record = make_record("1")
    files.save("one", record)
    (folder / "one.json").write_bytes(b"{")
    assert files.save("one", record)
    assert files.load("one") == record


@on_posix
def test_a_full_disk_is_an_error_and_leaves_the_old_record(files: FileTokenStore, folder: Path) -> None:
    """A limit on the size of files stands for the disk."""
    import resource  # Windows has none

    record = make_record("1")
    files.save("one", record)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(TokenStoreError) as caught:
            files.save("one", make_record("x" * 5_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(folder) in str(caught.value)
    assert files.load("one") == record
    assert names_in(folder) == [".lock", "one.json"]


@on_posix
@pytest.mark.parametrize("change", ["save", "save over", "lock"])
def test_a_folder_that_cannot_be_made_is_an_error(change: str) -> None:
    with pytest.raises(TokenStoreError):
        CHANGES[change](FileTokenStore("/proc/tokens"))


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("operation", ["open", "fsync"])
def test_an_error_of_the_disk_names_the_file(
    operation: str, code: int, files: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **more: object) -> int:
        raise OSError(code, os.strerror(code))

    files.save("one", make_record("1"))
    monkeypatch.setattr(os, operation, fail)
    with pytest.raises(TokenStoreError) as caught:
        files.save("one", make_record("2"))
    assert str(folder) in str(caught.value)
    assert os.strerror(code) in str(caught.value)


@on_posix
@pytest.mark.parametrize("code", [errno.EINVAL, errno.EIO])
def test_a_folder_that_cannot_be_synced_is_an_error_only_if_the_disk_fails(
    code: int, files: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_fsync, record = os.fsync, make_record("1")

    def fail(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        true_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    if code == errno.EINVAL:
        assert files.save("one", record)
    else:
        with pytest.raises(TokenStoreError):
            files.save("one", record)
    assert files.load("one") == record


@on_posix
def test_a_saved_record_is_on_the_disk(
    files: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file before it is renamed, the folder after that."""
    synced: list[list[str]] = []
    true_fsync = os.fsync

    def watch(descriptor: int) -> None:
        true_fsync(descriptor)
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        synced.append([kind, *(name for name in names_in(folder) if name.endswith(".json"))])

    monkeypatch.setattr(os, "fsync", watch)
    files.save("one", make_record("1"))
    files.pop("one")
    assert synced == [["file"], ["folder", "one.json"], ["folder"]]


@on_posix
@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_system_without_locks_is_an_error(
    change: str, code: int, files: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    files.save("one", make_record("1"))
    monkeypatch.setattr("fcntl.flock", fail)
    with pytest.raises(TokenStoreError):
        CHANGES[change](files)


def test_a_lock_may_be_left_by_another_thread(files: FileTokenStore) -> None:
    with ExitStack() as stack:
        stack.enter_context(files.lock("one", 1))
        assert not is_lock_free(files, "one")
        leaving = threading.Thread(target=stack.close)
        leaving.start()
        leaving.join()
        assert is_lock_free(files, "one")
    made = file._make_lock(files.path / "one.lock", 1, 1)  # pyright: ignore[reportPrivateUsage]
    assert not made.is_thread_local()  # or a lock that is kept alive would stay held


@on_posix
def test_a_forked_process_does_not_hold_the_lock_of_its_parent(files: FileTokenStore) -> None:
    with files.lock("one", 1):
        assert exit_code_of_fork(lambda: not is_lock_free(files, "one")) == 0
        assert not is_lock_free(files, "one")
    assert is_lock_free(files, "one")


def test_a_lock_file_is_never_deleted(files: FileTokenStore, folder: Path) -> None:
    with files.lock("one", 1):
        files.save("one", make_record("1"))
        inodes = {name: (folder / name).stat().st_ino for name in names_in(folder)}
    files.pop("one")
    with files.lock("one", 1):
        pass
    assert {name: (folder / name).stat().st_ino for name in names_in(folder)} == {
        name: inode for name, inode in inodes.items() if name.endswith(".lock")
    }


@pytest.mark.parametrize("change", ["save", "save over", "pop"])
def test_who_saves_waits_for_others_and_not_forever(
    change: str, files: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = TokenRecord("1", "1")
    files.save("one", record)
    monkeypatch.setattr(file, "SAVE_TIMEOUT", 0.2)
    with filelock.FileLock(folder / ".lock"), pytest.raises(TokenStoreError):
        CHANGES[change](files)
    assert files.load("one") == record
    CHANGES[change](files)
    assert files.load("one") != record


def test_what_a_crash_left_behind_is_deleted_later(files: FileTokenStore, folder: Path) -> None:
    files.save("one", make_record("1"))
    long_ago = time.time() - 100
    for name in ("one.old.tmp", "one.new.tmp", "one-more.old.tmp"):
        (folder / name).write_bytes(b"{")
        if "old" in name:
            os.utime(folder / name, (long_ago, long_ago))
    files.save("one", make_record("2"))
    assert names_in(folder) == [".lock", "one-more.old.tmp", "one.json", "one.new.tmp"]


@on_posix
def test_a_file_that_is_just_removed_is_none(
    files: FileTokenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.save("one", make_record("1"))
    true_open = os.open

    def remove_first(path: Path, flags: int) -> int:
        path.unlink()
        return true_open(path, flags)

    monkeypatch.setattr(os, "open", remove_first)
    assert files.load("one") is None


# A database


def rows_of(engine: sa.Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT name, revision, content, lease_owner FROM scripe_tokens"))
        return [tuple(row) for row in rows]


def change_before(engine: sa.Engine, start: str, statement: str) -> None:
    """Let somebody else change the table once, just before a statement of the store."""
    pending = [statement]

    def change(connection: object, cursor: object, text: str, *arguments: object) -> None:
        if text.startswith(start) and pending:
            with sqlite_engine(Path(str(engine.url.database))).begin() as other:
                other.execute(sa.text(pending.pop()))

    event.listen(engine, "before_cursor_execute", change)


def test_nothing_is_sent_before_the_store_is_used(engine: sa.Engine, tmp_path: Path) -> None:
    SQLTokenStore(engine)
    assert names_in(tmp_path) == []


def test_a_table_that_is_missing_is_created_unless_migrations_do_that(engine: sa.Engine) -> None:
    with pytest.raises(TokenStoreError) as caught:
        SQLTokenStore(engine, create_tables=False).load("one")
    assert "scripe_tokens" in str(caught.value)
    store, record = SQLTokenStore(engine), make_record("1")
    store.save("one", record)
    assert SQLTokenStore(engine, create_tables=False).load("one") == record
    columns = {str(column["name"]) for column in sa.inspect(engine).get_columns("scripe_tokens")}
    assert columns == {"name", "revision", "content", "lease_owner", "lease_until"}


@pytest.mark.parametrize("wrong", ["sqlite://", None])
def test_what_is_no_engine_is_refused(wrong: object) -> None:
    with pytest.raises(ConfigurationError):
        SQLTokenStore(wrong)  # type: ignore[arg-type]


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    url = sa.URL.create("sqlite", username="user", password=CANARY, database="x.db")
    engine = sa.create_engine("sqlite://")
    monkeypatch.setattr(engine, "url", url)
    assert CANARY not in repr(SQLTokenStore(engine))


def test_a_lease_ends_30_seconds_later_by_the_clock_of_the_database(engine: sa.Engine) -> None:
    store = SQLTokenStore(engine)
    with store.lock("one", 1), engine.connect() as connection:
        left = "SELECT lease_until - CAST(strftime('%s', 'now') AS INTEGER) FROM scripe_tokens"
        assert connection.execute(sa.text(left)).scalar() in (29, 30)


def test_a_lease_that_is_over_is_free(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SQLTokenStore(engine)
    with store.lock("one", 1):
        assert not is_lock_free(store, "one")
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE scripe_tokens SET lease_until = lease_until - 31"))
        with store.lock("one", 1):
            assert not is_lock_free(store, "one")
    assert is_lock_free(store, "one")


def test_who_has_lost_the_lease_does_not_end_that_of_another(engine: sa.Engine) -> None:
    store = SQLTokenStore(engine)
    with ExitStack() as late, ExitStack() as new:
        late.enter_context(store.lock("one", 1))
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE scripe_tokens SET lease_until = 0"))
        new.enter_context(store.lock("one", 1))
        late.close()
        assert not is_lock_free(store, "one")


def test_the_clock_of_this_machine_does_not_count(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SQLTokenStore(engine)
    with store.lock("one", 1):
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert not is_lock_free(store, "one")


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_the_time_is_that_of_the_database(dialect: str) -> None:
    made: sa.Dialect = registry.load(dialect)()
    is_free = sa.select(sql._IS_FREE)  # pyright: ignore[reportPrivateUsage]
    assert "CURRENT_TIMESTAMP" in str(is_free.compile(dialect=made))


def test_no_row_is_left_behind(engine: sa.Engine) -> None:
    store = SQLTokenStore(engine)
    with store.lock("one", 1):
        store.save("one", make_record("1"))
        store.pop("one")
        assert not is_lock_free(store, "one")
    with store.lock("two", 1):
        pass
    store.save("three", make_record("1"))
    store.pop("three")
    assert rows_of(engine) == []


def test_a_record_stays_when_its_lock_is_released(engine: sa.Engine) -> None:
    store = SQLTokenStore(engine)
    with store.lock("one", 1):
        store.save("one", TokenRecord("1", "2"))
    assert rows_of(engine) == [("one", "1", "2", None)]


def test_a_driver_need_not_count_what_is_inserted(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """psycopg's is -1."""
    monkeypatch.setattr(sa.CursorResult, "rowcount", -1)
    assert is_lock_free(SQLTokenStore(engine), "one")


def test_two_that_insert_a_row_at_once_both_save(engine: sa.Engine) -> None:
    store, record = SQLTokenStore(engine), make_record("1")
    change_before(engine, "INSERT", "INSERT INTO scripe_tokens (name) VALUES ('one')")
    assert store.save("one", record)
    assert store.load("one") == record


def test_two_that_insert_a_lease_at_once_wait_for_each_other(engine: sa.Engine) -> None:
    store = SQLTokenStore(engine)
    change_before(
        engine,
        "INSERT",
        "INSERT INTO scripe_tokens (name, lease_owner, lease_until) VALUES ('one', 'x', 99999999999)",
    )
    assert not is_lock_free(store, "one")


def test_a_record_that_is_replaced_while_it_is_popped_is_popped_as_it_is_then(engine: sa.Engine) -> None:
    store = SQLTokenStore(engine)
    store.save("one", TokenRecord("1", "1"))
    change_before(engine, "DELETE", "UPDATE scripe_tokens SET revision = '2', content = '2'")
    assert store.pop("one") == TokenRecord("2", "2")
    assert store.load("one") is None


def test_an_error_of_the_database_holds_no_token(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE scripe_tokens (name TEXT, revision TEXT)"))
    with pytest.raises(TokenStoreError) as caught:
        SQLTokenStore(engine).save("one", make_record(CANARY))
    assert caught.value.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_an_error_without_words_is_named(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise exc.TimeoutError

    store = SQLTokenStore(engine)
    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(TokenStoreError) as caught:
        store.load("one")
    assert "TimeoutError" in str(caught.value)


def test_a_lease_that_cannot_be_ended_ends_by_itself(engine: sa.Engine) -> None:
    store = SQLTokenStore(engine)
    with store.lock("one", 1), engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE scripe_tokens"))
    assert sa.inspect(engine).get_table_names() == []
