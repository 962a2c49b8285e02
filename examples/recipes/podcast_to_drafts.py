"""Make three drafts of a podcast, one for each angle.

python -m examples.recipes.podcast_to_drafts proj_… episode.mp3

The API returns at most the first 2,000 characters of a transcript, and the drafts are written from only these; if there
is more, a warning says so. `podcast.json`, in the current folder, records which recordings have a source and which
drafts were made; these are skipped. Idempotency keys alone would protect a recording until its upload link expires
(`Upload.expires_at`; about 15 minutes is a guess), and a draft for 24 hours.
"""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from examples.recipes.journal import Journal
from scripe import AsyncScripe, Job, Scripe
from scripe.types import Post, Source

ANGLES = [
    "Tell the one story in it that people will retell.",
    "Say the one thing in it that most people in the field get wrong.",
    "Make a checklist of it that a reader can use tomorrow.",
]


def name_of(recording: Path) -> str:
    """Return the name of the step that ingests a file: the same for the same content, whatever the file is called."""
    with recording.open("rb") as file:
        return f"source {hashlib.file_digest(file, 'sha256').hexdigest()}"


def warn_of_a_cut_text(source: Source) -> None:
    if not source.is_text_complete:
        print(
            f"{source.name}: the drafts are written from only the first {len(source.text_preview):,} characters; "
            "the API returns no more of a transcript.",
            file=sys.stderr,
        )


def drafts(client: Scripe, project_id: str, recording: Path, journal: Journal, now: datetime) -> list[Post]:
    """Make the drafts, and return those that this run made."""
    with journal.step(name_of(recording), now) as step:
        if step.made is None:
            source = client.sources.ingest(recording, project_id=project_id, idempotency_key=step.key)
            step.made = source.id
        else:
            source = client.sources.retrieve(step.made)
    warn_of_a_cut_text(source)
    submitted: list[Job] = []
    for angle in ANGLES:
        with journal.step(f"{source.id}: {angle}", now) as step:
            if step.made is None:
                text = f"{angle}\n\n{source.text_preview}"
                job = client.posts.generate(project_id=project_id, text=text, idempotency_key=step.key)
                submitted.append(job)
                step.made = job.id
    jobs = client.jobs.wait_all(submitted)  # three jobs cost about as many requests as one
    journal.forget_failed(jobs)
    made = [job.result.post_id for job in jobs if job.is_succeeded and job.result]
    return [client.posts.retrieve(post_id) for post_id in made if post_id]


async def drafts_async(
    client: AsyncScripe, project_id: str, recording: Path, journal: Journal, now: datetime
) -> list[Post]:
    with journal.step(name_of(recording), now) as step:
        if step.made is None:
            source = await client.sources.ingest(recording, project_id=project_id, idempotency_key=step.key)
            step.made = source.id
        else:
            source = await client.sources.retrieve(step.made)
    warn_of_a_cut_text(source)
    submitted: list[Job] = []
    for angle in ANGLES:
        with journal.step(f"{source.id}: {angle}", now) as step:
            if step.made is None:
                text = f"{angle}\n\n{source.text_preview}"
                job = await client.posts.generate(project_id=project_id, text=text, idempotency_key=step.key)
                submitted.append(job)
                step.made = job.id
    jobs = await client.jobs.wait_all(submitted)
    journal.forget_failed(jobs)
    made = [job.result.post_id for job in jobs if job.is_succeeded and job.result]
    return [await client.posts.retrieve(post_id) for post_id in made if post_id]


def main(project_id: str, recording: str) -> None:
    journal = Journal(Path("podcast.json"))
    with Scripe() as client:
        for post in drafts(client, project_id, Path(recording), journal, datetime.now(UTC)):
            print(post.id, post.title, post.content, sep="\n", end="\n\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
