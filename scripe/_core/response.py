"""Turn a response into a model or an error, and read its headers.

A proxy can put its own page in place of the API's response, with any status. So a body that is not the API's envelope
still becomes an error of the right class, chosen by its status.

Everything that an error shows (message, headers, body) is redacted first: some proxies echo the request with its API
key, and errors end up in logs and error trackers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import repeat
from operator import contains
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError

from .. import errors
from .._redaction import clip, redact, redact_body
from .._vocabulary import STATUS_BY_CODE
from ..types._base import JSON, set_response
from ..types.response_info import Deprecation, Headers, ResponseInfo
from .config import NO_API_KEY, Secret
from .json_repair import load_json, repair_json
from .outcome import Outcome, RawResponse, TransportFailure
from .rate_limit import parse_rate_limit, parse_retry_after
from .request import Request
from .retry import is_transient

T = TypeVar("T", bound=BaseModel)

ERROR_BY_CODE: Mapping[str, type[errors.APIStatusError]] = {  # where a code says more than its status
    "bad_cursor": errors.BadCursorError,
    "bad_pagination": errors.BadPaginationError,
    "version_unsupported": errors.VersionUnsupportedError,
    "scope_missing": errors.ScopeMissingError,
    "plan_not_eligible": errors.PlanNotEligibleError,
    "workspace_mismatch": errors.WorkspaceMismatchError,
    "idempotency_key_conflict": errors.IdempotencyConflictError,
    "not_cancellable": errors.NotCancellableError,
    "ssrf_blocked": errors.InvalidRequestError,  # its HTTP status is a guess: the status refines the class
}

ERROR_BY_STATUS: Mapping[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    402: errors.SpendCapExceededError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.PayloadTooLargeError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
    503: errors.ServiceUnavailableError,
}


def build_response_info(
    request: Request[T], raw: RawResponse, attempts: int, api_key: Secret[str] = NO_API_KEY
) -> ResponseInfo:
    """Return what the headers of a response say, without the API key if a header echoes it."""
    if any(map(contains, raw.headers.lower_items.values(), repeat(api_key.reveal() or "\n"))):
        raw = redact_api_key(raw, api_key)
    headers = raw.headers.lower_items
    replayed = headers.get("idempotent-replayed")
    return ResponseInfo(
        method=request.method,
        path=request.safe_path,
        status_code=raw.status,
        headers=raw.headers,
        request_id=headers.get("x-request-id"),
        idempotent_replayed=None if replayed is None else raw.is_replay,
        rate_limit=parse_rate_limit(raw),
        deprecation=parse_deprecation(headers.get("scripe-deprecation")),
        elapsed=raw.elapsed,
        attempts=attempts,
    )


def parse_deprecation(notice: str | None) -> Deprecation | None:
    """Parse `<version>; sunset=<date>; replacement=<version>`; only the version is always there."""
    if not notice:
        return None
    version, *rest = (part.strip() for part in notice.split(";"))
    named = {name.strip().lower(): text.strip() for name, _, text in (part.partition("=") for part in rest)}
    try:
        sunset = date.fromisoformat(named.get("sunset", ""))
    except ValueError:
        sunset = None
    return Deprecation(version, sunset, named.get("replacement"))


def redact_api_key(raw: RawResponse, api_key: Secret[str]) -> RawResponse:
    """Return the response without the API key, which some proxies echo."""
    text = api_key.reveal()
    if not text:
        return raw
    headers = Headers((name, value.replace(text, "…")) for name, value in raw.headers.items())
    return replace(raw, headers=headers, body=raw.body.replace(text.encode(), "…".encode()))


def parse_model(request: Request[T], raw: RawResponse, response: ResponseInfo, api_key: Secret[str]) -> T:
    """Return the model that the response holds, or raise the error that it is."""
    _check_status(request, raw, response, api_key)
    body: bytes | None = raw.body
    problem = ""
    while body is not None:
        try:
            return set_response(_parse_body(request, body), response)
        except ValidationError as error:
            problem = problem or _describe_problems(error)
            body = repair_json(body, error)
        except (ValueError, RecursionError):
            problem, body = problem or "it is not JSON", None
    raise _validation_error(request, raw, api_key, problem)


def parse_json(request: Request[T], raw: RawResponse, response: ResponseInfo, api_key: Secret[str]) -> JSON:
    """Return the JSON that the response holds; None for an empty body."""
    _check_status(request, raw, response, api_key)
    if not raw.body.strip():
        return None
    document = _load_json_or_marker(raw.body)
    if isinstance(document, _NotJSON):
        raise _validation_error(request, raw, api_key, "it is not JSON")
    return document


def proves_nothing_done(outcome: Outcome) -> bool:
    """Return True if an outcome proves that this attempt did nothing: it was not sent, or the API itself refused it.

    A 5xx, a 408, a conflict of the idempotency key and a response that is not the API's prove nothing.
    """
    if isinstance(outcome, TransportFailure):
        return outcome.reason == "not_sent"
    if not 400 <= outcome.status < 500 or outcome.status == 408:
        return False
    if outcome.status == 429:
        return True
    document = _load_json_or_marker(outcome.body)
    code = None if isinstance(document, _NotJSON) else _non_empty_str(_error_envelope(document).get("code"))
    return code is not None and ERROR_BY_CODE.get(code) is not errors.IdempotencyConflictError


def is_expected_status(request: Request[T], raw: RawResponse) -> bool:
    """Return True if a response outside 2xx holds the object all the same, and not an error."""
    if raw.status not in request.extra_success_statuses:
        return False
    document = _load_json_or_marker(raw.body)
    return isinstance(document, dict) and "error" not in document


def _check_status(
    request: Request[T], raw: RawResponse, response: ResponseInfo, api_key: Secret[str]
) -> None:
    if not 200 <= raw.status < 300 and not is_expected_status(request, raw):
        raise status_error(request, raw, response, api_key)


class _Envelope(BaseModel, Generic[T]):
    data: T


@cache
def _envelope_model(returns: type[BaseModel]) -> type[_Envelope[BaseModel]]:
    return cast("type[_Envelope[BaseModel]]", _Envelope.__class_getitem__(returns))


def _parse_body(request: Request[T], body: bytes) -> T:
    match request.envelope:
        case "data":
            return cast("T", _envelope_model(request.returns).model_validate_json(body).data)
        case "whole":
            return request.returns.model_validate_json(body)
        case _:
            return request.returns.model_validate(_unwrap(body))


def _unwrap(body: bytes) -> object:
    """Return an object that the API reference shows without an envelope; accept one in `data` too (C23)."""
    document = load_json(body)
    inner = document.get("data") if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else document


def _describe_problems(error: ValidationError) -> str:
    """Describe where validation failed, without the values, which may be secret."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    places = [
        f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['type']}" for problem in problems[:3]
    ]
    return ", ".join(places)


def _validation_error(
    request: Request[T], raw: RawResponse, api_key: Secret[str], problem: str
) -> errors.APIResponseValidationError:
    request_id = redact_api_key(raw, api_key).headers.get("x-request-id")
    return errors.APIResponseValidationError(
        f"{request.method} {request.safe_path} returned {raw.status} with a body that is not "
        f"what the API promises: {problem}",
        status_code=raw.status,
        request_id=request_id,
        body=cast("JSON", redact_body(raw.body, api_key.reveal())),
        idempotency_key=request.idempotency_key,
    )


def status_error(
    request: Request[T], raw: RawResponse, response: ResponseInfo, api_key: Secret[str] = NO_API_KEY
) -> errors.APIStatusError:
    """Return the error of a response; its class depends on the code first, on the status second."""
    body = cast("JSON", redact_body(raw.body, api_key.reveal()))
    envelope = _error_envelope(body)
    code, headers = _non_empty_str(envelope.get("code")), redact_api_key(raw, api_key).headers
    if "location" in headers:
        headers = Headers((name, redact(text)) for name, text in headers.items())
    error = _error_class(code, raw.status)(
        clip(_non_empty_str(envelope.get("message")) or _default_message(request, raw, body), 500),
        status_code=raw.status,
        code=code,
        request_id=headers.get("x-request-id") or _non_empty_str(envelope.get("request_id")),
        docs_url=_non_empty_str(envelope.get("docs_url")),
        details=_as_mapping(envelope.get("details")),
        meta=_as_mapping(envelope.get("meta")),
        headers=headers,
        body=body,
        retryable=is_transient(raw),
        retry_after=parse_retry_after(raw),
        idempotent_replayed=response.idempotent_replayed,
        idempotency_key=request.idempotency_key,
    )
    if isinstance(error, errors.RateLimitError):
        error.rate_limit = response.rate_limit
    return error


def _error_class(code: str | None, status: int) -> type[errors.APIStatusError]:
    """Return the class for the code; the one for the status if it is more exact, or the code is unknown."""
    by_status = _class_of_status(status)
    by_code = ERROR_BY_CODE.get(code or "") or _class_of_status(STATUS_BY_CODE.get(code or "", status))
    return by_status if issubclass(by_status, by_code) else by_code


def _class_of_status(status: int) -> type[errors.APIStatusError]:
    return ERROR_BY_STATUS.get(status) or (errors.ServerError if status >= 500 else errors.APIStatusError)


def _error_envelope(body: JSON) -> Mapping[str, JSON]:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str) and isinstance(body, dict):  # the form of OAuth: RFC 6749
        return {"code": error, "message": body.get("error_description")}
    return error if isinstance(error, dict) else {}


def _default_message(request: Request[T], raw: RawResponse, body: JSON) -> str:
    verb = "redirected (redirects are not followed) with" if 300 <= raw.status < 400 else "returned"
    content = (
        "an empty body"
        if not raw.body.strip()
        else "a body that is not JSON"
        if isinstance(body, str)
        else "a body without an error envelope"
    )
    return f"{request.method} {request.safe_path} {verb} {raw.status} and {content}"


def failure_error(request: Request[T], failure: TransportFailure, attempts: int) -> errors.APIConnectionError:
    """Return the error of a call that got no response."""
    error_class = errors.APITimeoutError if failure.is_timeout else errors.APIConnectionError
    tries = "" if attempts == 1 else f" after {attempts} attempts"
    return error_class(
        f"{request.method} {request.safe_path}: {failure.message}{tries}",
        retryable=True,
        idempotency_key=request.idempotency_key,
    )


class _NotJSON:
    """Stands for a body that is not JSON; None cannot, since `null` is JSON."""


def _load_json_or_marker(body: bytes) -> JSON | _NotJSON:
    """Parse JSON; return a marker if the body is not JSON."""
    try:
        return load_json(body)
    except (ValueError, RecursionError):
        return _NotJSON()


def _non_empty_str(value: JSON) -> str | None:
    return value if isinstance(value, str) and value else None


def _as_mapping(value: JSON) -> Mapping[str, JSON] | None:
    return value if isinstance(value, dict) else None
