"""Arguments and options that several commands share."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter, validators

from .._vocabulary import ContentType
from .session import Session


def _zoned(_: object, moment: datetime | None) -> None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError("the time zone is missing")  # told by usage.py


MOMENT = Parameter(metavar="MOMENT", validator=_zoned)
_FILE = Parameter(allow_leading_hyphen=True, metavar="PATH")
_TEXT = Parameter(allow_leading_hyphen=True, metavar="TEXT")

CurrentSession: TypeAlias = Annotated[Session, Parameter(parse=False)]
ProjectId: TypeAlias = Annotated[str, Parameter(metavar="ID", help="proj_…, of `scripe projects`.")]
OptionalProjectId: TypeAlias = Annotated[
    str | None, Parameter(metavar="ID", help="proj_…, for one project; all of the workspace if left out.")
]
Text: TypeAlias = Annotated[str | None, _TEXT, Parameter(help="The text.")]
TextFile: TypeAlias = Annotated[
    Path | None, _FILE, Parameter(help="A file with the text, in UTF-8; - for stdin.")
]
Name: TypeAlias = Annotated[
    str | None, Parameter(metavar="NAME", help="A label for tables.", allow_leading_hyphen=True)
]
Title: TypeAlias = Annotated[
    str | None, Parameter(metavar="TITLE", help="A title, for tables.", allow_leading_hyphen=True)
]
ContentTypeOption: TypeAlias = Annotated[
    ContentType | str | None, Parameter(metavar="TYPE", help="What it is about; PERSONAL if left out.")
]
NewContentType: TypeAlias = Annotated[
    ContentType | str | None, Parameter(metavar="TYPE", help="What it is about.")
]
Unexplained: TypeAlias = Annotated[bool | None, Parameter(help="The API does not say what this does.")]
MimeType: TypeAlias = Annotated[
    str | None,
    Parameter(
        name="--content-type", metavar="MIME", help="MIME type of the file; told from its name if left out."
    ),
]
ScheduledFor: TypeAlias = Annotated[
    datetime | None, MOMENT, Parameter(help="When it goes out, as in 2026-12-01T09:00+01:00.")
]
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
All: TypeAlias = Annotated[
    bool, Parameter(name="--all", negative=(), show_default=False, help="Show all, whatever the limit.")
]
DateFrom: TypeAlias = Annotated[
    date | None, Parameter(metavar="DAY", help="Only from this UTC day on, as in 2026-12-01.")
]
DateTo: TypeAlias = Annotated[date | None, Parameter(metavar="DAY", help="Only up to this UTC day.")]
WaitTimeout: TypeAlias = Annotated[
    float,
    Parameter(metavar="SECONDS", help="How long to wait for the job.", validator=validators.Number(gt=0)),
]
File: TypeAlias = Annotated[Path, Parameter(help="The file.")]

WAIT_TIMEOUT = 900.0
LIMIT = 50


def several(name: str, metavar: str, text: str) -> Parameter:
    """An option that may be given more than once."""
    return Parameter(name=name, metavar=metavar, help=text, negative=())
