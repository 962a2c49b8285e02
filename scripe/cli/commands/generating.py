"""`scripe posts generate`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from cyclopts import Parameter

from ...errors import ConfigurationError
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
from ..texts import check_one_reader, optional_text
from ..watching import shown

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
    if wait:
        return _waited_for(session, given, note_id, order, wait_timeout)
    posts = session.client.posts
    if note_id is not None:
        return posts.generate(note_id=note_id, **order)
    return posts.generate(text=given or "", **order)


def _waited_for(
    session: Session, text: str | None, note_id: str | None, order: _Order, timeout: float
) -> Result:
    posts = session.client.posts
    session.wait_for()
    if note_id is not None:
        return posts.generate_and_wait(note_id=note_id, timeout=timeout, **order, **shown(session))
    return posts.generate_and_wait(text=text or "", timeout=timeout, **order, **shown(session))
