"""`scripe sources …`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from ..bars import shown
from ..groups import command
from ..input import check_one_reader, required_text
from ..parameters import (
    WAIT_TIMEOUT,
    CurrentSession,
    File,
    IdempotencyKey,
    MimeType,
    Name,
    ProjectId,
    Text,
    TextFile,
    WaitTimeout,
)
from ..results import Result

app: App = command("sources")


@app.command(sort_key=0)
def create(
    *,
    project_id: ProjectId,
    text: Text = None,
    text_file: TextFile = None,
    name: Name = None,
    idempotency_key: IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Make a source of a text that is already a transcript."""
    check_one_reader(text_file, session.options.api_key_file)
    return session.client.sources.create_text(
        project_id=project_id,
        text=required_text(text, text_file),
        name=name,
        idempotency_key=session.key(idempotency_key),
    )


@app.command(sort_key=1)
def ingest(
    file: File,
    /,
    *,
    project_id: ProjectId,
    name: Name = None,
    content_type: MimeType = None,
    wait_timeout: WaitTimeout = WAIT_TIMEOUT,
    idempotency_key: IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Turn a file into a source: upload it, wait until it is processed, and show the source."""
    key = session.key(idempotency_key)
    session.wait_for()
    return session.client.sources.ingest(
        file,
        project_id=project_id,
        name=name,
        content_type=content_type,
        timeout=wait_timeout,
        idempotency_key=key,
        **shown(session),
    )


@app.command(sort_key=2)
def get(
    source_id: Annotated[str, Parameter(help="src_…, which source.")], /, *, session: CurrentSession
) -> Result:
    """Show one source, with the beginning of its text."""
    return session.client.sources.retrieve(source_id)
