"""Webhook endpoints. https://apidocs.scripe.io/api-reference/webhooks/create-webhook-endpoint"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

WebhookEvent: TypeAlias = _vocabulary.WebhookEvent | str
"""What an endpoint can be told of; the API may add others."""


class WebhookEndpoint(Model):
    """An address of yours that the API tells of events.

    Attributes:
        id: `whe_…`.
        url: Where events are sent.
        name: What you call it.
        events: What it is told of.
        is_active: Whether it is told anything.
        disabled_reason: Why the API switched it off, if it did.
        project_id: `proj_…` if it hears of one project only.
        secret_last4: The end of its secret, to tell secrets apart.
        created_at: When it was made.
        updated_at: When it last changed; None if never.
        secret: `whsec_…`, told only by `create` and `rotate_secret`; left out of the repr.

    """

    id: str
    url: str
    name: str | None = None
    events: list[Annotated[WebhookEvent, OPEN_ENUM]] = []
    is_active: bool = True
    disabled_reason: str | None = None
    project_id: str | None = None
    secret_last4: str | None = None
    created_at: Instant
    updated_at: Instant | None = None
    secret: str | None = None

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        for name, value in super().__repr_args__():
            yield name, "whsec_…" if name == "secret" and value else value
