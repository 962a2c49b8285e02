"""Define the settings of an emulator."""

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
    """The settings of an emulator, guesses about the API included; each is a keyword of `Emulator`.

    Attributes:
        plan: The plan of the first workspace of a new database.
        job_speed: How many times faster than usual jobs move; 0 stops them until `start`, `finish` or `fail`.
        read_limit: Reads of a workspace in `rate_window` seconds.
        write_limit: Writes of a workspace in that time.
        upload_limit: Upload links of a workspace in that time.
        generation_limit: Generations of a workspace in that time.
        shared_limit: Requests of a workspace in that time, of all kinds together; instead of the four limits.
        rate_window: Seconds for which a request counts.
        rate_headers: Whether `X-RateLimit-*` comes with every response that counts, or only with a 429.
        versions: The API versions accepted; the first is the default.
        missing_version: Whether a call without version is served with the default, or refused.
        deprecation: The text of a `Scripe-Deprecation` header on every response.
        finished_status: The status of a successful job, `DONE` or `COMPLETED`.
        queue_seconds: How long a job is queued at speed 1.
        run_seconds: How long a job runs at speed 1.
        job_retention: Days after its creation for which a job is listed and found; it stays in `Emulator.count`. No
            page says how long that is, so jobs stay forever unless this is given.
        simulated_latency: Seconds of the emulator's time that each response takes; nobody waits for them.
        source_cents: The cents that a file source takes from the daily spend cap.
        generation_cents: The cents that generating a post takes from it.
        uploads_need_scope: Whether an upload link needs the scope `sources:write` or `knowledge:write`.
        upload_lifetime: Seconds until an upload link expires.
        expired_link: The error of an expired link: 403 `AccessDenied` or 400 `ExpiredToken`.
        include_topics: Whether file sources come with a topic.
        max_recorded_requests: How many requests and events are remembered.
        cors_origins: Origins such as `http://localhost:5173` whose web pages may call a served emulator, `*` for all.
            They may not call the emulator's own page.
        oauth_access_seconds: Seconds that an OAuth access token lives. No page states this, nor what any other
            `oauth_` setting changes: all of them are guesses.
        oauth_refresh_seconds: Seconds that a refresh token lives; each refresh gives a new one the full time.
        oauth_code_seconds: Seconds within which a code of the consent page can be exchanged for tokens.
        oauth_reuse_grace: Seconds within which a refresh token may be used again, since the response may have been
            lost. The response then has the newest refresh token of the login and a new access token, and nothing dies.
            After that time, by default at once, a second use kills every token of the login.
        oauth_sends_iss: Whether the consent page sends `iss` back beside the code (RFC 9207).
        oauth_offers_revocation: Whether there is a `revocation_endpoint` (RFC 7009).
        oauth_any_loopback_port: Whether the port of a redirect URI on `127.0.0.1` or `[::1]` may differ from the
            registered one (RFC 8252).

    """

    plan: Plan = "BUSINESS"
    job_speed: float = 1.0
    read_limit: int = 120
    write_limit: int = 300
    upload_limit: int = 300
    generation_limit: int = 60
    shared_limit: int | None = None
    rate_window: float = 60.0
    rate_headers: RateHeaders = "always"
    versions: tuple[str, ...] = (API_VERSION,)
    missing_version: MissingVersion = "default"
    deprecation: str | None = None
    finished_status: str = "DONE"
    queue_seconds: float = 1.0
    run_seconds: float = 4.0
    job_retention: float | None = None
    simulated_latency: float = 0.0
    source_cents: int = 10
    generation_cents: int = 5
    uploads_need_scope: bool = False
    upload_lifetime: int = 900
    expired_link: ExpiredLink = "AccessDenied"
    include_topics: bool = False
    max_recorded_requests: int = 10_000
    cors_origins: tuple[str, ...] = ()
    oauth_access_seconds: int = 3_600
    oauth_refresh_seconds: int = 30 * 24 * 3_600
    oauth_code_seconds: int = 60
    oauth_reuse_grace: float = 0.0
    oauth_sends_iss: bool = True
    oauth_offers_revocation: bool = True
    oauth_any_loopback_port: bool = False
