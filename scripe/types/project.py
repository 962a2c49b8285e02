"""Projects. https://apidocs.scripe.io/api/v1/projects"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

ProjectType: TypeAlias = _vocabulary.ProjectType | str
"""What a project publishes for; the API may add others."""

ProjectStatus: TypeAlias = _vocabulary.ProjectStatus | str
"""State of a project; treat an unknown one as `ACTIVE`."""


class Project(Model):
    """A project: one LinkedIn profile or page with all that is written for it.

    Attributes:
        id: `proj_…`.
        name: May hold any character, emoji too.
        type: What it publishes for.
        status: Its state.
        url: Its LinkedIn URL, once connected.
        created_at: When it was made.

    """

    id: str
    name: str
    type: Annotated[ProjectType, OPEN_ENUM]
    status: Annotated[ProjectStatus, OPEN_ENUM]
    url: str | None = None
    created_at: Instant
