"""A served emulator and an application registered with it, for each scenario, and what counts as a loss."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from scripe import ConsentRequiredError, Scripe
from scripe.emulator import Emulator, Server
from scripe.oauth import Credentials, OAuthApp, TokenStore
from tests.oauth.signing_in import CALLBACK, NAME, make_app

from .processes import PATIENCE, Kind, Loss, Process, make_store

Scenario: TypeAlias = "tuple[str, Callable[[], object]]"
"""The name of its group, which has a line of its own, and a function that raises `Loss`."""
TOKEN = "/oauth/token"


@dataclass
class World:
    """A served emulator, a store, and an application whose logins are in it."""

    emulator: Emulator
    server: Server
    kind: Kind
    folder: Path
    store: TokenStore
    app: OAuthApp
    settings: Mapping[str, float]

    def another(self, store: TokenStore | None = None) -> Credentials:
        """Return credentials that share nothing but the store, as those of another process do."""
        return self.another_app(store).credentials(NAME)

    def another_app(self, store: TokenStore | None = None) -> OAuthApp:
        return OAuthApp(
            client_id=self.app.client_id, redirect_uri=CALLBACK, token_store=store or self.another_store()
        )

    def another_store(self) -> TokenStore:
        return self.store if self.kind == "memory" else make_store(self.kind, self.folder)

    def check_goes_on(self, credentials: Credentials | None = None) -> None:
        """Raise Loss unless a process that begins now can call the API."""
        check_call(self, credentials or self.another())

    def check_ended(self, *reasons: str) -> None:
        """Raise Loss unless a process that begins now is told one of these reasons."""
        try:
            check_call(self, self.another())
        except ConsentRequiredError as error:
            if error.reason not in reasons:
                raise Loss(f"the reason is {error.reason}, not one of {reasons}") from error
        else:
            raise Loss(f"the login goes on, although it is over: {reasons}")

    def check_refreshes(self, most: int) -> None:
        """Raise Loss unless the server accepted a refresh, and no more than so many."""
        count = len(self.emulator.oauth.refreshes)
        if not 1 <= count <= most:
            raise Loss(f"the server accepted {count} refreshes instead of at most {most}")


def check_call(world: World, credentials: Credentials) -> None:
    with Scripe(auth=credentials, rate_limiter=None) as client:
        check_workspace(world, client.workspaces.me().workspace.id)


def check_workspace(world: World, workspace_id: str) -> None:
    if workspace_id != world.emulator.workspace_id:
        raise Loss(f"the token is one of the workspace {workspace_id}")


@contextmanager
def make_world(kind: Kind = "file", **settings: float) -> Generator[World]:
    """Serve an emulator, and let everything that is made without an address call it."""
    options = {"read_limit": 10**6, **settings}
    with (
        temporary_folder() as folder,
        Emulator(**options) as emulator,  # type: ignore[arg-type]
        emulator.serve() as server,
        environment("SCRIPE_BASE_URL", server.base_url),
    ):
        store = make_store(kind, folder)
        with make_app(store) as app:
            yield World(emulator, server, kind, folder, store, app, settings)


@contextmanager
def temporary_folder() -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="oauth-trial-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def environment(name: str, value: str) -> Generator[None]:
    """Set a variable of the environment for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def open_process(process: Process, world: World) -> None:
    """Let another process use the login of a world."""
    process.order(
        "open",
        kind=world.kind,
        folder=str(world.folder),
        client_id=world.app.client_id,
        base_url=world.server.base_url,
    )


def join_refreshes() -> None:
    """Wait for the refreshes that go on without their caller."""
    for thread in threading.enumerate():
        if thread.name == "scripe-oauth-refresh":
            thread.join(PATIENCE)
            if thread.is_alive():
                raise Loss("a refresh hangs")
