"""Report an error on stderr: lines for people, with what to do next, or a JSON document for programs."""

from __future__ import annotations

import json
import re
import shlex
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .. import errors
from .._core.config import API_KEY_VARIABLE, BASE_URL_VARIABLE
from .._default_login import DEFAULT_PROFILE, has_default_login
from .credential import choose_login, load_login, login_command
from .exit_codes import JOB, UNSETTLED, USAGE, exit_code
from .output import UnwritableOutputError, write_stderr
from .sanitize import escape_controls, to_one_line

if TYPE_CHECKING:
    from .session import Session

API_KEY_ADVICE = "Create an API key in the Scripe dashboard: Settings, Developer, API keys."
EMULATOR_KEY_ADVICE = (
    "An emulator prints its API key when it starts: a new one each time, unless it has a folder (--data)."
)
OFFLINE_ACCESS = "offline_access"  # every sign-in asks for it by itself
_UNFINISHED = (
    errors.CallbackError,
    errors.ConsentDeniedError,
    errors.ExchangeLostError,
    errors.LoginTimeoutError,
    errors.RegistrationError,
)
BUG = "This is a bug in scripe. Please report it, with the traceback that --verbose shows."

# Messages of the client name its arguments; here they name the options.
_ARGUMENTS = re.compile(
    r"\b(at_spend_cap|base_url|concurrency|content_type|total_timeout|rate_limit_share|events|name|note_id|profile|project_id|result_id|route|scheduled_for|timeout|upload_id|url|workspace_id)"
    r"(=| (?=is |must |uses |[0-9'\"\[]))"
)
_PHRASES = {
    "the name '": "'",
    "`allow_insecure=True`": "--allow-insecure",
    "`api_key`": "SCRIPE_API_KEY",
    ", or None for no limit": "",
    "at least one field": "at least one option",
    "Give project_id.": "Give --project-id.",
    "events names": "--event names",
}
_OAUTH_PHRASES = {
    "The user chose": "You chose",
    " Ask the user, and pass replace=True to change it.": " To store it all the same, add --replace; to keep both, add "
    "--profile NAME.",
    " Ask the user before you begin again.": "",
    " Let the user allow access again.": "",
    " Send the browser to a new authorization request.": "",
}
_LEDGER_CALLS = {
    r"ledger\.retry\('([^']*)'\)": r"`scripe ledger retry \1`",
    r"ledger\.settle\('([^']*)', result_id=…\)": r"`scripe ledger settle \1 --result-id ID`",
    r"ledger\.settle\('([^']*)', send_again=True\)": r"`scripe ledger settle \1 --send-again`",
}
_LATER = (errors.FilesFailedError, errors.LedgerError, errors.ConfigurationError, errors.InvalidArgumentError)
"""Errors after which the same command does not simply go on."""

MAX_COMMAND = 300  # characters; a shell may have made thousands of paths of a pattern


def report(error: BaseException, session: Session) -> int:
    """Report an error of a command; return the exit code."""
    number, message = exit_code(error), _message(error)
    if session.is_resumable:
        message = name_bulk_commands(message, session)
    _write_traceback(error, is_wanted=session.options.verbose)
    if session.options.json:
        document = _document(error, type(error).__name__, message, number)
        _write_json(
            {**document, "idempotencyKey": session.idempotency_key, "jobIds": _job_ids(error, session)}
        )
        return number
    if not isinstance(error, KeyboardInterrupt):
        write_stderr(f"error: {message}{_response_details(error)}")
    for line in _advice(error, session):
        write_stderr(line)
    if session.is_resumable and not isinstance(error, _LATER):
        write_stderr(f"Nothing is done twice: to go on, run {describe_command(session)}")
    return number


def describe_command(session: Session) -> str:
    """Describe the command to run again: the command line, unless it is too long."""
    return f"the same command again{f': {session.command}' if len(session.command) <= MAX_COMMAND else '.'}"


def name_bulk_commands(text: str, session: Session) -> str:
    """Name commands in a text about a bulk run in place of calls."""
    command, ledger = describe_command(session), shlex.quote(str(session.options.ledger))
    settle = f"scripe ledger settle KEY --ledger {ledger}"
    return _replace(
        text,
        {
            "The same call goes on where this one ended.": f"To go on, run {command}",
            "The same call goes on then.": f"To go on then, run {command}",
            "client.bulk.retry(…).": f"`scripe bulk retry --ledger {ledger}`.",
            "call ledger.settle(…) with their idempotency keys": f"run `{settle} --result-id ID`, or with "
            "--send-again; --json shows their keys",
            "report.problems() lists": "--json lists",
            "Pass it, as in content_type='audio/mpeg'.": "Rename it.",
        },
    )


def report_usage_error(message: str, *, as_json: bool, error_type: str = "UsageError") -> int:
    """Report a command line that cannot be run; return the exit code."""
    if as_json:
        _write_json(_document(None, error_type, message, USAGE))
    else:
        write_stderr(f"error: {message}")
    return USAGE


def report_bug(error: Exception, words: Sequence[str]) -> int:
    """Report an error that was raised before the options were parsed; return the exit code."""
    _write_traceback(error, is_wanted="--verbose" in words or "-v" in words)
    number = exit_code(error)
    if "--json" in words:
        _write_json(_document(error, type(error).__name__, _message(error), number))
    else:
        write_stderr(f"error: {_message(error)}")
    return number


def _write_traceback(error: BaseException, *, is_wanted: bool) -> None:
    if is_wanted and not _is_expected(error):
        write_stderr("".join(traceback.format_exception(error)).rstrip())


def _is_expected(error: BaseException) -> bool:
    return isinstance(error, errors.ScripeError | UnwritableOutputError | KeyboardInterrupt)


def _document(error: BaseException | None, error_type: str, message: str, number: int) -> dict[str, object]:
    """Return the document of an error, which always has the same fields."""
    return {
        "type": error_type,
        "message": message,
        "exitCode": number,
        "code": getattr(error, "code", None),
        "statusCode": getattr(error, "status_code", None),
        "requestId": getattr(error, "request_id", None),
        "retryable": getattr(error, "retryable", False),
        "idempotencyKey": None,
        "jobIds": [],
    }


def _write_json(error: dict[str, object]) -> None:
    write_stderr(escape_controls(json.dumps({"error": error}, ensure_ascii=False)))


def _message(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, errors.ConfigurationError | errors.InvalidArgumentError):
        return to_one_line(_name_ledger_commands(_name_options(error.message)))
    if isinstance(error, errors.OAuthError):
        return to_one_line(_replace(error.message, _OAUTH_PHRASES))
    if isinstance(error, errors.ScripeError):
        return to_one_line(_name_ledger_commands(error.message))
    if _is_expected(error):
        return to_one_line(str(error))
    description = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return to_one_line(f"{description}. {BUG}")


def _name_ledger_commands(message: str) -> str:
    for call, command in _LEDGER_CALLS.items():
        message = re.sub(call, command, message)
    return message


def _name_options(message: str) -> str:
    message = _replace(message, _PHRASES)
    return _ARGUMENTS.sub(lambda match: f"--{match[1].replace('_', '-')} ", message)


def _replace(message: str, phrases: Mapping[str, str]) -> str:
    for phrase, replacement in phrases.items():
        message = message.replace(phrase, replacement)
    return message


def _response_details(error: BaseException) -> str:
    """Return what the API's support asks for."""
    if not isinstance(error, errors.APIStatusError | errors.APIResponseValidationError):
        return ""
    details = [
        f"HTTP {error.status_code}",
        getattr(error, "code", None),
        error.request_id and f"request {error.request_id}",
    ]
    return f" ({to_one_line(', '.join(str(detail) for detail in details if detail))})"


def _advice(error: BaseException, session: Session) -> list[str]:
    login_advice = _login_advice(error, session)
    if login_advice is not None:
        return login_advice
    if isinstance(error, errors.AuthenticationError):
        return [EMULATOR_KEY_ADVICE if session.is_local else API_KEY_ADVICE]
    has_ledger = session.options.ledger is not None
    if isinstance(error, errors.SpendCapExceededError) and error.resets_at:
        then = (
            "run the same command then"
            if has_ledger
            else "give another --idempotency-key then, if you gave one"
        )
        return [f"The spend cap is reset at {error.resets_at:%Y-%m-%dT%H:%MZ}: {then}."]
    if has_ledger and isinstance(error, errors.NotFoundError | errors.PermissionDeniedError):
        return [_name_ledger_commands(note) for note in getattr(error, "__notes__", [])]
    base_url = session.base_url
    if isinstance(error, errors.NotFoundError) and not base_url.endswith("/v1"):
        source = BASE_URL_VARIABLE if session.options.base_url is None else "--base-url"
        return [f"The address of the API ends in /v1, but {source} is {base_url}. Try {base_url}/v1."]
    job_ids = _job_ids(error, session)
    if isinstance(error, errors.JobTimeoutError | KeyboardInterrupt) and job_ids:
        has = "has" if len(job_ids) == 1 else "have"
        return [
            f"{', '.join(job_ids)} {has} not finished. To keep waiting, run: scripe jobs wait {' '.join(job_ids)}"
        ]
    advice: list[str] = []
    if isinstance(error, errors.APIConnectionError) and "refused" in error.message and session.is_local:
        advice.append(f"Does an emulator run at {base_url}? To start one, run: scripe emulator")
    return advice + _idempotency_advice(error, session)


def _idempotency_advice(error: BaseException, session: Session) -> list[str]:
    if not session.idempotency_key or not _may_be_half_done(error):
        return []
    if session.options.ledger is not None:
        return ["Nothing is done twice: to go on, run the same command again."]
    return [
        "To run it again without doing anything twice, within 24 hours (with a file: about 15 minutes), add: "
        f"--idempotency-key {session.idempotency_key}"
    ]


def _login_advice(error: BaseException, session: Session) -> list[str] | None:
    """Return how to sign in again, or as whom; None for an error that has nothing to do with it."""
    options, profile = session.options, session.profile
    if isinstance(error, errors.ConsentRequiredError):
        again = "" if error.reason == "missing" else " again"
        return [
            f"To sign in{again}, run: {login_command(error.name, options)}",
            *_idempotency_advice(error, session),
        ]
    if isinstance(error, _UNFINISHED):
        return [f"To try again, run: {login_command(choose_login(options)[1], options)}"]
    if isinstance(error, errors.AuthenticationError) and profile is not None:
        return [f"To sign in again, run: {login_command(profile, options)}"]
    if isinstance(error, errors.ScopeMissingError) and profile is not None and error.required:
        stored = load_login(profile, options)
        scopes = [scope for scope in (stored.scopes if stored else ()) if scope != OFFLINE_ACCESS]
        command = login_command(profile, options, scopes=(*scopes, error.required[0]))
        return [f"To sign in with this scope as well, run: {command}"]
    is_hidden = isinstance(error, errors.AuthenticationError) and has_default_login(session.base_url)
    if is_hidden and session.credential.source == API_KEY_VARIABLE:
        name = f"--profile {DEFAULT_PROFILE}"
        return [f"{API_KEY_VARIABLE} counts before the login of this machine. To use the login, add {name}."]
    return None


def _may_be_half_done(error: BaseException) -> bool:
    """Return whether to name the idempotency key: it changes nothing if the API has refused or ended the write."""
    if isinstance(error, errors.OAuthError):  # nothing was sent after it
        return error.may_have_arrived
    if isinstance(error, errors.APIStatusError):
        return isinstance(error, errors.ServerError | errors.RateLimitError)
    return exit_code(error) not in (USAGE, JOB, UNSETTLED)


def _job_ids(error: BaseException, session: Session) -> list[str]:
    """Return the jobs that the error is about, or that go on."""
    if isinstance(error, errors.JobFailedError | errors.JobCancelledError):
        return [error.job.id]
    if isinstance(error, errors.JobTimeoutError):
        finished = {job.id for job in error.jobs if job.is_finished}
        job_ids = session.pending_job_ids or [job.id for job in error.jobs]
        return [to_one_line(job_id) for job_id in job_ids if job_id not in finished]
    return session.pending_job_ids if isinstance(error, KeyboardInterrupt) else []
