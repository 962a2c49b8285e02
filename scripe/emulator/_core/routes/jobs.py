"""GET /jobs, GET /jobs/{jobId} and POST /jobs/{jobId}/cancel."""

from ...._vocabulary import SUCCESS_STATUSES
from ..database import Selection
from ..jobs import STATUSES, TYPES
from ..messages import Response
from ..pagination import page_of_selection, parse_date_range, parse_enum_list
from ..routing import RequestContext, Resource, Route, data_response


def list_jobs(context: RequestContext) -> Response:
    """The workspace's jobs, newest first, without live progress."""
    types, statuses = parse_enum_list(context, "type", TYPES), parse_enum_list(context, "status", STATUSES)
    if statuses and "DONE" in statuses:
        statuses = [*statuses, *SUCCESS_STATUSES]
    earliest, latest = parse_date_range(context, times=True)
    return page_of_selection(
        context,
        lambda before: Selection(
            "jobs",
            context.workspace_id,
            earliest=earliest,
            latest=latest,
            types=types,
            statuses=statuses,
            before=before,
        ),
        lambda job: context.services.jobs.to_json(job, live=False),
    )


def get_job(context: RequestContext) -> Response:
    """One job, with progress while it runs."""
    return data_response(
        context.services.jobs.to_json(context.find("jobs", context.parameters["jobId"]), live=True)
    )


def cancel_job(context: RequestContext) -> Response:
    """Cancel a job that is still queued."""
    job = context.find("jobs", context.parameters["jobId"])
    context.services.jobs.cancel(job)
    return data_response(context.services.jobs.to_json(job, live=True))


RESOURCE = Resource(
    (
        Route("GET", "/jobs", list_jobs),
        Route("GET", "/jobs/{jobId}", get_job),
        Route("POST", "/jobs/{jobId}/cancel", cancel_job, bucket="write"),
    ),
    names=("jobs",),
)
