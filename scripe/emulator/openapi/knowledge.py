"""The schemas and operations of ``/knowledge``."""

from .._core.canonical_json import JsonObject
from .._core.validation import URL
from .building import choice, one_of, reference, structure, text
from .operations import Operation, wrapped

NAME = text(minLength=1, maxLength=500)
ADDRESS = text("http or https.", pattern=f"^{URL}$")
OPTIONAL: JsonObject = {
    "projectId": text("The document is this project's; the whole workspace's without.", minLength=1)
}
SCHEMAS: JsonObject = {
    "KnowledgeCreateText": structure(
        {
            "type": choice(("text",)),
            "name": NAME,
            "text": text("At most 1,000,000 characters and 1 MB.", minLength=1, maxLength=1_000_000),
        },
        OPTIONAL,
    ),
    "KnowledgeCreateFile": structure(
        {"type": choice(("file",)), "name": NAME, "uploadId": text(minLength=1)}, OPTIONAL
    ),
    "KnowledgeCreateUrl": structure({"type": choice(("url",)), "url": ADDRESS}, {"name": NAME, **OPTIONAL}),
    "KnowledgeCreateYoutube": structure(
        {"type": choice(("youtube",)), "url": ADDRESS}, {"name": NAME, **OPTIONAL}
    ),
}
OPERATIONS = (
    Operation(
        "POST",
        "/knowledge",
        "createKnowledge",
        "Knowledge",
        "Let a document be indexed",
        wrapped(reference("Job")),
        one_of(
            "type",
            {
                "text": "KnowledgeCreateText",
                "file": "KnowledgeCreateFile",
                "url": "KnowledgeCreateUrl",
                "youtube": "KnowledgeCreateYoutube",
            },
        ),
        statuses=(402, 404, 422),
    ),
)
