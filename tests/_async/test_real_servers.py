"""Over real sockets: the emulator on a port, and a real S3 behind its uploads."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from scripe import APITimeoutError, AsyncScripe, UploadError, UploadExpiredError
from scripe.emulator import Emulator, S3Storage

pytestmark = pytest.mark.anyio

FILES = Path(__file__).parents[2] / "examples" / "files"


@pytest.mark.parametrize("name", ["transcript.txt", "report.pdf", "letter.docx", "memo.mp3"])
async def test_real_files_through_a_real_s3(bucket: S3Storage, name: str) -> None:
    with Emulator(storage=bucket, job_speed=50) as emulator, emulator.serve() as served:
        async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
            source = await client.sources.ingest(FILES / name, project_id=emulator.project_id)
    assert source.is_ready
    assert source.name == name
    assert (source.duration_seconds > 10) == name.endswith(".mp3")
    assert len(source.text_preview) > 50


async def test_a_real_s3_refuses_another_type(bucket: S3Storage) -> None:
    with Emulator(storage=bucket) as emulator, emulator.serve() as served:
        async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
            upload = await client.uploads.create(content_type="text/plain")
            with pytest.raises(UploadError) as caught:
                await client.uploads.put(upload.model_copy(update={"content_type": "audio/mpeg"}), b"Words.")
            assert caught.value.storage_code == "SignatureDoesNotMatch"
            await client.uploads.put(upload, b"Words.")


async def test_a_link_that_expired_at_a_real_s3_is_replaced(bucket: S3Storage) -> None:
    """The second link must live long enough for a slow machine to use it."""
    with Emulator(storage=bucket, upload_lifetime=3) as emulator, emulator.serve() as served:
        async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
            upload = await client.uploads.create(content_type="text/plain", idempotency_key="mine")
            time.sleep(4.1)  # noqa: ASYNC251 - the link's life is by the clock of S3
            with pytest.raises(UploadExpiredError):
                await client.uploads.put(upload, b"Words.")
            fresh = await client.uploads.upload_file(
                b"Words.", content_type="text/plain", idempotency_key="mine"
            )
    assert fresh.id != upload.id


async def test_dropped_responses_on_a_real_connection(emulator: Emulator) -> None:
    with emulator.serve() as served:
        async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
            for trial in range(3):
                emulator.drop_next()
                await client.sources.create_text(project_id=emulator.project_id, text=f"Take {trial}")
            emulator.drop_next(path="/_storage")
            await client.uploads.upload_file(os.urandom(3_000_000), content_type="audio/mpeg")
    assert emulator.count("sources") == 3


async def test_a_delayed_response_meets_the_deadline(emulator: Emulator) -> None:
    with emulator.serve() as served:
        async with AsyncScripe(
            served.api_key, base_url=served.base_url, total_timeout=0.2, max_retries=0
        ) as client:
            emulator.delay_next(0.6)
            with pytest.raises(APITimeoutError):
                await client.workspaces.me()


@pytest.mark.parametrize("backend", ["httpx", "httpx2"])
async def test_the_emulator_is_a_transport_for_either_backend(emulator: Emulator, backend: str) -> None:
    import httpx
    import httpx2

    module = {"httpx": httpx, "httpx2": httpx2}[backend]
    async with (
        module.AsyncClient(transport=emulator.transport()) as http_client,
        AsyncScripe(
            emulator.api_key, base_url="http://emulator.localhost/v1", http_client=http_client
        ) as client,
    ):
        emulator.drop_next()
        assert (await client.workspaces.me()).last_response.attempts == 2
        emulator.delay_next(5)
        with pytest.raises(APITimeoutError):
            await client.with_options(timeout=0.05, max_retries=0).workspaces.me()
        await client.uploads.upload_file(b"Words.", content_type="text/plain")
