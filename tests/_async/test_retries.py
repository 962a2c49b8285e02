"""Retries: of which responses, how many, after which delay, and with which bytes."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from scripe import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncScripe,
    AuthenticationError,
    IdempotencyConflictError,
    InvalidArgumentError,
    RateLimitError,
    ScripeError,
    ServerError,
    ServiceUnavailableError,
)
from scripe._async.client import set_clock
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import BREAK, Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio

GOOD = json_reply({"data": shapes.source()})


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
async def test_passing_faults_are_tried_again(
    async_client: AsyncScripe, server: ScriptedServer, status: int
) -> None:
    server.script(error(status), error(status), GOOD)
    source = await async_client.sources.retrieve("src_1")
    assert source.last_response.attempts == 3
    assert len(server.received) == 3


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 402, 403, 404, 405, 409, 413, 418, 422])
async def test_lasting_faults_are_not(async_client: AsyncScripe, server: ScriptedServer, status: int) -> None:
    server.script(error(status, Location="/v1/elsewhere"), GOOD)
    with pytest.raises(APIStatusError) as caught:
        await async_client.sources.retrieve("src_1")
    assert caught.value.status_code == status
    assert len(server.received) == 1
    assert not caught.value.retryable


async def test_broken_connections_are_tried_again(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(BREAK, Reply(200, GOOD.body, cut=10), GOOD)
    assert (await async_client.sources.retrieve("src_1")).last_response.attempts == 3


async def test_retries_end(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(BREAK)
    with pytest.raises(APIConnectionError, match=r"\b3 attempts") as caught:
        await async_client.sources.retrieve("src_1")
    assert len(server.received) == 3
    assert caught.value.retryable
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_no_retries_with_max_retries_0(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(error(500, "internal_error"))
    with pytest.raises(ServerError):
        await async_client.with_options(max_retries=0).sources.retrieve("src_1")
    assert len(server.received) == 1


async def test_a_refused_connection_is_an_error_of_the_tree() -> None:
    async with AsyncScripe(KEY, base_url="http://127.0.0.1:9", max_retries=0) as client:
        with pytest.raises(APIConnectionError, match="ConnectError"):
            await client.health.check()


async def test_one_key_and_the_same_bytes_for_all_attempts(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(BREAK, error(503, "service_unavailable"), GOOD)
    await async_client.sources.create_text(project_id="proj_1", text="Hello")
    keys = set(server.sent("idempotency-key"))
    assert len(keys) == len(server.bodies()) == 1
    assert keys != {None}


async def test_each_call_has_a_key_of_its_own(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(GOOD)
    for _ in range(3):
        await async_client.sources.create_text(project_id="proj_1", text="Hello")
    assert len(set(server.sent("idempotency-key"))) == 3


async def test_the_callers_key_is_sent(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(GOOD)
    await async_client.sources.create_text(project_id="proj_1", text="Hello", idempotency_key="import_42")
    assert server.sent("idempotency-key") == ["import_42"]


@pytest.mark.parametrize("bad", ["", "x" * 65, "a b", "a\n", "ümlaut", "a.b"])
async def test_c31_an_illegal_key_is_refused(
    async_client: AsyncScripe, server: ScriptedServer, bad: str
) -> None:
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        await async_client.sources.create_text(project_id="proj_1", text="Hello", idempotency_key=bad)
    assert server.received == []


@pytest.mark.parametrize("reply", [BREAK, error(500), error(404, "not_found"), Reply(200, b"?")])
async def test_an_error_of_a_write_carries_its_key(
    async_client: AsyncScripe, server: ScriptedServer, reply: Reply
) -> None:
    server.script(reply)
    with pytest.raises(ScripeError) as caught:
        await async_client.sources.create_text(project_id="proj_1", text="Hello")
    assert caught.value.idempotency_key == server.sent("idempotency-key")[0]


async def test_a_replayed_response_is_final(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(error(500, "internal_error", Idempotent_Replayed="true"), GOOD)
    with pytest.raises(ServerError) as caught:
        await async_client.sources.create_text(project_id="proj_1", text="Hello")
    assert len(server.received) == 1
    assert not caught.value.retryable


async def test_retry_after_in_seconds_is_waited(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(error(429, "rate_limited", Retry_After="17"), error(503, Retry_After="3"), GOOD)
    await async_client.with_options(max_retries=5).sources.retrieve("src_1")
    assert async_clock.sleeps[0] == 17
    assert 3 in async_clock.sleeps


async def test_retry_after_as_a_date_is_waited(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    """By the server's clock, from its `Date` header: ours may be wrong by years."""
    sent, until = formatdate(1_000_000_000, usegmt=True), formatdate(1_000_000_009, usegmt=True)
    server.script(error(503, Retry_After=until, Date=sent), GOOD)
    await async_client.sources.retrieve("src_1")
    assert async_clock.sleeps == [9]


@pytest.mark.parametrize("odd", ["-3", "soon", "nan", ""])
async def test_a_retry_after_that_makes_no_sense_counts_as_absent(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer, odd: str
) -> None:
    server.script(error(500, Retry_After=odd), GOOD)
    await async_client.sources.retrieve("src_1")
    assert 0 <= async_clock.sleeps[0] <= 0.5


async def test_a_429_without_retry_after_waits_for_the_reset(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(error(429, X_RateLimit_Reset="11"), GOOD)
    await async_client.sources.retrieve("src_1")
    assert async_clock.sleeps[0] == 11


async def test_a_503_waits_at_least_a_second(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(error(503), error(503), GOOD)
    await async_client.sources.retrieve("src_1")
    assert [1 <= pause <= 4 for pause in async_clock.sleeps] == [True, True]


async def test_a_wait_that_is_too_long_raises_at_once(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(error(429, "rate_limited", Retry_After="61"), GOOD)
    with pytest.raises(RateLimitError) as caught:
        await async_client.sources.retrieve("src_1")
    assert caught.value.retry_after == 61
    assert async_clock.sleeps == []
    assert len(server.received) == 1


async def test_a_delay_past_the_deadline_raises_the_responses_own_error(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(error(503, "service_unavailable", Retry_After="30"), GOOD)
    with pytest.raises(ServiceUnavailableError):
        await async_client.with_options(total_timeout=20).sources.retrieve("src_1")
    assert async_clock.sleeps == []


async def test_request_repeats_a_write_only_with_the_callers_key(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    for fault in (BREAK, error(500)):
        server.script(fault, json_reply({}))
        with pytest.raises(ScripeError):
            await async_client.request("POST", "/anything", json={})
        server.script(fault, json_reply({}))
        assert await async_client.request("POST", "/anything", json={}, idempotency_key="mine") == {}


async def test_request_repeats_any_write_that_was_refused_unread(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(error(429, Retry_After="1"), json_reply({"ok": True}))
    assert await async_client.request("POST", "/anything") == {"ok": True}


async def test_a_slow_response_times_out(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(Reply(200, GOOD.body, hold=1.0))
    with pytest.raises(APITimeoutError, match="ReadTimeout"):
        await async_client.with_options(timeout=0.2, max_retries=0).sources.retrieve("src_1")


async def test_a_deadline_bounds_the_whole_call(server: ScriptedServer) -> None:
    """Each byte arrives within `timeout`, but the response never ends."""
    server.script(Reply(200, GOOD.body, pace=0.05))
    async with AsyncScripe(KEY, base_url=server.base_url, total_timeout=0.3) as client:
        with pytest.raises(APITimeoutError, match=r"0\.3 s"):
            await client.sources.retrieve("src_1")


async def test_a_key_from_a_function_is_asked_again_after_a_401_once(server: ScriptedServer) -> None:
    keys = iter(["scripe_sk_test_old", "scripe_sk_test_new", "scripe_sk_test_newer"])
    server.script(error(401, "key_expired"), GOOD)
    async with AsyncScripe(lambda: next(keys), base_url=server.base_url) as client:
        await client.sources.retrieve("src_1")
        assert server.sent("authorization") == ["Bearer scripe_sk_test_old", "Bearer scripe_sk_test_new"]
        server.script(error(401, "key_revoked"))
        with pytest.raises(APIStatusError):
            await client.sources.retrieve("src_1")
    assert len(server.received) == 4


async def test_a_key_is_renewed_once_for_all_attempts_of_a_call(server: ScriptedServer) -> None:
    server.script(error(401, "key_expired"), error(500, Retry_After="0"), error(401, "key_revoked"), GOOD)
    async with AsyncScripe(lambda: "scripe_sk_test_x", base_url=server.base_url) as client:
        with pytest.raises(AuthenticationError):
            await client.sources.retrieve("src_1")
    assert len(server.received) == 3


async def test_a_lost_response_ends_with_one_record(emulator: Emulator, async_local: AsyncScripe) -> None:
    """For every write, over and over."""
    project = emulator.project_id
    for trial in range(40):
        emulator.drop_next(path="/sources")
        source = await async_local.sources.create_text(project_id=project, text=f"Take {trial}")
        assert source.last_response.idempotent_replayed is True
    assert emulator.count("sources") == 40
    for _ in range(20):
        emulator.drop_next(path="/uploads")
        await async_local.uploads.create(content_type="text/plain")
    assert emulator.count("uploads") == 20


async def test_a_key_used_with_another_body_conflicts(emulator: Emulator, async_local: AsyncScripe) -> None:
    project = emulator.project_id
    first = await async_local.sources.create_text(project_id=project, text="One", idempotency_key="k")
    again = await async_local.sources.create_text(project_id=project, text="One", idempotency_key="k")
    assert (again.id, again.last_response.idempotent_replayed) == (first.id, True)
    with pytest.raises(IdempotencyConflictError) as caught:
        await async_local.sources.create_text(project_id=project, text="Two", idempotency_key="k")
    assert caught.value.idempotency_key == "k"
    assert "jobs.list()" in str(caught.value)


class AsyncTickingClock(AsyncSleeplessClock):
    """A clock that is a second later each time that somebody looks at it."""

    def now(self) -> float:
        self.skip(1)
        return super().now()


async def test_a_deadline_that_passes_while_the_body_arrives_ends_the_call(server: ScriptedServer) -> None:
    server.script(Reply(200, b" " * 16_000_000))
    async with AsyncScripe(KEY, base_url=server.base_url, total_timeout=60, max_retries=0) as client:
        set_clock(client, AsyncTickingClock())
        with pytest.raises(APITimeoutError) as caught:
            await client.sources.retrieve("src_1")
    assert caught.value.is_total
