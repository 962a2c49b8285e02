"""The parts of one emulator that its routes and jobs use."""

from dataclasses import dataclass, field

from .auth import Auth
from .clock import Clock
from .database import Database
from .events import EventLog
from .jobs import Jobs
from .posts import Posts
from .rate_limits import RateLimiter
from .settings import Settings
from .spending import SpendTracker
from .storage.base import Storage


@dataclass(slots=True)
class Services:
    """The parts of one emulator.

    Attributes:
        settings: How the emulator behaves.
        clock: Its time.
        database: Its records.
        auth: Workspaces, API keys and tokens.
        rate_limiter: Counts calls.
        spending: Counts cents.
        storage: Keeps uploaded bytes.
        events: What happened.
        jobs: The jobs.
        posts: The posts.
        degraded: Failing health checks by name, with their errors.
        cursor_age: How often all cursors were made stale.

    """

    settings: Settings
    clock: Clock
    database: Database
    auth: Auth
    rate_limiter: RateLimiter
    spending: SpendTracker
    storage: Storage
    events: EventLog
    jobs: Jobs
    posts: Posts
    degraded: dict[str, str] = field(default_factory=dict[str, str])
    cursor_age: int = 0

    def advance_due(self) -> None:
        """Move jobs and posts to where they should be by now."""
        self.jobs.advance_due()
        self.posts.advance_due()
