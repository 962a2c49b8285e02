"""Uploads: every type of input, every response of storage, and never a part of a file."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import httpx
import httpx2
import pytest

from scripe import (
    APIConnectionError,
    APITimeoutError,
    AsyncScripe,
    ConfigurationError,
    IdempotencyConflictError,
    InvalidArgumentError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    Progress,
    ScripeError,
    SpendCapExceededError,
    Upload,
    UploadError,
    UploadExpiredError,
    UploadIntegrityError,
    UploadTooLargeError,
)
from scripe.emulator import Emulator
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import BREAK, Received, Reply, ScriptedServer, json_reply

pytestmark = pytest.mark.anyio

WORDS = b"Words worth keeping.\n" * 10


def link(server: ScriptedServer, **fields: object) -> Upload:
    url = f"{server.origin}/bucket/key?X-Amz-Signature=c0ffee"
    return Upload.model_validate(shapes.upload(url, **fields))


def complaint(status: int, code: str, message: str = "told so") -> Reply:
    xml = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Reply(status, xml.encode(), {"Content-Type": "application/xml"})


STORED = Reply(200, headers={"ETag": f'"{hashlib.md5(WORDS).hexdigest()}"'})


async def test_just_what_the_link_was_signed_for_is_sent(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(STORED)
    await async_client.uploads.put(link(server), WORDS)
    (request,) = server.received
    assert (request.method, request.target) == ("PUT", "/bucket/key?X-Amz-Signature=c0ffee")
    assert request.headers == {
        "host": server.origin.removeprefix("http://"),
        "content-type": "text/plain",
        "content-length": str(len(WORDS)),
    }
    assert request.body == WORDS


async def test_a_path_bytes_and_file_objects(
    async_client: AsyncScripe, server: ScriptedServer, tmp_path: Path
) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(WORDS)
    server.script(STORED)
    read, write = os.pipe()
    os.write(write, WORDS)
    os.close(write)
    standing = io.BytesIO(b"skipped" + WORDS)
    standing.seek(7)
    with path.open("rb") as opened, os.fdopen(read, "rb") as pipe:
        for file in (path, str(path), WORDS, opened, standing, pipe):
            await async_client.uploads.put(link(server), file)
    assert server.bodies() == {WORDS}


async def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(
    async_client: AsyncScripe, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "odd.xyz").write_bytes(WORDS)
    with pytest.raises(InvalidArgumentError, match=r"missing\.txt") as missing:
        await async_client.uploads.upload_file(tmp_path / "missing.txt")
    assert isinstance(missing.value, FileNotFoundError)
    with pytest.raises(InvalidArgumentError) as directory:
        await async_client.uploads.upload_file(tmp_path)
    assert isinstance(directory.value, IsADirectoryError)
    with pytest.raises(InvalidArgumentError, match=r"empty\.txt"):
        await async_client.uploads.upload_file(tmp_path / "empty.txt")
    for untold in (tmp_path / "odd.xyz", WORDS, io.BytesIO(WORDS)):
        with pytest.raises(InvalidArgumentError, match="content_type="):
            await async_client.uploads.upload_file(untold)
    with pytest.raises(InvalidArgumentError, match="content_type"):
        await async_client.uploads.upload_file(WORDS, content_type="text")
    with pytest.raises(InvalidArgumentError, match="max_size_bytes"):
        await async_client.uploads.create(content_type="text/plain", max_size_bytes=0)
    with pytest.raises(InvalidArgumentError, match="project_id"):
        await async_client.sources.ingest(WORDS, project_id="", content_type="text/plain")
    assert server.received == []


async def test_c17_a_file_over_the_returned_cap_is_not_sent(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    with pytest.raises(UploadTooLargeError, match="209"):
        await async_client.uploads.put(link(server, maxSizeBytes=len(WORDS) - 1), WORDS)
    assert server.received == []
    server.script(STORED)
    await async_client.uploads.put(link(server, maxSizeBytes=len(WORDS)), WORDS)


async def test_plain_http_to_another_machine_is_refused(async_client: AsyncScripe) -> None:
    url = "http://storage.example/key?X-Amz-Signature=c0ffee"
    with pytest.raises(ConfigurationError, match="upload_url"):
        await async_client.uploads.put(Upload.model_validate(shapes.upload(url)), WORDS)


@pytest.mark.parametrize(
    "fault",
    [
        BREAK,
        Reply(500),
        complaint(503, "SlowDown"),
        complaint(400, "IncompleteBody"),
        complaint(400, "RequestTimeout"),
        Reply(200, b"half an answer", cut=3),
    ],
)
async def test_passing_faults_send_the_whole_file_again(
    async_client: AsyncScripe, server: ScriptedServer, fault: Reply
) -> None:
    server.script(fault, STORED)
    await async_client.uploads.put(link(server), WORDS)
    assert [request.body for request in server.received] == [WORDS, WORDS]


async def test_an_upload_cut_midway_is_sent_again_from_its_first_byte(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock
) -> None:
    large = os.urandom(3_000_000)
    with ScriptedServer(BREAK, body_limit=1_000_000) as cutting:
        with pytest.raises(APIConnectionError, match=r"\b3 attempts"):
            await async_client.uploads.put(link(cutting, maxSizeBytes=len(large)), large)
        assert len(cutting.received) == 3


@pytest.mark.parametrize(
    ("reply", "error_class"),
    [
        (complaint(403, "AccessDenied", "Request has expired"), UploadExpiredError),
        (complaint(400, "ExpiredToken"), UploadExpiredError),
        (complaint(403, "RequestExpired"), UploadExpiredError),
        (complaint(412, "PreconditionFailed"), UploadExpiredError),
        (complaint(400, "EntityTooLarge"), UploadTooLargeError),
        (Reply(413), UploadTooLargeError),
        (complaint(400, "BadDigest"), UploadIntegrityError),
        (complaint(403, "SignatureDoesNotMatch"), UploadError),
        (complaint(404, "NoSuchBucket"), UploadError),
        (Reply(302, headers={"Location": "https://elsewhere/"}), UploadError),
        (Reply(403, b"<html>"), UploadError),
    ],
)
async def test_rejections_raise_by_their_code(
    async_client: AsyncScripe, server: ScriptedServer, reply: Reply, error_class: type[UploadError]
) -> None:
    server.script(reply)
    with pytest.raises(UploadError) as caught:
        await async_client.uploads.put(link(server), WORDS)
    assert isinstance(caught.value, error_class)
    assert caught.value.status_code == reply.status
    assert (caught.value.storage_code is None) == (b"<Code>" not in reply.body)
    assert "c0ffee" not in str(caught.value)
    assert len(server.received) == 1


async def test_any_refusal_after_the_links_time_counts_as_expired(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(complaint(403, "AccessDenied"))
    with pytest.raises(UploadExpiredError):
        await async_client.uploads.put(link(server, expiresAt="2020-01-01T00:00:00.000Z"), WORDS)


async def test_other_bytes_than_were_sent_are_noticed(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    other = f'"{"0" * 32}"'
    server.script(Reply(200, headers={"ETag": other}))
    with pytest.raises(UploadIntegrityError, match="MD5"):
        await async_client.uploads.put(link(server), WORDS)
    for name in ("x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm"):
        server.script(Reply(200, headers={"ETag": other, name: "aws:kms"}))
        await async_client.uploads.put(link(server), WORDS)
    server.script(Reply(200, headers={"ETag": '"abc-2"'}))
    await async_client.uploads.put(link(server), WORDS)


async def test_a_file_that_changes_while_it_is_sent_is_noticed(
    async_client: AsyncScripe, server: ScriptedServer, tmp_path: Path
) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(WORDS)

    def touch(request: Received) -> Reply:
        path.write_bytes(WORDS + b"more")
        return STORED

    server.script(touch)
    with pytest.raises(UploadIntegrityError):
        await async_client.uploads.put(link(server), path)


async def test_progress_is_reported(async_client: AsyncScripe, server: ScriptedServer) -> None:
    large = bytes(2_500_000)
    updates: list[Progress] = []
    server.script(Reply(200))
    await async_client.uploads.put(link(server, maxSizeBytes=len(large)), large, on_progress=updates.append)
    assert [progress.bytes_sent for progress in updates] == [1_048_576, 2_097_152, 2_500_000]
    assert updates[-1] == Progress("uploading", 1.0, 2_500_000, 2_500_000)


async def test_what_a_callback_raises_reaches_the_caller_unchanged(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """Even an error that looks like a network failure; the client works afterwards."""
    server.script(STORED)
    for mine in (ConnectionError("mine"), httpx.ReadError("mine"), httpx2.ReadError("mine")):

        def stop(progress: Progress, mine: Exception = mine) -> None:
            raise mine

        with pytest.raises(type(mine), match="mine"):
            await async_client.uploads.put(link(server), WORDS, on_progress=stop)
        await async_client.uploads.put(link(server), WORDS)


async def test_a_deadline_ends_an_upload(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    def slow_reply(request: Received) -> Reply:
        async_clock.skip(100)
        return Reply(200, b"slow", pace=0.01)

    server.script(slow_reply)
    with pytest.raises(APITimeoutError):
        await async_client.with_options(total_timeout=50, max_retries=0).uploads.put(link(server), WORDS)


async def test_a_slow_storage_times_out(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(Reply(200, hold=0.3))
    with pytest.raises(APITimeoutError):
        await async_client.with_options(timeout=0.05, max_retries=0).uploads.put(link(server), WORDS)


async def test_an_expired_link_is_replaced_with_a_new_key(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    mints: list[str | None] = []

    def reply(request: Received) -> Reply:
        if request.method == "PUT":
            return complaint(403, "AccessDenied", "Request has expired") if len(mints) == 1 else STORED
        mints.append(request.headers.get("idempotency-key"))
        return json_reply({"data": shapes.upload(f"{server.origin}/k", id=f"upl_{len(mints)}")})

    server.script(reply)
    upload = await async_client.uploads.upload_file(WORDS, content_type="text/plain", idempotency_key="mine")
    assert upload.id == "upl_2"
    assert len({*mints, "mine", None}) == 4


async def test_links_that_keep_expiring_end_the_upload(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    def reply(request: Received) -> Reply:
        minted = json_reply({"data": shapes.upload(f"{server.origin}/k")})
        return minted if request.method == "POST" else complaint(400, "ExpiredToken")

    server.script(reply)
    with pytest.raises(UploadExpiredError) as caught:
        await async_client.uploads.upload_file(WORDS, content_type="text/plain", idempotency_key="mine")
    assert caught.value.idempotency_key == "mine"
    assert len(server.received) == 6


async def test_a_file_becomes_a_source(emulator: Emulator, async_local: AsyncScripe, tmp_path: Path) -> None:
    path = tmp_path / "Grüße 🎉.txt"
    path.write_bytes(WORDS)
    updates: list[Progress] = []
    source = await async_local.sources.ingest(
        path, project_id=emulator.project_id, on_progress=updates.append
    )
    assert source.is_ready
    assert source.text_preview == WORDS.decode()
    assert source.name == "Grüße 🎉.txt"
    stages = [progress.stage for progress in updates]
    assert sorted(set(stages), key=stages.index) == ["uploading", "queued", "running", "done"]


async def test_all_steps_one_by_one(emulator: Emulator, async_local: AsyncScripe) -> None:
    upload = await async_local.uploads.create(content_type="text/plain")
    await async_local.uploads.put(upload, WORDS)
    source = await async_local.sources.create_file_and_wait(
        project_id=emulator.project_id, upload_id=upload.id, name="Steps"
    )
    assert (source.name, source.is_ready) == ("Steps", True)


async def test_a_rerun_with_the_same_key_ends_at_the_same_job(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    project = emulator.project_id
    first = await async_local.sources.ingest(
        WORDS, project_id=project, content_type="text/plain", name="Notes", idempotency_key="run-1"
    )
    again = await async_local.sources.ingest(
        WORDS, project_id=project, content_type="text/plain", name="Notes", idempotency_key="run-1"
    )
    assert again.id == first.id
    assert (emulator.count("jobs"), emulator.count("uploads")) == (1, 1)
    writes = [request for request in emulator.requests if request.method == "POST"]
    keys = {
        path: {request.headers["idempotency-key"] for request in writes if request.path == path}
        for path in ("/uploads", "/sources")
    }
    assert keys["/sources"] == {"run-1"}
    assert len(keys["/uploads"]) == 1
    assert keys["/uploads"] != keys["/sources"]


async def test_a_rerun_after_a_lost_response_of_storage_ends_at_the_same_job(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    """All bytes were sent once, and storage takes a file whole or not at all: a used link means that it is stored."""
    emulator.drop_next(path="/_storage")
    for _ in range(2):
        await async_local.sources.ingest(
            WORDS, project_id=emulator.project_id, content_type="text/plain", idempotency_key="run-1"
        )
    assert (emulator.count("jobs"), emulator.count("uploads"), emulator.count("sources")) == (1, 1, 1)


OTHERS = pytest.mark.parametrize("other", [WORDS + b"More.", WORDS.swapcase()], ids=["longer", "as long"])


@OTHERS
async def test_another_content_under_the_same_key_conflicts(
    emulator: Emulator, async_local: AsyncScripe, other: bytes
) -> None:
    """It does not silently return the source, or the document, of the first."""
    project = emulator.project_id
    await async_local.sources.ingest(
        WORDS, project_id=project, content_type="text/plain", idempotency_key="run-1"
    )
    with pytest.raises(IdempotencyConflictError) as caught:
        await async_local.sources.ingest(
            other, project_id=project, content_type="text/plain", idempotency_key="run-1"
        )
    assert caught.value.idempotency_key == "run-1"
    assert emulator.count("sources") == 1
    first = await async_local.knowledge.ingest(WORDS, name="a.txt", idempotency_key="run-1")
    with pytest.raises(IdempotencyConflictError):
        await async_local.knowledge.ingest(other, name="a.txt", idempotency_key="run-1")
    assert (await async_local.knowledge.ingest(WORDS, name="a.txt", idempotency_key="run-1")).id == first.id


@OTHERS
async def test_another_content_under_the_same_key_is_another_upload(
    emulator: Emulator, async_local: AsyncScripe, other: bytes
) -> None:
    """It does not silently return the upload of the first."""
    uploads = [
        await async_local.uploads.upload_file(file, content_type="text/plain", idempotency_key="key")
        for file in (WORDS, other, WORDS, other)
    ]
    assert [upload.id for upload in uploads] == [upload.id for upload in uploads[:2]] * 2
    assert emulator.count("uploads") == 2
    for upload, content in zip(uploads, (WORDS, other), strict=False):
        source = await async_local.sources.create_file_and_wait(
            project_id=emulator.project_id, upload_id=upload.id
        )
        assert source.text_preview == content.decode()


async def test_another_content_under_a_key_whose_link_was_not_used_yet_is_another_upload(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    """The first run ended after creating its link, before sending its file."""

    def stop(progress: Progress) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await async_local.uploads.upload_file(
            WORDS, content_type="text/plain", idempotency_key="key", on_progress=stop
        )
    other = await async_local.uploads.upload_file(
        WORDS.swapcase(), content_type="text/plain", idempotency_key="key"
    )
    first = await async_local.uploads.upload_file(WORDS, content_type="text/plain", idempotency_key="key")
    assert first.id != other.id
    assert emulator.count("uploads") == 2


class Counting(io.BytesIO):
    """A file that counts the bytes read from it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self.count += len(block)
        return block


@pytest.mark.parametrize(("idempotency_key", "times"), [(None, 1), ("key", 2)])
async def test_a_file_is_read_twice_for_a_key_of_the_callers_alone(
    emulator: Emulator, async_local: AsyncScripe, idempotency_key: str | None, times: int
) -> None:
    large = Counting(WORDS * 10_000)
    await async_local.uploads.upload_file(large, content_type="text/plain", idempotency_key=idempotency_key)
    assert large.count == len(WORDS) * 10_000 * times


async def test_a_file_that_is_read_for_its_key_is_bounded_by_the_deadline(
    emulator: Emulator, async_client: AsyncScripe, async_clock: AsyncSleeplessClock
) -> None:
    class Slow(Counting):
        def read(self, size: int | None = -1, /) -> bytes:
            async_clock.skip(10)
            return super().read(size)

    file = Slow(WORDS * 100_000)
    with pytest.raises(APITimeoutError, match="50 s") as caught:
        await async_client.with_options(total_timeout=50).uploads.upload_file(
            file, content_type="text/plain", idempotency_key="key"
        )
    assert caught.value.idempotency_key == "key"
    assert file.count < len(WORDS) * 100_000


async def test_bytes_that_are_not_those_of_the_key_never_arrive_whole(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    """Otherwise a second run with the first content would find a used link, and take its content for stored."""

    class Changing(io.BytesIO):
        readings = 0

        def read(self, size: int | None = -1, /) -> bytes:
            block = super().read(size)
            return block.swapcase() if self.readings > 2 else block

        def seek(self, offset: int, whence: int = 0, /) -> int:
            self.readings += not whence
            return super().seek(offset, whence)

    with pytest.raises(UploadIntegrityError):
        await async_local.uploads.upload_file(
            Changing(WORDS), content_type="text/plain", idempotency_key="key"
        )
    source = await async_local.sources.create_file_and_wait(
        project_id=emulator.project_id,
        upload_id=(
            await async_local.uploads.upload_file(WORDS, content_type="text/plain", idempotency_key="key")
        ).id,
    )
    assert source.text_preview == WORDS.decode()
    assert emulator.count("uploads") == 1


async def test_a_rerun_after_the_links_life_conflicts(emulator: Emulator, async_local: AsyncScripe) -> None:
    """It does not create a second source."""
    project = emulator.project_id
    await async_local.sources.ingest(
        WORDS, project_id=project, content_type="text/plain", idempotency_key="run-1"
    )
    emulator.clock.advance(3600)
    with pytest.raises(IdempotencyConflictError):
        await async_local.sources.ingest(
            WORDS, project_id=project, content_type="text/plain", idempotency_key="run-1"
        )
    assert emulator.count("sources") == 1


async def test_a_failed_run_can_be_gone_on_with(emulator: Emulator, async_local: AsyncScripe) -> None:
    """Its error has the idempotency key of the whole operation."""
    project = emulator.project_id
    emulator.fail_next(500, times=3, path="/sources")
    with pytest.raises(ScripeError) as caught:
        await async_local.sources.ingest(WORDS, project_id=project, content_type="text/plain")
    idempotency_key = caught.value.idempotency_key
    assert idempotency_key is not None
    await async_local.sources.ingest(
        WORDS, project_id=project, content_type="text/plain", idempotency_key=idempotency_key
    )
    assert (emulator.count("uploads"), emulator.count("jobs"), emulator.count("sources")) == (1, 1, 1)


async def test_a_run_whose_source_was_made_unheard_can_be_gone_on_with_and_only_with_its_file(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    """The generated key of its error holds a digest of the content."""
    project = emulator.project_id
    emulator.drop_next(times=3, path="/sources")
    with pytest.raises(APIConnectionError) as caught:
        await async_local.sources.ingest(WORDS, project_id=project, content_type="text/plain")
    idempotency_key = caught.value.idempotency_key
    with pytest.raises(IdempotencyConflictError):
        await async_local.sources.ingest(
            WORDS.swapcase(), project_id=project, content_type="text/plain", idempotency_key=idempotency_key
        )
    source = await async_local.sources.ingest(
        WORDS, project_id=project, content_type="text/plain", idempotency_key=idempotency_key
    )
    assert source.text_preview == WORDS.decode()
    assert (emulator.count("jobs"), emulator.count("sources")) == (1, 1)


async def test_lost_responses_at_every_step_make_one_source(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    for path in ("/uploads", "/_storage", "/sources", "/jobs"):
        emulator.drop_next(path=path)
        await async_local.sources.ingest(WORDS, project_id=emulator.project_id, content_type="text/plain")
    assert emulator.count("sources") == emulator.count("jobs") == 4


async def test_a_file_that_cannot_be_read_fails_with_the_job(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    with pytest.raises(JobFailedError) as caught:
        await async_local.sources.ingest(
            b"no PDF", project_id=emulator.project_id, content_type="application/pdf"
        )
    assert caught.value.job.error_code
    assert caught.value.idempotency_key
    assert emulator.count("sources") == 0


async def test_the_daily_cap_stops_an_ingest() -> None:
    with Emulator(plan="ADVANCED", source_cents=1500) as small:
        async with small.async_client() as client:
            await client.sources.ingest(WORDS, project_id=small.project_id, content_type="text/plain")
            with pytest.raises(SpendCapExceededError) as caught:
                await client.sources.ingest(WORDS, project_id=small.project_id, content_type="text/plain")
            assert (caught.value.cap_cents, caught.value.spent_cents, caught.value.estimate_cents) == (
                2000,
                1500,
                1500,
            )
            assert caught.value.resets_at is not None
            assert caught.value.resets_at > small.clock.now()


async def test_an_ingest_that_takes_too_long_can_be_waited_for_again() -> None:
    with Emulator(job_speed=0) as still:
        async with still.async_client() as client:
            with pytest.raises(JobTimeoutError) as caught:
                await client.sources.ingest(
                    WORDS, project_id=still.project_id, content_type="text/plain", timeout=20
                )
            (job,) = caught.value.jobs
            still.finish(job.id)
            assert (await client.jobs.wait(job)).is_succeeded


async def test_an_upload_of_another_workspace_is_unknown(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    with pytest.raises(NotFoundError):
        await async_local.sources.create_file(
            project_id=emulator.project_id, upload_id="upl_of_somebody_else"
        )
