import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe._core.request import (
    Request,
    build_path,
    build_query,
    check_id,
    check_literal_path,
    create_request,
    format_datetime,
    format_utc_day,
    join_filter,
    page_query,
    raw_request,
    to_json_bytes,
)
from scripe.errors import InvalidArgumentError
from scripe.types import JSONInput, Source

LONE = "\ud800"


def body_of(request: Request[Source]) -> object:
    return json.loads(request.body or b"")


def raw(
    method: str = "GET", path: str = "/x", *, json: JSONInput = None, key: str | None = None
) -> Request[Source]:
    return raw_request(method, path, Source, None, json, key)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_id_reaches_another_endpoint(text: str) -> None:
    if text.strip() in ("", ".", ".."):
        with pytest.raises(InvalidArgumentError):
            build_path("/jobs/{}/cancel", text)
        return
    filled = build_path("/jobs/{}/cancel", text)
    middle = filled.removeprefix("/jobs/").removesuffix("/cancel")
    assert filled == f"/jobs/{middle}/cancel"
    assert not set(middle) & set("/?#\\ ")
    assert middle not in (".", "..")
    assert middle.isascii()


@pytest.mark.parametrize("value", ["", " ", ".", "..", " .. ", None, 7])
def test_a_text_that_is_not_an_id_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="project_id"):
        check_id(value, "project_id")


def test_a_request_knows_its_path_without_the_ids() -> None:
    filled = build_path("/jobs/{}/cancel", "job_1")
    assert (filled, filled.template) == ("/jobs/job_1/cancel", "/jobs/{}/cancel")
    assert Request("POST", filled, Source).template == "/jobs/{}/cancel"
    assert Request("GET", "/jobs", Source).template == "/jobs"
    assert create_request("POST", "/sources", Source, {}, None).template == "/sources"
    assert raw_request("GET", "/jobs/job_1", Source, None, None, None).template is None


def test_ids_are_opaque() -> None:
    for value in ("src_1", "upl_acme_workspace_random_id_xxx", "{0}", "…", "a/b"):
        assert check_id(value, "id") == value


def test_an_id_that_utf_8_cannot_carry_is_an_error_of_ours() -> None:
    with pytest.raises(InvalidArgumentError):
        build_path("/jobs/{}", LONE)


def test_a_query_that_utf_8_cannot_carry_is_an_error_of_ours() -> None:
    with pytest.raises(InvalidArgumentError):
        Request("GET", "/notes", Source, params=build_query({"projectId": LONE})).target  # noqa: B018
    with pytest.raises(InvalidArgumentError):
        Request("GET", "/notes", Source, params=page_query(1, projectId=LONE)).target  # noqa: B018


def test_the_target_is_path_and_quoted_query() -> None:
    assert Request("GET", "/jobs", Source).target == "/jobs"
    assert Request("GET", "/jobs", Source, params={}).target == "/jobs"
    request = Request("GET", "/jobs", Source, params={"cursor": "a+/=&", "type": "A,B"})
    assert request.target == "/jobs?cursor=a%2B%2F%3D%26&type=A%2CB"


def test_params_join_a_query_that_the_path_has() -> None:
    request = raw_request("GET", "/x?a=1", Source, {"b": 2}, None, None)
    assert request.target == "/x?a=1&b=2"


@pytest.mark.parametrize(
    ("method", "path", "bucket"),
    [
        ("GET", "/uploads", "read"),
        ("HEAD", "/x", "read"),
        ("POST", "/uploads", "upload"),
        ("POST", "/sources", "write"),
        ("PATCH", "/posts/1", "write"),
        ("DELETE", "/x", "write"),
    ],
)
def test_reads_share_one_rate_limit(method: str, path: str, bucket: str) -> None:
    assert Request(method, path, Source).bucket == bucket


def test_a_write_has_its_key_and_its_bytes_before_the_first_attempt() -> None:
    request = create_request("POST", "/sources", Source, {"text": "Grüße", "name": None, "n": 0}, None)
    assert request.body == '{"text":"Grüße","n":0}'.encode()
    assert request.idempotency_key is not None
    assert request.repeatable
    assert request.idempotency_key != create_request("POST", "/sources", Source, {}, None).idempotency_key


def test_a_write_takes_the_callers_key_and_refuses_a_bad_one() -> None:
    assert create_request("POST", "/sources", Source, {}, "mine").idempotency_key == "mine"
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        create_request("POST", "/sources", Source, {}, "not mine")
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        create_request("POST", "/sources", Source, {}, "")


def test_a_free_write_is_repeated_only_with_the_callers_own_key() -> None:
    assert not raw("post").repeatable
    assert raw("post").idempotency_key
    assert raw("POST", key="mine").repeatable
    assert raw("POST", key="mine").idempotency_key == "mine"
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        raw("DELETE", key="a b")


@pytest.mark.parametrize("method", ["get", "HEAD"])
def test_a_raw_read_is_repeated_and_has_no_idempotency_key(method: str) -> None:
    request = raw(method)
    assert request.method == method.upper()
    assert request.repeatable
    assert request.idempotency_key is None
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        raw(method, key="mine")


def test_a_free_request_sends_just_the_json_that_was_given() -> None:
    assert raw("POST").body is None
    assert raw("POST", json=[]).body == b"[]"
    assert body_of(raw("POST", json={"a": None})) == {"a": None}


@pytest.mark.parametrize("path", ["/x", "/x/y", "/x?a=..", "/x.y", "/%C3%A9"])
def test_a_path_below_the_base_url_is_accepted(path: str) -> None:
    assert check_literal_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "//evil.io",
        "https://evil.io",
        "/../x",
        "/x/..",
        "/./x",
        "/x#y",
        "/a b",
        "/é",
        "/a\n",
        "/a\x00",
    ],
)
def test_a_path_that_leaves_the_base_url_or_is_not_quoted_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgumentError, match="path"):
        check_literal_path(path)


@pytest.mark.parametrize("path", ["/%2e%2e/x", "/x/%2E.", "/.%2e"])
def test_quoted_dots_leave_the_base_url_no_more_than_plain_ones(path: str) -> None:
    with pytest.raises(InvalidArgumentError, match="path"):
        check_literal_path(path)


def test_json_is_compact_utf_8() -> None:
    assert to_json_bytes({"a": ["é", 1, 1.5, None, True]}) == '{"a":["é",1,1.5,null,true]}'.encode()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"a": {1}}, {"a": b"x"}, {"a": date(2026, 1, 1)}, LONE]
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="JSON"):
        to_json_bytes(value)


def test_a_body_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidArgumentError, match="JSON"):
        to_json_bytes(loop)


def test_a_body_too_deep_for_json_is_refused() -> None:
    deep: JSONInput = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidArgumentError, match="JSON"):
        to_json_bytes(deep)


def test_a_list_asks_for_1_to_200_items() -> None:
    assert page_query(1) == {"limit": "1"}
    assert page_query(200, "c", status=None, projectId="p") == {
        "limit": "200",
        "projectId": "p",
        "cursor": "c",
    }


@pytest.mark.parametrize("size", [0, 201, -1, True, 2.5, 200.0, "50", None])
def test_another_page_size_is_refused(size: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="page_size"):
        page_query(size)


def test_query_values_are_spelled_as_the_api_does_and_none_is_left_out() -> None:
    assert build_query(None) == {}
    assert build_query({"a": True, "b": False, "c": None, "d": 0, "e": "x", "f": 1.5}) == {
        "a": "true",
        "b": "false",
        "d": "0",
        "e": "x",
        "f": "1.5",
    }


def test_several_values_of_a_filter_are_joined_by_commas() -> None:
    assert join_filter(None, "status") is None
    assert join_filter(["DONE", "FAILED"], "status") == "DONE,FAILED"
    assert join_filter("DONE", "status") == "DONE"
    assert join_filter(("DONE",), "status") == "DONE"


@pytest.mark.parametrize("values", [[], "", [""], ["DONE", ""], ["DONE,FAILED"], "DONE,FAILED"])
def test_a_filter_without_clear_values_is_refused(values: list[str]) -> None:
    with pytest.raises(InvalidArgumentError, match="status"):
        join_filter(values, "status")


def test_a_date_filter_is_a_utc_day() -> None:
    assert format_utc_day(None, "date_from") is None
    assert format_utc_day(date(2026, 5, 15), "date_from") == "2026-05-15"
    assert format_utc_day(datetime(2026, 5, 15, 23, tzinfo=UTC), "date_from") == "2026-05-15"
    assert (
        format_utc_day(datetime(2026, 5, 15, 23, tzinfo=timezone(timedelta(hours=-2))), "date_from")
        == "2026-05-16"
    )


def test_a_datetime_without_a_zone_has_no_utc_day() -> None:
    with pytest.raises(InvalidArgumentError, match="date_from"):
        format_utc_day(datetime(2026, 5, 15), "date_from")  # noqa: DTZ001


def test_a_day_may_be_text_as_in_the_apis_own_examples() -> None:
    assert format_utc_day("2026-05-01", "date_from") == "2026-05-01"


@pytest.mark.parametrize(
    "text", ["15/05/2026", "tomorrow", "", "2026-13-01", "20260501", "2026-W18-5", "2026-05-01T00:00"]
)
def test_text_that_is_not_a_day_as_the_api_writes_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"date_from .*2026-05-01"):
        format_utc_day(text, "date_from")


@pytest.mark.parametrize("value", [20260501, 1.5, object()])
def test_a_value_that_is_not_a_day_is_refused(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match="date_from"):
        format_utc_day(cast("date", value), "date_from")


def test_values_of_a_filter_may_come_from_a_generator() -> None:
    assert join_filter((status for status in ["FAILED", "DONE"]), "status") == "FAILED,DONE"  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\nX: 1", "GÉT"])
def test_a_method_that_http_cannot_send_is_refused(method: str) -> None:
    with pytest.raises(InvalidArgumentError, match="method"):
        raw(method)


@pytest.mark.parametrize("spelled", [format_utc_day, format_datetime])
def test_an_instant_beyond_the_calendar_is_refused(spelled: Callable[[datetime, str], str | None]) -> None:
    with pytest.raises(InvalidArgumentError, match="UTC"):
        spelled(datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "when")
