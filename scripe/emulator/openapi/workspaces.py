"""The schemas and operations of ``/workspaces``."""

from .._core.canonical_json import JsonObject
from .._core.settings import PLANS
from .building import nullable, reference, structure, text, word
from .operations import Operation, Page, page_of

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
