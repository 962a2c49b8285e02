"""What a test can do to an emulator beside sending it requests."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta

from scripe.emulator.access import SCOPES
from scripe.emulator.backend import Backend
from scripe.emulator.clock import Clock
from scripe.emulator.faults import Delay, Drop, Failure, Faults
from scripe.emulator.routes import KINDS
from scripe.emulator.routes.health import CHECKS
from scripe.emulator.seeding import Seeded, Seeder, furnish
from scripe.emulator.settings import Plan
from scripe.emulator.state import Selection


class Controls:
    """The controls of an emulator."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._faults = Faults()
        if self._setting("workspace_id") == "":
            self._found()

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
        scopes: Collection[str] | None = None,
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

    def set_spent(self, cents: int, *, workspace_id: str | None = None) -> None:
        """Set what a workspace has spent of today's cap."""
        day = self.clock.now().date().isoformat()
        self._backend.spending.set_spent(workspace_id or self.workspace_id, day, cents)

    def fail_next(
        self,
        status: int = 500,
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
        """Let the next matching requests fail without doing anything.

        Args:
            status: the status they are answered with.
            code: the error code; the status's own unless given.
            retry_after: what ``Retry-After`` says.
            times: how many requests.
            method: only requests with this method.
            path: only paths below ``/v1`` (or storage paths) that begin so.
            message: the error's message.
            body: sent as it is instead of the envelope, with `headers` alone.
            headers: header fields to add.

        """
        extra = {**(headers or {})}
        if retry_after is not None:
            extra["Retry-After"] = str(retry_after)
        self._faults.add(Failure(method, path, times, status, code, message, body, extra))

    def drop_next(self, times: int = 1, *, method: str | None = None, path: str | None = None) -> None:
        """Let the next matching requests be done, but their answers be lost."""
        self._faults.add(Drop(method, path, times))

    def delay_next(
        self, seconds: float, times: int = 1, *, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the next matching requests be answered so many seconds of real time late."""
        self._faults.add(Delay(method, path, times, seconds))

    def start(self, job_id: str) -> None:
        """Let a queued job run.

        Raises:
            LookupError: there is no such job.
            ValueError: it has ended.

        """
        with self._backend.state.transaction():
            self._backend.jobs.start(job_id)

    def finish(self, job_id: str, status: str | None = None) -> None:
        """End a job, with success unless another status is given; any string is taken.

        Raises:
            LookupError: there is no such job.
            ValueError: it has ended.

        """
        with self._backend.state.transaction():
            self._backend.jobs.finish(job_id, status)

    def fail(
        self,
        job_id: str,
        *,
        error_code: str = "INTERNAL_ERROR",
        error_message: str = "The job failed.",
    ) -> None:
        """Let a job fail.

        Raises:
            LookupError: there is no such job.
            ValueError: it has ended.

        """
        with self._backend.state.transaction():
            self._backend.jobs.fail(job_id, error_code, error_message)

    def set_progress(self, job_id: str, fraction: float, message: str | None = None) -> None:
        """Set the progress, 0 to 1, that a job shows while it runs.

        Raises:
            LookupError: there is no such job.
            ValueError: it has ended.

        """
        with self._backend.state.transaction():
            self._backend.jobs.report(job_id, fraction, message)

    def degrade(self, check: str = "db", error: str = "not reachable") -> None:
        """Let ``/health`` report a failing check: ``db``, ``redis`` or ``auditBuffer``.

        Raises:
            ValueError: there is no such check.

        """
        if check not in CHECKS:
            raise ValueError(f"check must be one of {', '.join(CHECKS)}")
        self._backend.degraded[check] = error

    def restore(self) -> None:
        """Let ``/health`` report that all is well."""
        self._backend.degraded.clear()

    def expire_cursors(self) -> None:
        """Make every cursor handed out so far stale."""
        self._backend.cursor_age += 1
        self._backend.state.set_setting("cursor_age", str(self._backend.cursor_age))

    def seed(
        self,
        *,
        projects: int = 0,
        jobs: int = 0,
        sources: int = 0,
        job_type: str = "POST_GENERATION",
        job_status: str = "DONE",
        start: datetime | None = None,
        step: float | timedelta = 1.0,
        project_id: str | None = None,
        workspace_id: str | None = None,
    ) -> Seeded:
        """Make records in bulk; they spend nothing and send nothing.

        Args:
            projects: how many projects.
            jobs: how many jobs.
            sources: how many sources.
            job_type: the type of the jobs.
            job_status: their status.
            start: when the first of each was created; unless given, so that the last was just now.
            step: seconds between one and the next; 0 creates all at the same instant.
            project_id: where jobs and sources belong, a project of the workspace unless given.
            workspace_id: the workspace, the first unless given.

        Raises:
            ValueError: the API has no such job type or status.

        """
        apart = step if isinstance(step, timedelta) else timedelta(seconds=step)
        began = start or self.clock.now() - apart * max(projects, jobs, sources)
        seeder = Seeder(
            self._backend,
            workspace_id or self.workspace_id,
            project_id or self._project_of(workspace_id),
            began,
            apart,
            job_type,
            job_status,
        )
        return seeder.seed(projects, jobs, sources)

    def count(self, table: str) -> int:
        """How many records there are of a kind such as ``sources``, of all workspaces.

        Raises:
            ValueError: there is no such kind.

        """
        if table not in KINDS:
            raise ValueError(f"table must be one of {', '.join(sorted(KINDS))}")
        with self._backend.state.transaction():
            self._backend.jobs.settle()
            return self._backend.state.count(table)

    def _found(self) -> None:
        backend = self._backend
        with backend.state.transaction():
            workspace_id = backend.access.create_workspace("Acme", backend.settings.plan)
            key = backend.access.create_key(workspace_id, SCOPES, expires_on=None, live=False)
            backend.state.set_setting("workspace_id", workspace_id)
            backend.state.set_setting("api_key", key)
            backend.state.set_setting("project_id", furnish(backend, workspace_id))

    def _project_of(self, workspace_id: str | None) -> str:
        if workspace_id in (None, self.workspace_id):
            return self.project_id
        return self._backend.state.page(Selection("projects", workspace_id or ""), 1)[0].id

    def _setting(self, name: str) -> str:
        return self._backend.state.setting(name) or ""
