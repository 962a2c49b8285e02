"""Values that the API is known to take, for the help, the completion and the nearest right one of a typo.

They are those of `scripe.types`, which takes too long to load for that; a test keeps them in step. The API may add
others: those are taken too.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

JobType: TypeAlias = Literal[
    "POST_GENERATION",
    "KB_INGEST_TEXT",
    "KB_INGEST_FILE",
    "KB_INGEST_URL",
    "KB_INGEST_YOUTUBE",
    "SOURCE_INGEST_FILE",
]
JobStatus: TypeAlias = Literal["QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED"]
PostStatus: TypeAlias = Literal[
    "waitingProcessing",
    "draft",
    "waitingApproval",
    "approved",
    "rejected",
    "scheduled",
    "published",
    "suggested",
]
ContentType: TypeAlias = Literal[
    "PERSONAL", "BUSINESS_INTERNAL", "BUSINESS_EXTERNAL", "EDUCATIONAL", "UNKNOWN"
]
WebhookEvent: TypeAlias = Literal[
    "note.created",
    "post.created",
    "post.updated",
    "post.scheduled",
    "post.unscheduled",
    "source.created",
    "job.completed",
    "job.failed",
    "knowledge.indexed",
]
Shell: TypeAlias = Literal["bash", "zsh", "fish"]
