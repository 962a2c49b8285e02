"""Judge what came of a write that was sent long ago and got no response, from what the API still shows.

No field of a job names the idempotency key, the upload or the file. But a finished source has the name that was sent,
notes and posts have their content, and jobs can be listed by type and time. What is equal is ours; a list that is
proved to reach back that far, and shows nothing, proves that the write never arrived. Anything else is for a person to
decide, and nothing is sent by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..types.job import Job
from ..types.note import Note
from ..types.post import Post
from .ledger import (
    HOUR,
    MOMENTS,
    Item,
    Write,
    digest,
    from_milliseconds,
    record_never_arrived,
    record_unknown,
    unsettled_error,
)

BEFORE = 5_000
AFTER = 15 * 60_000
"""Milliseconds before the first attempt and after the last one in which the API may have done the work."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which the API may have done the work."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end


def search_window(item: Item, now: int, *, by_conflict: bool) -> Window:
    """Return where to look: around the attempts; if the API says that the key was used, in the last 24 hours."""
    start, end = (item.first_sent_at or now) - BEFORE, (item.last_sent_at or now) + AFTER
    if by_conflict:
        start, end = now - 24 * HOUR, now + BEFORE
    return Window(from_milliseconds(start), from_milliseconds(end))


def leaves_no_trace(item: Item, write: Write) -> bool:
    """Return True for a text source: the API lists no sources, and no job makes it."""
    return item.unit.route == "POST /sources" and write.fields.get("type") == "text"


def select_candidates(jobs: Iterable[Job], claimed: Collection[str], write: Write) -> list[Job]:
    """Return the jobs that may be the write's: not those of other items or projects, nor those that made nothing."""
    project_id = write.fields.get("projectId")
    return [
        job
        for job in jobs
        if job.id not in claimed
        and job.project_id in (None, project_id)
        and not (job.is_failed or job.is_cancelled)
    ]


def select_equal(item: Item, argument: str, values: Iterable[tuple[str, str | None]]) -> list[str]:
    """Return the ids of those whose value is the one that was sent; `values` has an id and a value of each."""
    sent = (item.arguments or {}).get(argument)
    return [owner for owner, value in values if sent is not None and digest(value) == sent]


def is_ours(equal: Sequence[str], rivals: int) -> bool:
    """Return True if one thing is equal, and no other unsettled item was sent with the same."""
    return len(equal) == 1 and not rivals


def judge_jobs(item: Item, candidates: Sequence[Job], *, has_witness: bool) -> Item:
    """Return the item after its jobs were looked for, none of which is surely its own.

    While one of them runs, nothing is decided, and that is an UnsettledWriteError.
    """
    ids = tuple(job.id for job in candidates)
    if not all(job.is_finished for job in candidates):
        raise unsettled_error(
            replace(item, candidates=ids),
            "a job that may be its own has not finished yet: call again when it has",
        )
    return record_unknown(item, ids) if ids or not has_witness else record_never_arrived(item)


def judge_things(item: Item, things: Iterable[Note | Post], window: Window) -> Item:
    """Return the item after its note or post was looked for, and none is surely its own.

    One in the window may be ours, edited. If there is none, ours may have been deleted: it is made again only if that
    neither costs nor publishes anything.
    """
    ids = tuple(thing.id for thing in things if thing.created_at in window)
    has_moment = not MOMENTS.isdisjoint(item.arguments or {})
    return record_unknown(item, ids) if ids or has_moment else record_never_arrived(item)


def is_witness(job: Job, window: Window) -> bool:
    """Return True if a job shows that the list reaches back to before the window.

    A filter that takes only the day of a time shows later jobs as well.
    """
    return job.created_at <= window.start
