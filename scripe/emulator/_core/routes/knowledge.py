"""POST /knowledge."""

from collections.abc import Callable, Mapping

from ...._vocabulary import JobType
from ..canonical_json import JsonObject
from ..database import Record, new_id
from ..messages import Response
from ..routing import MAX_BODY, RequestContext, Resource, data_response, write_route
from ..services import Services
from ..validation import check_size, parse_url, require_str, str_if_present, unprocessable_field
from .uploads import keep_upload, read_upload, require_bytes

MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
MAX_NAME = 500
JOB_TYPES: dict[str, JobType] = {
    "text": "KB_INGEST_TEXT",
    "file": "KB_INGEST_FILE",
    "url": "KB_INGEST_URL",
    "youtube": "KB_INGEST_YOUTUBE",
}
CENTS = {"text": 1, "file": 2, "url": 2, "youtube": 3}
ESTIMATED_MS = {"text": 10_000, "file": 60_000, "url": 30_000, "youtube": 120_000}
NOT_FETCHED = "[The emulator does not fetch {url}.]"
SEEDED: JsonObject = {"name": "Seeded document", "text": "A document that was seeded, not indexed."}


def create_knowledge(context: RequestContext) -> Response:
    """Queue the job that indexes a document."""
    services, document_type = context.services, require_str(context.body, "type")
    prepare = PREPARE.get(document_type)
    if prepare is None:
        raise unprocessable_field("type", f"must be one of {', '.join(PREPARE)}")
    task, project_id = prepare(context), str_if_present(context.body, "projectId")
    if len(str(task["name"])) > MAX_NAME and "name" in context.body:
        raise unprocessable_field("name", f"may have {MAX_NAME} characters")
    if project_id is not None:
        context.find("projects", project_id)
    job = services.jobs.submit(
        JOB_TYPES[document_type],
        context.principal,
        project_id,
        estimated_ms=ESTIMATED_MS[document_type],
        task=task,
        cents=CENTS[document_type],
    )
    if "upload" in task:
        keep_upload(services, context.find("uploads", str(task["upload"])))
    return data_response(services.jobs.to_json(job, live=True))


def _prepare_text(context: RequestContext) -> JsonObject:
    name, text = require_str(context.body, "name"), require_str(context.body, "text")
    check_size("text", text, characters=MAX_CHARACTERS, size=MAX_BYTES)
    return {"name": name, "text": text}


def _prepare_file(context: RequestContext) -> JsonObject:
    name, upload_id = require_str(context.body, "name"), require_str(context.body, "uploadId")
    upload = context.find("uploads", upload_id)
    require_bytes(context.services, upload)
    return {"name": name, "upload": upload_id, **upload.internal}


def _prepare_url(context: RequestContext) -> JsonObject:
    url = require_str(context.body, "url")
    if parse_url(url) is None:
        raise unprocessable_field("url", "must be an http or https URL")
    return {"name": str_if_present(context.body, "name") or url, "text": NOT_FETCHED.format(url=url)}


def _index(services: Services, job: Record, moment: int) -> JsonObject:
    task = job.internal.get("task", SEEDED)
    text = task.get("text") or read_upload(services, task["key"], task["content_type"]).text
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
    data: JsonObject = {"documentId": document.id, "name": task["name"]}
    services.events.record("knowledge.indexed", document, data)
    return {"documentId": document.id}


PREPARE: Mapping[str, Callable[[RequestContext], JsonObject]] = {
    "text": _prepare_text,
    "file": _prepare_file,
    "url": _prepare_url,
    "youtube": _prepare_url,
}
RESOURCE = Resource(
    (write_route("POST", "/knowledge", create_knowledge, ("knowledge:write",), body_limit=MAX_BODY),),
    names=("knowledge",),
    job_handlers=dict.fromkeys(JOB_TYPES.values(), _index),
)
