"""Move jobs from QUEUED over RUNNING to their end, by the clock, whenever a request comes.

The time of the next transition is stored with the job, so one request after an hour finds the same times as one each
second.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import get_args

from ..._vocabulary import SUCCESS_STATUSES, JobStatus, JobType, WebhookEvent
from .auth import Principal
from .canonical_json import JsonObject
from .clock import Clock
from .database import Database, Record, new_id
from .dates import DAY_MS, format_timestamp
from .errors import ApiError
from .events import EventLog
from .settings import Settings
from .spending import SpendTracker

TYPES: tuple[JobType, ...] = get_args(JobType)
STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
ACTIVE = ("QUEUED", "RUNNING")
STEPS = 10
MESSAGES = ("Starting", "Reading the input", "Working on it", "Saving the result")
PROGRESS_LIFETIME = 60 * 60 * 1000
RunHandler = Callable[[Record, int], JsonObject]


@dataclass(eq=False)
class JobFailure(Exception):  # noqa: N818  (it ends a job, and is not an error of the emulator)
    """A job's handler failed, for a reason that the job shows."""

    code: str
    message: str


class Jobs:
    """All jobs; `run_handler` makes the result of a job when it ends."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        spending: SpendTracker,
        events: EventLog,
        run_handler: RunHandler,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._spending = spending
        self._events = events
        self._run_handler = run_handler

    def submit(
        self,
        job_type: JobType,
        principal: Principal,
        project_id: str | None,
        *,
        estimated_ms: int,
        task: JsonObject,
        cents: int,
    ) -> Record:
        """Queue a job with a `task` for its handler, or raise a 402 if today's spend cap has too few cents left."""
        workspace_id, now = principal.workspace_id, self._clock.milliseconds()
        day = self._spending.reserve(workspace_id, principal.plan, cents)
        job = new_job(job_type, workspace_id, project_id, now, estimated_ms=estimated_ms)
        job.internal = {"task": task, "cents": cents, "day": day}
        job.next_transition_at = self._after(now, self._settings.queue_seconds)
        self._database.insert(job)
        return job

    def advance_due(self) -> None:
        """Move every job to where it should be by now."""
        now = self._clock.milliseconds()
        while due := self._database.find_due("jobs", now):
            for job in due:
                moment = job.next_transition_at or now
                if job.fields["status"] == "QUEUED":
                    self._start(job, moment)
                else:
                    self._finish(job, moment, self._settings.finished_status)

    def oldest_shown(self) -> int:
        """Return the first creation time of the jobs that are still listed and found."""
        days = self._settings.job_retention
        return 0 if days is None else self._clock.milliseconds() - round(days * DAY_MS)

    def start(self, job_id: str) -> None:
        """Let a queued job run from now on."""
        with self._database.transaction():
            job = self._find_active(job_id)
            if job.fields["status"] == "QUEUED":
                self._start(job, self._clock.milliseconds())

    def finish(self, job_id: str, status: str | None = None) -> None:
        """End a job now, with success unless another status is given."""
        with self._database.transaction():
            job, now = self._find_active(job_id), self._clock.milliseconds()
            if job.fields["status"] == "QUEUED":
                self._start(job, now)
            self._finish(job, now, status or self._settings.finished_status)

    def fail(self, job_id: str, code: str = "INTERNAL_ERROR", message: str = "The job failed.") -> None:
        """Let a job fail now."""
        with self._database.transaction():
            self._fail(self._find_active(job_id), self._clock.milliseconds(), code, message)

    def set_progress(self, job_id: str, fraction: float, message: str | None) -> None:
        """Set the progress that a running job shows from now on."""
        with self._database.transaction():
            job, now = self._find_active(job_id), self._clock.milliseconds()
            job.internal["reported"] = [fraction, message, now]
            job.fields["updatedAt"] = format_timestamp(now)
            self._database.update(job)

    def cancel(self, job: Record) -> None:
        """Cancel a queued job, or raise a 409 if it has another status."""
        status = job.fields["status"]
        if status != "QUEUED":
            raise ApiError("not_cancellable", f"The job is {status}; only a QUEUED job can be cancelled.")
        self._end(job, self._clock.milliseconds(), "CANCELLED", is_refunded=True)

    def to_json(self, job: Record, *, live: bool) -> JsonObject:
        """Return a job as the API shows it; only single reads show live progress."""
        return job_to_json(job, self._clock.milliseconds(), live=live)

    def preview(self, job: Record, result: JsonObject, latest: int) -> tuple[Record, int]:
        """Return a copy of a queued job as it will be when it ends, at the latest by a moment, and that moment."""
        job = deepcopy(job)
        if job.next_transition_at is None or job.next_transition_at > latest:
            return job, latest
        start_job(
            job, job.next_transition_at, self._after(job.next_transition_at, self._settings.run_seconds)
        )
        if job.next_transition_at > latest:
            return job, latest
        moment, job.fields["result"] = job.next_transition_at, result
        finish_job(job, moment, self._settings.finished_status)
        return job, moment

    def _find_active(self, job_id: str) -> Record:
        self.advance_due()
        job = self._database.find("jobs", job_id)
        if job is None:
            raise LookupError(f"there is no job {job_id!r}")
        if job.fields["status"] not in ACTIVE:
            raise ValueError(f"job {job_id} is already {job.fields['status']}")
        return job

    def _after(self, moment: int, seconds: float) -> int | None:
        speed = self._settings.job_speed
        return moment + round(seconds * 1000 / speed) if speed > 0 else None

    def _start(self, job: Record, moment: int) -> None:
        start_job(job, moment, self._after(moment, self._settings.run_seconds))
        self._database.update(job)

    def _finish(self, job: Record, moment: int, status: str) -> None:
        try:
            result = self._run_handler(job, moment) if status in SUCCESS_STATUSES else None
        except JobFailure as failure:
            self._fail(job, moment, failure.code, failure.message)
            return
        job.fields["result"] = result
        self._end(job, moment, status)

    def _fail(self, job: Record, moment: int, code: str, message: str) -> None:
        job.fields |= {"errorCode": code, "errorMessage": message}
        self._end(job, moment, "FAILED", is_refunded=True)

    def _end(self, job: Record, moment: int, status: str, *, is_refunded: bool = False) -> None:
        if is_refunded and job.internal.get("cents"):
            self._spending.refund(job.workspace_id, job.internal["day"], job.internal["cents"])
        finish_job(job, moment, status)
        self._database.update(job)
        if status in SUCCESS_STATUSES or status == "FAILED":
            name: WebhookEvent = "job.failed" if status == "FAILED" else "job.completed"
            self._events.record(name, job, job_to_json(job, moment, live=False))


def new_job(
    job_type: str, workspace_id: str, project_id: str | None, created_at: int, *, estimated_ms: int
) -> Record:
    """Make a queued job, without storing it."""
    fields: JsonObject = {
        "type": job_type,
        "status": "QUEUED",
        "startedAt": None,
        "completedAt": None,
        "result": None,
        "errorCode": None,
        "errorMessage": None,
        "attemptCount": 0,
        "estimatedCompletionMs": estimated_ms,
        "updatedAt": None,
    }
    return Record("jobs", new_id("job"), workspace_id, project_id, created_at, fields=fields)


def start_job(job: Record, moment: int, next_transition_at: int | None) -> None:
    """Let a job run from a moment until its next transition."""
    started = format_timestamp(moment)
    job.fields |= {"status": "RUNNING", "startedAt": started, "updatedAt": started, "attemptCount": 1}
    job.internal["started"] = moment
    job.next_transition_at = next_transition_at


def finish_job(job: Record, moment: int, status: str) -> None:
    """End a job at a moment."""
    ended = format_timestamp(moment)
    job.fields |= {"status": status, "completedAt": ended, "updatedAt": ended}
    job.next_transition_at = None


def job_to_json(job: Record, now: int, *, live: bool) -> JsonObject:
    """Return a job as the API shows it; only single reads show live progress."""
    fields = job.fields
    progress = _progress(job, now) if live and fields["status"] == "RUNNING" else None
    return {
        "id": job.id,
        "type": fields["type"],
        "status": fields["status"],
        "projectId": job.project_id,
        "startedAt": fields["startedAt"],
        "completedAt": fields["completedAt"],
        "progress": progress,
        "result": fields["result"],
        "errorCode": fields["errorCode"],
        "errorMessage": fields["errorMessage"],
        "attemptCount": fields["attemptCount"],
        "estimatedCompletionMs": fields["estimatedCompletionMs"],
        "createdAt": format_timestamp(job.created_at),
        "updatedAt": progress["updatedAt"] if progress else fields["updatedAt"],
    }


def _progress(job: Record, now: int) -> JsonObject | None:
    """Return the progress that a test has set, else one that follows from the time; None once it is an hour old."""
    if "reported" in job.internal:
        fraction, message, moment = job.internal["reported"]
    else:
        started: int = job.internal.get("started", job.created_at)
        span = (job.next_transition_at or started) - started
        step = min(STEPS - 1, STEPS * (now - started) // span) if span else 0
        fraction, message, moment = (
            step / STEPS,
            MESSAGES[step * len(MESSAGES) // STEPS],
            started + span * step // STEPS,
        )
    if now - moment > PROGRESS_LIFETIME:
        return None
    text: JsonObject = {} if message is None else {"message": message}
    return {"progress": fraction, **text, "updatedAt": format_timestamp(moment)}
