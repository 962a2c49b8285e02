"""Map errors to exit codes: an error has the code of its nearest base class that is listed here.

`docs/guides/command-line.md` shows this table; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    InvalidArgumentError,
    InvalidRequestError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ScripeError,
    ServerError,
    SpendCapExceededError,
    UploadError,
)
from .output import CLOSED, ClosedOutputError, UnwritableOutputError


@dataclass(frozen=True, slots=True)
class ExitCode:
    """A row of the table."""

    number: int
    meaning: str
    errors: tuple[type[BaseException], ...] = ()


OTHER = 1
USAGE = 2
JOB = 13

TABLE = (
    ExitCode(0, "it worked"),
    ExitCode(OTHER, "another error", (ScripeError, UnwritableOutputError)),
    ExitCode(
        USAGE,
        "the command, an option, a file or the key is not right, or an extra is missing; nothing was sent",
        (ConfigurationError, InvalidArgumentError),
    ),
    ExitCode(3, "the API does not know the key", (AuthenticationError,)),
    ExitCode(4, "the key may not do this", (PermissionDeniedError,)),
    ExitCode(5, "there is no such thing", (NotFoundError,)),
    ExitCode(6, "the state of things forbids it", (ConflictError,)),
    ExitCode(7, "too many requests", (RateLimitError,)),
    ExitCode(8, "the daily cap for AI work is reached", (SpendCapExceededError,)),
    ExitCode(9, "the API does not accept the input", (InvalidRequestError,)),
    ExitCode(10, "the API failed", (ServerError,)),
    ExitCode(11, "no answer came, or not in time", (APIConnectionError,)),
    ExitCode(12, "storage did not take the file, or it cannot be read", (UploadError,)),
    ExitCode(JOB, "a job failed or was cancelled", (JobFailedError, JobCancelledError)),
    ExitCode(14, "a job took longer than the wait; it goes on", (JobTimeoutError,)),
    ExitCode(130, "Ctrl-C", (KeyboardInterrupt,)),
    ExitCode(CLOSED, "the reader of the output went away", (ClosedOutputError,)),
)
_NUMBERS = {error: row.number for row in TABLE for error in row.errors}


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error; 1 if none of its classes is in the table."""
    return next((_NUMBERS[cls] for cls in type(error).__mro__ if cls in _NUMBERS), OTHER)
