"""The statuses that a workspace sorts its posts by: a fixed set, since the API cannot change them.

The dashboard groups them in Draft, In Progress and In Review, beside Suggested, Scheduled and Published; how the
API spells these groups is a guess.
"""

import hashlib
from dataclasses import dataclass

from .errors import ApiError

CATEGORIES = ("draft", "inProgress", "inReview", "suggested", "scheduled", "published")


@dataclass(frozen=True, slots=True)
class PostStatus:
    """One status of a workspace: its name, its category, and the `status` that a post shows."""

    name: str
    category: str
    status: str


STATUSES = (
    PostStatus("Draft", "draft", "draft"),
    PostStatus("In progress", "inProgress", "waitingProcessing"),
    PostStatus("In review", "inReview", "waitingApproval"),
    PostStatus("Approved", "inReview", "approved"),
    PostStatus("Rejected", "inReview", "rejected"),
    PostStatus("Suggested", "suggested", "suggested"),
    PostStatus("Scheduled", "scheduled", "scheduled"),
    PostStatus("Published", "published", "published"),
)


def id_of(workspace_id: str, status: PostStatus) -> str:
    """The id of a status, which is another one in each workspace."""
    digest = hashlib.sha256(f"{workspace_id}/{status.name}".encode()).hexdigest()
    return f"pst_{digest[:16]}"


def status_of_id(workspace_id: str, status_id: str) -> str:
    """What a post shows that has a status.

    Raises:
        ApiError: 404, the workspace has no such status.

    """
    for status in STATUSES:
        if id_of(workspace_id, status) == status_id:
            return status.status
    raise ApiError("not_found", f"{status_id} was not found in post-statuses.")


def status_of_category(category: str) -> str:
    """What a post shows that has the default status of a category."""
    return next(status.status for status in STATUSES if status.category == category)
