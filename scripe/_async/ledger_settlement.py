"""Look for what a write made that was sent long ago and got no response; `_core/settlement.py` judges what is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

from .._concurrency import async_run_blocking
from .._core import ledger as rules
from .._core import settlement
from .._core.ledger import Item, Write
from .._core.request import Request, build_path, page_query
from .._ledger import Store
from ..errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from ..types._base import format_instant
from ..types.job import Job
from ..types.note import Note
from ..types.post import Post
from ..types.source import Source
from .pager import AsyncPager
from .sender import AsyncSender

NoteOrPost = TypeVar("NoteOrPost", Note, Post)

MARGIN = timedelta(minutes=1)
"""A job that was started so shortly before the window's end may be created after it."""


class AsyncSettlement:
    """Looks for what one item may have made: a generation of it was sent, with the arguments of this write."""

    def __init__(
        self, sender: AsyncSender, store: Store, item: Item, write: Write, now: int, *, by_conflict: bool
    ) -> None:
        self._sender = sender
        self._store = store
        self._item = item
        self._write = write
        self._now = now
        self._window = settlement.search_window(item, now, by_conflict=by_conflict)

    async def run(self) -> Item:
        """Return the item as `done`, as `refused` if the write never arrived, or as `unknown`."""
        if settlement.leaves_no_trace(self._item, self._write):
            return rules.record_unknown(self._item, ())
        try:
            if self._item.thing.job_types:
                return await self._settle_by_jobs()
            if self._item.unit.route == "POST /notes":
                return await self._settle_by_content(await self._list_newest("/notes", Note))
            return await self._settle_by_content(await self._list_newest("/posts", Post))
        except PermissionDeniedError:
            return rules.record_unknown(self._item, ())

    async def _settle_by_jobs(self) -> Item:
        listed = await self._list_jobs()
        claimed = await async_run_blocking(self._store.find_claimed, [job.id for job in listed])
        candidates = settlement.select_candidates(listed, claimed, self._write)
        if self._item.unit.route == "POST /sources":
            named = [(job.id, await self._retrieve_name(job)) for job in candidates if job.is_finished]
            own = await self._find_own("name", named)
            for job in candidates:
                if job.id == own:
                    return rules.record_job(self._item, job, self._now)
        has_witness = not candidates and await self._has_witness(listed)
        return settlement.judge_jobs(self._item, candidates, has_witness=has_witness)

    async def _settle_by_content(self, things: Sequence[Note | Post]) -> Item:
        claimed = await async_run_blocking(self._store.find_claimed, [thing.id for thing in things])
        unclaimed = [thing for thing in things if thing.id not in claimed]
        own = await self._find_own("content", [(thing.id, thing.content) for thing in unclaimed])
        if own is not None:
            return rules.record_thing(self._item, own)
        return settlement.judge_things(self._item, unclaimed, self._window)

    async def _find_own(self, argument: str, values: Iterable[tuple[str, str | None]]) -> str | None:
        equal = settlement.select_equal(self._item, argument, values)
        rivals = await async_run_blocking(self._store.count_rivals, self._item, argument)
        return equal[0] if settlement.is_ours(equal, rivals) else None

    async def _list_newest(self, path: str, model: type[NoteOrPost]) -> list[NoteOrPost]:
        """Return what was created since the window's start; without a date filter, which for notes is that of slots."""
        query = page_query(200, projectId=str(self._write.fields.get("projectId")))
        newest: list[NoteOrPost] = []
        async for thing in AsyncPager(self._sender, path, model, query):
            if thing.created_at < self._window.start:
                break
            newest.append(thing)
        return newest

    async def _retrieve_name(self, job: Job) -> str | None:
        """Return the name of a job's source; None if it has none, or is gone."""
        source_id = job.result.source_id if job.result else None
        if not source_id:
            return None
        try:
            source = await self._sender.send(Request("GET", build_path("/sources/{}", source_id), Source))
        except NotFoundError:
            return None
        return source.name

    async def _list_jobs(self) -> list[Job]:
        """Return the jobs of the window, of the types that the route makes."""
        types = ",".join(self._item.thing.job_types)
        start, end = self._window.start, self._window.end
        try:
            jobs = await self._list(type=types, dateFrom=format_instant(start), dateTo=format_instant(end))
        except InvalidRequestError:  # C27: whether a filter takes a time of day
            jobs = await self._list(
                type=types, dateFrom=start.date().isoformat(), dateTo=end.date().isoformat()
            )
        return [job for job in jobs if job.created_at in self._window]

    async def _list(self, **filters: str) -> list[Job]:
        return [job async for job in AsyncPager(self._sender, "/jobs", Job, page_query(200, **filters))]

    async def _has_witness(self, listed: Sequence[Job]) -> bool:
        """Return True if the list of jobs surely reaches back to the window, and shows all of it.

        A job from before the window proves the first; that every job which the ledger knows of the window is listed
        makes the second likely.
        """
        since, until = self._window.start, self._window.end - MARGIN
        known = await async_run_blocking(
            self._store.known_jobs,
            self._item.unit,
            rules.to_milliseconds(since),
            rules.to_milliseconds(until),
        )
        if not known <= {job.id for job in listed}:
            return False
        for before in (format_instant(since), (since - timedelta(days=1)).date().isoformat()):
            query = page_query(1, dateTo=before)
            try:
                witness = await AsyncPager(self._sender, "/jobs", Job, query).first()
            except InvalidRequestError:
                continue
            if witness is None or settlement.is_witness(witness, self._window):
                return witness is not None
        return False
