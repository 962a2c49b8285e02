"""Every parser of answers, fed with changed and with invented ones: only errors of the tree come out."""

from __future__ import annotations

import copy
import json
import pickle
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from scripe import ScripeError
from scripe._core import response as responses
from scripe._core import uploads
from scripe._core.config import Secret
from scripe._core.outcome import RawResponse
from scripe._core.pagination import PageWalk
from scripe._core.rate_limit import parse_rate_limit, parse_retry_after
from scripe._core.request import Request
from scripe.types import (
    Headers,
    Job,
    Note,
    Page,
    Post,
    Project,
    Source,
    Upload,
    WebhookEndpoint,
)
from tests.support import shapes

settings.register_profile("hostile", derandomize=True, deadline=None, database=None, max_examples=150)
settings.load_profile("hostile")

EXAMPLES = sorted((Path(__file__).parents[1] / "api_pages").glob("*.json"))
PAGES: list[object] = [
    json.loads(path.read_text()) for path in EXAMPLES if "..." not in path.read_text()
]  # where all is told
SHAPES: list[object] = [
    {"data": shapes.source()},
    {"data": shapes.job(status="DONE")},
    {"data": shapes.note()},
    {"data": shapes.post()},
    {"data": shapes.webhook_endpoint()},
    {"data": shapes.upload("https://storage.example/key?X-Amz-Signature=00")},
    shapes.page(shapes.job(), cursor="c"),
    {"error": {"code": "rate_limited", "message": "no", "details": {}, "meta": {}}},
    {"error": "invalid_token", "error_description": "no"},
]
MODELS: list[type[BaseModel]] = [Source, Job, Note, Post, Project, Upload, WebhookEndpoint]
KINDS: list[type[BaseModel]] = [*MODELS, *(Page[model] for model in MODELS)]  # type: ignore[valid-type]

SHAPED: tuple[Literal["data", "whole", "either"], ...] = ("data", "whole", "either")

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["DONE", "2026-05-15T08:21:00.000Z", "job_1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)


def places(document: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where in a document something stands that can be changed."""
    found = [path] if path else []
    if isinstance(document, dict):
        for name, inner in cast("dict[str, object]", document).items():
            found += places(inner, (*path, name))
    if isinstance(document, list):
        for at, inner in enumerate(cast("list[object]", document)):
            found += places(inner, (*path, at))
    return found


def put(document: object, path: tuple[str | int, ...], value: object) -> None:
    inner = document
    for step in path[:-1]:
        inner = cast("dict[str | int, object]", inner)[step]
    cast("dict[str | int, object]", inner)[path[-1]] = value


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A valid answer with one to three of its places changed, or bytes of it."""
    document = copy.deepcopy(draw(st.sampled_from([*PAGES, *SHAPES])))
    for _ in range(draw(st.integers(1, 3))):
        put(document, draw(st.sampled_from(places(document))), draw(JSON))
    body = json.dumps(document).encode()
    if draw(st.booleans()):
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=4)) + body[at + draw(st.integers(0, 4)) :]
    return body


NAMES = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "retry-after",
    "date",
    "scripe-deprecation",
    "idempotent-replayed",
    "x-request-id",
    "etag",
    "x-amz-server-side-encryption",
]
VALUES = st.text(max_size=40) | st.sampled_from(
    [
        "-1",
        "1e999",
        "nan",
        "inf",
        "9" * 5000,
        "Wed, 99 Foo 2026 99:99:99 GMT",
        "Mon, 01 Jan 0001 00:00:00 +9999",
        "; ; =",
        "v; sunset=2026-13-99",
        "٣",
    ]
)
HEADERS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6).map(
    lambda named: Headers(named.items())
)
STATUSES = st.sampled_from([200, 201, 204, 299, 400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 503, 599])

ODD = [
    b"",
    b"\xef\xbb\xbf{}",
    b"\x00",
    b"null",
    b"[]",
    b'"text"',
    b'{"data": null}',
    b'{"data": {}, "data": []}',
    b'{"error": {"code": ["x"], "message": {"a": 1}}}',
    b'{"error": []}',
    b'{"data": ' + b"9" * 6000 + b"}",
    b'{"data": 1e999999}',
    b'{"data": NaN}',
    b'{"data": {"id": "\\ud800"}}',
    b'{"error": {"code": "\\ud800", "message": "\\udfff"}}',
    b"[" * 100_000,
    b'{"data":' * 50_000,
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>",
]


def only_ours(parse: Callable[[], object]) -> None:
    try:
        parse()
    except ScripeError as error:
        assert str(error)
        assert repr(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
        assert str(copy.deepcopy(error)) == str(error)
        str(error).encode()


def read(request: Request[BaseModel], answer: RawResponse) -> object:
    return responses.parse_model(
        request, answer, responses.build_response_info(request, answer, 1), Secret("k")
    )


def read_freely(answer: RawResponse) -> object:
    request = Request("GET", "/anything", BaseModel)
    return responses.parse_json(
        request, answer, responses.build_response_info(request, answer, 1), Secret("k")
    )


def each_way(body: bytes, status: int, headers: Headers) -> None:
    answer = RawResponse(status, headers, body, 0.1, 1_795_404_021.0)
    for kind in KINDS:
        for shape in SHAPED:
            only_ours(partial(read, Request("GET", "/anything", kind, envelope=shape), answer))
    only_ours(partial(read_freely, answer))


@given(
    st.one_of(changed(), JSON.map(lambda found: json.dumps(found).encode()), st.binary(max_size=60)),
    STATUSES,
    HEADERS,
)
def test_any_body_under_any_status_is_a_value_or_an_error_of_ours(
    body: bytes, status: int, headers: Headers
) -> None:
    each_way(body, status, headers)


@pytest.mark.parametrize("body", ODD, ids=lambda body: repr(body[:20]))
@pytest.mark.parametrize("status", [200, 400, 503])
def test_odd_bodies(body: bytes, status: int) -> None:
    started = time.process_time()
    each_way(body, status, Headers([]))
    assert time.process_time() - started < 5


@given(HEADERS, STATUSES)
@example(Headers([("retry-after", "9" * 5000)]), 429)
def test_headers_say_something_sensible_or_nothing(headers: Headers, status: int) -> None:
    answer = RawResponse(status, headers, b"", 0.1, 1_795_404_021.0)
    wait, told = parse_retry_after(answer), parse_rate_limit(answer)
    assert wait is None or 0 <= wait < float("inf")
    assert told is None or told.reset_after is None or 0 <= told.reset_after < float("inf")
    notice = responses.parse_deprecation(headers.get("scripe-deprecation"))
    assert notice is None or isinstance(notice.version, str)


@given(
    st.one_of(
        st.binary(max_size=200),
        changed(),
        st.text(max_size=50).map(
            lambda code: f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode(
                "utf-8", "replace"
            )
        ),
    ),
    STATUSES,
    HEADERS,
)
def test_storages_answers(body: bytes, status: int, headers: Headers) -> None:
    upload = Upload.model_validate(shapes.upload("https://storage.example/key?X-Amz-Signature=00"))
    answer = RawResponse(status, headers, body, 0.1, 1_795_404_021.0)
    uploads.is_transient_at_storage(answer)
    only_ours(lambda: uploads.check_stored(answer, upload, "0" * 32))


def test_no_entity_is_expanded() -> None:
    bomb = b"<!DOCTYPE x [<!ENTITY a 'ha'>]><Error><Code>&a;&a;</Code><Message>&a;</Message></Error>"
    upload = Upload.model_validate(shapes.upload("https://storage.example/key"))
    with pytest.raises(ScripeError, match="&a;&a;"):
        uploads.check_stored(RawResponse(403, Headers([]), bomb), upload, "")


@given(st.lists(st.tuples(st.text(max_size=3), st.booleans(), st.integers(0, 3)), min_size=1, max_size=12))
def test_a_walk_over_any_cursors_ends(steps: list[tuple[str, bool, int]]) -> None:
    """Whatever cursors come: it goes on with new ones, and raises at one that came before."""
    walk: PageWalk[Job] = PageWalk({})
    for count, (cursor, has_more, items) in enumerate(steps):
        if walk.next_query() is None:
            return
        jobs = [shapes.job(f"job_{count}_{each}") for each in range(items)]
        page = Page[Job].model_validate(
            {"data": jobs, "pagination": {"next_cursor": cursor, "has_more": has_more}}
        )
        try:
            assert len(walk.accept(page).data) == items
        except ScripeError:
            return


@pytest.mark.parametrize(
    "unit",
    [b"https://", b"http://a?", b"<Code>", b"<Code>x", b'{"a":', b'{"error": "', b"\\u0041", b" ", b"["],
)
def test_no_time_grows_faster_than_the_body(unit: bytes) -> None:
    """Four times the body takes far less than the sixteen times of a search that goes back and forth."""

    def seconds(size: int) -> float:
        body = (unit * size)[: size * 8]
        request: Request[BaseModel] = Request("GET", "/anything", Source)
        upload = Upload.model_validate(shapes.upload("https://storage.example/key"))
        best = 10.0
        for _ in range(3):
            started = time.process_time()
            for status in (200, 400):
                answer = RawResponse(status, Headers([]), body)
                only_ours(partial(read, request, answer))
                only_ours(partial(uploads.check_stored, answer, upload, ""))
            best = min(best, time.process_time() - started)
        return best

    small = max(seconds(30_000), 0.002)
    assert seconds(120_000) < 10 * small
