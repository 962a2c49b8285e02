"""The arguments of webhook endpoints, and the one path that is a guess."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from ..errors import InvalidArgumentError
from ..types.webhook_endpoint import WebhookEvent
from .request import check_http_url

ROTATE_SECRET_PATH = "/webhook-endpoints/{}/rotate-secret"  # noqa: S105 - a path
"""A guess: the API reference does not show the path of this call."""

KNOWN_EVENTS: tuple[str, ...] = get_args(get_args(WebhookEvent)[0])


def check_events(names: Sequence[str]) -> list[str]:
    """Return the names of events, at least one. Unknown names are sent: they may be new."""
    events = [names] if isinstance(names, str) else list(names)
    if not events or not all(events):
        raise InvalidArgumentError(f"events names no event. Give at least one of: {', '.join(KNOWN_EVENTS)}.")
    return events


def check_url(url: str) -> str:
    """Return the URL of an endpoint. The API itself decides whether it must be https on a public host."""
    return check_http_url(url, "url")
