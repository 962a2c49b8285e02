"""Uploads: the API returns a presigned link, and storage (S3) takes the bytes."""

from __future__ import annotations

from ..._concurrency import AsyncCallback
from ..._core import uploads
from ..._core.idempotency import FileIdempotencyKey
from ..._files import AsyncFileInput
from ...types.progress import Progress
from ...types.upload import Upload
from ..callbacks import file_progress
from ..file_upload import AsyncFileUpload, async_open_upload_content, upload_content
from ._base import AsyncResource


class AsyncUploads(AsyncResource):
    """Uploads of files. https://apidocs.scripe.io/api-reference/uploads/mint-a-presigned-s3-put-url"""

    async def create(
        self, *, content_type: str, max_size_bytes: int | None = None, idempotency_key: str | None = None
    ) -> Upload:
        """Create an upload link, which takes one file.

        Args:
            content_type: MIME type of the file, such as `audio/mpeg`. The link takes no other type.
            max_size_bytes: Size of the largest file to allow, at least 1. Default: the API's limit for the type.
            idempotency_key: A repeated call with the same key within 24 hours returns the same link, although the
                link expires earlier (`expires_at`, about 15 minutes, a guess).

        Raises:
            UnprocessableEntityError: the API does not accept this type, or files of this size.

        """
        return await self._sender.send(uploads.presign_request(content_type, max_size_bytes, idempotency_key))

    async def put(
        self,
        upload: Upload,
        file: AsyncFileInput,
        *,
        on_progress: AsyncCallback[Progress] | None = None,
        show_progress: bool = False,
    ) -> None:
        """Send a file through an upload link that `create` returned.

        The file is streamed in constant memory. If the connection breaks, it is sent again from its first byte.

        Args:
            upload: The upload link.
            file: A path, bytes, or a file opened with `rb` (read from its current position).
            on_progress: Called after each chunk sent.
            show_progress: Show progress bars, in a terminal or a notebook only.

        Raises:
            UploadTooLargeError: the file is larger than the link allows; nothing was sent.
            UploadExpiredError: the link has expired, or was used before.
            UploadIntegrityError: storage has other bytes than the file, or the file changed while it was sent.
            UploadError: storage rejected the file for another reason.

        """
        sender = self._sender.with_deadline()
        content = await async_open_upload_content(file, sender)
        try:
            with file_progress(content.name or "file", on_progress, show_progress=show_progress) as report:
                await AsyncFileUpload(sender, upload, content, report).send()
        finally:
            content.close()

    async def upload_file(
        self,
        file: AsyncFileInput,
        *,
        content_type: str | None = None,
        name: str | None = None,
        on_progress: AsyncCallback[Progress] | None = None,
        show_progress: bool = False,
        idempotency_key: str | None = None,
    ) -> Upload:
        """Create an upload link and send a file through it; replace the link if it expires meanwhile.

        Args:
            file: A path, bytes, or a file opened with `rb` (read from its current position).
            content_type: MIME type, such as `audio/mpeg`. Default, also for `application/octet-stream`: by the
                extension of the file's name, or of `name`.
            name: A file name, to find the type of bytes or of a file object without a name.
            on_progress: Called after each chunk sent.
            show_progress: Show progress bars, in a terminal or a notebook only.
            idempotency_key: A repeated call with the same key and the same content returns the same upload until its
                link expires (`expires_at`, about 15 minutes, a guess). After that, the file is sent through a new
                link. Other content with the same key is another upload. With a key, the file is read twice: first
                for its digest, which becomes a part of the link's own key.

        Returns:
            The upload. Pass its `id` to `sources.create_file` or `knowledge.create_file`.

        Raises:
            InvalidArgumentError: the file is missing, empty or a directory, or its type is unknown.
            UploadTooLargeError: the file is larger than the link allows; nothing was sent.
            UploadError: storage rejected the file.
            UnprocessableEntityError: the API does not accept this type.

        """
        file_key, sender = FileIdempotencyKey(idempotency_key), self._sender.with_deadline()
        content = await async_open_upload_content(file, sender)
        try:
            title = content.name or name or "file"
            reporting = file_progress(title, on_progress, show_progress=show_progress)
            with file_key.attach_to_errors(), sender.operation("uploads.upload_file"), reporting as report:
                mime_type = uploads.resolve_content_type(
                    content.name, content_type, label=name, announced=content.content_type
                )
                return await upload_content(sender, content, mime_type, report, file_key)
        finally:
            content.close()
