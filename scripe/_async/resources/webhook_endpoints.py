"""Webhook endpoints."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core import webhooks
from ..._core.request import Request, build_path, check_id, create_request, drop_not_given, to_json_bytes
from ...types.not_given import NOT_GIVEN, NotGiven
from ...types.webhook_endpoint import WebhookEndpoint, WebhookEvent
from ._base import AsyncResource


class AsyncWebhookEndpoints(AsyncResource):
    """Addresses of yours that the API tells of events.

    How deliveries are signed is not published, so there is no verifier here.
    https://apidocs.scripe.io/api-reference/webhooks/create-webhook-endpoint
    """

    async def create(
        self,
        *,
        name: str,
        url: str,
        events: Sequence[WebhookEvent],
        project_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookEndpoint:
        """Register an address; the answer holds its secret, this once.

        Args:
            name: What you call it; at most 128 characters.
            url: Where events go: https, on a public host.
            events: What to be told of, at least one.
            project_id: `proj_…` to hear of one project only.
            idempotency_key: The same key with the same arguments registers nothing twice, for 24 hours.

        Raises:
            BadRequestError: an event is unknown.
            InvalidRequestError: the address is not one that the API may call (`ssrf_blocked`).
            ScopeMissingError: the key lacks `webhooks:manage`.

        """
        fields = {
            "name": name,
            "url": webhooks.check_url(url),
            "events": webhooks.check_events(events),
            "projectId": None if project_id is None else check_id(project_id, "project_id"),
        }
        return await self._sender.send(
            create_request("POST", "/webhook-endpoints", WebhookEndpoint, fields, idempotency_key)
        )

    async def retrieve(self, endpoint_id: str) -> WebhookEndpoint:
        """Fetch one endpoint; its secret is not told again.

        Raises:
            NotFoundError: no endpoint in this workspace has this id.

        """
        return await self._sender.send(
            Request("GET", build_path("/webhook-endpoints/{}", endpoint_id), WebhookEndpoint)
        )

    async def update(
        self,
        endpoint_id: str,
        *,
        name: str | NotGiven = NOT_GIVEN,
        url: str | NotGiven = NOT_GIVEN,
        events: Sequence[WebhookEvent] | NotGiven = NOT_GIVEN,
        project_id: str | NotGiven | None = NOT_GIVEN,
        is_active: bool | NotGiven = NOT_GIVEN,
    ) -> WebhookEndpoint:
        """Change an endpoint; what is left out stays as it is.

        Args:
            endpoint_id: `whe_…`, which endpoint.
            name: What you call it.
            url: Where events go: https, on a public host.
            events: What to be told of, at least one.
            project_id: `proj_…` to hear of one project only; None to hear of all.
            is_active: Whether to be told anything.

        Raises:
            NotFoundError: no endpoint in this workspace has this id.
            InvalidRequestError: an event is unknown, or the address is not one that the API may call.

        """
        fields = {
            "name": name,
            "url": url if isinstance(url, NotGiven) else webhooks.check_url(url),
            "events": events if isinstance(events, NotGiven) else webhooks.check_events(events),
            "projectId": project_id,
            "isActive": is_active,
        }
        # No key: the API gives this call none. It sets absolute values, so it may be sent again.
        path = build_path("/webhook-endpoints/{}", endpoint_id)
        return await self._sender.send(
            Request("PATCH", path, WebhookEndpoint, body=to_json_bytes(drop_not_given(fields)))
        )

    async def rotate_secret(self, endpoint_id: str) -> WebhookEndpoint:
        """Replace the secret; the answer holds the new one, this once. Queued deliveries keep the old one.

        It is never sent again once it may have arrived: each arrival makes another secret. The path of this
        call is a guess, since no page tells it.

        Raises:
            NotFoundError: no endpoint in this workspace has this id (or the guess is wrong).
            APIConnectionError: the answer was lost; the secret may have been replaced. Rotate again.

        """
        return await self._sender.send(
            Request(
                "POST",
                build_path(webhooks.ROTATE_SECRET_PATH, endpoint_id),
                WebhookEndpoint,
                repeatable=False,
            )
        )
