"""Fill the knowledge base from a folder, a web page and a video. Failures are reported, and the rest continues.

python -m examples.recipes.fill_knowledge_base brand/ https://example.com/about https://youtu.be/… knowledge.db

The ledger `knowledge.db` remembers which documents are there already, so that no run adds them a second time. A file
with new content is another document.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from scripe import (
    AsyncScripe,
    InvalidArgumentError,
    Job,
    JobCancelledError,
    JobFailedError,
    Scripe,
    UnprocessableEntityError,
    UnsettledWriteError,
    idempotency_key,
)

LEFT_OUT = (
    InvalidArgumentError,
    JobCancelledError,
    JobFailedError,
    UnprocessableEntityError,
    UnsettledWriteError,
)


def documents(folder: Path, page: str, video: str) -> Iterator[tuple[Path | str, str]]:
    """Yield each document with its idempotency key; that of a file is made of its name and its content."""
    yield page, idempotency_key("page", page)
    yield video, idempotency_key("video", video)
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield path, idempotency_key("file", path.name, digest)


def fill(client: Scripe, folder: Path, page: str, video: str) -> list[Job]:
    """Add what is missing, and return the jobs of all documents, as they ended."""
    jobs: list[Job] = []
    for document, key in documents(folder, page, video):
        try:
            if isinstance(document, Path):
                jobs.append(client.knowledge.ingest(document, idempotency_key=key))
            elif document == video:
                jobs.append(client.knowledge.create_youtube(url=document, idempotency_key=key))
            else:
                jobs.append(client.knowledge.create_url(url=document, idempotency_key=key))
        except LEFT_OUT as error:
            print(f"left out: {document}: {error}")
    return client.jobs.wait_all(jobs)


async def fill_async(client: AsyncScripe, folder: Path, page: str, video: str) -> list[Job]:
    jobs: list[Job] = []
    for document, key in documents(folder, page, video):
        try:
            if isinstance(document, Path):
                jobs.append(await client.knowledge.ingest(document, idempotency_key=key))
            elif document == video:
                jobs.append(await client.knowledge.create_youtube(url=document, idempotency_key=key))
            else:
                jobs.append(await client.knowledge.create_url(url=document, idempotency_key=key))
        except LEFT_OUT as error:
            print(f"left out: {document}: {error}")
    return await client.jobs.wait_all(jobs)


def main(folder: str, page: str, video: str, ledger_path: str) -> None:
    with Scripe(ledger=ledger_path) as client:
        for job in fill(client, Path(folder), page, video):
            print(job.id, job.type, job.status, job.error_message or "")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
