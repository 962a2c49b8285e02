"""Uploads under faults: either one source with exactly the bytes, or an error of ours and no source."""

from __future__ import annotations

import hashlib
import io
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripe import (
    APIConnectionError,
    AsyncScripe,
    InvalidArgumentError,
    Progress,
    ScripeError,
    UploadError,
    UploadExpiredError,
    UploadIntegrityError,
    UploadTooLargeError,
)
from scripe._async.client import set_clock
from scripe.emulator import Emulator, S3Storage
from scripe.types import Upload
from tests.conftest import KEY
from tests.faults.proxy import Exchange, FaultProxy
from tests.faults.table import ALWAYS
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import Received, Reply, ScriptedServer

pytestmark = pytest.mark.anyio

WORDS = b"Nobody buys features. " * 60_000  # 1.3 MB: more than a block


def address(base_url: str) -> tuple[str, int]:
    host, _, port = base_url.removeprefix("http://").partition("/")[0].partition(":")
    return host, int(port)


def link(server: ScriptedServer, size: int = 10_000_000) -> Upload:
    return Upload.model_validate(shapes.upload(f"{server.origin}/key?X-Amz-Signature=00", maxSizeBytes=size))


def accept(request: Received) -> Reply:
    return Reply(200, headers={"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})


def bytes_of(emulator: Emulator) -> list[bytes]:
    """Return the bytes that storage has."""
    puts = [request for request in emulator.requests if request.method == "PUT" and request.status == 200]
    return [puts[-1].headers["content-length"].encode()] if puts else []


@pytest.mark.parametrize("seed", range(3))
async def test_an_upload_that_is_cut_anywhere_arrives_whole(tmp_path: Path, seed: int) -> None:
    """The upload is cut twice at random bytes and once after the last; the source then has all of them."""
    path, chance = tmp_path / "words.txt", random.Random(seed)
    path.write_bytes(WORDS)

    def cut(exchange: Exchange) -> None:
        exchange.take(chance.choice([0, chance.random(), 1]))
        exchange.reset()

    with Emulator(job_speed=1000) as emulator, emulator.serve() as served:
        with FaultProxy(address(served.base_url)) as proxy:
            proxy.meet(cut, times=2, spares=lambda exchange: exchange.method != b"PUT")
            async with AsyncScripe(served.api_key, base_url=proxy.base_url, timeout=5) as client:
                source = await client.sources.ingest(path, project_id=emulator.project_id)
            assert proxy.met == 2
        assert source.is_ready
        assert emulator.count("sources") == 1
        assert bytes_of(emulator) == [str(len(WORDS)).encode()]


async def test_an_upload_that_is_always_cut_makes_no_source(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(WORDS)

    def cut(exchange: Exchange) -> None:
        exchange.take(0.5)
        exchange.reset()

    with Emulator(job_speed=1000) as emulator, emulator.serve() as served:
        with FaultProxy(address(served.base_url)) as proxy:
            proxy.meet(cut, times=ALWAYS, spares=lambda exchange: exchange.method != b"PUT")
            async with AsyncScripe(served.api_key, base_url=proxy.base_url, timeout=5) as client:
                with pytest.raises(APIConnectionError) as caught:
                    await client.sources.ingest(path, project_id=emulator.project_id)
                assert (emulator.count("sources"), emulator.count("jobs")) == (0, 0)
                proxy.meet(None)
                await client.sources.ingest(
                    path, project_id=emulator.project_id, idempotency_key=caught.value.idempotency_key
                )
        assert (emulator.count("sources"), emulator.count("jobs")) == (1, 1)


@pytest.mark.parametrize("expired_link", ["AccessDenied", "ExpiredToken"])
async def test_a_link_that_expires_while_the_file_is_sent_is_replaced(
    expired_link: Literal["AccessDenied", "ExpiredToken"],
) -> None:
    with Emulator(upload_lifetime=60, expired_link=expired_link) as emulator:
        expiries = iter([61, 61])
        async with emulator.async_client() as client:
            source = await client.sources.ingest(
                WORDS,
                project_id=emulator.project_id,
                content_type="text/plain",
                on_progress=lambda progress: emulator.clock.advance(
                    next(expiries, 0) if progress.stage == "uploading" else 0
                ),
            )
        assert source.is_ready
        assert emulator.count("sources") == 1
        assert emulator.count("uploads") > 1


async def test_links_that_are_dead_on_arrival_end_the_upload() -> None:
    with Emulator(upload_lifetime=1) as emulator:
        async with emulator.async_client() as client:
            with pytest.raises(UploadExpiredError):
                await client.sources.ingest(
                    WORDS,
                    project_id=emulator.project_id,
                    content_type="text/plain",
                    on_progress=lambda _: emulator.clock.advance(2),
                )
        assert emulator.count("sources") == emulator.count("jobs") == 0


@pytest.mark.parametrize("change", ["grow", "shrink", "touch", "replace", "put back"])
@pytest.mark.parametrize("is_open", [False, True])
async def test_a_file_that_changes_while_it_is_sent_makes_no_source(
    emulator: Emulator, async_local: AsyncScripe, tmp_path: Path, change: str, is_open: bool
) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(WORDS)

    def spoil(progress: Progress) -> None:
        if progress.stage != "uploading":
            return
        if change == "grow":
            path.write_bytes(WORDS + b"more")
        if change == "shrink":
            os.truncate(path, 10)
        if change == "replace":
            path.write_bytes(WORDS.swapcase())
        if change in ("touch", "replace"):
            os.utime(path, ns=(0, 1))
        if change == "put back":  # the same size, at the same time
            before = path.stat()
            path.write_bytes(WORDS.swapcase())
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    with path.open("rb") as file, pytest.raises(UploadIntegrityError):
        await async_local.sources.ingest(
            file if is_open else path,
            project_id=emulator.project_id,
            on_progress=spoil,
        )
    assert emulator.count("sources") == emulator.count("jobs") == 0
    path.write_bytes(WORDS)
    assert (await async_local.sources.ingest(path, project_id=emulator.project_id)).is_ready


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, io.BytesIO])
async def test_bytes_of_any_kind_go_up(
    emulator: Emulator, async_local: AsyncScripe, wrap: Callable[[bytes], bytes]
) -> None:
    source = await async_local.sources.ingest(
        wrap(b"Words."), project_id=emulator.project_id, content_type="text/plain"
    )
    assert source.text_preview == "Words."


class Failing(io.RawIOBase):
    """A file on a disk that fails after some bytes."""

    def __init__(self, good: int, raised: Exception | None, *, can_seek: bool) -> None:
        self._good = good
        self._raised = raised
        self._can_seek = can_seek
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._can_seek

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if not self._can_seek:
            raise io.UnsupportedOperation
        self._at = len(WORDS) if whence == 2 else offset
        return self._at

    def tell(self) -> int:
        if not self._can_seek:
            raise io.UnsupportedOperation
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        if size == 0:
            return b""
        if self._at >= self._good:
            if self._raised is not None:
                raise self._raised
            return cast("bytes", None)  # as a file does that does not wait
        chunk = WORDS[self._at : min(self._at + size, self._good)]
        self._at += len(chunk)
        return chunk


@pytest.mark.parametrize("can_seek", [False, True])
@pytest.mark.parametrize("good", [0, 1_200_000])
@pytest.mark.parametrize("raised", [OSError(5, "Input/output error"), None])
async def test_a_disk_that_fails_raises_an_error_of_ours(
    emulator: Emulator, async_local: AsyncScripe, can_seek: bool, good: int, raised: OSError | None
) -> None:
    says = "Input/output error" if raised else "None"
    with pytest.raises(UploadError, match=says) as caught:
        await async_local.sources.ingest(
            Failing(good, raised, can_seek=can_seek),
            project_id=emulator.project_id,
            content_type="text/plain",
        )
    assert isinstance(caught.value, OSError)
    assert emulator.count("sources") == emulator.count("jobs") == 0
    assert (await async_local.sources.create_text(project_id=emulator.project_id, text="On.")).is_ready


async def test_a_file_object_that_gives_more_than_was_asked_for_is_refused(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    class Generous(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return WORDS if size else b""

    with pytest.raises(UploadError, match=r"1,320,000 .* 4 "):
        await async_client.uploads.put(link(server), Generous(b"0123"))


async def test_a_file_that_may_not_be_read_is_refused(async_client: AsyncScripe, tmp_path: Path) -> None:
    loop = tmp_path / "loop.txt"
    loop.symlink_to(loop)
    with pytest.raises(InvalidArgumentError, match=r"loop\.txt"):
        await async_client.uploads.upload_file(loop)


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize("cap", [1, 1_048_576, 1_048_577])
async def test_exactly_at_the_cap_and_one_above(emulator: Emulator, cap: int, beyond: int) -> None:
    async with emulator.async_client() as client:
        upload = await client.uploads.create(content_type="text/plain", max_size_bytes=cap)
        file = b"x" * (cap + beyond)
        if beyond:
            with pytest.raises(UploadTooLargeError):
                await client.uploads.put(upload, file)
            assert not [request for request in emulator.requests if request.method == "PUT"]
        else:
            await client.uploads.put(upload, file)
            assert bytes_of(emulator) == [str(cap).encode()]


async def test_the_cap_of_a_real_storage(bucket: S3Storage) -> None:
    with Emulator(storage=bucket, job_speed=1000) as emulator, emulator.serve() as served:
        async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
            for size in (1, 1_048_576, 1_048_577):
                await client.uploads.upload_file(b"x" * size, content_type="text/plain")
            upload = await client.uploads.create(content_type="text/plain")
            await client.uploads.put(upload, WORDS)
            job = await client.sources.create_file(project_id=emulator.project_id, upload_id=upload.id)
            assert (await client.jobs.wait(job)).is_succeeded


async def test_a_web_page_instead_of_storages_response_is_not_taken_for_success(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    portal = Reply(200, b"<html>Welcome to the airport</html>")
    server.script(portal)
    with pytest.raises(UploadError, match="200") as caught:
        await async_client.uploads.put(link(server), b"Words.")
    assert caught.value.retryable
    server.script(portal, Reply(200))
    await async_client.uploads.put(link(server), b"Words.")
    assert len(server.received) == 3 + 2


async def test_other_bytes_in_storage_make_no_source(server: ScriptedServer) -> None:
    """A proxy changes the bytes."""

    def change_etag(exchange: Exchange) -> None:
        head, mark, body = exchange.forward().partition(b"\r\n\r\n")
        lines = [
            b'ETag: "%032x"' % 1 if line.lower().startswith(b"etag") else line for line in head.split(b"\r\n")
        ]
        exchange.send(b"\r\n".join(lines) + mark + body)

    with Emulator(job_speed=1000) as emulator, emulator.serve() as served:
        with FaultProxy(address(served.base_url)) as proxy:
            proxy.meet(change_etag, times=ALWAYS, spares=lambda exchange: exchange.method != b"PUT")
            async with AsyncScripe(served.api_key, base_url=proxy.base_url) as client:
                with pytest.raises(UploadIntegrityError, match="MD5"):
                    await client.sources.ingest(
                        WORDS, project_id=emulator.project_id, content_type="text/plain"
                    )
        assert emulator.count("sources") == emulator.count("jobs") == 0


NAMES = st.text(st.characters(blacklist_characters="/\0", codec="utf-8"), min_size=1, max_size=40)


class Named(io.BytesIO):
    name = ""


async def test_a_name_of_any_unicode_goes_up(emulator: Emulator, async_local: AsyncScripe) -> None:
    names: list[tuple[str, str | None]] = []
    samples: list[str] = []

    @settings(max_examples=15, deadline=None, derandomize=True)
    @given(NAMES)
    def collect(name: str) -> None:
        samples.append(name)

    collect()
    extremes = ["🎙️ שלום ‮gpj", "e\u0301", "a" * 250, "\"';--", "line\nbreak", "\ud83c half", "C:\\talk"]
    for name in [*samples, *extremes]:
        file = Named(b"Words.")
        file.name = f"{name}.txt"
        source = await async_local.sources.ingest(file, project_id=emulator.project_id)
        names.append((name, source.name))
        assert source.is_ready
    assert len(names) == emulator.count("sources")
    for name, kept in names:
        if name.isprintable() and "\\" not in name and name == name.strip():
            assert kept == f"{name}.txt", ascii(name)


async def test_a_file_that_is_gone_before_the_next_attempt_ends_the_upload(
    server: ScriptedServer, tmp_path: Path
) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(WORDS)

    def vanish(request: Received) -> Reply:
        path.unlink(missing_ok=True)
        return Reply(500)

    server.script(vanish)
    async with AsyncScripe(KEY, base_url=server.base_url) as client:
        set_clock(client, AsyncSleeplessClock())
        with pytest.raises(ScripeError, match=r"words\.txt"):
            await client.uploads.put(link(server), path)
    assert len(server.received) == 1
