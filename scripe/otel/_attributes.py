"""Attributes of spans and metrics, by the semantic conventions for HTTP clients; our own begin with `scripe.`.

| Recorded | Left out |
|---|---|
| method, server, path, template, size of the body | the query: cursors, the signature of an upload link |
| status, request id, the API's error code if it is a known one | headers, the API key, bodies, messages of the API |
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
"""The methods that the conventions know. Any other becomes `_OTHER`, so that it adds no series to each metric."""

_ERRORS_WITH_SERVER_TEXT = (errors.APIStatusError, errors.UploadError, errors.JobError)
"""Errors whose message contains text of a server, which may quote what was sent to it."""


def span_name(description: CallDescription) -> str:
    """Return the name of a call's span: the method, and the path without its ids."""
    method = description.method if description.method in METHODS else "HTTP"
    return method if description.template is None else f"{method} {description.template}"


def metric_attributes(description: CallDescription) -> Attributes:
    """Return the attributes of metrics: few values for each, since each combination is a series."""
    server = urlsplit(description.url)
    attributes: Attributes = {
        "http.request.method": description.method if description.method in METHODS else "_OTHER",
        "server.address": server.hostname or "",
        "server.port": server.port or {"http": 80}.get(server.scheme, 443),
    }
    if description.template is not None:
        attributes["url.template"] = description.template
    return attributes


def start_attributes(description: CallDescription) -> Attributes:
    """Return the attributes of a span that are known before the call is sent."""
    attributes: Attributes = {**metric_attributes(description), "url.full": description.url}
    if description.method not in METHODS:
        attributes["http.request.method_original"] = description.method
    if description.size is not None:
        attributes["http.request.body.size"] = description.size
    return attributes


def outcome_attributes(outcome: Outcome) -> Attributes:
    """Return the status of a response, or the type of a failure."""
    if isinstance(outcome, RawResponse):
        return {"http.response.status_code": outcome.status}
    return {"error.type": "APITimeoutError" if outcome.is_timeout else "APIConnectionError"}


def attempt_attributes(number: int, resends: int, outcome: Outcome) -> Attributes:
    """Return the attributes of the event for one attempt."""
    attributes: Attributes = {"scripe.attempt": number, **outcome_attributes(outcome)}
    if resends:
        attributes["http.request.resend_count"] = resends
    return attributes | (
        response_attributes(outcome)
        if isinstance(outcome, RawResponse)
        else {"error.message": outcome.message}
    )


def response_attributes(response: RawResponse) -> Attributes:
    """Return the attributes of a span that come from its last response."""
    headers = response.headers.lower_items
    attributes: Attributes = {"http.response.status_code": response.status}
    if "x-request-id" in headers:
        attributes["scripe.request_id"] = headers["x-request-id"]
    if "idempotent-replayed" in headers:
        attributes["scripe.idempotent_replayed"] = response.is_replay
    return attributes


def error_attributes(error: BaseException) -> Attributes:
    """Return the attributes of a failed call: the type of its error, and the API's code if it is a known one."""
    attributes: Attributes = {"error.type": error_type(error)}
    if isinstance(error, errors.ScripeError):
        attributes["scripe.retryable"] = error.retryable
    code = error.code if isinstance(error, errors.APIStatusError) else None
    if code is not None and code in STATUS_BY_CODE:
        attributes["scripe.error.code"] = code
    return attributes


def error_type(error: BaseException) -> str:
    """Return the name of an error's class; for errors of this library, that of its public class."""
    cls = type(error)
    if isinstance(error, errors.ScripeError):
        return next(base.__name__ for base in cls.__mro__ if base.__name__ in errors.__all__)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def error_description(error: BaseException) -> str | None:
    """Return the message of an error, unless it may contain text of a server."""
    is_ours = isinstance(error, errors.ScripeError) and not isinstance(error, _ERRORS_WITH_SERVER_TEXT)
    return str(error) if is_ours else None
