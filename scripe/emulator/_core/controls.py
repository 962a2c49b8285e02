"""Change the emulator from a test, besides sending it requests; `Emulator` documents each control."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

from ..._vocabulary import Plan
from .canonical_json import JsonObject
from .database import Record, Selection
from .events import Event
from .faults import Delay, Drop, Failure, Faults
from .routes import RESOURCE_NAMES
from .routes.health import CHECKS
from .routes.projects import to_json
from .seeding import SeededIds, Seeder, create_default_projects
from .services import Services
from .settings import SCOPES
from .spending import CAPS

HEADER_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*")


class Controls:
    """The controls of an emulator."""

    def __init__(self, services: Services, faults: Faults) -> None:
        self._services = services
        self._faults = faults
        with services.database.transaction():  # two emulators on one database begin with one workspace
            if self._get_meta("workspace_id") == "":
                self._create_first_workspace()

    @property
    def workspace_id(self) -> str:
        """The first workspace."""
        return self._get_meta("workspace_id")

    @property
    def api_key(self) -> str:
        """The API key of the first workspace."""
        return self._get_meta("api_key")

    @property
    def project_id(self) -> str:
        """The newest project that the first workspace began with."""
        return self._get_meta("project_id")

    @property
    def events(self) -> list[Event]:
        """The events so far, in order."""
        with self._services.database.transaction():
            self._services.advance_due()
            return list(self._services.events.events)

    def project(self, project_id: str | None) -> JsonObject:
        """Return a project as the API shows it."""
        with self._services.database.transaction():
            return to_json(self._find_project(project_id or self.project_id))

    def create_workspace(self, name: str, plan: Plan) -> str:
        """Add a workspace with three projects and return its id."""
        with self._services.database.transaction():
            workspace_id = self._services.auth.create_workspace(name, plan)
            create_default_projects(self._services, workspace_id)
        return workspace_id

    def create_key(
        self, scopes: Collection[str] | None, expires_on: date | None, workspace_id: str | None, *, live: bool
    ) -> str:
        """Add an API key and return it."""
        workspace_id, scopes = workspace_id or self.workspace_id, SCOPES if scopes is None else scopes
        return self._services.auth.create_key(workspace_id, scopes, expires_on, live=live)

    def revoke_key(self, api_key: str | None = None) -> None:
        """Revoke an API key."""
        self._services.auth.revoke_key(api_key or self.api_key)

    def create_token(self, workspace_ids: Sequence[str], scopes: Collection[str] | None) -> str:
        """Add an OAuth token and return it."""
        with self._services.database.transaction():
            return self._services.auth.create_token(
                workspace_ids or (self.workspace_id,), SCOPES if scopes is None else scopes
            )

    def connect_linkedin(self, project_id: str, *, connected: bool) -> None:
        """Connect a project to LinkedIn, or disconnect it."""
        with self._services.database.transaction():
            project = self._find_project(project_id)
            project.internal["linkedin"] = connected
            self._services.database.update(project)

    def set_spend(self, cents: int, workspace_id: str | None) -> None:
        """Set the cents that a workspace has spent today."""
        spending = self._services.spending
        spending.set_spent(workspace_id or self.workspace_id, spending.today(), cents)

    def set_spend_remaining(self, cents: int, workspace_id: str | None) -> None:
        """Set the cents that are left of a workspace's spend cap today."""
        plan = self._services.auth.get_plan(workspace_id or self.workspace_id)
        cap = CAPS.get(plan)
        if cap is None or not 0 <= cents <= cap:
            has = "no spend cap" if cap is None else f"a daily spend cap of {cap} cents"
            raise ValueError(f"{cents} cents cannot remain: the plan {plan} has {has}")
        self.set_spend(cap - cents, workspace_id)

    def fail_next(
        self,
        status: int,
        code: str | None = None,
        *,
        retry_after: float | str | None = None,
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
        message: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Let the next matching requests fail without doing anything."""
        if not isinstance(status, int) or not 200 <= status <= 599:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"status is {status!r}; give a number from 200 to 599")
        fields = {**(headers or {})}
        if retry_after is not None:
            fields["Retry-After"] = str(retry_after)
        for name, text in fields.items():
            if not HEADER_FIELD.fullmatch(f"{name}: {text}"):
                raise ValueError(f"{name}: {text!r} is not a valid header field")
        self._faults.add(Failure(method, path, times, status, code, message, body, fields))

    def drop_next(
        self, times: int = 1, *, before: bool = False, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the next matching requests be done and their responses lost, or be lost before they are done."""
        self._faults.add(Drop(method, path, times, before))

    def delay_next(
        self, seconds: float, times: int = 1, *, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the responses of the next matching requests come late, in real time."""
        if seconds < 0:
            raise ValueError(f"seconds is {seconds}; give 0 or more")
        self._faults.add(Delay(method, path, times, seconds))

    def degrade(self, check: str, error: str) -> None:
        """Let a health check fail."""
        if check not in CHECKS:
            raise ValueError(f"check is {check!r}; give one of {', '.join(CHECKS)}")
        self._services.degraded[check] = error

    def expire_cursors(self) -> None:
        """Make every cursor handed out so far stale."""
        self._services.cursor_age += 1
        self._services.database.set_meta("cursor_age", str(self._services.cursor_age))

    def seed(
        self,
        counts: Mapping[str, int],
        job_type: str,
        job_status: str,
        start: datetime | None,
        step: float | timedelta,
        project_id: str | None,
        workspace_id: str | None,
    ) -> SeededIds:
        """Make records in bulk, a number of each resource."""
        step = step if isinstance(step, timedelta) else timedelta(seconds=step)
        start = start or self._services.clock.now() - step * max(counts.values())
        if project_id is None and workspace_id not in (None, self.workspace_id):
            project_id = self._services.database.page(Selection("projects", str(workspace_id)), 1)[0].id
        seeder = Seeder(
            self._services,
            workspace_id or self.workspace_id,
            project_id or self.project_id,
            start,
            step,
            job_type,
            job_status,
        )
        return seeder.seed(counts)

    def count(self, table: str) -> int:
        """Count the records of a resource."""
        if table not in RESOURCE_NAMES:
            raise ValueError(f"table is {table!r}; give one of {', '.join(sorted(RESOURCE_NAMES))}")
        with self._services.database.transaction():
            self._services.advance_due()
            return self._services.database.count(table)

    def _create_first_workspace(self) -> None:
        services = self._services
        workspace_id = services.auth.create_workspace("Acme", services.settings.plan)
        api_key = services.auth.create_key(workspace_id, SCOPES)
        services.database.set_meta("workspace_id", workspace_id)
        services.database.set_meta("api_key", api_key)
        services.database.set_meta("project_id", create_default_projects(services, workspace_id))

    def _get_meta(self, name: str) -> str:
        return self._services.database.get_meta(name) or ""

    def _find_project(self, project_id: str) -> Record:
        project = self._services.database.find("projects", project_id)
        if project is None:
            raise LookupError(f"there is no project {project_id!r}")
        return project
