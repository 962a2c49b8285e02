"""GET /posts, GET /posts/{postId}, POST /posts and PATCH /posts/{postId}."""

from scripe.emulator.checks import check_size, choice_of, flag_of, given_text_of, text_of, wrong
from scripe.emulator.errors import ApiError
from scripe.emulator.messages import Response
from scripe.emulator.moments import future_of
from scripe.emulator.paging import listing, span, words
from scripe.emulator.post_statuses import CATEGORIES, status_of_category, status_of_id
from scripe.emulator.posts import CONTENT_TYPES, STATUSES, Change, Keep, new_post, shown
from scripe.emulator.routing import Call, Resource, Route, wrapped
from scripe.emulator.state import Selection
from scripe.emulator.wire import JsonObject

MAX_CHARACTERS = 100_000
MAX_BYTES = 100 * 1024
MAX_TITLE = 500


def list_posts(call: Call) -> Response:
    """The posts of a project, newest first."""
    statuses, (earliest, latest) = words(call, "status", STATUSES), span(call, times=False)
    project_id = call.project()
    return listing(
        call,
        lambda before: Selection(
            "posts",
            call.workspace_id,
            project_id,
            earliest=earliest,
            latest=latest,
            statuses=statuses,
            before=before,
        ),
        shown,
    )


def get_post(call: Call) -> Response:
    """One post."""
    return wrapped(shown(call.find("posts", call.parameters["postId"])))


def create_post(call: Call) -> Response:
    """A draft, or a post that is scheduled."""
    body, now = call.body, call.backend.clock.milliseconds()
    project_id, texts = text_of(body, "projectId"), _texts(body)
    content_type = choice_of(body, "contentType", CONTENT_TYPES, "PERSONAL")
    schedule = future_of(body, "scheduledFor", now)
    call.find("projects", project_id)
    post = new_post(call.workspace_id, project_id, now, " ", content_type=content_type)
    post.fields |= texts
    call.backend.posts.add(post, schedule)
    return wrapped(shown(post))


def update_post(call: Call) -> Response:
    """Change a post's text, status or schedule."""
    post, body = call.find("posts", call.parameters["postId"]), call.body
    fields, flags = _texts(body), {name: flag_of(body, name) for name in ("autoLike", "autoComment")}
    if "contentType" in body:
        fields["contentType"] = choice_of(body, "contentType", CONTENT_TYPES, "")
    given_flags: JsonObject = {name: flag for name, flag in flags.items() if flag is not None}
    change = Change(fields, given_flags, _status(call), _schedule(call))
    if isinstance(change.schedule, int):
        _require_linkedin(call, post.project_id)
    call.backend.posts.change(post, change)
    return wrapped(shown(post))


def _texts(body: JsonObject) -> JsonObject:
    content, title = given_text_of(body, "content"), body.get("title", "")
    if not isinstance(title, str):
        raise wrong("title", "must be a string")
    check_size("content", content or "", characters=MAX_CHARACTERS, size=MAX_BYTES)
    check_size("title", title, characters=MAX_TITLE, size=MAX_BYTES)
    given = {"content": content, "title": title}
    return {name: text for name, text in given.items() if name in body}


def _status(call: Call) -> str | None:
    if "statusCategory" in call.body and "statusId" in call.body:
        raise wrong("statusCategory", "cannot stand beside statusId")
    if "statusId" in call.body:
        return status_of_id(call.workspace_id, text_of(call.body, "statusId"))
    if "statusCategory" in call.body:
        return status_of_category(choice_of(call.body, "statusCategory", CATEGORIES, ""))
    return None


def _schedule(call: Call) -> int | Keep | None:
    if "scheduledFor" not in call.body:
        return "keep"
    if call.body["scheduledFor"] is None:
        return None
    return future_of(call.body, "scheduledFor", call.backend.clock.milliseconds())


def _require_linkedin(call: Call, project_id: str | None) -> None:
    project = call.find("projects", project_id or "")
    if not project.private.get("linkedin", True):
        raise ApiError("conflict", "The project is not connected to LinkedIn; connect it in the dashboard.")


RESOURCE = Resource(
    (
        Route("GET", "/posts", list_posts, scopes=("posts:read",)),
        Route(
            "POST",
            "/posts",
            create_post,
            bucket="write",
            scopes=("posts:write",),
            takes_body=True,
            idempotent=True,
        ),
        Route("GET", "/posts/{postId}", get_post, scopes=("posts:read",)),
        Route(
            "PATCH",
            "/posts/{postId}",
            update_post,
            bucket="write",
            scopes=("posts:write",),
            takes_body=True,
            idempotent=True,
        ),
    ),
    kinds=("posts",),
)
