"""Who there is at an emulator: workspaces, keys, tokens, plans, connections."""

from collections.abc import Collection, Sequence
from datetime import date

from scripe._vocabulary import APIKeyScope, Plan
from scripe.emulator.backend import Backend
from scripe.emulator.clock import Clock
from scripe.emulator.limits import CAPS
from scripe.emulator.routes.projects import shown
from scripe.emulator.seeding import furnish
from scripe.emulator.settings import SCOPES, Settings
from scripe.emulator.state import Record
from scripe.emulator.wire import JsonObject


class Accounts:
    """The controls for who may call."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        with backend.state.transaction():  # two emulators on one database begin with one workspace
            if self._setting("workspace_id") == "":
                self._found()

    @property
    def settings(self) -> Settings:
        """How this emulator behaves, as it was set when it was made."""
        return self._backend.settings

    @property
    def clock(self) -> Clock:
        """The emulator's time."""
        return self._backend.clock

    @property
    def workspace_id(self) -> str:
        """The first workspace."""
        return self._setting("workspace_id")

    @property
    def api_key(self) -> str:
        """A key of the first workspace, with every scope."""
        return self._setting("api_key")

    @property
    def project_id(self) -> str:
        """The newest project that the first workspace began with."""
        return self._setting("project_id")

    def project(self, project_id: str | None = None) -> JsonObject:
        """A project as the API shows it, `project_id` unless another one is named; no request is made.

        Raises:
            LookupError: there is no such project.

        """
        with self._backend.state.transaction():
            return shown(self._project(project_id or self.project_id))

    def create_workspace(self, name: str = "Second workspace", plan: Plan = "BUSINESS") -> str:
        """Add a workspace with three projects and return its id."""
        with self._backend.state.transaction():
            workspace_id = self._backend.access.create_workspace(name, plan)
            furnish(self._backend, workspace_id)
        return workspace_id

    def set_plan(self, plan: Plan, *, active: bool = True, workspace_id: str | None = None) -> None:
        """Change a workspace's plan; `active` false means a subscription in bad standing."""
        self._backend.access.set_plan(workspace_id or self.workspace_id, plan, active=active)

    def create_key(
        self,
        scopes: Collection[APIKeyScope | str] | None = None,
        *,
        expires_on: date | None = None,
        live: bool = False,
        workspace_id: str | None = None,
    ) -> str:
        """Add a key and return it; it has every scope unless some are named."""
        return self._backend.access.create_key(
            workspace_id or self.workspace_id,
            SCOPES if scopes is None else scopes,
            expires_on=expires_on,
            live=live,
        )

    def revoke_key(self, key: str | None = None) -> None:
        """Revoke a key, `api_key` unless another one is named."""
        self._backend.access.revoke_key(key or self.api_key)

    def create_token(
        self, workspaces: Sequence[str] = (), scopes: Collection[APIKeyScope | str] | None = None
    ) -> str:
        """Add a token as OAuth gives them, which reaches several workspaces, and return it.

        Args:
            workspaces: ids of workspaces, the default one first; the first workspace unless some are named.
            scopes: what it may do; everything unless given.

        """
        reached = workspaces or (self.workspace_id,)
        with self._backend.state.transaction():
            return self._backend.access.create_token(reached, SCOPES if scopes is None else scopes)

    def connect_linkedin(self, project_id: str, *, connected: bool = True) -> None:
        """Connect a project to LinkedIn, or disconnect it; a post of one without cannot be scheduled by PATCH.

        Raises:
            LookupError: there is no such project.

        """
        with self._backend.state.transaction():
            project = self._project(project_id)
            project.private["linkedin"] = connected
            self._backend.state.update(project)

    def set_spent(self, cents: int, *, workspace_id: str | None = None) -> None:
        """Set what a workspace has spent of today's cap."""
        day = self.clock.now().date().isoformat()
        self._backend.spending.set_spent(workspace_id or self.workspace_id, day, cents)

    def _project(self, project_id: str) -> Record:
        project = self._backend.state.find("projects", project_id)
        if project is None:
            raise LookupError(f"there is no project {project_id}")
        return project

    def set_left(self, cents: int, *, workspace_id: str | None = None) -> None:
        """Set what a workspace has left of today's cap.

        Raises:
            ValueError: its plan has no cap, or a lower one.

        """
        workspace_id = workspace_id or self.workspace_id
        plan = self._backend.access.plan(workspace_id)
        cap = CAPS.get(plan)
        if cap is None or not 0 <= cents <= cap:
            has = "no spend cap" if cap is None else f"a daily spend cap of {cap} cents"
            raise ValueError(f"{cents} cents cannot be left: the plan {plan} has {has}")
        self.set_spent(cap - cents, workspace_id=workspace_id)

    def _found(self) -> None:
        backend = self._backend
        workspace_id = backend.access.create_workspace("Acme", backend.settings.plan)
        key = backend.access.create_key(workspace_id, SCOPES, expires_on=None, live=False)
        backend.state.set_setting("workspace_id", workspace_id)
        backend.state.set_setting("api_key", key)
        backend.state.set_setting("project_id", furnish(backend, workspace_id))

    def _setting(self, name: str) -> str:
        return self._backend.state.setting(name) or ""
