"""Posts. https://apidocs.scripe.io/api/v1/posts"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model
from .note import ContentType

PostStatus: TypeAlias = _vocabulary.PostStatus | str
"""Status of a post; the API may add others."""


class Post(Model):
    """A post for LinkedIn.

    Attributes:
        id: `post_…`.
        status: Its status.
        platform: The platform it is published on.
        content_type: Its topic.
        title: Its title, for your own use.
        content: Its text.
        created_at: Time of its creation.
        project_id: `proj_…`, its project.
        scheduled_at: Time of publication, if it is scheduled (the argument `scheduled_for` of calls).
        updated_at: Time of its last change; None if it has not changed.

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
    """A status that the workspace has defined for its posts. The API documents only the id; the rest is a guess.

    Attributes:
        id: Its id, for `posts.update(status_id=…)`.
        name: Its name.
        category: The stage that it belongs to.

    """

    id: str
    name: str | None = None
    category: str | None = None
