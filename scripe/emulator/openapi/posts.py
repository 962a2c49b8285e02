"""The schemas and operations of ``/posts`` and ``/post-statuses``."""

from .._core.canonical_json import JsonObject
from .._core.posts import CONTENT_TYPES, STATUSES
from .._core.routes.post_statuses import CATEGORIES
from .building import (
    choice,
    flag,
    integer,
    listed,
    moment,
    nullable,
    parameter,
    reference,
    structure,
    text,
    word,
)
from .notes import DAY, PROJECT
from .operations import Operation, Page, page_of, wrapped

CONTENT = text("At most 100,000 characters and 100 KB.", minLength=1, maxLength=100_000)
TITLE = text(maxLength=500)
LATER = moment("A moment in the future; makes the post `scheduled`.")
FROM_TEXT = structure({"text": text(minLength=1, maxLength=1_000_000)})
FROM_NOTE = structure({"noteId": text(minLength=1)})
SCHEMAS: JsonObject = {
    "Post": structure(
        {
            "id": text("`post_…`"),
            "status": word(STATUSES),
            "platform": word(("LINKEDIN",)),
            "contentType": word(CONTENT_TYPES),
            "title": text(),
            "content": text(),
            "createdAt": moment(),
            "projectId": nullable(text()),
            "scheduledAt": nullable(moment()),
            "updatedAt": nullable(moment()),
        }
    ),
    "PostCreate": structure(
        {"projectId": text(minLength=1)},
        {
            "content": {**CONTENT, "default": " "},
            "title": TITLE,
            "contentType": choice(CONTENT_TYPES, default="PERSONAL"),
            "scheduledFor": LATER,
        },
    ),
    "PostUpdate": {
        **structure(
            {},
            {
                "content": CONTENT,
                "title": TITLE,
                "contentType": choice(CONTENT_TYPES),
                "statusCategory": choice(CATEGORIES, "Moves the post to the default status of a category."),
                "statusId": text("The id of a status of `GET /post-statuses`.", minLength=1),
                "scheduledFor": nullable(
                    moment(
                        "In the future: schedules the post. null: unschedules it. Absent: leaves it alone."
                    )
                ),
                "autoLike": flag(),
                "autoComment": flag(),
            },
        ),
        "not": {"required": ["statusCategory", "statusId"]},
    },
    "PostStatus": structure({"id": text(), "name": text(), "category": word(CATEGORIES)}),
    "GenerationCreate": structure(
        {
            "projectId": text(minLength=1),
            "source": {
                "oneOf": [
                    {**FROM_TEXT, "not": {"required": ["noteId"]}},
                    {**FROM_NOTE, "not": {"required": ["text"]}},
                ]
            },
        },
        {
            "scheduledFor": LATER,
            "options": structure({}, {"language": text(minLength=1)}),
            "wait_for_completion_ms": integer(
                "How long the answer may be held back until the job has ended; above 25,000 it counts as that.",
                minimum=0,
            ),
        },
    ),
}
OPERATIONS = (
    Operation(
        "GET",
        "/posts",
        "listPosts",
        "Posts",
        "The posts of a project, newest first",
        page_of("Post"),
        query=Page(
            (
                PROJECT,
                parameter("status", listed(choice(STATUSES)), "Only posts of these statuses."),
                parameter("dateFrom", DAY, "The first day of creation."),
                parameter("dateTo", DAY, "The last day of creation."),
            )
        ).query(),
        statuses=(404,),
    ),
    Operation("GET", "/posts/{postId}", "getPost", "Posts", "One post", wrapped(reference("Post"))),
    Operation(
        "POST",
        "/posts",
        "createPost",
        "Posts",
        "Create a draft, or a post that is scheduled",
        wrapped(reference("Post")),
        reference("PostCreate"),
        statuses=(404, 422),
    ),
    Operation(
        "PATCH",
        "/posts/{postId}",
        "updatePost",
        "Posts",
        "Change a post's text, status or schedule",
        wrapped(reference("Post")),
        reference("PostUpdate"),
        statuses=(422,),
        description="Scheduling takes the project's connection to LinkedIn: without it 409 `conflict`.",
    ),
    Operation(
        "POST",
        "/posts/generations",
        "createGeneration",
        "Posts",
        "Let a post be written",
        wrapped(reference("Job")),
        reference("GenerationCreate"),
        statuses=(402, 404, 422),
    ),
    Operation(
        "GET",
        "/post-statuses",
        "listPostStatuses",
        "Posts",
        "The statuses that the workspace sorts its posts by",
        page_of("PostStatus"),
        query=Page().query(),
    ),
)
