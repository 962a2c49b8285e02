"""A transcript becomes a post that goes out on Thursday at nine.

python -m examples.recipes.transcript_to_scheduled_post proj_… meeting.txt
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from scripe import AsyncScripe, Scripe, idempotency_key
from scripe.types import Post


def next_thursday(now: datetime) -> datetime:
    days = (3 - now.weekday()) % 7 or 7
    return (now + timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)


def schedule(client: Scripe, project_id: str, transcript: str, now: datetime) -> Post:
    # A key from what identifies the work: running it twice makes one post.
    key = idempotency_key("transcript", project_id, transcript)
    return client.posts.generate_and_wait(
        project_id=project_id,
        text=transcript,
        scheduled_for=next_thursday(now),
        idempotency_key=key,
    )


async def schedule_async(client: AsyncScripe, project_id: str, transcript: str, now: datetime) -> Post:
    key = idempotency_key("transcript", project_id, transcript)
    return await client.posts.generate_and_wait(
        project_id=project_id,
        text=transcript,
        scheduled_for=next_thursday(now),
        idempotency_key=key,
    )


async def main(project_id: str, transcript: str) -> None:
    async with AsyncScripe() as client:
        now = datetime.now(ZoneInfo("Europe/Berlin"))
        post = await schedule_async(client, project_id, transcript, now)
        print(post.id, post.status, post.scheduled_at)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    project, file = sys.argv[1:]
    asyncio.run(main(project, Path(file).read_text(encoding="utf-8")))
