"""The recipes, each in both worlds, against the emulator."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from fastapi.testclient import TestClient

from examples.recipes import (
    export_posts_to_csv,
    fastapi_service,
    fill_knowledge_base,
    nightly_under_spend_cap,
    podcast_to_drafts,
    transcript_to_scheduled_post,
)
from scripe import AsyncScripe, Scripe
from scripe.emulator import Emulator

FILES = Path(__file__).parents[1] / "examples" / "files"
WORLDS = pytest.mark.parametrize("world", ["sync", "async"])
T = TypeVar("T")


def both(
    emulator: Emulator,
    world: str,
    use: Callable[[Scripe], T],
    use_async: Callable[[AsyncScripe], Awaitable[T]],
) -> T:
    async def in_async() -> T:
        async with emulator.async_client() as aclient:
            return await use_async(aclient)

    if world == "async":
        return asyncio.run(in_async())
    with emulator.client() as client:
        return use(client)


@WORLDS
def test_a_transcript_becomes_one_scheduled_post(emulator: Emulator, world: str) -> None:
    now = datetime.now(UTC) + timedelta(days=1)
    arguments = (emulator.project_id, (FILES / "transcript.txt").read_text(), now)
    recipe = transcript_to_scheduled_post
    posts = [
        both(
            emulator,
            world,
            lambda c: recipe.schedule(c, *arguments),
            lambda c: recipe.schedule_async(c, *arguments),
        )
        for _ in range(2)
    ]
    assert posts[0].status == "scheduled"
    assert posts[0].scheduled_at is not None
    assert posts[0].scheduled_at.weekday() == 3
    assert posts[0].id == posts[1].id
    assert emulator.count("posts") == 1


@WORLDS
def test_a_podcast_becomes_three_drafts(emulator: Emulator, world: str) -> None:
    arguments = (emulator.project_id, FILES / "memo.mp3")
    recipe = podcast_to_drafts
    posts = both(
        emulator, world, lambda c: recipe.drafts(c, *arguments), lambda c: recipe.drafts_async(c, *arguments)
    )
    assert [post.status for post in posts] == ["draft"] * 3
    assert len({post.id for post in posts}) == 3


@WORLDS
def test_a_knowledge_base_is_filled(
    emulator: Emulator, world: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("transcript.txt", "report.pdf"):
        (tmp_path / name).write_bytes((FILES / name).read_bytes())
    (tmp_path / "odd.xyz").write_bytes(b"?")
    arguments = (tmp_path, "https://example.com/about", "https://youtu.be/dQw4w9WgXcQ")
    recipe = fill_knowledge_base
    jobs = both(
        emulator, world, lambda c: recipe.fill(c, *arguments), lambda c: recipe.fill_async(c, *arguments)
    )
    assert [job.type for job in jobs] == [
        "KB_INGEST_URL",
        "KB_INGEST_YOUTUBE",
        "KB_INGEST_FILE",
        "KB_INGEST_FILE",
    ]
    assert all(job.succeeded for job in jobs)
    assert "left out: " in capsys.readouterr().out


@WORLDS
def test_posts_are_exported(emulator: Emulator, world: str) -> None:
    with emulator.client() as client:
        for number in range(3):
            client.posts.create(
                project_id=emulator.project_id, title=f"Take {number}", content='Said "so",\nand left.'
            )
    file = io.StringIO()
    arguments = (emulator.project_id, file)
    recipe = export_posts_to_csv
    count = both(
        emulator, world, lambda c: recipe.export(c, *arguments), lambda c: recipe.export_async(c, *arguments)
    )
    assert count == 3
    assert file.getvalue().splitlines()[0] == "id,status,created_at,scheduled_at,title,content"
    assert file.getvalue().count('""so""') == 3


@WORLDS
def test_a_night_ends_at_the_cap(world: str) -> None:
    with Emulator(plan="ADVANCED") as emulator:
        with emulator.client() as client:
            for number in range(5):
                client.notes.create(project_id=emulator.project_id, content=f"Note {number}")
        emulator.set_spent(1988)
        recipe = nightly_under_spend_cap
        night = both(
            emulator,
            world,
            lambda c: recipe.run(c, emulator.project_id),
            lambda c: recipe.run_async(c, emulator.project_id),
        )
        assert [job.succeeded for job in night.jobs] == [True, True]
        assert night.go_on_at is not None
        assert night.go_on_at > emulator.clock.now()


@pytest.mark.parametrize("prefix", ["", "/blocking"])
def test_a_service_answers_with_the_job(emulator: Emulator, prefix: str) -> None:
    app = fastapi_service.create_app(emulator.async_client(), emulator.client())
    with TestClient(app) as service:
        where = f"{prefix}/projects/{emulator.project_id}/recordings"
        recording = (FILES / "memo.mp3").read_bytes()
        answer = service.post(where, files={"recording": ("memo.mp3", recording, "audio/mpeg")})
        assert answer.status_code == 200
        job_id = answer.json()["job_id"]
        emulator.finish(job_id)
        assert service.get(f"/jobs/{job_id}").json()["source_id"].startswith("src_")
        assert service.get("/jobs/job_unknown").status_code == 404
        empty = service.post(where, files={"recording": ("memo.mp3", b"", "audio/mpeg")})
        assert (empty.status_code, empty.json()["code"]) == (400, "wrong_input")
