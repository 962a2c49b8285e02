"""`scripe posts …`: what is there, and to change it. `generating.py` has them written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import App, Parameter

from ..._vocabulary import PostStatus
from ...errors import ConfigurationError
from ..groups import command
from ..input import check_one_reader, optional_text, required_text
from ..parameters import (
    LIMIT,
    All,
    ContentTypeOption,
    CurrentSession,
    DateFrom,
    DateTo,
    IdempotencyKey,
    Limit,
    NewContentType,
    ProjectId,
    ScheduledFor,
    Text,
    TextFile,
    Title,
    Unexplained,
    several,
)
from ..results import Result, listed, page_size
from .generating import generate

if TYPE_CHECKING:
    from datetime import datetime

    from ...types import NotGiven

app: App = command("posts")
T = TypeVar("T")
PostId = Annotated[str, Parameter(help="post_…, which post.")]


@app.command(name="list", sort_key=0)
def list_posts(
    *,
    project_id: ProjectId,
    status: Annotated[
        list[PostStatus | str] | None,
        several("--status", "STATUS", "Only posts in this state; may be repeated."),
    ] = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    limit: Limit = LIMIT,
    everything: All = False,
    session: CurrentSession,
) -> Result:
    """List the posts of a project, newest first."""
    most = None if everything else limit
    pager = session.client.posts.list(
        project_id=project_id,
        status=status,
        date_from=date_from,
        date_to=date_to,
        page_size=page_size(most),
    )
    return listed("Post", pager, most)


@app.command(sort_key=1)
def get(post_id: PostId, /, *, session: CurrentSession) -> Result:
    """Show one post, with its text."""
    return session.client.posts.retrieve(post_id)


@app.command(sort_key=2)
def create(
    *,
    project_id: ProjectId,
    text: Text = None,
    text_file: TextFile = None,
    title: Title = None,
    content_type: ContentTypeOption = None,
    scheduled_for: ScheduledFor = None,
    idempotency_key: IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Make a draft, or with --scheduled-for a scheduled post."""
    check_one_reader(text_file, session.options.api_key_file)
    return session.client.posts.create(
        project_id=project_id,
        content=required_text(text, text_file),
        title=title,
        content_type=content_type,
        scheduled_for=scheduled_for,
        idempotency_key=session.key(idempotency_key),
    )


@app.command(sort_key=3)
def update(
    post_id: PostId,
    /,
    *,
    text: Text = None,
    text_file: TextFile = None,
    title: Title = None,
    content_type: NewContentType = None,
    status_category: Annotated[
        str | None, Parameter(metavar="CATEGORY", help="Move it to the workspace's status of this category.")
    ] = None,
    status_id: Annotated[
        str | None, Parameter(metavar="ID", help="Move it to this status of `scripe posts statuses`.")
    ] = None,
    scheduled_for: ScheduledFor = None,
    unschedule: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Take it off the schedule: a draft again.")
    ] = False,
    auto_like: Unexplained = None,
    auto_comment: Unexplained = None,
    idempotency_key: IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Change a post; what is left out stays as it is."""
    check_one_reader(text_file, session.options.api_key_file)
    if status_category is not None and status_id is not None:
        raise ConfigurationError("Give --status-category or --status-id, not both.")
    content = optional_text(text, text_file)
    client, key = session.client, session.key(idempotency_key)
    return client.posts.update(
        post_id,
        content=_or_left_out(content),
        title=_or_left_out(title),
        content_type=_or_left_out(content_type),
        status_category=_or_left_out(status_category),
        status_id=_or_left_out(status_id),
        scheduled_for=_schedule(scheduled_for, unschedule=unschedule),
        auto_like=_or_left_out(auto_like),
        auto_comment=_or_left_out(auto_comment),
        idempotency_key=key,
    )


def _or_left_out(value: T | None) -> T | NotGiven:
    from ...types import NOT_GIVEN

    return NOT_GIVEN if value is None else value


def _schedule(moment: datetime | None, *, unschedule: bool) -> datetime | NotGiven | None:
    if not unschedule:
        return _or_left_out(moment)
    if moment is not None:
        raise ConfigurationError("Give --scheduled-for or --unschedule, not both.")
    return None


app.command(generate, sort_key=4)


@app.command(sort_key=5)
def statuses(*, session: CurrentSession) -> Result:
    """List the statuses that the workspace has for its posts."""
    return listed("WorkspacePostStatus", session.client.post_statuses.list())
