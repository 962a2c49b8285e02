"""Webhook endpoints. https://apidocs.scripe.io/api-reference/webhooks/create-webhook-endpoint"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from .. import _vocabulary
from ._base import OPEN_ENUM, Instant, Model

WebhookEvent: TypeAlias = _vocabulary.WebhookEvent | str
"""An event that an endpoint can receive; the API may add others."""


class WebhookEndpoint(Model):
    """A URL of yours to which the API sends events.

    Attributes:
        id: `whe_…`.
        url: URL that receives the events.
        name: Its name.
        events: The events that it receives.
        is_active: False if it receives nothing.
        disabled_reason: The reason for which the API disabled it, if it did.
        project_id: `proj_…`, if it receives events of one project only.
        secret_last4: The last four characters of its secret, to distinguish secrets.
        created_at: Time of its creation.
        updated_at: Time of its last change; None if it has not changed.
        secret: `whsec_…`, only in the responses of `create` and `rotate_secret`; left out of the repr.

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
