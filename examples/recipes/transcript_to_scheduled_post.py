"""Make a post of a transcript, and schedule it for Thursday at nine.

python -m examples.recipes.transcript_to_scheduled_post proj_… meeting.txt transcripts.db

The whole transcript is sent, not only the 2,000 characters that the API returns of a source. The ledger
`transcripts.db` remembers which transcripts have a post: a run with one of these fetches that post. Next week a warning
says that the post keeps its Thursday.
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
    return client.posts.generate_and_wait(
        project_id=project_id,
        text=transcript,
        scheduled_for=next_thursday(now),
        idempotency_key=idempotency_key("transcript", project_id, transcript),
    )


async def schedule_async(client: AsyncScripe, project_id: str, transcript: str, now: datetime) -> Post:
    return await client.posts.generate_and_wait(
        project_id=project_id,
        text=transcript,
        scheduled_for=next_thursday(now),
        idempotency_key=idempotency_key("transcript", project_id, transcript),
    )


async def main(project_id: str, transcript: str, ledger_path: str) -> None:
    async with AsyncScripe(ledger=ledger_path) as client:
        now = datetime.now(ZoneInfo("Europe/Berlin"))
        post = await schedule_async(client, project_id, transcript, now)
        print(post.id, post.status, post.scheduled_at)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    project, file, ledger = sys.argv[1:]
    asyncio.run(main(project, Path(file).read_text(encoding="utf-8"), ledger))
