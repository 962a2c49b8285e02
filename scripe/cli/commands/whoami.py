"""`scripe whoami`."""

from __future__ import annotations

from cyclopts import App

from ..groups import command
from ..parameters import CurrentSession
from ..results import Result

app: App = command("whoami")


@app.default
def whoami(*, session: CurrentSession) -> Result:
    """Show the workspace and the key, with what it may do."""
    return session.client.workspaces.me()
