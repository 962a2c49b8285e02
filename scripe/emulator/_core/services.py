"""The parts of one emulator that its routes and jobs use."""

from collections.abc import Callable, Mapping

from .auth import Auth
from .canonical_json import JsonObject
from .clock import Clock
from .database import Database, Record
from .events import EventLog
from .jobs import Jobs
from .posts import Posts
from .rate_limits import RateLimiter
from .settings import Settings
from .spending import SpendTracker
from .storage.base import Storage


class Services:
    """The parts of one emulator."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        database: Database,
        storage: Storage,
        job_handlers: Mapping[str, "JobHandler"],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.database = database
        self.storage = storage
        self.auth: Auth = Auth(database, clock, settings)
        self.rate_limiter: RateLimiter = RateLimiter(settings)
        self.spending: SpendTracker = SpendTracker(database, clock)
        self.events: EventLog = EventLog(database, clock, settings.max_recorded_requests)
        self.jobs: Jobs = Jobs(database, clock, settings, self.spending, self.events, self._run_handler)
        self.posts: Posts = Posts(database, clock, self.events)
        self.degraded: dict[str, str] = {}  # failing health checks by name, with their errors
        # How often all cursors were made stale.
        self.cursor_age: int = int(database.get_meta("cursor_age") or 0)
        self._job_handlers = job_handlers

    def advance_due(self) -> None:
        """Move jobs and posts to where they should be by now."""
        self.jobs.advance_due()
        self.posts.advance_due()

    def _run_handler(self, job: Record, moment: int) -> JsonObject:
        return self._job_handlers[str(job.fields["type"])](self, job, moment)


JobHandler = Callable[[Services, Record, int], JsonObject]
