"""Define `scripe whoami` and `scripe projects …`."""

from __future__ import annotations

from contextlib import suppress

from cyclopts import App

from ...errors import ScripeError, TokenStoreError
from .. import options
from ..credential import (
    CredentialChoice,
    credential_document,
    credential_lines,
    describe_choice,
    load_login,
    login_file,
)
from ..help import new_command
from ..input import is_stdin
from ..render import Facts, Result, fetch_listing, page_size, to_dict, to_fields, write_result
from ..session import CurrentSession, Session

whoami: App = new_command("whoami")
projects: App = new_command("projects")


@whoami.default
def show_workspace(*, session: CurrentSession) -> Result:
    """Show the workspace, which credential is used and why, and what it may do. No token is shown.

    Of a login, what is stored on this machine is shown even if the API does not respond.
    """
    choice = session.credential
    try:
        current = session.client.workspaces.me()
    except ScripeError:
        if choice.profile is not None:
            _write_stored_login(choice, choice.profile, session)
        raise
    document, fields = to_dict(current), to_fields(current)
    using = {"using": describe_choice(choice, session.options)}
    if choice.profile is None:
        file = session.options.api_key_file
        is_file = file is not None and not is_stdin(file)
        own = credential_document(choice, file if is_file else None)
        return Facts({**document, "credential": own}, {**fields, **using})
    path, stored = (
        login_file(choice.profile, session.options),
        load_login(choice.profile, session.options),
    )
    fields = {"user" if label == "key" else label: value for label, value in fields.items()}
    lines = {} if stored is None else credential_lines(path, stored)
    own = credential_document(choice, path, stored)
    return Facts({**document, "credential": own}, {**fields, **using, **lines})


def _write_stored_login(choice: CredentialChoice, profile: str, session: Session) -> None:
    """Write what is known of a login although the API could not be asked; nothing if there is none."""
    with suppress(TokenStoreError):
        path, stored = login_file(profile, session.options), load_login(profile, session.options)
        if stored is not None:
            lines = {"workspace": stored.workspace_id, "scopes": stored.scopes}
            lines |= {"using": describe_choice(choice, session.options)}
            document = {"credential": credential_document(choice, path, stored)}
            write_result(Facts(document, {**lines, **credential_lines(path, stored)}), session.options)


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
