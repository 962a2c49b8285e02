"""Carry out one write whose idempotency key a ledger remembers.

`_core/ledger.py` decides what the call does; `_ledger.py` keeps the item; this module sends the requests.

Only one call at a time works on an item. Another call with the same key waits for it, then looks at the item again:
it finds what was made, and returns that. While a job is waited for, nobody holds its item.

The item is written before each attempt, automatic retries included, and after the last one. A program that is killed
in between leaves an item in `sending`: the next run sends the same key and the same bytes again, and the API replays
its response or does the work for the first time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, TypeVar, cast

from pydantic import BaseModel

from .. import _log
from .._concurrency import AsyncClock, async_run_blocking, async_run_shielded
from .._core import ledger as rules
from .._core.ledger import Item, Unit, Write
from .._core.request import Request, build_path, to_json_bytes
from .._ledger import ItemTaken, Ledger, store_of
from ..errors import (
    APITimeoutError,
    IdempotencyConflictError,
    LedgerError,
    NotFoundError,
    PermissionDeniedError,
    ScripeError,
)
from ..types.job import Job
from ..types.workspace import CurrentWorkspace
from .file_upload import AsyncUploader
from .ledger_settlement import AsyncSettlement
from .sender import AsyncSender

T = TypeVar("T", bound=BaseModel)

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two looks at an item that another call works on."""


async def resolve_workspace_id(sender: AsyncSender) -> str:
    """Return the workspace that calls work in. It is asked for once; that response also tells the server's time."""
    known, option = sender.credential.workspace_ids, sender.options.workspace_id
    if option not in known:
        current = await sender.send(Request("GET", "/workspaces/me", CurrentWorkspace, envelope="either"))
        known[option] = current.workspace.id
    return known[option]


class AsyncLedgerWrite(Generic[T]):
    """One write of one call.

    The deadline of the sender is running. With an uploader, the request lacks the id of the upload. Without `needs_job`
    the caller fetches the result itself, and a finished job need not be fetched.
    """

    def __init__(
        self,
        sender: AsyncSender,
        ledger: Ledger,
        request: Request[T],
        write: Write,
        *,
        needs_job: bool = True,
        uploader: AsyncUploader | None = None,
    ) -> None:
        self._sender = sender
        self._store = store_of(ledger)
        self._request = request
        self._write = write
        self._needs_job = needs_job
        self._uploader = uploader
        self._key = request.idempotency_key or ""
        self._prior_unresolved = 0  # attempts of earlier calls, under the present key on the wire

    async def run(self) -> T:
        """Return what the write makes, or has made.

        Raises:
            LedgerConflictError: the item was made, or may have been, with other arguments.
            LedgerError: the ledger cannot be used; if something was made all the same, the message names it.
            UnsettledWriteError: nothing can prove what came of an earlier call.

        """
        unit = await self._resolve_unit()
        try:
            while True:
                item = await async_run_blocking(self._find, unit)
                try:
                    return await self._take_step(item or Item(unit, self._write.method))
                except ItemTaken:
                    await self._give_back()
                    await self._wait_for_other(unit)
        finally:
            await async_run_shielded(self._give_back)

    async def find_done(self) -> Job | None:
        """Return the job of a file that is gone, if it was made from the same path; else None."""
        item = await async_run_blocking(self._find, await self._resolve_unit())
        if item is None or item.state != "done" or item.path is None or item.path != self._write.path:
            return None
        rules.check_arguments(item, self._write)
        return rules.job_of(item)

    def _find(self, unit: Unit) -> Item | None:
        return self._store.find(unit) or self._store.adopt(unit)

    async def _resolve_unit(self) -> Unit:
        """Return what the item is for."""
        workspace_id = await resolve_workspace_id(self._sender)
        return Unit(self._sender.options.base_url, workspace_id, self._write.route, self._key)

    async def _take_step(self, item: Item) -> T:
        if await async_run_blocking(self._store.is_taken, item, self):
            raise ItemTaken
        match rules.decide(item, self._write, self._now()):
            case "send":
                if item.state == "sending":
                    self._warn_of_moments(item)
                return await self._send(item)
            case "follow":
                self._warn_of_moments(item)
                return await self._follow(item)
            case "fetch":
                self._warn_of_moments(item)
                return await self._fetch(item)
            case _:
                return await self._settle(item)

    # Send, and record what came of it

    async def _send(self, item: Item) -> T:
        item = rules.plan_item(item, self._write, self._now())
        self._prior_unresolved = item.unresolved
        if self._uploader is not None and item.upload_id is None:
            item = await self._store_file(item, self._uploader)
        fields = rules.fields_to_send(item, self._write)
        request = replace(
            self._request,
            body=to_json_bytes(fields),
            idempotency_key=item.wire_key,
            server_wait=cast("int", fields.get("wait_for_completion_ms", 0)) / 1000,
        )
        attempts = _Attempts(item)

        async def mark_attempt(unresolved: int) -> None:
            marked = rules.mark_attempt(
                attempts.item, fields, self._prior_unresolved + unresolved, self._now()
            )
            attempts.item = await self._save(marked)

        try:
            result = await self._sender.send(request, mark_attempt)
        except ScripeError as error:
            error.idempotency_key = self._key
            if attempts.item is item:
                raise  # nothing was sent, and nothing written
            if not rules.must_settle(error):
                await self._record(
                    rules.record_error(attempts.item, error, self._prior_unresolved, self._now())
                )
                raise
            conflict = error
        else:
            return await self._record_result(attempts.item, result)
        return await self._settle(attempts.item, conflict)

    async def _store_file(self, item: Item, uploader: AsyncUploader) -> Item:
        is_first, minted_at = item.id == 0, self._now()
        item = await self._save(item)
        upload = await uploader.upload(is_first=is_first)
        return await self._save(replace(item, state="stored", upload_id=upload.id, minted_at=minted_at))

    async def _record_result(self, item: Item, result: T) -> T:
        recorded = (
            rules.record_job(item, result, self._now())
            if isinstance(result, Job)
            else rules.record_thing(item, cast("str", getattr(result, "id", "")))
        )
        try:
            await self._record(recorded)
        except LedgerError as error:
            raise LedgerError(
                f"{error.message} The write was done all the same: it made {recorded.result_id or recorded.job_id}. "
                "The next call with the same idempotency_key, within 23 hours, returns it.",
                idempotency_key=self._key,
            ) from error
        return result

    # Find what an earlier call made

    async def _fetch(self, item: Item) -> T:
        if self._request.returns is not Job:
            path = build_path(item.thing.path or "", item.result_id or "")
            try:
                return await self._sender.send(Request("GET", path, self._request.returns))
            except (NotFoundError, PermissionDeniedError) as error:
                rules.add_missing_note(error, item.unit.route, self._key)
                raise
        job = await self._retrieve_job(item) if self._needs_job and item.job_id else None
        # The API may have forgotten the job, not what it made; or a person has said that something else was made.
        is_ours = job is not None and rules.result_of(item, job) == item.result_id
        return cast("T", job if is_ours else rules.job_of(item))

    async def _follow(self, item: Item) -> T:
        job = await self._retrieve_job(item)
        if job is None:
            raise rules.unsettled_error(item, f"the API has forgotten its job {item.job_id}")
        recorded = rules.record_job(item, job, self._now())
        if recorded.state == "submitted":
            return cast("T", job)
        recorded = await self._save(recorded, keep=False)
        if recorded.state == "done":
            return cast("T", job)
        return await self._take_step(recorded)

    async def _retrieve_job(self, item: Item) -> Job | None:
        try:
            return await self._sender.send(Request("GET", build_path("/jobs/{}", item.job_id or ""), Job))
        except NotFoundError:
            return None

    async def _settle(self, item: Item, conflict: ScripeError | None = None) -> T:
        """Find out what came of an earlier call; if nothing proves it, let a person decide."""
        item = await self._save(item)
        settlement = AsyncSettlement(
            self._sender, self._store, item, self._write, self._now(), by_conflict=conflict is not None
        )
        settled = await settlement.run()
        if settled.state == "refused" and isinstance(conflict, IdempotencyConflictError):
            # The API says that something was done under this key: that nothing can be seen of it proves nothing.
            settled = rules.record_unknown(item, ())
        settled = await self._save(settled, keep=False)
        if settled.state == "unknown":
            raise rules.unsettled_error(settled) from conflict
        return await self._take_step(settled)

    # The ledger, others who use it, and the clock

    async def _save(self, item: Item, *, keep: bool = True) -> Item:
        return await async_run_blocking(self._store.save, item, call=self, keep=keep, now=self._now())

    async def _record(self, item: Item) -> None:
        await async_run_blocking(self._store.save_result, item, call=self, now=self._now())

    async def _give_back(self) -> None:
        if self._store.holds_any(self):
            await async_run_blocking(self._store.give_back, self)

    async def _wait_for_other(self, unit: Unit) -> None:
        """Wait until no other call works on the item. The emulator's clock would not wait, but move on."""
        pause, clock = FIRST_PAUSE, AsyncClock()
        while True:
            item = await async_run_blocking(self._store.find, unit)
            if item is None or not await async_run_blocking(self._store.is_taken, item, self):
                return
            if self._sender.deadline_passed():
                raise APITimeoutError(
                    f"Another call is still working on idempotency_key {self._key!r}: {self._sender.deadline}. "
                    "Call again, or allow more time.",
                    is_total=True,
                    retryable=True,
                    idempotency_key=self._key,
                )
            await clock.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _warn_of_moments(self, item: Item) -> None:
        for name, made, asked in rules.moved_moments(item, self._write):
            _log.log_moved_moment(self._key, name, made, asked)

    def _now(self) -> int:
        return self._store.server_time(self._sender.session.clock.wall_time())


class _Attempts:
    """The item, as it was written before the latest attempt."""

    def __init__(self, item: Item) -> None:
        self.item = item
