"""GET /workspaces/me and GET /workspaces."""

from scripe.emulator.messages import Response
from scripe.emulator.paging import listing_of
from scripe.emulator.routing import Call, Resource, Route, bare
from scripe.emulator.state import Record
from scripe.emulator.wire import JsonObject


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
