"""Notes, with their places in the queue. https://apidocs.scripe.io/api/v1/notes"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

ContentType: TypeAlias = _vocabulary.ContentType | str
"""What a note or a post is about; the API may add others."""


class NoteSlot(Model):
    """The place of a note in the queue.

    Attributes:
        id: Its id.
        date: Its day, as the API writes it.
        content_type: What is to be written about.

    """

    id: str
    date: str | None = None
    content_type: Annotated[ContentType, OPEN_ENUM] | None = None


class Note(Model):
    """A note, from which a post can be made. Only a client written by others tells its shape: see docs/api-facts.md.

    Attributes:
        id: `note_…`.
        project_id: `proj_…`, the project it belongs to.
        folder_id: The folder it lies in; None for the root.
        content: Its text.
        created_at: When it was made.
        updated_at: When it last changed; None if never.
        slot: Its place in the queue, if it has one.

    """

    id: str
    project_id: str | None = None
    folder_id: str | None = None
    content: str | None = None
    created_at: Instant
    updated_at: Instant | None = None
    slot: NoteSlot | None = None
