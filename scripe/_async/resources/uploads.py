"""Uploads: a link from the API, the bytes to storage."""

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
    """Files on their way to Scripe. https://apidocs.scripe.io/api-reference/uploads/mint-a-presigned-s3-put-url"""

    async def create(
        self, *, content_type: str, max_size_bytes: int | None = None, idempotency_key: str | None = None
    ) -> Upload:
        """Mint a link that takes one file.

        Args:
            content_type: MIME type of the file, such as `audio/mpeg`. The link takes no other.
            max_size_bytes: The largest file to allow, from 1 up; the API's own cap for the type if left out.
            idempotency_key: The same key gives the same link again, for 24 hours, although the link itself
                lives shorter: `expires_at` says how long (about 15 minutes, a guess).

        Raises:
            UnprocessableEntityError: the API does not take this type, or so large a file.

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
        """Send a file's bytes through a link that you minted with `create`.

        The file is streamed in constant memory, and sent again from its first byte if the way breaks.

        Args:
            upload: The link.
            file: A path, bytes, or a file opened with `rb` (read from where it stands).
            on_progress: Told of every block sent.
            show_progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.

        Raises:
            UploadTooLargeError: the file is larger than the link takes; not a byte was sent.
            UploadExpiredError: the link is past its time, or was used before.
            UploadIntegrityError: storage has other bytes than the file, or the file changed meanwhile.
            UploadError: storage refused the file for another reason.

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
        """Mint a link and send a file through it; a link that expires on the way is replaced.

        Args:
            file: A path, bytes, or a file opened with `rb` (read from where it stands).
            content_type: MIME type; told from the name if left out, or if it is `application/octet-stream`.
            name: A file name, to tell the type of bytes or of a file object that has none.
            on_progress: Told of every block sent.
            show_progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.
            idempotency_key: The same key with the same content ends at the same upload while its link lives
                (about 15 minutes, a guess: `expires_at` says it). After that the file is sent through a new link.
                Another content under the key is another upload. With a key, the file is read once more before it
                is sent, since the key of its link holds a digest of the content.

        Returns:
            The upload, whose id `sources.create_file` takes.

        Raises:
            InvalidArgumentError: the file is missing, empty or a directory, or its type cannot be told.
            UploadTooLargeError: the file is larger than the link takes; not a byte was sent.
            UploadError: storage refused the file.
            UnprocessableEntityError: the API does not take this type.

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
