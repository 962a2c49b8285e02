"""Define `scripe ledger …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from cyclopts import App, Parameter

from ...errors import ConfigurationError
from .. import options
from ..help import new_command
from ..render import Listing, Result
from ..session import CurrentSession, Session

if TYPE_CHECKING:
    from ... import Ledger
    from ...types import ItemState

app: App = new_command("ledger")
Key = Annotated[str, Parameter(help="The idempotency key.")]
Route = Annotated[
    str | None,
    options.option("ROUTE", "Choose the route of a key that was used on several, as in 'POST /posts'."),
]


@app.command(name="list", sort_key=0)
def list_items(
    *,
    state: Annotated[str | None, options.option("STATE", "Show only items in this state.")] = None,
    session: CurrentSession,
) -> Result:
    """List the idempotency keys that the ledger knows, oldest first."""
    return Listing("LedgerItem", list(_open(session).items(state=_as_state(state))))


@app.command(sort_key=1)
def settle(
    idempotency_key: Key,
    /,
    *,
    result_id: Annotated[str | None, options.option("ID", "Say that the write made this.")] = None,
    send_again: Annotated[bool, options.flag("Say that the write made nothing.")] = False,
    route: Route = None,
    session: CurrentSession,
) -> Result:
    """Say what came of a write of which nothing else can prove it."""
    if (result_id is None) != send_again:
        raise ConfigurationError("Give --result-id or --send-again.")
    return _open(session).settle(
        idempotency_key,
        result_id=result_id,
        send_again=send_again,
        route=route,
        workspace_id=session.options.workspace_id,
    )


@app.command(sort_key=2)
def retry(idempotency_key: Key, /, *, route: Route = None, session: CurrentSession) -> Result:
    """Let the next call with a key make another thing."""
    return _open(session).retry(idempotency_key, route=route, workspace_id=session.options.workspace_id)


@app.command(sort_key=3)
def backup(
    path: Annotated[Path, Parameter(help="The file to write.")], /, *, session: CurrentSession
) -> Result:
    """Write a copy of the ledger, whole and in one file, while it is in use; show what is in it."""
    ledger = _open(session)
    ledger.backup(path)
    return Listing("LedgerItem", list(ledger.items()))


def _open(session: Session) -> Ledger:
    """Open the ledger that --ledger names; it must exist already."""
    from ... import Ledger

    return session.enter(Ledger(session.require_ledger()))


def _as_state(state: str | None) -> ItemState | None:
    return cast("ItemState | None", state)
