"""POST /sources and GET /sources/{sourceId}."""

from ..canonical_json import JsonObject
from ..clock import timestamp
from ..database import Record, new_id
from ..errors import ApiError
from ..file_readers import FileContent
from ..messages import Response
from ..routing import MAX_BODY, RequestContext, Resource, Route, data_response
from ..services import Services
from ..validation import optional_str, require_str
from .uploads import keep_upload, read_upload, require_bytes

PREVIEW = 2_000
MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
ESTIMATED_MS = 240_000
SEEDED = {"key": "", "content_type": "text/plain", "name": "Seeded source"}


def create_source(context: RequestContext) -> Response:
    """A source from text at once, or the job that makes one from an upload."""
    source_type = require_str(context.body, "type")
    create = {"text": _create_text, "file": _create_file}.get(source_type)
    if create is None:
        raise ApiError("unprocessable", f"type must be text or file, not {source_type!r}.")
    return create(context)


def get_source(context: RequestContext) -> Response:
    """One source, of its text the beginning."""
    return data_response(to_json(context.find("sources", context.parameters["sourceId"])))


def to_json(source: Record) -> JsonObject:
    """A source as the API shows it."""
    text: str = source.internal["text"]
    topics = source.fields.get("topics")
    return {
        "id": source.id,
        "projectId": source.project_id,
        "status": source.fields["status"],
        "name": source.fields["name"],
        "fileType": source.fields["fileType"],
        "durationSeconds": source.fields["durationSeconds"],
        "createdAt": timestamp(source.created_at),
        "updatedAt": source.fields["updatedAt"],
        "textPreview": text[:PREVIEW],
        "textPreviewTruncated": len(text) > PREVIEW,
        "hasFullText": bool(text),
        **({"topics": topics} if topics else {}),
    }


def new_source(
    workspace_id: str, project_id: str | None, created_at: int, name: str | None, text: str
) -> Record:
    """A source made from text, not stored yet."""
    fields: JsonObject = {
        "status": "Success",
        "name": name,
        "fileType": None,
        "durationSeconds": 0,
        "updatedAt": None,
    }
    return Record(
        "sources", new_id("src"), workspace_id, project_id, created_at, fields=fields, internal={"text": text}
    )


def _create_text(context: RequestContext) -> Response:
    project_id, text = require_str(context.body, "projectId"), require_str(context.body, "text")
    name = optional_str(context.body, "name")
    if len(text) > MAX_CHARACTERS or len(text.encode()) > MAX_BYTES:
        raise ApiError("payload_too_large", "text must be at most 1 MB and 1,000,000 characters.")
    context.find("projects", project_id)
    source = new_source(context.workspace_id, project_id, context.services.clock.milliseconds(), name, text)
    context.services.database.insert(source)
    context.services.events.record("source.created", source, to_json(source))
    return data_response(to_json(source))


def _create_file(context: RequestContext) -> Response:
    services, principal = context.services, context.principal
    project_id, upload_id = require_str(context.body, "projectId"), require_str(context.body, "uploadId")
    name = optional_str(context.body, "name")
    context.find("projects", project_id)
    upload = context.find("uploads", upload_id)
    require_bytes(services, upload)
    cents, day = services.settings.source_cents, services.clock.now().date().isoformat()
    services.spending.reserve(context.workspace_id, principal.plan, day, cents)
    keep_upload(services, upload)
    job = services.jobs.submit(
        "SOURCE_INGEST_FILE",
        context.workspace_id,
        project_id,
        estimated_ms=ESTIMATED_MS,
        task={"name": name, **upload.internal},
        cents=cents,
    )
    return data_response(services.jobs.to_json(job, live=True))


def _ingest(services: Services, job: Record, moment: int) -> JsonObject:
    task = job.internal.get("task", SEEDED)
    reading = _read(services, task["key"], task["content_type"])
    name = task["name"] if task["name"] is not None else task["key"].rpartition("/")[2]
    source = new_source(job.workspace_id, job.project_id, job.created_at, name, reading.text)
    source.fields |= {
        "status": "Done",
        "fileType": task["content_type"],
        "durationSeconds": reading.duration_seconds,
        "updatedAt": timestamp(moment),
    }
    if services.settings.include_topics:
        source.fields["topics"] = [_topic(reading)]
    services.database.insert(source)
    services.events.record("source.created", source, to_json(source))
    return {"sourceId": source.id}


def _read(services: Services, key: str, content_type: str) -> FileContent:
    if not key:
        return FileContent("A source that was seeded, not uploaded.")
    return read_upload(services, key, content_type)


def _topic(reading: FileContent) -> JsonObject:
    opening = " ".join(reading.text.split()[:12])
    hook: JsonObject = {
        "id": new_id("hk"),
        "content": opening,
        "postType": "INSIGHT",
        "contentType": "PERSONAL",
    }
    return {
        "id": new_id("tpc"),
        "title": opening[:60],
        "summary": opening,
        "keyTakeaways": [opening],
        "ranking": 1,
        "score": 0.5,
        "fromSeconds": 0,
        "toSeconds": reading.duration_seconds,
        "hooks": [hook],
    }


RESOURCE = Resource(
    (
        Route(
            "POST",
            "/sources",
            create_source,
            bucket="write",
            scopes=("sources:write",),
            takes_body=True,
            idempotent=True,
            body_limit=MAX_BODY,
        ),
        Route("GET", "/sources/{sourceId}", get_source, scopes=("notes:read",)),
    ),
    names=("sources",),
    job_handlers={"SOURCE_INGEST_FILE": _ingest},
)
