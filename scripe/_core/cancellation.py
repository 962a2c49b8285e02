"""Find out whether a cancel whose response was lost has worked.

The API takes no idempotency key for a cancel, so sending it again blindly could turn a success into a 409. The client
retrieves the job instead:

| The job is | The client |
|---|---|
| cancelled | returns it: the cancel worked |
| queued | sends the cancel again: it did not arrive |
| anything else | raises the error of the cancel |
"""

from __future__ import annotations

from ..errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    NotCancellableError,
    ScripeError,
    ServerError,
)
from ..types.job import Job


def may_have_cancelled(error: ScripeError, attempt: int) -> bool:
    """Return True if the cancel may have worked all the same: its response was lost, empty (C21), or a 5xx."""
    if isinstance(error, NotCancellableError):
        return attempt > 1  # an earlier attempt of ours may have cancelled it
    if isinstance(error, APIStatusError) and error.status_code == 408:
        return True
    return isinstance(error, APIConnectionError | APIResponseValidationError | ServerError)


def should_cancel_again(job: Job, attempt: int, max_retries: int) -> bool:
    """Return True if the job still waits in the queue, and an attempt is left."""
    return job.status.upper() == "QUEUED" and attempt <= max_retries
