"""POST /posts/generations."""

from datetime import timedelta

from ..canonical_json import JsonObject
from ..database import Record, new_id
from ..dates import future_of
from ..fake_posts import write_post
from ..job_records import shown
from ..messages import Response
from ..posts import new_post
from ..routing import Call, Resource, Route, wrapped
from ..services import Backend
from ..validation import check_size, given_text_of, integer_of, object_of, text_of, unfit, wrong

ESTIMATED_MS = 25_000
LONGEST_WAIT = 25_000
MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
SEEDED: JsonObject = {"text": "This post was seeded, not generated.", "schedule": None}


def create_generation(call: Call) -> Response:
    """The job that writes a post."""
    body, backend = call.body, call.backend
    project_id, source = text_of(body, "projectId"), _source(call)
    schedule = future_of(body, "scheduledFor", backend.clock.milliseconds())
    wait = integer_of(body, "wait_for_completion_ms", 0)
    if wait < 0:
        raise wrong("wait_for_completion_ms", "must be 0 or more")
    language = _language(body)
    call.find("projects", project_id)
    task: JsonObject = {
        "text": source,
        "schedule": schedule,
        "postId": new_id("post"),
        "language": language,
    }
    job = _submit(call, project_id, task)
    return _held(call, job, min(wait, LONGEST_WAIT))


def _source(call: Call) -> str:
    source = object_of(call.body, "source")
    if ("text" in source) == ("noteId" in source):
        raise wrong("source", "must hold either text or noteId")
    if "noteId" in source:
        return _text_of_note(call.find("notes", text_of(source, "noteId")))
    text = text_of(source, "text")
    check_size("source.text", text, characters=MAX_CHARACTERS, size=MAX_BYTES)
    return text


def _text_of_note(note: Record) -> str:
    content = str(note.fields["content"])
    if not content.strip():
        raise unfit("source.noteId", "leads to a note without text")
    return content


def _language(body: JsonObject) -> str | None:
    return given_text_of(object_of(body, "options"), "language") if "options" in body else None


def _submit(call: Call, project_id: str, task: JsonObject) -> Record:
    backend = call.backend
    cents, day = backend.settings.generation_cents, backend.clock.now().date().isoformat()
    backend.spending.reserve(call.workspace_id, call.principal.plan, day, cents)
    return backend.jobs.submit(
        "POST_GENERATION", call.workspace_id, project_id, estimated_ms=ESTIMATED_MS, task=task, cents=cents
    )


def _held(call: Call, job: Record, wait: int) -> Response:
    # Nothing may happen before its time, so the answer shows what will be: the job does the same by itself later.
    backend, now = call.backend, call.backend.clock.milliseconds()
    result: JsonObject = {"postId": job.private["task"]["postId"]}
    seen, moment = backend.jobs.foresee(job, result, now + wait)
    response = wrapped(shown(seen, moment, live=True))
    if call.request.in_real_time and not backend.clock.frozen:
        response.delay = (moment - now) / 1000
    else:
        backend.clock.advance(timedelta(milliseconds=moment - now))
    return response


def _generate(backend: Backend, job: Record, moment: int) -> JsonObject:
    task = job.private.get("task", SEEDED)
    title, content = write_post(task["text"], task.get("language"))
    post = new_post(job.workspace_id, job.project_id, moment, content, title=title)
    post.id = task.get("postId", post.id)
    backend.posts.add(post, task["schedule"])
    return {"postId": post.id}


RESOURCE = Resource(
    (
        Route(
            "POST",
            "/posts/generations",
            create_generation,
            bucket="generation",
            scopes=("posts:write",),
            takes_body=True,
            idempotent=True,
        ),
    ),
    work={"POST_GENERATION": _generate},
)
