"""Having a post written: from what, and how long the answer may be held back.

The API may hold the answer of a generation for up to 25 seconds, so that a job of a few seconds costs one request. A
wait asks for all of them, however long its caller means to wait: keys compare bodies, and a rerun under the same key
may have more time.
"""

from __future__ import annotations

from ..errors import InvalidArgumentError, JobTimeoutError
from ..types.not_given import NotGiven
from .deadline import Deadline
from .request import check_id

MAX_SERVER_WAIT_MS = 25_000
"""Milliseconds; the API's own cap."""


def generation_source(text: str | None, note_id: str | None) -> dict[str, str]:
    """What to write from (C19: nested, as the reference page has it): a text or a note, not both, not neither."""
    if (text is None) == (note_id is None):
        count = "neither" if text is None else "both"
        raise InvalidArgumentError(
            f"Give either text= or note_id=, what the post is written from; {count} was given."
        )
    return {"text": text} if text is not None else {"noteId": check_id(note_id or "", "note_id")}


def check_wait_ms(milliseconds: int | None) -> int | None:
    if milliseconds is None:
        return None
    is_whole = isinstance(milliseconds, int) and not isinstance(milliseconds, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_whole or not 0 <= milliseconds <= MAX_SERVER_WAIT_MS:
        raise InvalidArgumentError(
            f"wait_for_completion_ms is {milliseconds!r}; the API takes milliseconds from 0 to {MAX_SERVER_WAIT_MS:,}."
        )
    return milliseconds


def timeout_before_job_error(deadline: Deadline) -> JobTimeoutError:
    """What to raise when the time of a wait is over before its job is known."""
    return JobTimeoutError(
        f"Waited {deadline.seconds:g} s, and the API has not named the job yet. The work may go on: "
        "the same call with the same idempotency key meets it, for 24 hours.",
        jobs=(),
    )


def check_status(status_category: str | NotGiven, status_id: str | NotGiven) -> None:
    if not isinstance(status_category, NotGiven) and not isinstance(status_id, NotGiven):
        raise InvalidArgumentError(
            "Give status_category= or status_id=, not both: each names the status to move to."
        )
