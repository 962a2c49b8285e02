"""Declare the options of every command, and those that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

from cyclopts import Parameter, validators

from .._vocabulary import ContentType
from .help import COMMON_OPTIONS

if TYPE_CHECKING:
    from ..types import NotGiven

_POSITIVE = Parameter(validator=validators.Number(gt=0))
_ANY_TEXT = Parameter(allow_leading_hyphen=True)


def option(metavar: str, text: str) -> Parameter:
    """Make an option with a value."""
    return Parameter(metavar=metavar, help=text)


def flag(text: str) -> Parameter:
    """Make an option without a value, and without a second one that negates it."""
    return Parameter(help=text, negative=(), show_default=False)


def repeatable(metavar: str, text: str) -> Parameter:
    """Make an option that may be given more than once, named for its value."""
    return Parameter(
        name=f"--{metavar.lower()}", metavar=metavar, help=f"{text}; may be repeated.", negative=()
    )


@Parameter(name="*", group=COMMON_OPTIONS, negative=())
@dataclass(frozen=True, slots=True)
class Options:
    """Options that every command takes, before the command or after it."""

    json: Annotated[bool, flag("Write one JSON document, and errors as JSON to stderr.")] = False
    verbose: Annotated[
        bool,
        flag("Report each response on stderr, with its request id."),
        Parameter(name=("--verbose", "-v")),
    ] = False
    api_key_file: Annotated[
        Path | None, _ANY_TEXT, Parameter(help="Read the API key from a file, or with - from stdin.")
    ] = None
    profile: Annotated[
        str | None, option("NAME", "Use this login, which scripe login made, not SCRIPE_API_KEY.")
    ] = None
    base_url: Annotated[str | None, option("URL", "Send requests here instead of to SCRIPE_BASE_URL.")] = None
    allow_insecure: Annotated[bool, flag("Allow plain http to other machines.")] = False
    workspace_id: Annotated[str | None, option("ID", "Use this workspace, not SCRIPE_WORKSPACE_ID.")] = None
    timeout: Annotated[float, _POSITIVE, option("SECONDS", "Limit each network operation.")] = 60.0
    total_timeout: Annotated[
        float | None, _POSITIVE, option("SECONDS", "Limit a whole call, with retries and waits.")
    ] = None
    ledger: Annotated[
        Path | None,
        _ANY_TEXT,
        Parameter(
            metavar="FILE", help="Remember in this file what was made under an --idempotency-key, for good."
        ),
    ] = None
    no_progress: Annotated[bool, flag("Show no progress bars.")] = False


DEFAULTS = Options()

T = TypeVar("T")
WAIT_TIMEOUT = 900.0
LIMIT = 50


def _require_time_zone(_: object, moment: datetime | None) -> None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError("the time zone is missing")  # `usage.py` writes the message


def or_not_given(value: T | None) -> T | NotGiven:
    """Return the value of an option, or the client's mark for an argument that is left out."""
    from ..types import NOT_GIVEN

    return NOT_GIVEN if value is None else value


MOMENT = Parameter(metavar="MOMENT", validator=_require_time_zone)

ProjectId: TypeAlias = Annotated[
    str, option("ID", "Choose the project by its id (proj_…), which `scripe projects` shows.")
]
OptionalProjectId: TypeAlias = Annotated[
    str | None, option("ID", "Add it to this project (proj_…) only; the default is the whole workspace.")
]
Text: TypeAlias = Annotated[str | None, _ANY_TEXT, option("TEXT", "Give the text on the command line.")]
TextFile: TypeAlias = Annotated[
    Path | None, _ANY_TEXT, option("PATH", "Read the text from a UTF-8 file, or with - from stdin.")
]
File: TypeAlias = Annotated[Path, Parameter(help="The file to upload.")]
Name: TypeAlias = Annotated[str | None, _ANY_TEXT, option("NAME", "Set the name that people see.")]
Title: TypeAlias = Annotated[str | None, _ANY_TEXT, option("TITLE", "Set the title that people see.")]
ContentTypeOption: TypeAlias = Annotated[
    ContentType | str | None, option("TYPE", "Say what it is about; the default is PERSONAL.")
]
NewContentType: TypeAlias = Annotated[ContentType | str | None, option("TYPE", "Change what it is about.")]
MimeType: TypeAlias = Annotated[
    str | None,
    option("MIME", "Set the MIME type of the file; the default depends on its name."),
    Parameter(name="--content-type"),
]
ScheduledFor: TypeAlias = Annotated[
    datetime | None, MOMENT, Parameter(help="Publish at this moment, as in 2026-12-01T09:00+01:00.")
]
Undocumented: TypeAlias = Annotated[
    bool | None, Parameter(help="Set this field, which the API does not explain.")
]
IdempotencyKey: TypeAlias = Annotated[
    str | None,
    option(
        "KEY",
        "Repeat a call without doing anything twice, for 24 hours (with a file: about 15 minutes; with --ledger: for "
        "good).",
    ),
]
Limit: TypeAlias = Annotated[
    int,
    option("N", "Show at most this many, the newest first."),
    Parameter(validator=validators.Number(gte=1)),
]
ShowAll: TypeAlias = Annotated[bool, flag("Show all, without a limit."), Parameter(name="--all")]
DateFrom: TypeAlias = Annotated[
    date | None, option("DAY", "Show only what is from this UTC day or later, as in 2026-12-01.")
]
DateTo: TypeAlias = Annotated[date | None, option("DAY", "Show only what is from this UTC day or earlier.")]
Wait: TypeAlias = Annotated[bool, flag("Wait until the job is done.")]
WaitTimeout: TypeAlias = Annotated[
    float, _POSITIVE, option("SECONDS", "Stop waiting after this time; the job goes on.")
]
