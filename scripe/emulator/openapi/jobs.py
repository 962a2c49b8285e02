"""The schemas and operations of ``/jobs``."""

from ..._vocabulary import SUCCESS_STATUSES
from .._core.canonical_json import JsonObject
from .._core.jobs import STATUSES, TYPES
from .building import (
    choice,
    integer,
    listed,
    moment,
    nullable,
    parameter,
    reference,
    structure,
    text,
    word,
)
from .notes import DAY
from .operations import Operation, Page, page_of, wrapped

MOMENT: JsonObject = {"anyOf": [DAY, moment()]}
JOB = wrapped(reference("Job"))
SCHEMAS: JsonObject = {
    "JobProgress": structure(
        {"progress": {"type": "number", "minimum": 0, "maximum": 1}, "updatedAt": moment()},
        {"message": text()},
    ),
    "JobResult": {
        **structure(
            {},
            {
                "postId": text("`post_…`, of `POST_GENERATION`."),
                "documentId": text("`kb_…`, of `KB_INGEST_*`."),
                "sourceId": text("`src_…`, of `SOURCE_INGEST_FILE`."),
            },
        ),
        "minProperties": 1,
    },
    "Job": structure(
        {
            "id": text("`job_…`"),
            "type": word(TYPES),
            "status": word((*STATUSES, SUCCESS_STATUSES[1])),
            "projectId": nullable(text()),
            "startedAt": nullable(moment()),
            "completedAt": nullable(moment()),
            "progress": nullable(reference("JobProgress")),
            "result": nullable(reference("JobResult")),
            "errorCode": nullable(text()),
            "errorMessage": nullable(text()),
            "attemptCount": integer(minimum=0),
            "estimatedCompletionMs": nullable(integer(minimum=0)),
            "createdAt": moment(),
            "updatedAt": nullable(moment()),
        }
    ),
}
OPERATIONS = (
    Operation(
        "GET",
        "/jobs",
        "listJobs",
        "Jobs",
        "The workspace's jobs, newest first, without live progress",
        page_of("Job"),
        query=Page(
            (
                parameter("type", listed(choice(TYPES)), "Only jobs of these types."),
                parameter("status", listed(choice(STATUSES)), "Only jobs of these statuses."),
                parameter("dateFrom", MOMENT, "The first day, or moment, of creation."),
                parameter("dateTo", MOMENT, "The last day, or moment, of creation."),
            )
        ).query(),
    ),
    Operation("GET", "/jobs/{jobId}", "getJob", "Jobs", "One job, with progress while it runs", JOB),
    Operation(
        "POST",
        "/jobs/{jobId}/cancel",
        "cancelJob",
        "Jobs",
        "Cancel a job that is still queued",
        JOB,
        statuses=(409,),
    ),
)
