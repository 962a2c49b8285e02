"""The object that every contender reads: a job, as the API sends it, with the base class that the contender has for it."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any, Optional


def made_of(base: Any) -> Any:
    """`Envelope` for one job, `Page` for many."""

    class Progress(base):
        progress: float
        message: Optional[str] = None
        updatedAt: Optional[datetime] = None

    class Result(base):
        sourceId: Optional[str] = None
        postId: Optional[str] = None
        documentId: Optional[str] = None

    class Job(base):
        id: str
        type: str
        status: str
        projectId: Optional[str] = None
        startedAt: Optional[datetime] = None
        completedAt: Optional[datetime] = None
        progress: Optional[Progress] = None
        result: Optional[Result] = None
        errorCode: Optional[str] = None
        errorMessage: Optional[str] = None
        attemptCount: int = 0
        estimatedCompletionMs: Optional[int] = None
        createdAt: datetime
        updatedAt: Optional[datetime] = None

    class Envelope(base):
        data: Job

    class Pagination(base):
        next_cursor: Optional[str] = None
        has_more: bool

    class Page(base):
        data: list[Job]
        pagination: Pagination

    for each in (Progress, Result, Job, Envelope, Pagination, Page):
        each.model_rebuild(_types_namespace={**globals(), **locals()})
    return SimpleNamespace(Job=Job, Envelope=Envelope, Page=Page)
