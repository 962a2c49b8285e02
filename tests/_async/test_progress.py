"""`show_progress=True`: bars in a terminal or a notebook, beside the caller's callback."""

from __future__ import annotations

import pytest

from scripe import AsyncScripe, InvalidArgumentError, Job, JobFailedError, Progress
from scripe.emulator import Emulator
from tests.display.terminal import BrokenTerminal, watched

pytestmark = pytest.mark.anyio


async def test_a_file_has_a_bar_for_each_stage_and_the_callback_hears_all_of_it(
    async_local: AsyncScripe, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = watched(monkeypatch)
    updates: list[Progress] = []

    async def hear(progress: Progress) -> None:
        updates.append(progress)

    source = await async_local.sources.ingest(
        b"text" * 300,
        content_type="text/plain",
        project_id=emulator.project_id,
        on_progress=hear,
        show_progress=True,
    )
    assert source.is_ready
    assert {progress.stage for progress in updates} == {"uploading", "queued", "running", "done"}
    for text in ("file", "✓ Upload", "1.2 kB of 1.2 kB", "✓ Queue", "✓ Processing"):
        assert text in terminal.text


async def test_calls_that_take_progress(
    async_local: AsyncScripe, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = watched(monkeypatch)
    project_id = emulator.project_id
    upload = await async_local.uploads.upload_file(b"text", content_type="text/plain", show_progress=True)
    await async_local.sources.create_file_and_wait(
        project_id=project_id, upload_id=upload.id, show_progress=True
    )
    assert "SOURCE_INGEST_FILE job_" in terminal.text
    await async_local.knowledge.ingest(b"text", name="Notes", content_type="text/plain", show_progress=True)
    upload = await async_local.uploads.create(content_type="text/plain")
    await async_local.uploads.put(upload, b"text", show_progress=True)
    assert terminal.text.count("✓ Upload") >= 3
    await async_local.posts.generate_and_wait(project_id=project_id, text="On bars", show_progress=True)
    assert "New post" in terminal.text


async def test_a_wait_shows_the_job_from_its_state_on(
    async_local: AsyncScripe, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = watched(monkeypatch)
    job = await async_local.posts.generate(project_id=emulator.project_id, text="On bars")
    updates: list[Job] = []
    await async_local.jobs.wait(job.id, show_progress=True, on_update=updates.append)
    assert f"{job.id}" in terminal.text
    assert "✓ Processing" in terminal.text
    assert updates[-1].is_succeeded


async def test_a_wait_for_many_counts_them(
    async_local: AsyncScripe, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = watched(monkeypatch)
    texts = ["One", "Two", "Three"]
    jobs = [await async_local.posts.generate(project_id=emulator.project_id, text=text) for text in texts]
    emulator.fail(jobs[1].id)
    finished = await async_local.jobs.wait_all([jobs[0], *(job.id for job in jobs[1:])], show_progress=True)
    assert [job.is_succeeded for job in finished] == [True, False, True]
    assert "3 jobs" in terminal.text
    assert "3 of 3, 1 failed or cancelled" in terminal.text


async def test_work_that_fails_says_where(
    async_local: AsyncScripe, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = watched(monkeypatch)
    job = await async_local.posts.generate(project_id=emulator.project_id, text="On bars")
    emulator.fail(job.id)
    with pytest.raises(JobFailedError):
        await async_local.jobs.wait(job, show_progress=True)
    assert "✗ Queue" in terminal.text


async def test_no_bars_are_shown_in_a_pipe(
    async_local: AsyncScripe, emulator: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    project_id = emulator.project_id
    await async_local.sources.ingest(
        b"text", content_type="text/plain", project_id=project_id, show_progress=True
    )
    assert capfd.readouterr() == ("", "")


async def test_a_terminal_that_goes_away_stops_nothing(
    async_local: AsyncScripe, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(monkeypatch, BrokenTerminal())
    project_id = emulator.project_id
    source = await async_local.sources.ingest(
        b"text", content_type="text/plain", project_id=project_id, show_progress=True
    )
    assert source.is_ready


async def test_a_callback_in_its_place_is_an_error(async_local: AsyncScripe) -> None:
    with pytest.raises(InvalidArgumentError, match="show_progress"):
        await async_local.jobs.wait("job_1", show_progress=print)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
