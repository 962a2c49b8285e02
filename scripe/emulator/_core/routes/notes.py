"""GET /notes, GET /notes/{noteId} and POST /notes."""

from ..canonical_json import JsonObject
from ..database import Record, Selection, new_id
from ..dates import format_timestamp, parse_datetime, parse_day
from ..messages import Response
from ..pagination import page_of_selection, parse_date_range
from ..posts import CONTENT_TYPES
from ..routing import RequestContext, Resource, Route, data_response, write_route
from ..validation import check_size, optional_choice, optional_str, require_str, unprocessable_field

MAX_CHARACTERS = 100_000
MAX_BYTES = 100 * 1024


def list_notes(context: RequestContext) -> Response:
    """List the notes of a project, newest first; the date filters are for their slots."""
    earliest, latest = parse_date_range(context, times=False)
    query = context.request.query
    selection = Selection(
        "notes",
        context.workspace_id,
        context.project_id(),
        folder_id=query.get("folderId") or None,
        date_path="$.slot" if "dateFrom" in query or "dateTo" in query else None,
        earliest=earliest,
        latest=latest,
    )
    return page_of_selection(context, selection, to_json)


def get_note(context: RequestContext) -> Response:
    """Show a note."""
    return data_response(to_json(context.find("notes", context.parameters["noteId"])))


def create_note(context: RequestContext) -> Response:
    """Create a note and its slot."""
    body, services = context.body, context.services
    project_id, content = require_str(body, "projectId"), optional_str(body, "content") or ""
    check_size("content", content, characters=MAX_CHARACTERS, size=MAX_BYTES)
    folder_id, now = optional_str(body, "folderId") or None, services.clock.milliseconds()
    slot = _parse_slot(body, now)
    content_type = optional_choice(body, "contentType", CONTENT_TYPES, "PERSONAL")
    context.find("projects", project_id)
    note = new_note(context.workspace_id, project_id, now, content, folder_id, slot, content_type)
    services.database.insert(note)
    services.events.record("note.created", note, to_json(note))
    return data_response(to_json(note))


def to_json(note: Record) -> JsonObject:
    """Return a note as the API shows it."""
    return {
        "id": note.id,
        "projectId": note.project_id,
        "folderId": note.fields["folderId"],
        "content": note.fields["content"],
        "createdAt": format_timestamp(note.created_at),
        "updatedAt": None,
        "slot": note.fields["slot"],
    }


def new_note(
    workspace_id: str,
    project_id: str | None,
    created_at: int,
    content: str,
    folder_id: str | None = None,
    slot: int | None = None,
    content_type: str = "PERSONAL",
) -> Record:
    """Make a note, without storing it; it has a slot if the moment of one is given."""
    note = Record("notes", new_id("note"), workspace_id, project_id, created_at)
    note.fields = {"folderId": folder_id, "content": content, "slot": None}
    if slot is not None:
        note.internal = {"slot": slot}
        note.fields["slot"] = {
            "id": new_id("slot"),
            "date": format_timestamp(slot),
            "contentType": content_type,
        }
    return note


def _parse_slot(body: JsonObject, now: int) -> int:
    if "date" not in body:
        return now
    text = require_str(body, "date")
    moment = parse_day(text) if len(text) == len("2026-05-15") else parse_datetime(text)
    if moment is None:
        raise unprocessable_field("date", "must be a date, or an ISO 8601 date-time with its zone")
    return moment


RESOURCE = Resource(
    (
        Route("GET", "/notes", list_notes, scopes=("notes:read",)),
        write_route("POST", "/notes", create_note, ("notes:write",)),
        Route("GET", "/notes/{noteId}", get_note, scopes=("notes:read",)),
    ),
    names=("notes",),
)
