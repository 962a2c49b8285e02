"""Bulk: thousands of files to sources, over hours or days, through a ledger that remembers each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from os import PathLike, fsdecode
from pathlib import Path
from typing import Literal

from ..._bulk_files import BulkFiles, BulkInput, expand
from ..._bulk_plan import make_plan
from ..._bulk_report import BulkReport
from ..._concurrency import AsyncCallback, async_run_blocking
from ..._core.bulk import RunControl, check_settings
from ..._core.config import check_callable
from ..._core.request import Request, check_id
from ..._ledger import Ledger, store_of
from ...errors import InvalidArgumentError
from ...types.bulk import BulkPlan, BulkProgress
from ...types.workspace import CurrentWorkspace
from ..bulk import AsyncBulkRun, bulk_progress
from ..ledger_write import resolve_workspace_id
from ._base import AsyncResource


class AsyncBulk(AsyncResource):
    """Thousands of files to sources, over hours or days. https://apidocs.scripe.io/api/v1/sources

    A ledger remembers each file: whatever ends a run, the same call goes on, and makes nothing twice.
    """

    async def plan(
        self,
        files: BulkInput,
        *,
        project_id: str,
        ledger: Ledger | str | PathLike[str] | None = None,
        rate_limit_share: float = 0.8,
    ) -> BulkPlan:
        """Say what a run will take, and what limits it: requests, spend cap, upload. Print the plan to read it.

        Only `GET /workspaces/me` is sent. Files of equal size are read, to find duplicates.

        Args:
            files: A folder, a pattern such as `episodes/**/*.mp3`, or an iterable of paths or `BulkFile`.
            project_id: `proj_…`, the project of the sources.
            ledger: The ledger of the run, which is not changed; it need not exist yet. Default: that of the client.
            rate_limit_share: The part of the rate limit that the run may use.

        Raises:
            InvalidArgumentError: an argument is wrong. Files that cannot be sent are counted in the plan.
            LedgerError: the ledger cannot be read, or holds a run of another workspace.

        """
        check_settings(1, rate_limit_share, "wait")
        check_id(project_id, "project_id")
        ledger = self._sender.ledger if ledger is None else ledger
        known = ledger if ledger is None or isinstance(ledger, Ledger) else Path(fsdecode(ledger))
        current = await self._sender.send(
            Request("GET", "/workspaces/me", CurrentWorkspace, envelope="either")
        )
        limiter = self._sender.session.limiter
        limit = limiter.limit((self._sender.rate_limit_key, "read")) if limiter else None
        base_url, workspace = self._sender.options.base_url, current.workspace
        return await async_run_blocking(
            make_plan, files, project_id, known, base_url, workspace, limit, rate_limit_share
        )

    async def ingest(
        self,
        files: BulkInput,
        *,
        project_id: str,
        ledger: Ledger | str | PathLike[str] | None = None,
        concurrency: int = 8,
        rate_limit_share: float = 0.8,
        at_spend_cap: Literal["wait", "stop"] = "wait",
        on_update: AsyncCallback[BulkProgress] | None = None,
        show_progress: bool = False,
    ) -> BulkReport:
        """Make a source of each file: upload them, create their jobs, and wait for these.

        Files that cannot be sent, or are refused, are in the report, and the run goes on. Files with the same content
        make one source. If the spend cap is reached, the run waits until 00:00 UTC, or stops.

        Whatever ends a run, the same call goes on where it ended; what is done is not looked at again. The report
        counts the files, and `report.problems()` names those that are not done.

        Args:
            files: A folder, a pattern such as `episodes/**/*.mp3`, or an iterable of paths or `BulkFile`, which is
                read once. Links to files are followed, links to folders are not.
            project_id: `proj_…`, the project of the sources.
            ledger: The ledger that remembers the files. Default: that of the client.
            concurrency: Uploads at a time.
            rate_limit_share: The part of the rate limit that the run uses; the rest is left to others.
            at_spend_cap: `wait` for the reset of the spend cap, or `stop`.
            on_update: Called about once a second, with the state of the run.
            show_progress: Show how far the run is, in a terminal or a notebook only.

        Raises:
            InvalidArgumentError: an argument is wrong, or there is no ledger.
            LedgerError: the ledger cannot be used, another run works with it, or it is another workspace's.
            FilesFailedError: the first 20 files all failed alike.
            AuthenticationError, PermissionDeniedError, NotFoundError: the API key or the project is wrong, so the
                whole run has stopped.
            APIConnectionError: nothing could be sent for 15 minutes.

        """

        async def add(table: BulkFiles) -> None:
            entries = expand(files)
            while await async_run_blocking(table.add, entries):
                pass

        check_id(project_id, "project_id")
        check_settings(concurrency, rate_limit_share, at_spend_cap)
        control = RunControl(
            rate_limit_share=rate_limit_share, stop_at_cap=at_spend_cap == "stop", workers=concurrency
        )
        return await self._run(project_id, ledger, control, add, on_update, show_progress=show_progress)

    async def retry(
        self,
        ledger: Ledger | str | PathLike[str] | None = None,
        *,
        project_id: str | None = None,
        code: str | None = None,
        concurrency: int = 8,
        rate_limit_share: float = 0.8,
        at_spend_cap: Literal["wait", "stop"] = "wait",
        on_update: AsyncCallback[BulkProgress] | None = None,
        show_progress: bool = False,
    ) -> BulkReport:
        """Try files again that were refused, or whose job failed or was cancelled. A failed job may have been paid for.

        Args:
            ledger: The ledger of the runs before. Default: that of the client.
            project_id: `proj_…`; needed only if the ledger holds files of several projects.
            code: Try only files with this error code, such as `unprocessable`.
            concurrency: Uploads at a time.
            rate_limit_share: The part of the rate limit that the run uses; the rest is left to others.
            at_spend_cap: `wait` for the reset of the spend cap, or `stop`.
            on_update: Called about once a second, with the state of the run.
            show_progress: Show how far the run is, in a terminal or a notebook only.

        Raises:
            InvalidArgumentError: an argument is wrong, or the ledger holds no files.
            LedgerError: the ledger cannot be used, another run works with it, or it is another workspace's.

        """

        async def add(table: BulkFiles) -> None:
            await async_run_blocking(table.add_failed, code)

        check_settings(concurrency, rate_limit_share, at_spend_cap)
        control = RunControl(
            rate_limit_share=rate_limit_share, stop_at_cap=at_spend_cap == "stop", workers=concurrency
        )
        return await self._run(project_id, ledger, control, add, on_update, show_progress=show_progress)

    async def _run(
        self,
        project_id: str | None,
        ledger: Ledger | str | PathLike[str] | None,
        control: RunControl,
        add: Callable[[BulkFiles], Awaitable[None]],
        on_update: AsyncCallback[BulkProgress] | None,
        *,
        show_progress: bool,
    ) -> BulkReport:
        check_callable(on_update, "on_update")
        ledger = self._sender.ledger if ledger is None else ledger
        if ledger is None:
            raise InvalidArgumentError(
                "A bulk run needs a ledger, which remembers what was made. Pass ledger='import.db'."
            )
        opened = ledger if isinstance(ledger, Ledger) else Ledger(ledger)
        store = store_of(opened)
        try:
            await async_run_blocking(store.lock_run)
            try:
                sender = self._sender.with_control(control, opened)
                workspace_id = await resolve_workspace_id(sender)
                table = await async_run_blocking(BulkFiles.open, store, project_id)
                await async_run_blocking(table.begin, sender.options.base_url, workspace_id)
                await add(table)
                with bulk_progress(on_update, show_progress=show_progress) as report:
                    return await AsyncBulkRun(sender, opened, table, control, workspace_id, report).run()
            finally:
                store.unlock_run()
        finally:
            if opened is not ledger:
                opened.close()
