"""Sources: transcripts of recordings, files and texts. https://apidocs.scripe.io/api/v1/sources"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

SourceStatus: TypeAlias = _vocabulary.SourceStatus | str
"""State of a source; treat an unknown one as `Processing`."""


class Hook(Model):
    """An opening line for a post about a topic; any part may be absent.

    Attributes:
        id: `hk_…`.
        content: The line itself.
        post_type: The kind of post it opens.
        content_type: The kind of content it opens.

    """

    id: str | None = None
    content: str | None = None
    post_type: str | None = None
    content_type: str | None = None


class Topic(Model):
    """A subject that the API found in a source; any part may be absent.

    Attributes:
        id: `tpc_…`.
        title: What it is called.
        summary: What is said about it.
        key_takeaways: What to remember of it.
        ranking: Its place among the topics.
        score: How well it suits a post.
        from_seconds: Where it starts in the recording.
        to_seconds: Where it ends in the recording.
        hooks: Opening lines for posts about it.

    """

    id: str | None = None
    title: str | None = None
    summary: str | None = None
    key_takeaways: list[str] | None = None
    ranking: float | None = None
    score: float | None = None
    from_seconds: float | None = None
    to_seconds: float | None = None
    hooks: list[Hook] | None = None


def _none_to_empty(topics: object) -> object:
    return [] if topics is None else topics  # C26


class Source(Model):
    """A transcript.

    Attributes:
        id: `src_…`.
        project_id: `proj_…`, the project it belongs to.
        status: Its state; `is_ready` and `is_failed` interpret it.
        name: A label, often the name of the file.
        file_type: MIME type of the file, sometimes a guess; None for a text.
        duration_seconds: Length of the recording; 0 for anything else.
        created_at: When it was made.
        updated_at: When it last changed; None if never.
        text_preview: At most the first 2,000 characters of the transcript. The API has no call for the rest, so a post
            that is generated from this field knows no more than these: check `is_text_complete` first.
        text_preview_truncated: Whether there is more than the preview.
        has_full_text: Whether there is a transcript at all.
        topics: What the API found in it; empty where it does not say.

    """

    id: str
    project_id: str
    status: Annotated[SourceStatus, OPEN_ENUM]
    name: str | None = None
    file_type: str | None = None
    duration_seconds: int = 0
    created_at: Instant
    updated_at: Instant | None = None
    text_preview: str = ""
    text_preview_truncated: bool = False
    has_full_text: bool = False
    topics: Annotated[list[Topic], BeforeValidator(_none_to_empty)] = []

    @property
    def is_failed(self) -> bool:
        """Whether processing ended without a transcript."""
        return self.status == "Failed"

    @property
    def is_ready(self) -> bool:
        """Whether the transcript is there."""
        return not self.is_failed and (self.has_full_text or self.status in _vocabulary.READY_STATUSES)

    @property
    def is_text_complete(self) -> bool:
        """Whether `text_preview` holds the whole transcript; False if it is cut off, or if there is none yet."""
        return self.is_ready and bool(self.text_preview) and not self.text_preview_truncated
