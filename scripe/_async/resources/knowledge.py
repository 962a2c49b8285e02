"""The knowledge base: documents that the API writes from.

The body table of the API's page could not be read. The fields that are sent here are those of another client of this
API (docs/api-facts.md lists them among the guesses). The API has no call that lists, fetches or deletes documents.
"""

from __future__ import annotations

from functools import partial

from ..._concurrency import AsyncCallback
from ..._core.config import check_seconds
from ..._core.idempotency import FileIdempotencyKey
from ..._core.request import Request, check_http_url, check_id, create_request
from ..._core.uploads import resolve_content_type as content_type_of
from ..._core.uploads import resolve_document_name
from ..._files import AsyncFileInput, absolute_path
from ..._vocabulary import KnowledgeType
from ...errors import FileMissingError
from ...types.job import Job
from ...types.progress import Progress
from ..file_upload import async_open_upload_content
from ..ingest import ingest_file
from ._base import AsyncResource


class AsyncKnowledge(AsyncResource):
    """Documents that the API writes from, beside your notes; of one project, or of the whole workspace.

    https://apidocs.scripe.io/api-reference/knowledge/index-a-knowledge-base-document-asynchronously
    """

    async def create_text(
        self, *, text: str, name: str, project_id: str | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Add a text to the knowledge base; return the job that indexes it.

        Args:
            text: The text; the API accepts about 1 MB.
            name: Name of the document; at most 500 characters.
            project_id: `proj_…`, for a document of one project; of the whole workspace if left out.
            idempotency_key: A repeated call with the same key and arguments creates no second document within 24 hours,
                and with a ledger at any time.

        Raises:
            SpendCapExceededError: the workspace's daily spend cap is reached.
            PayloadTooLargeError: the text is too long.
            NotFoundError: no project in this workspace has this id.

        """
        request = _document_request("text", project_id, idempotency_key, text=text, name=name)
        return await self._create("knowledge.create_text", request)

    async def create_file(
        self, *, upload_id: str, name: str, project_id: str | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Add an uploaded file to the knowledge base; return the job that indexes it.

        Args:
            upload_id: `upl_…`, of a file that was sent with `uploads.upload_file` or `uploads.put`.
            name: Name of the document; at most 500 characters.
            project_id: `proj_…`, for a document of one project; of the whole workspace if left out.
            idempotency_key: A repeated call with the same key and arguments creates no second document within 24 hours,
                and with a ledger at any time.

        Raises:
            SpendCapExceededError: the workspace's daily spend cap is reached.
            NotFoundError: this workspace has no such project or upload.

        """
        upload_id = check_id(upload_id, "upload_id")
        request = _document_request("file", project_id, idempotency_key, uploadId=upload_id, name=name)
        return await self._create("knowledge.create_file", request)

    async def create_url(
        self,
        *,
        url: str,
        name: str | None = None,
        project_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Add a web page to the knowledge base; return the job that indexes it.

        Args:
            url: URL of the page, with `https://` or `http://`.
            name: Name of the document. Default: its URL.
            project_id: `proj_…`, for a document of one project; of the whole workspace if left out.
            idempotency_key: A repeated call with the same key and arguments creates no second document within 24 hours,
                and with a ledger at any time.

        Raises:
            SpendCapExceededError: the workspace's daily spend cap is reached.
            NotFoundError: no project in this workspace has this id.

        """
        url = check_http_url(url, "url")
        request = _document_request("url", project_id, idempotency_key, url=url, name=name)
        return await self._create("knowledge.create_url", request)

    async def create_youtube(
        self,
        *,
        url: str,
        name: str | None = None,
        project_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Add a YouTube video to the knowledge base; return the job that indexes it.

        Args:
            url: URL of the video, with `https://`.
            name: Name of the document. Default: its URL.
            project_id: `proj_…`, for a document of one project; of the whole workspace if left out.
            idempotency_key: A repeated call with the same key and arguments creates no second document within 24 hours,
                and with a ledger at any time.

        Raises:
            SpendCapExceededError: the workspace's daily spend cap is reached.
            NotFoundError: no project in this workspace has this id.

        """
        url = check_http_url(url, "url")
        request = _document_request("youtube", project_id, idempotency_key, url=url, name=name)
        return await self._create("knowledge.create_youtube", request)

    async def ingest(
        self,
        file: AsyncFileInput,
        *,
        name: str | None = None,
        project_id: str | None = None,
        content_type: str | None = None,
        timeout: float | None = 900.0,
        on_progress: AsyncCallback[Progress] | None = None,
        show_progress: bool = False,
        idempotency_key: str | None = None,
    ) -> Job:
        """Add a file to the knowledge base: upload it, and wait until the API has indexed it.

        Args:
            file: A path, bytes, or a file opened with `rb` (read from its current position).
            name: Name of the document. Default: the file's name; required for bytes, which have none.
            project_id: `proj_…`, for a document of one project; of the whole workspace if left out.
            content_type: MIME type, such as `audio/mpeg`. Default, also for `application/octet-stream`: by the
                extension of the file's name, or of `name`.
            timeout: Seconds for the whole wait for the job, after the upload; None for no limit.
            on_progress: Called after each chunk sent, then after each change of the job.
            show_progress: Show progress bars, in a terminal or a notebook only.
            idempotency_key: A repeated call with the same key and the same content returns the same job until the
                upload link of the first call expires (`Upload.expires_at`, about 15 minutes, a guess). After that
                it raises `IdempotencyConflictError`; after 24 hours it creates a second document. With a ledger,
                it returns the same job at any time. Other content with the same key raises at once. With a key,
                the file is read twice: first for its digest.

        Returns:
            The job, which has succeeded; `job.result.document_id` is the id of the document.

        Raises:
            InvalidArgumentError: the file is missing, empty or a directory, or its type or name is unknown.
            UploadError: storage rejected the file.
            JobFailedError: the API could not index the file.
            JobTimeoutError: the job did not finish within `timeout`; it continues on the server.
            SpendCapExceededError: the workspace's daily spend cap is reached.
            IdempotencyConflictError: the idempotency key was used for other content, or the upload link of the
                first call has expired.

        """
        # All other arguments are checked before the file is opened: reading it may take a while.
        file_key = FileIdempotencyKey(idempotency_key)
        if project_id is not None:
            check_id(project_id, "project_id")
        check_seconds(timeout, "timeout")
        knowledge, path = AsyncKnowledge(self._sender.with_deadline()), absolute_path(file)
        try:
            content = await async_open_upload_content(file, knowledge._sender)
        except FileMissingError:
            request = _document_request("file", project_id, file_key.value, uploadId="", name=name)
            job = await knowledge._find_job_of_missing_file("knowledge.ingest", request, path, file_key)
            if job is None:
                raise
            return job

        def build(upload_id: str) -> Request[Job]:
            return _document_request("file", project_id, file_key.value, uploadId=upload_id, name=label)

        try:
            label = resolve_document_name(name, content.name)
            with file_key.attach_to_errors(), self._sender.operation("knowledge.ingest"):
                mime_type = content_type_of(
                    content.name, content_type, label=name, announced=content.content_type
                )
                return await ingest_file(
                    knowledge._sender,
                    content,
                    mime_type,
                    partial(
                        knowledge._create_from_file,
                        "knowledge.ingest",
                        build,
                        has_name=name is not None,
                        path=path,
                        needs_job=True,
                    ),
                    timeout=timeout,
                    on_progress=on_progress,
                    show_progress=show_progress,
                    file_key=file_key,
                )
        finally:
            content.close()


def _document_request(
    document_type: KnowledgeType, project_id: str | None, idempotency_key: str | None, **fields: str | None
) -> Request[Job]:
    project = None if project_id is None else check_id(project_id, "project_id")
    body = {"type": document_type, **fields, "projectId": project}
    return create_request("POST", "/knowledge", Job, body, idempotency_key)
