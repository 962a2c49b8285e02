"""Sources: transcripts of recordings, files and texts. https://apidocs.scripe.io/api/v1/sources"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

SourceStatus: TypeAlias = _vocabulary.SourceStatus | str
"""Status of a source; treat an unknown one as `Processing`."""


class Hook(Model):
    """An opening line for a post about a topic; any part may be absent.

    Attributes:
        id: `hk_…`.
        content: Its text.
        post_type: Type of post that it suits.
        content_type: Type of content that it suits.

    """

    id: str | None = None
    content: str | None = None
    post_type: str | None = None
    content_type: str | None = None


class Topic(Model):
    """A subject that the API found in a source; any part may be absent.

    Attributes:
        id: `tpc_…`.
        title: Its title.
        summary: Summary of what was said about it.
        key_takeaways: Its key takeaways.
        ranking: Its rank among the topics.
        score: Its suitability for a post.
        from_seconds: Its start in the recording.
        to_seconds: Its end in the recording.
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
    # The API may leave topics out, or send null (C26 in docs/api-facts.md).
    return [] if topics is None else topics


class Source(Model):
    """A transcript.

    Attributes:
        id: `src_…`.
        project_id: `proj_…`, its project.
        status: Its status; `is_ready` and `is_failed` interpret it.
        name: Its name, often that of the file.
        file_type: MIME type of the file, sometimes guessed by the API; None for a text.
        duration_seconds: Length of the recording; 0 for anything else.
        created_at: Time of its creation.
        updated_at: Time of its last change; None if it has not changed.
        text_preview: At most the first 2,000 characters of the transcript. The API has no call for the rest, so a post
            that is generated from this field is based on these only: check `is_text_complete` first.
        text_preview_truncated: True if the transcript is longer than the preview.
        has_full_text: True if there is a transcript.
        topics: The topics that the API found in it; empty if the API sent none.

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
        """True if processing failed: there is no transcript."""
        return self.status == "Failed"

    @property
    def is_ready(self) -> bool:
        """True if there is a transcript."""
        return not self.is_failed and (self.has_full_text or self.status in _vocabulary.READY_STATUSES)

    @property
    def is_text_complete(self) -> bool:
        """True if `text_preview` holds the whole transcript; False if it is truncated, or if there is none yet."""
        return self.is_ready and bool(self.text_preview) and not self.text_preview_truncated
