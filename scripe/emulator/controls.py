"""What a test can do to an emulator beside sending it requests."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from scripe._vocabulary import JobStatus, JobType
from scripe.emulator.accounts import Accounts
from scripe.emulator.backend import Backend
from scripe.emulator.deliveries import Delivery
from scripe.emulator.faults import Delay, Drop, Failure, Faults
from scripe.emulator.routes import KINDS
from scripe.emulator.routes.health import CHECKS
from scripe.emulator.seeding import Seeded, Seeder
from scripe.emulator.state import Selection

HEADER_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*")


class Controls(Accounts):
    """The controls of an emulator."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._faults = Faults()
        self.latency = backend.settings.latency

    @property
    def latency(self) -> float:
        """Seconds of the emulator's time that each answer takes; may be set.

        Nobody waits for them: the clock moves on. A client in process gives up where they exceed its timeout.
        """
        return self._latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("an answer cannot come early")
        self._latency = seconds

    @property
    def deliveries(self) -> list[Delivery]:
        """What webhook endpoints were sent, or would have been without ``deliver``, in order."""
        with self._backend.state.transaction():
            self._backend.settle()
            return list(self._backend.events.deliveries)

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

        Raises:
            ValueError: no answer has such a status or header field, `times` is below 1, or `path` does not begin
                with ``/``.

        """
        if not isinstance(status, int) or not 200 <= status <= 599:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"status is {status!r}; give a number, 200 to 599")
        extra = {**(headers or {})}
        if retry_after is not None:
            extra["Retry-After"] = str(retry_after)
        for name, text in extra.items():
            if not HEADER_FIELD.fullmatch(f"{name}: {text}"):
                raise ValueError(f"no header field can be {name}: {text!r}")
        self._faults.add(Failure(method, path, times, status, code, message, body, extra))

    def drop_next(self, times: int = 1, *, method: str | None = None, path: str | None = None) -> None:
        """Let the next matching requests be done, but their answers be lost.

        Raises:
            ValueError: `times` is below 1, or `path` does not begin with ``/``.

        """
        self._faults.add(Drop(method, path, times))

    def delay_next(
        self, seconds: float, times: int = 1, *, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the next matching requests be answered so many seconds of real time late.

        Raises:
            ValueError: the seconds are negative, `times` is below 1, or `path` does not begin with ``/``.

        """
        if seconds < 0:
            raise ValueError("an answer cannot come early")
        self._faults.add(Delay(method, path, times, seconds))

    @property
    def unmet_faults(self) -> list[str]:
        """The orders of `fail_next`, `drop_next` and `delay_next` that no request has met at all.

        Each as people read it, such as ``503 for POST /sources``.
        """
        return self._faults.unmet()

    def clear_faults(self) -> None:
        """Call off what `fail_next`, `drop_next` and `delay_next` ordered and no request has met yet."""
        self._faults.clear()

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
        notes: int = 0,
        posts: int = 0,
        job_type: JobType | str = "POST_GENERATION",
        job_status: JobStatus | str = "DONE",
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
            notes: how many notes; every second one has a slot, at the time of its creation.
            posts: how many posts, drafts all.
            job_type: the type of the jobs.
            job_status: their status.
            start: when the first of each was created; unless given, so that the last was just now.
            step: seconds between one and the next; 0 creates all at the same instant.
            project_id: where all but projects belong, a project of the workspace unless given.
            workspace_id: the workspace, the first unless given.

        Raises:
            ValueError: the API has no such job type or status.

        """
        apart = step if isinstance(step, timedelta) else timedelta(seconds=step)
        began = start or self.clock.now() - apart * max(projects, jobs, sources, notes, posts)
        seeder = Seeder(
            self._backend,
            workspace_id or self.workspace_id,
            project_id or self._project_of(workspace_id),
            began,
            apart,
            job_type,
            job_status,
        )
        return seeder.seed(projects, jobs, sources, notes, posts)

    def count(self, table: str) -> int:
        """How many records there are of a kind such as ``sources``, of all workspaces.

        Raises:
            ValueError: there is no such kind.

        """
        if table not in KINDS:
            raise ValueError(f"table must be one of {', '.join(sorted(KINDS))}")
        with self._backend.state.transaction():
            self._backend.settle()
            return self._backend.state.count(table)

    def _project_of(self, workspace_id: str | None) -> str:
        if workspace_id in (None, self.workspace_id):
            return self.project_id
        return self._backend.state.page(Selection("projects", workspace_id or ""), 1)[0].id
