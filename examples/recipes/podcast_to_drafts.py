"""Make three drafts of a podcast, one for each angle.

python -m examples.recipes.podcast_to_drafts proj_… episode.mp3 podcast.db

The API returns at most the first 2,000 characters of a transcript, and the drafts are written from only these; if there
is more, a warning says so. The ledger `podcast.db` remembers what was made of a file of this name: a second run, on any
day, returns the same source and drafts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripe import AsyncScripe, Scripe, idempotency_key
from scripe.types import Post, Source

ANGLES = [
    "Tell the one story in it that people will retell.",
    "Say the one thing in it that most people in the field get wrong.",
    "Make a checklist of it that a reader can use tomorrow.",
]


def warn_of_a_cut_text(source: Source) -> None:
    if not source.is_text_complete:
        print(
            f"{source.name}: the drafts are written from only the first {len(source.text_preview):,} characters; "
            "the API returns no more of a transcript.",
            file=sys.stderr,
        )


def drafts(client: Scripe, project_id: str, recording: Path) -> list[Post]:
    source = client.sources.ingest(
        recording, project_id=project_id, idempotency_key=idempotency_key("source", recording.name)
    )
    warn_of_a_cut_text(source)
    submitted = [
        client.posts.generate(
            project_id=project_id,
            text=f"{angle}\n\n{source.text_preview}",
            idempotency_key=idempotency_key("draft", recording.name, angle),
        )
        for angle in ANGLES
    ]
    jobs = client.jobs.wait_all(submitted)  # three jobs cost about as many requests as one
    made = [job.result.post_id for job in jobs if job.is_succeeded and job.result]
    return [client.posts.retrieve(post_id) for post_id in made if post_id]


async def drafts_async(client: AsyncScripe, project_id: str, recording: Path) -> list[Post]:
    source = await client.sources.ingest(
        recording, project_id=project_id, idempotency_key=idempotency_key("source", recording.name)
    )
    warn_of_a_cut_text(source)
    submitted = [
        await client.posts.generate(
            project_id=project_id,
            text=f"{angle}\n\n{source.text_preview}",
            idempotency_key=idempotency_key("draft", recording.name, angle),
        )
        for angle in ANGLES
    ]
    jobs = await client.jobs.wait_all(submitted)
    made = [job.result.post_id for job in jobs if job.is_succeeded and job.result]
    return [await client.posts.retrieve(post_id) for post_id in made if post_id]


def main(project_id: str, recording: str, ledger_path: str) -> None:
    with Scripe(ledger=ledger_path) as client:
        for post in drafts(client, project_id, Path(recording)):
            print(post.id, post.title, post.content, sep="\n", end="\n\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
