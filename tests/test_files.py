import gc
import gzip
import hashlib
import io
import os
import tempfile
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe._files import Content, FileInput, content_of
from scripe._rules.upload import BLOCK
from scripe.errors import (
    ConfigurationError,
    FileIsDirectoryError,
    FileMissingError,
    FileUnreadableError,
    ScripeError,
    UploadIntegrityError,
)


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


def read(content: Content, meanwhile: Callable[[], object] = lambda: None) -> bytes:
    with content.opened() as blocks:
        meanwhile()
        found = b"".join(iter(blocks.read, b""))
        assert blocks.read() == b""
    assert blocks.md5 == hashlib.md5(found).hexdigest()
    return found


def whole(file: FileInput) -> bytes:
    """The bytes that go up, the same in every attempt."""
    content = content_of(file)
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
    assert content_of(talk).name == "talk.mp3"


def test_bytes_go_up_and_have_no_name() -> None:
    assert whole(b"0123") == b"0123"
    assert content_of(b"0123").name is None


def test_a_file_object_goes_up_from_where_it_stands(talk: Path) -> None:
    with talk.open("rb") as file:
        file.seek(4)
        content = content_of(file)
        assert (content.name, content.size, file.tell()) == ("talk.mp3", 6, 4)
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
    content = content_of(fifo)
    writer.join()
    assert (content.name, content.size, read(content)) == ("stream.mp3", 4, b"0123")
    content.close()


def test_a_spool_is_on_disk_and_not_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileUnreadableError, match="temporary file"):
        content_of(Barest(b"0123"))


def test_a_spool_is_given_back_by_close_and_only_then() -> None:
    content = content_of(Barest(b"0123"))
    assert read(content) == b"0123"
    content.close()
    content.close()
    with pytest.raises(ValueError, match="closed"), content.opened():
        pytest.fail("nothing may be read")


@pytest.mark.filterwarnings("error")
def test_a_spool_of_what_is_refused_is_given_back_at_once(recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(ConfigurationError, match="empty"):
        content_of(Barest(b""))
    gc.collect()
    assert [each.message for each in recwarn] == []


def test_a_large_file_is_read_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.mp3"
    with path.open("wb") as file:
        file.truncate(24 * BLOCK)
    tracemalloc.start()
    with content_of(path).opened() as blocks:
        count = 0
        while block := blocks.read():
            count += len(block)
            del block
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 24 * BLOCK
    assert peak < 4 * BLOCK


@given(st.integers(1, 3 * BLOCK), st.integers(0, 100))
def test_blocks_are_no_larger_than_one_mebibyte_and_lose_nothing(size: int, start: int) -> None:
    file = io.BytesIO(bytes(size + start))
    file.seek(start)
    with content_of(file).opened() as blocks:
        sizes = [len(block) for block in iter(blocks.read, b"")]
    assert sum(sizes) == size
    assert max(sizes) <= BLOCK


@pytest.mark.parametrize("empty", [b"", io.BytesIO(), Pipe(b""), Barest(b"")])
def test_an_empty_file_is_refused(empty: FileInput) -> None:
    with pytest.raises(ConfigurationError, match="The file is empty"):
        content_of(empty)


def test_an_empty_path_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").touch()
    with pytest.raises(ConfigurationError, match=r"talk\.mp3 is empty"):
        content_of(tmp_path / "talk.mp3")


@pytest.mark.parametrize("beyond", [10, 99])
def test_a_file_object_that_stands_at_its_end_has_nothing_to_give(talk: Path, beyond: int) -> None:
    with talk.open("rb") as file:
        file.seek(beyond)
        with pytest.raises(ConfigurationError, match=r"talk\.mp3 is empty"):
            content_of(file)


def test_a_missing_file_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    for missing in (tmp_path / "no.mp3", str(tmp_path / "no" / "no.mp3")):
        with pytest.raises(FileMissingError, match="does not exist; seen from") as caught:
            content_of(missing)
        assert isinstance(caught.value, FileNotFoundError)
        assert isinstance(caught.value, ConfigurationError)


def test_a_file_where_a_directory_should_be_is_a_missing_one(talk: Path) -> None:
    with pytest.raises(FileMissingError):
        content_of(talk / "more.mp3")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileIsDirectoryError, match="one file at a time") as caught:
        content_of(tmp_path)
    assert isinstance(caught.value, IsADirectoryError)


@pytest.mark.parametrize("path", ["a\x00b", "a\ud800b"])
def test_what_no_path_can_be_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="is no path"):
        content_of(path)


def test_a_text_given_for_a_path_is_refused_as_an_error_of_ours() -> None:
    with pytest.raises(ConfigurationError):
        content_of("Today we shipped the new pricing model. " * 200)


def test_a_path_that_leads_in_circles_is_refused_as_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ConfigurationError):
        content_of(tmp_path / "loop")


@pytest.mark.parametrize("file", [7, None, ["a.mp3"]])
def test_what_is_no_file_is_refused(file: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"file is a {type(file).__name__}"):
        content_of(file)


def test_a_file_opened_for_text_is_refused(talk: Path) -> None:
    with talk.open() as file, pytest.raises(ConfigurationError, match="'rb'"):
        content_of(file)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match="'rb'"):
        content_of(io.StringIO("text"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_stream_of_text_is_refused_and_leaves_no_spool() -> None:
    class Text:
        def read(self, size: int = -1, /) -> str:
            return "text"[:size]

    with pytest.raises(ConfigurationError, match="'rb'"):
        content_of(Text())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_file_opened_for_writing_is_refused_as_an_error_of_ours(tmp_path: Path) -> None:
    with (tmp_path / "talk.mp3").open("wb") as file:
        file.write(b"0123")
        with pytest.raises(ConfigurationError):
            content_of(file)  # pyright: ignore[reportArgumentType]


def test_a_file_object_that_was_closed_is_refused_as_an_error_of_ours(talk: Path) -> None:
    with talk.open("rb") as file:
        pass
    with pytest.raises(ConfigurationError):
        content_of(file)


def test_what_a_stream_raises_reaches_the_caller_and_leaves_no_spool() -> None:
    class Broken(Barest):
        def read(self, size: int = -1, /) -> bytes:
            if size:
                raise KeyError("the caller's own")
            return b""

    with pytest.raises(KeyError, match="the caller's own"):
        content_of(Broken(b"0123"))


def test_a_name_that_is_no_utf_8_becomes_one_that_json_can_carry(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp3")
    path.write_bytes(b"0123")
    content = content_of(path)
    assert content.name == "caf\ufffd.mp3"
    assert read(content) == b"0123"
    with path.open("rb") as file:
        assert content_of(file).name == "caf\ufffd.mp3"


def test_a_name_of_half_a_surrogate_pair_becomes_one_that_json_can_carry() -> None:
    name = content_of(Named(b"0123", "a\ud800.mp3")).name
    assert name is not None
    assert name.encode()
    assert name.endswith(".mp3")


@pytest.mark.parametrize(
    ("name", "label"), [("/home/me/talk.mp3", "talk.mp3"), (3, None), (None, None), (b"talk.mp3", "talk.mp3")]
)
def test_the_name_of_a_file_object_is_its_last_part(name: object, label: str | None) -> None:
    assert content_of(Named(b"0123", name)).name == label


def test_a_file_that_shrinks_while_it_is_read_spoils_the_attempt(talk: Path) -> None:
    content = content_of(talk)
    with pytest.raises(UploadIntegrityError, match=r"shorter.*10 bytes"):
        read(content, meanwhile=lambda: os.truncate(talk, 0))


def test_a_file_object_that_shrinks_spoils_the_attempt() -> None:
    file = io.BytesIO(b"0123456789")
    content = content_of(file)
    file.truncate(4)
    with pytest.raises(UploadIntegrityError, match="6 bytes are missing"):
        read(content)


def test_a_file_that_grows_while_it_is_read_spoils_the_attempt(talk: Path) -> None:
    def grow() -> None:
        with talk.open("ab") as file:
            file.write(b"more")

    with pytest.raises(UploadIntegrityError, match=r"talk\.mp3 changed"):
        read(content_of(talk), meanwhile=grow)


def test_a_file_that_is_touched_while_it_is_read_spoils_the_attempt(talk: Path) -> None:
    with pytest.raises(UploadIntegrityError, match=r"talk\.mp3 changed"), content_of(talk).opened():
        os.utime(talk, ns=(0, 1))


def test_a_file_that_changed_between_two_attempts_is_not_sent(talk: Path) -> None:
    content = content_of(talk)
    read(content)
    talk.write_bytes(b"9876543210")
    os.utime(talk, ns=(0, 1))
    with pytest.raises(UploadIntegrityError, match="changed"), content.opened():
        pytest.fail("nothing may be read")


def test_a_file_that_vanished_between_two_attempts_is_an_error_of_ours(talk: Path) -> None:
    content = content_of(talk)
    read(content)
    talk.unlink()
    with pytest.raises(ScripeError), content.opened():
        pytest.fail("nothing may be read")


def test_what_is_raised_while_it_is_read_reaches_the_caller_unchanged(talk: Path) -> None:
    def fail() -> None:
        talk.write_bytes(b"changed")
        raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="the caller's own"):
        read(content_of(talk), meanwhile=fail)


def test_a_path_is_open_only_while_it_is_read(talk: Path) -> None:
    content = content_of(talk)
    with content.opened() as blocks:
        blocks.read()
    content.close()
    talk.rename(talk.with_name("moved.mp3"))
    with pytest.raises(ValueError, match="closed"):
        blocks.read()


def test_a_repr_shows_no_bytes() -> None:
    assert "hush" not in repr(content_of(b"hush"))


def test_bytes_with_gaps_and_paths_of_bytes_are_taken(tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(b"0123")

    class Named(os.PathLike[bytes]):
        def __fspath__(self) -> bytes:
            return os.fsencode(tmp_path / "talk.mp3")

    assert content_of(memoryview(b"01234567")[::2]).size == 4
    assert content_of(Named()).name == "talk.mp3"  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_file_that_cannot_be_asked_for_its_end_is_spooled() -> None:
    class FromItsStart(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            if whence:
                raise ValueError("only from the start")
            return super().seek(offset, whence)

    content = content_of(FromItsStart(b"0123"))
    assert content.size == 4
    content.close()
