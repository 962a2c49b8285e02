"""POST /posts/generations."""

from datetime import timedelta

from ..canonical_json import JsonObject
from ..database import Record, new_id
from ..dates import require_future
from ..fake_posts import draft_post
from ..jobs import to_json
from ..messages import Response
from ..posts import new_post
from ..routing import RequestContext, Resource, Route, data_response
from ..services import Services
from ..validation import (
    check_size,
    invalid_field,
    optional_int,
    require_object,
    require_str,
    str_if_present,
    unprocessable_field,
)

ESTIMATED_MS = 25_000
MAX_WAIT = 25_000
MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
SEEDED: JsonObject = {"text": "This post was seeded, not generated.", "schedule": None}


def create_generation(context: RequestContext) -> Response:
    """The job that writes a post."""
    body, services = context.body, context.services
    project_id, source = require_str(body, "projectId"), _source(context)
    schedule = require_future(body, "scheduledFor", services.clock.milliseconds())
    wait = optional_int(body, "wait_for_completion_ms", 0)
    if wait < 0:
        raise invalid_field("wait_for_completion_ms", "must be 0 or more")
    language = _language(body)
    context.find("projects", project_id)
    task: JsonObject = {
        "text": source,
        "schedule": schedule,
        "postId": new_id("post"),
        "language": language,
    }
    job = _submit(context, project_id, task)
    return _held(context, job, min(wait, MAX_WAIT))


def _source(context: RequestContext) -> str:
    source = require_object(context.body, "source")
    if ("text" in source) == ("noteId" in source):
        raise invalid_field("source", "must hold either text or noteId")
    if "noteId" in source:
        return _text_of_note(context.find("notes", require_str(source, "noteId")))
    text = require_str(source, "text")
    check_size("source.text", text, characters=MAX_CHARACTERS, size=MAX_BYTES)
    return text


def _text_of_note(note: Record) -> str:
    content = str(note.fields["content"])
    if not content.strip():
        raise unprocessable_field("source.noteId", "leads to a note without text")
    return content


def _language(body: JsonObject) -> str | None:
    return str_if_present(require_object(body, "options"), "language") if "options" in body else None


def _submit(context: RequestContext, project_id: str, task: JsonObject) -> Record:
    services = context.services
    cents, day = services.settings.generation_cents, services.clock.now().date().isoformat()
    services.spending.reserve(context.workspace_id, context.principal.plan, day, cents)
    return services.jobs.submit(
        "POST_GENERATION", context.workspace_id, project_id, estimated_ms=ESTIMATED_MS, task=task, cents=cents
    )


def _held(context: RequestContext, job: Record, wait: int) -> Response:
    # Nothing may happen before its time, so the answer shows what will be: the job does the same by itself later.
    services, now = context.services, context.services.clock.milliseconds()
    result: JsonObject = {"postId": job.internal["task"]["postId"]}
    seen, moment = services.jobs.preview(job, result, now + wait)
    response = data_response(to_json(seen, moment, live=True))
    if context.request.in_real_time and not services.clock.frozen:
        response.delay = (moment - now) / 1000
    else:
        services.clock.advance(timedelta(milliseconds=moment - now))
    return response


def _generate(services: Services, job: Record, moment: int) -> JsonObject:
    task = job.internal.get("task", SEEDED)
    title, content = draft_post(task["text"], task.get("language"))
    post = new_post(job.workspace_id, job.project_id, moment, content, title=title)
    post.id = task.get("postId", post.id)
    services.posts.add(post, task["schedule"])
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
    job_handlers={"POST_GENERATION": _generate},
)
