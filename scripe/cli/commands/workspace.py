"""Define `scripe whoami` and `scripe projects …`."""

from __future__ import annotations

from cyclopts import App

from .. import options
from ..help import new_command
from ..render import Result, fetch_listing, page_size
from ..session import CurrentSession

whoami: App = new_command("whoami")
projects: App = new_command("projects")


@whoami.default
def show_workspace(*, session: CurrentSession) -> Result:
    """Show the workspace, and what the API key may do."""
    return session.client.workspaces.me()


@projects.default
@projects.command(name="list", sort_key=0)
def list_projects(
    *, limit: options.Limit = options.LIMIT, show_all: options.ShowAll = False, session: CurrentSession
) -> Result:
    """List the projects of the workspace, newest first."""
    max_items = None if show_all else limit
    pager = session.client.projects.list(page_size=page_size(max_items))
    return fetch_listing("Project", pager, max_items)


@projects.command(sort_key=1)
def get(project_id: options.ProjectId, /, *, session: CurrentSession) -> Result:
    """Show one project."""
    return session.client.projects.retrieve(project_id)
