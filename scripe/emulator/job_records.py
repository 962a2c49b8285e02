"""A job as it is stored and shown, and what starting and ending do to it; nothing here looks at a clock."""

from typing import get_args

from scripe._vocabulary import JobStatus, JobType
from scripe.emulator.clock import timestamp
from scripe.emulator.state import Record, new_id
from scripe.emulator.wire import JsonObject

TYPES: tuple[JobType, ...] = get_args(JobType)
STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
ACTIVE = ("QUEUED", "RUNNING")
STEPS = 10
MESSAGES = ("Starting", "Reading the input", "Working on it", "Saving the result")
PROGRESS_LIFETIME = 60 * 60 * 1000


def new_job(
    job_type: str, workspace_id: str, project_id: str | None, created_at: int, *, estimated_ms: int
) -> Record:
    """A queued job, not stored yet."""
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


def begin(job: Record, moment: int, due_at: int | None) -> None:
    """Let a job run from a moment on, until it is due."""
    started = timestamp(moment)
    job.fields |= {"status": "RUNNING", "startedAt": started, "updatedAt": started, "attemptCount": 1}
    job.private["started"] = moment
    job.due_at = due_at


def end(job: Record, moment: int, status: str) -> None:
    """End a job at a moment."""
    ended = timestamp(moment)
    job.fields |= {"status": status, "completedAt": ended, "updatedAt": ended}
    job.due_at = None


def shown(job: Record, now: int, *, live: bool) -> JsonObject:
    """A job as the API shows it; live progress is for single reads."""
    fields = job.fields
    progress = _progress(job, now) if live and fields["status"] == "RUNNING" else None
    updated_at = progress["updatedAt"] if progress else fields["updatedAt"]
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
        "createdAt": timestamp(job.created_at),
        "updatedAt": updated_at,
    }


def _progress(job: Record, now: int) -> JsonObject | None:
    fraction, message, moment = job.private.get("reported") or _computed(job, now)
    if now - moment > PROGRESS_LIFETIME:
        return None
    text: JsonObject = {} if message is None else {"message": message}
    return {"progress": fraction, **text, "updatedAt": timestamp(moment)}


def _computed(job: Record, now: int) -> tuple[float, str, int]:
    started: int = job.private.get("started", job.created_at)
    span = (job.due_at or started) - started
    step = min(STEPS - 1, STEPS * (now - started) // span) if span else 0
    return step / STEPS, MESSAGES[step * len(MESSAGES) // STEPS], started + span * step // STEPS
