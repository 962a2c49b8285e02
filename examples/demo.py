"""Make a post from files on disk: recording, source, post, with both clients.

scripts/demo           on the embedded emulator: no API key, and nothing leaves this machine
scripts/demo --live    on the real API, with the API key from SCRIPE_API_KEY; it makes ten sources and two drafts there,
                       and eight of the sources and both drafts cost money
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from scripe import AsyncScripe, Post, Progress, Project, ResponseInfo, Scripe, ScripeError, Source

FILES = Path(__file__).parent / "files"
NAMES = ["memo.mp3", "transcript.txt", "report.pdf", "letter.docx"]
TRANSCRIPT = NAMES.index("transcript.txt")
TEXT = "Nobody buys features. They buy a calmer Tuesday."


class RequestCounter:
    """Counts the requests that the API responded to."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: ResponseInfo) -> None:
        self.count += 1


def progress_printer(name: str, *, overwrite: bool) -> Callable[[Progress], None]:
    """Return a callback that prints the progress of a file: on one line of a terminal, else a line for each stage."""
    overwrite = overwrite and sys.stdout.isatty()
    last_stage = ""

    def show(progress: Progress) -> None:
        nonlocal last_stage
        share = "" if progress.fraction is None else f"{progress.fraction:4.0%}"
        text = f"  {name:<15} {progress.stage:<9} {share} {progress.message or ''}".rstrip()
        if overwrite:
            print(f"\r{text:<70}", end="\n" if progress.stage == "done" else "", flush=True)
        elif progress.stage != last_stage:
            print(text, flush=True)
        last_stage = progress.stage

    return show


def describe(source: Source) -> None:
    seconds = f", {source.duration_seconds} s long" if source.duration_seconds else ""
    more = " …" if source.text_preview_truncated or len(source.text_preview) > 80 else ""
    preview = " ".join(source.text_preview.split())[:80]
    status = "ready" if source.is_ready else source.status
    print(f"  {source.name}: {status}{seconds}\n    “{preview}{more}”")


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
    counter = RequestCounter()
    with Scripe(api_key, base_url=base_url, on_response=counter, app_info="scripe-demo") as client:
        me = client.workspaces.me()
        print(f"Workspace: {me.workspace.name} ({me.workspace.id}), plan {me.workspace.plan}")
        print("Projects:")
        project = choose(client.projects.list().to_list())
        print("A text becomes a source:")
        describe(client.sources.create_text(project_id=project.id, text=TEXT, name="A calmer Tuesday"))
        print("A recording and other files become sources, one after the other:")
        sources = [
            client.sources.ingest(
                FILES / name, project_id=project.id, on_progress=progress_printer(name, overwrite=True)
            )
            for name in NAMES
        ]
        for source in sources:
            describe(source)
        text = sources[TRANSCRIPT].text_preview
        show_post(client.posts.generate_and_wait(project_id=project.id, text=text), sources[TRANSCRIPT])
    print(f"{counter.count} requests")


async def with_async_scripe(api_key: str | None, base_url: str | None) -> None:
    counter = RequestCounter()
    async with AsyncScripe(api_key, base_url=base_url, on_response=counter, app_info="scripe-demo") as client:
        me, projects = await asyncio.gather(client.workspaces.me(), client.projects.list().to_list())
        print(f"Workspace: {me.workspace.name} ({me.workspace.id}), plan {me.workspace.plan}")
        print("Projects:")
        project = choose(projects)
        print("A text becomes a source:")
        describe(await client.sources.create_text(project_id=project.id, text=TEXT, name="A calmer Tuesday"))
        print("A recording and other files become sources, all at once:")
        sources = await asyncio.gather(
            *(
                client.sources.ingest(
                    FILES / name, project_id=project.id, on_progress=progress_printer(name, overwrite=False)
                )
                for name in NAMES
            )
        )
        for source in sources:
            describe(source)
        text = sources[TRANSCRIPT].text_preview
        show_post(await client.posts.generate_and_wait(project_id=project.id, text=text), sources[TRANSCRIPT])
    print(f"{counter.count} requests")


def with_both(api_key: str | None, base_url: str | None) -> None:
    print("\n== Scripe")
    with_scripe(api_key, base_url)
    print("\n== AsyncScripe")
    asyncio.run(with_async_scripe(api_key, base_url))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a post from files on disk, with both clients.")
    parser.add_argument(
        "--live",
        action="store_true",
        help="use the real API: this makes ten sources and two drafts, which cost money",
    )
    if parser.parse_args().live:
        print(
            "On the real API: this makes ten sources and two drafts in your workspace; ten of these cost money."
        )
        with_both(None, None)
        return
    from scripe.emulator import Emulator

    with Emulator(job_speed=5) as emulator, emulator.serve() as server:
        print(f"The emulator listens on {server.base_url}; nothing leaves this machine.")
        print("It does not recognise speech, so the post is written from transcript.txt, not from memo.mp3.")
        with_both(server.api_key, server.base_url)


if __name__ == "__main__":
    try:
        main()
    except ScripeError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
    except (KeyboardInterrupt, BrokenPipeError):
        raise SystemExit(1) from None
