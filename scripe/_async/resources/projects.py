"""Projects: LinkedIn profiles and pages.

The API reads projects, and has no call that creates, archives or pauses one. Any valid API key may read them, whatever
its scopes.
"""

from __future__ import annotations

from ..._core.request import Request, build_path, page_query
from ...types.project import Project
from ..pager import AsyncPager
from ._base import AsyncResource


class AsyncProjects(AsyncResource):
    """Projects: LinkedIn profiles and pages. https://apidocs.scripe.io/api/v1/projects"""

    def list(self, *, page_size: int = 200) -> AsyncPager[Project]:
        """List all projects of the workspace, newest first.

        Args:
            page_size: Items in each request, 1 to 200.

        """
        return AsyncPager(self._sender, "/projects", Project, page_query(page_size))

    async def retrieve(self, project_id: str) -> Project:
        """Fetch one project.

        Raises:
            NotFoundError: no project in this workspace has this id.

        """
        return await self._sender.send(Request("GET", build_path("/projects/{}", project_id), Project))
