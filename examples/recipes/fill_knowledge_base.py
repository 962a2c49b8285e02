"""Fill the knowledge base from a folder, a web page and a video. Failures are reported, and the rest continues.

python -m examples.recipes.fill_knowledge_base brand/ https://example.com/about https://youtu.be/…

`knowledge.json`, in the current folder, records which documents are there already; these are skipped, since an
idempotency key protects a run for only 24 hours. A file with new content is another document.
"""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from examples.recipes.journal import Journal, UnclearError
from scripe import (
    AsyncScripe,
    IdempotencyConflictError,
    InvalidArgumentError,
    Job,
    Scripe,
    UnprocessableEntityError,
)

LEFT_OUT = (InvalidArgumentError, IdempotencyConflictError, UnclearError, UnprocessableEntityError)


def documents(folder: Path) -> dict[str, Path]:
    """Return the files of a folder, each by its name and a digest of its content."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return {f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}": path for path in paths}


def fill(client: Scripe, folder: Path, page: str, video: str, journal: Journal, now: datetime) -> list[Job]:
    """Add what is missing, and return the jobs of this run, as they ended."""
    jobs: list[Job] = []
    with journal.step(page, now) as step:
        if step.made is None:
            jobs.append(client.knowledge.create_url(url=page, idempotency_key=step.key))
            step.made = jobs[-1].id
    with journal.step(video, now) as step:
        if step.made is None:
            jobs.append(client.knowledge.create_youtube(url=video, idempotency_key=step.key))
            step.made = jobs[-1].id
    for name, path in documents(folder).items():
        try:
            with journal.step(name, now) as step:
                if step.made is None:
                    upload = client.uploads.upload_file(path)
                    job = client.knowledge.create_file(
                        upload_id=upload.id, name=path.name, idempotency_key=step.key
                    )
                    jobs.append(job)
                    step.made = job.id
        except LEFT_OUT as error:
            print(f"left out: {path.name}: {error}")
    jobs = client.jobs.wait_all(jobs)
    journal.forget_failed(jobs)
    return jobs


async def fill_async(
    client: AsyncScripe, folder: Path, page: str, video: str, journal: Journal, now: datetime
) -> list[Job]:
    jobs: list[Job] = []
    with journal.step(page, now) as step:
        if step.made is None:
            jobs.append(await client.knowledge.create_url(url=page, idempotency_key=step.key))
            step.made = jobs[-1].id
    with journal.step(video, now) as step:
        if step.made is None:
            jobs.append(await client.knowledge.create_youtube(url=video, idempotency_key=step.key))
            step.made = jobs[-1].id
    for name, path in documents(folder).items():
        try:
            with journal.step(name, now) as step:
                if step.made is None:
                    upload = await client.uploads.upload_file(path)
                    job = await client.knowledge.create_file(
                        upload_id=upload.id, name=path.name, idempotency_key=step.key
                    )
                    jobs.append(job)
                    step.made = job.id
        except LEFT_OUT as error:
            print(f"left out: {path.name}: {error}")
    jobs = await client.jobs.wait_all(jobs)
    journal.forget_failed(jobs)
    return jobs


def main(folder: str, page: str, video: str) -> None:
    journal = Journal(Path("knowledge.json"))
    with Scripe() as client:
        for job in fill(client, Path(folder), page, video, journal, datetime.now(UTC)):
            print(job.id, job.type, job.status, job.error_message or "")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
