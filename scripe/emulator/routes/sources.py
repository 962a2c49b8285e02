"""POST /sources and GET /sources/{sourceId}."""

from scripe.emulator.backend import Backend
from scripe.emulator.checks import optional_text_of, text_of
from scripe.emulator.clock import timestamp
from scripe.emulator.errors import ApiError
from scripe.emulator.messages import Response
from scripe.emulator.readers import Reading
from scripe.emulator.routes.uploads import keep, read_upload, require_bytes
from scripe.emulator.routing import EDGE_LIMIT, Call, Resource, Route, wrapped
from scripe.emulator.state import Record, new_id
from scripe.emulator.wire import JsonObject

PREVIEW = 2_000
MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
ESTIMATED_MS = 240_000
SEEDED = {"key": "", "content_type": "text/plain", "name": "Seeded source"}


def create_source(call: Call) -> Response:
    """A source from text at once, or the job that makes one from an upload."""
    kind = text_of(call.body, "type")
    create = {"text": _create_text, "file": _create_file}.get(kind)
    if create is None:
        raise ApiError("unprocessable", f"type must be text or file, not {kind!r}.")
    return create(call)


def get_source(call: Call) -> Response:
    """One source, of its text the beginning."""
    return wrapped(shown(call.find("sources", call.parameters["sourceId"])))


def shown(source: Record) -> JsonObject:
    """A source as the API shows it."""
    text: str = source.private["text"]
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
        "sources", new_id("src"), workspace_id, project_id, created_at, fields=fields, private={"text": text}
    )


def _create_text(call: Call) -> Response:
    project_id, text = text_of(call.body, "projectId"), text_of(call.body, "text")
    name = optional_text_of(call.body, "name")
    if len(text) > MAX_CHARACTERS or len(text.encode()) > MAX_BYTES:
        raise ApiError("payload_too_large", "text must be at most 1 MB and 1,000,000 characters.")
    call.find("projects", project_id)
    source = new_source(call.workspace_id, project_id, call.backend.clock.milliseconds(), name, text)
    call.backend.state.insert(source)
    call.backend.events.emit("source.created", source, shown(source))
    return wrapped(shown(source))


def _create_file(call: Call) -> Response:
    backend, principal = call.backend, call.principal
    project_id, upload_id = text_of(call.body, "projectId"), text_of(call.body, "uploadId")
    name = optional_text_of(call.body, "name")
    call.find("projects", project_id)
    upload = call.find("uploads", upload_id)
    require_bytes(backend, upload)
    cents, day = backend.settings.source_cents, backend.clock.now().date().isoformat()
    backend.spending.reserve(call.workspace_id, principal.plan, day, cents)
    keep(backend, upload)
    job = backend.jobs.submit(
        "SOURCE_INGEST_FILE",
        call.workspace_id,
        project_id,
        estimated_ms=ESTIMATED_MS,
        task={"name": name, **upload.private},
        cents=cents,
    )
    return wrapped(backend.jobs.shown(job, live=True))


def _ingest(backend: Backend, job: Record, moment: int) -> JsonObject:
    task = job.private.get("task", SEEDED)
    reading = _read(backend, task["key"], task["content_type"])
    name = task["name"] if task["name"] is not None else task["key"].rpartition("/")[2]
    source = new_source(job.workspace_id, job.project_id, job.created_at, name, reading.text)
    source.fields |= {
        "status": "Done",
        "fileType": task["content_type"],
        "durationSeconds": reading.duration_seconds,
        "updatedAt": timestamp(moment),
    }
    if backend.settings.topics:
        source.fields["topics"] = [_topic(reading)]
    backend.state.insert(source)
    backend.events.emit("source.created", source, shown(source))
    return {"sourceId": source.id}


def _read(backend: Backend, key: str, content_type: str) -> Reading:
    if not key:
        return Reading("A source that was seeded, not uploaded.")
    return read_upload(backend, key, content_type)


def _topic(reading: Reading) -> JsonObject:
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
            body_limit=EDGE_LIMIT,
        ),
        Route("GET", "/sources/{sourceId}", get_source, scopes=("notes:read",)),
    ),
    kinds=("sources",),
    work={"SOURCE_INGEST_FILE": _ingest},
)
