"""Calls as spans and metrics of OpenTelemetry."""

from __future__ import annotations

import re

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

import scripe
from scripe import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncScripe,
    InvalidArgumentError,
    NotFoundError,
    ResponseInfo,
    ServerError,
)
from scripe.emulator import Emulator
from scripe.otel import instrument
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import BREAK, Reply, ScriptedServer, error, json_reply
from tests.support.traces import Telemetry, attributes_of, events_of, select

pytestmark = pytest.mark.anyio

GOOD = json_reply({"data": shapes.source()}, X_Request_Id="req_1")


async def test_a_call_is_one_client_span(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    project = await async_observed.projects.retrieve(emulator.project_id)
    span, request_id = telemetry.only(), project.last_response.request_id
    assert span.name == "GET /v1/projects/{id}"
    assert span.kind == SpanKind.CLIENT
    assert span.parent is None
    assert (span.status.status_code, span.status.description) == (StatusCode.UNSET, None)
    assert attributes_of(span) == {
        "http.request.method": "GET",
        "server.address": "emulator.localhost",
        "server.port": 80,
        "url.full": f"http://emulator.localhost/v1/projects/{emulator.project_id}",
        "url.template": "/v1/projects/{id}",
        "http.response.status_code": 200,
        "scripe.request_id": request_id,
    }
    assert events_of(span) == [
        (
            "scripe.attempt",
            {"scripe.attempt": 1, "http.response.status_code": 200, "scripe.request_id": request_id},
        )
    ]
    scope = span.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("scripe", scripe.__version__)
    assert not trace.get_current_span().get_span_context().is_valid
    assert type(project.last_response.path) is str


async def test_a_write_records_its_size_and_not_its_body(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    await async_observed.sources.create_text(project_id=emulator.project_id, text="A calmer Tuesday.")
    attributes = attributes_of(telemetry.only())
    assert attributes["http.request.body.size"] == len(emulator.requests[0].body)
    assert attributes["scripe.idempotent_replayed"] is False
    assert "calmer" not in telemetry.as_text()


async def test_lists_are_recorded_without_their_queries(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    emulator.seed(jobs=3)
    await async_observed.jobs.list(page_size=2, type=["POST_GENERATION"]).to_list()
    assert telemetry.names() == ["GET /v1/jobs"] * 2
    assert {attributes_of(span)["url.full"] for span in telemetry.spans} == {
        "http://emulator.localhost/v1/jobs"
    }


async def test_attempts_and_pauses_are_events(
    async_observed_server: AsyncScripe, server: ScriptedServer, telemetry: Telemetry
) -> None:
    server.script(BREAK, error(429, Retry_After="7", X_Request_Id="req_0"), GOOD)
    await async_observed_server.sources.retrieve("src_1")
    span = telemetry.only()
    events = events_of(span)
    assert [name for name, _ in events] == [
        "scripe.attempt",
        "scripe.retry",
        "scripe.attempt",
        "scripe.retry",
        "scripe.attempt",
    ]
    assert select(events[0][1], "scripe.attempt", "error.type", "http.request.resend_count") == [
        1,
        "APIConnectionError",
        None,
    ]
    assert str(events[0][1]["error.message"]).startswith("Re")
    assert events[2][1] == {
        "scripe.attempt": 2,
        "http.response.status_code": 429,
        "http.request.resend_count": 1,
        "scripe.request_id": "req_0",
    }
    assert events[3][1] == {"scripe.attempt": 2, "scripe.wait": 7.0}
    assert events[4][1]["http.request.resend_count"] == 2
    attributes = attributes_of(span)
    assert select(
        attributes, "http.request.resend_count", "http.response.status_code", "scripe.request_id"
    ) == [
        2,
        200,
        "req_1",
    ]
    assert "error.type" not in attributes
    assert span.status.status_code is StatusCode.UNSET


async def test_requests_that_are_sent_again_are_counted_by_what_failed(
    async_observed_server: AsyncScripe, server: ScriptedServer, telemetry: Telemetry
) -> None:
    server.script(BREAK, error(503), GOOD)
    await async_observed_server.sources.retrieve("src_1")
    points = telemetry.points("scripe.client.call.retries")
    counted = [
        (getattr(point, "value", None), *select(point.attributes, "error.type", "http.response.status_code"))
        for point in points
    ]
    assert sorted(counted, key=str) == [(1, "APIConnectionError", None), (1, None, 503)]


async def test_a_call_is_measured_once(
    async_observed_server: AsyncScripe, server: ScriptedServer, telemetry: Telemetry
) -> None:
    good = json_reply({"data": shapes.source()})
    server.script(error(503), good, good, error(404, "not_found"))
    for _ in range(2):
        await async_observed_server.sources.retrieve("src_1")
    with pytest.raises(NotFoundError):
        await async_observed_server.sources.retrieve("src_2")
    points = telemetry.points("scripe.client.call.duration")
    assert sorted(
        (getattr(point, "count", 0), *select(point.attributes, "http.response.status_code", "error.type"))
        for point in points
    ) == [(1, 404, "NotFoundError"), (2, 200, None)]
    assert {tuple(sorted(point.attributes or {})) for point in points} == {
        (
            "http.request.method",
            "http.response.status_code",
            "server.address",
            "server.port",
            "url.template",
        ),
        (
            "error.type",
            "http.request.method",
            "http.response.status_code",
            "server.address",
            "server.port",
            "url.template",
        ),
    }


async def test_a_timeout_is_recorded_as_one(server: ScriptedServer, telemetry: Telemetry) -> None:
    server.script(Reply(200, hold=0.5))
    async with AsyncScripe(KEY, base_url=server.base_url, timeout=0.05, max_retries=0) as client:
        telemetry.instrument(client)
        with pytest.raises(APITimeoutError):
            await client.sources.retrieve("src_1")
    span = telemetry.only()
    assert events_of(span)[0][1]["error.type"] == "APITimeoutError"
    assert attributes_of(span)["error.type"] == "APITimeoutError"


async def test_a_rate_limit_wait_is_an_event_and_a_metric(telemetry: Telemetry) -> None:
    with Emulator(read_limit=2) as emulator:
        async with emulator.async_client() as client:
            telemetry.instrument(client)
            for _ in range(3):
                await client.workspaces.me()
    *_, span = telemetry.spans
    events = events_of(span)
    assert [name for name, _ in events] == ["scripe.rate_limit_wait", "scripe.attempt"]
    assert events[0][1] == {"scripe.wait": pytest.approx(60, abs=1)}
    (point,) = telemetry.points("scripe.client.rate_limit_wait.duration")
    assert (getattr(point, "count", 0), getattr(point, "sum", 0)) == (1, pytest.approx(60, abs=1))
    assert select(point.attributes, "http.request.method", "url.template") == ["GET", "/v1/workspaces/me"]
    assert telemetry.points("scripe.client.call.retries") == []


async def test_a_rate_limit_wait_past_the_deadline_is_recorded_too(telemetry: Telemetry) -> None:
    with Emulator(read_limit=1) as emulator:
        async with emulator.async_client() as client:
            telemetry.instrument(client)
            await client.workspaces.me()
            with pytest.raises(APITimeoutError, match=r"60\.0 s.* 5 s"):
                await client.with_options(total_timeout=5).workspaces.me()
    span = telemetry.spans[-1]
    assert attributes_of(span)["error.type"] == "APITimeoutError"
    assert span.status.status_code == StatusCode.ERROR
    assert "rate limit" in (span.status.description or "")
    assert events_of(span) == []


async def test_a_lost_response_that_is_replayed(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    emulator.drop_next(path="/sources")
    await async_observed.sources.create_text(project_id=emulator.project_id, text="Once.")
    span = telemetry.only()
    assert [
        select(attributes, "error.type", "scripe.idempotent_replayed") for _, attributes in events_of(span)
    ] == [
        ["APIConnectionError", None],
        [None, None],
        [None, True],
    ]
    assert attributes_of(span)["scripe.idempotent_replayed"] is True


async def test_a_renewed_key_makes_two_requests_of_one_attempt(
    server: ScriptedServer, telemetry: Telemetry
) -> None:
    server.script(error(401, "key_expired"), GOOD)
    keys = iter([KEY, f"{KEY}2"])
    async with AsyncScripe(lambda: next(keys), base_url=server.base_url) as client:
        telemetry.instrument(client)
        await client.sources.retrieve("src_1")
    span = telemetry.only()
    assert [
        select(attributes, "scripe.attempt", "http.response.status_code", "http.request.resend_count")
        for _, attributes in events_of(span)
    ] == [[1, 401, None], [1, 200, 1]]
    assert attributes_of(span)["http.request.resend_count"] == 1
    assert KEY not in telemetry.as_text()


@pytest.mark.parametrize(
    ("status", "code", "error_type", "shown_code"),
    [
        (404, "not_found", "NotFoundError", "not_found"),
        (409, "idempotency_key_conflict", "IdempotencyConflictError", "idempotency_key_conflict"),
        (418, "a code that no page of the API names", "APIStatusError", None),
    ],
)
async def test_an_error_is_recorded_by_its_class_and_its_code(
    async_observed_server: AsyncScripe,
    server: ScriptedServer,
    telemetry: Telemetry,
    status: int,
    code: str,
    error_type: str,
    shown_code: str | None,
) -> None:
    server.script(error(status, code))
    with pytest.raises(APIStatusError):
        await async_observed_server.sources.retrieve("src_1")
    span = telemetry.only()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    attributes = attributes_of(span)
    assert select(
        attributes, "error.type", "http.response.status_code", "scripe.error.code", "scripe.retryable"
    ) == [error_type, status, shown_code, False]
    assert "told as" not in telemetry.as_text()
    assert all(name == "scripe.attempt" for name, _ in events_of(span))


async def test_an_error_after_all_attempts(
    async_observed_server: AsyncScripe, server: ScriptedServer, telemetry: Telemetry
) -> None:
    server.script(error(500, "internal_error"))
    with pytest.raises(ServerError):
        await async_observed_server.sources.retrieve("src_1")
    attributes = attributes_of(telemetry.only())
    assert select(attributes, "error.type", "http.request.resend_count", "scripe.retryable") == [
        "ServerError",
        2,
        True,
    ]


async def test_no_connection_at_all(telemetry: Telemetry) -> None:
    async with AsyncScripe(KEY, base_url="http://127.0.0.1:9/v1", max_retries=0) as client:
        telemetry.instrument(client)
        with pytest.raises(APIConnectionError):
            await client.health.check()
    span = telemetry.only()
    assert select(span.attributes, "error.type", "server.address", "server.port") == [
        "APIConnectionError",
        "127.0.0.1",
        9,
    ]
    assert str(span.status.description).startswith("GET /health: ConnectError")


async def test_a_response_that_makes_no_sense(
    async_observed_server: AsyncScripe, server: ScriptedServer, telemetry: Telemetry
) -> None:
    server.script(Reply(200, b"<p>Welcome to the proxy.</p>"))
    with pytest.raises(scripe.APIResponseValidationError):
        await async_observed_server.sources.retrieve("src_1")
    span = telemetry.only()
    assert select(span.attributes, "error.type", "http.response.status_code") == [
        "APIResponseValidationError",
        200,
    ]
    assert "Welcome" not in telemetry.as_text()


async def test_what_a_callback_raises_is_named_and_not_quoted(
    server: ScriptedServer, telemetry: Telemetry
) -> None:
    class OddError(Exception):
        pass

    def stop(_response: ResponseInfo) -> None:
        raise OddError("their own words")

    server.script(GOOD)
    async with AsyncScripe(KEY, base_url=server.base_url, on_response=stop) as client:
        telemetry.instrument(client)
        with pytest.raises(OddError):
            await client.sources.retrieve("src_1")
    span = telemetry.only()
    assert str(attributes_of(span)["error.type"]).endswith("OddError")
    assert str(attributes_of(span)["error.type"]).startswith("tests.")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)


async def test_a_degraded_health_is_no_error(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    emulator.degrade()
    assert not (await async_observed.health.check()).is_ok
    span = telemetry.only()
    assert (span.name, span.status.status_code) == ("GET /v1/health", StatusCode.UNSET)
    assert attributes_of(span)["http.response.status_code"] == 503


async def test_a_deadline_ends_the_span(server: ScriptedServer, telemetry: Telemetry) -> None:
    server.script(Reply(200, hold=0.5))
    async with AsyncScripe(KEY, base_url=server.base_url, total_timeout=0.1) as client:
        telemetry.instrument(client)
        with pytest.raises(APITimeoutError):
            await client.sources.retrieve("src_1")
    span = telemetry.only()
    assert attributes_of(span)["error.type"] == "APITimeoutError"
    assert str(span.status.description).startswith("GET /sources/src_1: ")
    assert not trace.get_current_span().get_span_context().is_valid


async def test_copies_share_the_observer(async_observed: AsyncScripe, telemetry: Telemetry) -> None:
    copy = async_observed.with_options(timeout=5)
    await copy.workspaces.me()
    await async_observed.with_options(max_retries=0).with_options(timeout=5).workspaces.me()
    assert telemetry.names() == ["GET /v1/workspaces/me"] * 2


async def test_to_instrument_again_replaces(async_observed: AsyncScripe, telemetry: Telemetry) -> None:
    telemetry.instrument(async_observed)
    telemetry.instrument(async_observed.with_options(timeout=5))
    await async_observed.workspaces.me()
    assert telemetry.names() == ["GET /v1/workspaces/me"]
    other = Telemetry()
    other.instrument(async_observed)
    await async_observed.workspaces.me()
    assert len(telemetry.spans) == 1
    assert len(other.spans) == 1
    other.meter_provider.shutdown()


async def test_the_callers_own_path_gives_no_name(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    """Only the caller knows which parts of it are ids."""
    (job_id,) = emulator.seed(jobs=1).job_ids
    await async_observed.request("GET", f"/jobs/{job_id}")
    await async_observed.request("GET", "/jobs?limit=1", params={"status": "DONE"})
    assert telemetry.names() == ["GET", "GET"]
    assert [select(span.attributes, "url.full", "url.template") for span in telemetry.spans] == [
        [f"http://emulator.localhost/v1/jobs/{job_id}", None],
        ["http://emulator.localhost/v1/jobs", None],
    ]


async def test_a_method_of_the_callers_own_makes_no_series(
    async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    with pytest.raises(APIStatusError):
        await async_observed.request("BREW", "/projects")
    span = telemetry.only()
    assert span.name == "HTTP"
    assert select(span.attributes, "http.request.method", "http.request.method_original") == [
        "_OTHER",
        "BREW",
    ]


async def test_a_trace_that_is_not_sampled_is_measured_all_the_same(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    unsampled = Telemetry(ALWAYS_OFF)
    unsampled.instrument(async_local)
    emulator.fail_next(503)
    await async_local.workspaces.me()
    assert unsampled.spans == []
    (point,) = unsampled.points("scripe.client.call.retries")
    assert getattr(point, "value", None) == 1
    sent = re.fullmatch(r"00-\w{32}-\w{16}-(\w\w)", emulator.requests[0].headers["traceparent"])
    assert sent is not None
    assert not int(sent[1], 16) & trace.TraceFlags.SAMPLED
    unsampled.meter_provider.shutdown()


async def test_without_providers_the_global_ones_are_used(
    emulator: Emulator, async_local: AsyncScripe
) -> None:
    """There are none here, so nothing is recorded, and no header sent."""
    assert instrument(async_local) is async_local
    await async_local.workspaces.me()
    assert "traceparent" not in emulator.requests[0].headers


async def test_what_is_no_client_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"client.* str"):
        instrument("scripe")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]


async def test_a_client_has_no_observer_by_default(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer, telemetry: Telemetry
) -> None:
    server.script(error(503), GOOD)
    await async_client.sources.retrieve("src_1")
    assert telemetry.spans == []
    assert server.sent("traceparent") == [None, None]
