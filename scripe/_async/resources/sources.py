"""Sources: transcripts of recordings, files and texts.

`POST /sources` returns a source for a text and a job for a file; each has a method of its own here, so that both have
one type of result.
"""

from __future__ import annotations

from functools import partial

from ..._concurrency import AsyncCallback
from ..._core import polling
from ..._core.config import check_seconds
from ..._core.idempotency import FileIdempotencyKey, attach_idempotency_key
from ..._core.request import Request, build_path, check_id, create_request
from ..._core.uploads import resolve_content_type as content_type_of
from ..._core.uploads import source_request
from ..._files import AsyncFileInput, absolute_path
from ...errors import FileMissingError
from ...types.job import Job
from ...types.progress import Progress
from ...types.source import Source
from ..callbacks import job_progress
from ..file_upload import async_open_upload_content
from ..ingest import ingest_file
from ..job_poller import wait_for_job
from ._base import AsyncResource


class AsyncSources(AsyncResource):
    """Transcripts of recordings, files and texts. https://apidocs.scripe.io/api/v1/sources"""

    async def retrieve(self, source_id: str) -> Source:
        """Fetch one source. Its `text_preview` holds at most the first 2,000 characters of the transcript.

        The API has no call for the rest; `is_text_complete` says whether there is more.

        Raises:
            NotFoundError: no source in this workspace has this id.

        """
        return await self._sender.send(Request("GET", build_path("/sources/{}", source_id), Source))

    async def create_text(
        self, *, project_id: str, text: str, name: str | None = None, idempotency_key: str | None = None
    ) -> Source:
        """Create a source from a text that is already a transcript; it is ready at once.

        Args:
            project_id: `proj_…`, the project of the source.
            text: The transcript, not empty; the API accepts about a million characters.
            name: Name of the source.
            idempotency_key: A repeated call with the same key and arguments creates no second source within 24 hours,
                and with a ledger at any time.

        Raises:
            NotFoundError: no project in this workspace has this id.
            PayloadTooLargeError: the text is too long.
            IdempotencyConflictError: the idempotency key was used with other arguments.

        """
        fields = {
            "type": "text",
            "projectId": check_id(project_id, "project_id"),
            "text": text,
            "name": name,
        }
        return await self._create(
            "sources.create_text", create_request("POST", "/sources", Source, fields, idempotency_key)
        )

    async def create_file(
        self, *, project_id: str, upload_id: str, name: str | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Create a source from an uploaded file; return the job that transcribes it.

        Args:
            project_id: `proj_…`, the project of the source.
            upload_id: `upl_…`, of a file that was sent with `uploads.upload_file` or `uploads.put`.
            name: Name of the source.
            idempotency_key: A repeated call with the same key and arguments creates no second source within 24 hours,
                and with a ledger at any time.

        Raises:
            NotFoundError: this workspace has no such project or upload.
            SpendCapExceededError: the workspace's daily spend cap is reached.
            IdempotencyConflictError: the idempotency key was used with other arguments.

        """
        request = source_request(project_id, check_id(upload_id, "upload_id"), name, idempotency_key)
        return await self._create("sources.create_file", request)

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
        """Create a source from an uploaded file, wait for its job, and fetch the source.

        Args:
            project_id: `proj_…`, the project of the source.
            upload_id: `upl_…`, of a file that was sent with `uploads.upload_file` or `uploads.put`.
            name: Name of the source.
            timeout: Seconds for the whole wait for the job; None for no limit.
            on_update: Called with the job after each change of its status or progress.
            show_progress: Show progress bars, in a terminal or a notebook only.
            idempotency_key: A repeated call with the same key and arguments creates no second source within 24 hours,
                and with a ledger at any time.

        Raises:
            JobFailedError: the API could not transcribe the file.
            JobTimeoutError: the job did not finish within `timeout`; it continues on the server.
            NotFoundError: this workspace has no such project or upload.
            SpendCapExceededError: the workspace's daily spend cap is reached.

        """
        check_seconds(timeout, "timeout")
        sources = AsyncSources(self._sender.with_deadline())
        request = source_request(project_id, check_id(upload_id, "upload_id"), name, idempotency_key)
        idempotency_key = request.idempotency_key or ""
        with attach_idempotency_key(idempotency_key), self._sender.operation("sources.create_file_and_wait"):
            job = await sources._create("sources.create_file_and_wait", request, needs_job=False)
            with job_progress(job, on_update, show_progress=show_progress) as report:
                job = await wait_for_job(sources._sender, job, timeout, report)
            return await sources._fetch_source(job, idempotency_key)

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
        """Create a source from a file: upload it, wait until the API has transcribed it, and fetch the source.

        Args:
            file: A path, bytes, or a file opened with `rb` (read from its current position).
            project_id: `proj_…`, the project of the source.
            name: Name of the source. Default: the file's name (for bytes, the API chooses one).
            content_type: MIME type, such as `audio/mpeg`. Default, also for `application/octet-stream`: by the
                extension of the file's name, or of `name`.
            timeout: Seconds for the whole wait for the job, after the upload; None for no limit.
            on_progress: Called after each chunk sent, then after each change of the job.
            show_progress: Show progress bars, in a terminal or a notebook only.
            idempotency_key: A repeated call with the same key and the same content ends at the same job until the
                upload link of the first call expires (`Upload.expires_at`, about 15 minutes, a guess). After that
                it raises `IdempotencyConflictError`; after 24 hours it creates a second source. With a ledger,
                it returns the same source at any time. Other content with the same key raises at once. With a key,
                the file is read twice: first for its digest.

        Raises:
            InvalidArgumentError: the file is missing, empty or a directory, or its type is unknown.
            UploadError: storage rejected the file.
            JobFailedError: the API could not transcribe the file.
            JobTimeoutError: the job did not finish within `timeout`; it continues on the server.
            SpendCapExceededError: the workspace's daily spend cap is reached.
            IdempotencyConflictError: the idempotency key was used for other content, or the upload link of the
                first call has expired.

        """
        # All other arguments are checked before the file is opened: reading it may take a while.
        file_key = FileIdempotencyKey(idempotency_key)
        check_id(project_id, "project_id")
        check_seconds(timeout, "timeout")
        sources, path = AsyncSources(self._sender.with_deadline()), absolute_path(file)
        try:
            content = await async_open_upload_content(file, sources._sender)
        except FileMissingError:
            request = source_request(project_id, "", name, file_key.value)
            job = await sources._find_job_of_missing_file("sources.ingest", request, path, file_key)
            if job is None:
                raise
            return await sources._fetch_source(job, file_key.value)

        def build(upload_id: str) -> Request[Job]:
            return source_request(project_id, upload_id, name or content.name, file_key.value)

        try:
            with file_key.attach_to_errors(), self._sender.operation("sources.ingest"):
                mime_type = content_type_of(
                    content.name, content_type, label=name, announced=content.content_type
                )
                job = await ingest_file(
                    sources._sender,
                    content,
                    mime_type,
                    partial(
                        sources._create_from_file,
                        "sources.ingest",
                        build,
                        has_name=name is not None,
                        path=path,
                    ),
                    timeout=timeout,
                    on_progress=on_progress,
                    show_progress=show_progress,
                    file_key=file_key,
                )
                return await sources._fetch_source(job, file_key.value)
        finally:
            content.close()

    async def _fetch_source(self, job: Job, idempotency_key: str) -> Source:
        path = build_path("/sources/{}", polling.result_id(job, "source_id"))
        return await self._fetch_result(Request("GET", path, Source), "POST /sources", idempotency_key)
