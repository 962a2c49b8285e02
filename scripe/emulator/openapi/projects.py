"""The schemas and operations of ``/projects``."""

from .._core.canonical_json import JsonObject
from .building import moment, nullable, reference, structure, text, word
from .operations import Operation, Page, page_of, wrapped

SCHEMAS: JsonObject = {
    "Project": structure(
        {
            "id": text("`proj_…`"),
            "name": text(),
            "type": word(("PERSONAL_BRAND", "COMPANY_PAGE")),
            "status": word(("ACTIVE", "PAUSED", "ARCHIVED", "ERROR")),
            "url": nullable(text("The LinkedIn page, when connected.")),
            "createdAt": moment(),
        }
    )
}
OPERATIONS = (
    Operation(
        "GET",
        "/projects",
        "listProjects",
        "Projects",
        "The workspace's projects, newest first",
        page_of("Project"),
        query=Page().query(),
    ),
    Operation(
        "GET",
        "/projects/{projectId}",
        "getProject",
        "Projects",
        "One project",
        wrapped(reference("Project")),
    ),
)
