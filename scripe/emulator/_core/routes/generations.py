"""POST /posts/generations."""

from datetime import timedelta

from ..canonical_json import JsonObject
from ..database import Record, new_id
from ..dates import require_future
from ..fake_posts import draft_post
from ..jobs import job_to_json
from ..messages import Response
from ..posts import new_post
from ..routing import RequestContext, Resource, data_response, write_route
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
MAX_WAIT_MS = 25_000
MAX_CHARACTERS = 1_000_000
MAX_BYTES = 1024 * 1024
SEEDED: JsonObject = {"text": "This post was seeded, not generated.", "schedule": None}


def create_generation(context: RequestContext) -> Response:
    """Queue the job that writes a post."""
    body, services = context.body, context.services
    project_id, text = require_str(body, "projectId"), _source_text(context)
    schedule = require_future(body, "scheduledFor", services.clock.milliseconds())
    wait = optional_int(body, "wait_for_completion_ms", 0)
    if wait < 0:
        raise invalid_field("wait_for_completion_ms", "must be 0 or more")
    options = require_object(body, "options") if "options" in body else {}
    language = str_if_present(options, "language")
    context.find("projects", project_id)
    job = services.jobs.submit(
        "POST_GENERATION",
        context.principal,
        project_id,
        estimated_ms=ESTIMATED_MS,
        task={"text": text, "schedule": schedule, "postId": new_id("post"), "language": language},
        cents=services.settings.generation_cents,
    )
    return _respond_when_done(context, job, min(wait, MAX_WAIT_MS))


def _source_text(context: RequestContext) -> str:
    source = require_object(context.body, "source")
    if ("text" in source) == ("noteId" in source):
        raise invalid_field("source", "must hold either text or noteId")
    if "noteId" in source:
        content = str(context.find("notes", require_str(source, "noteId")).fields["content"])
        if not content.strip():
            raise unprocessable_field("source.noteId", "is the id of a note without text")
        return content
    text = require_str(source, "text")
    check_size("source.text", text, characters=MAX_CHARACTERS, size=MAX_BYTES)
    return text


def _respond_when_done(context: RequestContext, job: Record, wait: int) -> Response:
    # The job ends by itself later. The response is made now, since nothing may happen before its time: it shows
    # the job as it will be, and is sent when that time has come.
    services, now = context.services, context.services.clock.milliseconds()
    result: JsonObject = {"postId": job.internal["task"]["postId"]}
    preview, moment = services.jobs.preview(job, result, now + wait)
    moment = max(moment, now)  # a quick job may have ended since it was queued, on a slow machine
    response = data_response(job_to_json(preview, moment, live=True))
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
    (write_route("POST", "/posts/generations", create_generation, ("posts:write",), bucket="generation"),),
    job_handlers={"POST_GENERATION": _generate},
)
