"""Notes, with their slots in the queue. https://apidocs.scripe.io/api/v1/notes"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

ContentType: TypeAlias = _vocabulary.ContentType | str
"""Topic of a note or a post; the API may add others."""


class NoteSlot(Model):
    """The slot of a note in the queue.

    Attributes:
        id: Its id.
        date: Its day, as the API formats it.
        content_type: Topic to write about.

    """

    id: str
    date: str | None = None
    content_type: Annotated[ContentType, OPEN_ENUM] | None = None


class Note(Model):
    """A note, from which a post can be generated. Its fields are those of another client of the API: docs/api-facts.md.

    Attributes:
        id: `note_…`.
        project_id: `proj_…`, its project.
        folder_id: Its folder; None for the root.
        content: Its text.
        created_at: Time of its creation.
        updated_at: Time of its last change; None if it has not changed.
        slot: Its slot in the queue, if it has one.

    """

    id: str
    project_id: str | None = None
    folder_id: str | None = None
    content: str | None = None
    created_at: Instant
    updated_at: Instant | None = None
    slot: NoteSlot | None = None
