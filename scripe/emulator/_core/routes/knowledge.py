"""POST /knowledge."""

from collections.abc import Callable, Mapping

from ..addresses import split_url
from ..canonical_json import JsonObject
from ..database import Record, new_id
from ..messages import Response
from ..routing import MAX_BODY, RequestContext, Resource, Route, data_response
from ..services import Services
from ..validation import check_size, require_str, str_if_present, unprocessable_field
from .uploads import keep_upload, read_upload, require_bytes

MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
MAX_NAME = 500
CENTS = {"text": 1, "file": 2, "url": 2, "youtube": 3}
ESTIMATED_MS = {"text": 10_000, "file": 60_000, "url": 30_000, "youtube": 120_000}
UNREAD = "[The emulator does not fetch {url}.]"
SEEDED: JsonObject = {"name": "Seeded document", "text": "A document that was seeded, not indexed."}


def create_knowledge(context: RequestContext) -> Response:
    """The job that indexes a document."""
    document_type = require_str(context.body, "type")
    prepare = PREPARE.get(document_type)
    if prepare is None:
        raise unprocessable_field("type", f"must be one of {', '.join(PREPARE)}")
    task, project_id = prepare(context), str_if_present(context.body, "projectId")
    if len(str(task["name"])) > MAX_NAME and "name" in context.body:
        raise unprocessable_field("name", f"may have {MAX_NAME} characters")
    if project_id is not None:
        context.find("projects", project_id)
    return data_response(
        context.services.jobs.to_json(_submit(context, document_type, project_id, task), live=True)
    )


def _submit(context: RequestContext, document_type: str, project_id: str | None, task: JsonObject) -> Record:
    services, cents = context.services, CENTS[document_type]
    day = services.clock.now().date().isoformat()
    services.spending.reserve(context.workspace_id, context.principal.plan, day, cents)
    if "upload" in task:
        keep_upload(services, context.find("uploads", str(task["upload"])))
    return services.jobs.submit(
        f"KB_INGEST_{document_type.upper()}",
        context.workspace_id,
        project_id,
        estimated_ms=ESTIMATED_MS[document_type],
        task=task,
        cents=cents,
    )


def _text(context: RequestContext) -> JsonObject:
    name, text = require_str(context.body, "name"), require_str(context.body, "text")
    check_size("text", text, characters=MAX_CHARACTERS, size=MAX_BYTES)
    return {"name": name, "text": text}


def _file(context: RequestContext) -> JsonObject:
    name, upload_id = require_str(context.body, "name"), require_str(context.body, "uploadId")
    upload = context.find("uploads", upload_id)
    require_bytes(context.services, upload)
    return {"name": name, "upload": upload_id, **upload.internal}


def _url(context: RequestContext) -> JsonObject:
    url = require_str(context.body, "url")
    if split_url(url) is None:
        raise unprocessable_field("url", "must be an http or https URL")
    return {"name": str_if_present(context.body, "name") or url, "text": UNREAD.format(url=url)}


def _index(services: Services, job: Record, moment: int) -> JsonObject:
    task = job.internal.get("task", SEEDED)
    text = read_upload(services, task["key"], task["content_type"]).text if "upload" in task else task["text"]
    document = Record(
        "knowledge",
        new_id("kb"),
        job.workspace_id,
        job.project_id,
        moment,
        fields={"name": task["name"]},
        internal={"text": text},
    )
    services.database.insert(document)
    services.events.record("knowledge.indexed", document, {"documentId": document.id, "name": task["name"]})
    return {"documentId": document.id}


PREPARE: Mapping[str, Callable[[RequestContext], JsonObject]] = {
    "text": _text,
    "file": _file,
    "url": _url,
    "youtube": _url,
}
RESOURCE = Resource(
    (
        Route(
            "POST",
            "/knowledge",
            create_knowledge,
            bucket="write",
            scopes=("knowledge:write",),
            takes_body=True,
            idempotent=True,
            body_limit=MAX_BODY,
        ),
    ),
    names=("knowledge",),
    job_handlers={f"KB_INGEST_{document_type.upper()}": _index for document_type in CENTS},
)
