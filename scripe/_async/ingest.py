"""A file, all the way: uploaded, given to a job, waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .._concurrency import AsyncCallback, async_invoke
from .._core import polling
from .._core.idempotency import FileKey
from .._file_content import UploadContent
from ..types.job import Job
from ..types.progress import Progress
from ..types.upload import Upload
from .callbacks import file_progress
from .job_poller import AsyncJobPoller
from .resources.uploads import upload_content
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
    key: FileKey,
) -> Job:
    """The job, ended well."""

    async def tell(job: Job) -> None:
        news = polling.progress_from_job(job, content.size)
        if news is not None and told is not None:
            await async_invoke(told, news)

    with file_progress(content.name or "file", on_progress, show_progress=show_progress) as told:
        upload = await upload_content(sender, content, content_type, told, key)
        job = await create(upload)
        await tell(job)
        return await AsyncJobPoller(sender, [job], timeout, tell).wait_for_success()
