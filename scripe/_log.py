"""Log calls on the logger `scripe`: each attempt at DEBUG, retries and waits at INFO, long waits at WARNING.

No line holds a body, a query or a secret. Each record has the values of its line as attributes too: `scripe_method`,
`scripe_path`, `scripe_status`, `scripe_request_id`, `scripe_ms`, `scripe_attempt` and `scripe_wait`, as far as they are
known. The prefix keeps them apart from the attributes that an application adds: logging raises if a name is taken.

httpx and httpx2 log the URL of each request. A filter redacts the query of an upload link there, which is a password.
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

# No lock guards these: if another thread held it during a fork, it would stay locked in the child forever. `setdefault`
# is atomic, which is enough: the thread whose value is stored is the one that warns.
_handlers: dict[str, logging.Handler] = {}
_warned: dict[str, object] = {}
_last_wait_warning: dict[str, float] = {}

LONG_WAIT = 5.0
"""Seconds above which a wait is logged as a warning."""

WARNING_INTERVAL = 60.0
"""Seconds between two such warnings."""


def configure() -> None:
    """Print the log to stderr if `SCRIPE_LOG` is `debug` or `info`.

    Each line is printed once: it is not passed on to the handlers of the root logger. If the application gave this
    logger a handler, that one prints, and the environment changes nothing.
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
        logger.warning("%s is %r, so no log is printed. Set it to debug or info.", VARIABLE, level.lower())


def _make_handler() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    return handler


def log_response(response: ResponseInfo) -> None:
    """Log the response to one attempt."""
    if not logger.isEnabledFor(logging.DEBUG):
        return
    logger.debug(
        "%s %s returned %d in %.0f ms (attempt %d, request id %s)",
        response.method,
        response.path,
        response.status_code,
        response.elapsed * 1000,
        response.attempts,
        clip(response.request_id or "unknown", 100),
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
    """Log an attempt that got no response."""
    fields = _fields(request.method, request.safe_path, attempt)
    line = "%s %s failed: %s (attempt %d)"
    logger.debug(line, request.method, request.safe_path, failure.message, attempt, extra=fields)


def log_upload(url: str, outcome: Outcome, attempt: int) -> None:
    """Log one attempt to send a file to storage."""
    result = (
        f"returned {outcome.status}" if isinstance(outcome, RawResponse) else f"failed: {outcome.message}"
    )
    fields = _fields("PUT", url, attempt, **_outcome_fields(outcome))
    logger.debug("PUT %s %s (attempt %d)", url, result, attempt, extra=fields)


def log_retry(label: str, outcome: Outcome, wait: float, attempt: int) -> None:
    """Log that another attempt follows, after a wait."""
    reason = f"HTTP {outcome.status}" if isinstance(outcome, RawResponse) else outcome.message
    method, _, path = label.partition(" ")
    fields = _fields(method, path, attempt, wait=round(wait, 3), **_outcome_fields(outcome))
    line = "Attempt %d of %s failed (%s). Retrying in %.2f s."
    logger.log(_record_long_wait(wait), line, attempt, label, reason, wait, extra=fields)


def log_rate_limit_wait(request: Request[T], wait: float) -> None:
    """Log a wait for the rate limit; a wait of less than a second is not worth a line."""
    if wait >= 1:
        fields = _fields(request.method, request.safe_path, None, wait=round(wait, 3))
        line = "Rate limit reached (%s): waiting %.0f s before %s %s"
        level = _record_long_wait(wait)
        logger.log(level, line, request.bucket, wait, request.method, request.safe_path, extra=fields)


def _record_long_wait(seconds: float) -> int:
    """Record a wait; return its log level.

    A long wait must not look like a hang: it is a warning, which Python prints by default, once a minute at most.
    """
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
    """Return the attributes of a record, without those that are not known."""
    fields = {"method": method, "path": path, **others, "attempt": attempt}
    return {f"scripe_{name}": value for name, value in fields.items() if value is not None}


def log_new_ledger(path: str) -> None:
    """Warn that a ledger was created: a wrong path would forget everything that was made."""
    logger.warning("Created the ledger %s: nothing is known to it yet.", path)


def log_moved_moment(key: str, name: str, made: str, asked: str) -> None:
    """Warn that a thing which was made before has another moment than the call asks for."""
    logger.warning(
        "idempotency_key %r was used with %s %s, and now with %s: what was made is returned as it is. "
        "posts.update changes a post.",
        key,
        name,
        made,
        asked,
    )


def log_observer_error(error: Exception) -> None:
    """Warn that an observer failed, once for each type, without its message, which may hold secrets."""
    name = type(error).__name__
    if _warned.setdefault(name, error) is error:
        logger.warning(
            "The scripe observer raised %s; the call continues. (Further errors of this type are not logged.)",
            name,
        )


def warn_deprecated(notice: Deprecation) -> None:
    """Warn, once per process, that the API announced the end of the version in use."""
    mine = object()
    if _warned.setdefault(notice.version, mine) is not mine:
        return
    sunset = f"ends on {notice.sunset.isoformat()}" if notice.sunset else "will end"
    move = f" Move to version {clip(notice.replacement, 100)}." if notice.replacement else ""
    warnings.warn(
        f"Version {clip(notice.version, 100)} of the Scripe API {sunset}.{move}",
        ScripeDeprecationWarning,
        stacklevel=_stacklevel_of_caller(),
    )


def _stacklevel_of_caller() -> int:
    """Return the `stacklevel` of the first frame outside this package, which is the caller's own code."""
    package = str(Path(__file__).parent) + os.sep
    frame: FrameType | None = inspect.currentframe()
    level = 0
    while frame is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    return max(level, 1)


_hides_query: contextvars.ContextVar[bool] = contextvars.ContextVar("scripe_hides_query", default=False)


@contextmanager
def hide_query_in_backend_logs() -> Generator[None]:
    """Redact the query of upload links, which is a password, in the logs of httpx and httpx2."""
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
