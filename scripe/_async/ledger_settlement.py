"""Find out what came of a write that was sent long ago and got no response.

No field of a job names the idempotency key, the upload or the file. But a finished source has the name that was sent,
notes and posts have their content, and jobs can be listed by type and time. What is equal is ours; a list that is
proved to reach back that far, and shows nothing, proves that the write never arrived. Anything else is for a person to
decide, and nothing is sent by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .._concurrency import async_run_blocking
from .._core import ledger as rules
from .._core.ledger import Item, Write
from .._core.request import Request, build_path, page_query
from .._ledger import Store
from ..errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from ..types.job import Job
from ..types.note import Note
from ..types.post import Post
from ..types.source import Source
from .pager import AsyncPager
from .sender import AsyncSender

BEFORE = 5_000
AFTER = 15 * 60_000
MARGIN = 60_000
"""Milliseconds around the attempts in which the API may have done the work."""


class AsyncSettlement:
    """Looks for what one item may have made: a generation of it was sent, with the arguments of this write."""

    def __init__(self, sender: AsyncSender, store: Store, item: Item, write: Write, now: int) -> None:
        self._sender = sender
        self._store = store
        self._item = item
        self._write = write
        self._now = now
        self._start = (item.first_sent_at or now) - BEFORE
        self._end = (item.last_sent_at or now) + AFTER

    async def run(self, *, by_conflict: bool = False) -> Item:
        """Return the item as `done`, as `refused` if the write never arrived, or as `unknown`.

        With `by_conflict` the API says that the key was used: then at any time in the last 24 hours. While a job that
        may be its own still runs, the item stays as it is, and that is an UnsettledWriteError.
        """
        if by_conflict:
            self._start, self._end = self._now - 24 * rules.HOUR, self._now + BEFORE
        if self._item.unit.route == "POST /sources" and self._write.fields.get("type") == "text":
            return rules.record_unknown(
                self._item, ()
            )  # the API lists no sources, and no job makes a text source
        try:
            if self._item.thing.job_types:
                return await self._settle_by_jobs()
            return await self._settle_by_content()
        except PermissionDeniedError:
            return rules.record_unknown(self._item, ())

    async def _settle_by_jobs(self) -> Item:
        listed = await self._list_jobs()
        claimed = await async_run_blocking(self._store.claimed, [job.id for job in listed])
        project = self._write.fields.get("projectId")
        jobs = [
            job
            for job in listed
            if job.id not in claimed
            and job.project_id in (None, project)
            and not (job.is_failed or job.is_cancelled)
        ]
        finished = [job for job in jobs if job.is_finished]
        if self._item.unit.route == "POST /sources":
            names = {job.id: await self._retrieve_name(job) for job in finished}
            match = await self._single_match("name", names.items())
            for job in finished:
                if job.id == match:
                    return rules.record_job(self._item, job, self._now)
        if len(finished) < len(jobs):
            candidates = tuple(job.id for job in jobs)
            raise rules.unsettled_error(
                replace(self._item, candidates=candidates),
                "a job that may be its own has not finished yet: call again when it has",
            )
        if not jobs and await self._is_witnessed(listed):
            return rules.record_never_arrived(self._item)
        return rules.record_unknown(self._item, tuple(job.id for job in jobs))

    async def _settle_by_content(self) -> Item:
        is_note = self._item.unit.route == "POST /notes"
        things = await (self._list_newest("/notes", Note) if is_note else self._list_newest("/posts", Post))
        claimed = await async_run_blocking(self._store.claimed, [thing.id for thing in things])
        unclaimed = [thing for thing in things if thing.id not in claimed]
        match = await self._single_match("content", [(thing.id, thing.content) for thing in unclaimed])
        if match is not None:
            return rules.record_thing(self._item, match)
        in_window = [thing for thing in unclaimed if rules.to_milliseconds(thing.created_at) <= self._end]
        is_scheduled = not rules.MOMENTS.isdisjoint(self._item.arguments or {})
        if in_window or is_scheduled:
            return rules.record_unknown(self._item, tuple(thing.id for thing in in_window))
        return rules.record_never_arrived(self._item)

    async def _list_newest(self, path: str, model: type[Note | Post]) -> list[Note | Post]:
        """Return what was created since the window's start; without a date filter, which for notes is that of slots."""
        query = page_query(200, projectId=str(self._write.fields.get("projectId")))
        newest: list[Note | Post] = []
        async for thing in AsyncPager(self._sender, path, model, query):
            if rules.to_milliseconds(thing.created_at) < self._start:
                break
            newest.append(thing)
        return newest

    async def _single_match(self, argument: str, values: Iterable[tuple[str, str | None]]) -> str | None:
        """Return the id of the only thing that is equal to what was sent; None if there is none, or no only one."""
        sent = (self._item.arguments or {}).get(argument)
        matches = [thing_id for thing_id, value in values if sent is not None and rules.digest(value) == sent]
        if len(matches) != 1 or sent is None:
            return None
        rivals = await async_run_blocking(self._store.count_rivals, self._item, argument, sent)
        return None if rivals else matches[0]

    async def _retrieve_name(self, job: Job) -> str | None:
        """Return the name of a job's source; None if it has none, or is gone."""
        source_id = job.result.source_id if job.result else None
        if not source_id:
            return None
        try:
            return (
                await self._sender.send(Request("GET", build_path("/sources/{}", source_id), Source))
            ).name
        except NotFoundError:
            return None

    async def _list_jobs(self) -> list[Job]:
        """Return the jobs of the window, of the types that the route makes."""
        types = ",".join(self._item.thing.job_types)
        start, end = (rules.from_milliseconds(moment) for moment in (self._start, self._end))
        try:
            jobs = await self._list(type=types, dateFrom=rules.instant(start), dateTo=rules.instant(end))
        except InvalidRequestError:  # C27: whether a filter takes a time of day
            jobs = await self._list(
                type=types, dateFrom=start.date().isoformat(), dateTo=end.date().isoformat()
            )
        return [job for job in jobs if start <= job.created_at <= end]

    async def _list(self, **filters: str) -> list[Job]:
        return [job async for job in AsyncPager(self._sender, "/jobs", Job, page_query(200, **filters))]

    async def _is_witnessed(self, listed: Sequence[Job]) -> bool:
        """Return True if the list of jobs surely reaches back to the window, and shows all of it.

        A job from before the window proves the first; that every job which the ledger knows of the window is listed
        makes the second likely.
        """
        known = await async_run_blocking(
            self._store.known_jobs, self._item.unit, self._start, self._end - MARGIN
        )
        if not known <= {job.id for job in listed}:
            return False
        start = rules.from_milliseconds(self._start)
        for until in (rules.instant(start), (start - rules.DAY).date().isoformat()):
            query = page_query(1, dateTo=until)
            try:
                witness = await AsyncPager(self._sender, "/jobs", Job, query).first()
            except InvalidRequestError:
                continue
            # A filter that takes the day alone of a time shows later jobs as well.
            if witness is None or witness.created_at <= start:
                return witness is not None
        return False
