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
        "the command, an option, a file or the API key is wrong, or an extra is missing; nothing was sent",
        (ConfigurationError, InvalidArgumentError),
    ),
    ExitCode(3, "the API does not accept the API key", (AuthenticationError,)),
    ExitCode(4, "the API key has no permission for this", (PermissionDeniedError,)),
    ExitCode(5, "the object does not exist", (NotFoundError,)),
    ExitCode(6, "the state of the object does not allow it", (ConflictError,)),
    ExitCode(7, "the rate limit is reached", (RateLimitError,)),
    ExitCode(8, "the daily spend cap is reached", (SpendCapExceededError,)),
    ExitCode(9, "the API does not accept the input", (InvalidRequestError,)),
    ExitCode(10, "the API failed", (ServerError,)),
    ExitCode(11, "no response came, or not in time", (APIConnectionError,)),
    ExitCode(12, "the file cannot be read, or storage did not accept it", (UploadError,)),
    ExitCode(JOB, "a job failed or was cancelled", (JobFailedError, JobCancelledError)),
    ExitCode(14, "a job did not finish in time; it goes on", (JobTimeoutError,)),
    ExitCode(130, "Ctrl-C", (KeyboardInterrupt,)),
    ExitCode(CLOSED, "the reader of the output closed it", (ClosedOutputError,)),
)
_NUMBERS = {error: row.number for row in TABLE for error in row.errors}


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error; 1 if none of its classes is in the table."""
    return next((_NUMBERS[cls] for cls in type(error).__mro__ if cls in _NUMBERS), OTHER)
