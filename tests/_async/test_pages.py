"""Lists: items, pages, stale cursors, and pages that would repeat endlessly."""

from __future__ import annotations

import pytest

from scripe import APIResponseValidationError, AsyncScripe, BadCursorError, InvalidArgumentError, ServerError
from scripe.emulator import Emulator
from tests.support import shapes
from tests.support.server import Received, Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio


def jobs(*ages: int) -> list[dict[str, object]]:
    return [shapes.job(f"job_{age}", "DONE", age) for age in ages]


async def test_nothing_is_sent_before_the_first_item(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    pager = async_client.jobs.list()
    assert "Pager of /jobs: iterate it" in repr(pager)
    assert server.received == []


async def test_has_more_says_whether_and_the_cursor_where(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """The number of items decides nothing: an empty page may have a next one."""
    server.script(
        json_reply(shapes.page(*jobs(1, 2), cursor="a")),
        json_reply(shapes.page(cursor="b")),
        json_reply({"data": jobs(3), "pagination": {"next_cursor": "left over", "has_more": False}}),
    )
    assert [job.id async for job in async_client.jobs.list(status=["DONE"])] == ["job_1", "job_2", "job_3"]
    assert [request.target for request in server.received] == [
        "/v1/jobs?limit=200&status=DONE",
        "/v1/jobs?limit=200&status=DONE&cursor=a",
        "/v1/jobs?limit=200&status=DONE&cursor=b",
    ]


async def test_pages_tell_where_the_next_one_is(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply(shapes.page(*jobs(1), cursor="a")), json_reply(shapes.page(*jobs(2))))
    pages = [page async for page in async_client.jobs.list(page_size=1).pages()]
    assert [(page.next_cursor, page.has_more, len(page.data)) for page in pages] == [
        ("a", True, 1),
        (None, False, 1),
    ]
    assert pages[0].last_response.status_code == 200


async def test_a_walk_can_begin_at_a_cursor(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply(shapes.page(*jobs(2))))
    assert [page.data[0].id async for page in async_client.jobs.list().pages(cursor="a")] == ["job_2"]
    assert server.received[0].target == "/v1/jobs?limit=200&cursor=a"


async def test_a_list_without_pagination_is_one_page(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": jobs(1)}))
    assert len(await async_client.jobs.list().to_list()) == 1


async def test_to_list_stops_at_max_items(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply(shapes.page(*jobs(1, 2), cursor="a")), json_reply(shapes.page(*jobs(3, 4))))
    assert len(await async_client.jobs.list().to_list(max_items=2)) == 2
    assert len(server.received) == 1
    assert await async_client.jobs.list().to_list(max_items=0) == []
    assert len(server.received) == 1
    with pytest.raises(InvalidArgumentError, match="max_items"):
        await async_client.jobs.list().to_list(max_items=-1)


async def test_first_asks_for_one(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply(shapes.page(*jobs(1), cursor="a")), json_reply(shapes.page()))
    first = await async_client.jobs.list().first()
    assert first is not None
    assert first.id == "job_1"
    assert await async_client.jobs.list().first() is None
    assert server.received[0].target == "/v1/jobs?limit=1"


@pytest.mark.parametrize("bad", [0, 201, -1, True])
async def test_c6_page_size_is_checked_before_sending(
    async_client: AsyncScripe, server: ScriptedServer, bad: int
) -> None:
    with pytest.raises(InvalidArgumentError, match=r"page_size.*200"):
        async_client.jobs.list(page_size=bad)
    with pytest.raises(InvalidArgumentError, match=r"page_size.*200"):
        async_client.projects.list(page_size=bad)
    assert server.received == []


async def test_a_cursor_that_comes_back_ends_the_walk(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(
        json_reply(shapes.page(*jobs(1), cursor="a")),
        json_reply(shapes.page(*jobs(2), cursor="b")),
        json_reply(shapes.page(*jobs(3), cursor="a"), X_Request_Id="req_round"),
    )
    with pytest.raises(APIResponseValidationError, match="cursor") as caught:
        await async_client.jobs.list().to_list()
    assert caught.value.request_id == "req_round"


async def test_has_more_without_a_cursor_is_no_end(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(json_reply({"data": jobs(1), "pagination": {"next_cursor": None, "has_more": True}}))
    with pytest.raises(APIResponseValidationError, match="has_more"):
        await async_client.jobs.list().to_list()


async def test_a_stale_cursor_restarts_and_skips_what_was_yielded(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """Also with items that were added meanwhile, and with several items created at the same time."""
    server.script(
        json_reply(shapes.page(*jobs(1, 2), shapes.job("job_tie", "DONE", 2), cursor="a")),
        error(400, "bad_cursor"),
        json_reply(shapes.page(*jobs(0, 1, 2), shapes.job("job_tie", "DONE", 2), cursor="b")),
        json_reply(shapes.page(shapes.job("job_tie2", "DONE", 2), *jobs(3))),
    )
    ids = [job.id async for job in async_client.jobs.list()]
    assert ids == ["job_1", "job_2", "job_tie", "job_tie2", "job_3"]


async def test_pages_after_a_restart_hold_only_what_is_new(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(
        json_reply(shapes.page(*jobs(1), cursor="a")),
        error(400, "bad_cursor"),
        json_reply(shapes.page(*jobs(1, 2)), X_Request_Id="req_again"),
    )
    pages = [page async for page in async_client.jobs.list().pages()]
    assert [[job.id for job in page.data] for page in pages] == [["job_1"], ["job_2"]]
    assert pages[1].last_response.request_id == "req_again"


async def test_restarts_without_progress_end(async_client: AsyncScripe, server: ScriptedServer) -> None:
    def reply(request: Received) -> Reply:
        if "cursor" in request.target:
            return error(400, "bad_cursor")
        return json_reply(shapes.page(*jobs(1), cursor=f"c{len(server.received)}"))

    server.script(reply)
    with pytest.raises(BadCursorError):
        await async_client.jobs.list().to_list()
    assert len(server.received) == 8


async def test_a_bad_cursor_of_the_callers_raises(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(error(400, "bad_cursor"))
    with pytest.raises(BadCursorError):
        _ = [page async for page in async_client.jobs.list().pages(cursor="mine")]
    assert len(server.received) == 1


async def test_a_walk_goes_on_after_an_error(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(
        json_reply(shapes.page(*jobs(1), cursor="a")), error(500), json_reply(shapes.page(*jobs(2)))
    )
    items = aiter(async_client.with_options(max_retries=0).jobs.list())
    assert (await anext(items)).id == "job_1"
    with pytest.raises(ServerError):
        await anext(items)
    assert (await anext(items)).id == "job_2"
    assert [job async for job in items] == []


async def test_a_long_list_with_cursors_that_go_stale(emulator: Emulator, async_local: AsyncScripe) -> None:
    """Every job is returned once, whenever the cursors become stale, and also among jobs created at the same time."""
    emulator.seed(jobs=450, step=0)
    emulator.seed(jobs=150)
    ids: list[str] = []
    stale_at = [200, 400]
    async for page in async_local.jobs.list(page_size=100).pages():
        ids += [job.id for job in page.data]
        if len(ids) in stale_at:
            stale_at.remove(len(ids))
            emulator.expire_cursors()
    assert len(ids) == len(set(ids)) == 600


async def test_the_first_item_may_come_on_a_later_page(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply(shapes.page(cursor="c")), json_reply(shapes.page(shapes.job("job_1"))))
    job = await async_client.jobs.list().first()
    assert job is not None
    assert job.id == "job_1"
