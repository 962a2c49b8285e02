"""Export the posts of a project to CSV, in constant memory.

python -m examples.recipes.export_posts_to_csv proj_… > posts.csv
"""

from __future__ import annotations

import csv
import sys
from typing import TextIO

from scripe import AsyncScripe, Scripe
from scripe.types import Post

COLUMNS = ["id", "status", "created_at", "scheduled_at", "title", "content"]


def row(post: Post) -> list[str]:
    moments = [post.created_at.isoformat(), post.scheduled_at.isoformat() if post.scheduled_at else ""]
    return [post.id, post.status, *moments, post.title or "", post.content or ""]


def export(client: Scripe, project_id: str, file: TextIO) -> int:
    table = csv.writer(file)
    table.writerow(COLUMNS)
    count = 0
    for post in client.posts.list(project_id=project_id):
        table.writerow(row(post))
        count += 1
    return count


async def export_async(client: AsyncScripe, project_id: str, file: TextIO) -> int:
    table = csv.writer(file)
    table.writerow(COLUMNS)
    count = 0
    async for post in client.posts.list(project_id=project_id):
        table.writerow(row(post))
        count += 1
    return count


def main(project_id: str) -> None:
    with Scripe() as client:
        print(f"{export(client, project_id, sys.stdout)} posts", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
