"""Projects. https://apidocs.scripe.io/api/v1/projects"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

ProjectType: TypeAlias = _vocabulary.ProjectType | str
"""Type of a project: profile or page; the API may add others."""

ProjectStatus: TypeAlias = _vocabulary.ProjectStatus | str
"""Status of a project; treat an unknown one as `ACTIVE`."""


class Project(Model):
    """A project: a LinkedIn profile or page, with its notes, sources and posts.

    Attributes:
        id: `proj_…`.
        name: Its name, which may contain emoji.
        type: Its type.
        status: Its status.
        url: Its LinkedIn URL, once connected.
        created_at: Time of its creation.

    """

    id: str
    name: str
    type: Annotated[ProjectType, OPEN_ENUM]
    status: Annotated[ProjectStatus, OPEN_ENUM]
    url: str | None = None
    created_at: Instant
