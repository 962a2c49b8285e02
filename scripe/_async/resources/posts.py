"""Posts, and having them written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import overload

from ..._concurrency import AsyncCallback
from ..._core import generation, polling
from ..._core.config import check_seconds
from ..._core.idempotency import attach_idempotency_key, check_idempotency_key, new_idempotency_key
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
from ...errors import APITimeoutError
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
        """Posts of a project, newest first.

        Args:
            project_id: `proj_…`, whose posts.
            status: Only posts in these states.
            date_from: Only posts made on this UTC day or later; a date, an aware datetime or text such as `2026-05-01`.
            date_to: Only posts made on this UTC day or earlier.
            page_size: Items fetched at once, 1 to 200.

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
        """Make a draft, or with `scheduled_for` a scheduled post.

        Args:
            project_id: `proj_…`, the project that it belongs to.
            content: Its text; the API takes about 100,000 characters, and puts one blank if left out.
            title: Its title, for people; at most 500 characters.
            content_type: What it is about; `PERSONAL` if left out.
            scheduled_for: When it goes out: an aware moment in the future.
            idempotency_key: The same key with the same arguments makes no second post, for 24 hours.

        Raises:
            NotFoundError: no project in this workspace has this id.
            UnprocessableEntityError: the moment has passed, or the content type is unknown.
            PayloadTooLargeError: a text is too long.
            IdempotencyConflictError: the key was used with other arguments.

        """
        fields = {
            "projectId": check_id(project_id, "project_id"),
            "content": content,
            "title": title,
            "contentType": content_type,
            "scheduledFor": format_datetime(scheduled_for, "scheduled_for"),
        }
        return await self._sender.send(create_request("POST", "/posts", Post, fields, idempotency_key))

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
        """Change a post; what is left out stays as it is.

        Args:
            post_id: `post_…`, which post.
            content: Its text.
            title: Its title.
            content_type: What it is about.
            status_category: Moves it to the workspace's default status of this category.
            status_id: Moves it to this status, one of `post_statuses.list()`; not with `status_category`.
            scheduled_for: An aware moment in the future (re)schedules it; None unschedules it, back to a draft.
            auto_like: The API does not say what this does.
            auto_comment: The API does not say what this does.
            idempotency_key: The same key with the same arguments changes nothing twice, for 24 hours.

        Raises:
            ConflictError: LinkedIn is not connected, so that nothing can be scheduled; nothing was changed.
            NotFoundError: no post in this workspace has this id.
            UnprocessableEntityError: the moment has passed, or a value is unknown.

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
        """Have a post written from a text or a note, and return the job that does it.

        Args:
            project_id: `proj_…`, in whose voice.
            text: What to write about; either this or `note_id`. The API writes from this text only:
                `Source.text_preview` is at most the first 2,000 characters of a transcript, and
                `Source.is_text_complete` says whether that is all of it.
            note_id: `note_…`, the note to write about.
            scheduled_for: When the post goes out: an aware moment in the future; a draft if left out.
            language: The language to write in; the project's own if left out. No page of the API says
                which values it takes: a code such as `de` is a guess.
            wait_for_completion_ms: Milliseconds, up to 25,000, that the API may take to answer with the job
                ended; `timeout` stretches by as much.
            idempotency_key: The same key with the same arguments makes no second job, for 24 hours.
                A refusal, such as the spend cap's, may be repeated under it for as long (a guess).

        Raises:
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            NotFoundError: no such project or note in this workspace.
            UnprocessableEntityError: the moment has passed.

        """
        source = generation.generation_source(text, note_id)
        server_wait_ms = generation.check_wait_ms(wait_for_completion_ms)
        return await self._generate(
            project_id, source, scheduled_for, language, server_wait_ms, idempotency_key
        )

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
        """Have a post written, wait for it, and fetch it. A job of a few seconds is not polled at all.

        Args:
            project_id: `proj_…`, in whose voice.
            text: What to write about; either this or `note_id`. The API writes from this text only:
                `Source.text_preview` is at most the first 2,000 characters of a transcript, and
                `Source.is_text_complete` says whether that is all of it.
            note_id: `note_…`, the note to write about.
            scheduled_for: When the post goes out: an aware moment in the future; a draft if left out.
            language: The language to write in; the project's own if left out. No page of the API says
                which values it takes: a code such as `de` is a guess.
            timeout: Seconds for all of it; None for as long as it takes.
            on_update: Told of each change of the job.
            show_progress: Show bars on a terminal or in a notebook; where nobody watches, nothing.
            idempotency_key: The same key with the same arguments makes no second post, for 24 hours.
                A refusal, such as the spend cap's, may be repeated under it for as long (a guess).

        Raises:
            JobFailedError: the API could not write it.
            JobTimeoutError: it takes longer than `timeout`; the work goes on.
            SpendCapExceededError: the workspace's daily cap for AI work is reached.
            NotFoundError: no such project or note in this workspace.

        """
        idempotency_key = (
            new_idempotency_key() if idempotency_key is None else check_idempotency_key(idempotency_key)
        )
        check_seconds(timeout, "timeout")
        posts = AsyncPosts(self._sender.with_deadline(timeout))
        source, server_wait_ms = generation.generation_source(text, note_id), generation.MAX_SERVER_WAIT_MS
        reporting = job_progress("New post", on_update, show_progress=show_progress)
        with (
            attach_idempotency_key(idempotency_key),
            self._sender.operation("posts.generate_and_wait"),
            reporting as report,
        ):
            try:
                job = await posts._generate(
                    project_id, source, scheduled_for, language, server_wait_ms, idempotency_key
                )
            except APITimeoutError:
                if not posts._sender.deadline_passed():
                    raise
                job = None
            if job is None:
                raise generation.timeout_before_job_error(posts._sender.deadline)
            if job.is_finished:
                await report(job)
            job = await wait_for_job(posts._sender, job, None, report)
            return await posts.retrieve(polling.result_id(job, "post_id"))

    async def _generate(
        self,
        project_id: str,
        source: Mapping[str, str],
        scheduled_for: datetime | None,
        language: str | None,
        server_wait_ms: int | None,
        idempotency_key: str | None,
    ) -> Job:
        fields = {
            "projectId": check_id(project_id, "project_id"),
            "source": source,
            "scheduledFor": format_datetime(scheduled_for, "scheduled_for"),
            "options": None if language is None else {"language": language},
            "wait_for_completion_ms": server_wait_ms,
        }
        request = create_request("POST", "/posts/generations", Job, fields, idempotency_key)
        return await self._sender.send(replace(request, server_wait=(server_wait_ms or 0) / 1000))
