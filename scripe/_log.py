"""The log: a line for each call at DEBUG, retries at INFO, on the logger `scripe`. No body, no secret.

Each record has what its line says as attributes too: `scripe_method`, `scripe_path`, `scripe_status`,
`scripe_request_id`, `scripe_ms`, `scripe_attempt` and `scripe_wait`, as far as they are known. The prefix keeps them
apart from what an application gives its records: logging refuses a name that is taken.

The engine has a log of its own; what it would tell of a presigned URL is cut there.
"""

from __future__ import annotations

import contextvars
import inspect
import logging
import math
import os
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

from pydantic import BaseModel

from ._core.outcome import Outcome, RawResponse, TransportFailure
from ._core.request import Request
from ._redaction import clip, redact_query
from .errors import ScripeDeprecationWarning
from .types.response_info import Deprecation, ResponseInfo

T = TypeVar("T", bound=BaseModel)

VARIABLE = "SCRIPE_LOG"
BACKENDS = ("httpx", "httpx2")
logger = logging.getLogger("scripe")

# No lock guards these: one that another thread held during a fork would stay locked in the child.
_handlers: dict[str, logging.Handler] = {}
_warned: dict[str, object] = {}
_last_wait_warning: dict[str, float] = {}

LONG_WAIT = 5.0
"""Seconds from which a wait is a warning."""

WARNING_INTERVAL = 60.0
"""Seconds between two such warnings."""


def configure() -> None:
    """Print the log to stderr if the environment asks for it: `SCRIPE_LOG=debug` or `info`.

    Each line once: what is printed here does not go on to the application's own handlers. Where the application has
    given this logger one, that prints, and the environment changes nothing.
    """
    level = os.environ.get(VARIABLE, "").strip().upper()
    if level not in ("", "DEBUG", "INFO"):
        _warn_bad_level(level)
    elif level and not logger.handlers:
        logger.addHandler(_handlers.setdefault(VARIABLE, _make_handler()))
        logger.setLevel(level)
        logger.propagate = False


def _warn_bad_level(level: str) -> None:
    if _warned.setdefault(VARIABLE, level) is level:
        logger.warning("%s is %r, and nothing is printed: say debug or info.", VARIABLE, level.lower())


def _make_handler() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    return handler


def log_response(response: ResponseInfo) -> None:
    if not logger.isEnabledFor(logging.DEBUG):
        return
    logger.debug(
        "%s %s %d %s %.0f ms, attempt %d",
        response.method,
        response.path,
        response.status_code,
        clip(response.request_id or "-", 100),
        response.elapsed * 1000,
        response.attempts,
        extra=_fields(
            response.method,
            response.path,
            response.attempts,
            status=response.status_code,
            request_id=response.request_id,
            ms=round(response.elapsed * 1000),
        ),
    )


def log_failure(request: Request[T], failure: TransportFailure, attempt: int) -> None:
    fields = _fields(request.method, request.safe_path, attempt)
    line = "%s %s failed: %s, attempt %d"
    logger.debug(line, request.method, request.safe_path, failure.message, attempt, extra=fields)


def log_upload(url: str, outcome: Outcome, attempt: int) -> None:
    result = str(outcome.status) if isinstance(outcome, RawResponse) else f"failed: {outcome.message}"
    fields = _fields("PUT", url, attempt, **_outcome_fields(outcome))
    logger.debug("PUT %s %s, attempt %d", url, result, attempt, extra=fields)


def log_retry(label: str, outcome: Outcome, wait: float, attempt: int) -> None:
    reason = f"HTTP {outcome.status}" if isinstance(outcome, RawResponse) else outcome.message
    method, _, path = label.partition(" ")
    fields = _fields(method, path, attempt, wait=round(wait, 3), **_outcome_fields(outcome))
    line = "%s again in %.2f s, after attempt %d: %s"
    logger.log(_record_long_wait(wait), line, label, wait, attempt, reason, extra=fields)


def log_rate_limit_wait(request: Request[T], wait: float) -> None:
    """Short waits, for calls in flight that may tell more, are told to nobody."""
    if wait >= 1:
        fields = _fields(request.method, request.safe_path, None, wait=round(wait, 3))
        line = "Rate limit reached (%s): waiting %.0f s before %s %s"
        level = _record_long_wait(wait)
        logger.log(level, line, request.bucket, wait, request.method, request.safe_path, extra=fields)


def _record_long_wait(seconds: float) -> int:
    """A long wait must not look like a hang: it is a warning, which Python prints unasked, once a minute."""
    now = time.monotonic()
    if seconds <= LONG_WAIT or now - _last_wait_warning.get(VARIABLE, -math.inf) < WARNING_INTERVAL:
        return logging.INFO
    _last_wait_warning[VARIABLE] = now
    return logging.WARNING


def _outcome_fields(outcome: Outcome) -> dict[str, str | float | None]:
    if not isinstance(outcome, RawResponse):
        return {}
    request_id = outcome.headers.get("x-request-id")
    return {"status": outcome.status, "request_id": request_id, "ms": round(outcome.elapsed * 1000)}


def _fields(method: str, path: str, attempt: int | None, **others: str | float | None) -> dict[str, object]:
    """What a record says, for those who read attributes; what is not known is left out."""
    fields = {"method": method, "path": path, **others, "attempt": attempt}
    return {f"scripe_{name}": value for name, value in fields.items() if value is not None}


def log_observer_error(error: Exception) -> None:
    """Warn that an observer failed, once for each type, without its message, which may hold secrets."""
    name = type(error).__name__
    if _warned.setdefault(name, error) is error:
        logger.warning(
            "The scripe observer raised %s; the call continues. (Further errors of this type are not logged.)",
            name,
        )


def warn_deprecated(notice: Deprecation) -> None:
    """Warn, once per process and version, that the API announced an end for it."""
    mine = object()
    if _warned.setdefault(notice.version, mine) is not mine:
        return
    sunset = f"ends on {notice.sunset.isoformat()}" if notice.sunset else "will end"
    move = f"; move to {clip(notice.replacement, 100)}" if notice.replacement else ""
    warnings.warn(
        f"Version {clip(notice.version, 100)} of the Scripe API {sunset}{move}.",
        ScripeDeprecationWarning,
        stacklevel=_stacklevel_of_caller(),
    )


def _stacklevel_of_caller() -> int:
    """How far up the stack the caller's own code is."""
    package = str(Path(__file__).parent) + os.sep
    frame: FrameType | None = inspect.currentframe()
    level = 0
    while frame is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    return max(level, 1)


_hides_query: contextvars.ContextVar[bool] = contextvars.ContextVar("scripe_hides_query", default=False)


@contextmanager
def hide_query_in_backend_logs() -> Generator[None]:
    """Keep the query of a presigned URL, which is a password, out of the engine's own log."""
    for name in BACKENDS:
        logging.getLogger(name).addFilter(_redact_queries)
    token = _hides_query.set(True)
    try:
        yield
    finally:
        _hides_query.reset(token)


def _redact_queries(record: logging.LogRecord) -> bool:
    if _hides_query.get() and isinstance(record.args, tuple):
        record.args = tuple(
            redact_query(str(argument)) if "://" in str(argument) else argument for argument in record.args
        )
    return True
