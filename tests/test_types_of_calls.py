"""The static types of all calls: checked by mypy and pyright, and run against the emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import assert_type

from scripe import AsyncPager, AsyncScripe, Job, Page, Pager, Project, ResponseInfo, Scripe, Source, Upload
from scripe.emulator import Emulator
from scripe.types import (
    JSON,
    CurrentWorkspace,
    Health,
    HealthAuth,
    Note,
    Post,
    WebhookEndpoint,
    Workspace,
    WorkspacePostStatus,
)

WORDS = b"Words."


def use(client: Scripe, project_id: str) -> None:
    assert_type(client.health.check(), Health)
    assert_type(client.health.auth(), HealthAuth)
    assert_type(client.workspaces.me(), CurrentWorkspace)
    assert_type(client.projects.list(), Pager[Project])
    assert_type(client.projects.retrieve(project_id), Project)
    text = client.sources.create_text(project_id=project_id, text="Words.", name=None, idempotency_key="a")
    assert_type(text, Source)
    assert_type(text.last_response, ResponseInfo)
    assert_type(client.sources.retrieve(text.id), Source)
    upload = client.uploads.create(content_type="text/plain", max_size_bytes=100)
    assert_type(upload, Upload)
    assert_type(client.uploads.put(upload, WORDS, on_progress=print), None)
    assert_type(client.uploads.upload_file(WORDS, content_type="text/plain"), Upload)
    job = client.sources.create_file(project_id=project_id, upload_id=upload.id)
    assert_type(job, Job)
    assert_type(client.jobs.wait(job, timeout=60, on_update=print), Job)
    assert_type(client.jobs.wait_all([job, job.id]), list[Job])
    assert_type(client.jobs.as_completed([job]), Iterator[Job])
    assert_type(client.jobs.retrieve(job.id), Job)
    created = client.sources.create_file_and_wait(project_id=project_id, upload_id=upload.id)
    assert_type(created, Source)
    assert_type(client.sources.ingest(WORDS, project_id=project_id, content_type="text/plain"), Source)
    jobs = client.jobs.list(
        type=["SOURCE_INGEST_FILE"], status=["DONE"], date_from=date(2026, 1, 1), page_size=2
    )
    assert_type(jobs, Pager[Job])
    assert_type(jobs.pages(), Iterator[Page[Job]])
    assert_type(jobs.to_list(max_items=1), list[Job])
    assert_type(jobs.first(), Job | None)
    assert_type(next(iter(jobs)), Job)
    assert_type(client.request("GET", "/projects", params={"limit": 1}), JSON)
    assert_type(client.request("GET", f"/projects/{project_id}", returns=Project), Project)
    assert_type(client.with_options(timeout=5, total_timeout=None, max_retries=0), Scripe)


def write(client: Scripe, project_id: str) -> None:
    assert_type(client.workspaces.list(), Pager[Workspace])
    note = client.notes.create(project_id=project_id, content="Words.")
    assert_type(note, Note)
    assert_type(client.notes.retrieve(note.id), Note)
    assert_type(client.notes.list(project_id=project_id), Pager[Note])
    post = client.posts.create(project_id=project_id, content="Words.", content_type="PERSONAL")
    assert_type(post, Post)
    assert_type(client.posts.retrieve(post.id), Post)
    assert_type(client.posts.list(project_id=project_id, status=["draft"]), Pager[Post])
    assert_type(client.posts.update(post.id, title="T", scheduled_for=None), Post)
    assert_type(client.posts.generate(project_id=project_id, text="Words."), Job)
    assert_type(client.posts.generate_and_wait(project_id=project_id, note_id=note.id), Post)
    assert_type(client.post_statuses.list(), Pager[WorkspacePostStatus])
    assert_type(client.knowledge.create_text(text="Words.", name="Words"), Job)
    assert_type(client.knowledge.create_url(url="https://example.com/"), Job)
    assert_type(client.knowledge.create_youtube(url="https://youtu.be/x"), Job)
    assert_type(client.knowledge.ingest(WORDS, name="Words", content_type="text/plain"), Job)
    hook = client.webhook_endpoints.create(name="N", url="https://example.com/", events=["post.created"])
    assert_type(hook, WebhookEndpoint)
    assert_type(client.webhook_endpoints.retrieve(hook.id), WebhookEndpoint)
    assert_type(client.webhook_endpoints.update(hook.id, is_active=False), WebhookEndpoint)
    assert_type(client.webhook_endpoints.rotate_secret(hook.id), WebhookEndpoint)


async def use_async(client: AsyncScripe, project_id: str) -> None:
    assert_type(await client.health.check(), Health)
    assert_type(await client.health.auth(), HealthAuth)
    assert_type(await client.workspaces.me(), CurrentWorkspace)
    assert_type(client.projects.list(), AsyncPager[Project])
    assert_type(await client.projects.retrieve(project_id), Project)
    text = await client.sources.create_text(
        project_id=project_id, text="Words.", name=None, idempotency_key="b"
    )
    assert_type(text, Source)
    assert_type(await client.sources.retrieve(text.id), Source)
    upload = await client.uploads.create(content_type="text/plain", max_size_bytes=100)
    assert_type(upload, Upload)
    assert_type(await client.uploads.put(upload, WORDS, on_progress=print), None)
    assert_type(await client.uploads.upload_file(WORDS, content_type="text/plain"), Upload)
    job = await client.sources.create_file(project_id=project_id, upload_id=upload.id)
    assert_type(job, Job)
    assert_type(await client.jobs.wait(job, timeout=60, on_update=print), Job)
    assert_type(await client.jobs.wait_all([job, job.id]), list[Job])
    assert_type(client.jobs.as_completed([job]), AsyncIterator[Job])
    assert_type(await client.jobs.retrieve(job.id), Job)
    created = await client.sources.create_file_and_wait(project_id=project_id, upload_id=upload.id)
    assert_type(created, Source)
    assert_type(await client.sources.ingest(WORDS, project_id=project_id, content_type="text/plain"), Source)
    jobs = client.jobs.list(
        type=["SOURCE_INGEST_FILE"], status=["DONE"], date_from=date(2026, 1, 1), page_size=2
    )
    assert_type(jobs, AsyncPager[Job])
    assert_type(jobs.pages(), AsyncIterator[Page[Job]])
    assert_type(await jobs.to_list(max_items=1), list[Job])
    assert_type(await jobs.first(), Job | None)
    assert_type(await anext(aiter(jobs)), Job)
    assert_type(await client.request("GET", "/projects", params={"limit": 1}), JSON)
    assert_type(await client.request("GET", f"/projects/{project_id}", returns=Project), Project)
    assert_type(client.with_options(timeout=5, total_timeout=None, max_retries=0), AsyncScripe)


async def write_async(client: AsyncScripe, project_id: str) -> None:
    assert_type(client.workspaces.list(), AsyncPager[Workspace])
    note = await client.notes.create(project_id=project_id, content="Words.")
    assert_type(note, Note)
    assert_type(await client.notes.retrieve(note.id), Note)
    assert_type(client.notes.list(project_id=project_id), AsyncPager[Note])
    post = await client.posts.create(project_id=project_id, content="Words.", content_type="PERSONAL")
    assert_type(post, Post)
    assert_type(await client.posts.retrieve(post.id), Post)
    assert_type(client.posts.list(project_id=project_id, status=["draft"]), AsyncPager[Post])
    assert_type(await client.posts.update(post.id, title="T", scheduled_for=None), Post)
    assert_type(await client.posts.generate(project_id=project_id, text="Words."), Job)
    assert_type(await client.posts.generate_and_wait(project_id=project_id, note_id=note.id), Post)
    assert_type(client.post_statuses.list(), AsyncPager[WorkspacePostStatus])
    assert_type(await client.knowledge.create_text(text="Words.", name="Words"), Job)
    assert_type(await client.knowledge.create_url(url="https://example.com/"), Job)
    assert_type(await client.knowledge.create_youtube(url="https://youtu.be/x"), Job)
    assert_type(await client.knowledge.ingest(WORDS, name="Words", content_type="text/plain"), Job)
    hook = await client.webhook_endpoints.create(
        name="N", url="https://example.com/", events=["post.created"]
    )
    assert_type(hook, WebhookEndpoint)
    assert_type(await client.webhook_endpoints.retrieve(hook.id), WebhookEndpoint)
    assert_type(await client.webhook_endpoints.update(hook.id, is_active=False), WebhookEndpoint)
    assert_type(await client.webhook_endpoints.rotate_secret(hook.id), WebhookEndpoint)


def test_a_program_that_uses_all_of_it(emulator: Emulator) -> None:
    with emulator.client() as client:
        use(client, emulator.project_id)
        write(client, emulator.project_id)

    async def use_all() -> None:
        async with emulator.async_client() as aclient:
            await use_async(aclient, emulator.project_id)
            await write_async(aclient, emulator.project_id)

    asyncio.run(use_all())
    assert emulator.count("sources") == 8
