"""GET /post-statuses: a fixed set of statuses for each workspace, since the API cannot change them.

The dashboard groups them in Draft, In Progress and In Review, beside Suggested, Scheduled and Published; how the
API spells these groups is a guess.
"""

import hashlib
from dataclasses import dataclass

from ..database import Record
from ..errors import ApiError
from ..messages import Response
from ..pagination import page_of_records
from ..routing import RequestContext, Resource, Route

CATEGORIES = ("draft", "inProgress", "inReview", "suggested", "scheduled", "published")


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    """A status of a workspace: its name, its category, and the `status` that its posts show."""

    name: str
    category: str
    status: str

    def id_in(self, workspace_id: str) -> str:
        """Return its id, which differs in each workspace."""
        return f"pst_{hashlib.sha256(f'{workspace_id}/{self.name}'.encode()).hexdigest()[:16]}"


STATUSES = (
    WorkspaceStatus("Draft", "draft", "draft"),
    WorkspaceStatus("In progress", "inProgress", "waitingProcessing"),
    WorkspaceStatus("In review", "inReview", "waitingApproval"),
    WorkspaceStatus("Approved", "inReview", "approved"),
    WorkspaceStatus("Rejected", "inReview", "rejected"),
    WorkspaceStatus("Suggested", "suggested", "suggested"),
    WorkspaceStatus("Scheduled", "scheduled", "scheduled"),
    WorkspaceStatus("Published", "published", "published"),
)


def list_post_statuses(context: RequestContext) -> Response:
    """List the workspace's statuses for posts, in the order of a post's life."""
    workspace_id = context.workspace_id
    records = [
        Record(
            "post_statuses",
            status.id_in(workspace_id),
            workspace_id,
            None,
            len(STATUSES) - index,
            fields={"name": status.name, "category": status.category},
        )
        for index, status in enumerate(STATUSES)
    ]
    return page_of_records(context, records, lambda record: {"id": record.id, **record.fields})


def status_of_id(workspace_id: str, status_id: str) -> str:
    """Return the `status` of posts with a workspace's status, or raise a 404."""
    for status in STATUSES:
        if status.id_in(workspace_id) == status_id:
            return status.status
    raise ApiError("not_found", f"{status_id} was not found in post-statuses.")


def status_of_category(category: str) -> str:
    """Return the `status` of posts with the default status of a category."""
    return next(status.status for status in STATUSES if status.category == category)


RESOURCE = Resource((Route("GET", "/post-statuses", list_post_statuses, scopes=("posts:read",)),))
