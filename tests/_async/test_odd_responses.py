"""Malformed and unusual responses: they are parsed as far as possible, and errors show them cut and redacted."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import traceback
import warnings

import pytest

from scripe import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AsyncScripe,
    BadRequestError,
    ConfigurationError,
    InvalidRequestError,
    JobFailedError,
    NotFoundError,
    ResponseInfo,
    ScripeDeprecationWarning,
    ServiceUnavailableError,
    SpendCapExceededError,
    UnprocessableEntityError,
    UploadError,
    _log,
)
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio

GOOD = json_reply({"data": shapes.source()})
SOURCE = json.dumps(shapes.source())


def page(*records: object) -> Reply:
    return json_reply({"data": list(records), "pagination": {"next_cursor": None, "has_more": False}})


async def test_a_server_with_one_request_id_for_all_responses_is_asked_once_for_each_call(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(json_reply({"data": shapes.source()}, X_Request_Id="req_mock"))
    for _ in range(10):
        assert (await async_client.sources.retrieve("src_1")).last_response.attempts == 1
    assert len(server.received) == 10


async def test_without_retries_a_replay_with_its_first_request_id_is_the_result(
    server: ScriptedServer,
) -> None:
    first = json_reply({"data": shapes.note("note_1")}, X_Request_Id="req_1")
    replay = json_reply({"data": shapes.note("note_1")}, X_Request_Id="req_1", Idempotent_Replayed="true")
    server.script(first, replay)
    async with AsyncScripe(KEY, base_url=server.base_url, max_retries=0) as client:
        for _ in range(2):
            note = await client.notes.create(project_id="proj_1", content="Words.", idempotency_key="k")
            assert note.id == "note_1"


HALVES = {
    "as JavaScript cuts it": rb"We ship \ud83d",
    "the other half": rb"We ship \ude80",
    "as bytes": b"We ship \xf0\x9f\x9a",
    "as bytes of CESU-8": b"We ship \xed\xa0\xbd",
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
async def test_half_an_emoji_is_read_as_a_replacement_character(
    async_client: AsyncScripe, server: ScriptedServer, half: bytes
) -> None:
    body = SOURCE.encode()[:-1] + b', "textPreview": "' + half + b'"}'
    project = b'{"id": "proj_1", "type": "COMPANY_PAGE", "status": "ACTIVE", "createdAt": "2026-05-15T08:20:00.000Z", '
    project += b'"name": "' + half + b'"}'
    server.script(
        Reply(200, b'{"data": %s}' % body),
        Reply(200, b'{"data": [%s], "pagination": {"has_more": false}}' % project),
        Reply(200, b'{"data": %s}' % body),
    )
    source = await async_client.sources.retrieve("src_1")
    assert source.text_preview.rstrip("\N{REPLACEMENT CHARACTER}") == "We ship "
    assert source.text_preview.endswith("\N{REPLACEMENT CHARACTER}")
    assert len(await async_client.projects.list().to_list()) == 1
    document = await async_client.request("GET", "/anything")
    json.dumps(document, ensure_ascii=False).encode()


async def test_null_where_there_is_a_default_counts_as_absent_and_fractions_are_rounded(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    odd = {
        **shapes.job("job_2"),
        "attemptCount": None,
        "estimatedCompletionMs": 2500.7,
        "progress": {"progress": None, "message": "x"},
    }
    server.script(page(shapes.job("job_1"), odd, None, shapes.job("job_3")))
    with pytest.raises(APIResponseValidationError):  # the progress of a job has no default
        await async_client.jobs.list().to_list()
    server.script(page(shapes.job("job_1"), {**odd, "progress": None}, None, shapes.job("job_3")))
    jobs = await async_client.jobs.list().to_list()
    assert [job.id for job in jobs] == ["job_1", "job_2", "job_3"]
    assert (jobs[1].attempt_count, jobs[1].estimated_completion_ms) == (0, 2501)


async def test_the_same_of_one_object(async_client: AsyncScripe, server: ScriptedServer) -> None:
    topics = [{"title": "One", "keyTakeaways": ["a", None, "b", None]}]
    odd = {
        **shapes.source(),
        "durationSeconds": 482.5,
        "textPreview": None,
        "hasFullText": None,
        "topics": topics,
    }
    server.script(json_reply({"data": odd}), json_reply({"data": {**odd, "topics": None}}))
    source = await async_client.sources.retrieve("src_1")
    assert source.duration_seconds == 482
    assert source.text_preview == ""
    assert not source.has_full_text
    assert source.topics[0].key_takeaways == ["a", "b"]
    assert (await async_client.sources.retrieve("src_1")).topics == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": {"id": null}}',
        b'{"data": {"id": "src_1", "durationSeconds": 1e999}}',
        b'{"data": null}',
        b"[" * 300 + b"]" * 300,
        b"1" * 5000,
        b'{"data": "\xff',
    ],
)
async def test_what_cannot_be_mended_is_an_error(
    async_client: AsyncScripe, server: ScriptedServer, body: bytes
) -> None:
    server.script(Reply(200, body))
    with pytest.raises(APIResponseValidationError):
        await async_client.sources.retrieve("src_1")


async def test_a_gzip_body_of_two_members_is_read_whole(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    half = len(GOOD.body) // 2
    body = gzip.compress(GOOD.body[:half]) + gzip.compress(GOOD.body[half:])
    server.script(Reply(200, body, {"Content-Encoding": "gzip"}))
    assert (await async_client.sources.retrieve("src_1")).id == "src_1"


async def test_bytes_without_end_after_a_finished_gzip_end_no_call(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    body = gzip.compress(GOOD.body) + b"x" * 3_000_000
    server.script(Reply(200, body, {"Content-Encoding": "gzip"}), GOOD)
    assert (await async_client.sources.retrieve("src_1")).id == "src_1"
    assert (await async_client.sources.retrieve("src_1")).id == "src_1"


async def test_a_servers_words_are_cut_in_messages(
    async_client: AsyncScripe, async_local: AsyncScripe, server: ScriptedServer
) -> None:
    body = {"code": "c" * 5000, "message": "m" * 5000, "request_id": "r" * 5000}
    server.script(json_reply({"error": body}, 400))
    with pytest.raises(BadRequestError) as caught:
        await async_client.sources.retrieve("src_1")
    assert len(str(caught.value)) < 1000
    assert (caught.value.code, len(caught.value.message)) == ("c" * 5000, 500)
    failed = {**shapes.job("job_1", status="FAILED"), "errorCode": "c" * 5000, "errorMessage": "m" * 5000}
    server.script(json_reply({"data": failed}))
    with pytest.raises(JobFailedError) as failure:
        await async_client.jobs.wait("job_1")
    assert len(str(failure.value)) < 1500


@pytest.mark.parametrize(
    ("status", "code", "error_class"),
    [
        (400, "ssrf_blocked", BadRequestError),
        (422, "ssrf_blocked", UnprocessableEntityError),
        (418, "ssrf_blocked", InvalidRequestError),
        (503, "internal_error", ServiceUnavailableError),
        (400, "not_found", NotFoundError),
        (404, "made_up", NotFoundError),
    ],
)
async def test_the_status_refines_the_class_of_a_code(
    async_client: AsyncScripe, server: ScriptedServer, status: int, code: str, error_class: type[Exception]
) -> None:
    server.script(error(status, code))
    with pytest.raises(APIStatusError) as caught:
        await async_client.with_options(max_retries=0).sources.retrieve("src_1")
    assert type(caught.value) is error_class


@pytest.mark.parametrize("status", [400, 402, 404, 408, 429, 500, 502, 503, 504])
async def test_every_status_error_says_when_to_come_back_and_whether_it_was_replayed(
    async_client: AsyncScripe, server: ScriptedServer, status: int
) -> None:
    server.script(error(status, Retry_After="17", Idempotent_Replayed="true"), error(status))
    for expected in ((17.0, True), (None, None)):
        with pytest.raises(APIStatusError) as caught:
            await async_client.with_options(max_retries=0).sources.retrieve("src_1")
        again = pickle.loads(pickle.dumps(caught.value))
        assert (again.retry_after, again.idempotent_replayed) == expected


SIGNATURE = "c0ffee0123"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"\xff" * 24).decode()  # with slashes
BROKEN = {
    "escaped": rb'{"data": {"uploadUrl": "https:\/\/s3.example\/k\u003fX-Amz-Signature=c0ffee0123"}}',
    "escaped, and cut": rb'{"data": {"uploadUrl": "https:\/\/s3.example\/k\u003fsig=c0ffee0123", "x',
    "in capitals": b'{"data": {"uploadUrl": "HTTPS://s3.example/k?sig=c0ffee0123"}}',
    "with a quote in it": rb'{"data": {"uploadUrl": "https://s3.example/k?a=\"&sig=c0ffee0123"}}',
    "a secret of another form": b'{"data": {"secret": "c0ffee0123"}}',
    "a token": b'{"data": {"access_token" : "c0ffee0123"}}',
    "a signature alone": b"<Error>X-Amz-Signature=c0ffee0123</Error>",
    "base64": json.dumps({"data": {"note": f"({WEBHOOK_SECRET})"}}).encode(),
    "JSON in a text": json.dumps({"data": {"note": '{"token": "c0ffee0123"}'}}).encode(),
    "a link in JSON in a text": rb'{"data": {"note": "{\"a\": \"https://h.example/\\u003fsig=c0ffee0123\"}"}}',
    "names of the same kind": b'{"data": {"x-api-key": "c0ffee0123", "secrets": ["c0ffee0123"]}}',
    "one more name": b'{"data": {"signingKey": "c0ffee0123"}}',
    "UTF-16": '{"data": {"secret": "c0ffee0123"}}'.encode("utf-16"),
    "the key, escaped": b'{"data": "%s"}' % KEY.replace("_", "\\u005f").encode(),
}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_secrets_in_a_broken_body_are_masked_after_decoding(
    async_client: AsyncScripe, server: ScriptedServer, body: bytes, status: int
) -> None:
    server.script(Reply(status, body))
    with pytest.raises((APIResponseValidationError, APIStatusError)) as caught:
        await async_client.uploads.create(content_type="audio/mpeg")
    text = repr(vars(caught.value)) + "".join(traceback.format_exception(caught.value))
    for secret in (SIGNATURE, WEBHOOK_SECRET, WEBHOOK_SECRET.partition("/")[2], KEY):
        assert secret not in text


async def test_details_of_an_error_are_masked_too(async_client: AsyncScripe, server: ScriptedServer) -> None:
    link = {"uploadUrl": f"https://s3.example/k?sig={SIGNATURE}"}
    body = {"code": "conflict", "message": f"see https://s3.example/k?sig={SIGNATURE}", "details": link}
    server.script(json_reply({"error": body}, 409))
    with pytest.raises(APIStatusError) as caught:
        await async_client.uploads.create(content_type="audio/mpeg")
    assert SIGNATURE not in repr(vars(caught.value)) + str(caught.value)
    assert caught.value.details == {"uploadUrl": "https://s3.example/k?…"}


async def test_a_warning_that_is_raised_after_a_write_carries_its_key(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    _log._warned.clear()  # pyright: ignore[reportPrivateUsage]
    server.script(json_reply({"data": shapes.note()}, Scripe_Deprecation="2026-08-01"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ScripeDeprecationWarning) as caught:
            await async_client.notes.create(project_id="proj_1", content="Words.", idempotency_key="k-1")
    assert caught.value.idempotency_key == "k-1"
    _log._warned.clear()  # pyright: ignore[reportPrivateUsage]


async def test_what_a_hook_raises_after_a_write_carries_its_key(server: ScriptedServer) -> None:
    raised: list[Exception] = [KeyError("hook"), APIConnectionError("of mine"), KeyError("hook")]

    def hook(_response: ResponseInfo) -> None:
        raise raised[0]

    server.script(json_reply({"data": shapes.note()}))
    async with AsyncScripe(KEY, base_url=server.base_url, on_response=hook) as client:
        with pytest.raises(KeyError) as caught:
            await client.notes.create(project_id="proj_1", content="Words.", idempotency_key="k-1")
        assert caught.value.__notes__ == ["The write was sent with idempotency_key='k-1'."]
        raised.pop(0)
        with pytest.raises(APIConnectionError) as other:
            await client.notes.create(project_id="proj_1", content="Words.", idempotency_key="k-1")
        assert other.value.idempotency_key == "k-1"
        with pytest.raises(APIConnectionError) as same:
            await client.notes.create(project_id="proj_1", content="Words.", idempotency_key="k-2")
        assert same.value.idempotency_key == "k-1"  # which it had already
        raised.pop(0)
        server.script(GOOD)
        with pytest.raises(KeyError) as read:
            await client.sources.retrieve("src_1")
        assert not hasattr(read.value, "__notes__")


async def test_a_404_of_an_address_without_its_version_says_so(
    async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(error(404, "not_found"))
    for base_url, is_explained in ((server.origin, True), (server.base_url, False)):
        async with AsyncScripe(KEY, base_url=base_url) as client:
            with pytest.raises(NotFoundError) as caught:
                await client.workspaces.me()
        notes = getattr(caught.value, "__notes__", [])
        assert ("does not end in /v1" in "".join(notes)) is is_explained


async def test_a_key_that_is_any_word_breaks_no_error(server: ScriptedServer) -> None:
    """Tests use such keys: a text this short is not redacted."""
    body = {"code": "spend_cap_exceeded", "message": "m", "details": {"spentCents": 12345, "paid": True}}
    server.script(json_reply({"error": body}, 402))
    for api_key in ("123", "true", "12345"):
        async with AsyncScripe(api_key, base_url=server.base_url) as client:
            with pytest.raises(SpendCapExceededError) as caught:
                await client.workspaces.me()
        assert caught.value.spent_cents == 12345


async def test_a_redirect_shows_no_query_of_its_target(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(Reply(307, headers={"Location": f"https://s3.example/k?sig={SIGNATURE}"}))
    with pytest.raises(APIStatusError) as caught:
        await async_client.sources.retrieve("src_1")
    assert caught.value.headers["location"] == "https://s3.example/k?…"


async def test_more_oddities_than_a_page_has_records_are_not_mended(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    """Mending them would take time that grows faster than the body."""
    server.script(Reply(200, b'{"data": [' + b"null," * 5000 + b"null]}"))
    with pytest.raises(APIResponseValidationError):
        await async_client.jobs.list().to_list()


async def test_text_that_a_backend_quotes_is_cut_and_redacted(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(Reply(200, b"", {f"Bad header {KEY} whsec_{SIGNATURE}" + "x" * 5000: "y"}))
    with pytest.raises(APIConnectionError) as caught:
        await async_client.with_options(max_retries=0).sources.retrieve("src_1")
    assert len(str(caught.value)) < 500
    assert KEY not in str(caught.value)
    assert SIGNATURE not in str(caught.value)


async def test_what_storage_says_is_masked(async_client: AsyncScripe, server: ScriptedServer) -> None:
    xml = f"<Error><Code>Odd</Code><Message>https://b.example/x?X-Amz-Signature={SIGNATURE} no</Message></Error>"
    server.script(json_reply({"data": shapes.upload(f"{server.origin}/k")}), Reply(403, xml.encode()))
    with pytest.raises(UploadError) as caught:
        await async_client.uploads.upload_file(b"Words.", content_type="text/plain")
    assert SIGNATURE not in str(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize("host", ["api..example", "a" * 64 + ".example", "example:99999", "example:0"])
async def test_a_host_that_no_look_up_takes_is_refused_at_once(
    async_client: AsyncScripe, server: ScriptedServer, host: str
) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        AsyncScripe(KEY, base_url=f"https://{host}/v1")
    server.script(json_reply({"data": shapes.upload(f"https://{host}/k?sig={SIGNATURE}")}))
    with pytest.raises(ConfigurationError, match="upload_url") as caught:
        await async_client.uploads.upload_file(b"Words.", content_type="text/plain")
    assert SIGNATURE not in "".join(traceback.format_exception(caught.value))
