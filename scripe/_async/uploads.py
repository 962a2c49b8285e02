"""Uploads: a link from the API, the bytes to storage."""

from __future__ import annotations

from .._concurrency import AsyncCallback
from .._files import Content, FileInput
from .._rules import upload as rules
from .._rules.idempotency import carrying, checked_key, new_key
from .._rules.request import write
from ..errors import ConfigurationError, UploadExpiredError
from ..types.progress import Progress
from ..types.upload import Upload
from .resource import AsyncResource
from .sender import AsyncSender
from .showing import stages_shown
from .storage import AsyncTransfer, async_looked_at


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
        if max_size_bytes is not None and max_size_bytes < 1:
            raise ConfigurationError(
                f"max_size_bytes is {max_size_bytes!r}; give 1 or more, or leave it out."
            )
        fields = {"contentType": rules.content_type(None, content_type), "maxSizeBytes": max_size_bytes}
        return await self._send(write("POST", "/uploads", Upload, fields, idempotency_key))

    async def put(
        self,
        upload: Upload,
        file: FileInput,
        *,
        on_progress: AsyncCallback[Progress] | None = None,
        progress: bool = False,
    ) -> None:
        """Send a file's bytes through a link that you minted with `create`.

        The file is streamed in constant memory, and sent again from its first byte if the way breaks.

        Args:
            upload: The link.
            file: A path, bytes, or a file opened with `rb` (read from where it stands).
            on_progress: Told of every block sent.
            progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.

        Raises:
            UploadTooLargeError: the file is larger than the link takes; not a byte was sent.
            UploadExpiredError: the link is past its time, or was used before.
            UploadIntegrityError: storage has other bytes than the file, or the file changed meanwhile.
            UploadError: storage refused the file for another reason.

        """
        content = await async_looked_at(file)
        try:
            with stages_shown(content.name or "file", on_progress, progress=progress) as told:
                await AsyncTransfer(self._sender, upload, content, told).run()
        finally:
            content.close()

    async def upload_file(
        self,
        file: FileInput,
        *,
        content_type: str | None = None,
        on_progress: AsyncCallback[Progress] | None = None,
        progress: bool = False,
        idempotency_key: str | None = None,
    ) -> Upload:
        """Mint a link and send a file through it; a link that expires on the way is replaced.

        Args:
            file: A path, bytes, or a file opened with `rb` (read from where it stands).
            content_type: MIME type; told from the name if left out.
            on_progress: Told of every block sent.
            progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.
            idempotency_key: The same key ends at the same upload while its link lives (about 15 minutes, a
                guess: `expires_at` says it). After that the file is sent through a new link.

        Returns:
            The upload, whose id `sources.create_file` takes.

        Raises:
            ConfigurationError: the file is missing, empty or a directory, or its type cannot be told.
            UploadTooLargeError: the file is larger than the link takes; not a byte was sent.
            UploadError: storage refused the file.
            UnprocessableEntityError: the API does not take this type.

        """
        key = new_key() if idempotency_key is None else checked_key(idempotency_key)
        content = await async_looked_at(file)
        try:
            telling = stages_shown(content.name or "file", on_progress, progress=progress)
            with carrying(key), self._sender.operation("uploads.upload_file"), telling as told:
                return await upload_content(self._sender, content, content_type, told, key)
        finally:
            content.close()


async def upload_content(
    sender: AsyncSender,
    content: Content,
    content_type: str | None,
    on_progress: AsyncCallback[Progress] | None,
    idempotency_key: str,
) -> Upload:
    """Mint a link and send the content through it, with a new link where one has expired."""
    sender, kind = sender.bounded(), rules.content_type(content.name, content_type)
    key: str | None = idempotency_key
    mints = 0
    while True:
        mints += 1
        upload = await AsyncUploads(sender).create(content_type=kind, idempotency_key=key)
        transfer = AsyncTransfer(sender, upload, content, on_progress)
        try:
            await transfer.run()
            return upload
        except UploadExpiredError as error:
            if rules.has_arrived_before(error, upload, was_left_unanswered=transfer.was_left_unanswered):
                return upload
            if mints == rules.MINTS:
                raise
        key = None  # a replay of the first key would hand out the dead link again
