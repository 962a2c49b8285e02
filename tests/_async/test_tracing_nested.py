"""Nested spans: of code below a call, of uploads, of operations of several calls; context propagation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest
from opentelemetry import baggage, context
from opentelemetry.context import (
    _SUPPRESS_HTTP_INSTRUMENTATION_KEY as WITHOUT_HTTP,  # pyright: ignore[reportPrivateUsage]
)
from opentelemetry.trace import SpanKind, StatusCode

from scripe import AsyncScripe, JobFailedError, Upload, UploadError
from scripe.emulator import Emulator
from tests.support import shapes
from tests.support.server import Reply, ScriptedServer
from tests.support.traces import Telemetry, attributes_of, context_of, events_of, is_child, select

pytestmark = pytest.mark.anyio

WORDS = b"Nobody buys features. " * 40

Work: TypeAlias = Callable[[AsyncScripe, Emulator], Awaitable[object]]


async def test_the_context_goes_to_the_api(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    """With each attempt, baggage included; but not to storage."""
    emulator.fail_next(503)
    token = context.attach(baggage.set_baggage("desk", "news"))
    try:
        await async_observed.uploads.upload_file(WORDS, content_type="text/plain")
    finally:
        context.detach(token)
    mint = context_of(telemetry.spans[0])
    parent = f"00-{mint.trace_id:032x}-{mint.span_id:016x}-{mint.trace_flags:02x}"
    assert mint.trace_flags.sampled
    first, again, put = emulator.requests
    assert [request.headers.get("traceparent") for request in (first, again)] == [parent, parent]
    assert [request.headers.get("baggage") for request in (first, again)] == ["desk=news"] * 2
    assert put.storage
    assert {"traceparent", "tracestate", "baggage"}.isdisjoint(name.lower() for name in put.headers)


async def test_a_propagator_cannot_take_the_place_of_our_headers(
    emulator: Emulator, async_observed: AsyncScripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inject(headers: dict[str, str]) -> None:
        headers.update({"Idempotency-Key": "theirs", "X-Theirs": "1"})

    monkeypatch.setattr("opentelemetry.propagate.inject", inject)
    await async_observed.sources.create_text(
        project_id=emulator.project_id, text="Words.", idempotency_key="ours"
    )
    (received,) = emulator.requests
    assert select(received.headers, "idempotency-key", "x-theirs") == ["ours", "1"]


@pytest.mark.parametrize("deadline", [None, 30.0])
async def test_the_span_is_current_while_a_request_is_under_way(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry, deadline: float | None
) -> None:
    """Spans of an instrumented backend become its children."""
    tracer = telemetry.tracer_provider.get_tracer("engine")

    def observer(*_: object) -> None:
        if context.get_value(WITHOUT_HTTP):
            return
        with tracer.start_as_current_span("below"):
            pass

    emulator.add_observer(observer)
    with tracer.start_as_current_span("above"):
        await async_observed.with_options(total_timeout=deadline).uploads.upload_file(
            WORDS, content_type="text/plain"
        )
    below, mint, put, whole, above = telemetry.spans
    assert [span.name for span in telemetry.spans] == [
        "below",
        "POST /v1/uploads",
        "PUT",
        "scripe uploads.upload_file",
        "above",
    ]
    assert is_child(below, mint)
    assert is_child(mint, whole)
    assert is_child(put, whole)
    assert is_child(whole, above)


async def test_the_way_to_storage_is_a_span_without_the_signature(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    upload = await async_observed.uploads.create(content_type="text/plain")
    telemetry.clear()
    emulator.fail_next(503, method="PUT")
    await async_observed.uploads.put(upload, WORDS)
    span = telemetry.only()
    assert span.name == "PUT"
    assert span.kind == SpanKind.CLIENT
    assert span.status.status_code == StatusCode.UNSET
    url, _, query = upload.upload_url.partition("?")
    assert attributes_of(span) == {
        "http.request.method": "PUT",
        "server.address": attributes_of(span)["server.address"],
        "server.port": attributes_of(span)["server.port"],
        "url.full": url,
        "http.request.body.size": len(WORDS),
        "http.request.resend_count": 1,
        "http.response.status_code": 200,
    }
    assert [name for name, _ in events_of(span)] == ["scripe.attempt", "scripe.retry", "scripe.attempt"]
    assert query
    assert "X-Amz" not in telemetry.as_text()


async def test_storage_that_refuses(
    async_observed_server: AsyncScripe, server: ScriptedServer, telemetry: Telemetry
) -> None:
    refusal = b"<Error><Code>AccessDenied</Code><Message>Their own words</Message></Error>"
    server.script(Reply(403, refusal))
    upload = Upload.model_validate(shapes.upload(f"{server.origin}/key?X-Amz-Signature=c0ffee"))
    with pytest.raises(UploadError):
        await async_observed_server.uploads.put(upload, WORDS)
    span = telemetry.only()
    assert select(span.attributes, "error.type", "http.response.status_code", "url.full") == [
        "UploadError",
        403,
        f"{server.origin}/key",
    ]
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert "c0ffee" not in telemetry.as_text()


async def _ingest(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.sources.ingest(WORDS, content_type="text/plain", project_id=emulator.project_id)


async def _create_file_and_wait(client: AsyncScripe, emulator: Emulator) -> object:
    upload = await client.uploads.upload_file(WORDS, content_type="text/plain")
    return await client.sources.create_file_and_wait(upload_id=upload.id, project_id=emulator.project_id)


async def _know(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.knowledge.ingest(WORDS, content_type="text/plain", name="Voice")


async def _generate(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.posts.generate_and_wait(project_id=emulator.project_id, text="Words.")


async def _wait(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.jobs.wait(emulator.seed(jobs=1).job_ids[0])


async def _wait_for_all(client: AsyncScripe, emulator: Emulator) -> object:
    return await client.jobs.wait_all(emulator.seed(jobs=2).job_ids)


@pytest.mark.parametrize(
    ("work", "name", "below"),
    [
        (
            _ingest,
            "sources.ingest",
            [
                "POST /v1/uploads",
                "PUT",
                "POST /v1/sources",
                "GET /v1/jobs/{id}",
                "GET /v1/sources/{id}",
            ],
        ),
        (
            _create_file_and_wait,
            "sources.create_file_and_wait",
            ["POST /v1/sources", "scripe jobs.wait", "GET /v1/sources/{id}"],
        ),
        (_know, "knowledge.ingest", ["POST /v1/uploads", "PUT", "POST /v1/knowledge", "GET /v1/jobs/{id}"]),
        (
            _generate,
            "posts.generate_and_wait",
            ["POST /v1/posts/generations", "scripe jobs.wait", "GET /v1/posts/{id}"],
        ),
        (_wait, "jobs.wait", ["GET /v1/jobs/{id}"]),
        (_wait_for_all, "jobs.wait_all", ["GET /v1/jobs"]),
    ],
)
async def test_an_operation_of_several_calls_is_one_span_around_them(
    telemetry: Telemetry, work: Work, name: str, below: list[str]
) -> None:
    with Emulator(job_speed=1000) as emulator:
        async with emulator.async_client() as client:
            telemetry.instrument(client)
            await work(client, emulator)
    (whole,) = [span for span in telemetry.spans if span.name == f"scripe {name}"]
    assert whole.kind == SpanKind.INTERNAL
    assert whole.parent is None
    assert whole.status.status_code == StatusCode.UNSET
    assert [span.name for span in telemetry.spans if is_child(span, whole)] == below


async def test_a_job_that_fails_is_an_error_of_the_operation_alone(
    emulator: Emulator, async_observed: AsyncScripe, telemetry: Telemetry
) -> None:
    (job_id,) = emulator.seed(jobs=1, job_status="QUEUED").job_ids
    emulator.fail(job_id, error_message="Their own words.")
    with pytest.raises(JobFailedError):
        await async_observed.jobs.wait(job_id)
    call, whole = telemetry.spans
    assert call.status.status_code is StatusCode.UNSET
    assert (whole.status.status_code, whole.status.description) == (StatusCode.ERROR, None)
    assert attributes_of(whole) == {"error.type": "JobFailedError", "scripe.retryable": False}
    assert "Their own" not in telemetry.as_text()
