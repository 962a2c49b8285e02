"""Notes, posts, generation and knowledge: the requests, and the arguments that are rejected before any request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from scripe import (
    APITimeoutError,
    AsyncScripe,
    ConflictError,
    InvalidArgumentError,
    JobFailedError,
    JobTimeoutError,
    ScripeError,
    SpendCapExceededError,
)
from scripe.emulator import Emulator
from scripe.types import WorkspacePostStatus
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import BREAK, Received, Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio

NINE_IN_BERLIN = datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))


async def test_notes_are_listed_by_project_and_slot(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply(shapes.page(shapes.note())))
    pager = async_client.notes.list(
        project_id="proj_1", folder_id="fold_1", date_from=date(2026, 5, 1), date_to=date(2026, 5, 31)
    )
    (note,) = await pager.to_list()
    assert server.received[0].target == (
        "/v1/notes?limit=200&projectId=proj_1&folderId=fold_1&dateFrom=2026-05-01&dateTo=2026-05-31"
    )
    assert note.slot is not None
    assert note.id == "note_1"
    assert note.slot.date == "2026-05-18"
    assert note.slot.content_type == "PERSONAL"


async def test_c5_a_note_is_fetched_and_made(async_client: AsyncScripe, server: ScriptedServer) -> None:
    """C5: the guide calls notes read-only, and is older than the endpoint."""
    server.script(json_reply({"data": shapes.note()}))
    assert (await async_client.notes.retrieve("note_1")).content == "Nobody buys features."
    await async_client.notes.create(
        project_id="proj_1",
        content="Words.",
        folder_id="fold_1",
        date=NINE_IN_BERLIN,
        content_type="EDUCATIONAL",
    )
    await async_client.notes.create(project_id="proj_1", date=date(2026, 12, 1), idempotency_key="mine")
    assert server.received[1].json() == {
        "projectId": "proj_1",
        "content": "Words.",
        "folderId": "fold_1",
        "date": "2026-12-01T08:00:00.000Z",
        "contentType": "EDUCATIONAL",
    }
    assert server.received[2].json() == {"projectId": "proj_1", "date": "2026-12-01"}
    assert [sent is not None for sent in server.sent("idempotency-key")] == [False, True, True]
    assert server.sent("idempotency-key")[2] == "mine"


async def test_posts_are_listed_by_project_and_state(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply(shapes.page(shapes.post(status="brandNew", title=None, content=None))))
    (post,) = await async_client.posts.list(
        project_id="proj_1",
        status=["draft", "scheduled"],
        date_from=date(2026, 5, 1),
        date_to=date(2026, 5, 2),
    ).to_list()
    assert server.received[0].target == (
        "/v1/posts?limit=200&projectId=proj_1&status=draft%2Cscheduled&dateFrom=2026-05-01&dateTo=2026-05-02"
    )
    assert (post.status, post.title) == ("brandNew", None)


async def test_a_post_is_fetched_and_made(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(
        json_reply({"data": shapes.post(status="scheduled", scheduledAt="2026-12-01T08:00:00.000Z")})
    )
    assert (await async_client.posts.retrieve("post_1")).id == "post_1"
    post = await async_client.posts.create(
        project_id="proj_1",
        content="Words.",
        title="T",
        content_type="PERSONAL",
        scheduled_for=NINE_IN_BERLIN,
    )
    assert post.scheduled_at == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert server.received[1].json() == {
        "projectId": "proj_1",
        "content": "Words.",
        "title": "T",
        "contentType": "PERSONAL",
        "scheduledFor": "2026-12-01T08:00:00.000Z",
    }


async def test_c32_an_update_sends_what_was_given_and_nothing_else(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """None unschedules; an argument that is left out changes nothing."""
    server.script(json_reply({"data": shapes.post()}))
    await async_client.posts.update("post_1", scheduled_for=None)
    await async_client.posts.update(
        "post_1", scheduled_for=NINE_IN_BERLIN, status_id="st_1", idempotency_key="mine"
    )
    await async_client.posts.update(
        "post_1",
        content="Words.",
        title="T",
        content_type="UNKNOWN",
        status_category="draft",
        auto_like=False,
        auto_comment=True,
    )
    assert [request.method for request in server.received] == ["PATCH"] * 3
    assert [request.json() for request in server.received] == [
        {"scheduledFor": None},
        {"scheduledFor": "2026-12-01T08:00:00.000Z", "statusId": "st_1"},
        {
            "content": "Words.",
            "title": "T",
            "contentType": "UNKNOWN",
            "statusCategory": "draft",
            "autoLike": False,
            "autoComment": True,
        },
    ]
    assert server.sent("idempotency-key")[1] == "mine"


async def test_a_post_cannot_be_scheduled_without_linkedin(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(error(409, "conflict"))
    with pytest.raises(ConflictError):
        await async_client.posts.update("post_1", scheduled_for=NINE_IN_BERLIN)


async def test_post_statuses_and_workspaces_are_sent_no_limit(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """The API documents none for these lists, which are parsed with and without pagination."""
    server.script(
        json_reply({"data": [{"id": "st_1", "name": "In review", "category": "review"}]}),
        json_reply({"data": [{"id": "st_1"}], "pagination": {"next_cursor": None, "has_more": False}}),
        json_reply({"data": [{"id": "org_1", "name": None}]}),
    )
    assert await async_client.post_statuses.list().to_list() == [
        WorkspacePostStatus(id="st_1", name="In review", category="review")
    ]
    assert (await async_client.post_statuses.list().first()) == WorkspacePostStatus(id="st_1")
    assert [item.id async for item in async_client.workspaces.list()] == ["org_1"]
    assert [item.target for item in server.received] == ["/v1/post-statuses"] * 2 + ["/v1/workspaces"]


async def test_c19_a_generation_names_its_source(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"data": shapes.job(type="POST_GENERATION")}))
    await async_client.posts.generate(
        project_id="proj_1", text="Words.", language="de", scheduled_for=NINE_IN_BERLIN
    )
    await async_client.posts.generate(project_id="proj_1", note_id="note_1", wait_for_completion_ms=25_000)
    assert [request.json() for request in server.received] == [
        {
            "projectId": "proj_1",
            "source": {"text": "Words."},
            "scheduledFor": "2026-12-01T08:00:00.000Z",
            "options": {"language": "de"},
        },
        {"projectId": "proj_1", "source": {"noteId": "note_1"}, "wait_for_completion_ms": 25_000},
    ]


async def test_the_timeout_stretches_with_the_wait(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(Reply(200, json_reply({"data": shapes.job(type="POST_GENERATION")}).body, hold=0.4))
    hasty = async_client.with_options(timeout=0.2, max_retries=0)
    with pytest.raises(APITimeoutError):
        await hasty.posts.generate(project_id="proj_1", text="Words.")
    await hasty.posts.generate(project_id="proj_1", text="Words.", wait_for_completion_ms=25_000)


async def test_a_quick_generation_costs_one_request_and_the_post(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    done = shapes.job(type="POST_GENERATION", status="DONE", result={"postId": "post_1"})
    server.script(json_reply({"data": done}), json_reply({"data": shapes.post()}))
    statuses: list[str] = []
    post = await async_client.posts.generate_and_wait(
        project_id="proj_1", note_id="note_1", on_update=lambda job: statuses.append(job.status)
    )
    assert post.id == "post_1"
    assert statuses == ["DONE"]
    assert [request.path for request in server.received] == ["/v1/posts/generations", "/v1/posts/post_1"]
    assert server.received[0].json()["wait_for_completion_ms"] == 25_000


async def test_a_slow_generation_is_polled(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    running_job = shapes.job(type="POST_GENERATION", status="RUNNING")
    done = shapes.job(type="POST_GENERATION", status="DONE", result={"postId": "post_1"})
    server.script(
        *[json_reply({"data": job}) for job in (running_job, running_job, done)],
        json_reply({"data": shapes.post()}),
    )
    statuses: list[str] = []
    await async_client.posts.generate_and_wait(
        project_id="proj_1", text="Words.", timeout=10, on_update=lambda job: statuses.append(job.status)
    )
    assert statuses == ["DONE"]
    assert server.received[0].json()["wait_for_completion_ms"] == 25_000


async def test_a_generation_that_fails_or_takes_too_long_carries_its_key(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    for status, error_class in (("FAILED", JobFailedError), ("QUEUED", JobTimeoutError)):
        server.script(json_reply({"data": shapes.job(type="POST_GENERATION", status=status)}))
        with pytest.raises(ScripeError) as caught:
            await async_client.posts.generate_and_wait(
                project_id="proj_1", text="Words.", timeout=5, idempotency_key="mine"
            )
        assert isinstance(caught.value, error_class)
        assert caught.value.idempotency_key == "mine"


async def test_a_generation_whose_job_is_not_named_in_time_is_a_time_out_with_its_key(
    server: ScriptedServer,
) -> None:
    server.script(Reply(200, b"{}", hold=3))
    async with AsyncScripe(KEY, base_url=server.base_url, max_retries=0) as client:
        with pytest.raises(JobTimeoutError, match=r"idempotency key.*24 hours") as caught:
            await client.posts.generate_and_wait(
                project_id="proj_1", text="Words.", timeout=0.3, idempotency_key="mine"
            )
        assert caught.value.idempotency_key == "mine"


async def test_a_generation_with_a_slow_network_is_an_api_timeout() -> None:
    """It is not a job timeout: time is left, and the call may be repeated."""

    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer in time", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as http_client:
        client = AsyncScripe(KEY, http_client=http_client, max_retries=0)
        with pytest.raises(APITimeoutError) as caught:
            await client.posts.generate_and_wait(
                project_id="proj_1", text="Words.", timeout=60, idempotency_key="mine"
            )
        assert not isinstance(caught.value, JobTimeoutError)
        assert caught.value.idempotency_key == "mine"


@pytest.mark.parametrize("path", ["/v1/posts/generations", "/v1/knowledge", "/v1/sources"])
async def test_c15_all_three_spending_endpoints_tell_the_cap(
    async_client: AsyncScripe, server: ScriptedServer, path: str
) -> None:
    meta = {"bucketDate": "2026-05-15", "capCents": 2000, "spentCents": 1996, "estimateCents": 5}
    server.script(
        json_reply({"error": {"code": "spend_cap_exceeded", "message": "spent", "meta": meta}}, 402)
    )
    calls = {
        "/v1/posts/generations": lambda: async_client.posts.generate(project_id="proj_1", text="Words."),
        "/v1/knowledge": lambda: async_client.knowledge.create_text(text="Words.", name="Words"),
        "/v1/sources": lambda: async_client.sources.create_file(project_id="proj_1", upload_id="upl_1"),
    }
    with pytest.raises(SpendCapExceededError) as caught:
        await calls[path]()
    assert server.received[0].path == path
    assert (caught.value.cap_cents, caught.value.spent_cents, caught.value.estimate_cents) == (2000, 1996, 5)
    assert caught.value.resets_at == datetime(2026, 5, 16, tzinfo=UTC)
    assert not caught.value.retryable


async def test_knowledge_takes_four_shapes(async_client: AsyncScripe, server: ScriptedServer) -> None:
    """Without a project, a document belongs to the workspace."""
    server.script(json_reply({"data": shapes.job(type="KB_INGEST_TEXT", projectId=None)}))
    knowledge = async_client.knowledge
    assert (await knowledge.create_text(text="Words.", name="Words")).project_id is None
    await knowledge.create_file(upload_id="upl_1", name="Words", project_id="proj_1")
    await knowledge.create_url(url="https://example.com/")
    await knowledge.create_youtube(
        url="https://youtu.be/x", name="A talk", project_id="proj_1", idempotency_key="mine"
    )
    assert [request.json() for request in server.received] == [
        {"type": "text", "text": "Words.", "name": "Words"},
        {"type": "file", "uploadId": "upl_1", "name": "Words", "projectId": "proj_1"},
        {"type": "url", "url": "https://example.com/"},
        {"type": "youtube", "url": "https://youtu.be/x", "name": "A talk", "projectId": "proj_1"},
    ]


async def test_a_file_becomes_knowledge(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    def reply(request: Received) -> Reply:
        if request.method == "PUT":
            return Reply(200)
        if request.path == "/v1/uploads":
            return json_reply({"data": shapes.upload(f"{server.origin}/k")})
        done: dict[str, object] = {"status": "DONE", "result": {"documentId": "kb_1"}}
        return json_reply(
            {"data": {**shapes.job(type="KB_INGEST_FILE"), **(done if request.method == "GET" else {})}}
        )

    server.script(reply)
    job = await async_client.knowledge.ingest(b"Words.", name="Brand voice", content_type="text/plain")
    assert job.result is not None
    assert job.result.document_id == "kb_1"
    (created,) = [request for request in server.received if request.path == "/v1/knowledge"]
    assert created.json() == {"type": "file", "uploadId": "upl_1", "name": "Brand voice"}


REFUSED: list[tuple[Callable[[AsyncScripe], Awaitable[object]], str]] = [
    (lambda c: c.posts.update("post_1"), "field"),
    (lambda c: c.posts.update("post_1", status_category="a", status_id="b"), "status_category"),
    (lambda c: c.posts.update("post_1", scheduled_for=datetime(2026, 12, 1)), "scheduled_for"),  # noqa: DTZ001
    (lambda c: c.posts.create(project_id="proj_1", scheduled_for=datetime(2026, 12, 1)), "scheduled_for"),  # noqa: DTZ001
    (lambda c: c.posts.create(project_id=""), "project_id"),
    (lambda c: c.posts.generate(project_id="proj_1"), "text=.*note_id="),  # type: ignore[call-overload] # pyright: ignore
    (lambda c: c.posts.generate(project_id="p", text="a", note_id="b"), "text=.*note_id="),  # type: ignore[call-overload] # pyright: ignore
    (lambda c: c.posts.generate(project_id="proj_1", note_id=""), "note_id"),
    (
        lambda c: c.posts.generate(project_id="proj_1", text="a", wait_for_completion_ms=25_001),
        "wait_for_completion_ms",
    ),
    (
        lambda c: c.posts.generate(project_id="proj_1", text="a", wait_for_completion_ms=-1),
        "wait_for_completion_ms",
    ),
    (lambda c: c.posts.generate_and_wait(project_id="proj_1"), "text=.*note_id="),  # type: ignore[call-overload] # pyright: ignore
    (lambda c: c.notes.create(project_id="proj_1", date=datetime(2026, 12, 1)), "date"),  # noqa: DTZ001
    (lambda c: c.knowledge.create_url(url="example.com"), "https://"),
    (lambda c: c.knowledge.create_url(url="ftp://example.com/"), "https://"),
    (lambda c: c.knowledge.create_youtube(url="http://[bad"), "https://"),
    (lambda c: c.knowledge.create_file(upload_id="", name="x"), "upload_id"),
    (lambda c: c.knowledge.create_text(text="a", name="b", project_id=".."), "project_id"),
    (lambda c: c.knowledge.ingest(b"Words.", content_type="text/plain"), "name="),
    (lambda c: c.webhook_endpoints.create(name="a", url="https://a/", events=[]), "post.scheduled"),
    (lambda c: c.webhook_endpoints.create(name="a", url="a", events=["post.created"]), "url"),
    (lambda c: c.webhook_endpoints.update("whe_1"), "field"),
]


@pytest.mark.parametrize(("call", "says"), REFUSED)
async def test_wrong_combinations_are_refused_before_sending(
    async_client: AsyncScripe,
    server: ScriptedServer,
    call: Callable[[AsyncScripe], Awaitable[object]],
    says: str,
) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        await call(async_client)
    assert server.received == []


@pytest.mark.beyond_the_description
async def test_a_webhook_endpoint_has_its_secret_once_and_hides_it(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": shapes.webhook_endpoint(secret="whsec_c0ffeebeef")}))
    endpoint = await async_client.webhook_endpoints.create(
        name="Newsroom",
        url="https://example.com/hook",
        events=["post.created", "brand.new"],
        project_id="proj_1",
    )
    assert endpoint.secret == "whsec_c0ffeebeef"
    assert "c0ffee" not in repr(endpoint)
    assert server.received[0].json() == {
        "name": "Newsroom",
        "url": "https://example.com/hook",
        "events": ["post.created", "brand.new"],
        "projectId": "proj_1",
    }
    assert server.sent("idempotency-key")[0] is not None


async def test_a_webhook_endpoint_is_fetched_and_changed(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """The update has no idempotency key, but sets absolute values: it may be sent again."""
    server.script(
        json_reply({"data": shapes.webhook_endpoint()}),
        BREAK,
        json_reply({"data": shapes.webhook_endpoint()}),
    )
    assert (await async_client.webhook_endpoints.retrieve("whe_1")).secret is None
    await async_client.webhook_endpoints.update(
        "whe_1", is_active=False, project_id=None, events=["job.failed"]
    )
    assert [request.method for request in server.received] == ["GET", "PATCH", "PATCH"]
    assert server.received[1].json() == {"events": ["job.failed"], "projectId": None, "isActive": False}
    assert server.sent("idempotency-key") == [None, None, None]
    await async_client.webhook_endpoints.update("whe_1", name="N", url="https://example.com/2")


@pytest.mark.parametrize("fault", [BREAK, error(500), error(503), error(408), Reply(200, b"{", cut=1)])
async def test_a_rotation_that_may_have_arrived_is_never_sent_again(
    async_client: AsyncScripe, server: ScriptedServer, fault: Reply
) -> None:
    server.script(fault, json_reply({"data": shapes.webhook_endpoint(secret="whsec_new")}))
    with pytest.raises(ScripeError):
        await async_client.webhook_endpoints.rotate_secret("whe_1")
    assert len(server.received) == 1


async def test_a_rotation_that_was_refused_unread_may_be(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(
        error(429, "rate_limited", Retry_After="1"),
        json_reply({"data": shapes.webhook_endpoint(secret="whsec_new")}),
    )
    assert (await async_client.webhook_endpoints.rotate_secret("whe_1")).secret == "whsec_new"
    assert server.received[1].target == "/v1/webhook-endpoints/whe_1/rotate-secret"
    assert server.sent("idempotency-key") == [None, None]


async def test_after_a_day_a_key_protects_nothing(emulator: Emulator, async_local: AsyncScripe) -> None:
    for hours, count in ((0, 1), (23, 1), (2, 2)):
        emulator.clock.advance(timedelta(hours=hours))
        await async_local.posts.generate_and_wait(
            project_id=emulator.project_id, text="Said once.", idempotency_key="k"
        )
        assert emulator.count("posts") == count


async def test_the_spend_caps_refusal_is_repeated_under_its_key_after_midnight(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    project = emulator.project_id
    emulator.set_spend(5000)
    with pytest.raises(SpendCapExceededError) as caught:
        await async_local.posts.generate(project_id=project, text="One more.", idempotency_key="k")
    assert caught.value.resets_at
    emulator.clock.advance(caught.value.resets_at - emulator.clock.now())
    with pytest.raises(SpendCapExceededError):
        await async_local.posts.generate(project_id=project, text="One more.", idempotency_key="k")
    job = await async_local.posts.generate(project_id=project, text="One more.", idempotency_key="another")
    assert job.type == "POST_GENERATION"
