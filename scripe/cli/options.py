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


@Parameter(name="*", group=COMMON_OPTIONS, negative=())
@dataclass(frozen=True, slots=True)
class Options:
    """Options that every command takes, before the command or after it."""

    json: Annotated[
        bool, _FLAG, Parameter(help="One JSON document on stdout; an error is one on stderr.")
    ] = False
    verbose: Annotated[
        bool,
        _FLAG,
        Parameter(name=("--verbose", "-v"), help="A line on stderr for each answer, with its request id."),
    ] = False
    api_key_file: Annotated[
        Path | None,
        Parameter(allow_leading_hyphen=True, help="The key: first line of a file; - for stdin."),
    ] = None
    base_url: Annotated[
        str | None, Parameter(metavar="URL", help="Where the API is. Else SCRIPE_BASE_URL.")
    ] = None
    allow_insecure: Annotated[
        bool, _FLAG, Parameter(help="Allow plain http to other machines than this one.")
    ] = False
    workspace_id: Annotated[
        str | None, Parameter(metavar="ID", help="org_…, of several. Else SCRIPE_WORKSPACE_ID.")
    ] = None
    timeout: Annotated[
        float, Parameter(metavar="SECONDS", help="For each network operation.", validator=_POSITIVE)
    ] = 60.0
    total_timeout: Annotated[
        float | None,
        Parameter(metavar="SECONDS", help="For all of a call, its waits included.", validator=_POSITIVE),
    ] = None
    no_progress: Annotated[bool, _FLAG, Parameter(help="No progress bars on stderr.")] = False


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

ProjectId: TypeAlias = Annotated[str, Parameter(metavar="ID", help="proj_…, of `scripe projects`.")]
OptionalProjectId: TypeAlias = Annotated[
    str | None, Parameter(metavar="ID", help="proj_…, for one project; all of the workspace if left out.")
]
Text: TypeAlias = Annotated[
    str | None, Parameter(metavar="TEXT", help="The text.", allow_leading_hyphen=True)
]
TextFile: TypeAlias = Annotated[
    Path | None,
    Parameter(metavar="PATH", help="A file with the text, in UTF-8; - for stdin.", allow_leading_hyphen=True),
]
File: TypeAlias = Annotated[Path, Parameter(help="The file.")]
Name: TypeAlias = Annotated[
    str | None, Parameter(metavar="NAME", help="A label for people.", allow_leading_hyphen=True)
]
Title: TypeAlias = Annotated[
    str | None, Parameter(metavar="TITLE", help="A title, for people.", allow_leading_hyphen=True)
]
ContentTypeOption: TypeAlias = Annotated[
    ContentType | str | None, Parameter(metavar="TYPE", help="What it is about; PERSONAL if left out.")
]
NewContentType: TypeAlias = Annotated[
    ContentType | str | None, Parameter(metavar="TYPE", help="What it is about.")
]
MimeType: TypeAlias = Annotated[
    str | None,
    Parameter(
        name="--content-type", metavar="MIME", help="MIME type of the file; told from its name if left out."
    ),
]
ScheduledFor: TypeAlias = Annotated[
    datetime | None, MOMENT, Parameter(help="When it goes out, as in 2026-12-01T09:00+01:00.")
]
Undocumented: TypeAlias = Annotated[bool | None, Parameter(help="The API does not say what this does.")]
IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Parameter(
        metavar="KEY",
        help="The same key with the same arguments does nothing twice, for 24 hours (a file: about 15 minutes).",
    ),
]
Limit: TypeAlias = Annotated[
    int, Parameter(help="Show the newest so many.", validator=validators.Number(gte=1), metavar="N")
]
ShowAll: TypeAlias = Annotated[bool, _FLAG, Parameter(name="--all", help="Show all, whatever the limit.")]
DateFrom: TypeAlias = Annotated[
    date | None, Parameter(metavar="DAY", help="Only from this UTC day on, as in 2026-12-01.")
]
DateTo: TypeAlias = Annotated[date | None, Parameter(metavar="DAY", help="Only up to this UTC day.")]
Wait: TypeAlias = Annotated[bool, _FLAG, Parameter(help="Wait until the work is done.")]
WaitTimeout: TypeAlias = Annotated[
    float, Parameter(metavar="SECONDS", help="How long to wait for the job.", validator=_POSITIVE)
]
