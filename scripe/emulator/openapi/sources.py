"""The schemas and operations of ``/sources``."""

from .._core.canonical_json import JsonObject
from .building import (
    choice,
    flag,
    integer,
    listed,
    moment,
    nullable,
    one_of,
    reference,
    structure,
    text,
    word,
)
from .operations import Operation, wrapped

NUMBER: JsonObject = {"type": "number"}
SCHEMAS: JsonObject = {
    "Hook": structure({"id": text("`hk_…`"), "content": text(), "postType": text(), "contentType": text()}),
    "Topic": structure(
        {
            "id": text("`tpc_…`"),
            "title": text(),
            "summary": text(),
            "keyTakeaways": listed(text()),
            "ranking": NUMBER,
            "score": NUMBER,
            "fromSeconds": NUMBER,
            "toSeconds": NUMBER,
            "hooks": listed(reference("Hook")),
        }
    ),
    "Source": structure(
        {
            "id": text("`src_…`"),
            "projectId": text(),
            "status": word(("Processing", "Done", "Success", "Failed")),
            "name": nullable(text()),
            "fileType": nullable(text()),
            "durationSeconds": integer("0 when it is no recording.", minimum=0),
            "createdAt": moment(),
            "updatedAt": nullable(moment()),
            "textPreview": text("The first 2,000 characters.", maxLength=2_000),
            "textPreviewTruncated": flag(),
            "hasFullText": flag(),
        },
        {"topics": listed(reference("Topic"))},
    ),
    "SourceCreateText": structure(
        {
            "type": choice(("text",)),
            "projectId": text(minLength=1),
            "text": text("At most 1,000,000 characters and 1 MB.", minLength=1, maxLength=1_000_000),
        },
        {"name": nullable(text())},
    ),
    "SourceCreateFile": structure(
        {"type": choice(("file",)), "projectId": text(minLength=1), "uploadId": text(minLength=1)},
        {"name": nullable(text())},
    ),
}
OPERATIONS = (
    Operation(
        "POST",
        "/sources",
        "createSource",
        "Sources",
        "Create a source from text, or the job that makes one from an upload",
        wrapped({"oneOf": [reference("Source"), reference("Job")]}),
        one_of("type", {"text": "SourceCreateText", "file": "SourceCreateFile"}),
        statuses=(402, 404, 422),
    ),
    Operation(
        "GET",
        "/sources/{sourceId}",
        "getSource",
        "Sources",
        "One source, of its text the beginning",
        wrapped(reference("Source")),
    ),
)
