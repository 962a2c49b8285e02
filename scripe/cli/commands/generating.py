"""`scripe posts generate`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypedDict

from cyclopts import Parameter

from ...errors import ConfigurationError
from ..bars import shown
from ..input import check_one_reader, optional_text
from ..parameters import (
    WAIT_TIMEOUT,
    CurrentSession,
    IdempotencyKey,
    ProjectId,
    ScheduledFor,
    Text,
    TextFile,
    WaitTimeout,
)
from ..results import Result
from ..session import Session

if TYPE_CHECKING:
    from ...types import Job, Post

Wait = Annotated[bool, Parameter(negative=(), show_default=False, help="Wait until the work is done.")]


class _Order(TypedDict):
    project_id: str
    scheduled_for: datetime | None
    language: str | None
    idempotency_key: str


def generate(
    *,
    project_id: ProjectId,
    text: Text = None,
    text_file: TextFile = None,
    note_id: Annotated[
        str | None, Parameter(metavar="ID", help="note_…, to write from a note instead of a text.")
    ] = None,
    scheduled_for: ScheduledFor = None,
    language: Annotated[
        str | None, Parameter(metavar="LANGUAGE", help="To write in; the project's own if left out.")
    ] = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = WAIT_TIMEOUT,
    idempotency_key: IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Have a post written from a text or a note, and show the job; with --wait the post."""
    check_one_reader(text_file, session.options.api_key_file)
    given = optional_text(text, text_file)
    if (given is None) == (note_id is None):
        raise ConfigurationError("Give what to write from: --text, --text-file or --note-id, one of them.")
    order = _Order(
        project_id=project_id,
        scheduled_for=scheduled_for,
        language=language,
        idempotency_key=session.key(idempotency_key),
    )
    posts = session.client.posts
    if note_id is not None:  # noqa: SIM108 - in one line it is too long to read
        job = posts.generate(note_id=note_id, **order)
    else:
        job = posts.generate(text=given or "", **order)
    return _post_of(job, session, wait_timeout) if wait else job


def _post_of(job: Job, session: Session, timeout: float) -> Post:
    """Not `generate_and_wait`: who gives up the wait is to be told which job goes on."""
    from ..._core import polling  # here: what sends nothing loads no client

    session.wait_for(job.id)
    job = session.client.jobs.wait(job, timeout=timeout, **shown(session))
    return session.client.posts.retrieve(polling.result_id(job, "post_id"))
