"""Contradictions between the API's own pages (C1 to C32), and how the clients deal with them.

Rows that have a test elsewhere are named there: C1, C2, C5, C6, C8, C15, C17, C19, C22, C23, C24, C26, C31, C32. Those
that call for nothing in a client (C4, C28) are named in docs/api-facts.md.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import scripe
from scripe import AsyncScripe, ScopeMissingError
from scripe.types import Job
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio

GOOD = json_reply({"data": shapes.source()})


async def test_c1_filters_are_sent_as_given(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply(shapes.page(shapes.job(status="COMPLETED"), shapes.job("job_2", "DONE"))))
    jobs = await async_client.jobs.list(status=["DONE"]).to_list()
    assert [job.is_succeeded for job in jobs] == [True, True]
    assert "status=DONE" in server.received[0].target


async def test_c3_no_scope_is_checked_here(async_client: AsyncScripe, server: ScriptedServer) -> None:
    body = {
        "code": "scope_missing",
        "message": "no",
        "details": {"required": ["sources:write", "knowledge:write"]},
    }
    server.script(json_reply({"error": body}, 403))
    with pytest.raises(ScopeMissingError) as caught:
        await async_client.uploads.create(content_type="audio/mpeg")
    assert caught.value.required == ["sources:write", "knowledge:write"]


async def test_c7_the_version_is_always_sent(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"status": "ok"}))
    await async_client.health.check()
    await async_client.request("GET", "/anything")
    assert server.sent("scripe-api-version") == ["2026-08-01"] * 2


async def test_c9_docs_url_is_given_as_it_is(async_client: AsyncScripe, server: ScriptedServer) -> None:
    for sent, expected in (("https://docs.scripe.io/x#y", "https://docs.scripe.io/x#y"), (None, None)):
        server.script(json_reply({"error": {"code": "not_found", "message": "no", "docs_url": sent}}, 404))
        with pytest.raises(scripe.NotFoundError) as caught:
            await async_client.sources.retrieve("src_1")
        assert caught.value.docs_url == expected


@pytest.mark.parametrize("status", [401, 403])
async def test_c10_the_code_counts_before_the_status(
    async_client: AsyncScripe, server: ScriptedServer, status: int
) -> None:
    server.script(error(status, "plan_not_eligible"))
    with pytest.raises(scripe.PlanNotEligibleError):
        await async_client.workspaces.me()


@pytest.mark.beyond_the_description
@pytest.mark.parametrize(
    ("status", "code"), [(413, "payload_too_large"), (422, "unprocessable"), (400, "invalid_request")]
)
async def test_c11_and_c14_what_is_too_long_or_unknown_is_the_servers_word(
    async_client: AsyncScripe, server: ScriptedServer, status: int, code: str
) -> None:
    server.script(error(status, code))
    with pytest.raises(scripe.InvalidRequestError):
        await async_client.sources.create_text(project_id="proj_1", text="x" * 1_000_001)
    assert len(server.received) == 1


async def test_c12_a_large_text_goes_with_its_key(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(GOOD)
    await async_client.sources.create_text(project_id="proj_1", text="x" * 400_000)
    assert len(server.received[0].body) > 400_000
    assert server.sent("idempotency-key")[0] is not None


async def test_c13_files_are_supported(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"data": shapes.job()}))
    assert (await async_client.sources.create_file(project_id="proj_1", upload_id="upl_1")).id == "job_1"


@pytest.mark.parametrize("api_key", ["scripe_sk_live_x", "scripe_sk_test_x", "eyJhbGciOi.an.oauth-token"])
async def test_c16_no_prefix_of_a_key_is_judged(server: ScriptedServer, api_key: str) -> None:
    server.script(GOOD)
    async with AsyncScripe(api_key, base_url=server.base_url) as client:
        await client.sources.retrieve("src_1")
    assert server.sent("authorization") == [f"Bearer {api_key}"]


@pytest.mark.beyond_the_description
async def test_c18_the_type_is_guessed_overridden_and_left_to_the_server(
    async_client: AsyncScripe, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "notes.md").write_bytes(b"# Words")
    server.script(error(422, "unprocessable"))
    for content_type, sent in ((None, "text/markdown"), ("text/plain", "text/plain")):
        with pytest.raises(scripe.UnprocessableEntityError):
            await async_client.uploads.upload_file(tmp_path / "notes.md", content_type=content_type)
        assert server.received[-1].json() == {"contentType": sent}


async def test_c20_and_c30_a_text_source_has_type_and_text(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(GOOD)
    await async_client.sources.create_text(project_id="proj_1", text="Words.")
    assert server.received[0].json() == {"type": "text", "projectId": "proj_1", "text": "Words."}


async def test_c21_an_empty_response_to_a_cancel_is_settled_by_reading(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(Reply(204), json_reply({"data": shapes.job(status="CANCELLED")}))
    assert (await async_client.jobs.cancel("job_1")).is_cancelled


@pytest.mark.parametrize("job_type", ["KB_INGEST_YOUTUBE", "SOURCE_INGEST_FILE", "SOMETHING_NEW"])
async def test_c25_any_type_of_job_may_come(
    async_client: AsyncScripe, server: ScriptedServer, job_type: str
) -> None:
    server.script(json_reply({"data": shapes.job(type=job_type)}))
    job: Job = await async_client.jobs.retrieve("job_1")
    assert job.type == job_type


async def test_c27_date_filters_are_days(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply(shapes.page()))
    late_evening = datetime(2026, 5, 15, 23, 59, tzinfo=UTC)
    await async_client.jobs.list(date_from=date(2026, 5, 1), date_to=late_evening).to_list()
    assert server.received[0].target.endswith("dateFrom=2026-05-01&dateTo=2026-05-15")


async def test_c29_what_the_catalogue_lacks_can_be_called(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": []}))
    assert await async_client.request("GET", "/webhook-endpoints") == {"data": []}
    async with AsyncScripe(KEY, base_url=server.base_url) as client:
        assert await client.post_statuses.list().to_list() == []
