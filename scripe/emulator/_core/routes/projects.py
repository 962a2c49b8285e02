"""GET /projects and GET /projects/{projectId}."""

from ..canonical_json import JsonObject
from ..clock import timestamp
from ..database import Record, Selection, new_id
from ..messages import Response
from ..pagination import listing
from ..routing import Call, Resource, Route, wrapped


def list_projects(call: Call) -> Response:
    """The workspace's projects, newest first."""
    return listing(call, lambda before: Selection("projects", call.workspace_id, before=before), shown)


def get_project(call: Call) -> Response:
    """One project."""
    return wrapped(shown(call.find("projects", call.parameters["projectId"])))


def shown(project: Record) -> JsonObject:
    """A project as the API shows it."""
    url = project.fields["url"] if project.private.get("linkedin", True) else None
    return {"id": project.id, **project.fields, "url": url, "createdAt": timestamp(project.created_at)}


def new_project(
    workspace_id: str,
    created_at: int,
    name: str,
    *,
    project_type: str = "PERSONAL_BRAND",
    status: str = "ACTIVE",
    url: str | None = None,
) -> Record:
    """A project, not stored yet."""
    fields: JsonObject = {"name": name, "type": project_type, "status": status, "url": url}
    return Record("projects", new_id("proj"), workspace_id, None, created_at, fields=fields)


RESOURCE = Resource(
    (
        Route("GET", "/projects", list_projects),
        Route("GET", "/projects/{projectId}", get_project),
    ),
    kinds=("projects",),
)
