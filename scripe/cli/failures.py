"""What is said when something goes wrong: a line for people, with what to do next, or a JSON document for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from ..errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    RateLimitError,
    ScripeError,
    ServerError,
    SpendCapExceededError,
)
from .cleaning import escaped, on_one_line
from .exit_codes import USAGE, exit_code
from .output import UnwritableOutputError, note
from .wording import of_options

if TYPE_CHECKING:
    from .session import Session

KEYS = "Keys are made in the Scripe dashboard under Settings, Developer, API keys."
NEW_KEYS = (
    "An emulator prints its key when it starts: another one each time, unless it has a folder (--data)."
)
NOBODY = "Does a Scripe API run at {}? To start one: scripe emulator"

Failure: TypeAlias = "ScripeError | UnwritableOutputError | KeyboardInterrupt"
FAILURES = (ScripeError, UnwritableOutputError, KeyboardInterrupt)


def tell(error: Failure, session: Session) -> int:
    """Say it on stderr, and give back the exit code."""
    number = exit_code(error)
    if session.options.json:
        _tell_program(error, session, number)
    else:
        _tell_person(error, session)
    return number


def refuse(message: str, *, as_json: bool, kind: str = "UsageError") -> int:
    """Say that the command line itself is wrong; nothing was done."""
    if as_json:
        _write(_document(None, kind, message, USAGE))
    else:
        note(f"error: {message}")
    return USAGE


def _tell_program(error: Failure, session: Session, number: int) -> None:
    document = _document(error, type(error).__name__, _message(error), number)
    _write({**document, "idempotencyKey": session.idempotency_key, "jobIds": _jobs(error, session)})


def _document(error: Failure | None, kind: str, message: str, number: int) -> dict[str, object]:
    """Every field is always there."""
    return {
        "type": kind,
        "message": message,
        "exitCode": number,
        "code": getattr(error, "code", None),
        "statusCode": getattr(error, "status_code", None),
        "requestId": getattr(error, "request_id", None),
        "retryable": getattr(error, "retryable", False),
        "idempotencyKey": None,
        "jobIds": [],
    }


def _write(error: dict[str, object]) -> None:
    note(escaped(json.dumps({"error": error}, ensure_ascii=False)))


def _tell_person(error: Failure, session: Session) -> None:
    if not isinstance(error, KeyboardInterrupt):
        note(f"error: {_message(error)}{_known(error)}")
    for advice in _advice(error, session):
        note(advice)


def _message(error: Failure) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, ConfigurationError):
        return on_one_line(of_options(error.message))
    return on_one_line(error.message if isinstance(error, ScripeError) else str(error))


def _known(error: Failure) -> str:
    """What to quote to the API's support."""
    if not isinstance(error, APIStatusError | APIResponseError):
        return ""
    known = [
        f"HTTP {error.status_code}",
        getattr(error, "code", None),
        error.request_id and f"request {error.request_id}",
    ]
    return f" ({on_one_line(', '.join(str(each) for each in known if each))})"


def _advice(error: Failure, session: Session) -> list[str]:
    if isinstance(error, AuthenticationError):
        return [NEW_KEYS if session.is_local else KEYS]
    if isinstance(error, SpendCapExceededError) and error.resets_at:
        return [
            f"The cap starts afresh at {error.resets_at:%Y-%m-%dT%H:%MZ}. "
            "If you gave --idempotency-key, give another key then."
        ]
    jobs = _jobs(error, session)
    if isinstance(error, JobTimeoutError | KeyboardInterrupt) and jobs:
        goes = "goes" if len(jobs) == 1 else "go"
        return [f"{', '.join(jobs)} {goes} on. To go on waiting: scripe jobs wait {' '.join(jobs)}"]
    advice = [NOBODY.format(session.base_url)] if _is_refused(error) and session.is_local else []
    if session.idempotency_key and _may_be_half_done(error):
        advice.append(
            "To run it again and do nothing twice, within 24 hours (with a file: about 15 minutes), add: "
            f"--idempotency-key {session.idempotency_key}"
        )
    return advice


def _is_refused(error: Failure) -> bool:
    """Whether nobody listens there."""
    return isinstance(error, APIConnectionError) and "refused" in error.message


def _may_be_half_done(error: Failure) -> bool:
    """Whether the same key makes a difference: not where the API has refused the write, or ended it."""
    if isinstance(error, APIStatusError):
        return isinstance(error, ServerError | RateLimitError)
    return not isinstance(error, ConfigurationError | JobFailedError | JobCancelledError)


def _jobs(error: Failure, session: Session) -> list[str]:
    """The jobs that the error is about, or that go on."""
    if isinstance(error, JobFailedError | JobCancelledError):
        return [error.job.id]
    if isinstance(error, JobTimeoutError):
        ended = {job.id for job in error.jobs if job.is_finished}
        known = session.awaited or [job.id for job in error.jobs]
        return [on_one_line(each) for each in known if each not in ended]
    return session.awaited if isinstance(error, KeyboardInterrupt) else []
