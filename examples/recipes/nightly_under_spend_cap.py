"""A nightly job under the daily spend cap: notes become posts until the cap is reached; the rest waits for tomorrow.

python -m examples.recipes.nightly_under_spend_cap proj_…
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime

from scripe import AsyncScripe, Job, Scripe, SpendCapExceededError, idempotency_key


@dataclass
class Night:
    """What a night brought."""

    jobs: list[Job] = field(default_factory=list[Job])
    go_on_at: datetime | None = None


def run(client: Scripe, project_id: str) -> Night:
    night = Night()
    for note in client.notes.list(project_id=project_id):
        key = idempotency_key("nightly", note.id)  # a night that is run again makes no second post
        try:
            job = client.posts.generate(project_id=project_id, note_id=note.id, idempotency_key=key)
        except SpendCapExceededError as error:
            night.go_on_at = error.resets_at
            break
        night.jobs.append(job)
    night.jobs = client.jobs.wait_all(night.jobs)
    return night


async def run_async(client: AsyncScripe, project_id: str) -> Night:
    night = Night()
    async for note in client.notes.list(project_id=project_id):
        key = idempotency_key("nightly", note.id)
        try:
            job = await client.posts.generate(project_id=project_id, note_id=note.id, idempotency_key=key)
        except SpendCapExceededError as error:
            night.go_on_at = error.resets_at
            break
        night.jobs.append(job)
    night.jobs = await client.jobs.wait_all(night.jobs)
    return night


def main(project_id: str) -> None:
    with Scripe() as client:
        night = run(client, project_id)
    done = sum(job.succeeded for job in night.jobs)
    print(f"{done} of {len(night.jobs)} posts written; go on {night.go_on_at or 'when there are new notes'}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
