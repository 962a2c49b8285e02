"""POST /webhook-endpoints, GET and PATCH /webhook-endpoints/{endpointId}, and the rotation of its secret."""

import secrets

from ..addresses import check_webhook_url
from ..canonical_json import Json, JsonObject
from ..clock import timestamp
from ..database import Record, new_id
from ..events import NAMES
from ..messages import Response
from ..routing import RequestContext, Resource, Route, data_response
from ..validation import invalid_field, optional_bool, require_str, str_if_present, unprocessable_field

MAX_NAME = 128
MAX_URL = 1024
SCOPES = ("webhooks:manage",)


def create_endpoint(context: RequestContext) -> Response:
    """An endpoint; its secret is shown this once."""
    require_str(context.body, "name")
    require_str(context.body, "url")
    _events(context.body.get("events"))
    str_if_present(context.body, "projectId")
    fields: JsonObject = {
        "name": "",
        "url": "",
        "events": [],
        "isActive": True,
        "disabledReason": None,
        "projectId": None,
        "updatedAt": None,
    }
    body = {name: given for name, given in context.body.items() if name != "isActive"}
    fields |= _given(context, body)
    endpoint = Record(
        "webhook_endpoints",
        new_id("whe"),
        context.workspace_id,
        None,
        context.services.clock.milliseconds(),
        fields=fields,
        internal={"secret": _new_secret()},
    )
    context.services.database.insert(endpoint)
    return data_response(_shown_with_secret(endpoint))


def get_endpoint(context: RequestContext) -> Response:
    """One endpoint, without its secret."""
    return data_response(to_json(_endpoint(context)))


def update_endpoint(context: RequestContext) -> Response:
    """Change any of an endpoint's fields."""
    endpoint = _endpoint(context)
    endpoint.fields |= _given(context, context.body)
    _touch(context, endpoint)
    return data_response(to_json(endpoint))


def rotate_secret(context: RequestContext) -> Response:
    """Give an endpoint a new secret, shown this once; the old one is void."""
    endpoint = _endpoint(context)
    endpoint.internal["secret"] = _new_secret()
    _touch(context, endpoint)
    return data_response(_shown_with_secret(endpoint))


def to_json(endpoint: Record) -> JsonObject:
    """An endpoint as the API shows it."""
    fields = endpoint.fields
    return {
        "id": endpoint.id,
        "url": fields["url"],
        "name": fields["name"],
        "events": fields["events"],
        "isActive": fields["isActive"],
        "disabledReason": fields["disabledReason"],
        "projectId": fields["projectId"],
        "secretLast4": endpoint.internal["secret"][-4:],
        "createdAt": timestamp(endpoint.created_at),
        "updatedAt": fields["updatedAt"],
    }


def _shown_with_secret(endpoint: Record) -> JsonObject:
    return {**to_json(endpoint), "secret": endpoint.internal["secret"]}


def _endpoint(context: RequestContext) -> Record:
    return context.find("webhook_endpoints", context.parameters["endpointId"])


def _touch(context: RequestContext, endpoint: Record) -> None:
    endpoint.fields["updatedAt"] = timestamp(context.services.clock.milliseconds())
    context.services.database.update(endpoint)


def _given(context: RequestContext, body: JsonObject) -> JsonObject:
    fields: JsonObject = {}
    if "name" in body:
        fields["name"] = _short(body, "name", MAX_NAME)
    if "url" in body:
        fields["url"] = _short(body, "url", MAX_URL)
        check_webhook_url(str(fields["url"]))
    if "events" in body:
        fields["events"] = _events(body["events"])
    if "isActive" in body:
        fields["isActive"] = optional_bool(body, "isActive")
    if "projectId" in body:
        fields["projectId"] = _project(context, body)
    return fields


def _short(body: JsonObject, name: str, longest: int) -> str:
    text = require_str(body, name)
    if len(text) > longest:
        raise unprocessable_field(name, f"may have {longest} characters")
    return text


def _events(given: Json) -> Json:
    if not isinstance(given, list) or not given:
        raise invalid_field("events", "must be a list of at least one event")
    if not all(event in NAMES for event in given):
        raise invalid_field("events", f"must be some of {', '.join(NAMES)}")
    return given


def _project(context: RequestContext, body: JsonObject) -> str | None:
    if body["projectId"] is None:
        return None
    return context.find("projects", require_str(body, "projectId")).id


def _new_secret() -> str:
    return f"whsec_{secrets.token_hex(32)}"


RESOURCE = Resource(
    (
        Route(
            "POST",
            "/webhook-endpoints",
            create_endpoint,
            bucket="write",
            scopes=SCOPES,
            takes_body=True,
            idempotent=True,
        ),
        Route("GET", "/webhook-endpoints/{endpointId}", get_endpoint, scopes=SCOPES),
        Route(
            "PATCH",
            "/webhook-endpoints/{endpointId}",
            update_endpoint,
            bucket="write",
            scopes=SCOPES,
            takes_body=True,
        ),
        Route(
            "POST",
            "/webhook-endpoints/{endpointId}/rotate-secret",
            rotate_secret,
            bucket="write",
            scopes=SCOPES,
        ),
    ),
    names=("webhook_endpoints",),
)
