"""Fill the knowledge base from a folder, a web page and a video. What fails is told; the rest goes on.

python -m examples.recipes.fill_knowledge_base brand/ https://example.com/about https://youtu.be/…
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripe import AsyncScripe, ConfigurationError, Job, Scripe, UnprocessableEntityError


def documents(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def fill(client: Scripe, folder: Path, page: str, video: str) -> list[Job]:
    submitted = [client.knowledge.create_url(url=page), client.knowledge.create_youtube(url=video)]
    for path in documents(folder):
        try:
            upload = client.uploads.upload_file(path)
        except (ConfigurationError, UnprocessableEntityError) as error:
            print(f"left out: {error}")
            continue
        submitted.append(client.knowledge.create_file(upload_id=upload.id, name=path.name))
    return client.jobs.wait_all(submitted)


async def fill_async(client: AsyncScripe, folder: Path, page: str, video: str) -> list[Job]:
    submitted = [
        await client.knowledge.create_url(url=page),
        await client.knowledge.create_youtube(url=video),
    ]
    for path in documents(folder):
        try:
            upload = await client.uploads.upload_file(path)
        except (ConfigurationError, UnprocessableEntityError) as error:
            print(f"left out: {error}")
            continue
        submitted.append(await client.knowledge.create_file(upload_id=upload.id, name=path.name))
    return await client.jobs.wait_all(submitted)


def main(folder: str, page: str, video: str) -> None:
    with Scripe() as client:
        for job in fill(client, Path(folder), page, video):
            print(job.id, job.type, job.status, job.error_message or "")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
