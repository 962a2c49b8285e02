"""What to do after a cancel that was not answered. The API gives cancels no key, so the job itself is asked.

| The job is | Then |
|---|---|
| cancelled | it worked |
| queued | the cancel did not arrive: send it again |
| anything else | raise what the cancel raised |
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
    """Whether the cancel may have worked all the same: its answer was lost, empty (C21), or a 5xx."""
    if isinstance(error, NotCancellableError):
        return attempt > 1  # our own earlier cancel may be the reason
    if isinstance(error, APIStatusError) and error.status_code == 408:
        return True
    return isinstance(error, APIConnectionError | APIResponseValidationError | ServerError)


def should_cancel_again(job: Job, attempt: int, max_retries: int) -> bool:
    return job.status.upper() == "QUEUED" and attempt <= max_retries
