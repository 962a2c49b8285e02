"""Define `scripe posts …`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from cyclopts import App, Parameter

from ..._vocabulary import PostStatus
from ...errors import ConfigurationError
from .. import options
from ..help import new_command
from ..input import read_text, require_text
from ..render import Result, fetch_listing, page_size
from ..session import CurrentSession

app: App = new_command("posts")
PostId = Annotated[str, Parameter(help="The id of the post (post_…).")]


@app.command(name="list", sort_key=0)
def list_posts(
    *,
    project_id: options.ProjectId,
    status: Annotated[
        list[PostStatus | str] | None, options.repeatable("STATUS", "Show only posts with this status")
    ] = None,
    date_from: options.DateFrom = None,
    date_to: options.DateTo = None,
    limit: options.Limit = options.LIMIT,
    show_all: options.ShowAll = False,
    session: CurrentSession,
) -> Result:
    """List the posts of a project, newest first."""
    max_items = None if show_all else limit
    pager = session.client.posts.list(
        project_id=project_id,
        status=status,
        date_from=date_from,
        date_to=date_to,
        page_size=page_size(max_items),
    )
    return fetch_listing("Post", pager, max_items)


@app.command(sort_key=1)
def get(post_id: PostId, /, *, session: CurrentSession) -> Result:
    """Show one post, and its text."""
    return session.client.posts.retrieve(post_id)


@app.command(sort_key=2)
def create(
    *,
    project_id: options.ProjectId,
    text: options.Text = None,
    text_file: options.TextFile = None,
    title: options.Title = None,
    content_type: options.ContentTypeOption = None,
    scheduled_for: options.ScheduledFor = None,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Create a draft, or with --scheduled-for a scheduled post."""
    content = require_text(text, text_file, session.options)
    return session.client.posts.create(
        project_id=project_id,
        content=content,
        title=title,
        content_type=content_type,
        scheduled_for=scheduled_for,
        idempotency_key=session.set_idempotency_key(idempotency_key),
    )


@app.command(sort_key=3)
def update(
    post_id: PostId,
    /,
    *,
    text: options.Text = None,
    text_file: options.TextFile = None,
    title: options.Title = None,
    content_type: options.NewContentType = None,
    status_category: Annotated[
        str | None, options.option("CATEGORY", "Move it to the workspace's status of this category.")
    ] = None,
    status_id: Annotated[
        str | None,
        options.option("ID", "Move it to this status by its id, which `scripe posts statuses` shows."),
    ] = None,
    scheduled_for: options.ScheduledFor = None,
    unschedule: Annotated[
        bool, options.flag("Take it off the schedule, so that it is a draft again.")
    ] = False,
    auto_like: options.Undocumented = None,
    auto_comment: options.Undocumented = None,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Change a post; options that you leave out change nothing."""
    if status_category is not None and status_id is not None:
        raise ConfigurationError("Give --status-category or --status-id, not both.")
    if unschedule and scheduled_for is not None:
        raise ConfigurationError("Give --scheduled-for or --unschedule, not both.")
    content = read_text(text, text_file, session.options)
    return session.client.posts.update(
        post_id,
        content=options.or_not_given(content),
        title=options.or_not_given(title),
        content_type=options.or_not_given(content_type),
        status_category=options.or_not_given(status_category),
        status_id=options.or_not_given(status_id),
        scheduled_for=None if unschedule else options.or_not_given(scheduled_for),
        auto_like=options.or_not_given(auto_like),
        auto_comment=options.or_not_given(auto_comment),
        idempotency_key=session.set_idempotency_key(idempotency_key),
    )


@app.command(sort_key=4)
def generate(
    *,
    project_id: options.ProjectId,
    text: options.Text = None,
    text_file: options.TextFile = None,
    note_id: Annotated[
        str | None, options.option("ID", "Write from this note (note_…) instead of a text.")
    ] = None,
    scheduled_for: options.ScheduledFor = None,
    language: Annotated[
        str | None, options.option("LANGUAGE", "Write in this language; the default is the project's.")
    ] = None,
    wait: options.Wait = False,
    wait_timeout: options.WaitTimeout = options.WAIT_TIMEOUT,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Generate a post from a text or a note, and show the job, or with --wait the post."""
    content = read_text(text, text_file, session.options)
    if (content is None) == (note_id is None):
        raise ConfigurationError("Give one of --text, --text-file and --note-id to write from.")
    idempotency_key = session.set_idempotency_key(idempotency_key)
    posts = session.client.posts
    create_job = partial(
        posts.generate,
        project_id=project_id,
        scheduled_for=scheduled_for,
        language=language,
        idempotency_key=idempotency_key,
    )
    job = create_job(text=content or "") if note_id is None else create_job(note_id=note_id)
    if not wait:
        return job
    from ..._core.polling import result_id  # loads the models

    # Not `generate_and_wait`: after a timeout or Ctrl-C the message names the job.
    return posts.retrieve(result_id(session.wait_for(job, wait_timeout), "post_id"))


@app.command(sort_key=5)
def statuses(*, session: CurrentSession) -> Result:
    """List the statuses that posts of this workspace can have."""
    return fetch_listing("WorkspacePostStatus", session.client.post_statuses.list())
