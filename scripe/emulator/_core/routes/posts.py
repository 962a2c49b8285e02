"""GET /posts, GET /posts/{postId}, POST /posts and PATCH /posts/{postId}."""

from ..canonical_json import JsonObject
from ..database import Selection
from ..dates import require_future
from ..errors import ApiError
from ..messages import Response
from ..pagination import page_of_selection, parse_date_range, parse_enum_list
from ..posts import CONTENT_TYPES, STATUSES, Keep, PostChange, new_post, to_json
from ..routing import RequestContext, Resource, Route, data_response, write_route
from ..validation import (
    check_size,
    invalid_field,
    optional_bool,
    optional_choice,
    require_str,
    str_if_present,
)
from .post_statuses import CATEGORIES, status_of_category, status_of_id

MAX_CHARACTERS = 100_000
MAX_BYTES = 100 * 1024
MAX_TITLE = 500


def list_posts(context: RequestContext) -> Response:
    """List the posts of a project, newest first."""
    statuses = parse_enum_list(context, "status", STATUSES)
    earliest, latest = parse_date_range(context, times=False)
    selection = Selection(
        "posts",
        context.workspace_id,
        context.project_id(),
        earliest=earliest,
        latest=latest,
        statuses=statuses,
    )
    return page_of_selection(context, selection, to_json)


def get_post(context: RequestContext) -> Response:
    """Show a post."""
    return data_response(to_json(context.find("posts", context.parameters["postId"])))


def create_post(context: RequestContext) -> Response:
    """Create a draft, or a post that is scheduled."""
    body, now = context.body, context.services.clock.milliseconds()
    project_id, texts = require_str(body, "projectId"), _parse_texts(body)
    content_type = optional_choice(body, "contentType", CONTENT_TYPES, "PERSONAL")
    schedule = require_future(body, "scheduledFor", now)
    context.find("projects", project_id)
    post = new_post(context.workspace_id, project_id, now, " ", content_type=content_type)
    post.fields |= texts
    context.services.posts.add(post, schedule)
    return data_response(to_json(post))


def update_post(context: RequestContext) -> Response:
    """Change a post's text, status or schedule."""
    post, body = context.find("posts", context.parameters["postId"]), context.body
    fields = _parse_texts(body)
    flags: JsonObject = {
        name: optional_bool(body, name) for name in ("autoLike", "autoComment") if name in body
    }
    if "contentType" in body:
        fields["contentType"] = optional_choice(body, "contentType", CONTENT_TYPES, "")
    change = PostChange(fields, flags, _parse_status(context), _parse_schedule(context))
    if isinstance(change.schedule, int):
        project = context.find("projects", post.project_id or "")
        if not project.internal.get("linkedin", True):
            raise ApiError(
                "conflict", "The project is not connected to LinkedIn; connect it in the dashboard."
            )
    context.services.posts.change(post, change)
    return data_response(to_json(post))


def _parse_texts(body: JsonObject) -> JsonObject:
    content, title = str_if_present(body, "content"), body.get("title", "")
    if not isinstance(title, str):
        raise invalid_field("title", "must be a string")
    check_size("content", content or "", characters=MAX_CHARACTERS, size=MAX_BYTES)
    check_size("title", title, characters=MAX_TITLE, size=MAX_BYTES)
    texts = {"content": content, "title": title}
    return {name: text for name, text in texts.items() if name in body}


def _parse_status(context: RequestContext) -> str | None:
    body = context.body
    if "statusCategory" in body and "statusId" in body:
        raise invalid_field("statusCategory", "cannot stand beside statusId")
    if "statusId" in body:
        return status_of_id(context.workspace_id, require_str(body, "statusId"))
    if "statusCategory" in body:
        return status_of_category(optional_choice(body, "statusCategory", CATEGORIES, ""))
    return None


def _parse_schedule(context: RequestContext) -> int | Keep | None:
    if "scheduledFor" not in context.body:
        return "keep"
    if context.body["scheduledFor"] is None:
        return None
    return require_future(context.body, "scheduledFor", context.services.clock.milliseconds())


RESOURCE = Resource(
    (
        Route("GET", "/posts", list_posts, scopes=("posts:read",)),
        write_route("POST", "/posts", create_post, ("posts:write",)),
        Route("GET", "/posts/{postId}", get_post, scopes=("posts:read",)),
        write_route("PATCH", "/posts/{postId}", update_post, ("posts:write",)),
    ),
    names=("posts",),
)
