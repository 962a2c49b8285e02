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

_POSITIVE = validators.Number(gt=0)
_FLAG = Parameter(negative=(), show_default=False)
_ANY_TEXT = Parameter(allow_leading_hyphen=True)


@Parameter(name="*", group=COMMON_OPTIONS, negative=())
@dataclass(frozen=True, slots=True)
class Options:
    """Options that every command takes, before the command or after it."""

    json: Annotated[bool, _FLAG, Parameter(help="Write one JSON document, and errors as JSON to stderr.")] = (
        False
    )
    verbose: Annotated[
        bool,
        _FLAG,
        Parameter(name=("--verbose", "-v"), help="Report each response on stderr, with its request id."),
    ] = False
    api_key_file: Annotated[
        Path | None, _ANY_TEXT, Parameter(help="Read the API key from a file, or with - from stdin.")
    ] = None
    base_url: Annotated[
        str | None, Parameter(metavar="URL", help="Send requests here instead of to SCRIPE_BASE_URL.")
    ] = None
    allow_insecure: Annotated[bool, _FLAG, Parameter(help="Allow plain http to other machines.")] = False
    workspace_id: Annotated[
        str | None, Parameter(metavar="ID", help="Use this workspace, not SCRIPE_WORKSPACE_ID.")
    ] = None
    timeout: Annotated[
        float, Parameter(metavar="SECONDS", help="Limit each network operation.", validator=_POSITIVE)
    ] = 60.0
    total_timeout: Annotated[
        float | None,
        Parameter(metavar="SECONDS", help="Limit a whole call, with retries and waits.", validator=_POSITIVE),
    ] = None
    no_progress: Annotated[bool, _FLAG, Parameter(help="Show no progress bars.")] = False


DEFAULTS = Options()

T = TypeVar("T")
WAIT_TIMEOUT = 900.0
LIMIT = 50


def _require_time_zone(_: object, moment: datetime | None) -> None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError("the time zone is missing")  # `usage.py` writes the message


def repeatable(name: str, metavar: str, text: str) -> Parameter:
    """Make an option that may be given more than once."""
    return Parameter(name=name, metavar=metavar, help=text, negative=())


def or_not_given(value: T | None) -> T | NotGiven:
    """Return the value of an option, or the client's mark for an argument that is left out."""
    from ..types import NOT_GIVEN

    return NOT_GIVEN if value is None else value


MOMENT = Parameter(metavar="MOMENT", validator=_require_time_zone)

ProjectId: TypeAlias = Annotated[
    str, Parameter(metavar="ID", help="Choose the project by its id (proj_…), which `scripe projects` shows.")
]
OptionalProjectId: TypeAlias = Annotated[
    str | None,
    Parameter(metavar="ID", help="Add it to this project (proj_…) only; the default is the whole workspace."),
]
Text: TypeAlias = Annotated[
    str | None, _ANY_TEXT, Parameter(metavar="TEXT", help="Give the text on the command line.")
]
TextFile: TypeAlias = Annotated[
    Path | None,
    _ANY_TEXT,
    Parameter(metavar="PATH", help="Read the text from a UTF-8 file, or with - from stdin."),
]
File: TypeAlias = Annotated[Path, Parameter(help="The file to upload.")]
Name: TypeAlias = Annotated[
    str | None, _ANY_TEXT, Parameter(metavar="NAME", help="Set the name that people see.")
]
Title: TypeAlias = Annotated[
    str | None, _ANY_TEXT, Parameter(metavar="TITLE", help="Set the title that people see.")
]
ContentTypeOption: TypeAlias = Annotated[
    ContentType | str | None, Parameter(metavar="TYPE", help="Say what it is about; the default is PERSONAL.")
]
NewContentType: TypeAlias = Annotated[
    ContentType | str | None, Parameter(metavar="TYPE", help="Change what it is about.")
]
MimeType: TypeAlias = Annotated[
    str | None,
    Parameter(
        name="--content-type",
        metavar="MIME",
        help="Set the MIME type of the file; the default depends on its name.",
    ),
]
ScheduledFor: TypeAlias = Annotated[
    datetime | None, MOMENT, Parameter(help="Publish at this moment, as in 2026-12-01T09:00+01:00.")
]
Undocumented: TypeAlias = Annotated[
    bool | None, Parameter(help="Set this field, which the API does not explain.")
]
IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Parameter(
        metavar="KEY",
        help="Repeat a call without doing anything twice, for 24 hours (with a file: about 15 minutes).",
    ),
]
Limit: TypeAlias = Annotated[
    int,
    Parameter(
        help="Show at most this many, the newest first.", validator=validators.Number(gte=1), metavar="N"
    ),
]
ShowAll: TypeAlias = Annotated[bool, _FLAG, Parameter(name="--all", help="Show all, without a limit.")]
DateFrom: TypeAlias = Annotated[
    date | None,
    Parameter(metavar="DAY", help="Show only what is from this UTC day or later, as in 2026-12-01."),
]
DateTo: TypeAlias = Annotated[
    date | None, Parameter(metavar="DAY", help="Show only what is from this UTC day or earlier.")
]
Wait: TypeAlias = Annotated[bool, _FLAG, Parameter(help="Wait until the job is done.")]
WaitTimeout: TypeAlias = Annotated[
    float,
    Parameter(metavar="SECONDS", help="Stop waiting after this time; the job goes on.", validator=_POSITIVE),
]
