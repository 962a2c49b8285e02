"""Options that every command takes, before the command or after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from .groups import OF_EVERY_COMMAND

_SECONDS = validators.Number(gt=0)


@Parameter(name="*", group=OF_EVERY_COMMAND, negative=())
@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the API, and how to tell what it said."""

    json: Annotated[
        bool, Parameter(help="One JSON document on stdout; an error is one on stderr.", show_default=False)
    ] = False
    verbose: Annotated[
        bool,
        Parameter(
            name=("--verbose", "-v"),
            help="A line on stderr for each answer, with its request id.",
            show_default=False,
        ),
    ] = False
    api_key_file: Annotated[
        Path | None,
        Parameter(allow_leading_hyphen=True, help="The key: first line of a file; - for stdin."),
    ] = None
    base_url: Annotated[
        str | None,
        Parameter(metavar="URL", help="Where the API is. Else SCRIPE_BASE_URL."),
    ] = None
    allow_insecure: Annotated[
        bool, Parameter(help="Allow plain http to other machines than this one.", show_default=False)
    ] = False
    workspace_id: Annotated[
        str | None,
        Parameter(metavar="ID", help="org_…, of several. Else SCRIPE_WORKSPACE_ID."),
    ] = None
    timeout: Annotated[
        float,
        Parameter(metavar="SECONDS", help="For each network operation.", validator=_SECONDS),
    ] = 60.0
    deadline: Annotated[
        float | None,
        Parameter(metavar="SECONDS", help="For all of a call, its waits included.", validator=_SECONDS),
    ] = None
    no_progress: Annotated[bool, Parameter(help="No progress bars on stderr.", show_default=False)] = False


DEFAULTS = Options()
