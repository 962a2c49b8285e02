"""`scripe notes …`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cyclopts import App, Parameter

from ..groups import command
from ..input import check_one_reader, required_text
from ..parameters import (
    LIMIT,
    MOMENT,
    All,
    ContentTypeOption,
    CurrentSession,
    DateFrom,
    DateTo,
    IdempotencyKey,
    Limit,
    ProjectId,
    Text,
    TextFile,
)
from ..results import Result, listed, page_size

app: App = command("notes")


@app.command(name="list", sort_key=0)
def list_notes(
    *,
    project_id: ProjectId,
    folder_id: Annotated[str | None, Parameter(metavar="ID", help="Only notes in this folder.")] = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    limit: Limit = LIMIT,
    everything: All = False,
    session: CurrentSession,
) -> Result:
    """List the notes of a project, newest first. Days are those of their slots."""
    most = None if everything else limit
    pager = session.client.notes.list(
        project_id=project_id,
        folder_id=folder_id,
        date_from=date_from,
        date_to=date_to,
        page_size=page_size(most),
    )
    return listed("Note", pager, most)


@app.command(sort_key=1)
def get(
    note_id: Annotated[str, Parameter(help="note_…, which note.")], /, *, session: CurrentSession
) -> Result:
    """Show one note."""
    return session.client.notes.retrieve(note_id)


@app.command(sort_key=2)
def create(
    *,
    project_id: ProjectId,
    text: Text = None,
    text_file: TextFile = None,
    folder_id: Annotated[str | None, Parameter(metavar="ID", help="The folder to put it in.")] = None,
    slot: Annotated[
        datetime | None, MOMENT, Parameter(name="--date", help="The moment of its slot; now if left out.")
    ] = None,
    content_type: ContentTypeOption = None,
    idempotency_key: IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Make a note, and its place in the queue."""
    check_one_reader(text_file, session.options.api_key_file)
    return session.client.notes.create(
        project_id=project_id,
        content=required_text(text, text_file),
        folder_id=folder_id,
        date=slot,
        content_type=content_type,
        idempotency_key=session.key(idempotency_key),
    )
