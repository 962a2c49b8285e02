"""The schemas and operations of ``/notes``."""

from .._core.canonical_json import JsonObject
from .._core.posts import CONTENT_TYPES
from .building import (
    choice,
    moment,
    nullable,
    parameter,
    reference,
    structure,
    text,
    word,
)
from .operations import Operation, Page, page_of, wrapped

DAY: JsonObject = {"type": "string", "format": "date"}
PROJECT = parameter("projectId", text(minLength=1), "A project of the workspace.", required=True)
SCHEMAS: JsonObject = {
    "NoteSlot": structure(
        {
            "id": text(),
            "date": moment("When the slot is."),
            "contentType": nullable(word(CONTENT_TYPES)),
        }
    ),
    "Note": structure(
        {
            "id": text("`note_…`"),
            "projectId": text(),
            "folderId": nullable(text()),
            "content": text(),
            "createdAt": moment(),
            "updatedAt": nullable(moment()),
            "slot": nullable(reference("NoteSlot")),
        }
    ),
    "NoteCreate": structure(
        {"projectId": text(minLength=1)},
        {
            "content": nullable(text("At most 100,000 characters and 100 KB.", maxLength=100_000)),
            "folderId": nullable(text("null is the root.")),
            "date": {
                "anyOf": [DAY, moment()],
                "description": "The date of the note's slot; now without.",
            },
            "contentType": choice(CONTENT_TYPES, default="PERSONAL"),
        },
    ),
}
OPERATIONS = (
    Operation(
        "GET",
        "/notes",
        "listNotes",
        "Notes",
        "The notes of a project, newest first",
        page_of("Note"),
        query=Page(
            (
                PROJECT,
                parameter("folderId", text(), "Only this folder's; empty is the same as absent."),
                parameter("dateFrom", DAY, "The first day of the slots; notes without one disappear."),
                parameter("dateTo", DAY, "The last day of the slots; notes without one disappear."),
            )
        ).query(),
        statuses=(404,),
    ),
    Operation("GET", "/notes/{noteId}", "getNote", "Notes", "One note", wrapped(reference("Note"))),
    Operation(
        "POST",
        "/notes",
        "createNote",
        "Notes",
        "Create a note and its slot",
        wrapped(reference("Note")),
        reference("NoteCreate"),
        statuses=(404, 422),
    ),
)
