"""Define `scripe knowledge …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ...errors import ConfigurationError
from .. import options
from ..help import ONE_OF_THESE, new_command
from ..input import is_stdin, require_text
from ..render import Result
from ..session import CurrentSession

app: App = new_command("knowledge")
_CONTENT = Parameter(group=ONE_OF_THESE)


@app.command
def add(
    *,
    text: Annotated[options.Text, _CONTENT] = None,
    text_file: Annotated[options.TextFile, _CONTENT] = None,
    file: Annotated[
        Path | None, options.option("PATH", "Upload this file, and wait for the job."), _CONTENT
    ] = None,
    url: Annotated[str | None, options.option("URL", "Add this web page."), _CONTENT] = None,
    youtube: Annotated[str | None, options.option("URL", "Add this YouTube video."), _CONTENT] = None,
    name: options.Name = None,
    project_id: options.OptionalProjectId = None,
    content_type: options.MimeType = None,
    wait: options.Wait = False,
    wait_timeout: options.WaitTimeout = options.WAIT_TIMEOUT,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Add a text, a file, a page or a video to the knowledge base, and show the job that indexes it."""
    if sum(source is not None for source in (text, text_file, file, url, youtube)) != 1:
        raise ConfigurationError("Give one of --text, --text-file, --file, --url and --youtube.")
    if name is None and text_file is not None and not is_stdin(text_file):
        name = text_file.name
    idempotency_key = session.set_idempotency_key(idempotency_key)
    if file is not None:
        session.start_waiting()
        return session.client.knowledge.ingest(
            file,
            name=name,
            project_id=project_id,
            content_type=content_type,
            timeout=wait_timeout,
            idempotency_key=idempotency_key,
            show_progress=session.shows_progress,
        )
    if url is not None:
        job = session.client.knowledge.create_url(
            url=url, name=name, project_id=project_id, idempotency_key=idempotency_key
        )
    elif youtube is not None:
        job = session.client.knowledge.create_youtube(
            url=youtube, name=name, project_id=project_id, idempotency_key=idempotency_key
        )
    elif name is None:
        raise ConfigurationError("A text needs a name. Give --name.")
    else:
        content = require_text(text, text_file, session.options)
        job = session.client.knowledge.create_text(
            text=content, name=name, project_id=project_id, idempotency_key=idempotency_key
        )
    return session.wait_for(job, wait_timeout) if wait else job
