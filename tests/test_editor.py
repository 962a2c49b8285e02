"""What an editor completes and shows: every literal that the API's pages list, and the docstrings of both clients."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from scripe import AsyncScripe, Scripe, _vocabulary
from tests.support.language_server import LanguageServer
from tests.test_surface import RESOURCES, public

JOB_TYPES = get_args(_vocabulary.JobType)
JOB_STATUSES = get_args(_vocabulary.JobStatus)
POST_STATUSES = get_args(_vocabulary.PostStatus)
CONTENT_TYPES = get_args(_vocabulary.ContentType)
EVENTS = get_args(_vocabulary.WebhookEvent)
SCOPES = get_args(_vocabulary.APIKeyScope)
PLANS = get_args(_vocabulary.Plan)


@pytest.fixture(scope="module")
def editor() -> Iterator[LanguageServer]:
    with LanguageServer(Path(__file__).parents[1]) as server:
        yield server


WRITTEN = [
    ('client.jobs.list(status=["^"])', JOB_STATUSES),
    ('client.jobs.list(type=["^"])', JOB_TYPES),
    ('client.jobs.retrieve("job_1").status == "^"', JOB_STATUSES),
    ('client.jobs.retrieve("job_1").type == "^"', JOB_TYPES),
    ('client.posts.list(project_id="proj_1", status=["^"])', POST_STATUSES),
    ('client.posts.create(project_id="proj_1", content_type="^")', CONTENT_TYPES),
    ('client.notes.create(project_id="proj_1", content_type="^")', CONTENT_TYPES),
    ('client.webhook_endpoints.create(name="", url="", events=["^"])', EVENTS),
    ('client.webhook_endpoints.update("whe_1", events=["^"])', EVENTS),
    ('client.workspaces.me().workspace.plan == "^"', PLANS),
    ('client.projects.retrieve("proj_1").status == "^"', get_args(_vocabulary.ProjectStatus)),
    ('client.sources.retrieve("src_1").status == "^"', get_args(_vocabulary.SourceStatus)),
    ('emulator.create_key(["^"])', SCOPES),
    ('emulator.seed(job_status="^")', JOB_STATUSES),
    ('client.health.check().status == "^"', get_args(_vocabulary.HealthStatus)),
    ('Scripe(http_client="^")', ("httpx", "httpx2")),
]
HEAD = """from scripe import AsyncScripe, Scripe
from scripe.emulator import Emulator

emulator = Emulator()
"""


def in_both_worlds(line: str) -> list[str]:
    plain = f"{HEAD}client = Scripe()\n{line}\n"
    if not line.startswith("client."):
        return [plain]
    call = re.sub(r"(\w+\.\w+\((?:[^()]*)\))(?=\.)", r"(await client.\1)", line.removeprefix("client."))
    call = call if call.startswith("(await") else f"client.{call}"
    return [plain, f"{HEAD}async def main(client: AsyncScripe):\n    {call}\n"]


@pytest.mark.parametrize(("line", "words"), WRITTEN, ids=[line for line, _ in WRITTEN])
def test_literals_are_completed(editor: LanguageServer, line: str, words: tuple[str, ...]) -> None:
    for code in in_both_worlds(line):
        ast.parse(code.replace("^", ""))
        offered = [label.strip("\"'") for label in editor.completions(code)]
        assert [word for word in words if word not in offered] == [], code


def methods(thing: object) -> list[str]:
    return [name for name, member in public(type(thing)).items() if inspect.isfunction(member)]


@pytest.mark.parametrize("client", ["Scripe", "AsyncScripe"])
def test_docstrings_are_shown(editor: LanguageServer, client: str) -> None:
    made = {"Scripe": Scripe, "AsyncScripe": AsyncScripe}[client]("scripe_sk_test_x")
    shown = {"client": [*methods(made), *RESOURCES]}
    shown |= {f"client.{each}": methods(getattr(made, each)) for each in RESOURCES}
    for owner, names in shown.items():
        home: object = made if owner == "client" else getattr(made, owner.partition(".")[2])
        for name in names:
            first, _, _ = (inspect.getdoc(public(type(home))[name]) or "").partition("\n")
            text = editor.hover(f"{HEAD}def use(client: {client}):\n    {owner}.{name}^\n")
            assert first
            assert first.replace("`", "") in text.replace("`", "").replace("\\", ""), (
                f"{owner}.{name}: {text}"
            )


def test_names_are_completed(editor: LanguageServer) -> None:
    offered = editor.completions(f"{HEAD}client = Scripe()\nclient.^\n")
    assert [name for name in [*RESOURCES, "with_options", "request", "close"] if name not in offered] == []
