"""POST /webhook-endpoints, GET and PATCH /webhook-endpoints/{endpointId}, and the rotation of its secret."""

import secrets
from ipaddress import ip_address

from ...._vocabulary import APIKeyScope
from ..canonical_json import Json, JsonObject
from ..database import Record, new_id
from ..dates import format_timestamp
from ..errors import ApiError
from ..events import NAMES
from ..messages import Response
from ..routing import RequestContext, Resource, Route, data_response, write_route
from ..validation import (
    invalid_field,
    optional_bool,
    parse_url,
    require_str,
    str_if_present,
    unprocessable_field,
)

MAX_NAME = 128
MAX_URL = 1024
SCOPES: tuple[APIKeyScope, ...] = ("webhooks:manage",)
LOCAL_NAMES = ("localhost", "local", "internal", "lan", "home", "corp")


def create_endpoint(context: RequestContext) -> Response:
    """Create an endpoint; only this response shows its secret, and that of a rotation."""
    body = context.body
    require_str(body, "name")
    require_str(body, "url")
    _parse_events(body.get("events"))
    str_if_present(body, "projectId")
    now = context.services.clock.milliseconds()
    endpoint = Record("webhook_endpoints", new_id("whe"), context.workspace_id, None, now)
    endpoint.internal = {"secret": _new_secret()}
    endpoint.fields = {"isActive": True, "disabledReason": None, "projectId": None, "updatedAt": None}
    endpoint.fields |= _parse_fields(context, {name: body[name] for name in body if name != "isActive"})
    context.services.database.insert(endpoint)
    return data_response(_to_json_with_secret(endpoint))


def get_endpoint(context: RequestContext) -> Response:
    """Show an endpoint, without its secret."""
    return data_response(to_json(_find_endpoint(context)))


def update_endpoint(context: RequestContext) -> Response:
    """Change any of an endpoint's fields."""
    endpoint = _find_endpoint(context)
    endpoint.fields |= _parse_fields(context, context.body)
    _update(context, endpoint)
    return data_response(to_json(endpoint))


def rotate_secret(context: RequestContext) -> Response:
    """Give an endpoint a new secret."""
    endpoint = _find_endpoint(context)
    endpoint.internal["secret"] = _new_secret()
    _update(context, endpoint)
    return data_response(_to_json_with_secret(endpoint))


def to_json(endpoint: Record) -> JsonObject:
    """Return an endpoint as the API shows it."""
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
        "createdAt": format_timestamp(endpoint.created_at),
        "updatedAt": fields["updatedAt"],
    }


def _to_json_with_secret(endpoint: Record) -> JsonObject:
    return {**to_json(endpoint), "secret": endpoint.internal["secret"]}


def _find_endpoint(context: RequestContext) -> Record:
    return context.find("webhook_endpoints", context.parameters["endpointId"])


def _update(context: RequestContext, endpoint: Record) -> None:
    endpoint.fields["updatedAt"] = format_timestamp(context.services.clock.milliseconds())
    context.services.database.update(endpoint)


def _parse_fields(context: RequestContext, body: JsonObject) -> JsonObject:
    fields: JsonObject = {}
    if "name" in body:
        fields["name"] = _parse_short(body, "name", MAX_NAME)
    if "url" in body:
        fields["url"] = url = _parse_short(body, "url", MAX_URL)
        _check_url(url)
    if "events" in body:
        fields["events"] = _parse_events(body["events"])
    if "isActive" in body:
        fields["isActive"] = optional_bool(body, "isActive")
    if "projectId" in body:
        is_null = body["projectId"] is None
        fields["projectId"] = None if is_null else context.find("projects", require_str(body, "projectId")).id
    return fields


def _parse_short(body: JsonObject, name: str, longest: int) -> str:
    text = require_str(body, name)
    if len(text) > longest:
        raise unprocessable_field(name, f"may have {longest} characters")
    return text


def _parse_events(events: Json) -> Json:
    if not isinstance(events, list) or not events:
        raise invalid_field("events", "must be a list of at least one event")
    if not all(event in NAMES for event in events):
        raise invalid_field("events", f"must be some of {', '.join(NAMES)}")
    return events


def _check_url(url: str) -> None:
    """Raise a 422 for a URL that is not https, or leads to a private address; names are not looked up."""
    parts = parse_url(url)
    if parts is None or parts.scheme != "https":
        raise unprocessable_field("url", "must be an https URL")
    host = parts.hostname or ""
    try:
        address = ip_address(host)
        is_public = address.is_global and not address.is_multicast
    except ValueError:
        is_public = "." in host and host.rpartition(".")[2] not in LOCAL_NAMES
    if not is_public:
        raise ApiError("ssrf_blocked", f"{host} is not a public address.", details={"parameter": "url"})


def _new_secret() -> str:
    return f"whsec_{secrets.token_hex(32)}"


ENDPOINT = "/webhook-endpoints/{endpointId}"
RESOURCE = Resource(
    (
        write_route("POST", "/webhook-endpoints", create_endpoint, SCOPES),
        Route("GET", ENDPOINT, get_endpoint, scopes=SCOPES),
        Route("PATCH", ENDPOINT, update_endpoint, bucket="write", scopes=SCOPES, takes_body=True),
        Route("POST", f"{ENDPOINT}/rotate-secret", rotate_secret, bucket="write", scopes=SCOPES),
    ),
    names=("webhook_endpoints",),
)
