"""POST /webhook-endpoints, GET and PATCH /webhook-endpoints/{endpointId}, and the rotation of its secret."""

import secrets

from scripe.emulator.addresses import check_webhook_url
from scripe.emulator.checks import flag_of, given_text_of, text_of, unfit, wrong
from scripe.emulator.clock import timestamp
from scripe.emulator.events import NAMES
from scripe.emulator.messages import Response
from scripe.emulator.routing import Call, Resource, Route, wrapped
from scripe.emulator.state import Record, new_id
from scripe.emulator.wire import Json, JsonObject

MAX_NAME = 128
MAX_URL = 1024
SCOPES = ("webhooks:manage",)


def create_endpoint(call: Call) -> Response:
    """An endpoint; its secret is shown this once."""
    text_of(call.body, "name")
    text_of(call.body, "url")
    _events(call.body.get("events"))
    given_text_of(call.body, "projectId")
    fields: JsonObject = {
        "name": "",
        "url": "",
        "events": [],
        "isActive": True,
        "disabledReason": None,
        "projectId": None,
        "updatedAt": None,
    }
    body = {name: given for name, given in call.body.items() if name != "isActive"}
    fields |= _given(call, body)
    endpoint = Record(
        "webhook_endpoints",
        new_id("whe"),
        call.workspace_id,
        None,
        call.backend.clock.milliseconds(),
        fields=fields,
        private={"secret": _new_secret()},
    )
    call.backend.state.insert(endpoint)
    return wrapped(_shown_with_secret(endpoint))


def get_endpoint(call: Call) -> Response:
    """One endpoint, without its secret."""
    return wrapped(shown(_endpoint(call)))


def update_endpoint(call: Call) -> Response:
    """Change any of an endpoint's fields."""
    endpoint = _endpoint(call)
    endpoint.fields |= _given(call, call.body)
    _touch(call, endpoint)
    return wrapped(shown(endpoint))


def rotate_secret(call: Call) -> Response:
    """Give an endpoint a new secret, shown this once; the old one is void."""
    endpoint = _endpoint(call)
    endpoint.private["secret"] = _new_secret()
    _touch(call, endpoint)
    return wrapped(_shown_with_secret(endpoint))


def shown(endpoint: Record) -> JsonObject:
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
        "secretLast4": endpoint.private["secret"][-4:],
        "createdAt": timestamp(endpoint.created_at),
        "updatedAt": fields["updatedAt"],
    }


def _shown_with_secret(endpoint: Record) -> JsonObject:
    return {**shown(endpoint), "secret": endpoint.private["secret"]}


def _endpoint(call: Call) -> Record:
    return call.find("webhook_endpoints", call.parameters["endpointId"])


def _touch(call: Call, endpoint: Record) -> None:
    endpoint.fields["updatedAt"] = timestamp(call.backend.clock.milliseconds())
    call.backend.state.update(endpoint)


def _given(call: Call, body: JsonObject) -> JsonObject:
    fields: JsonObject = {}
    if "name" in body:
        fields["name"] = _short(body, "name", MAX_NAME)
    if "url" in body:
        fields["url"] = _short(body, "url", MAX_URL)
        check_webhook_url(str(fields["url"]), loopback=call.backend.settings.deliver)
    if "events" in body:
        fields["events"] = _events(body["events"])
    if "isActive" in body:
        fields["isActive"] = flag_of(body, "isActive")
    if "projectId" in body:
        fields["projectId"] = _project(call, body)
    return fields


def _short(body: JsonObject, name: str, longest: int) -> str:
    text = text_of(body, name)
    if len(text) > longest:
        raise unfit(name, f"may have {longest} characters")
    return text


def _events(given: Json) -> Json:
    if not isinstance(given, list) or not given:
        raise wrong("events", "must be a list of at least one event")
    if not all(event in NAMES for event in given):
        raise wrong("events", f"must be some of {', '.join(NAMES)}")
    return given


def _project(call: Call, body: JsonObject) -> str | None:
    if body["projectId"] is None:
        return None
    return call.find("projects", text_of(body, "projectId")).id


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
    kinds=("webhook_endpoints",),
)
