"""The schemas and operations of ``/projects``."""

from scripe.emulator.openapi.building import moment, nullable, reference, structure, text, word
from scripe.emulator.openapi.operations import Operation, Page, page_of, wrapped
from scripe.emulator.wire import JsonObject

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
