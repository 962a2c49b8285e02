"""Ingest a file: upload it, create a job for it, and wait for the job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .._concurrency import AsyncCallback
from .._core.idempotency import FileIdempotencyKey
from .._file_content import UploadContent
from ..types.job import Job
from ..types.progress import Progress
from ..types.upload import Upload
from .callbacks import AsyncFileJobReporter, file_progress
from .file_upload import upload_content
from .job_poller import AsyncJobPoller
from .sender import AsyncSender


async def ingest_file(
    sender: AsyncSender,
    content: UploadContent,
    content_type: str,
    create: Callable[[Upload], Awaitable[Job]],
    *,
    timeout: float | None,
    on_progress: AsyncCallback[Progress] | None,
    show_progress: bool,
    file_key: FileIdempotencyKey,
) -> Job:
    """Return the job that `create` makes for the uploaded file, once the job has succeeded."""
    with file_progress(content.name or "file", on_progress, show_progress=show_progress) as report:
        upload = await upload_content(sender, content, content_type, report, file_key)
        job = await create(upload)
        report_job = AsyncFileJobReporter(report, content.size)
        await report_job(job)
        return await AsyncJobPoller(sender, [job], timeout, report_job).wait_for_success()
