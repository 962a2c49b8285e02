"""Turn notes into posts every night, until the daily spend cap is reached; the rest waits for tomorrow.

python -m examples.recipes.nightly_under_spend_cap proj_… nightly.db

The ledger `nightly.db` remembers which notes have a post: these are skipped, without a request for each. A note whose
job failed is tried again by the next run, three times in all.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from scripe import (
    AsyncScripe,
    Job,
    JobCancelledError,
    JobFailedError,
    Ledger,
    Note,
    Scripe,
    SpendCapExceededError,
    UnsettledWriteError,
)

LEFT_OUT = (JobCancelledError, JobFailedError, UnsettledWriteError)


@dataclass
class Night:
    """The result of one run.

    Attributes:
        jobs: The jobs of all notes that were not yet known to be done, as they ended.
        go_on_at: When to run again, if the spend cap was reached.
        left_out: Notes that a person must look at, and why.

    """

    jobs: list[Job] = field(default_factory=list[Job])
    go_on_at: datetime | None = None
    left_out: list[str] = field(default_factory=list[str])


def is_done(ledger: Ledger, note: Note) -> bool:
    item = ledger.find(note.id)
    return item is not None and item.state == "done"


def run(client: Scripe, ledger: Ledger, project_id: str, now: datetime) -> Night:
    night = Night()
    for note in client.notes.list(project_id=project_id):
        if is_done(ledger, note):
            continue
        try:
            job = client.posts.generate(project_id=project_id, note_id=note.id, idempotency_key=note.id)
            night.jobs.append(job)
        except LEFT_OUT as error:
            night.left_out.append(str(error))
        except SpendCapExceededError as error:
            night.go_on_at = error.resets_at or now + timedelta(days=1)
            break
    night.jobs = client.jobs.wait_all(night.jobs)
    return night


async def run_async(client: AsyncScripe, ledger: Ledger, project_id: str, now: datetime) -> Night:
    night = Night()
    async for note in client.notes.list(project_id=project_id):
        if is_done(ledger, note):
            continue
        try:
            job = await client.posts.generate(project_id=project_id, note_id=note.id, idempotency_key=note.id)
            night.jobs.append(job)
        except LEFT_OUT as error:
            night.left_out.append(str(error))
        except SpendCapExceededError as error:
            night.go_on_at = error.resets_at or now + timedelta(days=1)
            break
    night.jobs = await client.jobs.wait_all(night.jobs)
    return night


def main(project_id: str, ledger_path: str) -> None:
    with Ledger(ledger_path) as ledger, Scripe(ledger=ledger) as client:
        night = run(client, ledger, project_id, datetime.now(UTC))
    done = sum(job.is_succeeded for job in night.jobs)
    print(
        f"{done} of {len(night.jobs)} posts are written; run again {night.go_on_at or 'when there are new notes'}"
    )
    for line in night.left_out:
        print(line, file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
