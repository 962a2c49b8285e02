"""What happened, told to the webhook endpoints that asked for it.

No page states how Scripe delivers: the envelope and the headers are the emulator's own, and signed with nothing.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, get_args

from scripe._vocabulary import WebhookEvent
from scripe.emulator.clock import Clock, timestamp
from scripe.emulator.deliveries import Delivery
from scripe.emulator.state import Record, Selection, State, new_id
from scripe.emulator.wire import JsonObject

NAMES: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
MOST_ENDPOINTS = 1_000


class Events:
    """Writes a delivery for each endpoint that is to hear of an event.

    Args:
        state: where the endpoints are stored.
        clock: the time of the events.
        kept: how many deliveries are remembered.
        send: takes a delivery that is to go out.

    """

    def __init__(self, state: State, clock: Clock, kept: int, send: Callable[[Delivery], None]) -> None:
        self._state = state
        self._clock = clock
        self._send = send
        self.deliveries: deque[Delivery] = deque(maxlen=kept)

    def emit(self, name: str, subject: Record, shown: JsonObject) -> None:
        """Tell of an event; `subject` is what it happened to, `shown` how the API shows that."""
        endpoints = self._state.page(Selection("webhook_endpoints", subject.workspace_id), MOST_ENDPOINTS)
        for endpoint in reversed(endpoints):
            if _hears(endpoint, name, subject.project_id):
                delivery = self._delivery(endpoint, name, subject, shown)
                self.deliveries.append(delivery)
                self._send(delivery)

    def _delivery(self, endpoint: Record, name: str, subject: Record, shown: JsonObject) -> Delivery:
        delivery_id = new_id("evt")
        body: JsonObject = {
            "id": delivery_id,
            "type": name,
            "createdAt": timestamp(self._clock.milliseconds()),
            "workspaceId": subject.workspace_id,
            "projectId": subject.project_id,
            "data": shown,
        }
        return Delivery(
            delivery_id, name, endpoint.id, str(endpoint.fields["url"]), endpoint.private["secret"][-4:], body
        )


def _hears(endpoint: Record, name: str, project_id: str | None) -> bool:
    fields: dict[str, Any] = endpoint.fields
    return fields["isActive"] and name in fields["events"] and fields["projectId"] in (None, project_id)
