"""Run a bulk import: some workers send files, one more looks for their jobs, and the caller's own task watches.

`_core/bulk.py` decides, `_bulk_files.py` keeps the files, and each file is a write with a ledger like any other
(`ledger_write.py`). So a run that is killed at any moment goes on with the next one, and sends nothing twice.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial

from .._bulk_files import BulkFiles, FileRow, inspect
from .._bulk_report import BulkReport
from .._concurrency import AsyncCallback, AsyncClock, async_run_blocking, async_run_together, real_seconds
from .._core import bulk
from .._core.bulk import CapReached, FileTries, PollPace, RunControl, RunStopped, SpeedMeter, Verdict
from .._core.idempotency import FileIdempotencyKey
from .._core.ledger import Unit, describe_write, from_milliseconds
from .._core.request import Request, build_path, format_utc_day, page_query
from .._core.uploads import source_request
from .._ledger import Ledger
from ..errors import NotFoundError, ScripeError, SpendCapExceededError
from ..types.bulk import BulkFile, BulkProgress
from ..types.job import Job
from ..types.progress import Progress
from .callbacks import AsyncReporter, check_show_progress
from .file_upload import AsyncUploader, async_hash_content, async_open_upload_content
from .ledger_write import AsyncLedgerWrite
from .pager import AsyncPager
from .sender import AsyncSender

BRIEFLY = 0.05
"""Seconds between two looks at what other workers do."""

SINGLE_JOBS = 20
"""How many jobs that no list shows are retrieved at once."""


@contextmanager
def bulk_progress(
    callback: AsyncCallback[BulkProgress] | None, *, show_progress: bool
) -> Generator[AsyncReporter[BulkProgress]]:
    """Return a reporter for a bulk run; show a screen while the block runs if asked to."""
    if not check_show_progress(show_progress):
        yield AsyncReporter(callback)
        return
    from .._bulk_screen import bulk_screen

    with bulk_screen() as update_screen:
        yield AsyncReporter(callback, update_screen)


class AsyncBulkRun:
    """One run of one call."""

    def __init__(
        self,
        sender: AsyncSender,
        ledger: Ledger,
        files: BulkFiles,
        control: RunControl,
        workspace_id: str,
        on_update: Callable[[BulkProgress], Awaitable[None]],
    ) -> None:
        self._sender = sender
        self._ledger = ledger
        self._files = files
        self._control = control
        self._workspace_id = workspace_id
        self._on_update = on_update
        self._clock = sender.session.clock
        self._meter = SpeedMeter()
        self._errors: deque[str] = deque(maxlen=3)
        self._watch_at = 0.0

    async def run(self) -> BulkReport:
        """Send all files, and wait for their jobs."""
        works = [*[self._send_files] * self._control.workers, self._follow_jobs]
        await async_run_together(works, self._watch, self._control.stop, bulk.STOP_GRACE)
        await self._send_update()
        return await async_run_blocking(self._report)

    # Send files

    async def _send_files(self) -> None:
        try:
            while True:
                self._control.check()
                while wait := self._control.cap_wait(self._now() / 1000):
                    await self._sender.sleep(wait + 0.1)  # clocks round
                row = await async_run_blocking(self._files.acquire)
                if row is not None:
                    await self._send_with_tries(row)
                elif self._files.is_working:  # it may come back
                    await AsyncClock().sleep(BRIEFLY)
                else:
                    return
        except RunStopped:
            pass
        finally:
            self._control.leave()

    async def _send_with_tries(self, row: FileRow) -> None:
        """Send a file; after an error that may pass, again and again, as long as other files do no better."""
        again, tries = False, FileTries()
        try:
            while True:
                try:
                    await self._send(row)
                    return
                except (CapReached, SpendCapExceededError) as error:
                    again = True
                    if isinstance(error, SpendCapExceededError):
                        await self._reach_cap(error)
                    return
                except ScripeError as error:
                    verdict = tries.record(error, self._control.sent)
                    if not await self._may_try_again(row, error, verdict):
                        return
                await self._sender.sleep(tries.pause)
        finally:
            self._files.release(row, again=again)

    async def _may_try_again(self, row: FileRow, error: ScripeError, verdict: Verdict) -> bool:
        """Record an error of a file; return True if it may be tried again in this run."""
        if verdict == "stop":
            raise error
        if verdict == "retry":
            if self._control.is_hopeless(self._clock.now()):
                raise error
            row.sha256 = None  # it may have changed
            return True
        code, reason, request_id = bulk.describe_error(error)
        self._errors.append(f"{row.path}: {reason}")
        await async_run_blocking(self._files.record_reason, row, code, reason, request_id)
        if verdict == "refuse":
            await async_run_blocking(self._files.refuse_item, row, code)
            self._control.record_end(code)
        return False

    async def _send(self, row: FileRow) -> None:
        """Upload a file and create its job, unless that was done before, or is being done for the same content."""
        current = await async_run_blocking(inspect, BulkFile(row.path, row.name, row.content_type))
        if current.reason is not None:
            await async_run_blocking(self._files.record_reason, row, current.code or "", current.reason)
            return
        if current.stamp != row.stamp:
            row.size, row.mtime_ns, row.inode, row.sha256 = *current.stamp, None
        sender = self._sender.with_deadline()
        content = await async_open_upload_content(row.path, sender)
        try:
            sha256 = row.sha256 = row.sha256 or await async_hash_content(content, sender)
            key = bulk.file_key(self._files.project_id, sha256)
            unit = Unit(sender.options.base_url, self._workspace_id, bulk.ROUTE, key)
            if await async_run_blocking(self._files.link, row, unit) is None:
                return
            file_key = FileIdempotencyKey(key)
            file_key.bind(sha256, content.md5 or "")
            name = row.name or content.name
            build = partial(source_request, self._files.project_id, name=name, idempotency_key=key)
            content_type = current.content_type or ""
            write = describe_write(
                "bulk.ingest",
                build(""),
                defaults=frozenset({"name"}),
                file={"file": sha256, "content_type": content_type},
                path=row.path,
            )
            uploader = AsyncUploader(sender, content, content_type, self._reporter(), file_key)
            await AsyncLedgerWrite(
                sender, self._ledger, build(""), write, needs_job=False, uploader=uploader
            ).run()
            self._control.record_sent()
        finally:
            content.close()

    def _reporter(self) -> AsyncReporter[Progress]:
        """Return a reporter that counts the bytes of one file, and cuts its upload when the run stops."""
        before = 0
        began: float | None = None

        def count(progress: Progress) -> None:
            nonlocal before, began
            self._control.check()
            now, sent = self._clock.now(), progress.bytes_sent - before
            self._meter.add(now, max(0, sent), began if sent > 0 else None)
            before, began = progress.bytes_sent, now

        return AsyncReporter(None, count)

    async def _reach_cap(self, error: SpendCapExceededError) -> None:
        midnight = from_milliseconds(self._now()).replace(hour=0, minute=0, second=0, microsecond=0)
        resets_at = error.resets_at or midnight + timedelta(days=1)
        self._control.reach_cap(resets_at, random.uniform(0, bulk.RESET_JITTER))  # noqa: S311 - no secret
        await async_run_blocking(self._files.record_price, error.estimate_cents, error.cap_cents)

    # Look for their jobs

    async def _follow_jobs(self) -> None:
        pace = PollPace(last_at=self._clock.now())
        with suppress(RunStopped):
            while True:
                self._control.check()
                is_over, is_idle = self._control.workers == 0, self._control.is_idle
                is_due = pace.is_due(self._clock.now(), self._control.sent, is_idle=is_idle)
                pending = await async_run_blocking(self._files.count_submitted) if is_over or is_due else 0
                if is_over and not pending:
                    return
                if is_due:
                    requests = await self._look_for_jobs() if pending else 0
                    pace.record(self._clock.now(), self._control.sent, requests)
                elif is_over:
                    await self._sender.sleep(1.0)
                else:
                    await AsyncClock().sleep(BRIEFLY)

    async def _look_for_jobs(self) -> int:
        """Record the jobs that have ended; return the number of requests."""
        long_ago = self._now() - bulk.LISTED_AFTER
        oldest = await async_run_blocking(self._files.oldest_submission)
        since = from_milliseconds(oldest or 0) - timedelta(seconds=5)
        query = page_query(200, type="SOURCE_INGEST_FILE", dateFrom=format_utc_day(since, "since"))
        pages, listed, requests = AsyncPager(self._sender, "/jobs", Job, query).pages(), set[str](), 0
        try:
            while True:
                page = await anext(pages, None)
                requests += 1
                if page is None:
                    break
                listed.update(job.id for job in page.data)
                await self._record_jobs(page.data)
                missing = await async_run_blocking(self._files.unlisted_jobs, listed, self._now())
                if len(missing) <= requests or (page.data and page.data[-1].created_at < since):
                    break
            missing = await async_run_blocking(self._files.unlisted_jobs, listed, long_ago)
            for job_id in missing[:SINGLE_JOBS]:
                requests += 1
                await self._retrieve_job(job_id)
        except ScripeError as error:
            if bulk.judge(error) != "retry" or self._control.is_hopeless(self._clock.now()):
                raise
        else:
            self._control.record_success()
        return requests

    async def _retrieve_job(self, job_id: str) -> None:
        try:
            job = await self._sender.send(Request("GET", build_path("/jobs/{}", job_id), Job))
        except NotFoundError:
            await async_run_blocking(self._files.record_forgotten, job_id)
        else:
            await self._record_jobs([job])

    async def _record_jobs(self, jobs: list[Job]) -> None:
        for error in await async_run_blocking(self._files.record_jobs, jobs, self._now()):
            self._control.record_end(error)
            if error is not None:
                self._errors.append(error)

    # Tell how far it is

    async def _watch(self) -> None:
        started = real_seconds()
        if started >= self._watch_at:
            await self._send_update()
            # Counting a million files takes a while, and must not take up a processor.
            self._watch_at = real_seconds() + 20 * (real_seconds() - started)

    async def _send_update(self) -> None:
        await self._on_update(await async_run_blocking(self._progress))

    def _progress(self) -> BulkProgress:
        now, limiter = self._clock.now(), self._sender.session.limiter
        limit = limiter.limit((self._sender.rate_limit_key, "write")) if limiter else None
        return self._files.progress(
            bytes_per_second=self._meter.rate(now),
            upload_speed=self._meter.upload_speed(now),
            calls_per_minute=bulk.allowed_calls(limit, self._control.rate_limit_share),
            waiting_until=self._control.cap_resets_at,
            last_errors=tuple(self._errors),
        )

    def _report(self) -> BulkReport:
        return BulkReport(self._files, self._control.cap_resets_at)

    # The clock

    def _now(self) -> int:
        """Return milliseconds of the server's clock."""
        return self._files.store.server_time(self._clock.wall_time())
