import json
import pickle
from datetime import date
from typing import Any, TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe import errors
from scripe._core.config import Secret
from scripe._core.outcome import RawResponse, TransportFailure
from scripe._core.request import Request
from scripe._core.response import (
    ERROR_BY_STATUS,
    build_response_info,
    failure_error,
    parse_deprecation,
    parse_json,
    parse_model,
    redact_api_key,
    status_error,
)
from scripe._vocabulary import STATUS_BY_CODE
from scripe.types import CurrentWorkspace, Deprecation, Headers, Health, Job, Model, Page, RateLimit
from tests.core.examples import KEY, error_response, response

JOB = {"id": "job_1", "type": "POST_GENERATION", "status": "DONE", "createdAt": "2026-05-15T08:21:00.000Z"}
RETRIEVE = Request("GET", "/jobs/job_1", Job)
SUBMIT = Request("POST", "/sources", Job, idempotency_key="key-1")
HEALTH = Request("GET", "/health", Health, envelope="either", extra_success_statuses=frozenset({503}))


M = TypeVar("M", bound=Model)


def parse(request: Request[M], raw: RawResponse) -> M:
    return parse_model(request, raw, build_response_info(request, raw, 1), Secret(KEY))


def status_error_of(raw: RawResponse, request: Request[Any] = RETRIEVE) -> errors.APIStatusError:
    with pytest.raises(errors.APIStatusError) as caught:
        parse(request, raw)
    return caught.value


CATALOGUE = [
    (400, "invalid_request", errors.BadRequestError),
    (400, "bad_cursor", errors.BadCursorError),
    (400, "bad_pagination", errors.BadPaginationError),
    (400, "version_unsupported", errors.VersionUnsupportedError),
    (401, "unauthenticated", errors.AuthenticationError),
    (401, "invalid_token", errors.AuthenticationError),
    (401, "key_revoked", errors.AuthenticationError),
    (401, "key_expired", errors.AuthenticationError),
    (402, "spend_cap_exceeded", errors.SpendCapExceededError),
    (403, "scope_missing", errors.ScopeMissingError),
    (403, "plan_not_eligible", errors.PlanNotEligibleError),
    (403, "workspace_mismatch", errors.WorkspaceMismatchError),
    (404, "not_found", errors.NotFoundError),
    (409, "conflict", errors.ConflictError),
    (409, "idempotency_key_conflict", errors.IdempotencyConflictError),
    (409, "not_cancellable", errors.NotCancellableError),
    (413, "payload_too_large", errors.PayloadTooLargeError),
    (422, "unprocessable", errors.UnprocessableEntityError),
    (429, "rate_limited", errors.RateLimitError),
    (500, "internal_error", errors.ServerError),
    (503, "service_unavailable", errors.ServiceUnavailableError),
]


@pytest.mark.parametrize(("status", "code", "error_class"), CATALOGUE)
def test_every_code_of_the_catalogue_has_its_class(
    status: int, code: str, error_class: type[errors.APIStatusError]
) -> None:
    error = status_error_of(error_response(status, code))
    assert type(error) is error_class
    assert isinstance(error, ERROR_BY_STATUS.get(status, errors.ServerError))
    assert error.status_code == status
    assert error.code == code
    assert error.message == "told"


@pytest.mark.parametrize("status", [400, 422])
def test_a_blocked_url_is_invalid_input_whatever_its_status(status: int) -> None:
    assert isinstance(status_error_of(error_response(status, "ssrf_blocked")), errors.InvalidRequestError)


def test_the_code_is_chosen_by_before_the_status() -> None:
    assert type(status_error_of(error_response(401, "plan_not_eligible"))) is errors.PlanNotEligibleError
    assert {code: type(status_error_of(error_response(418, code))) for _, code, _ in CATALOGUE} == {
        code: error_class for _, code, error_class in CATALOGUE
    }


def test_the_catalogue_has_every_code() -> None:
    assert {code: status for status, code, _ in CATALOGUE} | {"ssrf_blocked": 422} == STATUS_BY_CODE


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (402, errors.SpendCapExceededError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (405, errors.APIStatusError),
        (408, errors.APIStatusError),
        (409, errors.ConflictError),
        (413, errors.PayloadTooLargeError),
        (422, errors.UnprocessableEntityError),
        (429, errors.RateLimitError),
        (500, errors.ServerError),
        (502, errors.ServerError),
        (503, errors.ServiceUnavailableError),
        (599, errors.ServerError),
        (302, errors.APIStatusError),
        (304, errors.APIStatusError),
    ],
)
@pytest.mark.parametrize("code", ["a_new_code", "", None, 7])
def test_an_unknown_code_is_mapped_by_its_status(
    status: int, error_class: type[errors.APIStatusError], code: object
) -> None:
    assert type(status_error_of(error_response(status, code))) is error_class


def test_an_error_holds_all_that_the_envelope_says() -> None:
    error = status_error_of(
        error_response(
            400,
            "invalid_request",
            request_id="req_body",
            docs_url="https://docs.scripe.io/errors#invalid_request",
            details={"field": "text"},
            meta={"hint": "shorter"},
        ),
        SUBMIT,
    )
    assert (error.request_id, error.docs_url) == ("req_body", "https://docs.scripe.io/errors#invalid_request")
    assert (error.details, error.meta) == ({"field": "text"}, {"hint": "shorter"})
    assert error.extra == {"field": "text", "hint": "shorter"}
    assert error.idempotency_key == "key-1"
    assert cast("dict[str, Any]", error.body)["error"]["code"] == "invalid_request"


def test_the_request_id_of_the_header_counts_first() -> None:
    raw = response(404, {"error": {"code": "not_found", "request_id": "req_body"}}, x_request_id="req_header")
    assert status_error_of(raw).request_id == "req_header"


def test_a_rate_limit_error_has_its_retry_after() -> None:
    raw = response(429, retry_after="17", x_ratelimit_limit="120", x_ratelimit_remaining="0")
    error = status_error_of(raw)
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after == 17.0
    assert error.rate_limit == RateLimit(120, 0, None)


@given(st.integers(300, 599), st.booleans())
def test_an_error_says_whether_the_same_call_may_succeed_later(status: int, replayed: bool) -> None:
    error = status_error_of(response(status, idempotent_replayed=str(replayed)))
    assert error.retryable == ((status in (408, 429) or status >= 500) and not replayed)


def test_an_oauth_error_is_understood() -> None:
    raw = response(401, {"error": "invalid_token", "error_description": "It has expired"})
    error = status_error_of(raw)
    assert type(error) is errors.AuthenticationError
    assert (error.code, error.message) == ("invalid_token", "It has expired")
    assert status_error_of(response(400, {"error": "invalid_grant"})).code == "invalid_grant"


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"<html>502 Bad Gateway</html>", "a body that is not JSON"),
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b'{"error": {"co', "a body that is not JSON"),
        (b"\xff\xfe", "a body that is not JSON"),
        (b"[" * 100_000, "a body that is not JSON"),
        (b"[]", "a body without an error envelope"),
        (b"null", "a body without an error envelope"),
        (b'{"error": 7}', "a body without an error envelope"),
        (b'{"message": "x"}', "a body without an error envelope"),
    ],
)
def test_an_odd_error_has_a_message_from_its_status_and_body(body: bytes, content: str) -> None:
    error = status_error_of(response(502, body))
    assert type(error) is errors.ServerError
    assert f"GET /jobs/job_1 returned 502 and {content}" in str(error)


def test_a_redirect_is_an_error_and_not_followed() -> None:
    error = status_error_of(response(307, b"", location="https://elsewhere/"))
    assert type(error) is errors.APIStatusError
    assert "not followed" in str(error)
    assert error.headers["Location"] == "https://elsewhere/"


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "code", "message", "data", "details", "meta", "accepted", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def error_of(request: Request[Any], raw: RawResponse) -> errors.ScripeError | None:
    try:
        parse(request, raw)
    except (errors.APIResponseValidationError, errors.APIStatusError) as error:
        return error
    return None


@given(st.sampled_from([200, 204, 302, 400, 402, 403, 429, 500, 503]), JSON_VALUES | st.binary(max_size=30))
def test_every_response_raises_an_error_of_scripe_at_most(status: int, body: object) -> None:
    raw = response(status, body if isinstance(body, bytes) else json.dumps(body).encode())
    requests: list[Request[Any]] = [RETRIEVE, HEALTH, Request("GET", "/jobs", Page[Job], envelope="whole")]
    for request in requests:
        error = error_of(request, raw)
        assert repr(pickle.loads(pickle.dumps(error))) == repr(error)


def test_an_error_message_can_always_be_printed() -> None:
    error = status_error_of(response(400, b'{"error": {"code": "bad", "message": "half \\ud800 a pair"}}'))
    assert "half" in str(error)
    assert str(error).encode()


def test_an_object_is_taken_out_of_data() -> None:
    assert parse(RETRIEVE, response(200, {"data": JOB})).id == "job_1"
    assert parse(RETRIEVE, response(201, {"data": JOB})).is_succeeded


def test_a_list_is_a_whole_page() -> None:
    request = Request("GET", "/jobs", Page[Job], envelope="whole")
    page = parse(
        request, response(200, {"data": [JOB], "pagination": {"next_cursor": "c", "has_more": True}})
    )
    assert page.data[0].id == "job_1"
    assert page.next_cursor == "c"
    assert page.has_more
    assert not parse(request, response(200, {"data": []})).has_more


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_object_that_the_reference_shows_bare_is_accepted_either_way(wrapped: bool) -> None:
    bare = {"workspace": {"id": "org_1"}, "principal": {"id": "key_1"}}
    request = Request("GET", "/workspaces/me", CurrentWorkspace, envelope="either")
    assert parse(request, response(200, {"data": bare} if wrapped else bare)).workspace.id == "org_1"


def test_a_bare_object_may_have_a_field_called_data() -> None:
    class Anything(Model):
        data: list[int]

    assert parse(Request("GET", "/x", Anything, envelope="either"), response(200, {"data": [1]})).data == [1]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<html>", "json_invalid"),
        (b"", "json_invalid"),
        (b'{"data": {"id"', "json_invalid"),
        (b"\xff", "json_invalid"),
        (b"[" * 100_000, "json_invalid"),
        (b"[]", "body: model_type"),
        (b"{}", "data: missing"),
        (b'{"data": null}', "data: model_type"),
        (b'{"data": {"id": "job_1"}}', "data.type: missing"),
    ],
)
def test_an_invalid_success_is_described_by_place_and_type(body: bytes, problem: str) -> None:
    with pytest.raises(errors.APIResponseValidationError) as caught:
        parse(SUBMIT, response(200, body, x_request_id="req_7"))
    error = caught.value
    assert problem in str(error)
    assert error.status_code == 200
    assert error.request_id == "req_7"
    assert error.idempotency_key == "key-1"
    assert error.__context__ is None, "the engine's exceptions would carry the body into tracebacks"


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b"[" * 100_000])
def test_a_bare_success_that_is_not_json_is_described_so(body: bytes) -> None:
    with pytest.raises(errors.APIResponseValidationError, match="JSON"):
        parse(HEALTH, response(200, body))


def test_a_value_of_an_invalid_response_is_not_in_the_message() -> None:
    with pytest.raises(errors.APIResponseValidationError) as caught:
        parse(RETRIEVE, response(200, {"data": {**JOB, "attemptCount": "whsec_hush"}}))
    assert "hush" not in str(caught.value)
    assert "data.attemptCount: int_parsing" in str(caught.value)


def test_a_degraded_health_is_a_result() -> None:
    parsed = parse(
        HEALTH, response(503, {"status": "degraded", "checks": {"db": {"ok": False, "error": "down"}}})
    )
    assert not parsed.is_ok
    assert parsed.last_response.status_code == 503


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b'{"error": {"code": "service_unavailable", "message": "x"}}']
)
def test_a_503_that_is_not_a_health_is_an_error_of_the_service(body: bytes) -> None:
    with pytest.raises(errors.ServiceUnavailableError):
        parse(HEALTH, response(503, body))


def test_a_document_is_the_json_of_the_body() -> None:
    def parsed(raw: RawResponse) -> object:
        return parse_json(RETRIEVE, raw, build_response_info(RETRIEVE, raw, 1), Secret(KEY))

    assert parsed(response(200, {"data": [1]})) == {"data": [1]}
    assert parsed(response(204, b"")) is None
    assert parsed(response(200, b"null")) is None
    with pytest.raises(errors.APIResponseValidationError, match="JSON"):
        parsed(response(200, b"<html>"))
    with pytest.raises(errors.NotFoundError):
        parsed(response(404, b""))


def test_a_model_has_its_response() -> None:
    raw = response(
        200,
        {"data": JOB},
        x_request_id="req_7",
        idempotent_replayed="true",
        x_ratelimit_remaining="3",
        scripe_deprecation="2026-08-01",
    )
    info = parse_model(RETRIEVE, raw, build_response_info(RETRIEVE, raw, 2), Secret(KEY)).last_response
    assert info.method == "GET"
    assert info.path == "/jobs/job_1"
    assert info.status_code == 200
    assert info.request_id == "req_7"
    assert (info.idempotent_replayed, info.rate_limit) == (True, RateLimit(None, 3, None))
    assert info.deprecation == Deprecation("2026-08-01")
    assert info.elapsed == 0.25
    assert info.attempts == 2
    assert info.headers["X-Request-Id"] == "req_7"


def test_what_was_not_said_of_a_replay_is_unknown() -> None:
    assert build_response_info(RETRIEVE, response(), 1).idempotent_replayed is None
    assert (
        build_response_info(RETRIEVE, response(idempotent_replayed="false"), 1).idempotent_replayed is False
    )


@pytest.mark.parametrize(
    ("notice", "parsed"),
    [
        (None, None),
        ("", None),
        ("2026-08-01", Deprecation("2026-08-01")),
        (
            "2026-08-01; sunset=2026-12-01; replacement=2026-11-01",
            Deprecation("2026-08-01", date(2026, 12, 1), "2026-11-01"),
        ),
        ("2026-08-01;Replacement = 2026-11-01 ; new=1;;", Deprecation("2026-08-01", None, "2026-11-01")),
        ("2026-08-01; sunset=soon", Deprecation("2026-08-01")),
    ],
)
def test_a_deprecation_notice_names_version_sunset_and_replacement(
    notice: str | None, parsed: Deprecation | None
) -> None:
    assert parse_deprecation(notice) == parsed


def test_a_key_that_is_echoed_gets_into_no_error() -> None:
    echoed = response(
        400,
        {"error": {"code": KEY, "message": KEY, "request_id": KEY, "docs_url": KEY, "details": {"a": [KEY]}}},
        authorization=f"Bearer {KEY}",
    )
    error = status_error_of(echoed)
    assert KEY not in str(error)
    assert KEY not in repr(vars(error))
    with pytest.raises(errors.APIResponseValidationError) as caught:
        parse(RETRIEVE, response(200, KEY.encode()))
    assert KEY not in repr(vars(caught.value))


def test_a_key_that_is_echoed_as_a_request_id_gets_into_no_error() -> None:
    assert KEY not in str(status_error_of(response(400, x_request_id=KEY)))


def test_without_a_key_there_is_nothing_to_hide() -> None:
    raw = response(400, {"error": "x"})
    assert redact_api_key(raw, Secret("")) is raw


def test_a_connection_that_failed_tells_attempts_and_key() -> None:
    error = failure_error(SUBMIT, TransportFailure("response_lost", False, "ReadError: broke"), 3)
    assert type(error) is errors.APIConnectionError
    assert str(error) == "POST /sources: ReadError: broke after 3 attempts"
    assert (error.retryable, error.idempotency_key) == (True, "key-1")


def test_a_timeout_is_distinguished_from_a_broken_connection() -> None:
    error = failure_error(RETRIEVE, TransportFailure("not_sent", True, "ConnectTimeout: no"), 1)
    assert type(error) is errors.APITimeoutError
    assert "attempts" not in str(error)
    assert error.idempotency_key is None


def test_the_error_of_a_read_has_no_idempotency_key() -> None:
    raw = RawResponse(404, Headers(), b"")
    assert status_error(RETRIEVE, raw, build_response_info(RETRIEVE, raw, 1)).idempotency_key is None


def test_an_api_key_that_a_header_echoes_is_nowhere_in_the_response_info() -> None:
    raw = RawResponse(200, Headers([("X-Echo", f"Bearer {KEY}")]), json.dumps({"data": JOB}).encode())
    info = build_response_info(RETRIEVE, raw, 1, Secret(KEY))
    assert KEY not in repr(info)
    assert info.headers["x-echo"] == "Bearer …"


@pytest.mark.parametrize("status", [200, 400])
def test_secrets_of_an_invalid_response_are_not_in_its_error(status: int) -> None:
    body = b'{"secret": "whsec_AbC123", "uploadUrl": "https:\\/\\/s3.example.com\\/k?X-Amz-Signature=c0ffee"}'
    with pytest.raises(errors.ScripeError) as caught:
        parse(RETRIEVE, RawResponse(status, Headers(), body))
    attributes = str(vars(caught.value))
    assert "s3.example.com" in attributes
    assert "AbC123" not in attributes
    assert "c0ffee" not in attributes
