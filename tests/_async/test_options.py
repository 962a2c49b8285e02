"""Options: their sources, their validation, the state that copies share, and closing a client."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

import scripe
from scripe import (
    APIStatusError,
    APITimeoutError,
    AsyncScripe,
    ClientClosedError,
    ConfigurationError,
    RateLimiter,
    ResponseInfo,
    ScripeError,
)
from scripe._http import AsyncHTTPClient
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import Received, Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio

GOOD = json_reply({"data": shapes.source()})


async def test_options_from_the_environment(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", f"  {KEY}\n")
    monkeypatch.setenv("SCRIPE_BASE_URL", f"{server.base_url}/")
    monkeypatch.setenv("SCRIPE_WORKSPACE_ID", "org_env")
    server.script(GOOD)
    async with AsyncScripe() as client:
        await client.sources.retrieve("src_1")
        await client.with_options(workspace_id=None).sources.retrieve("src_1")
        await client.with_options(workspace_id="org_copy").sources.retrieve("src_1")
    async with AsyncScripe("scripe_sk_live_argument", workspace_id="org_argument") as client:
        await client.sources.retrieve("src_1")
    assert server.sent("authorization") == [f"Bearer {KEY}"] * 3 + ["Bearer scripe_sk_live_argument"]
    assert server.sent("scripe-workspace-id") == ["org_env", None, "org_copy", "org_argument"]


async def test_resources_of_a_copy_send_with_its_options(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(GOOD)
    await async_client.sources.retrieve("src_1")  # loads the resource before the copies are made
    for workspace_id in ("org_A", "org_B"):
        await async_client.with_options(workspace_id=workspace_id).sources.retrieve("src_1")
    assert server.sent("scripe-workspace-id") == [None, "org_A", "org_B"]


async def test_c24_no_workspace_is_sent_unless_asked_for(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(GOOD)
    await async_client.sources.retrieve("src_1")
    assert server.sent("scripe-workspace-id") == [None]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: AsyncScripe(), "SCRIPE_API_KEY"),
        (lambda: AsyncScripe("  "), "SCRIPE_API_KEY"),
        (lambda: AsyncScripe("scripe_sk test"), "API key"),
        (lambda: AsyncScripe("scripe_sk\ntest"), "API key"),
        (lambda: AsyncScripe("schlüssel"), "API key"),
        (lambda: AsyncScripe(KEY, base_url="api.scripe.io"), "base_url"),
        (lambda: AsyncScripe(KEY, base_url="ftp://api.scripe.io"), "base_url"),
        (lambda: AsyncScripe(KEY, base_url="https://"), "base_url"),
        (lambda: AsyncScripe(KEY, base_url="https://a:b"), "base_url"),
        (lambda: AsyncScripe(KEY, base_url="https://a/v1?x=1"), "base_url"),
        (lambda: AsyncScripe(KEY, base_url="https://me:secret@a/v1"), "base_url"),
        (lambda: AsyncScripe(KEY, base_url="http://api.scripe.io/v1"), "allow_insecure"),
        (lambda: AsyncScripe(KEY, timeout=0), "timeout"),
        (lambda: AsyncScripe(KEY, total_timeout=-1), "total_timeout"),
        (lambda: AsyncScripe(KEY, max_retries=-1), "max_retries"),
        (lambda: AsyncScripe(KEY, api_version=""), "api_version"),
        (lambda: AsyncScripe(KEY, app_info="a\r\nX-Evil: 1"), "app_info"),
        (lambda: AsyncScripe(KEY, workspace_id="org ü"), "workspace_id"),
        (lambda: AsyncScripe(KEY, http_client=cast("AsyncHTTPClient", object())), "http_client"),
        (lambda: AsyncScripe(KEY, base_url=cast("str", 5)), "base_url"),
        (lambda: AsyncScripe(KEY, rate_limiter=cast("RateLimiter", 5)), "rate_limiter"),
        (lambda: AsyncScripe(KEY, on_response=cast("Callable[[object], object]", 5)), "on_response"),
    ],
)
async def test_what_cannot_be_right_is_refused(make: Callable[[], AsyncScripe], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        make()
    assert isinstance(caught.value, ValueError)
    assert KEY not in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_no_proxy_stands_between_us_and_this_machine(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy from the environment would see the API key, and could not reach this machine's loopback."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.script(GOOD)
    for host in ("127.0.0.1", "localhost"):
        url = server.base_url.replace("127.0.0.1", host)
        async with AsyncScripe(KEY, base_url=url, max_retries=0) as client:
            await client.sources.retrieve("src_1")
    async with AsyncScripe(
        KEY, base_url="http://elsewhere.example", allow_insecure=True, max_retries=0
    ) as client:
        with pytest.raises(ScripeError, match="ConnectError"):
            await client.sources.retrieve("src_1")


@pytest.mark.parametrize(
    "url", ["http://localhost:1/v1", "http://127.8.9.1/v1", "http://[::1]:9/v1", "https://a/v1"]
)
async def test_loopback_may_be_plain(url: str) -> None:
    await AsyncScripe(KEY, base_url=url).close()


async def test_plain_http_is_allowed_when_asked_for() -> None:
    await AsyncScripe(KEY, base_url="http://10.0.0.1/v1", allow_insecure=True).close()


@pytest.mark.parametrize(
    "headers", [{"Authorization": "x"}, {"idempotency-key": "x"}, {"a b": "x"}, {"X-A": "a\nb"}, {"X-A": ""}]
)
async def test_extra_headers_that_the_client_owns_are_refused(
    async_client: AsyncScripe, headers: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match="extra_headers"):
        async_client.with_options(extra_headers=headers)


@pytest.mark.beyond_the_description
async def test_a_copy_has_other_options_over_the_same_connections(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(GOOD)
    copy = async_client.with_options(
        api_version="2026-11-01", extra_headers={"X-Trace": "1", "User-Agent": "mine"}, timeout=None
    )
    await copy.with_options(extra_headers={"X-More": "2"}).sources.retrieve("src_1")
    await async_client.sources.retrieve("src_1")
    assert server.sent("scripe-api-version") == ["2026-11-01", "2026-08-01"]
    assert server.sent("x-trace") == ["1", None]
    assert server.sent("x-more") == ["2", None]
    assert server.sent("user-agent")[0] == "mine"


async def test_closing_a_copy_closes_nothing(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(GOOD)
    copy = async_client.with_options(timeout=1)
    await copy.close()
    await async_client.sources.retrieve("src_1")
    await async_client.close()
    await async_client.close()
    for closed in (async_client, copy):
        with pytest.raises(ClientClosedError):
            await closed.sources.retrieve("src_1")


async def test_on_response_gets_each_response_of_the_api_but_not_storages(emulator: Emulator) -> None:
    responses: list[ResponseInfo] = []

    async def hear(response: ResponseInfo) -> None:
        responses.append(response)

    async with emulator.async_client(on_response=hear) as client:
        emulator.fail_next(500, path="/projects")
        await client.projects.list().first()
        await client.uploads.upload_file(b"Words.", content_type="text/plain")
    assert [
        (response.method, response.path, response.status_code, response.attempts) for response in responses
    ] == [
        ("GET", "/projects", 500, 1),
        ("GET", "/projects", 200, 2),
        ("POST", "/uploads", 200, 1),
    ]


async def test_what_on_response_raises_reaches_the_caller_unchanged(server: ScriptedServer) -> None:
    def hear(response: ResponseInfo) -> None:
        raise LookupError(response.status_code)

    server.script(GOOD)
    async with AsyncScripe(KEY, base_url=server.base_url, on_response=hear) as client:
        for _ in range(2):
            with pytest.raises(LookupError, match="200"):
                await client.sources.retrieve("src_1")


async def test_a_timeout_of_the_callers_own_is_no_deadline(server: ScriptedServer) -> None:
    def hear(response: ResponseInfo) -> None:
        raise TimeoutError("mine")

    server.script(GOOD)
    async with AsyncScripe(KEY, base_url=server.base_url, on_response=hear, total_timeout=5) as client:
        with pytest.raises(TimeoutError, match="mine"):
            await client.sources.retrieve("src_1")


async def test_what_on_update_raises_reaches_the_caller_unchanged(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    def hear(job: scripe.Job) -> None:
        raise LookupError(job.id)

    server.script(json_reply({"data": shapes.job(status="DONE")}))
    with pytest.raises(LookupError, match="job_1"):
        await async_client.jobs.wait("job_1", on_update=hear)
    with pytest.raises(LookupError, match="job_1"):
        await async_client.jobs.wait_all(["job_1"], on_update=hear)


async def test_a_deadline_bounds_all_steps_of_a_composite(emulator: Emulator) -> None:
    """Here, creating the link and the upload use up all of it."""
    async with emulator.async_client(total_timeout=30) as client:
        emulator.fail_next(503, retry_after=25, path="/uploads")
        emulator.fail_next(503, retry_after=25, path="/sources")
        with pytest.raises(APIStatusError):
            await client.sources.ingest(b"Words.", project_id=emulator.project_id, content_type="text/plain")


async def test_a_deadline_that_has_passed_sends_nothing(
    async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    def advance_clock(response: ResponseInfo) -> None:
        async_clock.skip(100)

    server.script(error(401, "key_expired"), GOOD)
    async with AsyncScripe(
        lambda: KEY, base_url=server.base_url, on_response=advance_clock, total_timeout=50
    ) as client:
        scripe_clock_of(client, async_clock)
        with pytest.raises(APITimeoutError, match="50 s"):
            await client.sources.retrieve("src_1")
    assert len(server.received) == 1


async def test_a_response_that_ends_after_the_deadline_is_late(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    def advance_clock(request: Received) -> Reply:
        async_clock.skip(100)
        return replace(GOOD, pace=pace, is_slow_from_its_head=True)

    server.script(advance_clock)
    pace = 0.01
    with pytest.raises(APITimeoutError, match="50 s"):
        await async_client.with_options(total_timeout=50).sources.retrieve("src_1")
    pace = 0.0
    assert (await async_client.with_options(total_timeout=50).sources.retrieve("src_1")).id == "src_1"


async def test_a_deadline_used_up_by_the_mint_leaves_none_for_the_upload(
    async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    def advance_clock(response: ResponseInfo) -> None:
        async_clock.skip(100)

    server.script(json_reply({"data": shapes.upload(f"{server.origin}/k")}))
    async with AsyncScripe(
        KEY, base_url=server.base_url, on_response=advance_clock, total_timeout=50
    ) as client:
        scripe_clock_of(client, async_clock)
        with pytest.raises(APITimeoutError, match="50 s"):
            await client.uploads.upload_file(b"Words.", content_type="text/plain")
    assert [request.method for request in server.received] == ["POST"]


async def test_a_deadline_is_looked_at_between_blocks(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    def advance_clock(progress: scripe.Progress) -> None:
        async_clock.skip(100)

    server.script(Reply(200))
    upload = scripe.Upload.model_validate(shapes.upload(f"{server.origin}/k", maxSizeBytes=9_000_000))
    with pytest.raises(APITimeoutError, match="150 s"):
        await async_client.with_options(total_timeout=150).uploads.put(
            upload, bytes(5_000_000), on_progress=advance_clock
        )


def scripe_clock_of(client: AsyncScripe, clock: AsyncSleeplessClock) -> None:
    from scripe._async.client import set_clock

    set_clock(client, clock)


async def test_every_code_of_the_api_has_its_error(async_client: AsyncScripe, server: ScriptedServer) -> None:
    """The code decides, then the status: C10, C14."""
    kinds = {
        ("invalid_request", 400): scripe.BadRequestError,
        ("bad_cursor", 400): scripe.BadCursorError,
        ("bad_pagination", 400): scripe.BadPaginationError,
        ("version_unsupported", 400): scripe.VersionUnsupportedError,
        ("ssrf_blocked", 400): scripe.BadRequestError,
        ("ssrf_blocked", 422): scripe.UnprocessableEntityError,
        ("unauthenticated", 401): scripe.AuthenticationError,
        ("invalid_token", 401): scripe.AuthenticationError,
        ("key_revoked", 401): scripe.AuthenticationError,
        ("key_expired", 401): scripe.AuthenticationError,
        ("spend_cap_exceeded", 402): scripe.SpendCapExceededError,
        ("scope_missing", 403): scripe.ScopeMissingError,
        ("plan_not_eligible", 403): scripe.PlanNotEligibleError,
        ("plan_not_eligible", 401): scripe.PlanNotEligibleError,
        ("workspace_mismatch", 403): scripe.WorkspaceMismatchError,
        ("not_found", 404): scripe.NotFoundError,
        ("conflict", 409): scripe.ConflictError,
        ("idempotency_key_conflict", 409): scripe.IdempotencyConflictError,
        ("not_cancellable", 409): scripe.NotCancellableError,
        ("payload_too_large", 413): scripe.PayloadTooLargeError,
        ("unprocessable", 422): scripe.UnprocessableEntityError,
        ("rate_limited", 429): scripe.RateLimitError,
        ("internal_error", 500): scripe.ServerError,
        ("service_unavailable", 503): scripe.ServiceUnavailableError,
        ("unheard_of", 400): scripe.BadRequestError,
        ("unheard_of", 403): scripe.PermissionDeniedError,
        ("unheard_of", 405): scripe.APIStatusError,
        ("unheard_of", 507): scripe.ServerError,
        ("", 302): scripe.APIStatusError,
    }
    for (code, status), error_class in kinds.items():
        server.script(error(status, code))
        with pytest.raises(APIStatusError) as caught:
            await async_client.with_options(max_retries=0).sources.retrieve("src_1")
        assert type(caught.value) is error_class
        assert (caught.value.code or "") == code
        assert caught.value.status_code == status
        assert caught.value.request_id == "req_told"


async def test_c8_details_and_meta_are_both_read(async_client: AsyncScripe, server: ScriptedServer) -> None:
    body = {
        "code": "scope_missing",
        "message": "no",
        "details": {"required": ["notes:read"]},
        "meta": {"a": 1},
    }
    server.script(json_reply({"error": body}, 403))
    with pytest.raises(scripe.ScopeMissingError) as caught:
        await async_client.sources.retrieve("src_1")
    assert caught.value.required == ["notes:read"]
    assert caught.value.extra == {"required": ["notes:read"], "a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b'{"error": "invalid_grant", "error_description": "old"}',
        b'{"error": 3}',
        b"[" * 99999,
    ],
)
@pytest.mark.parametrize("status", [302, 400, 404, 502])
async def test_any_status_with_any_body_is_an_error_of_the_tree(
    async_client: AsyncScripe, server: ScriptedServer, status: int, body: bytes
) -> None:
    server.script(Reply(status, body, {"X-Request-Id": "req_odd"}))
    with pytest.raises(APIStatusError) as caught:
        await async_client.with_options(max_retries=0).sources.retrieve("src_1")
    assert (caught.value.status_code, caught.value.request_id) == (status, "req_odd")
    assert str(caught.value)


async def test_an_error_body_is_read_up_to_a_limit(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(Reply(404, b"x" * 3_000_000))
    with pytest.raises(APIStatusError) as caught:
        await async_client.sources.retrieve("src_1")
    assert isinstance(caught.value.body, str)
    assert len(caught.value.body) == 1_048_576


async def test_a_deprecation_warns_once(async_client: AsyncScripe, server: ScriptedServer) -> None:
    version = f"2026-08-01-{uuid.uuid4()}"
    notice = f"{version}; sunset=2026-12-01; replacement=2026-11-01"
    server.script(json_reply({"data": shapes.source()}, Scripe_Deprecation=notice))
    with pytest.warns(scripe.ScripeDeprecationWarning, match=r"2026-12-01.*2026-11-01") as caught:
        source = await async_client.sources.retrieve("src_1")
    await async_client.sources.retrieve("src_1")
    deprecation = source.last_response.deprecation
    assert deprecation is not None
    assert deprecation.version == version
    assert str(deprecation.sunset) == "2026-12-01"
    assert deprecation.replacement == "2026-11-01"
    assert len(caught) == 1
    assert caught[0].filename == __file__


async def test_a_copy_by_pythons_own_means_shares_all(async_client: AsyncScripe) -> None:
    copied = copy.copy(async_client)
    assert copied._sender.session is async_client._sender.session  # pyright: ignore[reportPrivateUsage]
    await copied.close()
    assert async_client._sender.session.transport()  # pyright: ignore[reportPrivateUsage]
