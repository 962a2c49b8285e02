"""What an editor completes and shows: every literal that the API's pages list, and the docstrings of both clients."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from scripe import AsyncScripe, Scripe
from scripe.emulator._core import settings
from scripe.types.job import JobStatus, JobType
from scripe.types.note import ContentType
from scripe.types.post import PostStatus
from scripe.types.project import ProjectStatus, ProjectType
from scripe.types.source import SourceStatus
from scripe.types.webhook_endpoint import WebhookEvent
from scripe.types.workspace import Plan, Scope
from tests.support.language_server import LanguageServer
from tests.test_surface import RESOURCES, public

JOB_TYPES = "POST_GENERATION KB_INGEST_TEXT KB_INGEST_FILE KB_INGEST_URL KB_INGEST_YOUTUBE SOURCE_INGEST_FILE"
JOB_STATUSES = "QUEUED RUNNING DONE FAILED CANCELLED"
POST_STATUSES = "waitingProcessing draft waitingApproval approved rejected scheduled published suggested"
CONTENT_TYPES = "PERSONAL BUSINESS_INTERNAL BUSINESS_EXTERNAL EDUCATIONAL UNKNOWN"
EVENTS = (
    "note.created post.created post.updated post.scheduled post.unscheduled source.created job.completed "
    "job.failed knowledge.indexed"
)
SCOPES = "notes:read notes:write posts:read posts:write sources:write knowledge:write webhooks:manage"

LISTED = [
    (JobType, JOB_TYPES),
    (JobStatus, JOB_STATUSES),
    (PostStatus, POST_STATUSES),
    (ContentType, CONTENT_TYPES),
    (ProjectType, "PERSONAL_BRAND COMPANY_PAGE"),
    (ProjectStatus, "ACTIVE PAUSED ARCHIVED ERROR"),
    (SourceStatus, "Processing Done Success Failed"),
    (WebhookEvent, EVENTS),
    (Plan, "FREE SOLO ADVANCED BUSINESS ENTERPRISE TRIAL"),
    (Scope, f"{SCOPES} offline_access"),
]


@pytest.mark.parametrize(("alias", "words"), LISTED, ids=[words.split()[0] for _, words in LISTED])
def test_literals_are_those_of_the_pages_and_open(alias: object, words: str) -> None:
    literal, other = get_args(alias)
    assert get_args(literal) == tuple(words.split())
    assert other is str


def test_the_emulator_names_the_same() -> None:
    assert get_args(settings.Scope) == tuple(SCOPES.split())
    assert get_args(settings.JobType) == tuple(JOB_TYPES.split())
    assert get_args(settings.JobStatus) == tuple(JOB_STATUSES.split())
    assert get_args(settings.Plan) == get_args(get_args(Plan)[0])


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
    ('client.workspaces.me().workspace.plan == "^"', "FREE SOLO ADVANCED BUSINESS ENTERPRISE TRIAL"),
    ('client.projects.retrieve("proj_1").status == "^"', "ACTIVE PAUSED ARCHIVED ERROR"),
    ('client.sources.retrieve("src_1").status == "^"', "Processing Done Success Failed"),
    ('emulator.create_key(["^"])', SCOPES),
    ('emulator.seed(job_status="^")', JOB_STATUSES),
    ('Scripe(http_client="^")', "httpx httpx2"),
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
def test_literals_are_completed(editor: LanguageServer, line: str, words: str) -> None:
    for code in in_both_worlds(line):
        ast.parse(code.replace("^", ""))
        offered = [label.strip("\"'") for label in editor.completions(code)]
        assert [word for word in words.split() if word not in offered] == [], code


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
