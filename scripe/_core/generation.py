"""The arguments of a generated post: its source, and how long the server may wait for its job.

The API can hold the response of a generation for up to 25 seconds, so that a job of a few seconds costs one request.
The client always asks for all 25 seconds, even if its caller wants to wait for less. The reason is the idempotency
key: it conflicts if the body differs, so a rerun with the same key and another timeout would fail.
"""

from __future__ import annotations

from ..errors import APITimeoutError, InvalidArgumentError, JobTimeoutError
from ..types.not_given import NotGiven
from .deadline import Deadline
from .request import check_id

MAX_SERVER_WAIT_MS = 25_000
"""Longest `wait_for_completion_ms` that the API accepts."""


def generation_source(text: str | None, note_id: str | None) -> dict[str, str]:
    """Return the source as the API takes it: a text or a note (C19: nested, as the reference page shows it)."""
    if (text is None) == (note_id is None):
        problem = "Neither was given." if text is None else "Both were given."
        raise InvalidArgumentError(f"A post is written from text= or note_id=. {problem} Give one of them.")
    return {"text": text} if text is not None else {"noteId": check_id(note_id or "", "note_id")}


def check_wait_ms(milliseconds: int | None) -> int | None:
    """Return the milliseconds, or None; refuse those that the API would not accept."""
    if milliseconds is None:
        return None
    is_whole = isinstance(milliseconds, int) and not isinstance(milliseconds, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_whole or not 0 <= milliseconds <= MAX_SERVER_WAIT_MS:
        raise InvalidArgumentError(
            f"wait_for_completion_ms is {milliseconds!r}. Give milliseconds from 0 to {MAX_SERVER_WAIT_MS:,}."
        )
    return milliseconds


def timeout_before_job_error(deadline: Deadline, timeout: APITimeoutError) -> JobTimeoutError:
    """Return the error of a wait whose time ended, with this timeout, before the API named the job."""
    error = JobTimeoutError(
        f"The API did not name the job within {deadline.seconds:g} s. It may work on it all the same: repeat the call "
        "with the same idempotency key within 24 hours to get that job.",
        jobs=(),
    )
    error.may_have_arrived = timeout.may_have_arrived
    return error


def check_status(status_category: str | NotGiven, status_id: str | NotGiven) -> None:
    """Raise InvalidArgumentError if both are given: each names the status to move to."""
    if not isinstance(status_category, NotGiven) and not isinstance(status_id, NotGiven):
        raise InvalidArgumentError(
            "status_category= and status_id= were both given, and each names the new status. Give one of them."
        )
