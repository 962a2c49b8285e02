"""The number of requests of each high-level operation: a change that sends more must say so here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from scripe import AsyncScripe
from scripe.emulator import Emulator

pytestmark = pytest.mark.anyio

WORDS = b"Nobody buys features. " * 40
Work: TypeAlias = Callable[[AsyncScripe, Emulator], Awaitable[object]]


async def _upload(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.uploads.upload_file(WORDS, content_type="text/plain")


async def _ingest(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.sources.ingest(WORDS, content_type="text/plain", project_id=emulator.project_id)


async def _know(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.knowledge.ingest(WORDS, content_type="text/plain", name="Voice")


async def _generate(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.posts.generate_and_wait(project_id=emulator.project_id, text="Words.")


async def _wait_for_finished_job(client: AsyncScripe, emulator: Emulator) -> object:
    (job_id,) = emulator.seed(jobs=1, job_status="DONE").job_ids
    return await client.jobs.wait(job_id)


async def _wait_for_many(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.jobs.wait_all(emulator.seed(jobs=1000, job_status="DONE").job_ids)


async def _walk(client: AsyncScripe, emulator: Emulator) -> object:
    emulator.seed(jobs=1000)
    return await client.jobs.list().to_list()


async def _first(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.projects.list().first()


@pytest.mark.parametrize(
    ("work", "sent"),
    [
        (_upload, ["POST /uploads", "PUT"]),
        (_ingest, ["POST /uploads", "PUT", "POST /sources", "GET /jobs", "GET /sources"]),
        (_know, ["POST /uploads", "PUT", "POST /knowledge", "GET /jobs"]),
        (_generate, ["POST /posts/generations", "GET /posts"]),
        (_wait_for_finished_job, ["GET /jobs"]),
        (_wait_for_many, ["GET /jobs"] * 5),
        (_walk, ["GET /jobs"] * 5),
        (_first, ["GET /projects"]),
    ],
)
async def test_requests(work: Work, sent: list[str]) -> None:
    with Emulator(job_speed=1000) as emulator:
        async with emulator.async_client() as client:
            await work(client, emulator)
        assert [_name_of(request.method, request.path) for request in emulator.requests] == sent


def _name_of(method: str, path: str) -> str:
    if method == "PUT":
        return method
    return f"{method} {'/'.join(part for part in path.split('/') if '_' not in part)}"
