"""Posts. https://apidocs.scripe.io/api/v1/posts"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model
from .note import ContentType

PostStatus: TypeAlias = _vocabulary.PostStatus | str
"""State of a post; the API may add others."""


class Post(Model):
    """A post for LinkedIn.

    Attributes:
        id: `post_…`.
        status: Its state.
        platform: Where it goes.
        content_type: What it is about.
        title: Its title, for people.
        content: Its text.
        created_at: When it was made.
        project_id: `proj_…`, the project it belongs to.
        scheduled_at: When it goes out, if it is scheduled (`scheduled_for` in calls).
        updated_at: When it last changed; None if never.

    """

    id: str
    status: Annotated[PostStatus, OPEN_ENUM]
    platform: str | None = None
    content_type: Annotated[ContentType, OPEN_ENUM] | None = None
    title: str | None = None
    content: str | None = None
    created_at: Instant
    project_id: str | None = None
    scheduled_at: Instant | None = None
    updated_at: Instant | None = None


class WorkspacePostStatus(Model):
    """A status that the workspace has defined for its posts. Its shape is not documented: all but the id is a guess.

    Attributes:
        id: What `posts.update(status_id=…)` takes.
        name: What it is called.
        category: The stage that it belongs to.

    """

    id: str
    name: str | None = None
    category: str | None = None
