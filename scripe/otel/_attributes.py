"""What is said of a call, by the semantic conventions for HTTP clients; our own attributes begin with `scripe.`.

| Said | Left out |
|---|---|
| method, server, path, template, size of the body | the query: cursors, the signature of an upload link |
| status, request id, the API's error code if it is a known one | headers, the key, bodies, the API's own words |
"""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import urlsplit

from .. import errors
from .._core.outcome import Outcome, RawResponse
from .._observer import CallDescription
from .._vocabulary import STATUS_BY_CODE

Attributes: TypeAlias = dict[str, str | int | float | bool]

METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""Those that the conventions know; any other is attributes apart, lest it makes another series of each metric."""

_ERRORS_WITH_SERVER_TEXT = (errors.APIStatusError, errors.UploadError, errors.JobError)
"""Errors whose message holds what a server said, and it may quote what it was sent."""


def span_name(description: CallDescription) -> str:
    method = description.method if description.method in METHODS else "HTTP"
    template = template_of(description)
    return method if template is None else f"{method} {template}"


def template_of(description: CallDescription) -> str | None:
    return None if description.template is None else description.template.replace("{}", "{id}")


def metric_attributes(description: CallDescription) -> Attributes:
    """What tells one cls of call from another: of each there are few."""
    server, template = urlsplit(description.url), template_of(description)
    attributes: Attributes = {
        "http.request.method": description.method if description.method in METHODS else "_OTHER",
        "server.address": server.hostname or "",
        "server.port": server.port or {"http": 80}.get(server.scheme, 443),
    }
    if template is not None:
        attributes["url.template"] = template
    return attributes


def start_attributes(description: CallDescription) -> Attributes:
    """What is known of a call before it is sent."""
    attributes: Attributes = {**metric_attributes(description), "url.full": description.url}
    if description.method not in METHODS:
        attributes["http.request.method_original"] = description.method
    if description.size is not None:
        attributes["http.request.body.size"] = description.size
    return attributes


def outcome_attributes(outcome: Outcome) -> Attributes:
    """What an attempt brought, in few words."""
    if isinstance(outcome, RawResponse):
        return {"http.response.status_code": outcome.status}
    return {"error.type": "APITimeoutError" if outcome.is_timeout else "APIConnectionError"}


def attempt_attributes(number: int, resends: int, outcome: Outcome) -> Attributes:
    """An attempt, as an event."""
    attributes: Attributes = {"scripe.attempt": number, **outcome_attributes(outcome)}
    if resends:
        attributes["http.request.resend_count"] = resends
    return attributes | (
        response_attributes(outcome)
        if isinstance(outcome, RawResponse)
        else {"error.message": outcome.message}
    )


def response_attributes(response: RawResponse) -> Attributes:
    headers = response.headers.lower_items
    attributes: Attributes = {"http.response.status_code": response.status}
    if "x-request-id" in headers:
        attributes["scripe.request_id"] = headers["x-request-id"]
    if "idempotent-replayed" in headers:
        attributes["scripe.idempotent_replayed"] = response.is_replay
    return attributes


def error_attributes(error: BaseException) -> Attributes:
    """Why a call ended badly."""
    attributes: Attributes = {"error.type": error_type(error)}
    if isinstance(error, errors.ScripeError):
        attributes["scripe.retryable"] = error.retryable
    code = error.code if isinstance(error, errors.APIStatusError) else None
    if code is not None and code in STATUS_BY_CODE:
        attributes["scripe.error.code"] = code
    return attributes


def error_type(error: BaseException) -> str:
    """The name of its class: the public one, of ours."""
    cls = type(error)
    if isinstance(error, errors.ScripeError):
        return next(base.__name__ for base in cls.__mro__ if base.__name__ in errors.__all__)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def error_description(error: BaseException) -> str | None:
    """The message, if the words are our own."""
    is_ours = isinstance(error, errors.ScripeError) and not isinstance(error, _ERRORS_WITH_SERVER_TEXT)
    return str(error) if is_ours else None
