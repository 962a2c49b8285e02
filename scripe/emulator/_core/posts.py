"""Keep posts: drafts, scheduled for a moment, and published by themselves once that has passed."""

from dataclasses import dataclass
from typing import Literal, get_args

from ..._vocabulary import ContentType, PostStatus, WebhookEvent
from .canonical_json import JsonObject
from .clock import Clock
from .database import Database, Record, new_id
from .dates import format_timestamp
from .errors import ApiError
from .events import EventLog

STATUSES: tuple[PostStatus, ...] = get_args(PostStatus)
CONTENT_TYPES: tuple[ContentType, ...] = get_args(ContentType)
PLATFORM = "LINKEDIN"
Keep = Literal["keep"]


@dataclass(frozen=True, slots=True)
class PostChange:
    """A change of a post: the new values."""

    fields: JsonObject
    flags: JsonObject  # what the API does not show
    status: str | None  # None to stay
    schedule: int | Keep | None  # the moment to publish at; `keep` to leave it


class Posts:
    """All posts."""

    def __init__(self, database: Database, clock: Clock, events: EventLog) -> None:
        self._database = database
        self._clock = clock
        self._events = events

    def add(self, post: Record, schedule: int | None) -> None:
        """Store a new post, as a draft or scheduled."""
        _set_schedule(post, "draft", schedule)
        self._database.insert(post)
        self._events.record("post.created", post, to_json(post))
        if schedule is not None:
            self._events.record("post.scheduled", post, to_json(post))

    def change(self, post: Record, change: PostChange) -> None:
        """Change a post, or raise a 409 if its status or schedule cannot be had."""
        planned, (status, schedule) = post.next_transition_at, _resolve_status(post, change)
        post.fields |= {**change.fields, "updatedAt": format_timestamp(self._clock.milliseconds())}
        post.internal |= change.flags
        _set_schedule(post, status, schedule)
        self._database.update(post)
        self._events.record("post.updated", post, to_json(post))
        if post.next_transition_at != planned:
            name: WebhookEvent = "post.unscheduled" if post.next_transition_at is None else "post.scheduled"
            self._events.record(name, post, to_json(post))

    def advance_due(self) -> None:
        """Publish what should be published by now, at the time for which it was scheduled."""
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
    """Make a draft, without storing it."""
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
    """Return a post as the API shows it."""
    fields = post.fields
    return {
        "id": post.id,
        "status": fields["status"],
        "platform": PLATFORM,
        "contentType": fields["contentType"],
        "title": fields["title"],
        "content": fields["content"],
        "createdAt": format_timestamp(post.created_at),
        "projectId": post.project_id,
        "scheduledAt": fields["scheduledAt"],
        "updatedAt": fields["updatedAt"],
    }


def _set_schedule(post: Record, status: str, schedule: int | Keep | None) -> None:
    if schedule == "keep":
        return
    post.next_transition_at = schedule
    post.fields["status"] = status if schedule is None else "scheduled"
    post.fields["scheduledAt"] = None if schedule is None else format_timestamp(schedule)


def _resolve_status(post: Record, change: PostChange) -> tuple[str, int | Keep | None]:
    """Return the status and schedule that a change leads to."""
    status, schedule = str(post.fields["status"]), change.schedule
    if change.status is None and schedule == "keep":
        return status, "keep"
    if status == "published":
        raise ApiError("conflict", "The post is published; neither status nor schedule can change.")
    if change.status == "published":
        raise ApiError("conflict", "A post can only be published by its schedule.")
    if change.status not in (None, "scheduled"):
        return str(change.status), None if schedule == "keep" else schedule
    is_unplanned = schedule is None or (schedule == "keep" and status != "scheduled")
    if change.status == "scheduled" and is_unplanned:
        raise ApiError("conflict", "The status scheduled needs a scheduledFor.")
    return "draft" if status == "scheduled" else status, schedule
