"""`scripe projects …`."""

from __future__ import annotations

from cyclopts import App

from ..groups import command
from ..parameters import LIMIT, All, CurrentSession, Limit, ProjectId
from ..results import Result, listed, page_size

app: App = command("projects")


@app.default
@app.command(name="list", sort_key=0)
def list_projects(*, limit: Limit = LIMIT, everything: All = False, session: CurrentSession) -> Result:
    """List the projects of the workspace, newest first."""
    most = None if everything else limit
    return listed("Project", session.client.projects.list(page_size=page_size(most)), most)


@app.command(sort_key=1)
def get(project_id: ProjectId, /, *, session: CurrentSession) -> Result:
    """Show one project."""
    return session.client.projects.retrieve(project_id)
