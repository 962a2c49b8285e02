"""Turn notes into posts every night, until the daily spend cap is reached; the rest waits for tomorrow.

python -m examples.recipes.nightly_under_spend_cap proj_…

`nightly.json`, in the current folder, records which notes already have a post; these are skipped, since an idempotency
key protects a run for only 24 hours. A note whose job failed is tried again by the next run.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from examples.recipes.journal import Journal, UnclearError
from scripe import AsyncScripe, Job, Scripe, SpendCapExceededError


@dataclass
class Night:
    """The result of one run.

    Attributes:
        jobs: The jobs of this run, as they ended.
        go_on_at: When to run again, if the spend cap was reached. A refused note gets a new idempotency key for that.
        unclear: Notes to check by hand, of a run that was interrupted more than 23 hours ago.

    """

    jobs: list[Job] = field(default_factory=list[Job])
    go_on_at: datetime | None = None
    unclear: list[str] = field(default_factory=list[str])


def run(client: Scripe, project_id: str, journal: Journal, now: datetime) -> Night:
    night = Night()
    for note in client.notes.list(project_id=project_id):
        if journal.is_done(note.id):
            continue
        try:
            with journal.step(note.id, now) as step:
                job = client.posts.generate(project_id=project_id, note_id=note.id, idempotency_key=step.key)
                step.made = job.id
            night.jobs.append(job)
        except UnclearError as error:
            night.unclear.append(str(error))
        except SpendCapExceededError as error:
            night.go_on_at = error.resets_at or now + timedelta(days=1)
            break
    night.jobs = client.jobs.wait_all(night.jobs)
    journal.forget_failed(night.jobs)
    return night


async def run_async(client: AsyncScripe, project_id: str, journal: Journal, now: datetime) -> Night:
    night = Night()
    async for note in client.notes.list(project_id=project_id):
        if journal.is_done(note.id):
            continue
        try:
            with journal.step(note.id, now) as step:
                job = await client.posts.generate(
                    project_id=project_id, note_id=note.id, idempotency_key=step.key
                )
                step.made = job.id
            night.jobs.append(job)
        except UnclearError as error:
            night.unclear.append(str(error))
        except SpendCapExceededError as error:
            night.go_on_at = error.resets_at or now + timedelta(days=1)
            break
    night.jobs = await client.jobs.wait_all(night.jobs)
    journal.forget_failed(night.jobs)
    return night


def main(project_id: str) -> None:
    with Scripe() as client:
        night = run(client, project_id, Journal(Path("nightly.json")), datetime.now(UTC))
    done = sum(job.is_succeeded for job in night.jobs)
    print(
        f"{done} of {len(night.jobs)} posts written; run again {night.go_on_at or 'when there are new notes'}"
    )
    for line in night.unclear:
        print(line, file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
