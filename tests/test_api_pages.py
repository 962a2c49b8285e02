"""Hold the SDK against the API's own pages: `tests/api_pages/` has their examples and lists of words as printed there.

The examples, served word for word, become the right attributes in both clients; the words are those of the vocabulary.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NotRequired, TypeAlias, TypedDict, cast, get_args

import pytest

from scripe import AsyncScripe, Job, Scripe, Source, _vocabulary, types
from scripe.types import Page
from tests.conftest import KEY
from tests.support.server import Reply, ScriptedServer

PAGES = Path(__file__).parent / "api_pages"
CREATED = datetime(2026, 5, 15, 8, 21, tzinfo=UTC)


def served(server: ScriptedServer, name: str) -> dict[str, object]:
    body = (PAGES / f"{name}.json").read_bytes()
    server.script(Reply(200, body, {"Content-Type": "application/json"}))
    return cast("dict[str, object]", json.loads(body))


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[Scripe]:
    with Scripe(KEY, base_url=server.base_url) as made:
        yield made


def test_a_source_of_the_reference_page(client: Scripe, server: ScriptedServer) -> None:
    shown = served(server, "source_reference")
    source = client.sources.create_text(project_id="proj_a1b2c3d4e5f6g7h8", text="<string>", name="<string>")
    assert source.id == "src_a1b2c3d4e5f6g7h8"
    assert source.status == "Done"
    assert source.is_ready
    assert source.duration_seconds == 123
    assert source.created_at == datetime(2023, 11, 7, 5, 31, 56, tzinfo=UTC)
    (topic,) = source.topics
    assert topic.id == "tpc_a1b2c3d4e5f6g7h8"
    assert topic.key_takeaways == ["<string>"]
    assert topic.from_seconds == 123
    assert topic.hooks is not None
    assert (topic.hooks[0].id, topic.hooks[0].post_type) == ("hk_a1b2c3d4e5f6g7h8", "<string>")
    dumped = source.model_dump(by_alias=True, mode="json", exclude_unset=True)
    assert dumped == json.loads(json.dumps(shown["data"]).replace("56Z", "56.000Z"))
    asked = cast("dict[str, object]", json.loads((PAGES / "source_request.json").read_text()))
    assert server.received[0].json() == {"type": "text", **asked}


def test_a_source_of_the_guide(client: Scripe, server: ScriptedServer) -> None:
    shown = served(server, "source_guide")
    source = client.sources.retrieve("src_01J9ZA…")
    assert source.id == "src_01J9ZA…"
    assert source.project_id == "proj_01J9ZA…"
    assert source.name == "founder-podcast-2026-05-15.m4a"
    assert source.file_type == "audio/mp4"
    assert source.duration_seconds == 482
    assert source.created_at == CREATED
    assert source.text_preview_truncated
    assert source.has_full_text
    assert source.is_ready
    assert source.model_dump(by_alias=True, mode="json", exclude_unset=True) == shown["data"]


def test_c2_a_text_source_is_ready_at_once(client: Scripe, server: ScriptedServer) -> None:
    shown = served(server, "source_text")
    source = client.sources.create_text(project_id="proj_1", text="Today we shipped the new pricing model…")
    assert source.status == "Success"
    assert source.is_ready
    assert source.file_type is None
    assert source.updated_at is None
    assert source.model_dump(by_alias=True, mode="json", exclude_unset=True) == shown["data"]


def test_a_file_source_is_a_job_first(client: Scripe, server: ScriptedServer) -> None:
    shown = served(server, "source_file_job")
    job = client.sources.create_file(project_id="proj_1", upload_id="upl_acme_workspace_random_id_xxx")
    assert job.type == "SOURCE_INGEST_FILE"
    assert job.status == "QUEUED"
    assert job.estimated_completion_ms == 240_000
    assert not job.is_finished
    assert job.model_dump(by_alias=True, mode="json", exclude_unset=True) == shown["data"]


def test_c1_a_job_that_is_completed() -> None:
    """The page shows only a part of this object: the rest is that of the job before."""
    part = json.loads((PAGES / "job_completed.json").read_text().replace(",\n  ...", ""))
    whole = json.loads((PAGES / "source_file_job.json").read_text())["data"]
    job = Job.model_validate({**whole, **part})
    assert (job.is_succeeded, job.is_finished) == (True, True)
    assert job.result is not None
    assert job.result.source_id == "src_01J9ZA…"


def test_a_list_of_jobs(client: Scripe, server: ScriptedServer) -> None:
    shown = served(server, "jobs_list")
    (page,) = client.jobs.list(type=["POST_GENERATION"], status=["DONE", "FAILED"], page_size=20).pages()
    assert server.received[0].target == "/v1/jobs?limit=20&type=POST_GENERATION&status=DONE%2CFAILED"
    assert (page.has_more, page.next_cursor) == (False, None)
    (job,) = page.data
    assert job.result is not None
    assert job.is_succeeded
    assert job.result.post_id == "post_01J9ZA…"
    assert job.attempt_count == 1
    assert page.model_dump(by_alias=True, mode="json", exclude_unset=True) == shown


def test_a_running_job(client: Scripe, server: ScriptedServer) -> None:
    shown = served(server, "job_running")
    job = client.jobs.retrieve("job_01J9ZA…")
    assert job.progress is not None
    assert job.status == "RUNNING"
    assert job.progress.progress == 0.4
    assert job.progress.message == "Generating post"
    assert job.model_dump(by_alias=True, mode="json", exclude_unset=True) == shown["data"]


def test_a_cancelled_job(client: Scripe, server: ScriptedServer) -> None:
    served(server, "job_cancelled")
    job = client.jobs.cancel("job_01J9ZA…")
    assert job.is_cancelled
    assert job.is_finished
    assert not job.is_succeeded
    assert (server.received[0].method, server.received[0].body) == ("POST", b"")
    assert job.completed_at == datetime(2026, 5, 15, 8, 21, 5, tzinfo=UTC)


def test_the_async_client_reads_the_same(server: ScriptedServer) -> None:
    async def read() -> tuple[Source, Page[Job]]:
        async with AsyncScripe(KEY, base_url=server.base_url) as aclient:
            served(server, "source_guide")
            source = await aclient.sources.retrieve("src_1")
            served(server, "jobs_list")
            return source, await anext(aclient.jobs.list().pages())

    source, page = asyncio.run(read())
    served(server, "source_guide")
    with Scripe(KEY, base_url=server.base_url) as client:
        assert client.sources.retrieve("src_1") == source
    assert page.data[0].is_succeeded


Words: TypeAlias = list[str] | dict[str, int]


class Entry(TypedDict):
    pages: list[str]
    words: Words
    guessed: NotRequired[Words]


VOCABULARY = cast("dict[str, Entry]", json.loads((PAGES / "vocabulary.json").read_text()))


def entries(words: object) -> list[str]:
    if isinstance(words, dict):
        return [f"{code} {status}" for code, status in cast("dict[str, int]", words).items()]
    return [words] if isinstance(words, str) else [*cast("list[str]", words)]


@pytest.mark.parametrize("name", VOCABULARY)
def test_the_words_are_those_of_the_pages(name: str) -> None:
    entry, value = VOCABULARY[name], getattr(_vocabulary, name)
    expected = [*entries(entry["words"]), *entries(entry.get("guessed", []))]
    assert sorted(get_args(value) or entries(value)) == sorted(expected)
    assert entry["pages"]


def test_every_word_of_the_vocabulary_has_its_page() -> None:
    words = {name for name in vars(_vocabulary) if name[0].isalpha()}
    assert words - {"Final", "Literal", "TypeAlias"} == set(VOCABULARY)


@pytest.mark.parametrize(
    "name",
    [
        "ContentType",
        "JobStatus",
        "JobType",
        "Plan",
        "PostStatus",
        "ProjectStatus",
        "ProjectType",
        "Scope",
        "SourceStatus",
        "WebhookEvent",
    ],
)
def test_public_types_name_the_words_and_take_any_other_text(name: str) -> None:
    assert get_args(getattr(types, name)) == (getattr(_vocabulary, name), str)
