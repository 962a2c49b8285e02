"""A file, all the way: uploaded, given to a job, waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .._concurrency import AsyncCallback, async_invoke
from .._file_content import Content
from .._rules import polling
from .._rules.idempotency import FileKey
from ..types.job import Job
from ..types.progress import Progress
from ..types.upload import Upload
from .poller import AsyncPoller
from .sender import AsyncSender
from .showing import stages_shown
from .uploads import upload_content


async def ingested(
    sender: AsyncSender,
    content: Content,
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
        news = polling.progress_of(job, content.size)
        if news is not None and told is not None:
            await async_invoke(told, news)

    with stages_shown(content.name or "file", on_progress, show_progress=show_progress) as told:
        upload = await upload_content(sender, content, content_type, told, key)
        job = await create(upload)
        await tell(job)
        return await AsyncPoller(sender, [job], timeout, tell).succeeded()
