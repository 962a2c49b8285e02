"""Jobs: work that the API does in the background. https://apidocs.scripe.io/api/v1/jobs"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

JobType: TypeAlias = _vocabulary.JobType | str
"""What a job does; the API may add others."""

JobStatus: TypeAlias = _vocabulary.JobStatus | str
"""State of a job; an unknown one counts as not finished."""

_CANCELLED = ("CANCELLED", "CANCELED")  # the second stands on no page


class JobProgress(Model):
    """How far a running job is.

    Attributes:
        progress: From 0 to 1.
        message: What it is doing, for people.
        updated_at: When this was written.

    """

    progress: float
    message: str | None = None
    updated_at: Instant | None = None


class JobResult(Model):
    """What a job made: one of these ids, by its type.

    Attributes:
        source_id: `src_…`, of `SOURCE_INGEST_FILE`.
        post_id: `post_…`, of `POST_GENERATION`.
        document_id: `kb_…`, of `KB_INGEST_*`.

    """

    source_id: str | None = None
    post_id: str | None = None
    document_id: str | None = None


class Job(Model):
    """Work that the API does in the background.

    Attributes:
        id: `job_…`.
        type: What it does.
        status: Its state; `is_finished`, `is_succeeded`, `is_failed` and `is_cancelled` interpret it.
        project_id: `proj_…`; None for work that belongs to the whole workspace.
        started_at: When a worker took it.
        completed_at: When it ended.
        progress: Only while it runs, and never in lists.
        result: What it made, once it succeeded.
        error_code: Why it failed, for programs.
        error_message: Why it failed, for people.
        attempt_count: How often a worker has tried it.
        estimated_completion_ms: How long the API expects it to take, in milliseconds.
        created_at: When it was submitted.
        updated_at: When it last changed; None if never.

    """

    id: str
    type: Annotated[JobType, OPEN_ENUM]
    status: Annotated[JobStatus, OPEN_ENUM]
    project_id: str | None = None
    started_at: Instant | None = None
    completed_at: Instant | None = None
    progress: JobProgress | None = None
    result: JobResult | None = None
    error_code: str | None = None
    error_message: str | None = None
    attempt_count: int = 0
    estimated_completion_ms: int | None = None
    created_at: Instant
    updated_at: Instant | None = None

    def _repr_html_(self) -> str:
        from .._html import duration_between, model_card, progress_html

        wait = duration_between(self.created_at, self.started_at)
        if self.is_finished:
            return model_card(self, waited=wait, worked=duration_between(self.started_at, self.completed_at))
        fraction, message = (self.progress.progress, self.progress.message) if self.progress else (None, None)
        return model_card(self, waited=wait, progress=progress_html(fraction, message))

    @property
    def is_succeeded(self) -> bool:
        """Whether it ended well."""
        return self.status.upper() in _vocabulary.SUCCESS_STATUSES

    @property
    def is_failed(self) -> bool:
        """Whether it ended with an error."""
        return self.status.upper() == "FAILED"

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled before it started."""
        return self.status.upper() in _CANCELLED

    @property
    def is_finished(self) -> bool:
        """Whether it has ended, well or not; an unknown status counts as not finished."""
        return self.is_succeeded or self.is_failed or self.is_cancelled
