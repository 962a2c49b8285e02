"""Statuses that a workspace has defined for its posts."""

from __future__ import annotations

from ...types.post import WorkspacePostStatus
from ..pager import AsyncPager
from ._base import AsyncResource


class AsyncPostStatuses(AsyncResource):
    """The workspace's own statuses. The API names this list, and documents nothing else of it."""

    def list(self) -> AsyncPager[WorkspacePostStatus]:
        """All statuses; the id of one is what `posts.update(status_id=…)` takes."""
        return AsyncPager(self._sender, "/post-statuses", WorkspacePostStatus, {})
