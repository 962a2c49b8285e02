"""Define `scripe webhooks …`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from cyclopts import App, Parameter

from ..._vocabulary import WebhookEvent
from ...errors import ConfigurationError
from .. import options
from ..help import new_command
from ..render import Result
from ..session import CurrentSession

app: App = new_command("webhooks")
EndpointId: TypeAlias = Annotated[str, Parameter(help="The id of the endpoint (whe_…).")]
_EVENT = options.repeatable("EVENT", "Send events of this type")
_NAME = options.option("NAME", "Set the name that people see.")
_URL = options.option("URL", "Send events to this https address on a public host.")
_PROJECT = options.option("ID", "Send events of this project (proj_…) only.")


@app.command(sort_key=0)
def create(
    *,
    name: Annotated[str, _NAME],
    url: Annotated[str, _URL],
    events: Annotated[list[WebhookEvent | str], _EVENT],
    project_id: Annotated[str | None, _PROJECT] = None,
    idempotency_key: options.IdempotencyKey = None,
    session: CurrentSession,
) -> Result:
    """Register an address for events, and show its secret, which is shown only once."""
    return session.client.webhook_endpoints.create(
        name=name,
        url=url,
        events=events,
        project_id=project_id,
        idempotency_key=session.set_idempotency_key(idempotency_key),
    )


@app.command(sort_key=1)
def get(endpoint_id: EndpointId, /, *, session: CurrentSession) -> Result:
    """Show one endpoint, without its secret."""
    return session.client.webhook_endpoints.retrieve(endpoint_id)


@app.command(sort_key=2)
def update(
    endpoint_id: EndpointId,
    /,
    *,
    name: Annotated[str | None, _NAME] = None,
    url: Annotated[str | None, _URL] = None,
    events: Annotated[list[WebhookEvent | str] | None, _EVENT] = None,
    project_id: Annotated[str | None, _PROJECT] = None,
    all_projects: Annotated[bool, options.flag("Send events of all projects again.")] = False,
    active: Annotated[
        bool | None, Parameter(negative="--inactive", help="Send events to it, or stop sending them.")
    ] = None,
    session: CurrentSession,
) -> Result:
    """Change an endpoint; options that you leave out change nothing."""
    if all_projects and project_id is not None:
        raise ConfigurationError("Give --project-id or --all-projects, not both.")
    return session.client.webhook_endpoints.update(
        endpoint_id,
        name=options.or_not_given(name),
        url=options.or_not_given(url),
        events=options.or_not_given(events),
        project_id=None if all_projects else options.or_not_given(project_id),
        is_active=options.or_not_given(active),
    )


@app.command(name="rotate-secret", sort_key=3)
def rotate_secret(endpoint_id: EndpointId, /, *, session: CurrentSession) -> Result:
    """Replace the secret, and show the new one, which is shown only once."""
    return session.client.webhook_endpoints.rotate_secret(endpoint_id)
