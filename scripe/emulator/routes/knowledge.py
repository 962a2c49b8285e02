"""POST /knowledge."""

from collections.abc import Callable, Mapping

from scripe.emulator.addresses import split_url
from scripe.emulator.backend import Backend
from scripe.emulator.checks import check_size, given_text_of, text_of, unfit
from scripe.emulator.messages import Response
from scripe.emulator.routes.uploads import keep, read_upload, require_bytes
from scripe.emulator.routing import EDGE_LIMIT, Call, Resource, Route, wrapped
from scripe.emulator.state import Record, new_id
from scripe.emulator.wire import JsonObject

MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
MAX_NAME = 500
CENTS = {"text": 1, "file": 2, "url": 2, "youtube": 3}
ESTIMATED_MS = {"text": 10_000, "file": 60_000, "url": 30_000, "youtube": 120_000}
UNREAD = "[The emulator does not fetch {url}.]"
SEEDED: JsonObject = {"name": "Seeded document", "text": "A document that was seeded, not indexed."}


def create_knowledge(call: Call) -> Response:
    """The job that indexes a document."""
    kind = text_of(call.body, "type")
    prepare = PREPARE.get(kind)
    if prepare is None:
        raise unfit("type", f"must be one of {', '.join(PREPARE)}")
    task, project_id = prepare(call), given_text_of(call.body, "projectId")
    if len(str(task["name"])) > MAX_NAME and "name" in call.body:
        raise unfit("name", f"may have {MAX_NAME} characters")
    if project_id is not None:
        call.find("projects", project_id)
    return wrapped(call.backend.jobs.shown(_submit(call, kind, project_id, task), live=True))


def _submit(call: Call, kind: str, project_id: str | None, task: JsonObject) -> Record:
    backend, cents = call.backend, CENTS[kind]
    day = backend.clock.now().date().isoformat()
    backend.spending.reserve(call.workspace_id, call.principal.plan, day, cents)
    if "upload" in task:
        keep(backend, call.find("uploads", str(task["upload"])))
    return backend.jobs.submit(
        f"KB_INGEST_{kind.upper()}",
        call.workspace_id,
        project_id,
        estimated_ms=ESTIMATED_MS[kind],
        task=task,
        cents=cents,
    )


def _text(call: Call) -> JsonObject:
    name, text = text_of(call.body, "name"), text_of(call.body, "text")
    check_size("text", text, characters=MAX_CHARACTERS, size=MAX_BYTES)
    return {"name": name, "text": text}


def _file(call: Call) -> JsonObject:
    name, upload_id = text_of(call.body, "name"), text_of(call.body, "uploadId")
    upload = call.find("uploads", upload_id)
    require_bytes(call.backend, upload)
    return {"name": name, "upload": upload_id, **upload.private}


def _url(call: Call) -> JsonObject:
    url = text_of(call.body, "url")
    if split_url(url) is None:
        raise unfit("url", "must be an http or https URL")
    return {"name": given_text_of(call.body, "name") or url, "text": UNREAD.format(url=url)}


def _index(backend: Backend, job: Record, moment: int) -> JsonObject:
    task = job.private.get("task", SEEDED)
    text = read_upload(backend, task["key"], task["content_type"]).text if "upload" in task else task["text"]
    document = Record(
        "knowledge",
        new_id("kb"),
        job.workspace_id,
        job.project_id,
        moment,
        fields={"name": task["name"]},
        private={"text": text},
    )
    backend.state.insert(document)
    backend.events.emit("knowledge.indexed", document, {"documentId": document.id, "name": task["name"]})
    return {"documentId": document.id}


PREPARE: Mapping[str, Callable[[Call], JsonObject]] = {
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
            body_limit=EDGE_LIMIT,
        ),
    ),
    kinds=("knowledge",),
    work={f"KB_INGEST_{kind.upper()}": _index for kind in CENTS},
)
