"""Posts, and their generation from notes or texts.

The API may hold the response to a generation for up to 25 seconds, until the job has finished. `generate_and_wait`
always asks for the full 25 seconds, whatever its `timeout`: the API compares the bodies of two calls with the same
idempotency key, and a repeated call with another `timeout` must not conflict with the first one. A job of a few seconds
then costs one request, and only a longer one is polled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import overload

from ..._concurrency import AsyncCallback
from ..._core import generation, polling
from ..._core.config import check_seconds
from ..._core.idempotency import attach_idempotency_key
from ..._core.request import (
    Request,
    build_path,
    check_id,
    create_request,
    format_datetime,
    format_utc_day,
    join_filter,
    page_query,
    patch_request,
)
from ...errors import APITimeoutError, JobTimeoutError
from ...types.job import Job
from ...types.not_given import NOT_GIVEN, NotGiven
from ...types.note import ContentType
from ...types.post import Post, PostStatus
from ..callbacks import job_progress
from ..job_poller import wait_for_job
from ..pager import AsyncPager
from ._base import AsyncResource


class AsyncPosts(AsyncResource):
    """Posts for LinkedIn. https://apidocs.scripe.io/api/v1/posts"""

    def list(
        self,
        *,
        project_id: str,
        status: Sequence[PostStatus] | None = None,
        date_from: date | datetime | str | None = None,
        date_to: date | datetime | str | None = None,
        page_size: int = 200,
    ) -> AsyncPager[Post]:
        """List the posts of a project, newest first.

        Args:
            project_id: `proj_…`, the project of the posts.
            status: Only posts with these statuses.
            date_from: Only posts created on this UTC day or later: a date, an aware datetime or `"2026-05-01"`.
            date_to: Only posts created on this UTC day or earlier.
            page_size: Items in each request, 1 to 200.

        """
        query = page_query(
            page_size,
            projectId=check_id(project_id, "project_id"),
            status=join_filter(status, "status"),
            dateFrom=format_utc_day(date_from, "date_from"),
            dateTo=format_utc_day(date_to, "date_to"),
        )
        return AsyncPager(self._sender, "/posts", Post, query)

    async def retrieve(self, post_id: str) -> Post:
        """Fetch one post.

        Raises:
            NotFoundError: no post in this workspace has this id.

        """
        return await self._sender.send(Request("GET", build_path("/posts/{}", post_id), Post))

    async def create(
        self,
        *,
        project_id: str,
        content: str | None = None,
        title: str | None = None,
        content_type: ContentType | None = None,
        scheduled_for: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Post:
        """Create a draft, or with `scheduled_for` a scheduled post.

        Args:
            project_id: `proj_…`, the project of the post.
            content: Text of the post; the API accepts about 100,000 characters. Default: one space.
            title: Title, for your own use; at most 500 characters.
            content_type: Topic of the post. Default: `PERSONAL`.
            scheduled_for: Time of publication: an aware datetime in the future.
            idempotency_key: A repeated call with the same key and arguments creates no second post within 24 hours,
                and with a ledger at any time.

        Raises:
            NotFoundError: no project in this workspace has this id.
            UnprocessableEntityError: `scheduled_for` is in the past, or the content type is unknown.
            PayloadTooLargeError: a text is too long.
            IdempotencyConflictError: the idempotency key was used with other arguments.

        """
        fields = {
            "projectId": check_id(project_id, "project_id"),
            "content": content,
            "title": title,
            "contentType": content_type,
            "scheduledFor": format_datetime(scheduled_for, "scheduled_for"),
        }
        return await self._create(
            "posts.create", create_request("POST", "/posts", Post, fields, idempotency_key)
        )

    async def update(
        self,
        post_id: str,
        *,
        content: str | NotGiven = NOT_GIVEN,
        title: str | NotGiven = NOT_GIVEN,
        content_type: ContentType | NotGiven = NOT_GIVEN,
        status_category: str | NotGiven = NOT_GIVEN,
        status_id: str | NotGiven = NOT_GIVEN,
        scheduled_for: datetime | NotGiven | None = NOT_GIVEN,
        auto_like: bool | NotGiven = NOT_GIVEN,
        auto_comment: bool | NotGiven = NOT_GIVEN,
        idempotency_key: str | None = None,
    ) -> Post:
        """Change a post. Arguments that are left out stay unchanged.

        Args:
            post_id: `post_…`, the post to change.
            content: Text of the post.
            title: Title, for your own use.
            content_type: Topic of the post.
            status_category: Move the post to the workspace's default status of this category.
            status_id: Move the post to this status, one of `post_statuses.list()`; not with `status_category`.
            scheduled_for: An aware datetime in the future schedules the post; None makes it a draft again.
            auto_like: Sent as it is; the API does not document its meaning.
            auto_comment: Sent as it is; the API does not document its meaning.
            idempotency_key: A repeated call with the same key and arguments within 24 hours changes nothing.

        Raises:
            ConflictError: the post cannot be scheduled, since LinkedIn is not connected; nothing was changed.
            NotFoundError: no post in this workspace has this id.
            UnprocessableEntityError: `scheduled_for` is in the past, or a value is unknown.

        """
        generation.check_status(status_category, status_id)
        fields = {
            "content": content,
            "title": title,
            "contentType": content_type,
            "statusCategory": status_category,
            "statusId": status_id,
            "scheduledFor": scheduled_for
            if isinstance(scheduled_for, NotGiven)
            else format_datetime(scheduled_for, "scheduled_for"),
            "autoLike": auto_like,
            "autoComment": auto_comment,
        }
        return await self._sender.send(
            patch_request(build_path("/posts/{}", post_id), Post, fields, idempotency_key)
        )

    @overload
    async def generate(
        self,
        *,
        project_id: str,
        text: str,
        scheduled_for: datetime | None = None,
        language: str | None = None,
        wait_for_completion_ms: int | None = None,
        idempotency_key: str | None = None,
    ) -> Job: ...

    @overload
    async def generate(
        self,
        *,
        project_id: str,
        note_id: str,
        scheduled_for: datetime | None = None,
        language: str | None = None,
        wait_for_completion_ms: int | None = None,
        idempotency_key: str | None = None,
    ) -> Job: ...

    async def generate(
        self,
        *,
        project_id: str,
        text: str | None = None,
        note_id: str | None = None,
        scheduled_for: datetime | None = None,
        language: str | None = None,
        wait_for_completion_ms: int | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Generate a post from a text or a note; return the job that writes it.

        Args:
            project_id: `proj_…`, the project whose voice to write in.
            text: The text to write about; either this or `note_id`. The API writes from this text only. Note that
                `Source.text_preview` holds at most the first 2,000 characters of a transcript;
                `Source.is_text_complete` says whether that is all of it.
            note_id: `note_…`, the note to write about.
            scheduled_for: Time of publication: an aware datetime in the future. Default: the post is a draft.
            language: Language to write in. Default: the project's own. The API does not document the values;
                a code such as `de` is a guess.
            wait_for_completion_ms: Milliseconds, up to 25,000, for which the API may hold its response until the
                job has finished. The client's `timeout` is extended by as much.
            idempotency_key: A repeated call with the same key and arguments creates no second job within 24 hours,
                and with a ledger at any time. Without one, the API may also repeat an error, such as 402 for the
                spend cap, for the same key (a guess).

        Raises:
            SpendCapExceededError: the workspace's daily spend cap is reached.
            NotFoundError: this workspace has no such project or note.
            UnprocessableEntityError: `scheduled_for` is in the past.

        """
        source = generation.generation_source(text, note_id)
        server_wait_ms = generation.check_wait_ms(wait_for_completion_ms)
        request = _generation_request(
            project_id, source, scheduled_for, language, server_wait_ms, idempotency_key
        )
        return await self._create("posts.generate", request)

    @overload
    async def generate_and_wait(
        self,
        *,
        project_id: str,
        text: str,
        scheduled_for: datetime | None = None,
        language: str | None = None,
        timeout: float | None = 900.0,
        on_update: AsyncCallback[Job] | None = None,
        show_progress: bool = False,
        idempotency_key: str | None = None,
    ) -> Post: ...

    @overload
    async def generate_and_wait(
        self,
        *,
        project_id: str,
        note_id: str,
        scheduled_for: datetime | None = None,
        language: str | None = None,
        timeout: float | None = 900.0,
        on_update: AsyncCallback[Job] | None = None,
        show_progress: bool = False,
        idempotency_key: str | None = None,
    ) -> Post: ...

    async def generate_and_wait(
        self,
        *,
        project_id: str,
        text: str | None = None,
        note_id: str | None = None,
        scheduled_for: datetime | None = None,
        language: str | None = None,
        timeout: float | None = 900.0,
        on_update: AsyncCallback[Job] | None = None,
        show_progress: bool = False,
        idempotency_key: str | None = None,
    ) -> Post:
        """Generate a post from a text or a note, wait for its job, and fetch the post.

        Args:
            project_id: `proj_…`, the project whose voice to write in.
            text: The text to write about; either this or `note_id`. The API writes from this text only. Note that
                `Source.text_preview` holds at most the first 2,000 characters of a transcript;
                `Source.is_text_complete` says whether that is all of it.
            note_id: `note_…`, the note to write about.
            scheduled_for: Time of publication: an aware datetime in the future. Default: the post is a draft.
            language: Language to write in. Default: the project's own. The API does not document the values;
                a code such as `de` is a guess.
            timeout: Seconds for the whole call: the generation, the wait, and fetching the post; None for no limit.
            on_update: Called with the job after each change of its status or progress.
            show_progress: Show progress bars, in a terminal or a notebook only.
            idempotency_key: A repeated call with the same key and arguments creates no second post within 24 hours,
                and with a ledger at any time. Without one, the API may also repeat an error, such as 402 for the
                spend cap, for the same key (a guess).

        Raises:
            JobFailedError: the API could not write the post.
            JobTimeoutError: the job did not finish within `timeout`; it continues on the server.
            SpendCapExceededError: the workspace's daily spend cap is reached.
            NotFoundError: this workspace has no such project or note.

        """
        check_seconds(timeout, "timeout")
        # One deadline for all three steps, so the `wait` below has no timeout of its own.
        posts = AsyncPosts(self._sender.with_deadline(timeout))
        source, server_wait_ms = generation.generation_source(text, note_id), generation.MAX_SERVER_WAIT_MS
        request = _generation_request(
            project_id, source, scheduled_for, language, server_wait_ms, idempotency_key
        )
        idempotency_key = request.idempotency_key or ""
        reporting = job_progress("New post", on_update, show_progress=show_progress)
        with (
            attach_idempotency_key(idempotency_key),
            self._sender.operation("posts.generate_and_wait"),
            reporting as report,
        ):
            try:
                job: Job | JobTimeoutError = await posts._create(
                    "posts.generate_and_wait", request, needs_job=False
                )
            except APITimeoutError as error:
                if not posts._sender.deadline_passed():
                    raise
                job = generation.timeout_before_job_error(posts._sender.deadline, error)
            if isinstance(job, JobTimeoutError):
                raise job  # outside of the block above, so that the traceback shows one error and not two
            # `wait` reports changes only: it would not report a job that has finished before its first poll.
            if job.is_finished:
                await report(job)
            job = await wait_for_job(posts._sender, job, None, report)
            path = build_path("/posts/{}", polling.result_id(job, "post_id"))
            return await posts._fetch_result(Request("GET", path, Post), request.path, idempotency_key)


def _generation_request(
    project_id: str,
    source: Mapping[str, str],
    scheduled_for: datetime | None,
    language: str | None,
    server_wait_ms: int | None,
    idempotency_key: str | None,
) -> Request[Job]:
    fields = {
        "projectId": check_id(project_id, "project_id"),
        "source": source,
        "scheduledFor": format_datetime(scheduled_for, "scheduled_for"),
        "options": None if language is None else {"language": language},
        "wait_for_completion_ms": server_wait_ms,
    }
    request = create_request("POST", "/posts/generations", Job, fields, idempotency_key)
    return replace(request, server_wait=(server_wait_ms or 0) / 1000)
