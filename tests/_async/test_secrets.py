"""The key and presigned links are nowhere to be seen."""

from __future__ import annotations

import logging
import pickle
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from scripe import APIStatusError, AsyncScripe, ConfigurationError, Progress, ScripeError, Upload
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.server import BREAK, Received, Reply, ScriptedServer, answer, error

pytestmark = pytest.mark.anyio

SIGNATURE = "c0ffee0123456789"


def own_locals(raised: BaseException) -> str:
    """What an error reporter prints of the frames of our own package."""
    told = [*traceback.format_exception(raised)]
    chain: list[BaseException | None] = [raised, raised.__cause__, raised.__context__]
    for each in chain:
        for frame, _ in traceback.walk_tb(each.__traceback__ if each else None):
            if "/scripe/" in frame.f_code.co_filename and "/emulator/" not in frame.f_code.co_filename:
                told += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
    return "\n".join(told)


@contextmanager
def nothing_leaks(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Exception) as caught:
        yield
    told = [own_locals(caught.value), repr(caught.value), caplog.text]
    if isinstance(caught.value, ScripeError):
        told += [repr(vars(caught.value)), repr(pickle.dumps(caught.value))]
    for text in told:
        assert KEY not in text
        assert SIGNATURE not in text


@pytest.mark.parametrize(
    "reply", [BREAK, error(401, "invalid_token"), error(500), Reply(200, b"{"), Reply(200, cut=0)]
)
async def test_errors_hold_no_key(
    async_client: AsyncScripe, server: ScriptedServer, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    server.script(reply)
    with nothing_leaks(caplog):
        await async_client.sources.retrieve("src_1")


@pytest.mark.parametrize("status", [200, 400, 502])
async def test_an_echo_of_the_key_is_scrubbed(
    async_client: AsyncScripe, server: ScriptedServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    def echo(request: Received) -> Reply:
        return Reply(status, str(request.headers).encode())

    server.script(echo)
    with nothing_leaks(caplog):
        await async_client.sources.retrieve("src_1")


async def test_an_echo_of_the_key_in_a_header_is_scrubbed(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(lambda request: Reply(404, headers={"X-Echo": request.headers["authorization"]}))
    with pytest.raises(APIStatusError) as caught:
        await async_client.sources.retrieve("src_1")
    assert caught.value.headers["x-echo"] == "Bearer …"


async def test_wrong_options_hold_no_key(caplog: pytest.LogCaptureFixture) -> None:
    with nothing_leaks(caplog):
        AsyncScripe(KEY, base_url="nowhere")
    with nothing_leaks(caplog):
        AsyncScripe(f"{KEY} {SIGNATURE}")


async def test_a_late_answer_holds_no_key(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    server.script(Reply(200, hold=0.5))
    async with AsyncScripe(KEY, base_url=server.base_url, deadline=0.1, max_retries=0) as client:
        with nothing_leaks(caplog):
            await client.sources.retrieve("src_1")


@pytest.mark.parametrize(
    "reply", [BREAK, Reply(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"), Reply(200)]
)
async def test_an_upload_shows_no_signature(
    async_client: AsyncScripe, server: ScriptedServer, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    url = f"{server.origin}/key?X-Amz-Signature={SIGNATURE}"
    upload = Upload.model_validate(shapes.upload(url))

    def stop(progress: Progress) -> None:
        raise LookupError

    server.script(reply)
    assert SIGNATURE not in repr(upload)
    assert SIGNATURE not in str(upload)
    with nothing_leaks(caplog):
        await async_client.uploads.put(upload, b"Words.", on_progress=stop if reply.status == 200 else None)
    assert upload.upload_url == url


async def test_no_log_shows_a_secret(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """Not at DEBUG either, ours or the engine's."""
    caplog.set_level(logging.DEBUG)
    with emulator.serve() as served:
        async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
            await client.uploads.upload_file(b"Words.", content_type="text/plain")
    assert served.api_key not in caplog.text
    assert "X-Amz-Signature" not in caplog.text
    assert "PUT" in caplog.text


async def test_redirects_are_not_followed_with_the_key(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    with ScriptedServer(answer({"data": shapes.source()})) as elsewhere:
        server.script(Reply(307, headers={"Location": f"{elsewhere.base_url}/sources/src_1"}))
        with pytest.raises(ScripeError, match="not followed"):
            await async_client.sources.retrieve("src_1")
        assert elsewhere.received == []


async def test_a_client_shows_no_key(async_client: AsyncScripe) -> None:
    shown = repr(async_client) + repr(vars(async_client)) + repr(vars(async_client.sources))
    for part in vars(async_client).values():
        shown += repr(getattr(part, "__dict__", ""))
    assert KEY not in shown


async def test_a_key_from_a_function_that_is_none_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncScripe(lambda: f"{KEY} oops", base_url="http://127.0.0.1:9") as client:
        with nothing_leaks(caplog):
            await client.workspaces.me()
        with pytest.raises(ConfigurationError, match="blanks"):
            await client.workspaces.me()
    assert sys.exc_info() == (None, None, None)


async def test_calls_are_logged_a_line_each(
    async_client: AsyncScripe, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "scripe")
    server.script(
        BREAK,
        error(503, Retry_After="2", X_Request_Id="req_1"),
        answer({"data": shapes.source()}, X_Request_Id="req_2"),
    )
    await async_client.sources.retrieve("src_1")
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "scripe"]
    assert [level for level, _ in lines] == ["DEBUG", "INFO", "DEBUG", "INFO", "DEBUG"]
    assert lines[0][1].startswith("GET /sources/src_1 failed: ")
    assert "GET /sources/src_1 503 req_1" in lines[2][1]
    assert lines[3][1] == "GET /sources/src_1 again in 2.00 s, after attempt 2: HTTP 503"
    assert lines[4][1].endswith("attempt 3")
