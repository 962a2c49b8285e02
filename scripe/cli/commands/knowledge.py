"""`scripe knowledge …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ...errors import ConfigurationError
from ..bars import shown
from ..groups import ONE_OF_THESE, command
from ..input import check_one_reader, required_text
from ..parameters import (
    WAIT_TIMEOUT,
    CurrentSession,
    IdempotencyKey,
    MimeType,
    Name,
    OptionalProjectId,
    Text,
    TextFile,
    WaitTimeout,
)
from ..results import Result
from ..session import Session
from .generating import Wait

if TYPE_CHECKING:
    from ... import Job

app: App = command("knowledge")


@app.command
def add(
    *,
    text: Annotated[Text, Parameter(group=ONE_OF_THESE)] = None,
    text_file: Annotated[TextFile, Parameter(group=ONE_OF_THESE)] = None,
    file: Annotated[
        Path | None, Parameter(group=ONE_OF_THESE, help="A file to upload; waits for the job.")
    ] = None,
    url: Annotated[str | None, Parameter(group=ONE_OF_THESE, metavar="URL", help="A web page.")] = None,
    youtube: Annotated[
        str | None, Parameter(group=ONE_OF_THESE, metavar="URL", help="A video on YouTube.")
    ] = None,
    name: Name = None,
    project_id: OptionalProjectId = None,
    content_type: MimeType = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = WAIT_TIMEOUT,
    idempotency_key: IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Add a text, a file, a page or a video to the knowledge base, and show the job that indexes it."""
    check_one_reader(text_file, session.options.api_key_file)
    if sum(each is not None for each in (text, text_file, file, url, youtube)) != 1:
        raise ConfigurationError("Give one of --text, --text-file, --file, --url and --youtube.")
    key = session.key(idempotency_key)
    if file is not None:
        session.wait_for()
        return session.client.knowledge.ingest(
            file,
            name=name,
            project_id=project_id,
            content_type=content_type,
            timeout=wait_timeout,
            idempotency_key=key,
            **shown(session),
        )
    knowledge = session.client.knowledge
    if url is not None:
        job = knowledge.create_url(url=url, name=name, project_id=project_id, idempotency_key=key)
    elif youtube is not None:
        job = knowledge.create_youtube(url=youtube, name=name, project_id=project_id, idempotency_key=key)
    else:
        label = name or (text_file.name if text_file is not None and str(text_file) != "-" else None)
        if label is None:
            raise ConfigurationError("A text needs a name: give --name.")
        job = knowledge.create_text(
            text=required_text(text, text_file), name=label, project_id=project_id, idempotency_key=key
        )
    return _waited_for(session, job, wait_timeout) if wait else job


def _waited_for(session: Session, job: Job, timeout: float) -> Job:
    session.wait_for(job.id)
    return session.client.jobs.wait(job, timeout=timeout, **shown(session))
