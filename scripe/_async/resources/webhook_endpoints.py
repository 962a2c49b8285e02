"""Webhook endpoints: URLs to which the API sends events.

No page describes the envelope or the signature of a delivery. So there is no verifier here: one that guesses would
either reject what the API sends, or accept what anyone sends.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..._core import webhooks
from ..._core.request import Request, build_path, check_id, create_request, drop_not_given, to_json_bytes
from ...types.not_given import NOT_GIVEN, NotGiven
from ...types.webhook_endpoint import WebhookEndpoint, WebhookEvent
from ._base import AsyncResource


class AsyncWebhookEndpoints(AsyncResource):
    """URLs of yours to which the API sends events. It does not document how deliveries are signed.

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
        """Register a webhook endpoint. Only this response and that of `rotate_secret` contain its secret.

        Args:
            name: Name of the endpoint; at most 128 characters.
            url: URL that receives the events: https, on a public host.
            events: Events to send, at least one.
            project_id: `proj_…`, for events of one project only.
            idempotency_key: A repeated call with the same key and arguments within 24 hours registers no second
                endpoint.

        Raises:
            BadRequestError: an event is unknown.
            InvalidRequestError: the URL is not public (`ssrf_blocked`).
            ScopeMissingError: the API key lacks `webhooks:manage`.

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
        """Fetch one endpoint; the response does not contain its secret.

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
        """Change an endpoint. Arguments that are left out stay unchanged.

        Args:
            endpoint_id: `whe_…`, the endpoint to change.
            name: Name of the endpoint.
            url: URL that receives the events: https, on a public host.
            events: Events to send, at least one.
            project_id: `proj_…`, for events of one project only; None for all projects.
            is_active: False to pause all events.

        Raises:
            NotFoundError: no endpoint in this workspace has this id.
            InvalidRequestError: an event is unknown, or the URL is not public.

        """
        fields = {
            "name": name,
            "url": url if isinstance(url, NotGiven) else webhooks.check_url(url),
            "events": events if isinstance(events, NotGiven) else webhooks.check_events(events),
            "projectId": project_id,
            "isActive": is_active,
        }
        # The API documents no idempotency key for this call. It sets absolute values, so it may be sent again without.
        path = build_path("/webhook-endpoints/{}", endpoint_id)
        return await self._sender.send(
            Request("PATCH", path, WebhookEndpoint, body=to_json_bytes(drop_not_given(fields)))
        )

    async def rotate_secret(self, endpoint_id: str) -> WebhookEndpoint:
        """Replace the secret of an endpoint; the response contains the new one. Queued deliveries keep the old one.

        The call is not retried once it may have arrived, since each arrival replaces the secret again. Its path is a
        guess: no page of the API states it.

        Raises:
            NotFoundError: no endpoint in this workspace has this id (or the guess is wrong).
            APIConnectionError: the response was lost, and the secret may have been replaced. Rotate it again.

        """
        return await self._sender.send(
            Request(
                "POST",
                build_path(webhooks.ROTATE_SECRET_PATH, endpoint_id),
                WebhookEndpoint,
                repeatable=False,
            )
        )
