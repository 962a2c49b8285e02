"""Spell the words of the API, each once: the client, the command line and the emulator take them from here.

`tests/api_pages/vocabulary.json` holds each list as the API's pages print it, and a test compares the two. What no page
states is marked as a guess. The API may add words to every list, so the client takes any other text as well; only the
emulator and the completion of the command line go by these lists alone.
"""

from typing import Final, Literal, TypeAlias

API_VERSION: Final = "2026-08-01"

JobType: TypeAlias = Literal[
    "POST_GENERATION",
    "KB_INGEST_TEXT",
    "KB_INGEST_FILE",
    "KB_INGEST_URL",
    "KB_INGEST_YOUTUBE",
    "SOURCE_INGEST_FILE",
]
JobStatus: TypeAlias = Literal["QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED"]
SUCCESS_STATUSES: Final = ("DONE", "COMPLETED")
"""Statuses of a job that succeeded (C1): the pages use both, and list only the first."""

SourceType: TypeAlias = Literal["text", "file"]
SourceStatus: TypeAlias = Literal["Processing", "Done", "Success", "Failed"]
READY_STATUSES: Final = ("Done", "Success")
"""Statuses of a source whose transcript is there (C2): the pages use both."""

KnowledgeType: TypeAlias = Literal["text", "file", "url", "youtube"]

PostStatus: TypeAlias = Literal[
    "waitingProcessing",
    "draft",
    "waitingApproval",
    "approved",
    "rejected",
    "scheduled",
    "published",
    "suggested",
]
ContentType: TypeAlias = Literal[
    "PERSONAL", "BUSINESS_INTERNAL", "BUSINESS_EXTERNAL", "EDUCATIONAL", "UNKNOWN"
]
"""What a note or a post is about. A guess: the pages name only the first."""

ProjectType: TypeAlias = Literal["PERSONAL_BRAND", "COMPANY_PAGE"]
ProjectStatus: TypeAlias = Literal["ACTIVE", "PAUSED", "ARCHIVED", "ERROR"]

Plan: TypeAlias = Literal["FREE", "SOLO", "ADVANCED", "BUSINESS", "ENTERPRISE", "TRIAL"]
PrincipalType: TypeAlias = Literal["api_key"]
APIKeyScope: TypeAlias = Literal[
    "notes:read",
    "notes:write",
    "posts:read",
    "posts:write",
    "sources:write",
    "knowledge:write",
    "webhooks:manage",
]
Scope: TypeAlias = Literal[APIKeyScope, "offline_access"]
"""What an API key or an OAuth token may do; only a token has the last."""

WebhookEvent: TypeAlias = Literal[
    "note.created",
    "post.created",
    "post.updated",
    "post.scheduled",
    "post.unscheduled",
    "source.created",
    "job.completed",
    "job.failed",
    "knowledge.indexed",
]

HealthStatus: TypeAlias = Literal["ok", "degraded"]

RateLimitBucket: TypeAlias = Literal["read", "write", "upload", "generation"]
"""What the rate limit counts together. The pages state only that all reads share one bucket: the others are a guess,
and a wrong guess costs a wait, never a lost call."""

STATUS_BY_CODE: Final[dict[str, int]] = {
    "invalid_request": 400,
    "bad_cursor": 400,
    "bad_pagination": 400,
    "version_unsupported": 400,
    "invalid_token": 401,
    "unauthenticated": 401,
    "key_revoked": 401,
    "key_expired": 401,
    "spend_cap_exceeded": 402,
    "scope_missing": 403,
    "plan_not_eligible": 403,
    "workspace_mismatch": 403,
    "not_found": 404,
    "conflict": 409,
    "idempotency_key_conflict": 409,
    "not_cancellable": 409,
    "payload_too_large": 413,
    "unprocessable": 422,
    "ssrf_blocked": 422,
    "rate_limited": 429,
    "internal_error": 500,
    "service_unavailable": 503,
}
"""The HTTP status of each error code; that of `ssrf_blocked` is a guess. The first code of a status is its plainest."""
