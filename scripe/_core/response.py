"""An answer into a model or an error; what its headers tell beside it."""

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
from .outcome import RawResponse, TransportFailure
from .rate_limit import rate_limit, retry_after
from .request import Request
from .retry import is_transient

T = TypeVar("T", bound=BaseModel)

BY_CODE: Mapping[str, type[errors.APIStatusError]] = {  # where a code says more than its status
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

BY_STATUS: Mapping[int, type[errors.APIStatusError]] = {
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


def response_info(
    request: Request[T], answer: RawResponse, attempts: int, key: Secret[str] = NO_API_KEY
) -> ResponseInfo:
    if any(map(contains, answer.headers.lower_items.values(), repeat(key.reveal() or "\n"))):
        answer = redact_api_key(answer, key)
    headers = answer.headers.lower_items
    replayed = headers.get("idempotent-replayed")
    return ResponseInfo(
        method=request.method,
        path=request.safe_path,
        status_code=answer.status,
        headers=answer.headers,
        request_id=headers.get("x-request-id"),
        idempotent_replayed=None if replayed is None else answer.is_replay,
        rate_limit=rate_limit(answer),
        deprecation=deprecation(headers.get("scripe-deprecation")),
        elapsed=answer.elapsed,
        attempts=attempts,
    )


def deprecation(notice: str | None) -> Deprecation | None:
    """Read `<version>; sunset=<date>; replacement=<version>`, of which only the version is sure to come."""
    if not notice:
        return None
    version, *rest = (part.strip() for part in notice.split(";"))
    named = {name.strip().lower(): text.strip() for name, _, text in (part.partition("=") for part in rest)}
    try:
        sunset = date.fromisoformat(named.get("sunset", ""))
    except ValueError:
        sunset = None
    return Deprecation(version, sunset, named.get("replacement"))


def redact_api_key(answer: RawResponse, key: Secret[str]) -> RawResponse:
    """The answer as an error may show it: some proxies echo what they were sent, the key too."""
    text = key.reveal()
    if not text:
        return answer
    headers = Headers((name, value.replace(text, "…")) for name, value in answer.headers.items())
    return replace(answer, headers=headers, body=answer.body.replace(text.encode(), "…".encode()))


def parse_model(request: Request[T], answer: RawResponse, response: ResponseInfo, key: Secret[str]) -> T:
    """The model that the answer holds.

    Raises:
        APIStatusError: the answer is an error.
        APIResponseValidationError: the answer is none that the API promises.

    """
    _check_status(request, answer, response, key)
    body: bytes | None = answer.body
    problem = ""
    while body is not None:
        try:
            return set_response(_parse(request, body), response)
        except ValidationError as error:
            problem = problem or _problem(error)
            body = repair_json(body, error)
        except (ValueError, RecursionError):
            problem, body = problem or "it is not JSON", None
    raise _validation_error(request, answer, key, problem)


def parse_json(request: Request[T], answer: RawResponse, response: ResponseInfo, key: Secret[str]) -> JSON:
    """The JSON that the answer holds; None for an empty body."""
    _check_status(request, answer, response, key)
    if not answer.body.strip():
        return None
    found = _json(answer.body)
    if isinstance(found, _NoJSON):
        raise _validation_error(request, answer, key, "it is not JSON")
    return found


def is_expected_status(request: Request[T], answer: RawResponse) -> bool:
    """Whether an answer that is no success carries the object all the same, not an error."""
    if answer.status not in request.extra_success_statuses:
        return False
    found = _json(answer.body)
    return isinstance(found, dict) and "error" not in found


def _check_status(request: Request[T], answer: RawResponse, response: ResponseInfo, key: Secret[str]) -> None:
    if not 200 <= answer.status < 300 and not is_expected_status(request, answer):
        raise status_error(request, answer, response, key)


class _Envelope(BaseModel, Generic[T]):
    data: T


@cache
def _envelope(returns: type[BaseModel]) -> type[_Envelope[BaseModel]]:
    return cast("type[_Envelope[BaseModel]]", _Envelope.__class_getitem__(returns))


def _parse(request: Request[T], body: bytes) -> T:
    match request.envelope:
        case "data":
            return cast("T", _envelope(request.returns).model_validate_json(body).data)
        case "whole":
            return request.returns.model_validate_json(body)
        case _:
            return request.returns.model_validate(_unwrap(body))


def _unwrap(body: bytes) -> object:
    """An object that the API's pages show bare; C23: take it out of `data` too."""
    found = load_json(body)
    inner = found.get("data") if isinstance(found, dict) else None
    return inner if isinstance(inner, dict) else found


def _problem(error: ValidationError) -> str:
    """Where it went wrong, without the values: they may hold what must not be printed."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    places = [f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['type']}" for each in found[:3]]
    return ", ".join(places)


def _validation_error(
    request: Request[T], answer: RawResponse, key: Secret[str], problem: str
) -> errors.APIResponseValidationError:
    request_id = redact_api_key(answer, key).headers.get("x-request-id")
    return errors.APIResponseValidationError(
        f"{request.method} {request.safe_path} answered {answer.status} with a body that is not "
        f"what the API promises: {problem}",
        status_code=answer.status,
        request_id=request_id,
        body=cast("JSON", redact_body(answer.body, key.reveal())),
        idempotency_key=request.idempotency_key,
    )


def status_error(
    request: Request[T], answer: RawResponse, response: ResponseInfo, key: Secret[str] = NO_API_KEY
) -> errors.APIStatusError:
    """The error that an answer is: chosen by its code first, by its status second."""
    found = cast("JSON", redact_body(answer.body, key.reveal()))
    envelope = _envelope_of(found)
    code, headers = _non_empty_str(envelope.get("code")), redact_api_key(answer, key).headers
    if "location" in headers:
        headers = Headers((name, redact(text)) for name, text in headers.items())
    error = _error_class(code, answer.status)(
        clip(_non_empty_str(envelope.get("message")) or _default_message(request, answer, found), 500),
        status_code=answer.status,
        code=code,
        request_id=headers.get("x-request-id") or _non_empty_str(envelope.get("request_id")),
        docs_url=_non_empty_str(envelope.get("docs_url")),
        details=_mapping(envelope.get("details")),
        meta=_mapping(envelope.get("meta")),
        headers=headers,
        body=found,
        retryable=is_transient(answer),
        retry_after=retry_after(answer),
        idempotent_replayed=response.idempotent_replayed,
        idempotency_key=request.idempotency_key,
    )
    if isinstance(error, errors.RateLimitError):
        error.rate_limit = response.rate_limit
    return error


def _error_class(code: str | None, status: int) -> type[errors.APIStatusError]:
    """The class of the code; of the status where that is more exact, or where the code is unknown."""
    by_status = _class_of_status(status)
    by_code = BY_CODE.get(code or "") or _class_of_status(STATUS_BY_CODE.get(code or "", status))
    return by_status if issubclass(by_status, by_code) else by_code


def _class_of_status(status: int) -> type[errors.APIStatusError]:
    return BY_STATUS.get(status) or (errors.ServerError if status >= 500 else errors.APIStatusError)


def _envelope_of(found: JSON) -> Mapping[str, JSON]:
    error = found.get("error") if isinstance(found, dict) else None
    if isinstance(error, str) and isinstance(found, dict):  # the form of OAuth: RFC 6749
        return {"code": error, "message": found.get("error_description")}
    return error if isinstance(error, dict) else {}


def _default_message(request: Request[T], answer: RawResponse, found: JSON) -> str:
    what = "redirected, and redirects are not followed" if 300 <= answer.status < 400 else "answered"
    kind = (
        "an empty body"
        if not answer.body.strip()
        else "no JSON"
        if isinstance(found, str)
        else "no error envelope"
    )
    return f"{request.method} {request.safe_path} {what} {answer.status} with {kind}"


def failure_error(request: Request[T], failure: TransportFailure, attempts: int) -> errors.APIConnectionError:
    kind = errors.APITimeoutError if failure.is_timeout else errors.APIConnectionError
    tries = "" if attempts == 1 else f" after {attempts} attempts"
    return kind(
        f"{request.method} {request.safe_path}: {failure.message}{tries}",
        retryable=True,
        idempotency_key=request.idempotency_key,
    )


class _NoJSON:
    """What bytes that are no JSON become; None is JSON."""


def _json(body: bytes) -> JSON | _NoJSON:
    try:
        return load_json(body)
    except (ValueError, RecursionError):
        return _NoJSON()


def _non_empty_str(value: JSON) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: JSON) -> Mapping[str, JSON] | None:
    return value if isinstance(value, dict) else None
