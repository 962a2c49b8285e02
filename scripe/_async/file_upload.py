"""The bytes of a file to storage: by PUT to a presigned link, a block at a time, the file opened anew each time."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Self

from .. import _log
from .._concurrency import (
    AsyncCallback,
    async_invoke,
    async_run_abandonable,
    async_run_blocking,
    async_run_with_timeout,
)
from .._core import uploads as rules
from .._core.config import Secret, check_transport
from .._core.idempotency import FileKey
from .._core.outcome import Outcome, TransportFailure
from .._core.retry import RetryPolicy
from .._file_content import FileReader, UploadContent
from .._files import AsyncFileInput, Inspection, async_open_content
from .._http import CommonHeaders, PreparedRequest, SendOptions
from .._observer import CallDescription, Observation, observe
from .._redaction import redact_query
from ..errors import APIConnectionError, APITimeoutError
from ..types.progress import Progress
from ..types.upload import Upload
from .sender import AsyncSender


async def async_open_upload_content(file: AsyncFileInput, sender: AsyncSender) -> UploadContent:
    """What is to go up, its name and size known; who is cancelled meanwhile leaves at once, and no temporary file."""
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


async def async_bind(key: FileKey, content: UploadContent, sender: AsyncSender) -> None:
    """Read the content once for a key of the caller's, which is to hold a digest of it."""
    if key.is_callers:
        sha256 = await async_run_with_timeout(
            sender.remaining(), partial(async_hash_content, content, sender)
        )
        if sha256 is None:
            raise file_read_timeout_error(sender)
        key.bind(sha256, content.md5 or "")


async def async_hash_content(content: UploadContent, sender: AsyncSender) -> str:
    """Return the SHA-256 of the content, and have it remember its MD5."""
    sha256 = hashlib.sha256()
    with content.open() as blocks:
        while await async_run_blocking(blocks.hash_next, sha256.update):
            check_deadline(sender)
        content.md5 = blocks.md5
    return sha256.hexdigest()


def check_deadline(sender: AsyncSender) -> None:
    if sender.deadline_passed():
        raise file_read_timeout_error(sender)


def file_read_timeout_error(sender: AsyncSender) -> APITimeoutError:
    return APITimeoutError(f"The file was still being read: {sender.deadline}", is_total=True, retryable=True)


class AsyncFileUpload:
    """One file on its way through one link."""

    def __init__(
        self,
        sender: AsyncSender,
        upload: Upload,
        content: UploadContent,
        on_progress: AsyncCallback[Progress] | None,
    ) -> None:
        self._sender = sender.with_deadline()
        self._clock = sender.session.clock
        self._upload = upload
        self._content = content
        self._on_progress = on_progress
        self.md5 = ""  # of the last attempt that sent all bytes
        self._attempts = 0
        self._raised: BaseException | None = None
        self.was_left_unanswered = False  # all bytes went out once, and no answer came back

    async def send(self) -> None:
        """Send until storage has the very bytes, or raise why it has not."""
        rules.check_size(self._content.size, self._upload)
        insecure = self._sender.options.allow_insecure
        check_transport(self._upload.upload_url, allow_insecure=insecure, what="upload_url")
        url = self._upload.upload_url.partition("?")[0]
        description = CallDescription("PUT", url, "", None, self._content.size, is_upload=True)
        with observe(self._sender.session.observer.call(description)) as observation:
            await self._put(observation)

    async def _put(self, observation: Observation) -> None:
        put = partial(self._put_with_retries, observation)
        outcome = await async_run_with_timeout(self._sender.remaining(), put)
        if outcome is None:
            raise self._timeout_error()
        if isinstance(outcome, TransportFailure):
            raise self._connection_error(outcome)
        rules.check_stored(outcome, self._upload, self.md5)

    async def _put_with_retries(self, observation: Observation) -> Outcome:
        sender = self._sender
        policy = RetryPolicy(
            sender.options.max_retries, True, sender.deadline, self._clock.now, rules.is_transient
        )
        put_once = partial(self._put_once, observation)
        return await sender.retry(put_once, policy, f"PUT {self._safe_url}", observation)

    async def _put_once(self, observation: Observation) -> Outcome:
        transport = self._sender.session.transport()
        if self._sender.deadline_passed():
            raise self._timeout_error()
        self._attempts += 1
        observation.on_send()
        with self._content.open() as blocks, _log.hide_query_in_backend_logs():
            outcome = await transport.send(
                PreparedRequest(
                    "PUT",
                    Secret(self._upload.upload_url),
                    CommonHeaders(rules.put_headers(self._upload, self._content.size)),
                    AsyncBody(self, blocks),
                ),
                SendOptions(self._sender.options.timeout, self._sender.remaining),
            )
            self._reraise_callback_error()
        if blocks.left == 0:
            self.md5 = blocks.md5
            self.was_left_unanswered |= isinstance(outcome, TransportFailure)
        observation.on_outcome(self._attempts, outcome)
        _log.log_upload(self._safe_url, outcome, self._attempts)
        return outcome

    async def next_chunk(self, blocks: FileReader) -> bytes:
        """The next block to send; whoever asks for it has sent the one before."""
        try:
            if self._sender.deadline_passed():
                raise self._timeout_error()
            sent = self._content.size - blocks.left
            if sent and self._on_progress is not None:
                progress = Progress("uploading", sent / self._content.size, sent, self._content.size)
                await async_invoke(self._on_progress, progress)
            return await async_run_blocking(blocks.read)
        except Exception as error:
            self._raised = error
            raise

    def _reraise_callback_error(self) -> None:
        """What the caller's callback raised is the caller's, even if it looks like a broken connection."""
        if self._raised is not None:
            raise self._raised

    @property
    def _safe_url(self) -> str:
        return redact_query(self._upload.upload_url)

    def _timeout_error(self) -> APITimeoutError:
        return APITimeoutError(
            f"PUT {self._safe_url}: {self._sender.deadline}", is_total=True, retryable=True
        )

    def _connection_error(self, failure: TransportFailure) -> APIConnectionError:
        kind = APITimeoutError if failure.is_timeout else APIConnectionError
        return kind(
            f"PUT {self._safe_url}: {failure.message}, after {self._attempts} attempts; nothing was made of it",
            retryable=True,
        )


class AsyncBody:
    """The blocks of one attempt, as the engine asks for them."""

    def __init__(self, transfer: AsyncFileUpload, blocks: FileReader) -> None:
        self._transfer = transfer
        self._blocks = blocks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        block = await self._transfer.next_chunk(self._blocks)
        if not block:
            raise StopAsyncIteration
        return block
