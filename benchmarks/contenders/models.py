"""The object that every contender reads: a job, as the API sends it, with the base class that the contender has for it."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any


def made_of(base: Any) -> Any:
    """`Envelope` for one job, `Page` for many."""

    class Progress(base):
        progress: float
        message: str | None = None
        updatedAt: datetime | None = None

    class Result(base):
        sourceId: str | None = None
        postId: str | None = None
        documentId: str | None = None

    class Job(base):
        id: str
        type: str
        status: str
        projectId: str | None = None
        startedAt: datetime | None = None
        completedAt: datetime | None = None
        progress: Progress | None = None
        result: Result | None = None
        errorCode: str | None = None
        errorMessage: str | None = None
        attemptCount: int = 0
        estimatedCompletionMs: int | None = None
        createdAt: datetime
        updatedAt: datetime | None = None

    class Envelope(base):
        data: Job

    class Pagination(base):
        next_cursor: str | None = None
        has_more: bool

    class Page(base):
        data: list[Job]
        pagination: Pagination

    for each in (Progress, Result, Job, Envelope, Pagination, Page):
        each.model_rebuild(_types_namespace={**globals(), **locals()})
    return SimpleNamespace(Job=Job, Envelope=Envelope, Page=Page)
