"""Lists as records and data frames."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime

import pytest

from scripe import AsyncScripe, InvalidArgumentError
from scripe.emulator import Emulator
from tests.support.server import ScriptedServer, json_reply

pytestmark = pytest.mark.anyio


@pytest.fixture
async def async_client_with_jobs(async_local: AsyncScripe, emulator: Emulator) -> AsyncScripe:
    first = await async_local.posts.generate(project_id=emulator.project_id, text="a")
    emulator.finish(first.id)
    emulator.clock.advance(1)  # two jobs of one millisecond have no order
    await async_local.posts.generate(project_id=emulator.project_id, text="b")
    return async_local


async def test_records_are_flat(async_client_with_jobs: AsyncScripe) -> None:
    newest, oldest = await async_client_with_jobs.jobs.list().to_records()
    assert str(oldest["result.post_id"]).startswith("post_")
    assert "result" not in oldest
    assert "result" not in newest
    assert newest["result.post_id"] is None
    assert list(newest) == list(oldest)
    assert isinstance(newest["created_at"], datetime)
    assert await async_client_with_jobs.jobs.list().to_records(1) == [newest]


async def test_what_a_list_holds_is_plain(async_local: AsyncScripe, emulator: Emulator) -> None:
    [record] = await async_local.workspaces.list().to_records(1)
    assert isinstance(record["features"], dict)
    with pytest.raises(InvalidArgumentError):
        await async_local.jobs.list().to_records(-1)


async def test_a_frame_of_pandas(async_client_with_jobs: AsyncScripe) -> None:
    frame = await async_client_with_jobs.jobs.list().to_pandas()
    assert frame["status"].tolist() == ["QUEUED", "DONE"]
    assert "result" not in frame.columns
    assert list(frame.columns)[:3] == ["id", "type", "status"]
    assert frame["created_at"].dt.tz is UTC or str(frame["created_at"].dt.tz) == "UTC"
    assert len(await async_client_with_jobs.jobs.list().to_pandas(1)) == 1


async def test_a_frame_of_polars(async_client_with_jobs: AsyncScripe) -> None:
    frame = await async_client_with_jobs.jobs.list().to_polars()
    assert frame["status"].to_list() == ["QUEUED", "DONE"]
    assert "result" not in frame.columns
    assert str(frame["created_at"].dtype).startswith("Datetime")
    assert len(await async_client_with_jobs.jobs.list().to_polars(1)) == 1


async def test_an_empty_list_has_the_columns_of_a_full_one(
    async_local: AsyncScripe, emulator: Emulator
) -> None:
    jobs = async_local.jobs.list()
    empty = [list((await jobs.to_pandas()).columns), (await jobs.to_polars()).columns]
    await async_local.posts.generate(project_id=emulator.project_id, text="Now there is one")
    assert [list((await jobs.to_pandas()).columns), (await jobs.to_polars()).columns] == empty
    assert "result.post_id" in empty[0]


async def test_fields_that_no_page_names_may_be_of_any_shape(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    first, second = ({"id": letter, "name": letter, "type": "x", "status": "y"} for letter in "ab")
    created = {"createdAt": "2026-01-01T00:00:00.000Z"}
    rows = [{**first, **created, "mood": {"is": 1}}, {**second, **created, "mood": "fine", "rank": 2}]
    server.script(json_reply({"data": rows}))
    frame = await async_client.projects.list().to_polars()
    assert frame["mood"].to_list() == ['{"is": 1}', "fine"]
    assert frame["rank"].to_list() == [None, "2"]
    assert (await async_client.projects.list().to_pandas())["mood"].tolist() == [{"is": 1}, "fine"]


async def test_without_the_package_one_line_says_what_to_install(
    async_local: AsyncScripe, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    says = r'^{0} is not installed\. Install scripe with the extra "{0}", which adds {0}\.$'
    with pytest.raises(ImportError, match=says.format("pandas")):
        await async_local.jobs.list().to_pandas()
    with pytest.raises(ImportError, match=says.format("polars")):
        await async_local.jobs.list().to_polars()
    assert not emulator.requests


async def test_the_head_of_a_list_is_one_request(
    async_client_with_jobs: AsyncScripe, emulator: Emulator
) -> None:
    sent = len(emulator.requests)
    page = await async_client_with_jobs.jobs.list(page_size=200).head(1)
    assert (len(page.data), page.has_more) == (1, True)
    assert [request.query for request in emulator.requests[sent:]] == [{"limit": "1"}]
    assert len((await async_client_with_jobs.post_statuses.list().head(1)).data) > 1
    with pytest.raises(InvalidArgumentError, match=r"page_size.* 0"):
        await async_client_with_jobs.jobs.list().head(0)
