"""What a broken proxy sends twice never becomes the answer to another call."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from scripe import APIConnectionError, AsyncScripe, Upload
from scripe._async.client import set_clock
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import Reply, ScriptedServer, answer

pytestmark = pytest.mark.anyio


def twice(reply: Reply) -> Reply:
    """The same answer two times, in one write."""
    lines = [f"HTTP/1.1 {reply.status} Again", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    again = "\r\n".join([*lines, "", ""]).encode() + reply.body
    return Reply(reply.status, reply.body, reply.headers, trailer=again)


def source(name: str, request_id: str) -> Reply:
    return answer({"data": shapes.source(name)}, X_Request_Id=request_id)


async def test_an_answer_that_came_twice_is_not_the_next_calls(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(twice(source("src_1", "req_1")), source("src_2", "req_2"))
    assert (await async_client.sources.retrieve("src_1")).id == "src_1"
    second = await async_client.sources.retrieve("src_2")
    assert (second.id, second.last_response.attempts) == ("src_2", 2)
    assert server.connections == 2


async def test_a_write_after_an_echo_is_sent_again_with_its_key(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(
        twice(answer({"data": shapes.note("note_1")}, X_Request_Id="req_1")),
        answer({"data": shapes.note("note_2")}, X_Request_Id="req_2"),
    )
    first = await async_client.notes.create(project_id="proj_1", content="One.")
    second = await async_client.notes.create(project_id="proj_1", content="Two.")
    assert (first.id, second.id) == ("note_1", "note_2")
    keys = server.sent("idempotency-key")
    assert len(set(keys)) == 2


async def test_a_replay_that_came_twice_is_not_the_next_calls(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    replay = answer({"data": shapes.note("note_1")}, X_Request_Id="req_1", Idempotent_Replayed="true")
    server.script(twice(replay), answer({"data": shapes.note("note_2")}, X_Request_Id="req_2"))
    first = await async_client.notes.create(project_id="proj_1", content="One.", idempotency_key="key-1")
    second = await async_client.notes.create(project_id="proj_1", content="Two.", idempotency_key="key-2")
    assert (first.id, second.id) == ("note_1", "note_2")


async def test_reruns_that_are_told_their_first_id_cost_one_request_more(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    note = {"data": shapes.note("note_1")}
    server.script(
        answer(note, X_Request_Id="req_1", Idempotent_Replayed="false"),
        answer(note, X_Request_Id="req_1", Idempotent_Replayed="true"),
    )
    for _ in range(4):
        await async_client.notes.create(project_id="proj_1", content="One.", idempotency_key="key-1")
    assert len(server.received) == 5


async def test_a_server_that_gives_one_id_to_all_its_answers_is_believed(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(source("src_1", "req_same"))
    attempts = [(await async_client.sources.retrieve("src_1")).last_response.attempts for _ in range(4)]
    assert attempts == [1, 2, 1, 1]


async def test_what_may_not_be_sent_again_is_not_doubted(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    rotated = answer({"data": shapes.webhook_endpoint(secret="whsec_1")}, X_Request_Id="req_same")
    server.script(rotated)
    for _ in range(2):
        assert (await async_client.webhook_endpoints.rotate_secret("whe_1")).id == "whe_1"
    assert len(server.received) == 2


async def test_an_echo_of_what_may_not_be_sent_again_is_not_the_next_calls(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    rotated = answer({"data": shapes.webhook_endpoint("whe_1", secret="whsec_1")}, X_Request_Id="req_1")
    other = answer({"data": shapes.webhook_endpoint("whe_2")}, X_Request_Id="req_2")
    server.script(twice(rotated), other)
    assert (await async_client.webhook_endpoints.rotate_secret("whe_1")).id == "whe_1"
    assert (await async_client.webhook_endpoints.retrieve("whe_2")).id == "whe_2"


async def test_after_what_may_not_be_sent_again_each_call_has_its_own_answer(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """It may have taken an echo for its answer; then its own must not become that of the next call."""
    own = {
        "/v1/webhook-endpoints/whe_1": twice(
            answer({"data": shapes.webhook_endpoint("whe_1", secret="whsec_1")}, X_Request_Id="req_1")
        ),
        "/v1/webhook-endpoints/whe_2/rotate-secret": replace(
            answer({"data": shapes.webhook_endpoint("whe_2", secret="whsec_2")}, X_Request_Id="req_2"),
            hold=0.2,
        ),
        "/v1/webhook-endpoints/whe_3": answer(
            {"data": shapes.webhook_endpoint("whe_3")}, X_Request_Id="req_3"
        ),
    }
    server.script(lambda received: own[received.path])
    await async_client.webhook_endpoints.retrieve("whe_1")
    await async_client.webhook_endpoints.rotate_secret("whe_2")
    assert (await async_client.webhook_endpoints.retrieve("whe_3")).id == "whe_3"


async def test_an_echo_is_not_the_answer_of_a_storage_on_the_same_host(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    content = b"We ship."
    upload = Upload.model_validate(shapes.upload(f"{server.origin}/put?X-Amz-Signature=s"))
    tag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    own = {
        "/v1/sources/src_1": twice(source("src_1", "req_1")),
        "/put": Reply(200, b"", {"ETag": f'"{tag}"'}, hold=0.2),
        "/v1/sources/src_2": source("src_2", "req_2"),
    }
    server.script(lambda received: own[received.path])
    await async_client.sources.retrieve("src_1")
    await async_client.uploads.put(upload, content)
    assert (await async_client.sources.retrieve("src_2")).id == "src_2"
    assert [each.method for each in server.received] == ["GET", "PUT", "PUT", "GET"]


async def test_without_retries_an_echo_is_an_error(server: ScriptedServer) -> None:
    server.script(twice(source("src_1", "req_1")), source("src_2", "req_2"))
    async with AsyncScripe(KEY, base_url=server.base_url, max_retries=0) as client:
        set_clock(client, AsyncSleeplessClock())
        await client.sources.retrieve("src_1")
        with pytest.raises(APIConnectionError, match="earlier request"):
            await client.sources.retrieve("src_2")
        assert (await client.sources.retrieve("src_2")).id == "src_2"


async def test_without_retries_a_server_that_gives_one_id_is_doubted_once(server: ScriptedServer) -> None:
    server.script(source("src_1", "req_same"))
    async with AsyncScripe(KEY, base_url=server.base_url, max_retries=0) as client:
        await client.sources.retrieve("src_1")
        with pytest.raises(APIConnectionError, match="earlier request"):
            await client.sources.retrieve("src_1")
        for _ in range(3):
            assert (await client.sources.retrieve("src_1")).id == "src_1"


async def test_health_comes_from_a_cache_and_is_no_echo(server: ScriptedServer) -> None:
    """It tells the id that it had when it was cached; and echoes of other calls are found as before."""
    cached = answer({"status": "ok"}, X_Request_Id="req_cached")
    server.script(cached, cached, cached, twice(source("src_1", "req_1")), source("src_2", "req_2"))
    async with AsyncScripe(KEY, base_url=server.base_url, max_retries=1) as client:
        set_clock(client, AsyncSleeplessClock())
        assert [(await client.health.check()).last_response.attempts for _ in range(3)] == [1, 1, 1]
        await client.sources.retrieve("src_1")
        assert (await client.sources.retrieve("src_2")).id == "src_2"
