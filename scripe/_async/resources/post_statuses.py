"""The statuses that a workspace has defined for its posts.

The list is sent without a `limit`, since no page says that it takes one, and is read with and without `pagination`.
"""

from __future__ import annotations

from ...types.post import WorkspacePostStatus
from ..pager import AsyncPager
from ._base import AsyncResource


class AsyncPostStatuses(AsyncResource):
    """The workspace's own post statuses. The API names this list, and documents no more of it."""

    def list(self) -> AsyncPager[WorkspacePostStatus]:
        """List all statuses; `posts.update(status_id=…)` accepts their ids."""
        return AsyncPager(self._sender, "/post-statuses", WorkspacePostStatus, {})
