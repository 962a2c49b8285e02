"""Send a file to storage: PUT it to a presigned link, chunk by chunk; open it again for each attempt.

Storage takes a file whole or not at all, and a link takes one file once. Three things can go wrong unnoticed:

- The file changes while it is sent, or between two attempts. So the MD5 is computed from the very chunks that were
  sent, and compared with the ETag of storage's response.
- All bytes arrive, but the response is lost. The next attempt is then refused because the link was used, although the
  file is stored. `response_lost` remembers this, so that the refusal can be understood as success.
- The backend takes an exception from the request's body for a broken connection, and the request would be sent again.
  So the body keeps its exception, and `_put_once` raises it after the backend has returned.

A link takes one file, once, for about 15 minutes, while the API replays the response to a repeated `POST /uploads` for
24 hours. So a repeated call can get a link that is dead: used, or expired. `upload_content` distinguishes two cases. A
used link whose idempotency key holds a digest of the content means that exactly this content is stored. Any other dead
link is replaced, without an idempotency key: with the old key, the API would return the same link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Self

from .. import _log
from .._concurrency import (
    async_run_abandonable,
    async_run_blocking,
    async_run_with_timeout,
)
from .._core import uploads
from .._core.config import Secret, check_secure_url
from .._core.idempotency import FileIdempotencyKey
from .._core.outcome import Outcome, TransportFailure
from .._core.retry import RetryPolicy
from .._file_content import FileReader, UploadContent
from .._files import AsyncFileInput, Inspection, async_open_content
from .._http import CommonHeaders, PreparedRequest, SendOptions
from .._observer import CallDescription, Observation, observe
from .._redaction import redact_query
from ..errors import APIConnectionError, APITimeoutError, UploadExpiredError
from ..types.progress import Progress
from ..types.upload import Upload
from .callbacks import AsyncReporter
from .sender import AsyncSender


async def async_open_upload_content(file: AsyncFileInput, sender: AsyncSender) -> UploadContent:
    """Open the file to upload, and determine its name and size.

    Opening can block: a named pipe has no size before its writer is done. If the caller is cancelled meanwhile, the
    call returns at once; the thread that still reads removes its temporary file when it ends.
    """
    inspection = Inspection(partial(async_open_content, file), partial(check_deadline, sender))
    content = None
    try:
        work = partial(async_run_abandonable, inspection.run)
        content = await async_run_with_timeout(sender.remaining(), work)
    finally:
        if content is None:
            inspection.abandon()
    if content is None:
        raise file_read_timeout_error(sender)
    return content


async def async_bind_file_key(
    file_key: FileIdempotencyKey, content: UploadContent, sender: AsyncSender
) -> None:
    """Derive the idempotency key of the upload link from a digest of the content; only for a key of the caller's.

    Otherwise a second run with the same key and another file would get the first run's link, and would take the first
    file for its own.
    """
    if file_key.is_callers and file_key.sha256 is None:
        sha256 = await async_run_with_timeout(
            sender.remaining(), partial(async_hash_content, content, sender)
        )
        if sha256 is None:
            raise file_read_timeout_error(sender)
        file_key.bind(sha256, content.md5 or "")


async def async_hash_content(content: UploadContent, sender: AsyncSender) -> str:
    """Read the content, return its SHA-256, and set its MD5."""
    sha256 = hashlib.sha256()
    with content.open() as reader:
        while await async_run_blocking(reader.hash_next, sha256.update):
            check_deadline(sender)
        content.md5 = reader.md5
    return sha256.hexdigest()


def check_deadline(sender: AsyncSender) -> None:
    """Raise if the deadline has passed while the file is read."""
    if sender.deadline_passed():
        raise file_read_timeout_error(sender)


def file_read_timeout_error(sender: AsyncSender) -> APITimeoutError:
    return APITimeoutError(
        f"The file was still being read: {sender.deadline}. Call again, or allow more time with total_timeout.",
        is_total=True,
        retryable=True,
    )


async def upload_content(
    sender: AsyncSender,
    content: UploadContent,
    content_type: str,
    report: AsyncReporter[Progress],
    file_key: FileIdempotencyKey,
) -> Upload:
    """Create an upload link and send the content through it; replace the link if it has expired."""
    await async_bind_file_key(file_key, content, sender)
    presign_key: str | None = file_key.presign_key
    is_bound = file_key.is_bound
    attempts = 0
    while True:
        attempts += 1
        upload = await sender.send(uploads.presign_request(content_type, None, presign_key))
        file_upload = AsyncFileUpload(sender, upload, content, report)
        try:
            await file_upload.send()
            break
        except UploadExpiredError as error:
            if uploads.upload_already_stored(
                error, is_bound=is_bound, response_lost=file_upload.response_lost
            ):
                break
            if attempts == uploads.MAX_PRESIGN_ATTEMPTS:
                raise
        presign_key, is_bound = None, False  # with the first key, the API would return the dead link again
    file_key.complete(file_upload.md5)
    return upload


class AsyncUploader:
    """Uploads the file of one call, each time through a new link."""

    def __init__(
        self,
        sender: AsyncSender,
        content: UploadContent,
        content_type: str,
        report: AsyncReporter[Progress],
        file_key: FileIdempotencyKey,
    ) -> None:
        self.content_type = content_type
        self.file_key = file_key
        self._sender = sender
        self._content = content
        self._report = report

    async def bind(self) -> None:
        """Read the file for its digest."""
        await async_bind_file_key(self.file_key, self._content, self._sender)

    async def upload(self, *, is_first: bool = True) -> Upload:
        """Upload the file; `is_first` is False if the link of this idempotency key was used before, and may be dead."""
        if not is_first:
            self.file_key.renew()
        return await upload_content(
            self._sender, self._content, self.content_type, self._report, self.file_key
        )


class AsyncFileUpload:
    """Sends one file through one upload link; the file is opened again for each attempt."""

    def __init__(
        self,
        sender: AsyncSender,
        upload: Upload,
        content: UploadContent,
        report: AsyncReporter[Progress],
    ) -> None:
        self._sender = sender.with_deadline()
        self._upload = upload
        self._content = content
        self._report = report
        self._attempts = 0
        self.md5 = ""  # of the last attempt that sent all bytes
        self.response_lost = False  # True if an attempt sent all bytes and got no response

    async def send(self) -> None:
        """Send the file, with retries, and check that storage has exactly its bytes."""
        uploads.check_size(self._content.size, self._upload)
        allow_insecure = self._sender.options.allow_insecure
        check_secure_url(self._upload.upload_url, allow_insecure=allow_insecure, name="upload_url")
        url = self._upload.upload_url.partition("?")[0]
        description = CallDescription("PUT", url, "", None, self._content.size, is_upload=True)
        with observe(self._sender.session.observer.call(description)) as observation:
            put = partial(self._put_with_retries, observation)
            outcome = await async_run_with_timeout(self._sender.remaining(), put)
            if outcome is None:
                raise self._timeout_error()
            if isinstance(outcome, TransportFailure):
                raise self._connection_error(outcome)
            uploads.check_stored(outcome, self._upload, self.md5)

    async def _put_with_retries(self, observation: Observation) -> Outcome:
        sender = self._sender
        policy = RetryPolicy(
            sender.options.max_retries,
            True,
            sender.deadline,
            sender.session.clock.now,
            uploads.is_transient_at_storage,
        )
        put_once = partial(self._put_once, observation)
        return await sender.retry(await put_once(), put_once, policy, f"PUT {self._safe_url}", observation)

    async def _put_once(self, observation: Observation) -> Outcome:
        """Open the file and send it once. An error of the file, the deadline or the callback is raised at once."""
        transport = self._sender.session.transport()
        self._check_deadline()
        self._attempts += 1
        # The headers that the observer returns are not sent: storage rejects headers that the link was not signed for.
        observation.on_send()
        with self._content.open() as reader, _log.hide_query_in_backend_logs():
            body = AsyncUploadBody(reader, self._report, self._check_deadline)
            request = PreparedRequest(
                "PUT",
                Secret(self._upload.upload_url),
                CommonHeaders(self._upload.upload_url, uploads.put_headers(self._upload, self._content.size)),
                body,
            )
            options = SendOptions(self._sender.options.timeout, self._sender.remaining)
            outcome = await transport.send(request, options)
            if body.error is not None:
                raise body.error
        # Only an attempt that sent the whole file has its MD5, and only such an attempt can have stored it.
        if reader.remaining == 0:
            self.md5 = reader.md5
            self.response_lost |= isinstance(outcome, TransportFailure)
        observation.on_outcome(self._attempts, outcome)
        _log.log_upload(self._safe_url, outcome, self._attempts)
        return outcome

    def _check_deadline(self) -> None:
        if self._sender.deadline_passed():
            raise self._timeout_error()

    @property
    def _safe_url(self) -> str:
        return redact_query(self._upload.upload_url)

    def _timeout_error(self) -> APITimeoutError:
        return APITimeoutError(
            f"PUT {self._safe_url}: {self._sender.deadline}. Call again, or allow more time with total_timeout.",
            is_total=True,
            retryable=True,
        )

    def _connection_error(self, failure: TransportFailure) -> APIConnectionError:
        error_class = APITimeoutError if failure.is_timeout else APIConnectionError
        return error_class(
            f"PUT {self._safe_url}: {failure.message}, after {self._attempts} attempts. Call again to send the file.",
            retryable=True,
        )


class AsyncUploadBody:
    """The body of one PUT: chunks of the file, read when the backend asks for them.

    An error of a chunk (from the file, the deadline or the callback) is kept in `error`, for `_put_once` to raise.
    """

    def __init__(
        self, reader: FileReader, report: AsyncReporter[Progress], check_deadline: Callable[[], None]
    ) -> None:
        self._reader = reader
        self._size = reader.remaining
        self._report = report
        self._check_deadline = check_deadline
        self.error: Exception | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Read the next chunk. The backend asks for it after it has sent the one before."""
        try:
            self._check_deadline()
            sent = self._size - self._reader.remaining
            if sent:
                await self._report(Progress("uploading", sent / self._size, sent, self._size))
            chunk = await async_run_blocking(self._reader.read)
        except Exception as error:
            self.error = error
            raise
        if not chunk:
            raise StopAsyncIteration
        return chunk
