"""The API key and the signatures of links appear nowhere."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import cast

import pytest
from rich.console import Console

from scripe import (
    APIStatusError,
    AsyncScripe,
    ConfigurationError,
    Progress,
    ResponseInfo,
    ScripeError,
    Upload,
)
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support import shapes
from tests.support.hunt import format_error, format_own_frames, reachable
from tests.support.server import BREAK, Received, Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio

SIGNATURE = "c0ffee0123456789"


def presigned_upload(origin: str) -> Upload:
    return Upload.model_validate(shapes.upload(f"{origin}/key?X-Amz-Signature={SIGNATURE}"))


@contextmanager
def nothing_leaks(
    caplog: pytest.LogCaptureFixture, format_error: Callable[[BaseException], str] = format_error
) -> Generator[None]:
    """Check that no secret is in the error, the log, or the local variables of any frame."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Exception) as caught:
        yield
    for text in (format_error(caught.value), caplog.text):
        assert KEY not in text
        assert SIGNATURE not in text


@pytest.mark.parametrize(
    "reply",
    [
        BREAK,
        error(401, "invalid_token"),
        error(500),
        Reply(200, b"{"),
        Reply(200, b"[]"),
        Reply(200, b"{", {"Content-Encoding": "gzip"}),
        Reply(200, b"{}", cut=0),
        Reply(307, headers={"Location": "http://127.0.0.1:9/elsewhere"}),
        Reply(307, headers={"Location": "http://[bad"}),
    ],
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


@pytest.mark.parametrize("url", ["http://storage", "ftp:", "http://[bad"])
async def test_a_link_that_is_refused_is_not_shown(
    async_client: AsyncScripe, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    with nothing_leaks(caplog):
        await async_client.uploads.put(presigned_upload(url), b"Words.")


async def test_what_callbacks_raise_shows_no_secret_of_ours(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    def stop(response: ResponseInfo) -> None:
        raise LookupError(response.path)

    server.script(json_reply({"data": shapes.source()}))
    async with AsyncScripe(KEY, base_url=server.base_url, on_response=stop) as client:
        with nothing_leaks(caplog):
            await client.sources.retrieve("src_1")


async def test_what_a_function_that_gives_keys_raises_shows_no_earlier_key(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    keys = iter([KEY])

    def key() -> str:
        for api_key in keys:
            return api_key
        raise LookupError("no vault")

    server.script(error(401, "key_expired"))
    async with AsyncScripe(key, base_url=server.base_url) as client:
        with nothing_leaks(caplog):
            await client.sources.retrieve("src_1")


async def test_a_secret_of_a_webhook_is_not_shown(emulator: Emulator, async_local: AsyncScripe) -> None:
    endpoint = await async_local.webhook_endpoints.create(
        name="Desk", url="https://example.com/hook", events=["note.created"]
    )
    assert endpoint.secret is not None
    console = Console(file=io.StringIO())
    console.print(endpoint, [endpoint])
    output = f"{endpoint!r} {endpoint} {cast('io.StringIO', console.file).getvalue()}"
    assert endpoint.secret not in output
    assert "whsec_…" in output


async def test_wrong_options_hold_no_key(caplog: pytest.LogCaptureFixture) -> None:
    with nothing_leaks(caplog):
        AsyncScripe(KEY, base_url="nowhere")
    with nothing_leaks(caplog):
        AsyncScripe(f"{KEY} {SIGNATURE}")


async def test_a_late_response_holds_no_key(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    server.script(Reply(200, hold=0.5))
    async with AsyncScripe(KEY, base_url=server.base_url, total_timeout=0.1, max_retries=0) as client:
        with nothing_leaks(caplog):
            await client.sources.retrieve("src_1")


@pytest.mark.parametrize(
    "reply",
    [
        BREAK,
        Reply(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"),
        Reply(307, headers={"Location": "http://127.0.0.1:9/elsewhere"}),
        Reply(307, headers={"Location": "http://[bad"}),
        Reply(200, b"words", cut=0),
        Reply(200),
    ],
)
async def test_an_upload_shows_no_signature(
    async_client: AsyncScripe, server: ScriptedServer, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    upload = presigned_upload(server.origin)

    def stop(progress: Progress) -> None:
        raise LookupError

    server.script(reply)
    assert SIGNATURE not in repr(upload)
    assert SIGNATURE not in str(upload)
    is_stopped = reply.status == 200
    with nothing_leaks(caplog, format_own_frames if is_stopped else format_error):
        await async_client.uploads.put(upload, b"Words.", on_progress=stop if is_stopped else None)
    assert SIGNATURE in upload.upload_url


async def test_no_log_shows_a_secret(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """Not at DEBUG either, in our log or the backend's."""
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
    with ScriptedServer(json_reply({"data": shapes.source()})) as elsewhere:
        server.script(Reply(307, headers={"Location": f"{elsewhere.base_url}/sources/src_1"}))
        with pytest.raises(ScripeError, match="307"):
            await async_client.sources.retrieve("src_1")
        assert elsewhere.received == []


async def test_nothing_that_a_client_leads_to_holds_the_key(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """Except in `Secret`. Connections that were used are searched, too."""
    server.script(
        json_reply({"data": [shapes.job()], "pagination": {"next_cursor": None, "has_more": False}})
    )
    pager = async_client.jobs.list()
    page = await anext(aiter(pager.pages()))
    server.script(Reply(200))
    upload = presigned_upload(server.origin)
    await async_client.uploads.put(upload, b"Words.")
    objects = list(reachable([async_client, async_client.sources, pager, page, async_client.with_options()]))
    texts = [value for value in objects if isinstance(value, str | bytes)]
    assert len(objects) > 200
    assert not [value for value in texts if KEY in str(value) or SIGNATURE in str(value)]


async def test_a_key_from_a_function_that_is_none_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncScripe(lambda: f"{KEY} oops", base_url="http://127.0.0.1:9") as client:
        with nothing_leaks(caplog):
            await client.workspaces.me()
        with pytest.raises(ConfigurationError, match="API key"):
            await client.workspaces.me()
    assert sys.exc_info() == (None, None, None)


async def test_calls_are_logged_a_line_each(
    async_client: AsyncScripe, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "scripe")
    server.script(
        BREAK,
        error(503, Retry_After="2", X_Request_Id="req_1"),
        json_reply({"data": shapes.source()}, X_Request_Id="req_2"),
    )
    await async_client.sources.retrieve("src_1")
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "scripe"]
    assert [level for level, _ in lines] == ["DEBUG", "INFO", "DEBUG", "INFO", "DEBUG"]
    assert lines[0][1].startswith("GET /sources/src_1 failed: ")
    assert lines[2][1].startswith("GET /sources/src_1 returned 503 in ")
    assert lines[3][1] == "Attempt 2 of GET /sources/src_1 failed (HTTP 503). Retrying in 2.00 s."
    assert lines[4][1].endswith("(attempt 3, request id req_2)")
