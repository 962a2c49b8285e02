"""A ledger makes each thing once: reruns at any time, lost responses, refusals, failed jobs, what cannot be known."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from scripe import (
    AsyncScripe,
    ClientClosedError,
    FileMissingError,
    IdempotencyConflictError,
    InvalidArgumentError,
    Job,
    JobCancelledError,
    JobFailedError,
    Ledger,
    LedgerConflictError,
    LedgerError,
    LedgerItem,
    Note,
    NotFoundError,
    PermissionDeniedError,
    Post,
    ResponseInfo,
    ScripeError,
    ServerError,
    Source,
    SpendCapExceededError,
    UnprocessableEntityError,
    UnsettledWriteError,
)
from scripe._core.ledger import Item, Unit
from scripe._core.outcome import Outcome
from scripe._http import PreparedRequest, SendOptions
from scripe._ledger import store_of
from scripe.emulator import Clock, Emulator, Request, Response

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
LATER = {
    "at once": timedelta(),
    "after 20 minutes": timedelta(minutes=20),
    "after 25 hours": 25 * HOUR,
    "after a month": timedelta(days=30),
}
each_time = pytest.mark.parametrize("pause", LATER.values(), ids=LATER)

WriteMethod = Callable[[AsyncScripe, str, Path], Awaitable[Source | Note | Post | Job]]


async def create_text(client: AsyncScripe, project_id: str, file: Path) -> Source:
    return await client.sources.create_text(project_id=project_id, text="Words.", idempotency_key="one")


async def ingest(client: AsyncScripe, project_id: str, file: Path) -> Source:
    return await client.sources.ingest(file, project_id=project_id, idempotency_key="one")


async def create_file(client: AsyncScripe, project_id: str, file: Path) -> Job:
    upload = await client.uploads.upload_file(file)
    return await client.sources.create_file(
        project_id=project_id, upload_id=upload.id, name="Episode", idempotency_key="one"
    )


async def create_file_and_wait(client: AsyncScripe, project_id: str, file: Path) -> Source:
    upload = await client.uploads.upload_file(file)
    return await client.sources.create_file_and_wait(
        project_id=project_id, upload_id=upload.id, idempotency_key="one"
    )


async def create_note(client: AsyncScripe, project_id: str, file: Path) -> Note:
    return await client.notes.create(project_id=project_id, content="Idea.", idempotency_key="one")


async def create_post(client: AsyncScripe, project_id: str, file: Path) -> Post:
    return await client.posts.create(project_id=project_id, content="Post.", idempotency_key="one")


async def generate(client: AsyncScripe, project_id: str, file: Path) -> Job:
    return await client.posts.generate(project_id=project_id, text="Words.", idempotency_key="one")


async def generate_and_wait(client: AsyncScripe, project_id: str, file: Path) -> Post:
    return await client.posts.generate_and_wait(
        project_id=project_id, text="Words.", language="de", idempotency_key="one"
    )


async def add_document(client: AsyncScripe, project_id: str, file: Path) -> Job:
    return await client.knowledge.create_text(text="Facts.", name="Facts", idempotency_key="one")


async def add_url(client: AsyncScripe, project_id: str, file: Path) -> Job:
    return await client.knowledge.create_url(url="https://example.com/", idempotency_key="one")


async def add_video(client: AsyncScripe, project_id: str, file: Path) -> Job:
    return await client.knowledge.create_youtube(url="https://example.com/", idempotency_key="one")


async def ingest_document(client: AsyncScripe, project_id: str, file: Path) -> Job:
    return await client.knowledge.ingest(file, idempotency_key="one")


METHODS: tuple[WriteMethod, ...] = (
    create_text,
    ingest,
    create_file,
    create_file_and_wait,
    create_note,
    create_post,
    generate,
    generate_and_wait,
    add_document,
    add_url,
    add_video,
    ingest_document,
)
each_method = pytest.mark.parametrize("method", METHODS)


class AsyncSeason:
    """An emulator with a frozen clock, a file to ingest, and clients with one ledger: each as of a run of its own."""

    def __init__(self, folder: Path, *, job_speed: float = 1.0) -> None:
        clock = Clock(datetime(2026, 5, 1, 9, tzinfo=UTC), frozen=True)
        self.emulator = Emulator(clock=clock, run_seconds=60, job_speed=job_speed)
        self.project_id = self.emulator.project_id
        self.path = folder / "season.db"
        self.file = folder / "episode.txt"
        self.file.write_text("What was said in the first episode.")

    def client(self, *, max_retries: int = 0) -> AsyncScripe:
        """Return a client that closes its ledger, as at the end of a program."""
        return self.emulator.async_client(ledger=self.path, max_retries=max_retries, timeout=None)

    async def call(self, method: WriteMethod, *, max_retries: int = 0) -> Source | Note | Post | Job:
        """Run a program that makes one call."""
        async with self.client(max_retries=max_retries) as client:
            return await method(client, self.project_id, self.file)

    async def fail(self, method: WriteMethod, *, max_retries: int = 0) -> ScripeError:
        """Run a program that makes one call, and return its error."""
        with pytest.raises(ScripeError) as caught:
            await self.call(method, max_retries=max_retries)
        return caught.value

    def writes(self) -> list[str]:
        """Return the idempotency keys of the writes so far, without those of upload links."""
        return [
            request.headers["idempotency-key"]
            for request in self.emulator.requests
            if request.method == "POST" and request.path != "/uploads"
        ]

    def item(self) -> LedgerItem:
        """Return what the ledger knows of the one key."""
        with Ledger(self.path) as ledger:
            item = ledger.find("one")
        assert item is not None
        return item


@pytest.fixture
def async_season(tmp_path: Path) -> AsyncSeason:
    return AsyncSeason(tmp_path)


@each_method
@each_time
async def test_a_rerun_returns_what_was_made(
    async_season: AsyncSeason, method: WriteMethod, pause: timedelta
) -> None:
    made = await async_season.call(method)
    async_season.emulator.clock.advance(pause)
    again = await async_season.call(method)
    assert again.id == made.id
    assert len(async_season.writes()) == 1
    assert async_season.item().state in ("done", "submitted")


ROUTES: dict[WriteMethod, str] = {
    create_text: "/sources",
    ingest: "/sources",
    create_file: "/sources",
    create_file_and_wait: "/sources",
    create_note: "/notes",
    create_post: "/posts",
    generate: "/posts/generations",
    generate_and_wait: "/posts/generations",
    add_document: "/knowledge",
    add_url: "/knowledge",
    add_video: "/knowledge",
    ingest_document: "/knowledge",
}
COUNTED = {
    "/sources": "jobs",
    "/notes": "notes",
    "/posts": "posts",
    "/posts/generations": "jobs",
    "/knowledge": "jobs",
}


@each_method
async def test_a_lost_response_is_replayed_to_the_next_run(
    async_season: AsyncSeason, method: WriteMethod
) -> None:
    route = ROUTES[method]
    async_season.emulator.drop_next(method="POST", path=route)
    error = await async_season.fail(method)
    assert error.may_have_arrived
    assert async_season.item().state == "sending"
    async_season.emulator.clock.advance(22 * HOUR)
    await async_season.call(method)
    first, second = async_season.emulator.assert_sent("POST", route, times=2)
    assert second.body == first.body
    assert second.replayed


async def test_a_kept_time_goes_over_the_wire_again(async_season: AsyncSeason) -> None:
    """The moment is computed from now in each run, and the API compares the bodies of two calls with one key."""

    async def schedule(client: AsyncScripe, project_id: str, file: Path) -> Post:
        return await client.posts.create(
            project_id=project_id,
            scheduled_for=async_season.emulator.clock.now() + HOUR,
            idempotency_key="one",
        )

    async_season.emulator.drop_next(method="POST", path="/posts")
    await async_season.fail(schedule)
    async_season.emulator.clock.advance(60)
    await async_season.call(schedule)
    first, second = async_season.emulator.assert_sent("POST", "/posts", times=2)
    assert second.body == first.body


async def test_the_servers_wait_goes_over_the_wire_as_it_first_was(async_season: AsyncSeason) -> None:
    """`generate` asks for none, `generate_and_wait` for 25 seconds: the API compares the bodies."""
    async_season.emulator.drop_next(method="POST", path="/posts/generations")
    await async_season.fail(generate)
    await async_season.call(generate_and_wait_for_words)
    first, second = async_season.emulator.assert_sent("POST", "/posts/generations", times=2)
    assert second.body == first.body


async def test_another_moment_returns_the_thing_and_warns(
    async_season: AsyncSeason, caplog: pytest.LogCaptureFixture
) -> None:
    async with async_season.client() as client:
        for day in (4, 5):
            post = await client.posts.create(
                project_id=async_season.project_id,
                scheduled_for=datetime(2026, 5, day, 9, tzinfo=UTC),
                idempotency_key="one",
            )
            assert post.scheduled_at == datetime(2026, 5, 4, 9, tzinfo=UTC)
    (warning,) = [record for record in caplog.records if "posts.update" in record.getMessage()]
    assert warning.levelno == logging.WARNING
    assert {"2026-05-04T09:00:00.000Z", "2026-05-05T09:00:00.000Z"} <= set(map(str, warning.args or ()))


async def test_a_replayed_write_warns_of_another_moment(
    async_season: AsyncSeason, caplog: pytest.LogCaptureFixture
) -> None:
    async_season.emulator.drop_next(method="POST", path="/posts")
    async with async_season.client() as client:
        for day, expected in ((4, pytest.raises(ScripeError)), (5, nullcontext())):
            with expected:
                await client.posts.create(
                    project_id=async_season.project_id,
                    scheduled_for=datetime(2026, 5, day, 9, tzinfo=UTC),
                    idempotency_key="one",
                )
    assert [record for record in caplog.records if "posts.update" in record.getMessage()]


async def test_an_equal_moment_in_another_zone_is_no_other(
    async_season: AsyncSeason, caplog: pytest.LogCaptureFixture
) -> None:
    async with async_season.client() as client:
        for moment in (
            datetime(2026, 5, 4, 9, tzinfo=UTC),
            datetime(2026, 5, 4, 11, tzinfo=timezone(2 * HOUR)),
        ):
            await client.posts.create(
                project_id=async_season.project_id, scheduled_for=moment, idempotency_key="one"
            )
    assert not [record for record in caplog.records if "posts.update" in record.getMessage()]


# Other arguments


@pytest.mark.parametrize(
    ("text", "language", "named"),
    [
        pytest.param("Other.", "de", ["text"], id="text"),
        pytest.param("Words.", "en", ["language"], id="language"),
        pytest.param("Other.", "en", ["language", "text"], id="both"),
    ],
)
async def test_other_arguments_are_refused_before_anything_is_sent(
    async_season: AsyncSeason, text: str, language: str, named: list[str]
) -> None:
    await async_season.call(generate_and_wait)
    async with async_season.client() as client:
        with pytest.raises(LedgerConflictError) as caught:
            await client.posts.generate(
                project_id=async_season.project_id, text=text, language=language, idempotency_key="one"
            )
    assert caught.value.idempotency_key == "one"
    assert all(name in str(caught.value) for name in [*named, "2026-05-01 09:00"])
    assert len(async_season.writes()) == 1


async def test_what_is_left_out_is_not_compared(async_season: AsyncSeason) -> None:
    async with async_season.client() as client:
        made = await client.posts.generate(
            project_id=async_season.project_id, text="Words.", language="de", idempotency_key="one"
        )
        again = await client.posts.generate(
            project_id=async_season.project_id, text="Words.", idempotency_key="one"
        )
    assert again.id == made.id


async def test_what_must_be_sent_again_may_not_be_left_out(async_season: AsyncSeason) -> None:
    """Only its digest is stored; without it, the body would be another one, and the API would refuse it."""
    async_season.emulator.drop_next(method="POST", path="/posts/generations")
    await async_season.fail(generate_and_wait)
    async with async_season.client() as client:
        with pytest.raises(LedgerConflictError, match="language"):
            await client.posts.generate_and_wait(
                project_id=async_season.project_id, text="Words.", idempotency_key="one"
            )


async def test_a_name_that_was_sent_may_not_give_way_to_a_default(async_season: AsyncSeason) -> None:
    async def ingest_by_name(client: AsyncScripe, project_id: str, file: Path) -> Source:
        return await client.sources.ingest(file, project_id=project_id, name="One", idempotency_key="one")

    async_season.emulator.drop_next(before=True, method="POST", path="/sources")
    await async_season.fail(ingest_by_name)
    assert isinstance(await async_season.fail(ingest), LedgerConflictError)
    source = await async_season.call(ingest_by_name)
    assert isinstance(source, Source)
    assert source.name == "One"


async def test_two_methods_of_one_route_are_one_thing(async_season: AsyncSeason) -> None:
    async with async_season.client() as client:
        job = await client.posts.generate(
            project_id=async_season.project_id, text="Words.", idempotency_key="one"
        )
        post = await client.posts.generate_and_wait(
            project_id=async_season.project_id, text="Words.", idempotency_key="one"
        )
        finished = await client.jobs.retrieve(job.id)
    assert finished.result is not None
    assert post.id == finished.result.post_id


async def test_two_methods_that_differ_conflict_by_name(async_season: AsyncSeason) -> None:
    await async_season.call(create_text)
    error = await async_season.fail(ingest)
    assert isinstance(error, LedgerConflictError)
    assert all(name in str(error) for name in ("sources.create_text", "sources.ingest"))


async def test_one_key_on_two_routes_is_two_things(async_season: AsyncSeason) -> None:
    await async_season.call(create_note)
    await async_season.call(create_post)
    assert (async_season.emulator.count("notes"), async_season.emulator.count("posts")) == (1, 1)
    with Ledger(async_season.path) as ledger:
        with pytest.raises(InvalidArgumentError, match="route"):
            ledger.find("one")
        note = ledger.find("one", route="POST /notes")
    assert note is not None
    assert note.method == "notes.create"


async def test_a_file_that_is_gone_is_missed_by_a_call_with_other_arguments(
    async_season: AsyncSeason,
) -> None:
    await async_season.call(ingest)
    async_season.file.unlink()
    async with async_season.client() as client:
        other = (await client.projects.list().to_list())[-1]
        with pytest.raises(LedgerConflictError, match="project_id"):
            await client.sources.ingest(async_season.file, project_id=other.id, idempotency_key="one")


async def test_another_file_is_refused(async_season: AsyncSeason) -> None:
    await async_season.call(ingest)
    async_season.file.write_text("Another recording.")
    assert "file" in str(await async_season.fail(ingest))


async def test_the_same_file_elsewhere_is_the_same(async_season: AsyncSeason) -> None:
    made = await async_season.call(ingest)
    async_season.file = async_season.file.rename(async_season.file.with_name("moved.txt"))
    assert (await async_season.call(ingest)).id == made.id


async def test_a_default_name_is_sent_again_as_it_was(async_season: AsyncSeason) -> None:
    async_season.emulator.drop_next(method="POST", path="/sources")
    await async_season.fail(ingest)
    async_season.file = async_season.file.rename(async_season.file.with_name("moved.txt"))
    source = await async_season.call(ingest)
    assert isinstance(source, Source)
    assert source.name == "episode.txt"


@pytest.mark.parametrize("method", [ingest, ingest_document])
async def test_a_file_that_is_gone_is_not_missed_once_it_is_done(
    async_season: AsyncSeason, method: WriteMethod
) -> None:
    made = await async_season.call(method)
    async_season.file.unlink()
    assert (await async_season.call(method)).id == made.id
    async_season.file = async_season.file.with_name("never.txt")
    assert isinstance(await async_season.fail(method), FileMissingError)


# Refused, failed, cancelled


async def test_after_the_spend_cap_the_same_key_makes_it(async_season: AsyncSeason) -> None:
    """Under the key itself, the API would replay the 402 for 24 hours."""
    async_season.emulator.set_spend_remaining(0)
    for _ in range(2):
        assert isinstance(await async_season.fail(ingest), SpendCapExceededError)
    async_season.emulator.clock.advance(16 * HOUR)
    source = await async_season.call(ingest)
    assert isinstance(source, Source)
    keys = async_season.writes()
    assert keys[0] == "one"
    assert len(set(keys)) == 3
    assert len(async_season.emulator.assert_sent("POST", "/uploads")) == 1  # nothing was made of the upload


async def test_after_another_refusal_even_the_same_file_is_uploaded_again(async_season: AsyncSeason) -> None:
    """Its upload may be the reason."""
    async_season.emulator.fail_next(422, method="POST", path="/sources")
    await async_season.fail(ingest)
    await async_season.call(ingest)
    async_season.emulator.assert_sent("POST", "/uploads", times=2)


async def test_after_another_refusal_the_file_is_uploaded_again(async_season: AsyncSeason) -> None:
    async_season.emulator.fail_next(422, method="POST", path="/sources")
    assert isinstance(await async_season.fail(ingest), UnprocessableEntityError)
    async_season.file.write_text("Another recording.")
    await async_season.call(ingest)
    async_season.emulator.assert_sent("POST", "/uploads", times=2)


async def test_an_upload_is_not_used_for_another_content_type(async_season: AsyncSeason) -> None:
    async_season.emulator.set_spend_remaining(0)
    async with async_season.client() as client:
        with pytest.raises(SpendCapExceededError):
            await client.sources.ingest(
                async_season.file,
                project_id=async_season.project_id,
                content_type="application/pdf",
                idempotency_key="one",
            )
    async_season.emulator.clock.advance(16 * HOUR)
    await async_season.call(ingest)
    async_season.emulator.assert_sent("POST", "/uploads", times=2)


async def test_another_file_after_the_spend_cap_is_uploaded(async_season: AsyncSeason) -> None:
    async_season.emulator.set_spend_remaining(0)
    await async_season.fail(ingest)
    async_season.file.write_text("Another recording.")
    async_season.emulator.clock.advance(16 * HOUR)
    source = await async_season.call(ingest)
    assert isinstance(source, Source)
    assert source.text_preview == "Another recording."


async def test_an_upload_is_not_used_after_23_hours(async_season: AsyncSeason) -> None:
    async_season.emulator.set_spend_remaining(0)
    await async_season.fail(ingest)
    async_season.emulator.clock.advance(23 * HOUR)
    await async_season.call(ingest)
    async_season.emulator.assert_sent("POST", "/uploads", times=2)


async def test_a_refusal_after_a_lost_response_proves_nothing(async_season: AsyncSeason) -> None:
    """The first attempt may have arrived. A 402 that is no replay says only that the second one did not."""
    async_season.emulator.drop_next(method="POST", path="/notes")
    async_season.emulator.fail_next(422, method="POST", path="/notes")
    await async_season.fail(create_note)
    await async_season.fail(create_note)
    assert async_season.item().state == "sending"
    await async_season.call(create_note)
    assert set(async_season.writes()) == {"one"}
    assert async_season.emulator.count("notes") == 1


async def test_a_replayed_refusal_proves_it(async_season: AsyncSeason) -> None:
    async_season.emulator.set_spend_remaining(0)
    async_season.emulator.drop_next(method="POST", path="/posts/generations")
    await async_season.fail(generate)
    error = await async_season.fail(generate)
    assert isinstance(error, SpendCapExceededError)
    assert error.idempotent_replayed
    assert async_season.item().state == "refused"


async def test_a_rate_limit_leaves_the_key_as_it_was(async_season: AsyncSeason) -> None:
    async_season.emulator.fail_next(429, retry_after=120, method="POST", path="/notes")
    await async_season.fail(create_note)
    assert async_season.item().state == "planned"
    await async_season.call(create_note)
    assert set(async_season.writes()) == {"one"}


async def test_a_failed_job_is_tried_again_an_hour_later_three_times_in_all(
    async_season: AsyncSeason,
) -> None:
    season = async_season
    for number in (1, 2, 3):
        job = await season.call(generate)
        season.emulator.fail(job.id, error_code="MODEL_OVERLOADED")
        error = await season.fail(generate)
        assert isinstance(error, JobFailedError)
        assert error.job.id == job.id
        assert "ledger.retry('one')" in str(error)
        assert len(season.writes()) == number
        season.emulator.clock.advance(HOUR)
    assert isinstance(await season.fail(generate), JobFailedError)
    with Ledger(season.path) as ledger:
        ledger.retry("one")
    await season.call(generate_and_wait_for_words)
    assert len(set(season.writes())) == 4


async def test_a_retry_begins_to_count_anew(async_season: AsyncSeason) -> None:
    season = async_season
    for _ in range(3):
        job = await season.call(generate)
        season.emulator.fail(job.id)
        await season.fail(generate)
        season.emulator.clock.advance(HOUR)
    with Ledger(season.path) as ledger:
        ledger.retry("one")
    job = await season.call(generate)
    season.emulator.fail(job.id)
    await season.fail(generate)
    season.emulator.clock.advance(HOUR)
    assert (await season.call(generate)).id != job.id


async def generate_and_wait_for_words(client: AsyncScripe, project_id: str, file: Path) -> Post:
    return await client.posts.generate_and_wait(project_id=project_id, text="Words.", idempotency_key="one")


async def test_a_job_that_fails_while_it_is_waited_for_is_remembered(async_season: AsyncSeason) -> None:
    async with async_season.client() as client:

        def stop(job: Job) -> None:
            if not job.is_finished:
                async_season.emulator.fail(job.id)

        with pytest.raises(JobFailedError):
            await client.posts.generate_and_wait(
                project_id=async_season.project_id, text="Words.", on_update=stop, idempotency_key="one"
            )
    assert async_season.item().state == "failed"


async def test_a_moment_that_has_passed_gives_way_to_the_new_one(async_season: AsyncSeason) -> None:
    async with async_season.client() as client:
        with pytest.raises(UnprocessableEntityError):
            await client.posts.create(
                project_id=async_season.project_id,
                scheduled_for=datetime(2026, 4, 30, tzinfo=UTC),
                idempotency_key="one",
            )
        post = await client.posts.create(
            project_id=async_season.project_id,
            scheduled_for=datetime(2026, 5, 9, tzinfo=UTC),
            idempotency_key="one",
        )
    assert post.scheduled_at == datetime(2026, 5, 9, tzinfo=UTC)


async def test_a_cancelled_job_stays_cancelled(async_season: AsyncSeason) -> None:
    async with async_season.client() as client:
        job = await generate(client, async_season.project_id, async_season.file)
        await client.jobs.cancel(job.id)
    error = await async_season.fail(generate)
    assert isinstance(error, JobCancelledError)
    assert error.job.id == job.id
    assert "ledger.retry('one')" in str(error)


# Made, but gone, forgotten or not to be read


@pytest.mark.parametrize("method", [create_note, ingest, generate_and_wait])
async def test_a_thing_that_is_gone_is_said_to_be_gone(
    async_season: AsyncSeason, method: WriteMethod
) -> None:
    made = await async_season.call(method)
    async_season.emulator.fail_next(404, method="GET", path=f"/{type(made).__name__.lower()}s/")
    error = await async_season.fail(method)
    assert isinstance(error, NotFoundError)
    assert any("ledger.retry('one')" in note for note in error.__notes__)
    assert len(async_season.writes()) == 1


async def test_a_thing_that_may_not_be_read_is_said_to_be_made(async_season: AsyncSeason) -> None:
    await async_season.call(create_note)
    async_season.emulator.fail_next(403, "scope_missing", method="GET", path="/notes/")
    error = await async_season.fail(create_note)
    assert isinstance(error, PermissionDeniedError)
    assert any("scope" in note for note in error.__notes__)


async def test_a_forgotten_job_is_returned_as_the_ledger_has_it(async_season: AsyncSeason) -> None:
    post = await async_season.call(generate_and_wait_for_words)
    async_season.emulator.fail_next(404, method="GET", path="/jobs/")
    job = await async_season.call(generate)
    assert isinstance(job, Job)
    assert job.is_succeeded
    assert job.result is not None
    assert job.result.post_id == post.id


async def test_a_forgotten_document_job_keeps_its_type(async_season: AsyncSeason) -> None:
    """It follows from the digest of an argument: nothing else of the job is stored."""
    await async_season.call(ingest_document)
    async_season.emulator.fail_next(404, method="GET", path="/jobs/")
    job = await async_season.call(ingest_document)
    assert isinstance(job, Job)
    assert job.type == "KB_INGEST_FILE"


async def test_a_document_that_was_added_is_returned_as_its_job(async_season: AsyncSeason) -> None:
    jobs = [await async_season.call(ingest_document) for _ in range(2)]
    assert [job.type for job in jobs if isinstance(job, Job)] == ["KB_INGEST_FILE"] * 2


async def test_the_end_of_many_jobs_is_remembered(async_season: AsyncSeason) -> None:
    async with async_season.client() as client:
        job = await generate(client, async_season.project_id, async_season.file)
        other = await client.posts.generate(project_id=async_season.project_id, text="No key.")
        await client.jobs.wait_all([job, other])
    assert async_season.item().state == "done"


async def test_a_forgotten_job_without_a_result_is_not_known(async_season: AsyncSeason) -> None:
    job = await async_season.call(generate)
    async_season.emulator.fail_next(404, method="GET", path="/jobs/")
    error = await async_season.fail(generate)
    assert isinstance(error, UnsettledWriteError)
    assert job.id in str(error)


async def test_a_body_that_cannot_be_read_leaves_it_open(async_season: AsyncSeason) -> None:
    async_season.emulator.fail_next(200, body=b"<html>", method="POST", path="/notes")
    await async_season.fail(create_note)
    assert async_season.item().state == "sending"


# Settling


async def lose(season: AsyncSeason, method: WriteMethod, *, arrived: bool) -> None:
    """Lose the response to a write, which was done or not, and let 25 hours pass."""
    route = ROUTES[method]
    if arrived:
        season.emulator.drop_next(method="POST", path=route)
    else:
        season.emulator.fail_next(502, body=b"Bad gateway", method="POST", path=route)
    await season.fail(method)
    season.emulator.clock.advance(25 * HOUR)
    season.emulator.clear_requests()


@pytest.mark.parametrize("method", [ingest, create_note, create_post])
async def test_what_is_equal_is_ours(async_season: AsyncSeason, method: WriteMethod) -> None:
    await lose(async_season, method, arrived=True)
    made = await async_season.call(method)
    assert async_season.writes() == []
    assert async_season.item().result_id == made.id


async def test_the_first_attempt_counts_not_the_last(async_season: AsyncSeason) -> None:
    """The API forgets the key 24 hours after its first use, however often it is sent again meanwhile."""
    async_season.emulator.drop_next(2, method="POST", path="/notes")
    await async_season.fail(create_note)
    async_season.emulator.clock.advance(22 * HOUR)
    await async_season.fail(create_note)
    async_season.emulator.clock.advance(2 * HOUR)
    async_season.emulator.clear_requests()
    await async_season.call(create_note)
    assert async_season.writes() == []
    assert async_season.emulator.count("notes") == 1


@pytest.mark.parametrize("method", [ingest, create_note, create_post, generate, add_document])
async def test_an_empty_window_proves_that_nothing_was_made(
    async_season: AsyncSeason, method: WriteMethod
) -> None:
    async_season.emulator.seed(jobs=1, start=datetime(2026, 4, 30, tzinfo=UTC))
    await lose(async_season, method, arrived=False)
    await async_season.call(method)
    (key,) = async_season.writes()
    assert key != "one"
    assert async_season.emulator.count(COUNTED[ROUTES[method]]) >= 1


@pytest.mark.parametrize("method", [ingest, generate, add_document])
async def test_an_empty_list_without_a_witness_proves_nothing(
    async_season: AsyncSeason, method: WriteMethod
) -> None:
    """The API may have forgotten the jobs of that time."""
    await lose(async_season, method, arrived=False)
    assert isinstance(await async_season.fail(method), UnsettledWriteError)
    assert async_season.writes() == []


async def test_a_later_job_of_the_day_is_no_witness(async_season: AsyncSeason) -> None:
    """An API that takes only the day of a time shows jobs that say nothing of the hours before."""
    emulator = async_season.emulator
    emulator.seed(jobs=1, start=datetime(2026, 5, 1, 20, tzinfo=UTC))
    await lose(async_season, generate, arrived=False)
    async with emulator.async_client() as client:
        jobs = json.dumps(await client.request("GET", "/jobs")).encode()

    def show_whole_day(request: Request, response: Response) -> None:
        if (
            request.path == "/jobs"
            and "dateTo=2026-05-01T" in request.url
            and "limit=1&" in f"{request.url}&"
        ):
            response.body = jobs

    emulator.add_observer(show_whole_day)
    assert isinstance(await async_season.fail(generate), UnsettledWriteError)
    assert async_season.writes() == []


@pytest.mark.parametrize("method", [generate, add_document])
async def test_a_job_of_the_window_may_be_ours_and_is_left_to_a_person(
    async_season: AsyncSeason, method: WriteMethod
) -> None:
    await lose(async_season, method, arrived=True)
    for _ in range(2):
        error = await async_season.fail(method)
        assert isinstance(error, UnsettledWriteError)
        assert len(error.candidates) == 1
        assert error.idempotency_key == "one"
        assert not error.retryable
    assert async_season.writes() == []


async def test_a_text_source_cannot_be_found(async_season: AsyncSeason) -> None:
    await lose(async_season, create_text, arrived=True)
    assert isinstance(await async_season.fail(create_text), UnsettledWriteError)


async def test_a_scheduled_post_that_is_not_there_is_left_to_a_person(async_season: AsyncSeason) -> None:
    """It may have been made, published and deleted since."""

    async def schedule(client: AsyncScripe, project_id: str, file: Path) -> Post:
        moment = datetime(2026, 7, 1, tzinfo=UTC)
        return await client.posts.create(project_id=project_id, scheduled_for=moment, idempotency_key="one")

    ROUTES[schedule] = "/posts"
    await lose(async_season, schedule, arrived=False)
    assert isinstance(await async_season.fail(schedule), UnsettledWriteError)
    assert async_season.writes() == []


async def test_an_edited_post_is_left_to_a_person(async_season: AsyncSeason) -> None:
    await lose(async_season, create_post, arrived=True)
    async with async_season.client() as client:
        (post,) = await client.posts.list(project_id=async_season.project_id).to_list()
        await client.posts.update(post.id, content="Edited.")
    error = await async_season.fail(create_post)
    assert isinstance(error, UnsettledWriteError)
    assert error.candidates == (post.id,)


async def test_a_missing_scope_proves_nothing(async_season: AsyncSeason) -> None:
    await lose(async_season, create_note, arrived=True)
    async_season.emulator.fail_next(403, "scope_missing", method="GET", path="/notes")
    assert isinstance(await async_season.fail(create_note), UnsettledWriteError)


async def test_equal_names_are_left_to_a_person(async_season: AsyncSeason) -> None:
    """Another run ingested a file of the same name at the same time, without the ledger."""
    async with async_season.emulator.async_client() as client:
        upload = await client.uploads.upload_file(async_season.file)
        await client.sources.create_file(
            project_id=async_season.project_id, upload_id=upload.id, name="episode.txt"
        )
    await lose(async_season, ingest, arrived=True)
    error = await async_season.fail(ingest)
    assert isinstance(error, UnsettledWriteError)
    assert len(error.candidates) == 2


async def test_filters_that_take_days_only_are_given_days(async_season: AsyncSeason) -> None:
    """C27: the API's pages contradict each other on whether a filter takes a time of day."""
    async_season.emulator.seed(jobs=1, start=datetime(2026, 4, 29, tzinfo=UTC))
    await lose(async_season, generate, arrived=False)
    refuse_times_of_day(async_season.emulator)
    await async_season.call(generate)
    assert len(async_season.writes()) == 1


def refuse_times_of_day(emulator: Emulator) -> None:
    """Refuse filters with a time of day, as one of the API's pages has it."""

    def refuse(request: Request, response: Response) -> None:
        if request.path == "/jobs" and any(
            "T" in request.query.get(name, "") for name in ("dateFrom", "dateTo")
        ):
            response.status = 400
            response.body = b'{"error": {"code": "invalid_request", "message": "A day, please."}}'

    emulator.add_observer(refuse)


async def test_a_source_that_is_gone_is_left_to_a_person(async_season: AsyncSeason) -> None:
    await lose(async_season, ingest, arrived=True)
    async_season.emulator.fail_next(404, method="GET", path="/sources/")
    assert isinstance(await async_season.fail(ingest), UnsettledWriteError)


async def test_a_known_job_that_is_not_listed_makes_the_list_no_proof(async_season: AsyncSeason) -> None:
    async_season.emulator.seed(jobs=1, start=datetime(2026, 4, 30, tzinfo=UTC))
    async with async_season.client() as client:
        await client.posts.generate(project_id=async_season.project_id, text="Known.", idempotency_key="two")
        (known, *_) = await client.jobs.list(type=["POST_GENERATION"]).to_list()
    await lose(async_season, generate, arrived=False)
    hide_job(async_season.emulator, known.id)
    assert isinstance(await async_season.fail(generate), UnsettledWriteError)


def hide_job(emulator: Emulator, job_id: str) -> None:
    """Leave a job out of lists, as an API would that forgets some."""

    def hide(request: Request, response: Response) -> None:
        if request.path == "/jobs":
            document = json.loads(response.body)
            document["data"] = [job for job in document["data"] if job["id"] != job_id]
            response.body = json.dumps(document).encode()

    emulator.add_observer(hide)


async def test_jobs_of_others_and_failed_ones_are_not_ours(async_season: AsyncSeason) -> None:
    """They are in the window, and of the same type."""
    async_season.emulator.seed(jobs=1, start=datetime(2026, 4, 30, tzinfo=UTC))
    async_season.emulator.fail_next(502, body=b"Bad gateway", method="POST", path="/posts/generations")
    await async_season.fail(generate)
    async with async_season.client() as client:
        other = (await client.projects.list().to_list())[-1]
        assert other.id != async_season.project_id
        await client.posts.generate(project_id=other.id, text="Theirs.")
        await client.posts.generate(project_id=async_season.project_id, text="Known.", idempotency_key="two")
        failed = await client.posts.generate(project_id=async_season.project_id, text="Failed.")
    async_season.emulator.fail(failed.id)
    async_season.emulator.clock.advance(25 * HOUR)
    async_season.emulator.clear_requests()
    await async_season.call(generate)
    assert len(async_season.writes()) == 1


async def test_two_unsettled_items_of_one_name_are_left_to_a_person(async_season: AsyncSeason) -> None:
    """One of the two has arrived, and its name does not tell which."""
    async_season.emulator.drop_next(method="POST", path="/sources")
    await async_season.fail(ingest)
    async_season.emulator.fail_next(502, body=b"Bad gateway", method="POST", path="/sources")
    async with async_season.client() as client:
        with pytest.raises(ServerError):
            await client.sources.ingest(
                b"Another.", name="episode.txt", project_id=async_season.project_id, idempotency_key="two"
            )
    async_season.emulator.clock.advance(25 * HOUR)
    assert isinstance(await async_season.fail(ingest), UnsettledWriteError)


async def test_an_equal_thing_of_another_item_is_not_ours(async_season: AsyncSeason) -> None:
    async_season.emulator.fail_next(502, body=b"Bad gateway", method="POST", path="/notes")
    await async_season.fail(create_note)
    async with async_season.client() as client:
        theirs = await client.notes.create(
            project_id=async_season.project_id, content="Idea.", idempotency_key="two"
        )
    async_season.emulator.clock.advance(25 * HOUR)
    assert (await async_season.call(create_note)).id != theirs.id
    assert async_season.emulator.count("notes") == 2


async def test_a_job_that_has_not_finished_is_looked_at_again(tmp_path: Path) -> None:
    season = AsyncSeason(tmp_path, job_speed=0)
    await lose(season, generate, arrived=True)
    error = await season.fail(generate)
    assert isinstance(error, UnsettledWriteError)
    assert season.item().state == "sending"
    season.emulator.finish(error.candidates[0])
    assert isinstance(await season.fail(generate), UnsettledWriteError)
    assert season.item().state == "unknown"
    assert season.writes() == []


async def test_a_conflict_is_settled_over_the_last_day(async_season: AsyncSeason) -> None:
    """A run without the ledger has used the key: the API knows what it was for, and the name tells it."""
    async with async_season.emulator.async_client() as client:
        made = await ingest(client, async_season.project_id, async_season.file)
    async_season.emulator.clock.advance(HOUR)
    assert (await async_season.call(ingest)).id == made.id


async def test_a_conflict_that_cannot_be_settled_is_left_to_a_person(async_season: AsyncSeason) -> None:
    async with async_season.emulator.async_client() as client:
        await client.notes.create(
            project_id=async_season.project_id, content="Another.", idempotency_key="one"
        )
    error = await async_season.fail(create_note)
    assert isinstance(error, UnsettledWriteError)
    assert isinstance(error.__cause__, IdempotencyConflictError)
    assert async_season.writes() == ["one", "one"]


async def test_a_replayed_server_error_is_settled_at_once(async_season: AsyncSeason) -> None:
    replayed = {"Idempotent-Replayed": "true"}
    async_season.emulator.fail_next(500, headers=replayed, method="POST", path="/notes")
    await async_season.call(create_note)
    assert len(set(async_season.writes())) == 2
    assert async_season.emulator.count("notes") == 1


async def test_a_retry_that_slept_through_the_day_is_not_sent(async_season: AsyncSeason) -> None:
    """A laptop is closed between two attempts. A clock that stands still meanwhile would not notice."""
    async_season.emulator.fail_next(503, method="POST", path="/notes")
    async_season.emulator.simulated_latency = 25 * 3600
    error = await async_season.fail(create_note, max_retries=2)
    assert isinstance(error, UnsettledWriteError)
    assert len(async_season.writes()) == 1


async def test_a_request_that_was_sent_after_a_sleep_is_looked_for_there(
    async_season: AsyncSeason, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop is closed just before the request leaves, and opened the day after; then the response is lost."""
    async_season.emulator.seed(jobs=1, start=datetime(2026, 4, 30, tzinfo=UTC))
    async_season.emulator.drop_next(method="POST", path="/posts/generations")
    async with async_season.client() as client:
        await client.workspaces.me()
        transport = client._sender.session.transport()  # pyright: ignore[reportPrivateUsage]
        send = transport.send

        async def sleep_and_send(request: PreparedRequest, options: SendOptions) -> Outcome:
            if request.method == "POST":
                async_season.emulator.clock.advance(25 * HOUR)
            return await send(request, options)

        monkeypatch.setattr(transport, "send", sleep_and_send)
        with pytest.raises(ScripeError):
            await generate(client, async_season.project_id, async_season.file)
    error = await async_season.fail(generate)
    assert isinstance(error, UnsettledWriteError)
    assert len(error.candidates) == 1
    assert len(async_season.writes()) == 1


# A person's word


async def test_settle_with_a_result(async_season: AsyncSeason) -> None:
    await lose(async_season, create_text, arrived=True)
    await async_season.fail(create_text)
    async with async_season.emulator.async_client() as client:
        source = await client.sources.create_text(project_id=async_season.project_id, text="Words.")
    with Ledger(async_season.path) as ledger:
        assert ledger.settle("one", result_id=source.id).state == "done"
    assert (await async_season.call(create_text)).id == source.id


async def test_settle_to_send_again(async_season: AsyncSeason) -> None:
    await lose(async_season, create_text, arrived=False)
    await async_season.fail(create_text)
    with Ledger(async_season.path) as ledger:
        ledger.settle("one", send_again=True)
    await async_season.call(create_text)
    assert len(async_season.writes()) == 1


async def test_settle_brings_in_what_was_made_before_there_was_a_ledger(async_season: AsyncSeason) -> None:
    async with async_season.emulator.async_client() as client:
        source = await client.sources.create_text(project_id=async_season.project_id, text="Before.")
    with Ledger(async_season.path) as ledger:
        ledger.settle("one", result_id=source.id)
    assert (await async_season.call(ingest)).id == source.id
    assert async_season.item().workspace_id == async_season.emulator.workspace_id


async def test_two_calls_bring_in_what_a_person_settled(
    async_season: AsyncSeason, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look for the item before either has given it to its workspace."""
    async with async_season.emulator.async_client() as client:
        note = await create_note(client, async_season.project_id, async_season.file)
    with Ledger(async_season.path) as ledger:
        ledger.settle("one", result_id=note.id)
        store = store_of(ledger)
        adopt = store.adopt

        def adopt_twice(unit: Unit) -> Item | None:
            stale = store.find(replace(unit, base_url="", workspace_id=""))
            adopt(unit)
            monkeypatch.setattr(store, "find", partial(return_item, stale))
            try:
                return adopt(unit)
            finally:
                monkeypatch.undo()

        monkeypatch.setattr(store, "adopt", adopt_twice)
        assert (await async_season.call(create_note)).id == note.id


def return_item(item: Item | None, unit: Unit) -> Item | None:
    """Return the item, whichever unit is asked for."""
    assert unit
    return item


async def test_what_a_person_settled_counts_more_than_a_failed_job(async_season: AsyncSeason) -> None:
    job = await async_season.call(generate)
    async_season.emulator.fail(job.id)
    await async_season.fail(generate)
    async with async_season.emulator.async_client() as client:
        post = await create_post(client, async_season.project_id, async_season.file)
    with Ledger(async_season.path) as ledger:
        ledger.settle("one", result_id=post.id, route="POST /posts/generations")
    settled = await async_season.call(generate)
    assert isinstance(settled, Job)
    assert settled.is_succeeded
    assert settled.result is not None
    assert settled.result.post_id == post.id


# What the rules do in corners


@pytest.mark.parametrize("headers", [{}, {"Idempotent-Replayed": "true"}], ids=["first", "replayed"])
async def test_a_timeout_of_the_server_proves_nothing(
    async_season: AsyncSeason, headers: dict[str, str]
) -> None:
    async_season.emulator.fail_next(408, "invalid_request", headers=headers, method="POST", path="/notes")
    await async_season.fail(create_note)
    assert async_season.item().state == "sending"


async def test_a_conflict_of_which_nothing_can_be_seen_is_left_to_a_person(async_season: AsyncSeason) -> None:
    async_season.emulator.fail_next(409, "idempotency_key_conflict", method="POST", path="/notes")
    assert isinstance(await async_season.fail(create_note), UnsettledWriteError)
    assert async_season.item().state == "unknown"


async def test_older_things_are_not_ours(async_season: AsyncSeason) -> None:
    async with async_season.emulator.async_client() as client:
        await client.notes.create(project_id=async_season.project_id, content="Idea.")
    async_season.emulator.clock.advance(HOUR)
    await lose(async_season, create_note, arrived=False)
    await async_season.call(create_note)
    assert async_season.emulator.count("notes") == 2


async def test_a_finished_job_without_a_result_is_left_to_a_person(async_season: AsyncSeason) -> None:
    await lose(async_season, ingest, arrived=True)

    def empty(request: Request, response: Response) -> None:
        if request.path == "/jobs":
            document = json.loads(response.body)
            document["data"] = [job | {"result": None} for job in document["data"]]
            response.body = json.dumps(document).encode()

    async_season.emulator.add_observer(empty)
    error = await async_season.fail(ingest)
    assert isinstance(error, UnsettledWriteError)
    assert len(error.candidates) == 1


async def test_a_list_that_takes_no_filter_at_all_proves_nothing(async_season: AsyncSeason) -> None:
    async_season.emulator.seed(jobs=1, start=datetime(2026, 4, 30, tzinfo=UTC))
    await lose(async_season, generate, arrived=False)

    def refuse(request: Request, response: Response) -> None:
        if request.path == "/jobs" and "dateFrom" not in request.query:
            response.status = 400
            response.body = b'{"error": {"code": "invalid_request", "message": "No filters, please."}}'

    async_season.emulator.add_observer(refuse)
    assert isinstance(await async_season.fail(generate), UnsettledWriteError)


class AsyncClosing:
    """Closes a client with its first response."""

    client: AsyncScripe

    async def close(self, _: ResponseInfo) -> None:
        await self.client.close()


async def test_a_client_that_is_closed_before_the_write_leaves_no_item(async_season: AsyncSeason) -> None:
    closing = AsyncClosing()
    with Ledger(async_season.path) as ledger:
        closing.client = async_season.emulator.async_client(ledger=ledger, on_response=closing.close)
        with pytest.raises(ClientClosedError) as caught:
            await create_note(closing.client, async_season.project_id, async_season.file)
        assert ledger.find("one") is None
    assert not caught.value.may_have_arrived


async def test_an_answer_that_cannot_be_stored_is_in_the_error(async_season: AsyncSeason) -> None:
    elsewhere = async_season.path.with_suffix(".moved")

    def vanish(request: Request, response: Response) -> None:
        if request.method == "POST" and not elsewhere.exists():
            async_season.path.rename(elsewhere)

    async_season.emulator.add_observer(vanish)
    error = await async_season.fail(create_note)
    assert isinstance(error, LedgerError)
    elsewhere.rename(async_season.path)
    elsewhere.touch()
    made = await async_season.call(create_note)
    assert made.id in str(error)


async def test_without_a_ledger_nothing_is_said_of_one(async_season: AsyncSeason) -> None:
    async_season.emulator.fail_next(404, method="GET", path="/posts/")
    async with async_season.emulator.async_client() as client:
        with pytest.raises(NotFoundError) as caught:
            await generate_and_wait(client, async_season.project_id, async_season.file)
    assert not getattr(caught.value, "__notes__", [])


async def test_a_file_that_is_gone_is_missed_until_it_is_done(async_season: AsyncSeason) -> None:
    async_season.emulator.drop_next(method="POST", path="/sources")
    await async_season.fail(ingest)
    async_season.file.unlink()
    assert isinstance(await async_season.fail(ingest), FileMissingError)


async def test_without_a_ledger_a_file_that_is_gone_is_missed(async_season: AsyncSeason) -> None:
    async_season.file.unlink()
    async with async_season.emulator.async_client() as client:
        with pytest.raises(FileMissingError):
            await ingest(client, async_season.project_id, async_season.file)


async def test_a_client_names_its_ledger(async_season: AsyncSeason) -> None:
    async with async_season.client() as client:
        assert client.ledger is not None
        assert client.ledger.path == async_season.path
        assert client.with_options(ledger=None).ledger is None
