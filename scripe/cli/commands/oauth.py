"""Define `scripe oauth …`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App

from .. import options
from ..help import new_command
from ..render import Facts, Result
from ..session import CurrentSession

app: App = new_command("oauth")


@app.command
def register(
    *,
    name: Annotated[str, options.option("TEXT", "The name that users see when they are asked.")],
    redirect_uri: Annotated[
        str, options.option("URL", "Where browsers come back to; plain http for this machine alone.")
    ],
    scope: Annotated[
        list[str] | None,
        options.repeatable("SCOPE", "What it may ask for, not all but webhooks:manage"),
    ] = None,
    with_secret: Annotated[bool, options.flag("Get a secret, for a service that can keep one.")] = False,
    session: CurrentSession,
) -> Result:
    """Register an application that acts for its users, and print its client id. Do it once, and keep what it prints."""
    from ..._core.config import resolve_base_url
    from ..._core.oauth.discovery import short_origin
    from ...oauth import register as register_application

    registration = register_application(
        client_name=name,
        redirect_uri=redirect_uri,
        scopes=scope or None,
        issuer=short_origin(resolve_base_url(session.options.base_url)),
        with_secret=with_secret,
    )
    facts: dict[str, object] = {
        "client_id": registration.client_id,
        "client_secret": registration.client_secret,
        "redirect_uri": registration.redirect_uri,
        "scopes": registration.scopes,
    }
    return Facts(facts, {label: value for label, value in facts.items() if value is not None})
