"""From files on disk to ready sources, and from one of them to a post, with both clients.

scripts/demo           on the embedded emulator: nothing leaves this machine
scripts/demo --live    on the real API, with the key from SCRIPE_API_KEY; it makes ten sources and two drafts there, and
                       eight of the sources and both drafts cost money
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from scripe import AsyncScripe, Progress, Project, ResponseInfo, Scripe, ScripeError, Source
from scripe.types import Post

FILES = Path(__file__).parent / "files"
NAMES = ["transcript.txt", "report.pdf", "letter.docx", "memo.mp3"]
TEXT = "Nobody buys features. They buy a calmer Tuesday."


class Requests:
    """Counts the requests that were used."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: ResponseInfo) -> None:
        self.count += 1


def bar(name: str, *, alone: bool) -> Callable[[Progress], None]:
    """Print how far a file is: over one line where somebody watches it alone, else a line for each stage."""
    watched = alone and sys.stdout.isatty()
    last = ""

    def show(progress: Progress) -> None:
        nonlocal last
        share = "" if progress.fraction is None else f"{progress.fraction:4.0%}"
        text = f"  {name:<15} {progress.stage:<9} {share} {progress.message or ''}".rstrip()
        if watched:
            print(f"\r{text:<70}", end="\n" if progress.stage == "done" else "", flush=True)
        elif progress.stage != last:
            print(text, flush=True)
        last = progress.stage

    return show


def describe(source: Source) -> None:
    seconds = f", {source.duration_seconds} s long" if source.duration_seconds else ""
    more = " …" if source.text_preview_truncated or len(source.text_preview) > 80 else ""
    preview = " ".join(source.text_preview.split())[:80]
    ready = "ready" if source.is_ready else source.status
    print(f"  {source.name}: {ready}{seconds}\n    “{preview}{more}”")


def show_post(post: Post, source: Source) -> None:
    part = "" if source.is_text_complete else f", from the first {len(source.text_preview):,} characters only"
    print(f"A post written from {source.name} ({post.status}{part}):")
    print(textwrap.indent(post.content or "", "    "))


def choose(projects: list[Project]) -> Project:
    if not projects:
        raise SystemExit("This workspace has no project; make one in the dashboard first.")
    for project in projects:
        print(f"  {project.id}  {project.name} ({project.type}, {project.status})")
    return next((project for project in projects if project.status == "ACTIVE"), projects[0])


def with_scripe(api_key: str | None, base_url: str | None) -> None:
    requests = Requests()
    with Scripe(api_key, base_url=base_url, on_response=requests, app_info="scripe-demo") as client:
        me = client.workspaces.me()
        print(f"Who am I: {me.workspace.name} ({me.workspace.id}), plan {me.workspace.plan}")
        print("Projects:")
        project = choose(client.projects.list().to_list())
        print("A text:")
        describe(client.sources.create_text(project_id=project.id, text=TEXT, name="A calmer Tuesday"))
        print("Files, one after the other:")
        sources = [
            client.sources.ingest(FILES / name, project_id=project.id, on_progress=bar(name, alone=True))
            for name in NAMES
        ]
        for source in sources:
            describe(source)
        text = sources[0].text_preview
        show_post(client.posts.generate_and_wait(project_id=project.id, text=text), sources[0])
    print(f"  {requests.count} requests of the API used")


async def with_async_scripe(api_key: str | None, base_url: str | None) -> None:
    requests = Requests()
    async with AsyncScripe(
        api_key, base_url=base_url, on_response=requests, app_info="scripe-demo"
    ) as client:
        me, projects = await asyncio.gather(client.workspaces.me(), client.projects.list().to_list())
        print(f"Who am I: {me.workspace.name} ({me.workspace.id}), plan {me.workspace.plan}")
        print("Projects:")
        project = choose(projects)
        print("A text:")
        describe(await client.sources.create_text(project_id=project.id, text=TEXT, name="A calmer Tuesday"))
        print("Files, all at once:")
        sources = await asyncio.gather(
            *(
                client.sources.ingest(FILES / name, project_id=project.id, on_progress=bar(name, alone=False))
                for name in NAMES
            )
        )
        for source in sources:
            describe(source)
        text = sources[0].text_preview
        show_post(await client.posts.generate_and_wait(project_id=project.id, text=text), sources[0])
    print(f"  {requests.count} requests of the API used")


def with_both(api_key: str | None, base_url: str | None) -> None:
    print("\n== Scripe")
    with_scripe(api_key, base_url)
    print("\n== AsyncScripe")
    asyncio.run(with_async_scripe(api_key, base_url))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="From files on disk to sources and a post, with both clients."
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="use the real API: ten sources and two drafts, which cost money",
    )
    if parser.parse_args().live:
        print(
            "On the real API: this makes ten sources and two drafts in your workspace; ten of these cost money."
        )
        with_both(None, None)
        return
    from scripe.emulator import Emulator

    with Emulator(job_speed=2) as emulator, emulator.serve() as server:
        print(f"The emulator listens at {server.base_url}; nothing leaves this machine.")
        with_both(server.api_key, server.base_url)


if __name__ == "__main__":
    try:
        main()
    except ScripeError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
    except (KeyboardInterrupt, BrokenPipeError):
        raise SystemExit(1) from None
