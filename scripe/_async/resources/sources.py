"""Sources: transcripts of recordings, files and texts."""

from __future__ import annotations

from ..._concurrency import AsyncCallback
from ..._core import polling
from ..._core.config import check_seconds
from ..._core.idempotency import (
    FileIdempotencyKey,
    attach_idempotency_key,
    check_idempotency_key,
    new_idempotency_key,
)
from ..._core.request import Request, build_path, check_id, create_request
from ..._core.uploads import resolve_content_type as content_type_of
from ..._files import AsyncFileInput
from ...types.job import Job
from ...types.progress import Progress
from ...types.source import Source
from ...types.upload import Upload
from ..callbacks import job_progress
from ..file_upload import async_open_upload_content
from ..ingest import ingest_file
from ..job_poller import wait_for_job
from ._base import AsyncResource


class AsyncSources(AsyncResource):
    """Transcripts, which posts are made of. https://apidocs.scripe.io/api/v1/sources"""

    async def retrieve(self, source_id: str) -> Source:
        """Fetch one source; `text_preview` holds at most the first 2,000 characters of its transcript.

        The API has no call for the rest; `is_text_complete` says whether there is more.

        Raises:
            NotFoundError: no source in this workspace has this id.

        """
        return await self._sender.send(Request("GET", build_path("/sources/{}", source_id), Source))

    async def create_text(
        self, *, project_id: str, text: str, name: str | None = None, idempotency_key: str | None = None
    ) -> Source:
        """Make a source of a text that is already a transcript; it is ready at once.

        Args:
            project_id: `proj_…`, the project that it belongs to.
            text: The transcript, not empty; the API takes about a million characters.
            name: A label for people.
            idempotency_key: The same key with the same arguments makes no second source, for 24 hours.

        Raises:
            NotFoundError: no project in this workspace has this id.
            PayloadTooLargeError: the text is too long.
            IdempotencyConflictError: the key was used with other arguments.

        """
        fields = {
            "type": "text",
            "projectId": check_id(project_id, "project_id"),
            "text": text,
            "name": name,
        }
        return await self._sender.send(create_request("POST", "/sources", Source, fields, idempotency_key))

    async def create_file(
        self, *, project_id: str, upload_id: str, name: str | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Have a source made of an uploaded file, and return the job that does it.

        Args:
            project_id: `proj_…`, the project that it belongs to.
            upload_id: `upl_…`, of a file that was sent with `uploads.upload_file` or `uploads.put`.
            name: A label for people.
            idempotency_key: The same key with the same arguments makes no second source, for 24 hours.

        Raises:
            NotFoundError: no such project or upload in this workspace.
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            IdempotencyConflictError: the key was used with other arguments.

        """
        fields = {
            "type": "file",
            "projectId": check_id(project_id, "project_id"),
            "uploadId": check_id(upload_id, "upload_id"),
            "name": name,
        }
        return await self._sender.send(create_request("POST", "/sources", Job, fields, idempotency_key))

    async def create_file_and_wait(
        self,
        *,
        project_id: str,
        upload_id: str,
        name: str | None = None,
        timeout: float | None = 900.0,
        on_update: AsyncCallback[Job] | None = None,
        show_progress: bool = False,
        idempotency_key: str | None = None,
    ) -> Source:
        """Have a source made of an uploaded file, and wait for it.

        Args:
            project_id: `proj_…`, the project that it belongs to.
            upload_id: `upl_…`, of a file that was sent.
            name: A label for people.
            timeout: Seconds to wait for the job; None for as long as it takes.
            on_update: Told of each change of the job.
            show_progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.
            idempotency_key: The same key with the same arguments makes no second source, for 24 hours.

        Raises:
            JobFailedError: the API could not make a source of the file.
            JobTimeoutError: it takes longer than `timeout`; the work goes on.
            NotFoundError: no such project or upload in this workspace.
            SpendCapExceededError: the workspace's daily cap for AI work is reached.

        """
        idempotency_key = (
            new_idempotency_key() if idempotency_key is None else check_idempotency_key(idempotency_key)
        )
        check_seconds(timeout, "timeout")
        sources = AsyncSources(self._sender.with_deadline())
        with attach_idempotency_key(idempotency_key), self._sender.operation("sources.create_file_and_wait"):
            job = await sources.create_file(
                project_id=project_id, upload_id=upload_id, name=name, idempotency_key=idempotency_key
            )
            with job_progress(job, on_update, show_progress=show_progress) as report:
                job = await wait_for_job(sources._sender, job, timeout, report)
            return await sources.retrieve(polling.result_id(job, "source_id"))

    async def ingest(
        self,
        file: AsyncFileInput,
        *,
        project_id: str,
        name: str | None = None,
        content_type: str | None = None,
        timeout: float | None = 900.0,
        on_progress: AsyncCallback[Progress] | None = None,
        show_progress: bool = False,
        idempotency_key: str | None = None,
    ) -> Source:
        """Turn a file into a source: upload it, have it processed, wait, and fetch the source.

        Args:
            file: A path, bytes, or a file opened with `rb` (read from where it stands).
            project_id: `proj_…`, the project that it belongs to.
            name: A label for people; the file's name if left out (for bytes the API chooses one).
            content_type: MIME type; told from the file's name, or from `name`, if left out or if it is
                `application/octet-stream`.
            timeout: Seconds to wait for the job after the upload; None for as long as it takes.
            on_progress: Told of each block sent, then of each change of the job.
            show_progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.
            idempotency_key: A rerun with the same key and the same content ends at the same job while the
                upload link of the first run lives (about 15 minutes, a guess: `Upload.expires_at` says it). After
                that it raises `IdempotencyConflictError`, and after 24 hours it makes a second source. Another
                content under the key raises at once. With a key, the file is read once more before it is sent.

        Raises:
            InvalidArgumentError: the file is missing, empty or a directory, or its type cannot be told.
            UploadError: storage refused the file.
            JobFailedError: the API could not make a source of the file.
            JobTimeoutError: it takes longer than `timeout`; the work goes on.
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            IdempotencyConflictError: the key was used for another content, or the link of its first run has
                expired.

        """
        file_key = FileIdempotencyKey(idempotency_key)
        check_id(project_id, "project_id")
        check_seconds(timeout, "timeout")
        sources = AsyncSources(self._sender.with_deadline())
        content = await async_open_upload_content(file, sources._sender)

        async def create(upload: Upload) -> Job:
            return await sources.create_file(
                project_id=project_id,
                upload_id=upload.id,
                name=name or content.name,
                idempotency_key=file_key.value,
            )

        try:
            with file_key.attach_to_errors(), self._sender.operation("sources.ingest"):
                mime_type = content_type_of(
                    content.name, content_type, label=name, announced=content.content_type
                )
                job = await ingest_file(
                    sources._sender,
                    content,
                    mime_type,
                    create,
                    timeout=timeout,
                    on_progress=on_progress,
                    show_progress=show_progress,
                    file_key=file_key,
                )
                return await sources.retrieve(polling.result_id(job, "source_id"))
        finally:
            content.close()
