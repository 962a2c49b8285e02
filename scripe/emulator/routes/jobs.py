"""GET /jobs, GET /jobs/{jobId} and POST /jobs/{jobId}/cancel."""

from scripe._vocabulary import SUCCESS_STATUSES
from scripe.emulator.job_records import STATUSES, TYPES
from scripe.emulator.messages import Response
from scripe.emulator.paging import listing, span, words
from scripe.emulator.routing import Call, Resource, Route, wrapped
from scripe.emulator.state import Selection


def list_jobs(call: Call) -> Response:
    """The workspace's jobs, newest first, without live progress."""
    types, statuses = words(call, "type", TYPES), words(call, "status", STATUSES)
    if statuses and "DONE" in statuses:
        statuses = [*statuses, *SUCCESS_STATUSES]
    earliest, latest = span(call, times=True)
    return listing(
        call,
        lambda before: Selection(
            "jobs",
            call.workspace_id,
            earliest=earliest,
            latest=latest,
            types=types,
            statuses=statuses,
            before=before,
        ),
        lambda job: call.backend.jobs.shown(job, live=False),
    )


def get_job(call: Call) -> Response:
    """One job, with progress while it runs."""
    return wrapped(call.backend.jobs.shown(call.find("jobs", call.parameters["jobId"]), live=True))


def cancel_job(call: Call) -> Response:
    """Cancel a job that is still queued."""
    job = call.find("jobs", call.parameters["jobId"])
    call.backend.jobs.cancel(job)
    return wrapped(call.backend.jobs.shown(job, live=True))


RESOURCE = Resource(
    (
        Route("GET", "/jobs", list_jobs),
        Route("GET", "/jobs/{jobId}", get_job),
        Route("POST", "/jobs/{jobId}/cancel", cancel_job, bucket="write"),
    ),
    kinds=("jobs",),
)
