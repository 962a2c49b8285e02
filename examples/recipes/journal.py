"""A journal: a file that records what was done, so that a program that runs every night does nothing twice.

The API remembers an idempotency key for 24 hours, so the key alone does not protect a run on the next day. The journal
records each step before and after its call. A step that is done is skipped. A step that was interrupted is sent again
with the same idempotency key, as long as the API remembers it. After that, nobody can know whether the call arrived:
`UnclearError` says so, and nothing is sent.

Keep the file, and let only one program use it at a time. Without the file, a run makes everything a second time.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from scripe import (
    ConfigurationError,
    InvalidArgumentError,
    InvalidRequestError,
    Job,
    JobCancelledError,
    JobFailedError,
    SpendCapExceededError,
    idempotency_key,
)

REMEMBERED = timedelta(hours=23)
"""The time for which an idempotency key is relied on: an hour less than the API remembers it."""

MADE_NOTHING = (
    ConfigurationError,
    InvalidArgumentError,
    InvalidRequestError,
    JobCancelledError,
    JobFailedError,
    SpendCapExceededError,
)
"""Errors after which it is certain that nothing was made. Others may come from a read after the write."""


class UnclearError(Exception):
    """An earlier run was interrupted during a step, so long ago that the API has forgotten its idempotency key."""


@dataclass
class Step:
    """One step: its idempotency key, the time when it first began (ISO 8601), and the id of what it made."""

    key: str
    began_at: str | None = None
    made: str | None = None


class Journal:
    """The steps of a program, in a JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        saved: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self._steps = {name: Step(**fields) for name, fields in saved.items()}

    def is_done(self, name: str) -> bool:
        return name in self._steps and self._steps[name].made is not None

    @contextmanager
    def step(self, name: str, now: datetime) -> Generator[Step]:
        """Record that a step begins; in the `with` block, set its `made` to the id of what it made.

        Raises:
            UnclearError: an earlier run was interrupted during this step, more than 23 hours ago.

        """
        step = self._steps.setdefault(name, Step(idempotency_key(name)))
        if step.began_at is None:
            step.began_at = now.isoformat()
            self._save()
        if step.made is None and now - datetime.fromisoformat(step.began_at) > REMEMBERED:
            raise UnclearError(
                f"A run was interrupted at {name!r}, {step.began_at}. Check in Scripe whether it was done: if so, "
                f"write the id as `made` into {self._path}; if not, delete the entry."
            )
        try:
            yield step
        except MADE_NOTHING:
            self._forget(name)
            raise
        self._save()

    def forget_failed(self, jobs: Iterable[Job]) -> None:
        """Let the next run repeat the steps of these jobs that failed. It may cost money again."""
        failed = {job.id for job in jobs if not job.is_succeeded}
        for name in [name for name, step in self._steps.items() if step.made in failed]:
            self._forget(name)

    def _forget(self, name: str) -> None:
        # The next run needs another idempotency key: the API repeats its response to this one for 24 hours.
        self._steps[name] = Step(idempotency_key("again", self._steps[name].key))
        self._save()

    def _save(self) -> None:
        steps = {name: asdict(step) for name, step in self._steps.items()}
        part = self._path.with_name(f"{self._path.name}.part")
        part.write_text(json.dumps(steps, indent=1), encoding="utf-8")
        part.replace(self._path)
