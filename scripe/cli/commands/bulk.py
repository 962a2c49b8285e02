"""Define `scripe bulk …`."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from ..._format import format_moment
from ...errors import ConfigurationError
from .. import exit_codes, options
from ..error_output import name_bulk_commands
from ..help import new_command
from ..input import is_stdin, open_paths, split_paths, stdin_parts
from ..render import Page, Result
from ..session import CurrentSession, Session

if TYPE_CHECKING:
    from ... import BulkReport
    from ...types import BulkFileStatus, BulkPlan

app: App = new_command("bulk")
Paths = Annotated[str, Parameter(help="Files, folders, or patterns such as 'episodes/*.mp3'.")]
FilesFrom = Annotated[
    Path | None,
    Parameter(allow_leading_hyphen=True),
    options.option("FILE", "Read more paths from a file, one a line, or with - from stdin."),
]
Concurrency = Annotated[int, options.option("N", "Upload so many files at a time.")]
Share = Annotated[float, options.option("PART", "Use this part of the rate limit; the rest is for others.")]
AtSpendCap = Annotated[
    Literal["wait", "stop"],
    options.option("ACTION", "At the daily spend cap, wait for its reset, or stop with exit code 8."),
]


@app.command(sort_key=0)
def plan(
    *paths: Paths,
    files_from: FilesFrom = None,
    project_id: options.ProjectId,
    rate_limit_share: Share = 0.8,
    session: CurrentSession,
) -> Result:
    """Say what an import will take, and what limits it. No file is sent, and no ledger is changed."""
    files = _choose_files(paths, files_from, session)
    session.start_bulk(is_resumable=False)
    bulk_plan = session.client.bulk.plan(
        files,
        project_id=project_id,
        ledger=session.options.ledger,
        rate_limit_share=rate_limit_share,
    )
    return Page(str(bulk_plan), _plan_document(bulk_plan))


@app.command(sort_key=1)
def ingest(
    *paths: Paths,
    files_from: FilesFrom = None,
    project_id: options.ProjectId,
    concurrency: Concurrency = 8,
    rate_limit_share: Share = 0.8,
    at_spend_cap: AtSpendCap = "wait",
    session: CurrentSession,
) -> Result:
    """Make a source of each file, through a ledger (--ledger): the same command again goes on where it ended."""
    ledger = session.require_ledger(exists=False)
    files = _choose_files(paths, files_from, session)
    session.start_bulk(is_resumable=True)
    with _interrupt_on_sigterm():
        report = session.client.bulk.ingest(
            files,
            project_id=project_id,
            ledger=ledger,
            concurrency=concurrency,
            rate_limit_share=rate_limit_share,
            at_spend_cap=at_spend_cap,
            show_progress=session.shows_progress,
        )
        return _report_page(report, session)


@app.command(sort_key=2)
def retry(
    *,
    project_id: Annotated[
        str | None,
        options.option("ID", "Choose the project (proj_…), if the ledger holds files of several."),
    ] = None,
    code: Annotated[
        str | None, options.option("CODE", "Try only files with this error code, such as unprocessable.")
    ] = None,
    concurrency: Concurrency = 8,
    rate_limit_share: Share = 0.8,
    at_spend_cap: AtSpendCap = "wait",
    session: CurrentSession,
) -> Result:
    """Try files of a ledger (--ledger) again that were refused, or whose job failed or was cancelled."""
    ledger = session.require_ledger()
    session.start_bulk(is_resumable=True)
    with _interrupt_on_sigterm():
        report = session.client.bulk.retry(
            ledger,
            project_id=project_id,
            code=code,
            concurrency=concurrency,
            rate_limit_share=rate_limit_share,
            at_spend_cap=at_spend_cap,
            show_progress=session.shows_progress,
        )
        return _report_page(report, session)


def _choose_files(paths: Iterable[str], files_from: Path | None, session: Session) -> Iterable[str]:
    """Return the files of a command line; those of a list are read when they are wanted."""
    if files_from is None:
        if not paths:
            raise ConfigurationError(
                "There are no files. Give paths, or --files-from FILE with one path a line (- reads stdin)."
            )
        return paths
    if not is_stdin(files_from):
        return chain(paths, split_paths(session.enter(open_paths(files_from, "--files-from"))))
    api_key_file = session.options.api_key_file
    if api_key_file is not None and is_stdin(api_key_file):
        raise ConfigurationError("Only one option can read stdin (-): --files-from or --api-key-file.")
    return chain(paths, split_paths(stdin_parts()))


@contextmanager
def _interrupt_on_sigterm() -> Generator[None]:
    """Treat SIGTERM as Ctrl-C while the block runs."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _report_page(report: BulkReport, session: Session) -> Page:
    return Page(
        name_bulk_commands(str(report), session),
        _report_document(report) if session.options.json else {},
        _exit_code(report),
    )


def _report_document(report: BulkReport) -> dict[str, object]:
    resets_at = report.cap_resets_at
    return {
        "ledger": str(report.ledger),
        "projectId": report.project_id,
        "run": report.run,
        "files": report.files,
        "states": report.states,
        "duplicateCount": report.duplicate_count,
        "capResetsAt": resets_at and format_moment(resets_at, "%Y-%m-%dT%H:%M:%SZ"),
        "problems": [_to_document(status) for status in report.problems()],
        "duplicates": [_to_document(status) for status in report.duplicates()],
    }


def _exit_code(report: BulkReport) -> int:
    if report.is_complete:
        return 0
    if report.cap_resets_at is not None:
        return exit_codes.SPEND_CAP
    return exit_codes.UNSETTLED if report.states.get("unknown") else exit_codes.FILES


def _plan_document(bulk_plan: BulkPlan) -> dict[str, object]:
    types = {name: {"files": files, "size": size} for name, (files, size) in bulk_plan.types.items()}
    return {**_to_document(bulk_plan), "types": types}


def _to_document(value: BulkPlan | BulkFileStatus) -> dict[str, object]:
    """Return the fields of an object, named as in the API's JSON."""
    from pydantic.alias_generators import to_camel

    return {to_camel(field.name): getattr(value, field.name) for field in fields(value)}
