"""The knowledge base."""

from __future__ import annotations

from ..._concurrency import AsyncCallback
from ..._core.config import check_seconds
from ..._core.idempotency import FileIdempotencyKey
from ..._core.request import check_http_url, check_id, create_request
from ..._core.uploads import resolve_content_type as content_type_of
from ..._core.uploads import resolve_document_name
from ..._files import AsyncFileInput
from ..._vocabulary import KnowledgeType
from ...types.job import Job
from ...types.progress import Progress
from ...types.upload import Upload
from ..file_upload import async_open_upload_content
from ..ingest import ingest_file
from ._base import AsyncResource


class AsyncKnowledge(AsyncResource):
    """What the API knows beside your notes. Of a project if one is named, else of the whole workspace.

    https://apidocs.scripe.io/api-reference/knowledge/index-a-knowledge-base-document-asynchronously
    (its table of fields could not be read: they are those of a client written by others).
    """

    async def create_text(
        self, *, text: str, name: str, project_id: str | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Have a text indexed, and return the job that does it.

        Args:
            text: The text; the API takes about 1 MB.
            name: What it is called; at most 500 characters.
            project_id: `proj_…` for one project; the whole workspace if left out.
            idempotency_key: The same key with the same arguments makes no second document, for 24 hours.

        Raises:
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            PayloadTooLargeError: the text is too long.
            NotFoundError: no project in this workspace has this id.

        """
        return await self._create("text", project_id, idempotency_key, text=text, name=name)

    async def create_file(
        self, *, upload_id: str, name: str, project_id: str | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Have an uploaded file indexed, and return the job that does it.

        Args:
            upload_id: `upl_…`, of a file that was sent with `uploads.upload_file` or `uploads.put`.
            name: What it is called; at most 500 characters.
            project_id: `proj_…` for one project; the whole workspace if left out.
            idempotency_key: The same key with the same arguments makes no second document, for 24 hours.

        Raises:
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            NotFoundError: no such project or upload in this workspace.

        """
        upload_id = check_id(upload_id, "upload_id")
        return await self._create("file", project_id, idempotency_key, uploadId=upload_id, name=name)

    async def create_url(
        self,
        *,
        url: str,
        name: str | None = None,
        project_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Have a web page indexed, and return the job that does it.

        Args:
            url: Its address, with `https://` or `http://`.
            name: What it is called; its address if left out.
            project_id: `proj_…` for one project; the whole workspace if left out.
            idempotency_key: The same key with the same arguments makes no second document, for 24 hours.

        Raises:
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            NotFoundError: no project in this workspace has this id.

        """
        return await self._create(
            "url", project_id, idempotency_key, url=check_http_url(url, "url"), name=name
        )

    async def create_youtube(
        self,
        *,
        url: str,
        name: str | None = None,
        project_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Have a video on YouTube indexed, and return the job that does it.

        Args:
            url: Its address, with `https://`.
            name: What it is called; its address if left out.
            project_id: `proj_…` for one project; the whole workspace if left out.
            idempotency_key: The same key with the same arguments makes no second document, for 24 hours.

        Raises:
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            NotFoundError: no project in this workspace has this id.

        """
        return await self._create(
            "youtube", project_id, idempotency_key, url=check_http_url(url, "url"), name=name
        )

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
        """Add a file to the knowledge base: upload it, have it indexed, and wait.

        Args:
            file: A path, bytes, or a file opened with `rb` (read from where it stands).
            name: What it is called; the file's name if left out (bytes have none: say it).
            project_id: `proj_…` for one project; the whole workspace if left out.
            content_type: MIME type; told from the file's name, or from `name`, if left out or if it is
                `application/octet-stream`.
            timeout: Seconds to wait for the job after the upload; None for as long as it takes.
            on_progress: Told of each block sent, then of each change of the job.
            show_progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.
            idempotency_key: A rerun with the same key and the same content ends at the same job while the
                upload link of the first run lives (about 15 minutes, a guess: `Upload.expires_at` says it). After
                that it raises `IdempotencyConflictError`, and after 24 hours it makes a second document. Another
                content under the key raises at once. With a key, the file is read once more before it is sent.

        Returns:
            The job, ended well; `job.result.document_id` is the document.

        Raises:
            InvalidArgumentError: the file is missing, empty or a directory, or its type or name cannot be told.
            UploadError: storage refused the file.
            JobFailedError: the API could not index it.
            JobTimeoutError: it takes longer than `timeout`; the work goes on.
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            IdempotencyConflictError: the key was used for another content, or the link of its first run has
                expired.

        """
        file_key = FileIdempotencyKey(idempotency_key)
        if project_id is not None:
            check_id(project_id, "project_id")
        check_seconds(timeout, "timeout")
        knowledge = AsyncKnowledge(self._sender.with_deadline())
        content = await async_open_upload_content(file, knowledge._sender)

        async def create(upload: Upload) -> Job:
            return await knowledge.create_file(
                upload_id=upload.id, name=label, project_id=project_id, idempotency_key=file_key.value
            )

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
                    create,
                    timeout=timeout,
                    on_progress=on_progress,
                    show_progress=show_progress,
                    file_key=file_key,
                )
        finally:
            content.close()

    async def _create(
        self,
        document_type: KnowledgeType,
        project_id: str | None,
        idempotency_key: str | None,
        **fields: str | None,
    ) -> Job:
        project = None if project_id is None else check_id(project_id, "project_id")
        body = {"type": document_type, **fields, "projectId": project}
        return await self._sender.send(create_request("POST", "/knowledge", Job, body, idempotency_key))
