"""The schemas and operations of ``/workspaces``."""

from scripe.emulator.openapi.building import nullable, reference, structure, text, word
from scripe.emulator.openapi.operations import Operation, Page, page_of
from scripe.emulator.settings import PLANS
from scripe.emulator.wire import JsonObject

FIELDS: JsonObject = {"id": text("`org_…`"), "name": nullable(text()), "plan": word(PLANS)}
FEATURES: JsonObject = {"type": "object", "additionalProperties": {"type": "boolean"}}
SCHEMAS: JsonObject = {
    "Workspace": structure(FIELDS),
    "CurrentWorkspace": structure(
        {"workspace": structure({**FIELDS, "features": FEATURES}), "principal": reference("Principal")}
    ),
}
OPERATIONS = (
    Operation(
        "GET",
        "/workspaces/me",
        "getCurrentWorkspace",
        "Workspaces",
        "The workspace and the principal of the token",
        reference("CurrentWorkspace"),
    ),
    Operation(
        "GET",
        "/workspaces",
        "listWorkspaces",
        "Workspaces",
        "The workspaces that the token reaches",
        page_of("Workspace"),
        query=Page().query(),
    ),
)
