"""Define `scripe notes …`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cyclopts import App, Parameter

from .. import options
from ..help import new_command
from ..input import require_text
from ..render import Result, fetch_listing, page_size
from ..session import CurrentSession

app: App = new_command("notes")


@app.command(name="list", sort_key=0)
def list_notes(
    *,
    project_id: options.ProjectId,
    folder_id: Annotated[str | None, options.option("ID", "Show only notes in this folder.")] = None,
    date_from: options.DateFrom = None,
    date_to: options.DateTo = None,
    limit: options.Limit = options.LIMIT,
    show_all: options.ShowAll = False,
    session: CurrentSession,
) -> Result:
    """List the notes of a project, newest first. The days to filter by are those of their slots."""
    max_items = None if show_all else limit
    pager = session.client.notes.list(
        project_id=project_id,
        folder_id=folder_id,
        date_from=date_from,
        date_to=date_to,
        page_size=page_size(max_items),
    )
    return fetch_listing("Note", pager, max_items)


@app.command(sort_key=1)
def get(
    note_id: Annotated[str, Parameter(help="The id of the note (note_…).")], /, *, session: CurrentSession
) -> Result:
    """Show one note."""
    return session.client.notes.retrieve(note_id)


@app.command(sort_key=2)
def create(
    *,
    project_id: options.ProjectId,
    text: options.Text = None,
    text_file: options.TextFile = None,
    folder_id: Annotated[str | None, options.option("ID", "Put it into this folder.")] = None,
    date: Annotated[
        datetime | None, options.MOMENT, Parameter(help="Set the moment of its slot; the default is now.")
    ] = None,
    content_type: options.ContentTypeOption = None,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Create a note, with a slot in the queue."""
    content = require_text(text, text_file, session.options)
    return session.client.notes.create(
        project_id=project_id,
        content=content,
        folder_id=folder_id,
        date=date,
        content_type=content_type,
        idempotency_key=session.set_idempotency_key(idempotency_key),
    )
