"""Observability under load and in odd places: tasks and threads, cancellation, pickles, secrets, logs."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeAlias

import pytest
import trio
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

from examples.recipes import json_logs
from scripe import APIStatusError, AsyncScripe, ResponseInfo, Scripe, ScripeError
from scripe._observer import NULL_OBSERVER, CallDescription
from scripe.emulator import Emulator, Request, Response
from scripe.otel._attributes import error_type, metric_attributes
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import BREAK, Received, Reply, ScriptedServer, error, json_reply
from tests.support.traces import Telemetry, attributes_of, context_of, is_child

GOOD = json_reply({"data": shapes.source()})

Use: TypeAlias = Callable[[], Coroutine[object, object, None]]


def in_asyncio(use: Use) -> None:
    asyncio.run(use())


def in_trio(use: Use) -> None:
    trio.run(use)


BOTH = pytest.mark.parametrize("run", [in_asyncio, in_trio])


async def together(works: list[Callable[[], Awaitable[None]]]) -> None:
    async def one(work: Callable[[], Awaitable[None]]) -> None:
        await work()

    if "trio" in sys.modules and trio.lowlevel.in_trio_run():
        async with trio.open_nursery() as nursery:
            for work in works:
                nursery.start_soon(one, work)
    else:
        await asyncio.gather(*(one(work) for work in works))


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    recorder = Telemetry()
    yield recorder
    recorder.meter_provider.shutdown()


def pairs(telemetry: Telemetry) -> list[tuple[ReadableSpan, ReadableSpan]]:
    """Return the span of each call, with the span of the task that made it."""
    tasks = {
        span.name.removeprefix("task "): span for span in telemetry.spans if span.name.startswith("task")
    }
    calls = [span for span in telemetry.spans if span.name == "GET /v1/sources/{id}"]
    return [(call, tasks[str(attributes_of(call)["url.full"]).rpartition("_")[2]]) for call in calls]


@BOTH
def test_fifty_tasks_keep_their_spans_apart(
    server: ScriptedServer, telemetry: Telemetry, run: Callable[[Use], None]
) -> None:
    server.script(GOOD)
    tracer = telemetry.tracer_provider.get_tracer("application")

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url, rate_limiter=None) as client:
            telemetry.instrument(client)

            def task(number: int) -> Callable[[], Awaitable[None]]:
                async def work() -> None:
                    with tracer.start_as_current_span(f"task {number}"):
                        await client.sources.retrieve(f"src_{number}")
                        assert trace.get_current_span().get_span_context().is_valid

                return work

            await together([task(number) for number in range(50)])

    run(use)
    spans = pairs(telemetry)
    assert len(spans) == 50
    assert all(is_child(call, task) for call, task in spans)
    parents = {request.path.rpartition("_")[2]: request.headers["traceparent"] for request in server.received}
    for call, _ in spans:
        number = str(attributes_of(call)["url.full"]).rpartition("_")[2]
        assert f"{context_of(call).span_id:016x}" in parents[number]


def test_threads_keep_their_spans_apart(server: ScriptedServer, telemetry: Telemetry) -> None:
    server.script(GOOD)
    tracer = telemetry.tracer_provider.get_tracer("application")
    with Scripe(KEY, base_url=server.base_url, rate_limiter=None, total_timeout=60) as client:
        telemetry.instrument(client)

        def work(number: int) -> None:
            with tracer.start_as_current_span(f"task {number}"):
                client.sources.retrieve(f"src_{number}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(50)))
    spans = pairs(telemetry)
    assert len(spans) == 50
    assert all(is_child(call, task) for call, task in spans)


@pytest.mark.parametrize("work", ["call", "upload", "wait"])
def test_a_call_that_asyncio_cancels_ends_its_spans(telemetry: Telemetry, work: str) -> None:
    async def use() -> None:
        with Emulator() as emulator, emulator.serve() as served:
            async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
                telemetry.instrument(client)
                (job_id,) = emulator.seed(jobs=1, job_status="QUEUED").job_ids
                method = "PUT" if work == "upload" else "GET"
                emulator.delay_next(5, method=method)
                loop, has_come = asyncio.get_running_loop(), asyncio.Event()

                def tell(request: Request, _response: Response) -> None:
                    if request.method == method:
                        loop.call_soon_threadsafe(has_come.set)

                emulator.add_observer(tell)
                works: dict[str, Callable[[], Coroutine[object, object, object]]] = {
                    "call": client.workspaces.me,
                    "upload": lambda: client.uploads.upload_file(b"Words.", content_type="text/plain"),
                    "wait": lambda: client.jobs.wait(job_id),
                }
                task = asyncio.ensure_future(works[work]())
                await has_come.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

    asyncio.run(use())
    names = {"call": ["GET /v1/workspaces/me"], "wait": ["GET /v1/jobs/{id}", "scripe jobs.wait"]}
    upload = ["POST /v1/uploads", "PUT", "scripe uploads.upload_file"]
    assert telemetry.names() == names.get(work, upload)
    cancelled = telemetry.spans[1:] if work == "upload" else telemetry.spans
    assert {attributes_of(span)["error.type"] for span in cancelled} == {"asyncio.exceptions.CancelledError"}
    assert {span.status.is_ok for span in cancelled} == {False}


def test_a_call_that_trio_cancels_ends_its_span(server: ScriptedServer, telemetry: Telemetry) -> None:
    server.script(Reply(200, hold=0.5))

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url) as client:
            telemetry.instrument(client)
            with trio.move_on_after(0.1):
                await client.sources.retrieve("src_1")

    trio.run(use)
    (span,) = telemetry.spans
    assert attributes_of(span)["error.type"] == "trio.Cancelled"


def test_a_call_that_is_interrupted_ends_its_span(server: ScriptedServer, telemetry: Telemetry) -> None:
    def interrupt(_response: ResponseInfo) -> None:
        raise KeyboardInterrupt

    server.script(GOOD)
    with Scripe(KEY, base_url=server.base_url, on_response=interrupt) as client:
        telemetry.instrument(client)
        with pytest.raises(KeyboardInterrupt):
            client.sources.retrieve("src_1")
    assert attributes_of(telemetry.only())["error.type"] == "KeyboardInterrupt"
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_cancelled_rate_limit_wait_is_recorded(server: ScriptedServer, telemetry: Telemetry) -> None:
    server.script(
        json_reply(
            {"data": shapes.source()},
            X_RateLimit_Limit="2",
            X_RateLimit_Remaining="0",
            X_RateLimit_Reset="30",
        )
    )

    async def use() -> None:
        async with AsyncScripe(KEY, base_url=server.base_url) as client:
            telemetry.instrument(client)
            await client.sources.retrieve("src_1")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.sources.retrieve("src_1")

    asyncio.run(use())
    span = telemetry.spans[1]
    assert [event.name for event in span.events] == ["scripe.rate_limit_wait"]
    (point,) = telemetry.points("scripe.client.rate_limit_wait.duration")
    assert 0 < getattr(point, "sum", 0) < 30


@pytest.mark.parametrize("client_class", [Scripe, AsyncScripe])
def test_a_pickled_client_has_no_observer(
    telemetry: Telemetry, client_class: type[Scripe | AsyncScripe]
) -> None:
    client = client_class(KEY)
    telemetry.instrument(client)
    arrived = pickle.loads(pickle.dumps(client))
    assert client._sender.session.observer is not NULL_OBSERVER  # pyright: ignore[reportPrivateUsage]
    assert arrived._sender.session.observer is NULL_OBSERVER
    telemetry.instrument(arrived)


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_without_the_extra_one_line_says_what_to_install() -> None:
    ran = run("import sys; sys.modules['opentelemetry'] = None; import scripe.otel")
    last_line = ran.stderr.splitlines()[-1]
    assert last_line.startswith("ImportError: ")
    assert 'the extra "otel"' in last_line
    assert "During handling" not in ran.stderr


def test_a_module_of_ours_that_is_missing_is_no_matter_of_the_extra() -> None:
    ran = run("import sys; sys.modules['scripe.otel._attributes'] = None; import scripe.otel")
    assert "install the extra" not in ran.stderr
    assert ran.returncode == 1


def test_a_client_alone_loads_no_opentelemetry() -> None:
    ran = run(
        "import sys, scripe; scripe.Scripe('scripe_sk_test_x').with_options();"
        "print([name for name in sys.modules if 'telemetry' in name])"
    )
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://api.scripe.io/v1/jobs", "api.scripe.io", 443),
        ("http://[::1]/v1/jobs", "::1", 80),
        ("https://localhost:8443/v1/jobs", "localhost", 8443),
    ],
)
def test_the_server_is_named_with_its_port(url: str, host: str, port: int) -> None:
    assert metric_attributes(CallDescription("GET", url.removesuffix("/jobs"), "/jobs", "/jobs", None)) == {
        "http.request.method": "GET",
        "server.address": host,
        "server.port": port,
        "url.template": "/v1/jobs",
    }


def test_errors_are_named_as_users_know_them() -> None:
    from scripe.errors import APITimeoutError, FileMissingError

    assert error_type(APITimeoutError("late")) == "APITimeoutError"
    assert error_type(FileMissingError("gone")) == "FileMissingError"
    assert error_type(ValueError()) == "ValueError"
    assert error_type(json.JSONDecodeError("", "", 0)) == "json.decoder.JSONDecodeError"


# The hunt: a key, a signature, and texts that went up or came back.

SIGNATURE = "c0ffee0123456789"
SENT, CAME = "what was dictated", "what the server had to say"


def echo(request: Received) -> Reply:
    text = f"{CAME}: {request.headers.get('authorization')} {request.body.decode()}"
    envelope = {"code": text, "message": text, "details": {"said": text}}
    return json_reply({"error": envelope}, 400, X_Request_Id="req_1", X_Echo=KEY)


@pytest.mark.parametrize(
    "step",
    [
        echo,
        BREAK,
        error(500, SIGNATURE),
        Reply(200, CAME.encode()),
        Reply(200, b"{", {"Content-Encoding": "gzip"}),
        Reply(307, headers={"Location": f"http://127.0.0.1:9/?X-Amz-Signature={SIGNATURE}"}),
        json_reply({"data": shapes.upload(f"http://127.0.0.1:9/key?X-Amz-Signature={SIGNATURE}")}),
    ],
)
def test_no_span_metric_or_log_record_holds_a_secret(
    server: ScriptedServer,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
    step: Reply | Callable[[Received], Reply],
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script(step)
    works: list[Callable[[Scripe], object]] = [
        lambda client: client.sources.create_text(project_id="proj_1", text=SENT),
        lambda client: client.uploads.upload_file(SENT.encode(), content_type="text/plain"),
        lambda client: client.jobs.list().pages(cursor=SENT.replace(" ", "_")).__next__(),
        lambda client: client.request("POST", "/odd", params={"said": SENT}, json={"said": SENT}),
    ]
    with Scripe(KEY, base_url=server.base_url, max_retries=1) as client:
        telemetry.instrument(client)
        for work in works:
            with suppress(ScripeError):
                work(client)
    records = "".join(f"{vars(record)} {record.getMessage()}" for record in ours(caplog))
    for text in (telemetry.as_text(), records):
        assert len(text) > 500
        for secret in (KEY, SIGNATURE, SENT, SENT.replace(" ", "_"), CAME):
            assert secret not in text


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "scripe"]


# The log.


def fields(record: logging.LogRecord) -> dict[str, object]:
    return {
        name.removeprefix("scripe_"): value
        for name, value in vars(record).items()
        if name.startswith("scripe_")
    }


def test_records_carry_what_their_lines_say(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "scripe")
    emulator.drop_next(path="/projects")
    with emulator.client() as client:
        emulator.fail_next(429, retry_after=3, path="/workspaces")
        me = client.workspaces.me()
        client.projects.retrieve(emulator.project_id)
    refused, again, answered, lost, anew, success = [fields(record) for record in ours(caplog)]
    assert refused == {
        "method": "GET",
        "path": "/workspaces/me",
        "status": 429,
        "request_id": refused["request_id"],
        "ms": refused["ms"],
        "attempt": 1,
    }
    assert again == {**refused, "wait": 3.0}
    assert (answered["request_id"], answered["attempt"]) == (me.last_response.request_id, 2)
    assert lost == {"method": "GET", "path": f"/projects/{emulator.project_id}", "attempt": 1}
    assert sorted(anew) == ["attempt", "method", "path", "wait"]
    assert (success["status"], success["attempt"]) == (200, 2)
    assert all(type(value) in (str, int, float) for record in (lost, success) for value in record.values())


def test_records_of_uploads_carry_theirs(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "scripe")
    emulator.drop_next(method="PUT")
    with emulator.client() as client:
        client.uploads.upload_file(b"Words.", content_type="text/plain")
    stored = [fields(record) for record in ours(caplog) if fields(record)["method"] == "PUT"]
    assert [record.get("status") for record in stored if "wait" not in record] == [None, 412]
    assert all("?…" in str(record["path"]) for record in stored)


def test_an_application_that_gives_its_records_names_of_its_own(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """`logging` raises if two sources set the same name."""
    caplog.set_level(logging.DEBUG, "scripe")
    factory = logging.getLogRecordFactory()

    def with_names(*args: object, **kwargs: object) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        for name in ("request_id", "method", "path", "status", "ms", "attempt"):
            setattr(record, name, "the application's")
        return record

    logging.setLogRecordFactory(with_names)
    try:
        with emulator.client() as client:
            emulator.fail_next(503)
            client.workspaces.me()
    finally:
        logging.setLogRecordFactory(factory)
    assert len(ours(caplog)) == 3


@pytest.fixture
def json_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream, logger = io.StringIO(), logging.getLogger("scripe")
    monkeypatch.setattr(logger, "level", logger.level)
    handler = json_logs.log_as_json(logging.DEBUG, stream)
    yield stream
    logger.removeHandler(handler)


def test_the_recipe_for_json_logs(emulator: Emulator, json_lines: io.StringIO) -> None:
    emulator.fail_next(503)
    with emulator.client() as client:
        project = client.projects.retrieve(emulator.project_id)
        with pytest.raises(APIStatusError):
            client.jobs.retrieve("job_unknown")
    logging.getLogger("scripe").error("It went wrong.", exc_info=LookupError("why"))
    failed, again, answered, refused, other = [
        json.loads(line) for line in json_lines.getvalue().splitlines()
    ]
    assert list(answered) == [
        *("ts", "level", "logger", "message", "method", "path", "status", "request_id", "ms", "attempt")
    ]
    assert failed["status"] == 503
    assert again["level"] == "INFO"
    assert again["attempt"] == 1
    assert (answered["request_id"], answered["attempt"]) == (project.last_response.request_id, 2)
    assert (refused["path"], refused["status"]) == ("/jobs/job_unknown", 404)
    assert "LookupError: why" in other["exception"]
    assert answered["ts"].endswith("+00:00")


def test_the_recipe_shows_itself(
    capsys: pytest.CaptureFixture[str], json_lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("scripe")
    monkeypatch.setattr(logger, "handlers", [])
    json_logs.main()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("status") for line in lines] == [503, 503, 200]


def test_a_log_line_is_written_while_its_span_is_current(emulator: Emulator, telemetry: Telemetry) -> None:
    """A log filter that adds trace ids to records needs it."""
    span_ids: list[int] = []

    class Watching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            span_ids.append(trace.get_current_span().get_span_context().span_id)

    logger, handler = logging.getLogger("scripe"), Watching()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        with emulator.client() as client:
            telemetry.instrument(client)
            emulator.fail_next(503)
            client.workspaces.me()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert span_ids == [context_of(telemetry.only()).span_id] * 3
