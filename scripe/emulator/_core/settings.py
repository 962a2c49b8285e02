"""Everything about an emulator that can be set, guesses included."""

from dataclasses import dataclass
from typing import Literal, get_args

from ..._vocabulary import API_VERSION, APIKeyScope, Plan

PLANS: tuple[Plan, ...] = get_args(Plan)
SCOPES: tuple[APIKeyScope, ...] = get_args(APIKeyScope)

RateHeaders = Literal["always", "limited"]
MissingVersion = Literal["default", "refuse"]
ExpiredLink = Literal["AccessDenied", "ExpiredToken"]


@dataclass(frozen=True)
class Settings:
    """How one emulator behaves.

    Attributes:
        plan: the plan of the first workspace of a new database.
        job_speed: how much faster than usual jobs move; 0 stops them until `finish`, `fail` or `start`.
        read_limit: reads of a workspace in 60 seconds.
        write_limit: writes of a workspace in 60 seconds.
        upload_limit: upload links of a workspace in 60 seconds.
        generation_limit: generations of a workspace in 60 seconds.
        rate_headers: send ``X-RateLimit-*`` with every counted answer, or with a 429 alone.
        versions: the API versions accepted; the first is the default.
        missing_version: serve a call without version with the default, or refuse it.
        deprecation: the text of a ``Scripe-Deprecation`` header on every answer.
        finished_status: what a successful job is called, ``DONE`` or ``COMPLETED``.
        queue_seconds: how long a job is queued at speed 1.
        run_seconds: how long a job runs at speed 1.
        simulated_latency: seconds of the emulator's time that each answer takes; nobody waits for them.
        source_cents: what a file source takes of the daily spend cap.
        generation_cents: what generating a post takes of it.
        uploads_need_scope: whether minting a link takes ``sources:write`` or ``knowledge:write``.
        upload_lifetime: seconds until an upload link expires.
        expired_link: how storage refuses an expired link: 403 ``AccessDenied`` or 400 ``ExpiredToken``.
        include_topics: whether file sources come with a topic.
        max_recorded_requests: how many received requests are remembered.
        cors_origins: origins such as ``http://localhost:5173`` whose pages may call a served emulator from a browser,
            ``*`` for all; none unless given. The emulator's own page is not among what they may call.

    """

    plan: Plan = "BUSINESS"
    job_speed: float = 1.0
    read_limit: int = 120
    write_limit: int = 300
    upload_limit: int = 300
    generation_limit: int = 60
    rate_headers: RateHeaders = "always"
    versions: tuple[str, ...] = (API_VERSION,)
    missing_version: MissingVersion = "default"
    deprecation: str | None = None
    finished_status: str = "DONE"
    queue_seconds: float = 1.0
    run_seconds: float = 4.0
    simulated_latency: float = 0.0
    source_cents: int = 10
    generation_cents: int = 5
    uploads_need_scope: bool = False
    upload_lifetime: int = 900
    expired_link: ExpiredLink = "AccessDenied"
    include_topics: bool = False
    max_recorded_requests: int = 10_000
    cors_origins: tuple[str, ...] = ()
