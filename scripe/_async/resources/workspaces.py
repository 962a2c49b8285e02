"""The workspaces that a credential reaches.

The API's pages disagree on the shape of `GET /workspaces/me` (C23 in docs/api-facts.md), so either is accepted.
"""

from __future__ import annotations

from ..._core.request import Request
from ...types.workspace import CurrentWorkspace, Workspace
from ..pager import AsyncPager
from ._base import AsyncResource


class AsyncWorkspaces(AsyncResource):
    """The workspaces that an API key or token reaches. https://apidocs.scripe.io/api/v1/workspaces"""

    async def me(self) -> CurrentWorkspace:
        """Fetch the workspace and the principal of the API key or token.

        Raises:
            AuthenticationError: the API key is unknown, revoked or expired.
            PlanNotEligibleError: the workspace's plan has no API access.

        """
        return await self._sender.send(Request("GET", "/workspaces/me", CurrentWorkspace, envelope="either"))

    def list(self) -> AsyncPager[Workspace]:
        """List the workspaces that the credential reaches: one for an API key, several for an OAuth token.

        The API documents the purpose of this list; the fields of its items are a guess.
        """
        return AsyncPager(self._sender, "/workspaces", Workspace, {})
