"""GET /workspaces/me and GET /workspaces."""

from ..canonical_json import JsonObject
from ..database import Record
from ..messages import Response
from ..pagination import page_of_records
from ..routing import RequestContext, Resource, Route, json_response


def me(context: RequestContext) -> Response:
    """The workspace and the principal of the token."""
    principal = context.principal
    return json_response(
        {
            "workspace": {
                "id": principal.workspace_id,
                "name": principal.workspace_name,
                "plan": principal.plan,
                "features": {"apiAccess": True, "amplifiers": False, "engagementAutomation": False},
            },
            "principal": principal.to_json(),
        }
    )


def list_workspaces(context: RequestContext) -> Response:
    """The workspaces that the token reaches."""
    rows = context.services.auth.workspaces_of(context.principal)
    records = [
        Record("workspaces", row["id"], row["id"], None, 0, fields={"name": row["name"], "plan": row["plan"]})
        for row in rows
    ]
    return page_of_records(context, records, to_json)


def to_json(workspace: Record) -> JsonObject:
    """A workspace as the list shows it."""
    return {"id": workspace.id, **workspace.fields}


RESOURCE = Resource(
    (
        Route("GET", "/workspaces/me", me),
        Route("GET", "/workspaces", list_workspaces),
    )
)
