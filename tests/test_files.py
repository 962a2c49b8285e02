import bz2
import gc
import gzip
import hashlib
import io
import lzma
import os
import re
import socket
import tarfile
import tempfile
import threading
import tracemalloc
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import anyio
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers, UploadFile

from scripe import Scripe, Upload
from scripe._core.uploads import BLOCK_SIZE
from scripe._file_content import UploadContent
from scripe._files import FileInput, Inspection, ReadableFile, async_open_content, open_content
from scripe.emulator import Emulator
from scripe.errors import (
    FileIsDirectoryError,
    FileMissingError,
    FileUnreadableError,
    InvalidArgumentError,
    ScripeError,
    UploadIntegrityError,
)
from tests.support import shapes
from tests.support.server import Received, Reply, ScriptedServer


class Pipe(io.RawIOBase):
    """Readable once, and never rewound."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._left.readinto(buffer)


class Barest:
    """Has `read`, and nothing else."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def read(self, size: int = -1, /) -> bytes:
        return self._left.read(size)


class Named(io.BytesIO):
    def __init__(self, content: bytes, name: object) -> None:
        super().__init__(content)
        self.name = name


def read(content: UploadContent, meanwhile: Callable[[], object] = lambda: None) -> bytes:
    with content.open() as blocks:
        meanwhile()
        found = b"".join(iter(blocks.read, b""))
        assert blocks.read() == b""
    assert blocks.md5 == hashlib.md5(found).hexdigest()
    return found


def whole(file: FileInput) -> bytes:
    """The bytes that go up, the same in every attempt."""
    content = open_content(file)
    try:
        first = read(content)
        assert len(first) == content.size
        assert read(content) == first
        return first
    finally:
        content.close()


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp3"
    path.write_bytes(b"0123456789")
    return path


def test_a_path_goes_up_whole_and_again_in_every_attempt(talk: Path) -> None:
    assert whole(talk) == whole(str(talk)) == b"0123456789"
    assert open_content(talk).name == "talk.mp3"


def test_bytes_go_up_and_have_no_name() -> None:
    assert whole(b"0123") == b"0123"
    assert open_content(b"0123").name is None


def test_a_file_object_goes_up_from_where_it_stands(talk: Path) -> None:
    with talk.open("rb") as file:
        file.seek(4)
        content = open_content(file)
        assert content.name == "talk.mp3"
        assert content.size == 6
        assert file.tell() == 4
        assert read(content) == read(content) == b"456789"
        content.close()
        assert not file.closed


def test_an_object_in_memory_goes_up_too() -> None:
    assert whole(io.BytesIO(b"0123")) == b"0123"
    with gzip.open(io.BytesIO(gzip.compress(b"0123"))) as packed:
        assert whole(packed) == b"0123"


@pytest.mark.parametrize("kind", [Pipe, Barest])
def test_what_cannot_be_rewound_is_spooled_so_that_an_attempt_can_be_made_again(kind: type[Any]) -> None:
    assert whole(kind(b"0123" * 1000)) == b"0123" * 1000


def test_a_real_pipe_is_spooled() -> None:
    receiver, sender = os.pipe()
    os.write(sender, b"0123")
    os.close(sender)
    with os.fdopen(receiver, "rb") as pipe:
        assert whole(pipe) == b"0123"


def test_a_named_pipe_is_spooled_and_keeps_its_name(tmp_path: Path) -> None:
    fifo = tmp_path / "stream.mp3"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(b"0123"))
    writer.start()
    content = open_content(fifo)
    writer.join()
    assert content.name == "stream.mp3"
    assert content.size == 4
    assert read(content) == b"0123"
    content.close()


def test_a_spool_is_on_disk_and_not_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileUnreadableError):
        open_content(Barest(b"0123"))


def test_a_spool_is_given_back_by_close_and_only_then() -> None:
    content = open_content(Barest(b"0123"))
    assert read(content) == b"0123"
    content.close()
    content.close()
    with pytest.raises(FileUnreadableError), content.open():
        pytest.fail("nothing may be read")


@pytest.mark.filterwarnings("error")
def test_a_spool_of_what_is_refused_is_given_back_at_once(recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(InvalidArgumentError):
        open_content(Barest(b""))
    gc.collect()
    assert [each.message for each in recwarn] == []


def test_a_large_file_is_read_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.mp3"
    with path.open("wb") as file:
        file.truncate(24 * BLOCK_SIZE)
    tracemalloc.start()
    with open_content(path).open() as blocks:
        count = 0
        while block := blocks.read():
            count += len(block)
            del block
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 24 * BLOCK_SIZE
    assert peak < 4 * BLOCK_SIZE


@given(st.integers(1, 3 * BLOCK_SIZE), st.integers(0, 100))
def test_blocks_are_no_larger_than_one_mebibyte_and_lose_nothing(size: int, start: int) -> None:
    file = io.BytesIO(bytes(size + start))
    file.seek(start)
    with open_content(file).open() as blocks:
        sizes = [len(block) for block in iter(blocks.read, b"")]
    assert sum(sizes) == size
    assert max(sizes) <= BLOCK_SIZE


@pytest.mark.parametrize("empty", [b"", io.BytesIO(), Pipe(b""), Barest(b"")])
def test_an_empty_file_is_refused(empty: FileInput) -> None:
    with pytest.raises(InvalidArgumentError):
        open_content(empty)


def test_an_empty_path_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").touch()
    with pytest.raises(InvalidArgumentError, match=r"talk\.mp3"):
        open_content(tmp_path / "talk.mp3")


@pytest.mark.parametrize("beyond", [10, 99])
def test_a_file_object_that_stands_at_its_end_has_nothing_to_give(talk: Path, beyond: int) -> None:
    with talk.open("rb") as file:
        file.seek(beyond)
        with pytest.raises(InvalidArgumentError, match=r"talk\.mp3"):
            open_content(file)


def test_a_missing_file_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    for missing in (tmp_path / "no.mp3", str(tmp_path / "no" / "no.mp3")):
        with pytest.raises(FileMissingError, match=r"no\.mp3") as caught:
            open_content(missing)
        assert isinstance(caught.value, FileNotFoundError)
        assert isinstance(caught.value, InvalidArgumentError)


def test_a_file_where_a_directory_should_be_is_a_missing_one(talk: Path) -> None:
    with pytest.raises(FileMissingError):
        open_content(talk / "more.mp3")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileIsDirectoryError, match=re.escape(str(tmp_path))) as caught:
        open_content(tmp_path)
    assert isinstance(caught.value, IsADirectoryError)


@pytest.mark.parametrize("path", ["a\x00b", "a\ud800b"])
def test_what_no_path_can_be_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(repr(path))):
        open_content(path)


def test_a_text_given_for_a_path_is_refused_as_an_error_of_ours() -> None:
    with pytest.raises(InvalidArgumentError):
        open_content("Today we shipped the new pricing model. " * 200)


def test_a_path_that_leads_in_circles_is_refused_as_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InvalidArgumentError):
        open_content(tmp_path / "loop")


@pytest.mark.parametrize("file", [7, None, ["a.mp3"]])
def test_what_is_no_file_is_refused(file: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"file\b.*\b{type(file).__name__}\b"):
        open_content(file)


def test_a_file_opened_for_text_is_refused(talk: Path) -> None:
    with talk.open() as file, pytest.raises(InvalidArgumentError, match="'rb'"):
        open_content(file)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidArgumentError, match="'rb'"):
        open_content(io.StringIO("text"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_stream_of_text_is_refused_and_leaves_no_spool() -> None:
    class Text:
        def read(self, size: int = -1, /) -> str:
            return "text"[:size]

    with pytest.raises(InvalidArgumentError, match="'rb'"):
        open_content(Text())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_file_opened_for_writing_is_refused_as_an_error_of_ours(tmp_path: Path) -> None:
    with (tmp_path / "talk.mp3").open("wb") as file:
        file.write(b"0123")
        with pytest.raises(InvalidArgumentError):
            open_content(file)  # pyright: ignore[reportArgumentType]


def test_a_file_object_that_was_closed_is_refused_as_an_error_of_ours(talk: Path) -> None:
    with talk.open("rb") as file:
        pass
    with pytest.raises(InvalidArgumentError):
        open_content(file)


def test_what_a_stream_raises_reaches_the_caller_and_leaves_no_spool() -> None:
    class Broken(Barest):
        def read(self, size: int = -1, /) -> bytes:
            if size:
                raise KeyError("the caller's own")
            return b""

    with pytest.raises(KeyError, match="the caller's own"):
        open_content(Broken(b"0123"))


def test_a_name_that_is_no_utf_8_becomes_one_that_json_can_carry(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp3")
    path.write_bytes(b"0123")
    content = open_content(path)
    assert content.name == "caf\ufffd.mp3"
    assert read(content) == b"0123"
    with path.open("rb") as file:
        assert open_content(file).name == "caf\ufffd.mp3"


def test_a_name_of_half_a_surrogate_pair_becomes_one_that_json_can_carry() -> None:
    name = open_content(Named(b"0123", "a\ud800.mp3")).name
    assert name is not None
    assert name.encode()
    assert name.endswith(".mp3")


@pytest.mark.parametrize(
    ("name", "label"), [("/home/me/talk.mp3", "talk.mp3"), (3, None), (None, None), (b"talk.mp3", "talk.mp3")]
)
def test_the_name_of_a_file_object_is_its_last_part(name: object, label: str | None) -> None:
    assert open_content(Named(b"0123", name)).name == label


def test_a_file_that_shrinks_while_it_is_read_spoils_the_attempt(talk: Path) -> None:
    content = open_content(talk)
    with pytest.raises(UploadIntegrityError, match="10 bytes"):
        read(content, meanwhile=lambda: os.truncate(talk, 0))


def test_a_file_object_that_shrinks_spoils_the_attempt() -> None:
    file = Named(b"0123456789", None)
    content = open_content(file)
    file.truncate(4)
    with pytest.raises(UploadIntegrityError, match="6 bytes"):
        read(content)


def test_a_file_that_grows_while_it_is_read_spoils_the_attempt(talk: Path) -> None:
    def grow() -> None:
        with talk.open("ab") as file:
            file.write(b"more")

    with pytest.raises(UploadIntegrityError, match=r"talk\.mp3"):
        read(open_content(talk), meanwhile=grow)


def test_a_file_that_is_touched_while_it_is_read_spoils_the_attempt(talk: Path) -> None:
    with pytest.raises(UploadIntegrityError, match=r"talk\.mp3"), open_content(talk).open():
        os.utime(talk, ns=(0, 1))


def test_a_file_that_changed_between_two_attempts_is_not_sent(talk: Path) -> None:
    content = open_content(talk)
    read(content)
    talk.write_bytes(b"9876543210")
    os.utime(talk, ns=(0, 1))
    with pytest.raises(UploadIntegrityError, match=r"talk\.mp3"), content.open():
        pytest.fail("nothing may be read")


def test_a_file_that_vanished_between_two_attempts_is_an_error_of_ours(talk: Path) -> None:
    content = open_content(talk)
    read(content)
    talk.unlink()
    with pytest.raises(ScripeError), content.open():
        pytest.fail("nothing may be read")


def test_what_is_raised_while_it_is_read_reaches_the_caller_unchanged(talk: Path) -> None:
    def fail() -> None:
        talk.write_bytes(b"changed")
        raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="the caller's own"):
        read(open_content(talk), meanwhile=fail)


def test_a_path_is_open_only_while_it_is_read(talk: Path) -> None:
    content = open_content(talk)
    with content.open() as blocks:
        blocks.read()
    content.close()
    talk.rename(talk.with_name("moved.mp3"))
    with pytest.raises(FileUnreadableError):
        blocks.read()


def test_a_repr_shows_no_bytes() -> None:
    assert "hush" not in repr(open_content(b"hush"))


def test_bytes_with_gaps_and_paths_of_bytes_are_taken(tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(b"0123")

    class Named(os.PathLike[bytes]):
        def __fspath__(self) -> bytes:
            return os.fsencode(tmp_path / "talk.mp3")

    assert open_content(memoryview(b"01234567")[::2]).size == 4
    assert open_content(Named()).name == "talk.mp3"  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_file_that_cannot_be_asked_for_its_end_is_spooled() -> None:
    class FromItsStart(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            if whence:
                raise ValueError("only from the start")
            return super().seek(offset, whence)

    content = open_content(FromItsStart(b"0123"))
    assert content.size == 4
    content.close()


# What people have: file objects of other packages, addresses, files of the system.


class OfParamiko:
    """As paramiko's `SFTPFile`: `seek` returns nothing, and there is no name."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> None:
        self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def test_what_seek_returns_does_not_count() -> None:
    file = OfParamiko(b"skipped0123")
    file.seek(7)
    assert whole(file) == b"0123"


def test_a_file_that_says_that_it_can_be_rewound_and_has_no_size_is_read() -> None:
    class Sizeless(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            return super().seek(0 if whence else offset)

    assert whole(Sizeless(b"0123")) == b"0123"


def test_a_file_of_the_system_without_a_size_is_read_by_path_and_opened() -> None:
    version = Path("/proc/version")
    assert whole(version) == version.read_bytes()
    for buffering in (-1, 0):
        with version.open("rb", buffering) as file:
            content = open_content(file)
            assert (content.name, read(content)) == ("version", version.read_bytes())
            content.close()


def test_a_device_is_read_by_path() -> None:
    with pytest.raises(InvalidArgumentError, match="null"):
        open_content("/dev/null")


def test_files_within_archives_are_read(tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(b"0123" * 100_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packing:
        packing.write(tmp_path / "talk.mp3", "folder/talk.mp3")
    with zipfile.ZipFile(tmp_path / "a.zip") as packed, packed.open("folder/talk.mp3") as file:
        content = open_content(cast("ReadableFile", file))
        assert (content.name, content.size) == ("talk.mp3", 400_000)
        assert read(content) == b"0123" * 100_000
        content.close()
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        tar.add(tmp_path / "talk.mp3", "folder/talk.mp3")
    with tarfile.open(tmp_path / "a.tgz") as tar, tar.extractfile("folder/talk.mp3") as member:  # type: ignore[union-attr]
        assert member is not None
        assert whole(member) == b"0123" * 100_000


def test_the_bytes_of_a_compressed_file_are_those_that_its_object_gives(tmp_path: Path) -> None:
    """Its descriptor has the packed ones."""
    for module, name in ((gzip, "a.gz"), (bz2, "a.bz2"), (lzma, "a.xz")):
        with module.open(tmp_path / name, "wb") as file:
            file.write(b"0123" * 1000)
        with module.open(tmp_path / name, "rb") as file:
            assert whole(file) == b"0123" * 1000


@pytest.mark.filterwarnings("error")
def test_temporary_files_of_any_kind_are_read() -> None:
    for kind in (tempfile.SpooledTemporaryFile, tempfile.NamedTemporaryFile, tempfile.TemporaryFile):
        with kind() as file:
            file.write(b"skipped0123")
            file.seek(7)
            assert whole(file) == b"0123"


def test_what_a_socket_gives_is_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, theirs.makefile("rb") as file:
        ours.sendall(b"0123")
        ours.close()
        assert whole(file) == b"0123"


def test_what_a_server_gives_is_read() -> None:
    with (
        ScriptedServer(Reply(200, b"0123" * 100_000)) as server,
        urllib.request.urlopen(server.origin) as response,
    ):
        assert whole(response) == b"0123" * 100_000


def test_a_pipe_is_read_whole_with_what_its_object_has_in_its_buffer() -> None:
    receiver, sender = os.pipe()
    with os.fdopen(receiver, "rb") as pipe:
        os.write(sender, b"skipped0123")
        assert pipe.read(7) == b"skipped"

        def end() -> None:
            os.write(sender, b"4567")
            os.close(sender)

        writer = threading.Timer(0.2, end)
        writer.start()
        assert whole(pipe) == b"01234567"
        writer.join()


def test_a_reader_that_was_slower_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one reads the same pipe: what was ready is gone."""
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    polls: list[float] = []

    class Ready:
        def register(self, *_: object) -> None: ...

        def poll(self, seconds: float) -> list[int]:
            polls.append(seconds)
            if len(polls) == 2:
                os.write(sender, b"0123")
                os.close(sender)
            return [1]

    monkeypatch.setattr("select.poll", Ready)
    with os.fdopen(receiver, "rb", buffering=0) as pipe:
        content = open_content(pipe)
    assert read(content) == b"0123"
    content.close()


class OfAWebFramework:
    """As werkzeug's `FileStorage`: the name of the form's field is `name`."""

    name = "recording"

    def __init__(self, filename: str | None, content_type: str | None = "audio/mpeg") -> None:
        self.filename = filename
        self.content_type = content_type
        self._file = io.BytesIO(b"0123")

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._file, attribute)


@pytest.mark.parametrize("filename", ["talk.mp3", "C/talk.mp3", "", None])
def test_the_name_of_a_file_from_a_form_is_the_files_and_not_the_fields(filename: str | None) -> None:
    content = open_content(cast("ReadableFile", OfAWebFramework(filename)))
    assert (content.name, content.content_type) == ("talk.mp3" if filename else None, "audio/mpeg")


def test_a_real_file_from_a_form_of_werkzeug() -> None:
    werkzeug = pytest.importorskip("werkzeug.datastructures")
    file = werkzeug.FileStorage(io.BytesIO(b"0123"), "talk.mp3", "recording", "audio/mpeg")
    content = open_content(cast("ReadableFile", file))
    assert content.name == "talk.mp3"
    assert content.content_type == "audio/mpeg"
    assert read(content) == b"0123"


@pytest.mark.filterwarnings("error")
def test_what_an_object_says_of_itself_and_is_no_text_does_not_count() -> None:
    file = OfAWebFramework(cast("str", 7), cast("str", 7))
    content = open_content(cast("ReadableFile", file))
    assert (content.name, content.content_type) == (None, None)


class Wrapper:
    """An object that reads with `await`, and holds a file that does not."""

    def __init__(self, file: object, attribute: str = "file") -> None:
        setattr(self, attribute, file)
        self.filename = "talk.mp3"
        self.content_type = "audio/mpeg"

    async def read(self, size: int = -1) -> bytes:
        raise AssertionError("it is never asked")


class Field:
    """As a field of a form of aiohttp: it holds a file, and reads nothing itself."""

    name = "recording"
    filename = "talk.mp3"
    content_type = "audio/mpeg"
    file = io.BytesIO(b"0123")


@pytest.mark.parametrize(
    "file", [Wrapper(io.BytesIO(b"0123")), Wrapper(io.BytesIO(b"0123"), "wrapped"), Field()]
)
def test_an_object_that_holds_a_file_is_read_by_the_async_client_alone(file: Any) -> None:
    content = async_open_content(file)
    assert content.name == "talk.mp3"
    assert content.content_type == "audio/mpeg"
    assert read(content) == b"0123"
    inner = "wrapped" if hasattr(file, "wrapped") else "file"
    with pytest.raises(InvalidArgumentError, match=rf"{type(file).__name__}.*`upload_file\.{inner}`"):
        open_content(file)
    assert async_open_content(b"0123").size == 4


def test_an_empty_file_that_an_object_holds_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"talk\.mp3"):
        async_open_content(Wrapper(io.BytesIO()))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("look", [open_content, async_open_content])
@pytest.mark.parametrize("as_coroutine", [False, True])
def test_an_object_that_reads_with_await_and_holds_no_file_is_refused(look: Any, as_coroutine: bool) -> None:
    class Promise:
        def __await__(self) -> Iterator[object]:
            yield None

    class Awaited:
        def read(self, size: int = -1) -> Any:
            return self._read() if as_coroutine else Promise()

        async def _read(self) -> bytes:
            return b""

    class Async:
        async def read(self, size: int = -1) -> bytes:
            return b""

    for file in (Awaited(), Async()):
        with pytest.raises(InvalidArgumentError, match=f"{type(file).__name__}.*`await`"):
            look(file)
    gc.collect()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.com/talk.mp3", "https://example.com/talk.mp3"),
        ("http://example.com", "http://example.com"),
        ("http:/example.com/talk.mp3", "http://example.com/talk.mp3"),
        ("HTTPS://me:hush@example.com/talk.mp3?token=hush", "HTTPS://example.com/talk.mp3?…"),
        ("s3://bucket/talk.mp3", "s3://bucket/talk.mp3"),
        ("gs://bucket/talk.mp3?X-Amz-Signature=" + "hush" * 100, "gs://bucket/talk.mp3?…"),
    ],
)
def test_an_address_is_refused_with_what_to_do(address: str, shown: str) -> None:
    for file in (address, Path(address)):
        with pytest.raises(InvalidArgumentError, match=r"URL.*create_url") as caught:
            open_content(file)
        assert f"'{shown}'" in str(caught.value)
        assert "hush" not in str(caught.value)


def test_an_address_of_a_file_is_refused_with_what_to_do(talk: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="URL"):
        open_content(f"file://{talk}")


def test_a_file_whose_path_looks_like_an_address_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:").mkdir()
    (tmp_path / "http:" / "talk.mp3").write_bytes(b"0123")
    assert whole("http:/talk.mp3") == b"0123"


def test_in_a_folder_that_was_deleted_files_are_read_and_missed(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert whole(str(talk)) == b"0123456789"
    for missing in ("talk.mp3", str(gone / "talk.mp3")):
        with pytest.raises(FileMissingError, match=r"talk\.mp3"):
            open_content(missing)


# One open file, two uploads.


@pytest.mark.parametrize("buffering", [-1, 0])
@pytest.mark.parametrize("mode", ["rb", "r+b"])
def test_two_uploads_of_one_open_file_read_it_each_for_itself(talk: Path, buffering: int, mode: str) -> None:
    with cast("BinaryIO", talk.open(mode, buffering)) as file:
        assert file.read(2) == b"01"
        first, second = open_content(file), open_content(file)
        with first.open() as ones, second.open() as others:
            assert ones.read() == b"23456789"
            assert others.read() == b"23456789"
            assert file.tell() == 2
        assert file.read() == b"23456789"


def test_two_uploads_of_one_object_in_memory_read_it_each_for_itself() -> None:
    file = io.BytesIO(b"skipped0123")
    file.seek(7)
    first, second = open_content(file), open_content(file)
    with first.open() as ones, second.open() as others:
        assert ones.read() == others.read() == b"0123"
    file.seek(0)
    file.truncate()
    assert read(first) == b"0123"


def test_what_was_written_to_an_open_file_goes_up_with_it(tmp_path: Path) -> None:
    with (tmp_path / "talk.mp3").open("w+b") as file:
        file.write(b"0123")
        file.seek(0)
        file.write(b"98")
        file.seek(0)
        assert whole(file) == b"9823"


def test_a_second_upload_of_what_has_one_place_to_read_at_is_refused_until_the_first_has_ended() -> None:
    with gzip.open(io.BytesIO(gzip.compress(b"0123"))) as packed:
        first = open_content(packed)
        with pytest.raises(InvalidArgumentError):
            open_content(packed)
        assert read(first) == b"0123"
        first.close()
        packed.seek(0)
        second = open_content(packed)
        first.close()
        with pytest.raises(InvalidArgumentError):
            open_content(packed)
        assert read(second) == b"0123"
        del second
        packed.seek(0)
        assert whole(packed) == b"0123"


def test_a_file_object_that_failed_may_be_tried_again() -> None:
    class Once(Barest):
        is_broken = True

        def read(self, size: int = -1, /) -> bytes:
            if size and self.is_broken:
                self.is_broken = False
                raise OSError("a passing fault")
            return super().read(size)

    file = Once(b"0123")
    with pytest.raises(FileUnreadableError) as caught:
        open_content(file)
    assert whole(file) == b"0123"
    assert caught.value.__traceback__ is not None  # which holds what the first try had


@pytest.mark.parametrize("is_plain", [False, True])
def test_a_file_object_that_is_closed_while_it_is_sent_is_an_error_of_ours(
    talk: Path, is_plain: bool
) -> None:
    file = talk.open("rb") if is_plain else Named(b"0123456789", None)
    content = open_content(file)
    with pytest.raises(ScripeError):
        read(content, meanwhile=file.close)


@pytest.mark.parametrize(
    "raised", [EOFError("cut short"), ValueError("cut short"), StopIteration("cut short")]
)
def test_what_file_objects_raise_is_an_error_of_ours(raised: Exception) -> None:
    class Cut(Barest):
        def read(self, size: int = -1, /) -> bytes:
            if size:
                raise raised
            return b""

    with pytest.raises(FileUnreadableError, match="cut short"):
        open_content(Cut(b"0123"))


def test_a_file_rewritten_at_the_same_time_and_size_spoils_the_attempt(talk: Path) -> None:
    def rewrite() -> None:
        before = talk.stat()
        talk.write_bytes(b"9876543210")
        os.utime(talk, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(UploadIntegrityError, match=r"talk\.mp3"):
        read(open_content(talk), meanwhile=rewrite)


def test_a_file_replaced_by_one_of_the_same_time_and_size_spoils_the_attempt(talk: Path) -> None:
    content, before = open_content(talk), talk.stat()
    other = talk.with_name("other.mp3")
    other.write_bytes(b"9876543210")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(talk)
    with pytest.raises(UploadIntegrityError, match=r"talk\.mp3"):
        read(content)


def test_a_file_may_be_moved_and_deleted_once_it_was_read(talk: Path) -> None:
    with open_content(talk).open() as blocks:
        assert blocks.read() == b"0123456789"
        talk.rename(talk.with_name("done.mp3")).unlink()


def test_what_is_read_for_its_digest_is_held_to_it(talk: Path) -> None:
    file = Named(b"0123456789", None)
    content = open_content(file)
    digest = hashlib.sha256()
    with content.open() as blocks:
        while blocks.hash_next(digest.update):
            pass
    content.md5 = blocks.md5
    assert digest.digest() == hashlib.sha256(b"0123456789").digest()
    assert read(content) == b"0123456789"
    file.getbuffer()[0:1] = b"9"
    with pytest.raises(UploadIntegrityError), content.open() as blocks:
        blocks.read()


def test_a_look_that_is_abandoned_closes_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_abandoned_first in (False, True):
        content = open_content(Barest(b"0123"))

        def look(check: Callable[[], None], content: UploadContent = content) -> UploadContent:
            return content

        inspection = Inspection(look, lambda: None)
        if is_abandoned_first:
            inspection.abandon()
        assert inspection.run() is content
        inspection.abandon()
        with pytest.raises(FileUnreadableError), content.open():
            pytest.fail("nothing may be read")


# The same, from the clients.


def uploaded(content: bytes, filename: str | None, content_type: str | None) -> UploadFile:
    headers = Headers({} if content_type is None else {"content-type": content_type})
    return UploadFile(io.BytesIO(content), filename=filename, headers=headers)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("run", [anyio.run, trio.run])
@pytest.mark.parametrize(
    ("filename", "content_type", "sent"),
    [
        ("notes.txt", "application/octet-stream", "text/plain"),
        ("notes.log", None, "text/plain"),
        ("blob", "text/plain; charset=utf-8", "text/plain; charset=utf-8"),
    ],
)
def test_an_upload_file_of_starlette_is_ingested_by_the_async_client(
    run: Callable[[Callable[[], Any]], Any], filename: str, content_type: str | None, sent: str
) -> None:
    async def use() -> None:
        with Emulator() as emulator:
            async with emulator.async_client() as client:
                file = uploaded(b"Words.", filename, content_type)
                source = await client.sources.ingest(file, project_id=emulator.project_id)
                assert (source.name, source.text_preview) == (filename, "Words.")
                file = uploaded(b"Words.", filename, content_type)
                assert (await client.uploads.upload_file(file)).content_type == sent
                file = uploaded(b"Words.", filename, content_type)
                assert (await client.knowledge.ingest(file)).is_succeeded

    run(use)
    gc.collect()


@pytest.mark.filterwarnings("error")
def test_the_sync_client_says_what_to_give_for_an_upload_file() -> None:
    file: Any = uploaded(b"Words.", "notes.txt", None)
    with Emulator() as emulator, emulator.client() as client:
        with pytest.raises(InvalidArgumentError, match=r"UploadFile.*`upload_file\.file`"):
            client.sources.ingest(file, project_id=emulator.project_id)
        source = client.sources.ingest(
            file.file, name=file.filename, content_type=file.content_type, project_id=emulator.project_id
        )
    assert (source.name, source.text_preview) == ("notes.txt", "Words.")
    gc.collect()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("run", [anyio.run, trio.run])
def test_a_file_that_anyio_opened_is_ingested_by_the_async_client(
    run: Callable[[Callable[[], Any]], Any], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_bytes(b"Words.")

    async def use() -> None:
        with Emulator() as emulator:
            async with (
                emulator.async_client() as client,
                await anyio.open_file(tmp_path / "notes.txt", "rb") as file,
            ):
                source = await client.sources.ingest(file, project_id=emulator.project_id)
                assert (source.name, source.text_preview) == ("notes.txt", "Words.")

    run(use)


def test_a_type_is_told_from_the_name_that_the_caller_gives() -> None:
    with Emulator() as emulator, emulator.client() as client:
        unknown = "application/octet-stream"
        source = client.sources.ingest(b"Words.", name="notes.txt", project_id=emulator.project_id)
        assert (source.name, source.text_preview) == ("notes.txt", "Words.")
        client.sources.ingest(
            b"Words.", name="notes.txt", content_type=unknown, project_id=emulator.project_id
        )
        client.knowledge.ingest(b"Words.", name="notes.txt", content_type=unknown)
        upload = client.uploads.upload_file(io.BytesIO(b"Words."), name="notes.txt", content_type=unknown)
        assert upload.content_type == "text/plain"
        for ingest in (
            partial(client.sources.ingest, project_id=emulator.project_id),
            partial(client.knowledge.ingest, name="Notes"),
            client.uploads.upload_file,
        ):
            with pytest.raises(InvalidArgumentError, match=r"'application/octet-stream'.*content_type="):
                ingest(b"Words.", content_type=unknown)


@pytest.mark.parametrize("is_plain", [False, True])
def test_two_uploads_of_one_open_file_at_once_send_it_whole_or_not_at_all(
    tmp_path: Path, is_plain: bool
) -> None:
    words = b"Words worth keeping. " * 100_000
    (tmp_path / "notes.txt").write_bytes(words)
    with gzip.open(tmp_path / "notes.gz", "wb", compresslevel=1) as packed:
        packed.write(words)
    sent: list[bytes] = []

    def store(request: Received) -> Reply:
        sent.append(request.body)
        return Reply(200, headers={"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})

    def upload(file: Any) -> str:
        try:
            client.uploads.put(link, file)
        except InvalidArgumentError as error:
            return str(error)
        return "sent"

    with (
        ScriptedServer(store) as server,
        Scripe("scripe_sk_test_x", base_url=server.base_url) as client,
        (tmp_path / "notes.txt").open("rb") as plain,
        gzip.open(tmp_path / "notes.gz") as packed,
        ThreadPoolExecutor(4) as pool,
    ):
        link = Upload.model_validate(shapes.upload(f"{server.origin}/key", maxSizeBytes=len(words)))
        outcomes = list(pool.map(upload, [plain if is_plain else packed] * 4))
    assert sent == [words] * outcomes.count("sent")
    if is_plain:
        assert outcomes == ["sent"] * 4
    else:
        assert "sent" in outcomes
        assert all("sent" in each or "another upload" in each or "is empty" in each for each in outcomes)
