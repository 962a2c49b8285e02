"""Record what happened at the API, as a list for tests to assert on.

No page states how Scripe delivers events to webhook endpoints, so nothing is delivered and no envelope is made up.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from ..._vocabulary import WebhookEvent
from .canonical_json import JsonObject
from .clock import Clock
from .database import Database, Record, Selection

NAMES: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
MAX_ENDPOINTS = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, which webhook endpoints can subscribe to.

    Attributes:
        name: The event's name, such as `post.created`.
        workspace_id: The workspace in which it happened.
        project_id: The project in which it happened, if any.
        happened_at: When it happened, by the emulator's clock.
        data: The resource as the API shows it after the event.
        endpoint_ids: The active webhook endpoints that are subscribed to it.

    """

    name: str
    workspace_id: str
    project_id: str | None
    happened_at: datetime
    data: JsonObject
    endpoint_ids: tuple[str, ...]


class EventLog:
    """The newest events."""

    def __init__(self, database: Database, clock: Clock, max_events: int) -> None:
        self._database = database
        self._clock = clock
        self.events: deque[Event] = deque(maxlen=max_events)

    def record(self, name: WebhookEvent, subject: Record, data: JsonObject) -> None:
        """Append an event that happened to a record."""
        workspace_id, project_id = subject.workspace_id, subject.project_id
        endpoints = self._database.page(Selection("webhook_endpoints", workspace_id), MAX_ENDPOINTS)
        subscribed = tuple(
            endpoint.id for endpoint in endpoints if _is_subscribed(endpoint, name, project_id)
        )
        self.events.append(Event(name, workspace_id, project_id, self._clock.now(), data, subscribed))


def _is_subscribed(endpoint: Record, name: str, project_id: str | None) -> bool:
    fields: dict[str, Any] = endpoint.fields
    return fields["isActive"] and name in fields["events"] and fields["projectId"] in (None, project_id)
