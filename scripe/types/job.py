"""Jobs: background work of the API. https://apidocs.scripe.io/api/v1/jobs"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

JobType: TypeAlias = _vocabulary.JobType | str
"""Type of a job; the API may add others."""

JobStatus: TypeAlias = _vocabulary.JobStatus | str
"""Status of a job; an unknown one counts as not finished."""

_CANCELLED = ("CANCELLED", "CANCELED")  # the API documents only the first


class JobProgress(Model):
    """Progress of a running job.

    Attributes:
        progress: From 0 to 1.
        message: Current step, for people.
        updated_at: Time of this report.

    """

    progress: float
    message: str | None = None
    updated_at: Instant | None = None


class JobResult(Model):
    """Result of a job: one of these ids, depending on its type.

    Attributes:
        source_id: `src_…`, for `SOURCE_INGEST_FILE`.
        post_id: `post_…`, for `POST_GENERATION`.
        document_id: `kb_…`, for `KB_INGEST_*`.

    """

    source_id: str | None = None
    post_id: str | None = None
    document_id: str | None = None


class Job(Model):
    """Background work of the API.

    Attributes:
        id: `job_…`.
        type: Its type, such as `POST_GENERATION`.
        status: Its status; `is_finished`, `is_succeeded`, `is_failed` and `is_cancelled` interpret it.
        project_id: `proj_…`; None for a job of the whole workspace.
        started_at: Time at which a worker started it.
        completed_at: Time at which it finished.
        progress: Its progress while it runs; always None in lists.
        result: The id of the object it created, once it has succeeded.
        error_code: The API's code for the failure.
        error_message: The API's description of the failure, for people.
        attempt_count: Number of attempts so far.
        estimated_completion_ms: Expected duration, in milliseconds.
        created_at: Time at which it was submitted.
        updated_at: Time of its last change; None if it has not changed.

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
        """True if the job has succeeded."""
        return self.status.upper() in _vocabulary.SUCCESS_STATUSES

    @property
    def is_failed(self) -> bool:
        """True if the job has failed."""
        return self.status.upper() == "FAILED"

    @property
    def is_cancelled(self) -> bool:
        """True if the job was cancelled before it started."""
        return self.status.upper() in _CANCELLED

    @property
    def is_finished(self) -> bool:
        """True if the job has succeeded, failed or been cancelled. An unknown status counts as not finished."""
        return self.is_succeeded or self.is_failed or self.is_cancelled
