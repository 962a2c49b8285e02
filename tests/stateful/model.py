"""What the API's pages promise, as plain dictionaries: no code of the client or of the emulator."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

KEYS_LIVE = timedelta(hours=24)

Expected: TypeAlias = Literal["new", "replay", "conflict"]


@dataclass
class Used:
    """A key, as it was first used on a route."""

    text: str
    at: datetime
    record: str | None = None


@dataclass
class Model:
    """The workspace as it must be.

    Attributes:
        counts: how many records there are of each kind.
        keys: what each key was used for, on each route.
        jobs: the status of each job.

    """

    counts: Counter[str] = field(default_factory=Counter[str])
    keys: dict[tuple[str, str], Used] = field(default_factory=dict[tuple[str, str], Used])
    jobs: dict[str, str] = field(default_factory=dict[str, str])

    def expects(self, route: str, key: str, text: str, now: datetime) -> Expected:
        used = self.keys.get((route, key))
        if used is None or now - used.at >= KEYS_LIVE:
            return "new"
        return "replay" if used.text == text else "conflict"

    def made(self, route: str, key: str, text: str, now: datetime, kind: str, record: str | None) -> None:
        """A write was done; which record it made is unknown while its answer is lost."""
        self.counts[kind] += 1
        self.keys[route, key] = Used(text, now, record)
        if kind == "jobs" and record is not None:
            self.jobs[record] = "QUEUED"


@dataclass
class Walk:
    """A walk through a list that is under way: what was there when it began, and what it has yielded."""

    there: list[str]
    seen: list[str] = field(default_factory=list[str])

    def yields(self, record: str) -> None:
        assert record not in self.seen, f"{record} came twice"
        self.seen.append(record)

    def ends(self) -> None:
        kept = [record for record in self.seen if record in set(self.there)]
        assert kept == self.there, "a walk must yield all that was there, once, newest first"
