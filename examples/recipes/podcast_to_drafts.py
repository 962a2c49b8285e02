"""A podcast becomes three drafts: one for each angle.

python -m examples.recipes.podcast_to_drafts proj_… episode.mp3
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripe import AsyncScripe, Scripe
from scripe.types import Post, Source

ANGLES = [
    "Tell the one story in it that people will retell.",
    "Say the one thing in it that most people in the field get wrong.",
    "Make a checklist of it that a reader can use tomorrow.",
]


def prompts(source: Source) -> list[str]:
    """What to write about: the API shows the first 2,000 characters of a transcript."""
    return [f"{angle}\n\n{source.text_preview}" for angle in ANGLES]


def drafts(client: Scripe, project_id: str, recording: Path) -> list[Post]:
    source = client.sources.ingest(recording, project_id=project_id)
    submitted = [client.posts.generate(project_id=project_id, text=text) for text in prompts(source)]
    jobs = client.jobs.wait_all(submitted)  # three jobs cost about as many requests as one
    made = [job.result.post_id for job in jobs if job.succeeded and job.result]
    return [client.posts.retrieve(post_id) for post_id in made if post_id]


async def drafts_async(client: AsyncScripe, project_id: str, recording: Path) -> list[Post]:
    source = await client.sources.ingest(recording, project_id=project_id)
    submitted = [await client.posts.generate(project_id=project_id, text=text) for text in prompts(source)]
    jobs = await client.jobs.wait_all(submitted)
    made = [job.result.post_id for job in jobs if job.succeeded and job.result]
    return [await client.posts.retrieve(post_id) for post_id in made if post_id]


def main(project_id: str, recording: str) -> None:
    with Scripe() as client:
        for post in drafts(client, project_id, Path(recording)):
            print(post.id, post.title, post.content, sep="\n", end="\n\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
