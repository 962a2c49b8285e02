"""Define `scripe login` and `scripe logout`."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Annotated

from cyclopts import App, Parameter, validators

from ..._core.config import API_KEY_VARIABLE, has_api_key_in_environment
from .. import options
from ..credential import (
    PROFILE_VARIABLE,
    choose_login,
    credential_document,
    credential_lines,
    default_profile,
    load_login,
    login_file,
)
from ..help import new_command
from ..output import write_stderr
from ..prompt import Prompt, is_at_terminal
from ..render import Facts, Result
from ..session import CurrentSession, Session

login: App = new_command("login")
logout: App = new_command("logout")

WAIT_TIMEOUT = 300.0
MAX_WAIT_TIMEOUT = 600


@login.default
def sign_in(
    *,
    scope: Annotated[
        list[str] | None,
        options.repeatable("SCOPE", "Ask for this scope, not for all but webhooks:manage"),
    ] = None,
    port: Annotated[
        int,
        options.option("N", "Let the browser come back to this port, if it is forwarded; 0 is any free one."),
        Parameter(validator=validators.Number(gte=0, lte=65_535)),
    ] = 0,
    no_browser: Annotated[bool, options.flag("Open no browser; only show the address to open.")] = False,
    replace: Annotated[
        bool, options.flag("Replace the login of the profile, even if that is of another workspace.")
    ] = False,
    wait_timeout: Annotated[
        float,
        options.option("SECONDS", "Stop waiting for the browser after this time, at most 600."),
        Parameter(validator=validators.Number(gt=0, lte=MAX_WAIT_TIMEOUT)),
    ] = WAIT_TIMEOUT,
    session: CurrentSession,
) -> Result:
    """Sign in with the browser, and keep the login on this machine.

    Where the browser cannot come back, over SSH or in a container, paste the address at which it ended.
    """
    from ...oauth import login as sign_in_with_browser

    choice, profile = choose_login(session.options)
    with ExitStack() as stack:
        prompt = None
        if is_at_terminal() and not session.options.json:
            prompt = Prompt()
            stack.callback(prompt.stop)
        sign_in_with_browser(
            profile,
            scopes=scope or None,
            port=port,
            open_browser=False if no_browser else None,
            timeout=wait_timeout,
            ask_for_address=None if prompt is None else prompt.ask,
            replace=replace or partial(_confirm, prompt, profile),
            base_url=session.options.base_url,
        )
    _print_when_used(session, profile)
    path, stored = login_file(profile, session.options), load_login(profile, session.options)
    assert stored is not None
    lines = {"profile": profile, "workspace": stored.workspace_id, "scopes": stored.scopes}
    return Facts(credential_document(choice, path, stored), {**lines, **credential_lines(path, stored)})


def _confirm(prompt: Prompt | None, profile: str, stored: str, chosen: str) -> bool:
    """Ask whether to replace a login; without a terminal it stays."""
    return prompt is not None and prompt.confirm(
        f'The login "{profile}" belongs to the workspace {stored}. You chose {chosen}. Replace it? [y/N] '
    )


def _print_when_used(session: Session, profile: str) -> None:
    """Say when commands use a login, if they do not by themselves."""
    option = f"--profile {profile}"
    if has_api_key_in_environment():
        variable = f"{API_KEY_VARIABLE} is set, and counts before this login"
        _print_note(session, f"{variable}. Unset it, or add {option} to a command.")
    elif profile != default_profile():
        _print_note(session, f"To use this login, add {option} to a command, or set {PROFILE_VARIABLE}.")


def _print_note(session: Session, text: str) -> None:
    if not session.options.json:
        write_stderr(f"note: {text}")


@logout.default
def sign_out(*, session: CurrentSession) -> Result:
    """Revoke a login, and remove it from this machine."""
    from ...oauth import logout as revoke

    _, profile = choose_login(session.options)
    is_there = login_file(profile, session.options).exists()
    revocation = revoke(profile, base_url=session.options.base_url)
    if not is_there:
        _print_note(session, f'There was no login "{profile}".')
    elif not revocation.revoked:
        _print_note(
            session, "The server did not confirm that its tokens are revoked: they work until they end."
        )
    facts: dict[str, object] = {"profile": profile, "removed": is_there, "revoked": revocation.revoked}
    return Facts(facts, facts)
