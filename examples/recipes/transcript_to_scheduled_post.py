"""Make a post of a transcript, and schedule it for Thursday at nine.

python -m examples.recipes.transcript_to_scheduled_post proj_… meeting.txt

The whole transcript is sent, not only the 2,000 characters that the API returns of a source. `transcripts.json`, in the
current folder, records which transcripts already have a post; a run with one of these fetches that post.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from examples.recipes.journal import Journal, Step
from scripe import AsyncScripe, Scripe, idempotency_key
from scripe.types import Post


def next_thursday(now: datetime) -> datetime:
    days = (3 - now.weekday()) % 7 or 7
    return (now + timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)


def slot(step: Step, now: datetime) -> datetime:
    """Return the Thursday after the first run: under its idempotency key, a second run must send the same body."""
    began_at = datetime.fromisoformat(step.began_at) if step.began_at else now
    return next_thursday(began_at.astimezone(now.tzinfo))


def schedule(client: Scripe, project_id: str, transcript: str, journal: Journal, now: datetime) -> Post:
    with journal.step(idempotency_key("transcript", project_id, transcript), now) as step:
        if step.made is not None:
            return client.posts.retrieve(step.made)
        post = client.posts.generate_and_wait(
            project_id=project_id,
            text=transcript,
            scheduled_for=slot(step, now),
            idempotency_key=step.key,
        )
        step.made = post.id
        return post


async def schedule_async(
    client: AsyncScripe, project_id: str, transcript: str, journal: Journal, now: datetime
) -> Post:
    with journal.step(idempotency_key("transcript", project_id, transcript), now) as step:
        if step.made is not None:
            return await client.posts.retrieve(step.made)
        post = await client.posts.generate_and_wait(
            project_id=project_id,
            text=transcript,
            scheduled_for=slot(step, now),
            idempotency_key=step.key,
        )
        step.made = post.id
        return post


async def main(project_id: str, transcript: str) -> None:
    async with AsyncScripe() as client:
        now = datetime.now(ZoneInfo("Europe/Berlin"))
        journal = Journal(Path("transcripts.json"))
        post = await schedule_async(client, project_id, transcript, journal, now)
        print(post.id, post.status, post.scheduled_at)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    project, file = sys.argv[1:]
    asyncio.run(main(project, Path(file).read_text(encoding="utf-8")))
