"""GET /workspaces/me and GET /workspaces."""

from ..database import Record
from ..messages import Response
from ..pagination import page_of_records
from ..routing import RequestContext, Resource, Route, json_response


def get_me(context: RequestContext) -> Response:
    """Show the workspace and the principal of the call."""
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
    """List the workspaces that the principal may use."""
    records = [
        Record("workspaces", row["id"], row["id"], None, 0, fields={"name": row["name"], "plan": row["plan"]})
        for row in context.services.auth.workspaces_of(context.principal)
    ]
    return page_of_records(context, records, lambda workspace: {"id": workspace.id, **workspace.fields})


RESOURCE = Resource(
    (
        Route("GET", "/workspaces/me", get_me),
        Route("GET", "/workspaces", list_workspaces),
    )
)
