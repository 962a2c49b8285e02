"""Ingest a file: upload it, create a job for it, and wait for the job.

Shared by `sources.ingest` and `knowledge.ingest`, which differ in the job that they create and in what they return.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .._concurrency import AsyncCallback
from .._core.idempotency import FileIdempotencyKey
from .._file_content import UploadContent
from ..types.job import Job
from ..types.progress import Progress
from .callbacks import AsyncFileJobReporter, file_progress
from .file_upload import AsyncUploader
from .job_poller import AsyncJobPoller
from .sender import AsyncSender


async def ingest_file(
    sender: AsyncSender,
    content: UploadContent,
    content_type: str,
    create: Callable[[AsyncUploader], Awaitable[Job]],
    *,
    timeout: float | None,
    on_progress: AsyncCallback[Progress] | None,
    show_progress: bool,
    file_key: FileIdempotencyKey,
) -> Job:
    """Upload a file, create its job with `create`, and return the job when it has succeeded.

    The deadline of `sender` is running; `timeout` is the wait for the job, after the upload.
    """
    with file_progress(content.name or "file", on_progress, show_progress=show_progress) as report:
        job = await create(AsyncUploader(sender, content, content_type, report, file_key))
        report_job = AsyncFileJobReporter(report, content.size)
        await report_job(job)
        return await AsyncJobPoller(sender, [job], timeout, report_job).wait_for_success()
