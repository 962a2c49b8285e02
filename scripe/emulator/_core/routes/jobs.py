"""GET /jobs, GET /jobs/{jobId} and POST /jobs/{jobId}/cancel."""

from ...._vocabulary import SUCCESS_STATUSES
from ..database import Record, Selection
from ..errors import ApiError
from ..jobs import STATUSES, TYPES
from ..messages import Response
from ..pagination import page_of_selection, parse_date_range, parse_enum_list
from ..routing import RequestContext, Resource, Route, data_response


def list_jobs(context: RequestContext) -> Response:
    """List the workspace's jobs, newest first, without live progress."""
    types = parse_enum_list(context, "type", TYPES)
    statuses = parse_enum_list(context, "status", STATUSES)
    if statuses and "DONE" in statuses:
        statuses = [*statuses, *SUCCESS_STATUSES]
    earliest, latest = parse_date_range(context, times=True)
    selection = Selection(
        "jobs",
        context.workspace_id,
        earliest=max(earliest, context.services.jobs.oldest_shown()),
        latest=latest,
        types=types,
        statuses=statuses,
    )
    return page_of_selection(context, selection, lambda job: context.services.jobs.to_json(job, live=False))


def get_job(context: RequestContext) -> Response:
    """Show a job, with progress while it runs."""
    job = _find_job(context)
    return data_response(context.services.jobs.to_json(job, live=True))


def cancel_job(context: RequestContext) -> Response:
    """Cancel a job that is still queued."""
    job = _find_job(context)
    context.services.jobs.cancel(job)
    return data_response(context.services.jobs.to_json(job, live=True))


def _find_job(context: RequestContext) -> Record:
    job = context.find("jobs", context.parameters["jobId"])
    if job.created_at < context.services.jobs.oldest_shown():
        raise ApiError("not_found", f"{job.id} was not found in jobs.")
    return job


RESOURCE = Resource(
    (
        Route("GET", "/jobs", list_jobs),
        Route("GET", "/jobs/{jobId}", get_job),
        Route("POST", "/jobs/{jobId}/cancel", cancel_job, bucket="write"),
    ),
    names=("jobs",),
)
