"""Run a strict Scripe API on your own machine.

.. code-block:: python

    from scripe.emulator import Emulator

    with Emulator() as emulator, emulator.serve() as server:
        print(server.base_url, server.api_key)

An `Emulator` answers requests in process (`Emulator.handle`) or on a port (`Emulator.serve`), refuses what the API
refuses, and has controls for what a test cannot wait for: time, faults, the ends of jobs.

Where the API's pages are silent, the emulator decides as follows
------------------------------------------------------------------

Checks
    The order is path, API key, plan, version, rate limit, scope, size, form, idempotency, then the endpoint's own
    rules. A known path with another method is 405 ``method_not_allowed`` with ``Allow``. No usable ``Authorization``
    is ``unauthenticated``; anything else unknown is ``invalid_token``. ``Scripe-Workspace-Id`` is ignored with an API
    key; a token (`Emulator.create_token`) without access to it is refused with 403 ``workspace_mismatch``. A missing
    version header is served with the default (``missing_version``), and never refused on ``/health``. A body that
    is not ``application/json`` is 400. Unknown fields and parameters are ignored. `details` of ``invalid_request``
    has the ``parameter``. Every response has a ``Date``, the time of the emulator's clock.
Uploads
    Any valid API key may make links (``uploads_need_scope``). 1 MB is 1,048,576 bytes. Office files are limited to
    100 MB. A content type may have parameters; Markdown and HTML are refused, as the reference page does not list
    them. `maxSizeBytes` below 1 is 422, ``null`` is 400. A link lives 15 minutes (``upload_lifetime``). A second PUT
    is 412 ``PreconditionFailed``; an expired link is 403 ``AccessDenied`` (``expired_link``). Storage checks in the
    order of S3, and treats a missing length as S3 does. An upload may be used by more than one source; one that never
    got bytes is 422; one that was deleted after 24 hours is 404.
Rate limits
    The headers come with every response that counts (``rate_headers``). Buckets beside ``read`` are ``write`` (300),
    ``upload`` (300) and ``generation`` (60). Replays and refused calls count, unless the refusal is a 401, a 403 of
    the plan, a version error or a 429. ``/health`` does not count. The window does not survive a restart.
    One limit may count all calls instead (``shared_limit``), for another time than 60 seconds (``rate_window``).
Idempotency
    The route is the method with the path, ids included. Every response except 401, 403, 429 and 5xx is stored, errors
    included. A replay has a new ``X-Request-Id``. ``Idempotent-Replayed`` comes with every write that takes an
    idempotency key, also without one. Cancelling takes none. Without a key the body may have 4 MB.
Pages
    A `limit` outside of 1 to 200 is always refused. A cursor is bound to workspace, path and filters. An empty
    `type`, `status`, `folderId` or `cursor` counts as absent; an empty date is refused. A date-time needs its zone.
Workspaces
    ``GET /workspaces`` shows `id`, `name` and `plan` in pages. A token's principal has the type ``oauth``.
Notes of a project
    Every field except `projectId` may be left out. `date` is a date or a date-time; a wrong date, a wrong
    `contentType` and all that is well formed but wrong are 422. Any `folderId` is accepted. A slot's id begins with
    ``slot_``.
Posts
    `platform` is ``LINKEDIN``. Without a title it is empty; an empty content is refused. A title over 500
    characters is 413. Creating a scheduled post does not need LinkedIn, updating does; `url` of a project
    without it is null. Posts publish themselves, with test keys too. The status and schedule of a published post
    cannot change (409); no call can move a post to ``published``, nor to ``scheduled`` without a time (409). Any other
    status removes the schedule. A null `scheduledFor` of a post without schedule changes nothing. `autoLike` and
    `autoComment` are accepted and not shown. ``GET /post-statuses`` needs ``posts:read`` and lists `id`, `name` and
    `category`, which is ``draft``, ``inProgress``, ``inReview``, ``suggested``, ``scheduled`` or ``published``; an
    unknown `statusId` is 404.
Generations
    A text may be as long as a source's. A generation costs 5 cents (``generation_cents``). The post is made from the
    source's own sentences, in their own language; a language that `options.language` requests is named at its end, and
    any text is accepted. `wait_for_completion_ms` counts as 25,000 above that. On a port the response is held back
    until the job has ended or the wait is over (`Response.delay`, in real seconds), and shows the job as it is then,
    unless a test changes it meanwhile. With a frozen clock or in process nothing waits: the clock moves on.
Knowledge
    Text costs 1 cent, files and pages 2, videos 3. A name over 500 characters, or a `url` that is not an http or https
    URL, is 422. Pages and videos are not fetched.
Webhooks
    ``ssrf_blocked`` is 422. A host is judged as it is written, without a DNS look-up. A name or URL that is too
    long, or a URL that is not https, is 422. ``POST /webhook-endpoints/{id}/rotate-secret`` rotates secrets. Nothing
    is delivered, since no page states how Scripe does that: `Emulator.events` lists what happened. Publishing a post
    is not an event, nor is a cancelled job.
Sources
    A text may have 1,000,000 characters and 1 MB; more is 413. A file costs 10 cents (``source_cents``), which are
    given back when its job fails or is cancelled. The source appears when its job ends, with the job's creation time.
    There is no speech recognition: the text of a recording says so, and its duration is real if the format states it.
    Pictures have a placeholder, too. `topics` are left out (``include_topics``). If a file cannot be read, or has no
    text, the job fails with ``UNREADABLE_FILE``.
Jobs
    A job is queued for 1 second and runs for 4 (``queue_seconds``, ``run_seconds``, ``job_speed``), in ten steps. It
    ends ``DONE`` (``finished_status``); the filter knows only ``DONE``, and finds both. Jobs stay forever, or as many
    days as ``job_retention`` says; then they are neither listed nor found (404).
Health
    A failing check changes only ``/health``.
OAuth
    The issuer is the origin that the caller named. Metadata, ``/oauth/authorize``, ``/oauth/token``,
    ``/oauth/register`` and ``/oauth/revoke`` (``oauth_offers_revocation``) lie there, outside of ``/v1``, and count in
    no rate limit. Errors have `error` as a text, and `error_description`. Clients register for some or all scopes, and
    with ``none``, ``client_secret_basic`` (the default) or ``client_secret_post``; redirect URIs are of https, of http
    on this machine, or of a scheme with a dot, and are compared exactly (``oauth_any_loopback_port``). Unknown
    parameters, such as `resource`, are ignored; repeated ones are refused. S256 is needed, of confidential clients
    too. A user may allow a part of the scopes, which the response names. A code lives 60 seconds
    (``oauth_code_seconds``); a second use of it kills all that came of it. Access tokens live an hour
    (``oauth_access_seconds``), refresh tokens 30 days from the last refresh (``oauth_refresh_seconds``), and only with
    ``offline_access``. A refresh token works once; a second use kills the login (``oauth_reuse_grace``). Revoking a
    refresh token ends the login, revoking an access token only that token. On the API a dead token is 401
    ``invalid_token``.
"""

from typing import TYPE_CHECKING

from .._vocabulary import Plan
from ._core.clock import Clock
from ._core.events import Event
from ._core.messages import Headers, ReceivedRequest, Request, Response
from ._core.seeding import SeededIds
from ._core.settings import Settings
from ._core.storage.base import ObjectNotFoundError, PresignRequest, Storage
from ._core.storage.s3 import S3Storage
from ._emulator import Emulator

if TYPE_CHECKING:
    from ._core.oauth.controls import OAuthControls
    from ._core.oauth.grants import OAuthRefresh, OAuthUser
    from .server import Server

__all__ = [
    "Clock",
    "Emulator",
    "Event",
    "Headers",
    "OAuthControls",
    "OAuthRefresh",
    "OAuthUser",
    "ObjectNotFoundError",
    "Plan",
    "PresignRequest",
    "ReceivedRequest",
    "Request",
    "Response",
    "S3Storage",
    "SeededIds",
    "Server",
    "Settings",
    "Storage",
]


def __getattr__(name: str) -> object:
    if name == "Server":  # loaded when asked for, since it imports the server's packages
        from . import server

        return server.Server
    if name in ("OAuthControls", "OAuthRefresh", "OAuthUser"):  # most tests do without
        from ._core.oauth import controls

        return getattr(controls, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
