"""The base class of the resources.

Resources know the sender, never the session or the transport: retries, rate limit and errors are the same for all
calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from ..._core.request import Request
from ..._lazy import stand_ins
from ...errors import NotFoundError, PermissionDeniedError
from ...types.job import Job
from ..sender import AsyncSender

if TYPE_CHECKING:
    from ..._core.idempotency import FileIdempotencyKey
    from ..file_upload import AsyncUploader
else:
    globals().update(
        stand_ins(
            {
                "FileIdempotencyKey": "scripe._core.idempotency",
                "AsyncUploader": "scripe._async.file_upload",
            }
        )
    )

T = TypeVar("T", bound=BaseModel)


class AsyncResource:
    """A group of calls. It has no state but its sender, so a resource may be made for each use."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def _create(self, method: str, request: Request[T], *, needs_job: bool = True) -> T:
        """Send a write that makes something; with a ledger and a key of the caller's own, make it once only.

        Without `needs_job` the caller fetches the result of the job itself.
        """
        ledger = self._sender.ledger
        if ledger is None or not request.has_callers_key:
            return await self._sender.send(request)
        from ..._core.ledger import describe_write
        from ..ledger_write import AsyncLedgerWrite

        write = describe_write(method, request)
        return await AsyncLedgerWrite(
            self._sender.with_deadline(), ledger, request, write, needs_job=needs_job
        ).run()

    async def _create_from_file(
        self,
        method: str,
        build: Callable[[str], Request[Job]],
        uploader: AsyncUploader,
        *,
        has_name: bool,
        path: str | None,
        needs_job: bool = False,
    ) -> Job:
        """Upload a file, and send the write that makes something of it; with a ledger, do both once only.

        `build` returns the request for the id of an upload. Without `has_name` its name is a default.
        """
        ledger, file_key = self._sender.ledger, uploader.file_key
        if ledger is None or not file_key.is_callers:
            upload = await uploader.upload()
            return await self._sender.send(build(upload.id))
        from ..._core.ledger import describe_write
        from ..ledger_write import AsyncLedgerWrite

        await uploader.bind()
        write = describe_write(
            method,
            build(""),
            defaults=frozenset() if has_name else frozenset({"name"}),
            file={"file": file_key.sha256 or "", "content_type": uploader.content_type},
            path=path,
        )
        return await AsyncLedgerWrite(
            self._sender, ledger, build(""), write, needs_job=needs_job, uploader=uploader
        ).run()

    async def _find_job_of_missing_file(
        self, method: str, request: Request[Job], path: str | None, file_key: FileIdempotencyKey
    ) -> Job | None:
        """Return the job of a file that is gone, if the ledger says that it is done; else None."""
        ledger = self._sender.ledger
        if ledger is None or path is None or not file_key.is_callers:
            return None
        from ..._core.ledger import describe_write
        from ..ledger_write import AsyncLedgerWrite

        write = describe_write(method, request, path=path)
        return await AsyncLedgerWrite(self._sender, ledger, request, write).find_done()

    async def _fetch_result(self, request: Request[T], created_by: str, idempotency_key: str) -> T:
        """Fetch what a job has made; with a ledger, an error says that it was made, and when it may be gone."""
        try:
            return await self._sender.send(request)
        except (NotFoundError, PermissionDeniedError) as error:
            if self._sender.ledger is not None:
                from ..._core.ledger import add_missing_note

                add_missing_note(error, created_by, idempotency_key)
            raise
