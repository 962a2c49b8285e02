"""Count what each workspace spends of its daily spend cap, in cents of a UTC day."""

from ..._vocabulary import Plan
from .database import Database
from .errors import ApiError

CAPS: dict[Plan, int] = {"SOLO": 500, "ADVANCED": 2_000, "BUSINESS": 5_000}


class SpendTracker:
    """What each workspace has spent of its daily cap."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_spent(self, workspace_id: str, day: str) -> int:
        """Cents spent on a UTC day, written ``YYYY-MM-DD``."""
        rows = self._database.execute(
            "SELECT cents FROM spending WHERE workspace_id = ? AND bucket_date = ?", (workspace_id, day)
        )
        return int(rows[0]["cents"]) if rows else 0

    def set_spend(self, workspace_id: str, day: str, cents: int) -> None:
        """Set the cents spent on a UTC day."""
        self._database.execute("INSERT OR REPLACE INTO spending VALUES (?, ?, ?)", (workspace_id, day, cents))

    def reserve(self, workspace_id: str, plan: Plan, day: str, estimate: int) -> None:
        """Take an estimate from the day's cap.

        Raises:
            ApiError: 402, it would go over the cap.

        """
        cap, get_spent = CAPS.get(plan), self.get_spent(workspace_id, day)
        if cap is not None and get_spent + estimate > cap:
            raise ApiError(
                "spend_cap_exceeded",
                f"The workspace's daily AI spend cap of {cap} cents is reached; it resets at 00:00 UTC.",
                meta={"bucketDate": day, "capCents": cap, "spentCents": get_spent, "estimateCents": estimate},
            )
        self.set_spend(workspace_id, day, get_spent + estimate)

    def refund(self, workspace_id: str, day: str, cents: int) -> None:
        """Give back what a job did not use."""
        self.set_spend(workspace_id, day, max(0, self.get_spent(workspace_id, day) - cents))
