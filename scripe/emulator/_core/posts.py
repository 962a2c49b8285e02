"""The life of a post: a draft, scheduled for a moment, and published once that has passed.

Publishing is seen whenever somebody looks, and has the time that was planned.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from ..._vocabulary import ContentType, PostStatus
from .canonical_json import JsonObject
from .clock import Clock, timestamp
from .database import Database, Record, new_id
from .errors import ApiError
from .events import EventLog

STATUSES: tuple[PostStatus, ...] = get_args(PostStatus)
CONTENT_TYPES: tuple[ContentType, ...] = get_args(ContentType)
PLATFORM = "LINKEDIN"
Keep = Literal["keep"]


@dataclass(frozen=True, slots=True)
class PostChange:
    """What is to become of a post.

    Attributes:
        fields: fields with their new values.
        flags: what the API does not show, with its new values.
        status: the status to move to, None to stay.
        schedule: the moment to publish at, None for none, ``keep`` to leave it alone.

    """

    fields: JsonObject
    flags: JsonObject
    status: str | None
    schedule: int | Keep | None


class Posts:
    """All posts.

    Args:
        state: where they are stored.
        clock: the time they are published by.
        events: what is told of them.

    """

    def __init__(self, database: Database, clock: Clock, events: EventLog) -> None:
        self._database = database
        self._clock = clock
        self._events = events

    def add(self, post: Record, schedule: int | None) -> None:
        """Store a new post, as a draft or scheduled."""
        _plan(post, "draft", schedule)
        self._database.insert(post)
        self._events.record("post.created", post, to_json(post))
        if schedule is not None:
            self._events.record("post.scheduled", post, to_json(post))

    def change(self, post: Record, change: PostChange) -> None:
        """Change a post.

        Raises:
            ApiError: 409, it is published and stays so, or the status cannot be had so.

        """
        planned, (status, schedule) = post.next_transition_at, _target(post, change)
        post.fields |= {**change.fields, "updatedAt": timestamp(self._clock.milliseconds())}
        post.internal |= change.flags
        _plan(post, status, schedule)
        self._database.update(post)
        self._events.record("post.updated", post, to_json(post))
        if post.next_transition_at != planned:
            name = "post.unscheduled" if post.next_transition_at is None else "post.scheduled"
            self._events.record(name, post, to_json(post))

    def advance_due(self) -> None:
        """Publish what should be published by now."""
        for post in self._database.find_due("posts", self._clock.milliseconds()):
            post.fields |= {"status": "published", "updatedAt": post.fields["scheduledAt"]}
            post.next_transition_at = None
            self._database.update(post)


def new_post(
    workspace_id: str,
    project_id: str | None,
    created_at: int,
    content: str,
    *,
    title: str = "",
    content_type: str = "PERSONAL",
) -> Record:
    """A draft, not stored yet."""
    fields: JsonObject = {
        "status": "draft",
        "contentType": content_type,
        "title": title,
        "content": content,
        "scheduledAt": None,
        "updatedAt": None,
    }
    return Record("posts", new_id("post"), workspace_id, project_id, created_at, fields=fields)


def to_json(post: Record) -> JsonObject:
    """A post as the API shows it."""
    fields = post.fields
    return {
        "id": post.id,
        "status": fields["status"],
        "platform": PLATFORM,
        "contentType": fields["contentType"],
        "title": fields["title"],
        "content": fields["content"],
        "createdAt": timestamp(post.created_at),
        "projectId": post.project_id,
        "scheduledAt": fields["scheduledAt"],
        "updatedAt": fields["updatedAt"],
    }


def _plan(post: Record, status: str, schedule: int | Keep | None) -> None:
    if schedule == "keep":
        return
    post.next_transition_at = schedule
    post.fields["status"] = status if schedule is None else "scheduled"
    post.fields["scheduledAt"] = None if schedule is None else timestamp(schedule)


def _target(post: Record, change: PostChange) -> tuple[str, int | Keep | None]:
    status = str(post.fields["status"])
    if change.status is None and change.schedule == "keep":
        return status, "keep"
    if status == "published":
        raise ApiError("conflict", "The post is published; neither status nor schedule can change.")
    if change.status in (None, "scheduled"):
        return _scheduled(status, change)
    if change.status == "published":
        raise ApiError("conflict", "A post is published by its schedule alone.")
    return str(change.status), None if change.schedule == "keep" else change.schedule


def _scheduled(status: str, change: PostChange) -> tuple[str, int | Keep | None]:
    if change.status == "scheduled" and (
        change.schedule is None or (change.schedule == "keep" and status != "scheduled")
    ):
        raise ApiError("conflict", "The status scheduled takes a scheduledFor.")
    return "draft" if status == "scheduled" else status, change.schedule
