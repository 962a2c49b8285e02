"""GET /notes, GET /notes/{noteId} and POST /notes."""

from scripe.emulator.checks import check_size, choice_of, optional_text_of, text_of, unfit
from scripe.emulator.clock import timestamp
from scripe.emulator.messages import Response
from scripe.emulator.moments import day_of, moment_of
from scripe.emulator.paging import listing, span
from scripe.emulator.posts import CONTENT_TYPES
from scripe.emulator.routing import Call, Resource, Route, wrapped
from scripe.emulator.state import Record, Selection, new_id
from scripe.emulator.wire import JsonObject

MAX_CHARACTERS = 100_000
MAX_BYTES = 100 * 1024


def list_notes(call: Call) -> Response:
    """The notes of a project, newest first; the dates are those of their slots."""
    earliest, latest = span(call, times=False)
    query, project_id = call.request.query, call.project()
    dated = "dateFrom" in query or "dateTo" in query
    return listing(
        call,
        lambda before: Selection(
            "notes",
            call.workspace_id,
            project_id,
            folder_id=query.get("folderId") or None,
            dated="$.slot" if dated else None,
            earliest=earliest,
            latest=latest,
            before=before,
        ),
        shown,
    )


def get_note(call: Call) -> Response:
    """One note."""
    return wrapped(shown(call.find("notes", call.parameters["noteId"])))


def create_note(call: Call) -> Response:
    """A note and its slot."""
    body, backend = call.body, call.backend
    project_id, content = text_of(body, "projectId"), optional_text_of(body, "content") or ""
    check_size("content", content, characters=MAX_CHARACTERS, size=MAX_BYTES)
    folder_id, now = optional_text_of(body, "folderId") or None, backend.clock.milliseconds()
    slot, content_type = _slot_of(body, now), choice_of(body, "contentType", CONTENT_TYPES, "PERSONAL")
    call.find("projects", project_id)
    note = new_note(call.workspace_id, project_id, now, content, folder_id, slot, content_type)
    backend.state.insert(note)
    backend.events.emit("note.created", note, shown(note))
    return wrapped(shown(note))


def shown(note: Record) -> JsonObject:
    """A note as the API shows it."""
    return {
        "id": note.id,
        "projectId": note.project_id,
        "folderId": note.fields["folderId"],
        "content": note.fields["content"],
        "createdAt": timestamp(note.created_at),
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
    """A note, not stored yet; it has a slot if a moment for it is given."""
    fields: JsonObject = {"folderId": folder_id, "content": content, "slot": None}
    if slot is not None:
        fields["slot"] = {"id": new_id("slot"), "date": timestamp(slot), "contentType": content_type}
    private = {} if slot is None else {"slot": slot}
    return Record(
        "notes", new_id("note"), workspace_id, project_id, created_at, fields=fields, private=private
    )


def _slot_of(body: JsonObject, now: int) -> int:
    if "date" not in body:
        return now
    given = text_of(body, "date")
    moment = day_of(given) if len(given) == len("2026-05-15") else moment_of(given)
    if moment is None:
        raise unfit("date", "must be a date, or an ISO 8601 date-time with its zone")
    return moment


RESOURCE = Resource(
    (
        Route("GET", "/notes", list_notes, scopes=("notes:read",)),
        Route(
            "POST",
            "/notes",
            create_note,
            bucket="write",
            scopes=("notes:write",),
            takes_body=True,
            idempotent=True,
        ),
        Route("GET", "/notes/{noteId}", get_note, scopes=("notes:read",)),
    ),
    kinds=("notes",),
)
