"""What is said when something goes wrong: a line for people, with what to do next, or a JSON document for programs."""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    InvalidArgumentError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    RateLimitError,
    ScripeError,
    ServerError,
    SpendCapExceededError,
)
from .exit_codes import USAGE, exit_code
from .output import UnwritableOutputError, note
from .sanitize import escaped, on_one_line
from .wording import of_options

if TYPE_CHECKING:
    from .session import Session

KEYS = "Keys are made in the Scripe dashboard under Settings, Developer, API keys."
NEW_KEYS = (
    "An emulator prints its key when it starts: another one each time, unless it has a folder (--data)."
)
NOBODY = "Does a Scripe API run at {}? To start one: scripe emulator"
NO_VERSION = "{0} is {1}: the address of the API ends in /v1, as in {1}/v1."
FAULT = "This is a fault of scripe: please report it to its developers, with what --verbose adds."


def tell(error: BaseException, session: Session) -> int:
    """Say it on stderr, and give back the exit code."""
    number = exit_code(error)
    _show_traceback(error, is_wanted=session.options.verbose)
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


def report_fault(error: Exception, words: Sequence[str]) -> int:
    """Say on stderr that the command line itself has failed, before it had understood its words."""
    _show_traceback(error, is_wanted="--verbose" in words or "-v" in words)
    number = exit_code(error)
    if "--json" in words:
        _write(_document(error, type(error).__name__, _message(error), number))
    else:
        note(f"error: {_message(error)}")
    return number


def _show_traceback(error: BaseException, *, is_wanted: bool) -> None:
    """Show where in our code it happened, if it is a fault of ours and somebody asked."""
    if is_wanted and not _is_foreseen(error):
        note("".join(traceback.format_exception(error)).rstrip())


def _is_foreseen(error: BaseException) -> bool:
    return isinstance(error, ScripeError | UnwritableOutputError | KeyboardInterrupt)


def _tell_program(error: BaseException, session: Session, number: int) -> None:
    document = _document(error, type(error).__name__, _message(error), number)
    _write({**document, "idempotencyKey": session.idempotency_key, "jobIds": _jobs(error, session)})


def _document(error: BaseException | None, kind: str, message: str, number: int) -> dict[str, object]:
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


def _tell_person(error: BaseException, session: Session) -> None:
    if not isinstance(error, KeyboardInterrupt):
        note(f"error: {_message(error)}{_known(error)}")
    for advice in _advice(error, session):
        note(advice)


def _message(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, ConfigurationError | InvalidArgumentError):
        return on_one_line(of_options(error.message))
    if isinstance(error, ScripeError):
        return on_one_line(error.message)
    if _is_foreseen(error):
        return on_one_line(str(error))
    kind = type(error).__name__
    return on_one_line(f"{kind}: {error}. {FAULT}" if str(error) else f"{kind}. {FAULT}")


def _known(error: BaseException) -> str:
    """What to quote to the API's support."""
    if not isinstance(error, APIStatusError | APIResponseValidationError):
        return ""
    known = [
        f"HTTP {error.status_code}",
        getattr(error, "code", None),
        error.request_id and f"request {error.request_id}",
    ]
    return f" ({on_one_line(', '.join(str(each) for each in known if each))})"


def _advice(error: BaseException, session: Session) -> list[str]:
    if isinstance(error, AuthenticationError):
        return [NEW_KEYS if session.is_local else KEYS]
    if isinstance(error, SpendCapExceededError) and error.resets_at:
        return [
            f"The cap starts afresh at {error.resets_at:%Y-%m-%dT%H:%MZ}. "
            "If you gave --idempotency-key, give another key then."
        ]
    if isinstance(error, NotFoundError) and not session.base_url.endswith("/v1"):
        return [NO_VERSION.format(session.where, session.base_url)]
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


def _is_refused(error: BaseException) -> bool:
    """Whether nobody listens there."""
    return isinstance(error, APIConnectionError) and "refused" in error.message


def _may_be_half_done(error: BaseException) -> bool:
    """Whether the same key makes a difference: not where the API has refused the write, or ended it."""
    if isinstance(error, APIStatusError):
        return isinstance(error, ServerError | RateLimitError)
    return not isinstance(
        error, ConfigurationError | InvalidArgumentError | JobFailedError | JobCancelledError
    )


def _jobs(error: BaseException, session: Session) -> list[str]:
    """The jobs that the error is about, or that go on."""
    if isinstance(error, JobFailedError | JobCancelledError):
        return [error.job.id]
    if isinstance(error, JobTimeoutError):
        ended = {job.id for job in error.jobs if job.is_finished}
        known = session.awaited or [job.id for job in error.jobs]
        return [on_one_line(each) for each in known if each not in ended]
    return session.awaited if isinstance(error, KeyboardInterrupt) else []
