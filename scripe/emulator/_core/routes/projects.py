"""GET /projects and GET /projects/{projectId}."""

from ..canonical_json import JsonObject
from ..database import Record, Selection, new_id
from ..dates import format_timestamp
from ..messages import Response
from ..pagination import page_of_selection
from ..routing import RequestContext, Resource, Route, data_response


def list_projects(context: RequestContext) -> Response:
    """List the workspace's projects, newest first."""
    return page_of_selection(context, Selection("projects", context.workspace_id), to_json)


def get_project(context: RequestContext) -> Response:
    """Show a project."""
    return data_response(to_json(context.find("projects", context.parameters["projectId"])))


def to_json(project: Record) -> JsonObject:
    """Return a project as the API shows it."""
    url = project.fields["url"] if project.internal.get("linkedin", True) else None
    created_at = format_timestamp(project.created_at)
    return {"id": project.id, **project.fields, "url": url, "createdAt": created_at}


def new_project(
    workspace_id: str,
    created_at: int,
    name: str,
    *,
    project_type: str = "PERSONAL_BRAND",
    status: str = "ACTIVE",
    url: str | None = None,
) -> Record:
    """Make a project, without storing it."""
    fields: JsonObject = {"name": name, "type": project_type, "status": status, "url": url}
    return Record("projects", new_id("proj"), workspace_id, None, created_at, fields=fields)


RESOURCE = Resource(
    (
        Route("GET", "/projects", list_projects),
        Route("GET", "/projects/{projectId}", get_project),
    ),
    names=("projects",),
)
