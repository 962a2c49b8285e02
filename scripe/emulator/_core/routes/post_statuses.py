"""GET /post-statuses."""

from ..canonical_json import JsonObject
from ..database import Record
from ..messages import Response
from ..pagination import page_of_records
from ..post_statuses import STATUSES, id_of
from ..routing import RequestContext, Resource, Route


def list_post_statuses(context: RequestContext) -> Response:
    """The workspace's statuses for posts, in the order of a post's life."""
    records = [
        Record(
            "post_statuses",
            id_of(context.workspace_id, status),
            context.workspace_id,
            None,
            len(STATUSES) - place,
            fields={"name": status.name, "category": status.category},
        )
        for place, status in enumerate(STATUSES)
    ]
    return page_of_records(context, records, to_json)


def to_json(status: Record) -> JsonObject:
    """A status as the API shows it."""
    return {"id": status.id, **status.fields}


RESOURCE = Resource((Route("GET", "/post-statuses", list_post_statuses, scopes=("posts:read",)),))
