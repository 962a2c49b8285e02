"""The schemas and operations of ``/webhook-endpoints``."""

from .._core.canonical_json import JsonObject
from .._core.events import NAMES
from .._core.validation import PUBLIC_URL
from .building import (
    choice,
    flag,
    listed,
    moment,
    nullable,
    reference,
    structure,
    text,
    word,
)
from .operations import Operation, wrapped

GIVEN: JsonObject = {
    "name": text(minLength=1, maxLength=128),
    "url": text("https, at a public address.", maxLength=1024, pattern=f"^{PUBLIC_URL}$"),
    "events": listed(choice(NAMES), minItems=1),
}
SHOWN: JsonObject = {
    "id": text("`whe_…`"),
    "url": text(),
    "name": text(),
    "events": listed(word(NAMES)),
    "isActive": flag(),
    "disabledReason": nullable(text()),
    "projectId": nullable(text()),
    "secretLast4": text(minLength=4, maxLength=4),
    "createdAt": moment(),
    "updatedAt": nullable(moment()),
}
SECRET = text("Shown this once.", pattern="^whsec_[0-9a-f]{64}$")
SCHEMAS: JsonObject = {
    "WebhookEndpoint": structure(SHOWN),
    "WebhookEndpointWithSecret": structure({**SHOWN, "secret": SECRET}),
    "WebhookEndpointCreate": structure(
        GIVEN, {"projectId": text("Only events of this project.", minLength=1)}
    ),
    "WebhookEndpointUpdate": structure(
        {}, {**GIVEN, "projectId": nullable(text(minLength=1)), "isActive": flag()}
    ),
}
ENDPOINT = "/webhook-endpoints/{endpointId}"
OPERATIONS = (
    Operation(
        "POST",
        "/webhook-endpoints",
        "createWebhookEndpoint",
        "Webhook endpoints",
        "Create an endpoint; the answer shows its secret",
        wrapped(reference("WebhookEndpointWithSecret")),
        reference("WebhookEndpointCreate"),
        statuses=(404, 422),
    ),
    Operation(
        "GET",
        ENDPOINT,
        "getWebhookEndpoint",
        "Webhook endpoints",
        "One endpoint",
        wrapped(reference("WebhookEndpoint")),
    ),
    Operation(
        "PATCH",
        ENDPOINT,
        "updateWebhookEndpoint",
        "Webhook endpoints",
        "Change any of an endpoint's fields",
        wrapped(reference("WebhookEndpoint")),
        reference("WebhookEndpointUpdate"),
        statuses=(422,),
    ),
    Operation(
        "POST",
        f"{ENDPOINT}/rotate-secret",
        "rotateWebhookSecret",
        "Webhook endpoints",
        "Give an endpoint a new secret; the answer shows it",
        wrapped(reference("WebhookEndpointWithSecret")),
        description="Not idempotent: each call makes another secret. The path is a guess.",
    ),
)
