"""Define `scripe sources …` and `scripe uploads …`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from .. import options
from ..help import new_command
from ..input import require_text
from ..render import Result
from ..session import CurrentSession

sources: App = new_command("sources")
uploads: App = new_command("uploads")


@sources.command(sort_key=0)
def create(
    *,
    project_id: options.ProjectId,
    text: options.Text = None,
    text_file: options.TextFile = None,
    name: options.Name = None,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Create a source from a text that is already a transcript."""
    content = require_text(text, text_file, session.options)
    return session.client.sources.create_text(
        project_id=project_id,
        text=content,
        name=name,
        idempotency_key=session.set_idempotency_key(idempotency_key),
    )


@sources.command(sort_key=1)
def ingest(
    file: options.File,
    /,
    *,
    project_id: options.ProjectId,
    name: options.Name = None,
    content_type: options.MimeType = None,
    wait_timeout: options.WaitTimeout = options.WAIT_TIMEOUT,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Turn a file into a source: upload it, wait until it is processed, and show the source."""
    session.start_waiting()
    return session.client.sources.ingest(
        file,
        project_id=project_id,
        name=name,
        content_type=content_type,
        timeout=wait_timeout,
        idempotency_key=session.set_idempotency_key(idempotency_key),
        show_progress=session.shows_progress,
    )


@sources.command(sort_key=2)
def get(
    source_id: Annotated[str, Parameter(help="The id of the source (src_…).")], /, *, session: CurrentSession
) -> Result:
    """Show one source, and the beginning of its text."""
    return session.client.sources.retrieve(source_id)


@uploads.command
def put(
    file: options.File,
    /,
    *,
    content_type: options.MimeType = None,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Upload a file to storage, without making anything of it, and show the upload."""
    return session.client.uploads.upload_file(
        file,
        content_type=content_type,
        idempotency_key=session.set_idempotency_key(idempotency_key),
        show_progress=session.shows_progress,
    )
