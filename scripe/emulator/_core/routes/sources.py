"""POST /sources and GET /sources/{sourceId}."""

from ..canonical_json import JsonObject
from ..database import Record, new_id
from ..dates import format_timestamp
from ..errors import ApiError
from ..file_readers import FileContent
from ..messages import Response
from ..routing import MAX_BODY, RequestContext, Resource, Route, data_response, write_route
from ..services import Services
from ..validation import optional_str, require_str
from .uploads import keep_upload, read_upload, require_bytes

PREVIEW = 2_000
MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
ESTIMATED_MS = 240_000
SEEDED = {"key": "", "content_type": "text/plain", "name": "Seeded source"}
SEEDED_CONTENT = FileContent("A source that was seeded, not uploaded.")


def create_source(context: RequestContext) -> Response:
    """Create a source from text, or queue the job that makes one from an upload."""
    source_type = require_str(context.body, "type")
    create = {"text": _create_text, "file": _create_file}.get(source_type)
    if create is None:
        raise ApiError("unprocessable", f"type must be text or file, not {source_type!r}.")
    return create(context)


def get_source(context: RequestContext) -> Response:
    """Show a source, with the beginning of its text."""
    return data_response(to_json(context.find("sources", context.parameters["sourceId"])))


def to_json(source: Record) -> JsonObject:
    """Return a source as the API shows it."""
    text: str = source.internal["text"]
    fields, topics = source.fields, source.fields.get("topics")
    return {
        "id": source.id,
        "projectId": source.project_id,
        "status": fields["status"],
        "name": fields["name"],
        "fileType": fields["fileType"],
        "durationSeconds": fields["durationSeconds"],
        "createdAt": format_timestamp(source.created_at),
        "updatedAt": fields["updatedAt"],
        "textPreview": text[:PREVIEW],
        "textPreviewTruncated": len(text) > PREVIEW,
        "hasFullText": bool(text),
        **({"topics": topics} if topics else {}),
    }


def new_source(
    workspace_id: str, project_id: str | None, created_at: int, name: str | None, text: str
) -> Record:
    """Make a source from text, without storing it."""
    source = Record("sources", new_id("src"), workspace_id, project_id, created_at, internal={"text": text})
    source.fields = {
        "status": "Success",
        "name": name,
        "fileType": None,
        "durationSeconds": 0,
        "updatedAt": None,
    }
    return source


def _create_text(context: RequestContext) -> Response:
    project_id, text = require_str(context.body, "projectId"), require_str(context.body, "text")
    name = optional_str(context.body, "name")
    if len(text) > MAX_CHARACTERS or len(text.encode()) > MAX_BYTES:
        raise ApiError("payload_too_large", "text must be at most 1 MB and 1,000,000 characters.")
    context.find("projects", project_id)
    now = context.services.clock.milliseconds()
    source = new_source(context.workspace_id, project_id, now, name, text)
    _store(context.services, source)
    return data_response(to_json(source))


def _create_file(context: RequestContext) -> Response:
    services, body = context.services, context.body
    project_id, upload_id = require_str(body, "projectId"), require_str(body, "uploadId")
    name = optional_str(body, "name")
    context.find("projects", project_id)
    upload = context.find("uploads", upload_id)
    require_bytes(services, upload)
    job = services.jobs.submit(
        "SOURCE_INGEST_FILE",
        context.principal,
        project_id,
        estimated_ms=ESTIMATED_MS,
        task={"name": name, **upload.internal},
        cents=services.settings.source_cents,
    )
    keep_upload(services, upload)
    return data_response(services.jobs.to_json(job, live=True))


def _ingest(services: Services, job: Record, moment: int) -> JsonObject:
    task = job.internal.get("task", SEEDED)
    key, content_type, name = task["key"], task["content_type"], task["name"]
    content = read_upload(services, key, content_type) if key else SEEDED_CONTENT
    name = key.rpartition("/")[2] if name is None else name
    source = new_source(job.workspace_id, job.project_id, job.created_at, name, content.text)
    source.fields |= {
        "status": "Done",
        "fileType": content_type,
        "durationSeconds": content.duration_seconds,
        "updatedAt": format_timestamp(moment),
    }
    if services.settings.include_topics:
        source.fields["topics"] = [_make_topic(content)]
    _store(services, source)
    return {"sourceId": source.id}


def _store(services: Services, source: Record) -> None:
    services.database.insert(source)
    services.events.record("source.created", source, to_json(source))


def _make_topic(content: FileContent) -> JsonObject:
    opening = " ".join(content.text.split()[:12])
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
        "toSeconds": content.duration_seconds,
        "hooks": [hook],
    }


RESOURCE = Resource(
    (
        write_route("POST", "/sources", create_source, ("sources:write",), body_limit=MAX_BODY),
        Route("GET", "/sources/{sourceId}", get_source, scopes=("notes:read",)),
    ),
    names=("sources",),
    job_handlers={"SOURCE_INGEST_FILE": _ingest},
)
