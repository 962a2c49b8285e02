"""Map errors to exit codes: an error has the code of its nearest base class that is listed here.

`docs/guides/command-line.md` shows this table; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import errors
from .output import CLOSED, ClosedOutputError, UnwritableOutputError


@dataclass(frozen=True, slots=True)
class ExitCode:
    """A row of the table."""

    number: int
    meaning: str
    errors: tuple[type[BaseException], ...] = ()


OTHER = 1
USAGE = 2
SPEND_CAP = 8
JOB = 13
FILES = 15
UNSETTLED = 16
WARNED = 20

TABLE = (
    ExitCode(0, "it worked"),
    ExitCode(OTHER, "another error", (errors.ScripeError, UnwritableOutputError)),
    ExitCode(
        USAGE,
        "the command, an option, a file or the API key is wrong, or an extra is missing; nothing was sent",
        (errors.ConfigurationError, errors.InvalidArgumentError),
    ),
    ExitCode(3, "the API does not accept the API key", (errors.AuthenticationError,)),
    ExitCode(4, "the API key has no permission for this", (errors.PermissionDeniedError,)),
    ExitCode(5, "the object does not exist", (errors.NotFoundError,)),
    ExitCode(6, "the state of the object does not allow it", (errors.ConflictError,)),
    ExitCode(7, "the rate limit is reached", (errors.RateLimitError,)),
    ExitCode(SPEND_CAP, "the daily spend cap is reached", (errors.SpendCapExceededError,)),
    ExitCode(9, "the API does not accept the input", (errors.InvalidRequestError,)),
    ExitCode(10, "the API failed", (errors.ServerError,)),
    ExitCode(11, "no response came, or not in time", (errors.APIConnectionError,)),
    ExitCode(12, "the file cannot be read, or storage did not accept it", (errors.UploadError,)),
    ExitCode(JOB, "a job failed or was cancelled", (errors.JobFailedError, errors.JobCancelledError)),
    ExitCode(14, "a job did not finish in time; it goes on", (errors.JobTimeoutError,)),
    ExitCode(FILES, "files of a bulk run were refused, failed, or are not done", (errors.FilesFailedError,)),
    ExitCode(
        UNSETTLED,
        "nothing proves whether an earlier call was done; a person must look",
        (errors.UnsettledWriteError,),
    ),
    ExitCode(17, "access was denied when signing in", (errors.ConsentDeniedError,)),
    ExitCode(18, "nobody finished signing in within the timeout", (errors.LoginTimeoutError,)),
    ExitCode(19, "the login is over: sign in again", (errors.ConsentRequiredError,)),
    ExitCode(WARNED, "`scripe doctor --strict` has a warning, and no fault"),
    ExitCode(130, "Ctrl-C", (KeyboardInterrupt,)),
    ExitCode(CLOSED, "the reader of the output closed it", (ClosedOutputError,)),
)
_NUMBERS = {error: row.number for row in TABLE for error in row.errors}


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error; 1 if none of its classes is in the table."""
    return next((_NUMBERS[cls] for cls in type(error).__mro__ if cls in _NUMBERS), OTHER)
