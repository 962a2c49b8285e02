"""The bytes of a file to storage: by PUT to a presigned link, a block at a time, the file opened anew each time."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Self

from .. import _log
from .._concurrency import AsyncCallback, async_invoke, async_run, async_run_abandonable, async_within
from .._core import uploads as rules
from .._core.config import Secret, check_transport
from .._core.idempotency import FileKey
from .._core.outcome import Failure, Outcome
from .._core.retry import RetryPlan
from .._file_content import Blocks, Content
from .._files import AsyncFileInput, Inspection, async_content_of
from .._http import CommonHeaders, Limits, Outgoing
from .._redaction import without_query
from ..errors import APIConnectionError, APITimeoutError
from ..types.progress import Progress
from ..types.upload import Upload
from .retrying import attempts
from .sender import AsyncSender

if TYPE_CHECKING:
    from .._observer import Observation


async def async_looked_at(file: AsyncFileInput, sender: AsyncSender) -> Content:
    """What is to go up, its name and size known; who is cancelled meanwhile leaves at once, and no temporary file."""
    inspection = Inspection(partial(async_content_of, file), partial(check_deadline, sender))
    content = None
    try:
        work = partial(async_run_abandonable, inspection.run)
        content = await async_within(sender.remaining(), work)
    finally:
        if content is None:
            inspection.abandon()
    if content is None:
        raise reading_error(sender)
    return content


async def async_bind(key: FileKey, content: Content, sender: AsyncSender) -> None:
    """Read the content once for a key of the caller's, which is to hold a digest of it."""
    if key.is_callers:
        sha256 = await async_within(sender.remaining(), partial(async_hash_content, content, sender))
        if sha256 is None:
            raise reading_error(sender)
        key.bind(sha256, content.md5 or "")


async def async_hash_content(content: Content, sender: AsyncSender) -> str:
    """Return the SHA-256 of the content, and have it remember its MD5."""
    sha256 = hashlib.sha256()
    with content.opened() as blocks:
        while await async_run(blocks.hash_next, sha256.update):
            check_deadline(sender)
        content.md5 = blocks.md5
    return sha256.hexdigest()


def check_deadline(sender: AsyncSender) -> None:
    if sender.is_late():
        raise reading_error(sender)


def reading_error(sender: AsyncSender) -> APITimeoutError:
    return APITimeoutError(f"The file was still being read: {sender.deadline}", is_total=True, retryable=True)


class AsyncTransfer:
    """One file on its way through one link."""

    def __init__(
        self,
        sender: AsyncSender,
        upload: Upload,
        content: Content,
        on_progress: AsyncCallback[Progress] | None,
    ) -> None:
        self._sender = sender.bounded()
        self._clock = sender.session.clock
        self._upload = upload
        self._content = content
        self._on_progress = on_progress
        self.md5 = ""  # of the last attempt that sent all bytes
        self._attempts = 0
        self._raised: BaseException | None = None
        self._observation: Observation | None = None
        self.was_left_unanswered = False  # all bytes went out once, and no answer came back

    async def run(self) -> None:
        """Send until storage has the very bytes, or raise why it has not."""
        rules.check_size(self._content.size, self._upload)
        insecure = self._sender.options.allow_insecure
        check_transport(self._upload.upload_url, allow_insecure=insecure, what="upload_url")
        observer = self._sender.session.observer
        if observer is None:
            return await self._stored()
        from .._observer import Begun, watched  # loaded for those alone who are watched

        url = self._upload.upload_url.partition("?")[0]
        begun = Begun("PUT", url, None, self._content.size, is_stored=True)
        with watched(lambda: observer.call(begun)) as self._observation:
            return await self._stored()

    async def _stored(self) -> None:
        outcome = await async_within(self._sender.remaining(), self._outcome)
        if outcome is None:
            raise self._late()
        if isinstance(outcome, Failure):
            raise self._unanswered(outcome)
        rules.check_stored(outcome, self._upload, self.md5)

    async def _outcome(self) -> Outcome:
        options = self._sender.options
        plan = RetryPlan(options.max_retries, True, self._sender.deadline, rules.is_transient)
        first = await self._attempt()
        what, watching = f"PUT {self._shown}", self._observation
        return await attempts(first, self._attempt, plan, self._clock, what, watching)

    async def _attempt(self) -> Outcome:
        engine, now = self._sender.session.engine(), self._clock.now()
        if self._sender.deadline.has_passed(now):
            raise self._late()
        self._attempts += 1
        if self._observation is not None:
            self._observation.sending()
        with self._content.opened() as blocks, _log.hidden_query():
            outcome = await engine.send(
                Outgoing(
                    "PUT",
                    Secret(self._upload.upload_url),
                    CommonHeaders(rules.put_headers(self._upload, self._content.size)),
                    AsyncBody(self, blocks),
                ),
                Limits(
                    self._sender.options.timeout,
                    self._sender.clock_of_deadline,
                ),
            )
            self._raise_own()
        if blocks.left == 0:
            self.md5 = blocks.md5
            self.was_left_unanswered |= isinstance(outcome, Failure)
        if self._observation is not None:
            self._observation.sent(self._attempts, outcome)
        _log.stored(self._shown, outcome, self._attempts)
        return outcome

    async def sent_block(self, blocks: Blocks) -> bytes:
        """The next block to send; whoever asks for it has sent the one before."""
        try:
            if self._sender.is_late():
                raise self._late()
            sent = self._content.size - blocks.left
            if sent and self._on_progress is not None:
                progress = Progress("uploading", sent / self._content.size, sent, self._content.size)
                await async_invoke(self._on_progress, progress)
            return await async_run(blocks.read)
        except Exception as error:
            self._raised = error
            raise

    def _raise_own(self) -> None:
        """What the caller's callback raised is the caller's, even if it looks like a broken connection."""
        if self._raised is not None:
            raise self._raised

    @property
    def _shown(self) -> str:
        return without_query(self._upload.upload_url)

    def _late(self) -> APITimeoutError:
        return APITimeoutError(f"PUT {self._shown}: {self._sender.deadline}", is_total=True, retryable=True)

    def _unanswered(self, failure: Failure) -> APIConnectionError:
        kind = APITimeoutError if failure.is_timeout else APIConnectionError
        return kind(
            f"PUT {self._shown}: {failure.message}, after {self._attempts} attempts; nothing was made of it",
            retryable=True,
        )


class AsyncBody:
    """The blocks of one attempt, as the engine asks for them."""

    def __init__(self, transfer: AsyncTransfer, blocks: Blocks) -> None:
        self._transfer = transfer
        self._blocks = blocks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        block = await self._transfer.sent_block(self._blocks)
        if not block:
            raise StopAsyncIteration
        return block
