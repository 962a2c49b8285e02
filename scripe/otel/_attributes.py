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
from .._core.outcome import Answer, Outcome
from .._observer import Begun
from .._vocabulary import STATUS_BY_CODE

Attributes: TypeAlias = dict[str, str | int | float | bool]

METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""Those that the conventions know; any other is told apart, lest it makes another series of each metric."""

_OTHERS_WORDS = (errors.APIStatusError, errors.UploadError, errors.JobError)
"""Errors whose message holds what a server said, and it may quote what it was sent."""


def span_name(begun: Begun) -> str:
    method = begun.method if begun.method in METHODS else "HTTP"
    template = template_of(begun)
    return method if template is None else f"{method} {template}"


def template_of(begun: Begun) -> str | None:
    return None if begun.template is None else begun.template.replace("{}", "{id}")


def series(begun: Begun) -> Attributes:
    """What tells one kind of call from another: of each there are few."""
    server, template = urlsplit(begun.url), template_of(begun)
    found: Attributes = {
        "http.request.method": begun.method if begun.method in METHODS else "_OTHER",
        "server.address": server.hostname or "",
        "server.port": server.port or {"http": 80}.get(server.scheme, 443),
    }
    if template is not None:
        found["url.template"] = template
    return found


def beginning(begun: Begun) -> Attributes:
    """What is known of a call before it is sent."""
    found: Attributes = {**series(begun), "url.full": begun.url}
    if begun.method not in METHODS:
        found["http.request.method_original"] = begun.method
    if begun.size is not None:
        found["http.request.body.size"] = begun.size
    return found


def result(outcome: Outcome) -> Attributes:
    """What an attempt brought, in few words."""
    if isinstance(outcome, Answer):
        return {"http.response.status_code": outcome.status}
    return {"error.type": "APITimeoutError" if outcome.is_timeout else "APIConnectionError"}


def attempt(number: int, resends: int, outcome: Outcome) -> Attributes:
    """An attempt, as an event."""
    found: Attributes = {"scripe.attempt": number, **result(outcome)}
    if resends:
        found["http.request.resend_count"] = resends
    return found | (answer(outcome) if isinstance(outcome, Answer) else {"error.message": outcome.message})


def answer(found: Answer) -> Attributes:
    headers = found.headers.lowered
    told: Attributes = {"http.response.status_code": found.status}
    if "x-request-id" in headers:
        told["scripe.request_id"] = headers["x-request-id"]
    if "idempotent-replayed" in headers:
        told["scripe.idempotent_replayed"] = found.is_replay
    return told


def failure(error: BaseException) -> Attributes:
    """Why a call ended badly."""
    found: Attributes = {"error.type": error_type(error)}
    if isinstance(error, errors.ScripeError):
        found["scripe.retryable"] = error.retryable
    code = error.code if isinstance(error, errors.APIStatusError) else None
    if code is not None and code in STATUS_BY_CODE:
        found["scripe.error.code"] = code
    return found


def error_type(error: BaseException) -> str:
    """The name of its class: the public one, of ours."""
    kind = type(error)
    if isinstance(error, errors.ScripeError):
        return next(each.__name__ for each in kind.__mro__ if each.__name__ in errors.__all__)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def description(error: BaseException) -> str | None:
    """The message, if the words are our own."""
    is_ours = isinstance(error, errors.ScripeError) and not isinstance(error, _OTHERS_WORDS)
    return str(error) if is_ours else None
