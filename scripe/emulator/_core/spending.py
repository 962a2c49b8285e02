"""Count what each workspace spends of its daily spend cap, in cents of a UTC day."""

from ..._vocabulary import Plan
from .clock import Clock
from .database import Database
from .errors import ApiError

CAPS: dict[Plan, int] = {"SOLO": 500, "ADVANCED": 2_000, "BUSINESS": 5_000}


class SpendTracker:
    """The cents that each workspace has spent, by days written `YYYY-MM-DD`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def today(self) -> str:
        """Return the present UTC day."""
        return self._clock.now().date().isoformat()

    def get_spent(self, workspace_id: str, day: str) -> int:
        """Return the cents spent on a day."""
        rows = self._database.execute(
            "SELECT cents FROM spending WHERE workspace_id = ? AND bucket_date = ?", (workspace_id, day)
        )
        return int(rows[0]["cents"]) if rows else 0

    def set_spent(self, workspace_id: str, day: str, cents: int) -> None:
        """Set the cents spent on a day."""
        self._database.execute("INSERT OR REPLACE INTO spending VALUES (?, ?, ?)", (workspace_id, day, cents))

    def reserve(self, workspace_id: str, plan: Plan, estimate: int) -> str:
        """Take an estimate from today's spend cap and return the day, or raise a 402 if too little is left."""
        day = self.today()
        cap, spent = CAPS.get(plan), self.get_spent(workspace_id, day)
        if cap is not None and spent + estimate > cap:
            raise ApiError(
                "spend_cap_exceeded",
                f"The workspace's daily AI spend cap of {cap} cents is reached; it resets at 00:00 UTC.",
                meta={"bucketDate": day, "capCents": cap, "spentCents": spent, "estimateCents": estimate},
            )
        self.set_spent(workspace_id, day, spent + estimate)
        return day

    def refund(self, workspace_id: str, day: str, cents: int) -> None:
        """Give back what a failed or cancelled job had reserved."""
        self.set_spent(workspace_id, day, max(0, self.get_spent(workspace_id, day) - cents))
