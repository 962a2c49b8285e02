"""Calls: the requests that they send, and the results that they return."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from enum import Enum
from typing import cast

import pytest
from pydantic import BaseModel

from scripe import (
    APIResponseValidationError,
    AsyncScripe,
    ClientClosedError,
    InvalidArgumentError,
    ResponseInfo,
)
from scripe._async.client import set_clock
from scripe.types import Page, Project
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio


async def test_every_request_carries_key_and_version(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": shapes.source()}))
    await async_client.sources.retrieve("src_1")
    await async_client.sources.create_text(project_id="proj_1", text="Hello")
    assert server.sent("authorization") == [f"Bearer {KEY}"] * 2
    assert server.sent("scripe-api-version") == ["2026-08-01"] * 2


async def test_user_agent_names_sdk_version_and_application(server: ScriptedServer) -> None:
    server.script(json_reply({"data": shapes.source()}))
    async with AsyncScripe(KEY, base_url=server.base_url, app_info="newsroom/2.1") as client:
        await client.sources.retrieve("src_1")
    agent = server.sent("user-agent")[0]
    assert agent is not None
    assert agent.startswith("scripe-python/")
    assert agent.endswith(" newsroom/2.1")


async def test_reads_carry_no_idempotency_key(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"data": shapes.source()}))
    await async_client.sources.retrieve("src_1")
    assert server.sent("idempotency-key") == [None]


async def test_text_source_sends_type_and_text(async_client: AsyncScripe, server: ScriptedServer) -> None:
    """C13, C20, C30: `type` and `text`, always."""
    server.script(json_reply({"data": shapes.source(status="Success")}))
    source = await async_client.sources.create_text(project_id="proj_1", text="Grüße 🎉", name="Stand-up")
    assert server.received[0].json() == {
        "type": "text",
        "projectId": "proj_1",
        "text": "Grüße 🎉",
        "name": "Stand-up",
    }
    assert server.sent("content-type") == ["application/json"]
    assert source.is_ready


async def test_what_was_left_out_is_not_sent(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"data": shapes.source()}))
    await async_client.sources.create_text(project_id="proj_1", text="Hello")
    assert "name" not in server.received[0].json()


async def test_file_source_returns_the_job(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"data": shapes.job()}))
    job = await async_client.sources.create_file(project_id="proj_1", upload_id="upl_1")
    assert server.received[0].json() == {"type": "file", "projectId": "proj_1", "uploadId": "upl_1"}
    assert job.type == "SOURCE_INGEST_FILE"
    assert job.status == "QUEUED"
    assert not job.is_finished


async def test_workspace_is_not_wrapped(async_client: AsyncScripe, server: ScriptedServer) -> None:
    body = {
        "workspace": {"id": "org_1", "name": "Acme", "plan": "BUSINESS", "features": {"apiAccess": True}},
        "principal": {"type": "api_key", "id": "key_1", "scopes": ["notes:read"]},
    }
    server.script(json_reply(body))
    me = await async_client.workspaces.me()
    assert me.workspace.id == "org_1"
    assert me.workspace.plan == "BUSINESS"
    assert me.workspace.features == {"apiAccess": True}
    assert me.principal is not None
    assert me.principal.scopes == ["notes:read"]


@pytest.mark.parametrize(
    "body", [{"data": {"workspace": {"id": "org_1"}}}, {"id": "org_1"}, {"data": {"id": "org_1"}}]
)
async def test_c23_workspace_in_other_shapes(
    async_client: AsyncScripe, server: ScriptedServer, body: dict[str, object]
) -> None:
    server.script(json_reply(body))
    assert (await async_client.workspaces.me()).workspace.id == "org_1"


async def test_health_is_asked_without_the_key(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(
        json_reply({"status": "ok", "version": "2026-08-01", "checks": {"db": {"ok": True, "latencyMs": 3}}})
    )
    health = await async_client.health.check()
    assert server.sent("authorization") == [None]
    assert health.is_ok
    assert health.checks is not None
    assert health.checks.db is not None
    assert health.checks.db.latency_ms == 3


async def test_degraded_health_is_returned(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"status": "degraded", "version": "2026-08-01"}, 503))
    health = await async_client.health.check()
    assert health.status == "degraded"
    assert health.last_response.status_code == 503
    assert len(server.received) == 1


async def test_a_503_that_reports_nothing_is_sent_again(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """A 503 of a proxy does not report the API's health."""
    server.script(Reply(503), Reply(503, b"<html>"), json_reply({"status": "ok"}))
    assert (await async_client.health.check()).is_ok
    assert len(server.received) == 3


async def test_c22_health_auth_in_both_shapes(async_client: AsyncScripe, server: ScriptedServer) -> None:
    body = {
        "status": "ok",
        "version": "2026-08-01",
        "workspace": {"id": "org_1"},
        "principal": {"id": "key_1"},
    }
    server.script(json_reply(body), json_reply({"status": "ok", "checks": {}}))
    assert (await async_client.health.auth()).workspace is not None
    assert (await async_client.health.auth()).workspace is None


async def test_ids_are_quoted_so_that_none_reaches_another_endpoint(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": shapes.job()}))
    await async_client.jobs.retrieve("a/../b?c=d#e f%2F")
    assert server.received[0].target == "/v1/jobs/a%2F..%2Fb%3Fc%3Dd%23e%20f%252F"


@pytest.mark.parametrize("bad", ["", ".", "..", " "])
async def test_ids_that_are_none_are_refused(
    async_client: AsyncScripe, server: ScriptedServer, bad: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(repr(bad))):
        await async_client.sources.retrieve(bad)
    with pytest.raises(InvalidArgumentError, match="project_id"):
        await async_client.sources.create_text(project_id=bad, text="Hello")
    with pytest.raises(InvalidArgumentError, match="upload_id"):
        await async_client.sources.create_file(project_id="proj_1", upload_id=bad)
    assert server.received == []


async def test_job_filters_are_spelled_as_the_api_takes_them(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """C27: days only, in UTC."""
    server.script(json_reply(shapes.page()))
    late_evening = datetime.fromisoformat("2026-05-15T23:30:00-04:00")
    pager = async_client.jobs.list(
        type=["POST_GENERATION", "KB_INGEST_URL"],
        status=["DONE", "FAILED"],
        date_from=date(2026, 5, 1),
        date_to=late_evening,
        page_size=20,
    )
    assert await pager.to_list() == []
    assert server.received[0].target == (
        "/v1/jobs?limit=20&type=POST_GENERATION%2CKB_INGEST_URL&status=DONE%2CFAILED"
        "&dateFrom=2026-05-01&dateTo=2026-05-16"
    )


async def test_a_date_filter_without_a_zone_is_refused(async_client: AsyncScripe) -> None:
    with pytest.raises(InvalidArgumentError, match="date_from"):
        async_client.jobs.list(date_from=datetime(2026, 5, 1))  # noqa: DTZ001
    async_client.jobs.list(date_from=datetime(2026, 5, 1, tzinfo=UTC))


async def test_last_response_describes_the_response(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(
        error(500, "internal_error"),
        json_reply(
            {"data": shapes.source()},
            X_Request_Id="req_1",
            Idempotent_Replayed="false",
            X_RateLimit_Limit="120",
            X_RateLimit_Remaining="77",
            X_RateLimit_Reset="17",
        ),
    )
    response = (await async_client.sources.retrieve("src_1")).last_response
    assert response.status_code == 200
    assert response.request_id == "req_1"
    assert not response.idempotent_replayed
    assert response.attempts == 2
    assert response.rate_limit is not None
    assert (response.rate_limit.limit, response.rate_limit.remaining, response.rate_limit.reset_after) == (
        120,
        77,
        17,
    )
    assert response.method == "GET"
    assert response.path == "/sources/src_1"
    assert response.headers["X-REQUEST-ID"] == "req_1"
    assert response.elapsed > 0


async def test_items_of_a_list_know_their_response(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply(shapes.page(shapes.job()), X_Request_Id="req_page"))
    job = await async_client.jobs.list().first()
    assert job is not None
    assert job.last_response.request_id == "req_page"


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_2xx_is_success(async_client: AsyncScripe, server: ScriptedServer, status: int) -> None:
    server.script(json_reply({"data": shapes.source()}, status))
    assert (await async_client.sources.retrieve("src_1")).id == "src_1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"data": 3}',
        b'{"data": {"id": "src_1"',
        b"<html>hello</html>",
        b'{"data":{}}',
        b"\xff\xfe",
    ],
)
async def test_a_success_that_makes_no_sense_is_an_error_of_the_tree(
    async_client: AsyncScripe, server: ScriptedServer, body: bytes
) -> None:
    server.script(Reply(200, body, {"X-Request-Id": "req_odd"}))
    with pytest.raises(APIResponseValidationError) as caught:
        await async_client.sources.retrieve("src_1")
    assert (caught.value.status_code, caught.value.request_id) == (200, "req_odd")
    assert caught.value.__context__ is None


class Anything(BaseModel):
    id: str


async def test_request_reaches_what_has_no_method(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"data": {"id": "x_1"}, "more": 1}))
    assert await async_client.request("GET", "/anything", params={"a": True, "b": None, "c": 2}) == {
        "data": {"id": "x_1"},
        "more": 1,
    }
    assert server.received[0].target == "/v1/anything?a=true&c=2"
    result = await async_client.request("post", "/anything", json={"x": [1, None]}, returns=Anything)
    assert result == Anything(id="x_1")
    assert json.loads(server.received[1].body) == {"x": [1, None]}
    assert server.sent("idempotency-key")[1]


async def test_request_takes_pages_and_empty_responses(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    project = {
        "id": "proj_1",
        "name": "n",
        "type": "COMPANY_PAGE",
        "status": "ACTIVE",
        "createdAt": shapes.instant(),
    }
    server.script(json_reply(shapes.page(project)), Reply(204))
    page = await async_client.request("GET", "/projects", returns=Page[Project])
    assert [item.id for item in page.data] == ["proj_1"]
    assert await async_client.request("DELETE", "/anything") is None


async def test_request_says_when_the_response_is_not_json(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(Reply(200, b"<html>"))
    with pytest.raises(APIResponseValidationError, match="JSON"):
        await async_client.request("GET", "/anything")


@pytest.mark.parametrize(
    "bad", ["projects", "//evil.example", "https://evil.example/", "/a/../b", "/a b", "/ü", "/a#b", "/v1/x"]
)
async def test_request_stays_below_the_base_url(
    async_client: AsyncScripe, server: ScriptedServer, bad: str
) -> None:
    with pytest.raises(InvalidArgumentError, match="path"):
        await async_client.request("GET", bad)
    assert server.received == []


async def test_request_refuses_a_key_that_would_be_ignored(async_client: AsyncScripe) -> None:
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        await async_client.request("GET", "/projects", idempotency_key="mine")


@pytest.mark.parametrize("bad", [float("nan"), "\ud800"])
async def test_a_body_that_json_cannot_hold_is_refused(async_client: AsyncScripe, bad: float | str) -> None:
    with pytest.raises(InvalidArgumentError, match="JSON"):
        await async_client.request("POST", "/anything", json={"x": bad})


async def test_request_returns_models_alone(async_client: AsyncScripe, server: ScriptedServer) -> None:
    with pytest.raises(InvalidArgumentError, match=r"returns.*dict"):
        await async_client.request("GET", "/projects", returns=cast("type[Project]", dict))
    assert server.received == []


@pytest.mark.parametrize("timeout", [0, -1, 1e10, float("nan")])
async def test_nothing_is_sent_for_a_limit_that_cannot_be(
    async_client: AsyncScripe, server: ScriptedServer, timeout: float
) -> None:
    """Nothing is sent, not even the file: the calls that follow would be paid for."""
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: async_client.sources.ingest(b"x", content_type="text/plain", project_id="p", timeout=timeout),
        lambda: async_client.sources.create_file_and_wait(project_id="p", upload_id="u", timeout=timeout),
        lambda: async_client.knowledge.ingest(b"x", name="x", content_type="text/plain", timeout=timeout),
        lambda: async_client.posts.generate_and_wait(project_id="p", text="x", timeout=timeout),
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="timeout"):
            await call()
    with pytest.raises(InvalidArgumentError, match="project_id"):
        await async_client.knowledge.ingest(b"x", name="x", content_type="text/plain", project_id="")
    assert server.received == []


async def test_a_call_without_the_key_does_not_ask_for_it(server: ScriptedServer) -> None:
    def fail() -> str:
        raise RuntimeError("the vault is down")

    server.script(json_reply({"status": "ok"}))
    async with AsyncScripe(fail, base_url=server.base_url) as client:
        assert (await client.health.check()).is_ok
        with pytest.raises(RuntimeError, match="vault"):
            await client.health.auth()


async def test_a_client_that_is_closed_in_mid_write_leaves_the_key(server: ScriptedServer) -> None:
    """The first attempt may have arrived: with its idempotency key, the write can be repeated."""
    server.script(error(500))
    closing = [True]

    async def close(_: ResponseInfo) -> None:
        if closing.pop():
            await client.close()

    client = AsyncScripe(KEY, base_url=server.base_url, on_response=close)
    set_clock(client, AsyncSleeplessClock())
    with pytest.raises(ClientClosedError) as caught:
        await client.notes.create(project_id="proj_1", content="One.")
    assert [caught.value.idempotency_key] == server.sent("idempotency-key")


async def test_texts_that_are_members_of_an_enum_are_sent_as_their_values(server: ScriptedServer) -> None:
    class Names(str, Enum):  # noqa: UP042 - as many programs have them
        KEY = "scripe_sk_test_enum"
        PROJECT = "proj_1"

    server.script(json_reply({"data": []}))
    async with AsyncScripe(Names.KEY, base_url=server.base_url) as client:
        await client.posts.list(project_id=Names.PROJECT).to_list()
    assert server.sent("authorization") == ["Bearer scripe_sk_test_enum"]
    assert "projectId=proj_1&" in f"{server.received[0].target}&"
