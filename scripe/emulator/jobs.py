"""The life of a job: QUEUED, RUNNING, and an end, moved by the clock whenever somebody looks.

When a state ends is stored with the job, so that a look after an hour finds the same times as one every second.
"""

from collections.abc import Callable
from copy import deepcopy

from scripe._vocabulary import SUCCESS_STATUSES
from scripe.emulator.clock import Clock, timestamp
from scripe.emulator.errors import ApiError
from scripe.emulator.events import Events
from scripe.emulator.job_records import ACTIVE, begin, end, new_job, shown
from scripe.emulator.limits import Spending
from scripe.emulator.settings import Settings
from scripe.emulator.state import Record, State
from scripe.emulator.wire import JsonObject

Work = Callable[[Record, int], JsonObject]


class JobFailure(Exception):  # noqa: N818  (it is how a job ends, not an error of the emulator)
    """A job's work came to nothing, for a reason that the job shows."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Jobs:
    """All jobs.

    Args:
        state: where they are stored.
        clock: the time they move by.
        settings: how fast they move.
        spending: where the reserved cents of a failed job go back to.
        events: what is told of their ends.
        work: makes the result of a job at the moment it ends.

    """

    def __init__(
        self, state: State, clock: Clock, settings: Settings, spending: Spending, events: Events, work: Work
    ) -> None:
        self._state = state
        self._clock = clock
        self._settings = settings
        self._spending = spending
        self._events = events
        self._work = work

    def submit(
        self,
        job_type: str,
        workspace_id: str,
        project_id: str | None,
        *,
        estimated_ms: int,
        task: JsonObject,
        cents: int = 0,
    ) -> Record:
        """Queue a job; `task` is what its work needs to know, `cents` what was reserved for it."""
        now = self._clock.milliseconds()
        job = new_job(job_type, workspace_id, project_id, now, estimated_ms=estimated_ms)
        job.private = {"task": task, "cents": cents, "day": timestamp(now)[:10]}
        job.due_at = self._after(now, self._settings.queue_seconds)
        self._state.insert(job)
        return job

    def settle(self) -> None:
        """Move every job to where it should be by now."""
        now = self._clock.milliseconds()
        while due := self._state.due("jobs", now):
            for job in due:
                self._move(job, job.due_at or now)

    def start(self, job_id: str) -> None:
        """Let a queued job run from now on."""
        job = self._active(job_id)
        if job.fields["status"] == "QUEUED":
            self._start(job, self._clock.milliseconds())

    def finish(self, job_id: str, status: str | None) -> None:
        """End a job now, with success unless the status is another one."""
        job, now = self._active(job_id), self._clock.milliseconds()
        if job.fields["status"] == "QUEUED":
            self._start(job, now)
        self._finish(job, now, status or self._settings.finished_status)

    def fail(self, job_id: str, code: str, message: str) -> None:
        """Let a job fail now."""
        self._fail(self._active(job_id), self._clock.milliseconds(), code, message)

    def report(self, job_id: str, fraction: float, message: str | None) -> None:
        """Set the progress that a running job shows from now on."""
        job, now = self._active(job_id), self._clock.milliseconds()
        job.private["reported"] = [fraction, message, now]
        job.fields["updatedAt"] = timestamp(now)
        self._state.update(job)

    def cancel(self, job: Record) -> None:
        """Cancel a queued job.

        Raises:
            ApiError: 409, the job is not queued any more.

        """
        if job.fields["status"] != "QUEUED":
            status = job.fields["status"]
            raise ApiError("not_cancellable", f"The job is {status}; only a QUEUED job can be cancelled.")
        self._refund(job)
        self._end(job, self._clock.milliseconds(), "CANCELLED")

    def shown(self, job: Record, *, live: bool) -> JsonObject:
        """A job as the API shows it; live progress is for single reads."""
        return shown(job, self._clock.milliseconds(), live=live)

    def foresee(self, job: Record, result: JsonObject, latest: int) -> tuple[Record, int]:
        """A queued job as it will be when it ends or at the latest, and when that is; nothing is changed."""
        job = deepcopy(job)
        if job.due_at is None or job.due_at > latest:
            return job, latest
        begin(job, job.due_at, self._after(job.due_at, self._settings.run_seconds))
        if job.due_at > latest:
            return job, latest
        moment, job.fields["result"] = job.due_at, result
        end(job, moment, self._settings.finished_status)
        return job, moment

    def _active(self, job_id: str) -> Record:
        self.settle()
        job = self._state.find("jobs", job_id)
        if job is None:
            raise LookupError(f"there is no job {job_id}")
        if job.fields["status"] not in ACTIVE:
            raise ValueError(f"job {job_id} is {job.fields['status']} already")
        return job

    def _after(self, moment: int, seconds: float) -> int | None:
        speed = self._settings.speed
        return moment + round(seconds * 1000 / speed) if speed > 0 else None

    def _move(self, job: Record, moment: int) -> None:
        if job.fields["status"] == "QUEUED":
            self._start(job, moment)
        else:
            self._finish(job, moment, self._settings.finished_status)

    def _start(self, job: Record, moment: int) -> None:
        begin(job, moment, self._after(moment, self._settings.run_seconds))
        self._state.update(job)

    def _finish(self, job: Record, moment: int, status: str) -> None:
        try:
            result = self._work(job, moment) if status in SUCCESS_STATUSES else None
        except JobFailure as failure:
            self._fail(job, moment, failure.code, failure.message)
            return
        job.fields["result"] = result
        self._end(job, moment, status)

    def _fail(self, job: Record, moment: int, code: str, message: str) -> None:
        job.fields |= {"errorCode": code, "errorMessage": message}
        self._refund(job)
        self._end(job, moment, "FAILED")

    def _refund(self, job: Record) -> None:
        if job.private.get("cents"):
            self._spending.refund(job.workspace_id, job.private["day"], job.private["cents"])

    def _end(self, job: Record, moment: int, status: str) -> None:
        end(job, moment, status)
        self._state.update(job)
        if status in SUCCESS_STATUSES or status == "FAILED":
            name = "job.failed" if status == "FAILED" else "job.completed"
            self._events.emit(name, job, shown(job, moment, live=False))
