"""The workspace that the key belongs to."""

from __future__ import annotations

from ..._core.request import Request
from ...types.workspace import CurrentWorkspace, Workspace
from ..pager import AsyncPager
from ._base import AsyncResource


class AsyncWorkspaces(AsyncResource):
    """Who am I? https://apidocs.scripe.io/api/v1/workspaces"""

    async def me(self) -> CurrentWorkspace:
        """The workspace and the principal that the key stands for.

        Raises:
            AuthenticationError: the key is unknown, revoked or expired.
            PlanNotEligibleError: the workspace's plan has no API access.

        """
        return await self._sender.send(Request("GET", "/workspaces/me", CurrentWorkspace, envelope="either"))

    def list(self) -> AsyncPager[Workspace]:
        """Every workspace that the credential reaches: one for a key, several for an OAuth token.

        The API names this list and its purpose; the shape of its items is a guess.
        """
        return AsyncPager(self._sender, "/workspaces", Workspace, {})
