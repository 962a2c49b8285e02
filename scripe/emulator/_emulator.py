"""Give the emulator its public methods: ways in, what came in, and controls for tests."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from .._concurrency import AsyncCallback, AsyncKeySource, Callback, KeySource
from .._lazy import stand_ins
from .._vocabulary import APIKeyScope, JobStatus, JobType, Plan
from ._core.application import Application
from ._core.canonical_json import JsonObject
from ._core.clock import Clock
from ._core.database import IN_MEMORY, Record, Selection
from ._core.events import Event
from ._core.faults import Delay, Drop, Failure
from ._core.messages import ReceivedRequest, Request, Response
from ._core.recorder import ANY_PATH
from ._core.routes import RESOURCE_NAMES
from ._core.routes.health import CHECKS
from ._core.routes.projects import to_json
from ._core.seeding import SeededIds, Seeder, create_default_projects
from ._core.settings import SCOPES, ExpiredLink, MissingVersion, RateHeaders, Settings
from ._core.spending import CAPS
from ._core.storage.base import Storage

if TYPE_CHECKING:
    from .. import AsyncScripe, ResponseInfo, Scripe
    from .._http.in_process import InProcessTransport
    from ._core.oauth.controls import OAuthControls
    from .client import ClientOptions
    from .page import Page
    from .server import Server
else:
    globals().update(
        stand_ins(
            {
                "AsyncScripe": "scripe",
                "ResponseInfo": "scripe",
                "Scripe": "scripe",
                "InProcessTransport": "scripe._http.in_process",
                "ClientOptions": "scripe.emulator.client",
                "OAuthControls": "scripe.emulator._core.oauth.controls",
                "Server": "scripe.emulator.server",
            }
        )
    )


class Emulator:
    """A Scripe API of your own; it serves many threads.

    Its settings are keywords, too: see `Settings`.

    Args:
        database: A path whose file survives a restart, with the uploads beside it, or `:memory:`.
        clock: Its time; the system's unless given.
        storage: Where uploads go; a folder of its own unless given.

    """

    def __init__(
        self,
        database: str | Path = IN_MEMORY,
        *,
        clock: Clock | None = None,
        storage: Storage | None = None,
        plan: Plan = Settings.plan,
        job_speed: float = Settings.job_speed,
        read_limit: int = Settings.read_limit,
        write_limit: int = Settings.write_limit,
        upload_limit: int = Settings.upload_limit,
        generation_limit: int = Settings.generation_limit,
        shared_limit: int | None = Settings.shared_limit,
        rate_window: float = Settings.rate_window,
        rate_headers: RateHeaders = Settings.rate_headers,
        versions: tuple[str, ...] = Settings.versions,
        missing_version: MissingVersion = Settings.missing_version,
        deprecation: str | None = Settings.deprecation,
        finished_status: str = Settings.finished_status,
        queue_seconds: float = Settings.queue_seconds,
        run_seconds: float = Settings.run_seconds,
        job_retention: float | None = Settings.job_retention,
        simulated_latency: float = Settings.simulated_latency,
        source_cents: int = Settings.source_cents,
        generation_cents: int = Settings.generation_cents,
        uploads_need_scope: bool = Settings.uploads_need_scope,
        upload_lifetime: int = Settings.upload_lifetime,
        expired_link: ExpiredLink = Settings.expired_link,
        include_topics: bool = Settings.include_topics,
        max_recorded_requests: int = Settings.max_recorded_requests,
        cors_origins: tuple[str, ...] = Settings.cors_origins,
        oauth_access_seconds: int = Settings.oauth_access_seconds,
        oauth_refresh_seconds: int = Settings.oauth_refresh_seconds,
        oauth_code_seconds: int = Settings.oauth_code_seconds,
        oauth_reuse_grace: float = Settings.oauth_reuse_grace,
        oauth_sends_iss: bool = Settings.oauth_sends_iss,
        oauth_offers_revocation: bool = Settings.oauth_offers_revocation,
        oauth_any_loopback_port: bool = Settings.oauth_any_loopback_port,
    ) -> None:
        settings = Settings(
            plan=plan,
            job_speed=job_speed,
            read_limit=read_limit,
            write_limit=write_limit,
            upload_limit=upload_limit,
            generation_limit=generation_limit,
            shared_limit=shared_limit,
            rate_window=rate_window,
            rate_headers=rate_headers,
            versions=versions,
            missing_version=missing_version,
            deprecation=deprecation,
            finished_status=finished_status,
            queue_seconds=queue_seconds,
            run_seconds=run_seconds,
            job_retention=job_retention,
            simulated_latency=simulated_latency,
            source_cents=source_cents,
            generation_cents=generation_cents,
            uploads_need_scope=uploads_need_scope,
            upload_lifetime=upload_lifetime,
            expired_link=expired_link,
            include_topics=include_topics,
            max_recorded_requests=max_recorded_requests,
            cors_origins=cors_origins,
            oauth_access_seconds=oauth_access_seconds,
            oauth_refresh_seconds=oauth_refresh_seconds,
            oauth_code_seconds=oauth_code_seconds,
            oauth_reuse_grace=oauth_reuse_grace,
            oauth_sends_iss=oauth_sends_iss,
            oauth_offers_revocation=oauth_offers_revocation,
            oauth_any_loopback_port=oauth_any_loopback_port,
        )
        self._application = Application(database, clock or Clock(), storage, settings)
        self._services = self._application.services
        self._database = self._services.database

    def __repr__(self) -> str:
        return f"<Emulator: {len(self.requests)} requests so far>"

    def close(self) -> None:
        """Close the database and delete temporary files; a second call does nothing."""
        self._application.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Ways in

    def serve(self, port: int = 0, host: str = "127.0.0.1") -> "Server":
        """Make a server, started by `with` or by its `start`; port 0 takes any free one.

        It serves the API at `Server.base_url`, and at `Server.page_url` a page to watch it with.

        Raises:
            MissingExtraError: A package of the `emulator` extra is not installed.

        """
        from .server import Server

        return Server(self._application, host, port, _load_page)

    def take_over(self, server: "Server") -> None:
        """Answer behind a server that another emulator has started, in its place."""
        server.application = self._application

    def client(
        self,
        api_key: "str | KeySource | None" = None,
        *,
        on_response: "Callback[ResponseInfo] | None" = None,
        **options: "Unpack[ClientOptions]",
    ) -> "Scripe":
        """Make a client in this process: it opens no port, and moves the emulator's clock on instead of sleeping.

        Args:
            api_key: A key of `create_key`, or a function that returns one; one with all scopes unless given.
            on_response: Called with the `ResponseInfo` of each response.
            options: As of `scripe.Scripe`.

        """
        from .client import make_client

        return make_client(self._application, api_key, on_response, **options)

    def async_client(
        self,
        api_key: "str | AsyncKeySource | None" = None,
        *,
        on_response: "AsyncCallback[ResponseInfo] | None" = None,
        **options: "Unpack[ClientOptions]",
    ) -> "AsyncScripe":
        """Make an async client in this process: it opens no port, and does not sleep.

        Args:
            api_key: A key of `create_key`, or a function that returns one; one with all scopes unless given.
            on_response: Called with the `ResponseInfo` of each response; a plain or a coroutine function.
            options: As of `scripe.AsyncScripe`.

        """
        from .client import make_async_client

        return make_async_client(self._application, api_key, on_response, **options)

    def transport(self) -> "InProcessTransport":
        """Make a transport for a client of httpx or httpx2, sync or async, that ends at this emulator."""
        from .client import make_transport

        return make_transport(self._application)

    def handle(self, request: Request) -> Response:
        """Answer one request; the caller drops or delays the response as it says."""
        return self._application.handle(request)

    def add_observer(self, observer: Callable[[Request, Response], None]) -> None:
        """Call a function with each request and its response, except failures of `fail_next`.

        It may change the response before it is sent.
        """
        self._application.observers.append(observer)

    # What came in, and what happened

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests that were answered, in order."""
        return self._application.recorder.requests

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._application.recorder.clear()

    def assert_sent(
        self,
        method: str,
        path: str,
        *,
        times: int | None = None,
        json: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> list[ReceivedRequest]:
        """Assert that a request was sent, and return all that match, in order.

        Every request counts, retries included.

        Args:
            method: The HTTP method.
            path: The path below `/v1`; in `/posts/*` the `*` stands for one part of it, `**` for any rest.
            times: How often; at least once unless given.
            json: Fields that its body must have, by the API's names; it may have others, at any depth.
            query: Parameters that its query must have; it may have others.

        Raises:
            AssertionError: It was not sent, or not as often. The message shows the bodies and queries that differ,
                and lists all requests, in order.

        """
        __tracebackhide__ = True
        return self._application.recorder.assert_sent(method, path, times, json, query)

    def assert_nothing_sent(self, method: str | None = None, path: str = ANY_PATH) -> None:
        """Assert that no request was sent; or none with this method, or with such a path.

        Args:
            method: The HTTP method; any unless given.
            path: The path below `/v1`, as in `assert_sent`; any unless given.

        Raises:
            AssertionError: One was sent; the message lists all requests, in order.

        """
        __tracebackhide__ = True
        self._application.recorder.assert_nothing_sent(method, path)

    @property
    def events(self) -> list[Event]:
        """The events that webhook endpoints can subscribe to, in order; nothing is delivered."""
        with self._database.transaction():
            self._services.advance_due()
            return list(self._services.events.events)

    # Settings and time

    @property
    def settings(self) -> Settings:
        """The settings with which this emulator was made."""
        return self._application.settings

    @property
    def clock(self) -> Clock:
        """The emulator's time."""
        return self._application.clock

    @property
    def simulated_latency(self) -> float:
        """The seconds of the emulator's time that each response takes; may be set.

        Nobody waits for them: the clock moves on. A client in process gives up where they exceed its timeout.
        """
        return self._application.simulated_latency

    @simulated_latency.setter
    def simulated_latency(self, seconds: float) -> None:
        self._application.simulated_latency = seconds

    # Workspaces, keys and spend

    @property
    def workspace_id(self) -> str:
        """The first workspace."""
        return self._application.workspace_id

    @property
    def api_key(self) -> str:
        """An API key of the first workspace, with every scope."""
        return self._application.api_key

    @property
    def project_id(self) -> str:
        """The newest project that the first workspace began with."""
        return self._application.project_id

    def project(self, project_id: str | None = None) -> JsonObject:
        """Return a project as the API shows it, `project_id` unless another one is named; no request is made.

        Raises:
            LookupError: There is no such project.

        """
        return to_json(self._find_project(project_id or self.project_id))

    def create_workspace(self, name: str = "Second workspace", plan: Plan = "BUSINESS") -> str:
        """Add a workspace with three projects and return its id."""
        with self._database.transaction():
            workspace_id = self._services.auth.create_workspace(name, plan)
            create_default_projects(self._services, workspace_id)
        return workspace_id

    def set_plan(self, plan: Plan, *, active: bool = True, workspace_id: str | None = None) -> None:
        """Change a workspace's plan; `active=False` is a subscription in bad standing."""
        self._services.auth.set_plan(workspace_id or self.workspace_id, plan, active=active)

    def create_key(
        self,
        scopes: Collection[APIKeyScope | str] | None = None,
        *,
        expires_on: date | None = None,
        live: bool = False,
        workspace_id: str | None = None,
    ) -> str:
        """Add an API key and return it; it has every scope unless some are named."""
        scopes = SCOPES if scopes is None else scopes
        return self._services.auth.create_key(
            workspace_id or self.workspace_id, scopes, expires_on, live=live
        )

    def revoke_key(self, api_key: str | None = None) -> None:
        """Revoke an API key, `api_key` unless another one is named."""
        self._services.auth.revoke_key(api_key or self.api_key)

    def create_token(
        self, workspaces: Sequence[str] = (), scopes: Collection[APIKeyScope | str] | None = None
    ) -> str:
        """Add an OAuth token, which reaches several workspaces, and return it.

        Args:
            workspaces: Ids of workspaces, the default one first; the first workspace unless some are named.
            scopes: What it may do; everything unless given.

        """
        scopes = SCOPES if scopes is None else scopes
        with self._database.transaction():
            return self._services.auth.create_token(workspaces or (self.workspace_id,), scopes)

    @property
    def oauth(self) -> "OAuthControls":
        """The OAuth 2.1 authorization server: its users, their consent without a browser, and what was refreshed."""
        from ._core.oauth.controls import OAuthControls

        return OAuthControls(self._application.oauth)

    def connect_linkedin(self, project_id: str, *, connected: bool = True) -> None:
        """Connect a project to LinkedIn, or disconnect it; without a connection its posts cannot be rescheduled.

        Raises:
            LookupError: There is no such project.

        """
        with self._database.transaction():
            project = self._find_project(project_id)
            project.internal["linkedin"] = connected
            self._database.update(project)

    def set_spend(self, cents: int, *, workspace_id: str | None = None) -> None:
        """Set the cents that a workspace has spent of today's spend cap."""
        spending = self._services.spending
        spending.set_spent(workspace_id or self.workspace_id, spending.today(), cents)

    def set_spend_remaining(self, cents: int, *, workspace_id: str | None = None) -> None:
        """Set the cents that are left of a workspace's spend cap today.

        Raises:
            ValueError: Its plan has no spend cap, or a lower one.

        """
        plan = self._services.auth.get_plan(workspace_id or self.workspace_id)
        cap = CAPS.get(plan)
        if cap is None or not 0 <= cents <= cap:
            has = "no spend cap" if cap is None else f"a daily spend cap of {cap} cents"
            raise ValueError(f"{cents} cents cannot remain: the plan {plan} has {has}")
        self.set_spend(cap - cents, workspace_id=workspace_id)

    # Faults

    def fail_next(
        self,
        status: int = 500,
        code: str | None = None,
        *,
        retry_after: float | str | None = None,
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
        message: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Let the next matching requests fail without doing anything.

        Args:
            status: The status of the response.
            code: The error code; the status's own unless given.
            retry_after: The value of `Retry-After`.
            times: How many requests.
            method: Only requests with this method.
            path: Only requests whose path below `/v1` (or that of storage or OAuth) begins like this.
            message: The error's message.
            body: Sent as it is instead of the API's error, with only the `headers` given and a `Date`.
            headers: Header fields to add.

        Raises:
            ValueError: No response has such a status or header field, `times` is below 1, or `path` does not begin
                with `/`.

        """
        failure = Failure(method, path, times, status, code, message, body, {**(headers or {})}, retry_after)
        self._application.faults.add(failure)

    def drop_next(
        self, times: int = 1, *, before: bool = False, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the next matching requests be done, but their responses be lost.

        Args:
            times: How many requests.
            before: Whether the connection is lost before the work instead: nothing is done.
            method: Only requests with this method.
            path: Only requests whose path below `/v1` (or that of storage or OAuth) begins like this.

        Raises:
            ValueError: `times` is below 1, or `path` does not begin with `/`.

        """
        self._application.faults.add(Drop(method, path, times, before))

    def delay_next(
        self, seconds: float, times: int = 1, *, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the responses of the next matching requests come late, in seconds of real time.

        Raises:
            ValueError: `seconds` is negative, `times` is below 1, or `path` does not begin with `/`.

        """
        self._application.faults.add(Delay(method, path, times, seconds))

    @property
    def unused_faults(self) -> list[str]:
        """The faults of `fail_next`, `drop_next` and `delay_next` that no request has met at all.

        Each is described, as in `503 for POST /sources`.
        """
        return self._application.faults.describe_unused()

    def clear_faults(self) -> None:
        """Cancel the faults of `fail_next`, `drop_next` and `delay_next` that no request has met yet."""
        self._application.faults.clear()

    # Jobs

    def start(self, job_id: str) -> None:
        """Let a queued job run.

        Raises:
            LookupError: There is no such job.
            ValueError: It has ended.

        """
        self._services.jobs.start(job_id)

    def finish(self, job_id: str, status: str | None = None) -> None:
        """End a job, with success unless another status is given; any string is taken.

        Raises:
            LookupError: There is no such job.
            ValueError: It has ended.

        """
        self._services.jobs.finish(job_id, status)

    def fail(
        self, job_id: str, *, error_code: str = "INTERNAL_ERROR", error_message: str = "The job failed."
    ) -> None:
        """Let a job fail.

        Raises:
            LookupError: There is no such job.
            ValueError: It has ended.

        """
        self._services.jobs.fail(job_id, error_code, error_message)

    def set_progress(self, job_id: str, fraction: float, message: str | None = None) -> None:
        """Set the progress, 0 to 1, that a job shows while it runs.

        Raises:
            LookupError: There is no such job.
            ValueError: It has ended.

        """
        self._services.jobs.set_progress(job_id, fraction, message)

    # Health, cursors and records

    def degrade(self, check: str = "db", error: str = "not reachable") -> None:
        """Let `/health` report a failing check: `db`, `redis` or `auditBuffer`.

        Raises:
            ValueError: There is no such check.

        """
        if check not in CHECKS:
            raise ValueError(f"check is {check!r}; give one of {', '.join(CHECKS)}")
        self._services.degraded[check] = error

    def restore(self) -> None:
        """Let `/health` report that all checks succeed."""
        self._services.degraded.clear()

    def expire_cursors(self) -> None:
        """Make every cursor handed out so far stale."""
        self._services.cursor_age += 1
        self._database.set_meta("cursor_age", str(self._services.cursor_age))

    def seed(
        self,
        *,
        projects: int = 0,
        jobs: int = 0,
        sources: int = 0,
        notes: int = 0,
        posts: int = 0,
        job_type: JobType | str = "POST_GENERATION",
        job_status: JobStatus | str = "DONE",
        start: datetime | None = None,
        step: float | timedelta = 1.0,
        project_id: str | None = None,
        workspace_id: str | None = None,
    ) -> SeededIds:
        """Make records in bulk; they spend nothing and send nothing.

        Args:
            projects: How many projects.
            jobs: How many jobs.
            sources: How many sources.
            notes: How many notes; every second one has a slot, at the time of its creation.
            posts: How many posts, all drafts.
            job_type: The type of the jobs.
            job_status: Their status.
            start: When the first of each was created; unless given, such that the last was created just now.
            step: Seconds between one and the next; 0 creates all at the same instant.
            project_id: Where all but projects belong, a project of the workspace unless given.
            workspace_id: The workspace, the first unless given.

        Raises:
            ValueError: The API has no such job type or status.

        """
        counts = {"projects": projects, "jobs": jobs, "sources": sources, "notes": notes, "posts": posts}
        step = step if isinstance(step, timedelta) else timedelta(seconds=step)
        start = start or self.clock.now() - step * max(counts.values())
        if project_id is None and workspace_id not in (None, self.workspace_id):
            project_id = self._database.page(Selection("projects", str(workspace_id)), 1)[0].id
        workspace_id, project_id = workspace_id or self.workspace_id, project_id or self.project_id
        seeder = Seeder(self._services, workspace_id, project_id, start, step, job_type, job_status)
        return seeder.seed(counts)

    def count(self, table: str) -> int:
        """Count the records of a resource such as `sources`, of all workspaces.

        Raises:
            ValueError: There is no such resource.

        """
        if table not in RESOURCE_NAMES:
            raise ValueError(f"table is {table!r}; give one of {', '.join(sorted(RESOURCE_NAMES))}")
        with self._database.transaction():
            self._services.advance_due()
            return self._database.count(table)

    def _find_project(self, project_id: str) -> Record:
        project = self._database.find("projects", project_id)
        if project is None:
            raise LookupError(f"there is no project {project_id!r}")
        return project


def _load_page(application: Application, bound_host: str) -> "Page":
    from .page import Page

    return Page(application, bound_host)
