"""Webhook endpoints: what is refused before sending, and the one path that is a guess."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from ..errors import InvalidArgumentError
from ..types.webhook_endpoint import WebhookEvent
from .request import check_http_url

ROTATE_SECRET_PATH = "/webhook-endpoints/{}/rotate-secret"  # noqa: S105 - a path
"""A guess: the page of this call does not show its path."""

KNOWN_EVENTS: tuple[str, ...] = get_args(get_args(WebhookEvent)[0])


def check_events(names: Sequence[str]) -> list[str]:
    """The events, of which there must be one. An unknown name may be new: the API judges."""
    events = [names] if isinstance(names, str) else list(names)
    if not events or not all(events):
        raise InvalidArgumentError(f"events must name at least one of: {', '.join(KNOWN_EVENTS)}.")
    return events


def check_url(url: str) -> str:
    """Any http(s) address; that it must be https on a public host is the API's to judge."""
    return check_http_url(url, "url")
