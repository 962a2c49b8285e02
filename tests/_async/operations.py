"""The calls of the fault matrix: what each needs, and the records that it creates on the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from scripe import AsyncScripe

WORDS = b"Nobody buys features. " * 400


@dataclass(frozen=True)
class Place:
    """The records that are ready on the server."""

    project_id: str
    source_id: str
    note_id: str
    post_id: str
    upload_id: str
    endpoint_id: str
    job_id: str


@dataclass(frozen=True)
class AsyncOperation:
    """One call of the client.

    Attributes:
        name: what the report calls it.
        call: makes it, with an idempotency key of ours where the API takes one; the id of what it made, if anything.
        makes: the kinds of records of which it makes one each.
        has_key: whether the API takes a key.
        requests: how many requests it takes when all is well.
        repeats: whether all of its requests may be sent again, so that it survives a fault that passes.
        is_patient: whether it needs jobs that stand still.
        is_held: whether the server may hold its answer back, so that silence says nothing.

    """

    name: str
    call: Callable[[AsyncScripe, Place, str], Awaitable[object]]
    makes: tuple[str, ...] = ()
    has_key: bool = False
    requests: int = 1
    repeats: bool = True
    is_patient: bool = False
    is_held: bool = False


async def _health(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.health.check()).is_ok


async def _auth(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.health.auth()).status


async def _workspaces(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return [workspace.id async for workspace in client.workspaces.list()]


async def _project(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.projects.retrieve(place.project_id)).id


async def _notes(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return [note.id async for note in client.notes.list(project_id=place.project_id)]


async def _note(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.notes.retrieve(place.note_id)).id


async def _posts(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return [post.id async for post in client.posts.list(project_id=place.project_id)]


async def _post(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.posts.retrieve(place.post_id)).id


async def _statuses(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return [status.id async for status in client.post_statuses.list()]


async def _endpoint(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.webhook_endpoints.retrieve(place.endpoint_id)).id


async def _me(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.workspaces.me()).workspace.id


async def _projects(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return [project.id async for project in client.projects.list()]


async def _jobs(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    ids = [job.id for job in await client.jobs.list(page_size=2).to_list(max_items=3)]
    assert len(set(ids)) == 3, ids
    return ids


async def _source(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.sources.retrieve(place.source_id)).id


async def _create_text(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    source = await client.sources.create_text(
        project_id=place.project_id,
        text="A calmer Tuesday.",
        name="Stand-up",
        idempotency_key=idempotency_key,
    )
    return source.id


async def _create_upload(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.uploads.create(content_type="audio/mpeg", idempotency_key=idempotency_key)).id


async def _upload_file(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (
        await client.uploads.upload_file(WORDS, content_type="text/plain", idempotency_key=idempotency_key)
    ).id


async def _create_file(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    job = await client.sources.create_file(
        project_id=place.project_id, upload_id=place.upload_id, idempotency_key=idempotency_key
    )
    return job.id


async def _ingest(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    source = await client.sources.ingest(
        WORDS, project_id=place.project_id, content_type="text/plain", idempotency_key=idempotency_key
    )
    assert source.is_ready
    return source.id


async def _job(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.jobs.retrieve(place.job_id)).id


async def _wait(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.jobs.wait(place.job_id)).id


async def _wait_all(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    ids = [job.id for job in await client.jobs.list(page_size=3).to_list(max_items=3)]
    finished = await client.jobs.wait_all(ids)
    assert [job.id for job in finished] == ids
    return ids


async def _cancel(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    job = await client.jobs.cancel(place.job_id)
    assert job.is_cancelled
    return job.id


async def _create_note(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    note = await client.notes.create(
        project_id=place.project_id, content="Nobody buys features.", idempotency_key=idempotency_key
    )
    return note.id


async def _create_post(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    post = await client.posts.create(
        project_id=place.project_id, content="Words.", idempotency_key=idempotency_key
    )
    return post.id


async def _update_post(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    post = await client.posts.update(
        place.post_id, title=f"Title {idempotency_key}", idempotency_key=idempotency_key
    )
    assert post.title == f"Title {idempotency_key}"
    return post.id


async def _generate(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    job = await client.posts.generate(
        project_id=place.project_id, text="Words.", idempotency_key=idempotency_key
    )
    return job.id


async def _generate_and_wait(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    post = await client.posts.generate_and_wait(
        project_id=place.project_id, text="Words.", idempotency_key=idempotency_key
    )
    return post.id


async def _know_text(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    job = await client.knowledge.create_text(
        name="Voice", text="We are calm.", idempotency_key=idempotency_key
    )
    return job.id


async def _know_file(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    job = await client.knowledge.ingest(
        WORDS, name="Voice", content_type="text/plain", idempotency_key=idempotency_key
    )
    return job.id


async def _create_endpoint(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    endpoint = await client.webhook_endpoints.create(
        url="https://example.com/hook",
        events=["post.created"],
        name="Newsroom",
        idempotency_key=idempotency_key,
    )
    return endpoint.id


async def _update_endpoint(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.webhook_endpoints.update(place.endpoint_id, is_active=False)).id


async def _rotate(client: AsyncScripe, place: Place, idempotency_key: str) -> object:
    return (await client.webhook_endpoints.rotate_secret(place.endpoint_id)).id


OPERATIONS = (
    AsyncOperation("health.check", _health),
    AsyncOperation("health.auth", _auth),
    AsyncOperation("workspaces.me", _me),
    AsyncOperation("workspaces.list", _workspaces),
    AsyncOperation("projects.list", _projects),
    AsyncOperation("projects.retrieve", _project),
    AsyncOperation("notes.list", _notes),
    AsyncOperation("notes.retrieve", _note),
    AsyncOperation("posts.list", _posts),
    AsyncOperation("posts.retrieve", _post),
    AsyncOperation("post_statuses.list", _statuses),
    AsyncOperation("webhook_endpoints.retrieve", _endpoint),
    AsyncOperation("jobs.list", _jobs, requests=2),
    AsyncOperation("sources.retrieve", _source),
    AsyncOperation("jobs.retrieve", _job),
    AsyncOperation("jobs.wait", _wait),
    AsyncOperation("jobs.wait_all", _wait_all, requests=2),
    AsyncOperation("jobs.cancel", _cancel, is_patient=True),
    AsyncOperation("sources.create_text", _create_text, ("sources",), has_key=True),
    AsyncOperation("uploads.create", _create_upload, ("uploads",), has_key=True),
    AsyncOperation("uploads.upload_file", _upload_file, has_key=True, requests=2),
    AsyncOperation("sources.create_file", _create_file, ("jobs",), has_key=True),
    AsyncOperation("sources.ingest", _ingest, ("jobs", "sources"), has_key=True, requests=5),
    AsyncOperation("notes.create", _create_note, ("notes",), has_key=True),
    AsyncOperation("posts.create", _create_post, ("posts",), has_key=True),
    AsyncOperation("posts.update", _update_post, has_key=True),
    AsyncOperation("posts.generate", _generate, ("jobs",), has_key=True),
    AsyncOperation(
        "posts.generate_and_wait",
        _generate_and_wait,
        ("jobs", "posts"),
        has_key=True,
        requests=2,
        is_held=True,
    ),
    AsyncOperation("knowledge.create_text", _know_text, ("jobs",), has_key=True),
    AsyncOperation("knowledge.ingest", _know_file, ("jobs", "knowledge"), has_key=True, requests=4),
    AsyncOperation("webhook_endpoints.create", _create_endpoint, ("webhook_endpoints",), has_key=True),
    AsyncOperation("webhook_endpoints.update", _update_endpoint),
    AsyncOperation("webhook_endpoints.rotate_secret", _rotate, repeats=False),
)
