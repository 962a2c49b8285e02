"""GET /workspaces/me and GET /workspaces."""

from ..canonical_json import JsonObject
from ..database import Record
from ..messages import Response
from ..pagination import listing_of
from ..routing import Call, Resource, Route, bare


def me(call: Call) -> Response:
    """The workspace and the principal of the token."""
    principal = call.principal
    return bare(
        {
            "workspace": {
                "id": principal.workspace_id,
                "name": principal.workspace_name,
                "plan": principal.plan,
                "features": {"apiAccess": True, "amplifiers": False, "engagementAutomation": False},
            },
            "principal": principal.shown(),
        }
    )


def list_workspaces(call: Call) -> Response:
    """The workspaces that the token reaches."""
    rows = call.backend.access.reach(call.principal)
    records = [
        Record("workspaces", row["id"], row["id"], None, 0, fields={"name": row["name"], "plan": row["plan"]})
        for row in rows
    ]
    return listing_of(call, records, shown)


def shown(workspace: Record) -> JsonObject:
    """A workspace as the list shows it."""
    return {"id": workspace.id, **workspace.fields}


RESOURCE = Resource(
    (
        Route("GET", "/workspaces/me", me),
        Route("GET", "/workspaces", list_workspaces),
    )
)
