"""The parts of one emulator, as its routes see them."""

from dataclasses import dataclass, field

from .auth import Access
from .clock import Clock
from .database import State
from .events import EventLog
from .jobs import Jobs
from .posts import Posts
from .rate_limits import Spending
from .settings import Settings
from .storage.base import Storage


@dataclass(slots=True)
class Backend:
    """What a route can reach.

    Attributes:
        settings: how the emulator behaves.
        clock: its time.
        state: its records.
        access: keys and workspaces.
        spending: the daily caps.
        storage: the uploaded bytes.
        events: what happened.
        jobs: the jobs.
        posts: the posts.
        degraded: failing health checks by name, with what is wrong.
        cursor_age: how often all cursors were made stale.

    """

    settings: Settings
    clock: Clock
    state: State
    access: Access
    spending: Spending
    storage: Storage
    events: EventLog
    jobs: Jobs
    posts: Posts
    degraded: dict[str, str] = field(default_factory=dict[str, str])
    cursor_age: int = 0

    def settle(self) -> None:
        """Move everything that changes by itself to where it should be by now."""
        self.jobs.settle()
        self.posts.settle()
