"""The rate limiter: calls wait instead of getting a 429."""

from __future__ import annotations

import logging
import time

import pytest

from scripe import APITimeoutError, AsyncScripe, RateLimiter, RateLimitError, _log
from scripe._async.client import set_clock
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import Received, Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio

GOOD = json_reply({"data": shapes.source()})


def limit_headers(remaining: int, reset: str) -> dict[str, str]:
    return {"X_RateLimit_Limit": "120", "X_RateLimit_Remaining": str(remaining), "X_RateLimit_Reset": reset}


async def test_when_nothing_remains_the_next_call_waits_for_the_reset(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": shapes.source()}, 200, **limit_headers(0, "17")), GOOD)
    await async_client.sources.retrieve("src_1")
    source = await async_client.with_options(max_retries=0).sources.retrieve("src_1")
    assert sum(async_clock.sleeps) == pytest.approx(17, abs=0.5)
    assert source.last_response.attempts == 1


async def test_a_reset_the_size_of_an_epoch_counts_as_one(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    until = time.time() + 20
    server.script(json_reply({"data": shapes.source()}, 200, **limit_headers(0, f"{until:.0f}")), GOOD)
    await async_client.sources.retrieve("src_1")
    await async_client.sources.retrieve("src_1")
    assert sum(async_clock.sleeps) == pytest.approx(20, abs=1)


async def test_buckets_are_separate(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": shapes.source()}, 200, **limit_headers(0, "17")), GOOD)
    await async_client.sources.retrieve("src_1")
    await async_client.sources.create_text(project_id="proj_1", text="Hello")
    assert async_clock.sleeps == []


async def test_headers_that_come_only_with_a_429_are_learnt_from(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    """The rejected call is sent again after Retry-After; a parallel call waits as long."""
    server.script(error(429, "rate_limited", Retry_After="30"), GOOD)
    with pytest.raises(Exception, match="rate_limited"):
        await async_client.with_options(max_retries=0).sources.retrieve("src_1")
    await async_client.sources.retrieve("src_1")
    assert sum(async_clock.sleeps) == pytest.approx(30, abs=0.5)


async def test_copies_share_the_rate_limit(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": shapes.source()}, 200, **limit_headers(0, "5")), GOOD)
    await async_client.with_options(timeout=5).sources.retrieve("src_1")
    await async_client.with_options(timeout=6).sources.retrieve("src_1")
    assert sum(async_clock.sleeps) == pytest.approx(5, abs=0.5)


async def test_a_rate_limit_wait_past_the_deadline_is_a_timeout(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": shapes.source()}, 200, **limit_headers(0, "17")), GOOD)
    await async_client.sources.retrieve("src_1")
    with pytest.raises(APITimeoutError, match=r"17\.0 s.* 5 s"):
        await async_client.with_options(total_timeout=5).sources.retrieve("src_1")
    assert async_clock.sleeps == []
    assert len(server.received) == 1


async def test_it_can_be_turned_off(server: ScriptedServer) -> None:
    server.script(json_reply({"data": shapes.source()}, 200, **limit_headers(0, "17")), GOOD)
    async with AsyncScripe(KEY, base_url=server.base_url, rate_limiter=None) as client:
        await client.sources.retrieve("src_1")
        await client.with_options(total_timeout=1).sources.retrieve("src_1")
    assert len(server.received) == 2


async def test_clients_can_share_one(server: ScriptedServer) -> None:
    shared = RateLimiter()
    server.script(json_reply({"data": shapes.source()}, 200, **limit_headers(0, "17")), GOOD)
    async with AsyncScripe(KEY, base_url=server.base_url, rate_limiter=shared) as client:
        await client.sources.retrieve("src_1")
    async with AsyncScripe(KEY, base_url=server.base_url, rate_limiter=shared, total_timeout=1) as client:
        with pytest.raises(APITimeoutError):
            await client.sources.retrieve("src_1")


async def test_a_rate_limit_wait_is_logged(
    async_client: AsyncScripe, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that waits without a log line seems to hang."""
    server.script(json_reply({"data": shapes.source()}, 200, **limit_headers(0, "30")))
    _log._last_wait_warning.clear()  # pyright: ignore[reportPrivateUsage]
    with caplog.at_level(logging.INFO, "scripe"):
        await async_client.sources.retrieve("src_1")
        assert caplog.messages == []
        await async_client.sources.retrieve("src_1")
        await async_client.sources.retrieve("src_1")
    assert caplog.messages == ["Rate limit reached (read): waiting 30 s before GET /sources/src_1"] * 2
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]  # a warning once a minute
    assert 29 < vars(caplog.records[0])["scripe_wait"] <= 30


async def test_a_short_wait_is_no_warning(
    async_client: AsyncScripe, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    _log._last_wait_warning.clear()  # pyright: ignore[reportPrivateUsage]
    server.script(
        error(429, Retry_After="4"), json_reply({"data": shapes.source()}, 200, **limit_headers(0, "4"))
    )
    with caplog.at_level(logging.INFO, "scripe"):
        await async_client.sources.retrieve("src_1")
        await async_client.sources.retrieve("src_1")
    assert {record.levelname for record in caplog.records} == {"INFO"}


async def test_a_429_that_does_not_say_when_is_tried_again_after_1_2_and_4_seconds(
    async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    """With a rate limiter and without; a parallel call waits as long, and no longer."""
    for limiter in (RateLimiter(), None):
        async_clock.sleeps.clear()
        server.script(*[error(429, "rate_limited")] * 3, GOOD)
        async with AsyncScripe(KEY, base_url=server.base_url, rate_limiter=limiter, max_retries=3) as client:
            set_clock(client, async_clock)
            await client.sources.retrieve("src_1")
            await client.sources.retrieve("src_1")
        assert [round(seconds) for seconds in async_clock.sleeps if seconds > 0.1] == [1, 2, 4]


async def test_headers_on_every_response_decide_however_short_the_window(server: ScriptedServer) -> None:
    """5 requests in a second: 12 calls take 2 seconds, and none is refused."""
    sent: list[float] = []

    def count(request: Received) -> Reply:
        now = request.at
        recent = [at for at in sent if at > now - 1]
        is_refused = len(recent) >= 5
        if not is_refused:
            sent.append(now)
            recent.append(now)
        limits = {"X_RateLimit_Limit": "5", "X_RateLimit_Remaining": str(5 - len(recent))}
        reset = {"X_RateLimit_Reset": f"{recent[0] + 1 - now:.3f}"}
        return (
            error(429, **limits, **reset)
            if is_refused
            else json_reply({"data": shapes.source()}, 200, **limits, **reset)
        )

    server.script(count)
    async with AsyncScripe(KEY, base_url=server.base_url, max_retries=0) as client:
        started = time.monotonic()
        for _ in range(12):
            await client.sources.retrieve("src_1")
        assert 1.9 < time.monotonic() - started < 30  # a whole window would be 60
    assert len(sent) == len(server.received) == 12


async def test_far_over_the_rate_limit_no_call_is_rejected(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    """Against the emulator's sliding window: no 429, and the rate limit is used up."""
    started = emulator.clock.now()
    for _ in range(500):
        await async_local.with_options(max_retries=0).workspaces.me()
    minutes = (emulator.clock.now() - started).total_seconds() / 60
    assert all(request.status == 200 for request in emulator.requests)
    assert 500 / minutes >= 0.95 * 120


async def test_headers_only_with_a_429_still_keep_the_rate_limit() -> None:
    with Emulator(rate_headers="limited") as emulator:
        async with emulator.async_client() as client:
            for _ in range(500):
                await client.workspaces.me()
        refused = [request for request in emulator.requests if request.status == 429]
    assert len(refused) <= 2


async def test_a_429_is_waited_for_and_is_no_retry(async_client: AsyncScripe, server: ScriptedServer) -> None:
    """Other clients of the workspace used up the rate limit; the call has not failed."""
    refused = error(429, "rate_limited", Retry_After="1")
    server.script(*[refused] * 5, error(500), error(500), json_reply({"data": shapes.source()}))
    source = await async_client.sources.retrieve("src_1")
    assert source.last_response.attempts == 8


async def test_429s_without_end_are_an_error_all_the_same(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(error(429, "rate_limited", Retry_After="0"))
    with pytest.raises(RateLimitError):
        await async_client.sources.retrieve("src_1")
    assert len(server.received) == 11
    server.received.clear()
    async with AsyncScripe(KEY, base_url=server.base_url, rate_limiter=None) as unlimited:
        with pytest.raises(RateLimitError):
            await unlimited.sources.retrieve("src_1")
        with pytest.raises(RateLimitError):
            await unlimited.with_options(max_retries=0).sources.retrieve("src_1")
    assert len(server.received) == 4
