"""All resources against the emulator: a call reads what another one wrote."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from scripe import (
    AsyncScripe,
    BadRequestError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    ScopeMissingError,
    SpendCapExceededError,
    UnprocessableEntityError,
)
from scripe.emulator import Emulator

pytestmark = pytest.mark.anyio

FILES = Path(__file__).parents[2] / "examples" / "files"


async def test_workspaces_and_health(emulator: Emulator, async_local: AsyncScripe) -> None:
    me = await async_local.workspaces.me()
    assert [workspace.id async for workspace in async_local.workspaces.list()] == [me.workspace.id]
    assert (await async_local.health.check()).is_ok
    auth = await async_local.health.auth()
    assert auth.workspace is not None
    assert auth.workspace.id == me.workspace.id


async def test_notes(emulator: Emulator, async_local: AsyncScripe) -> None:
    project = emulator.project_id
    created = [
        await async_local.notes.create(
            project_id=project, content=f"Take {n}", date=emulator.clock.now() + timedelta(n)
        )
        for n in range(5)
    ]
    assert (await async_local.notes.retrieve(created[0].id)) == created[0]
    assert created[0].slot is not None
    listed = await async_local.notes.list(project_id=project, page_size=2).to_list()
    assert {note.id for note in listed} == {note.id for note in created}
    day = (emulator.clock.now() + timedelta(3)).date()
    later = await async_local.notes.list(project_id=project, date_from=day).to_list()
    assert {note.id for note in later} == {note.id for note in created[3:]}
    with pytest.raises(NotFoundError):
        await async_local.notes.list(project_id="proj_unknown").first()
    with pytest.raises(NotFoundError):
        await async_local.notes.retrieve("note_unknown")


async def test_posts_and_their_schedule(emulator: Emulator, async_local: AsyncScripe) -> None:
    project, tomorrow = emulator.project_id, emulator.clock.now() + timedelta(days=1)
    post = await async_local.posts.create(project_id=project, content="Words.", title="A title")
    assert post.status == "draft"
    post = await async_local.posts.update(post.id, scheduled_for=tomorrow)
    assert post.status == "scheduled"
    assert post.scheduled_at is not None
    post = await async_local.posts.update(post.id, title="Another")
    assert (post.status, post.title) == ("scheduled", "Another")
    post = await async_local.posts.update(post.id, scheduled_for=None)
    assert (post.status, post.scheduled_at) == ("draft", None)
    await async_local.posts.update(post.id, scheduled_for=tomorrow)
    emulator.clock.advance(timedelta(days=1, seconds=1))
    assert (await async_local.posts.retrieve(post.id)).status == "published"
    assert [
        published.id async for published in async_local.posts.list(project_id=project, status=["published"])
    ] == [post.id]
    with pytest.raises(UnprocessableEntityError):
        await async_local.posts.create(project_id=project, scheduled_for=tomorrow)
    with pytest.raises(BadRequestError):
        await async_local.posts.list(project_id=project, status=["no such status"]).first()


async def test_nothing_is_scheduled_without_linkedin(emulator: Emulator, async_local: AsyncScripe) -> None:
    project = emulator.project_id
    post = await async_local.posts.create(project_id=project)
    emulator.connect_linkedin(project, connected=False)
    with pytest.raises(ConflictError):
        await async_local.posts.update(
            post.id, scheduled_for=emulator.clock.now() + timedelta(1), title="New"
        )
    assert await async_local.posts.retrieve(post.id) == post


async def test_statuses_of_posts(emulator: Emulator, async_local: AsyncScripe) -> None:
    statuses = await async_local.post_statuses.list().to_list()
    assert statuses
    post = await async_local.posts.create(project_id=emulator.project_id)
    await async_local.posts.update(post.id, status_id=statuses[1].id)
    with pytest.raises((InvalidRequestError, NotFoundError)):
        await async_local.posts.update(post.id, status_id="st_unknown")


async def test_a_generation_from_text_or_note(emulator: Emulator, async_local: AsyncScripe) -> None:
    project, tomorrow = emulator.project_id, emulator.clock.now() + timedelta(days=1)
    draft = await async_local.posts.generate_and_wait(project_id=project, text="Nobody buys features.")
    assert draft.status == "draft"
    assert draft.content
    note = await async_local.notes.create(project_id=project, content="A calmer Tuesday.")
    planned = await async_local.posts.generate_and_wait(
        project_id=project, note_id=note.id, scheduled_for=tomorrow, language="de"
    )
    assert planned.status == "scheduled"
    generations = [request for request in emulator.requests if request.path == "/posts/generations"]
    assert len(generations) == 2
    assert not [request for request in emulator.requests if request.path.startswith("/jobs")]
    with pytest.raises(NotFoundError):
        await async_local.posts.generate(project_id=project, note_id="note_unknown")


async def test_a_lost_response_makes_one_of_each(emulator: Emulator, async_local: AsyncScripe) -> None:
    project = emulator.project_id
    for trial in range(40):
        emulator.drop_next()
        await async_local.notes.create(project_id=project, content=f"Take {trial}")
        emulator.drop_next()
        post = await async_local.posts.create(project_id=project, content=f"Take {trial}")
        emulator.drop_next()
        await async_local.posts.update(post.id, title=f"Take {trial}")
        emulator.drop_next()
        await async_local.webhook_endpoints.create(
            name=f"Take {trial}", url="https://example.com/hook", events=["post.created"]
        )
    assert [emulator.count(table) for table in ("notes", "posts", "webhook_endpoints")] == [40, 40, 40]


async def test_a_lost_response_makes_one_job_and_a_lost_cancel_cancels_it() -> None:
    with Emulator(job_speed=0) as still:
        async with still.async_client() as client:
            for trial in range(20):
                still.drop_next()
                await client.posts.generate(project_id=still.project_id, text=f"Take {trial}")
                still.drop_next()
                job = await client.knowledge.create_text(text=f"Take {trial}", name="Take")
                still.drop_next(path=f"/jobs/{job.id}")
                assert (await client.jobs.cancel(job.id)).is_cancelled
        assert still.count("jobs") == 40


async def test_knowledge(emulator: Emulator, async_local: AsyncScripe) -> None:
    knowledge = async_local.knowledge
    submitted = [
        await knowledge.create_text(text="Words.", name="Words", project_id=emulator.project_id),
        await knowledge.create_url(url="https://example.com/about"),
        await knowledge.create_youtube(url="https://youtu.be/x", name="A talk"),
    ]
    done = await async_local.jobs.wait_all(submitted)
    assert [job.type for job in done] == ["KB_INGEST_TEXT", "KB_INGEST_URL", "KB_INGEST_YOUTUBE"]
    assert [job.project_id for job in done] == [emulator.project_id, None, None]
    stages: list[str] = []
    job = await knowledge.ingest(
        FILES / "report.pdf", on_progress=lambda progress: stages.append(progress.stage)
    )
    assert job.result is not None
    assert str(job.result.document_id).startswith("kb_")
    assert (stages[0], stages[-1]) == ("uploading", "done")


async def test_webhook_endpoints(emulator: Emulator, async_local: AsyncScripe) -> None:
    hooks = async_local.webhook_endpoints
    created = await hooks.create(
        name="Newsroom", url="https://example.com/hook", events=["post.created", "job.failed"]
    )
    assert created.secret is not None
    assert created.secret.startswith("whsec_")
    assert (await hooks.retrieve(created.id)).secret is None
    changed = await hooks.update(created.id, is_active=False, events=["note.created"])
    assert not changed.is_active
    assert changed.events == ["note.created"]
    assert changed.name == "Newsroom"
    rotated = await hooks.rotate_secret(created.id)
    assert rotated.secret not in (None, created.secret)
    with pytest.raises(InvalidRequestError):
        await hooks.create(name="Inside", url="https://127.0.0.1/hook", events=["post.created"])
    with pytest.raises(BadRequestError):
        await hooks.update(created.id, events=["no.such.event"])


async def test_the_cap_counts_all_work(emulator: Emulator, async_local: AsyncScripe) -> None:
    emulator.set_spend(4999)
    with pytest.raises(SpendCapExceededError):
        await async_local.posts.generate(project_id=emulator.project_id, text="Words.")
    emulator.clock.advance(timedelta(days=1))
    await async_local.posts.generate(project_id=emulator.project_id, text="Words.")


async def test_each_resource_wants_its_scope(emulator: Emulator) -> None:
    async with emulator.async_client(emulator.create_key([])) as client:
        project = emulator.project_id
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: client.notes.create(project_id=project),
            lambda: client.notes.list(project_id=project).first(),
            lambda: client.posts.create(project_id=project),
            lambda: client.posts.list(project_id=project).first(),
            lambda: client.posts.generate(project_id=project, text="Words."),
            lambda: client.knowledge.create_text(text="Words.", name="Words"),
            lambda: client.webhook_endpoints.retrieve("whe_1"),
        ]
        for call in calls:
            with pytest.raises(ScopeMissingError) as caught:
                await call()
            assert caught.value.required
