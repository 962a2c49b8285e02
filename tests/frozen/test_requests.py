"""Freeze the bytes that each call sends: plain, then with all of its parameters, the same in both worlds."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any, cast

from scripe import AsyncScripe, Scripe
from scripe._async import client as async_client
from scripe._sync import client as sync_client
from scripe._version import __version__
from scripe.types import Upload
from tests.conftest import KEY
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock, SleeplessClock
from tests.support.server import Received, Reply, ScriptedServer, json_reply

from . import compare

RANDOM = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=scripe-)[0-9a-f]{24}")


def ignore(_: object) -> None:
    """Stand for a callback."""


DAY, MOMENT = date(2026, 5, 18), datetime(2026, 6, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
PROJECT, UPLOAD = {"project_id": "proj_1"}, {"upload_id": "upl_1"}
KEYED: dict[str, object] = {"idempotency_key": "key-1"}
DAYS: dict[str, object] = {"date_from": DAY, "date_to": "2026-05-31", "page_size": 20}
WAIT: dict[str, object] = {"timeout": 60.0, "on_update": ignore, "show_progress": False}
SENDING: dict[str, object] = {"on_progress": ignore, "show_progress": False}
FILE: dict[str, object] = {"file": b"Nobody buys features.", "content_type": "text/plain"}
LINK = Upload.model_validate(shapes.upload("http://127.0.0.1/"))
HOOK: dict[str, object] = {"name": "Newsroom", "url": "https://example.com/hook", "events": ["post.created"]}
WRITTEN: dict[str, object] = {"content": "Caf\u00e9 \U0001f680", "content_type": "PERSONAL"}
GENERATED: dict[str, object] = {"scheduled_for": MOMENT, "language": "de"}

CALLS: dict[str, list[Mapping[str, object]]] = {
    "health.check": [{}],
    "health.auth": [{}],
    "workspaces.me": [{}],
    "workspaces.list": [{}],
    "projects.list": [{}, {"page_size": 20}],
    "projects.retrieve": [PROJECT],
    "sources.retrieve": [{"source_id": "src_1/ü"}],
    "sources.create_text": [{**PROJECT, "text": "Hi"}, {**PROJECT, **KEYED, "text": "Hi", "name": "Talk"}],
    "sources.create_file": [{**PROJECT, **UPLOAD}, {**PROJECT, **UPLOAD, **KEYED, "name": "Talk"}],
    "sources.create_file_and_wait": [
        {**PROJECT, **UPLOAD},
        {**PROJECT, **UPLOAD, **KEYED, **WAIT, "name": "Talk"},
    ],
    "sources.ingest": [
        {**PROJECT, **FILE},
        {**PROJECT, **FILE, **KEYED, **SENDING, "name": "talk.txt", "timeout": 60.0},
    ],
    "uploads.create": [
        {"content_type": "audio/mpeg"},
        {**KEYED, "content_type": "audio/mpeg", "max_size_bytes": 5},
    ],
    "uploads.put": [
        {"upload": LINK, "file": b"Nobody buys features."},
        {"upload": LINK, "file": b"Nobody buys features.", **SENDING},
    ],
    "uploads.upload_file": [FILE, {**FILE, **KEYED, **SENDING, "name": "talk.txt"}],
    "jobs.list": [{}, {**DAYS, "type": ["POST_GENERATION", "KB_INGEST_URL"], "status": ["DONE", "FAILED"]}],
    "jobs.retrieve": [{"job_id": "job_1"}],
    "jobs.cancel": [{"job_id": "job_1"}],
    "jobs.wait": [{"job": "job_1"}, {"job": "job_1", **WAIT}],
    "jobs.wait_all": [{"jobs": ["job_1", "job_2"]}, {"jobs": ["job_1"], **WAIT}],
    "jobs.as_completed": [
        {"jobs": ["job_1"]},
        {"jobs": ["job_1"], "timeout": 60.0, "on_update": ignore},
    ],
    "notes.list": [PROJECT, {**PROJECT, **DAYS, "folder_id": "fld_1"}],
    "notes.retrieve": [{"note_id": "note_1"}],
    "notes.create": [PROJECT, {**PROJECT, **KEYED, **WRITTEN, "folder_id": "fld_1", "date": MOMENT}],
    "posts.list": [PROJECT, {**PROJECT, **DAYS, "status": ["draft", "published"]}],
    "posts.retrieve": [{"post_id": "post_1"}],
    "posts.create": [PROJECT, {**PROJECT, **KEYED, **WRITTEN, "title": "Title", "scheduled_for": MOMENT}],
    "posts.update": [
        {"post_id": "post_1", "content": "Words."},
        {
            "post_id": "post_1",
            "title": "Title",
            "status_category": "inReview",
            "scheduled_for": MOMENT,
            **KEYED,
            **WRITTEN,
            "auto_like": True,
            "auto_comment": False,
        },
        {"post_id": "post_1", "status_id": "st_1", "scheduled_for": None},
    ],
    "posts.generate": [
        {**PROJECT, "text": "Hi"},
        {**PROJECT, **KEYED, **GENERATED, "text": "Hi", "wait_for_completion_ms": 2000},
        {**PROJECT, "note_id": "note_1"},
    ],
    "posts.generate_and_wait": [
        {**PROJECT, "text": "Hi"},
        {**PROJECT, **KEYED, **GENERATED, **WAIT, "text": "Hi"},
        {**PROJECT, "note_id": "note_1"},
    ],
    "post_statuses.list": [{}],
    "knowledge.create_text": [
        {"text": "Hi", "name": "Voice"},
        {**PROJECT, **KEYED, "text": "Hi", "name": "Voice"},
    ],
    "knowledge.create_file": [
        {**UPLOAD, "name": "Voice"},
        {**UPLOAD, **PROJECT, **KEYED, "name": "Voice"},
    ],
    "knowledge.create_url": [
        {"url": "https://example.com"},
        {**PROJECT, **KEYED, "url": "https://example.com", "name": "Voice"},
    ],
    "knowledge.create_youtube": [
        {"url": "https://youtu.be/x"},
        {**PROJECT, **KEYED, "url": "https://youtu.be/x", "name": "Voice"},
    ],
    "knowledge.ingest": [
        {**FILE, "name": "Voice"},
        {**FILE, **PROJECT, **KEYED, **SENDING, "name": "Voice", "timeout": 60.0},
    ],
    "webhook_endpoints.create": [HOOK, {**HOOK, **PROJECT, **KEYED}],
    "webhook_endpoints.retrieve": [{"endpoint_id": "whe_1"}],
    "webhook_endpoints.update": [
        {"endpoint_id": "whe_1", "is_active": False},
        {"endpoint_id": "whe_1", **HOOK, **PROJECT, "is_active": True},
        {"endpoint_id": "whe_1", "project_id": None},
    ],
    "webhook_endpoints.rotate_secret": [{"endpoint_id": "whe_1"}],
}

BODY: dict[str, object] = {"method": "POST", "path": "/notes", "json": {"projectId": "proj_1"}}
WITH_OPTIONS: dict[str, list[Mapping[str, object]]] = {
    "projects.list": [{}],
    "health.check": [{}],
    "request": [BODY, {**BODY, **KEYED}, {"method": "get", "path": "/jobs?type=X", "params": {"limit": 5}}],
}


def test_every_method_is_called_with_what_it_must_have_and_with_all_it_may_have() -> None:
    client = Scripe(KEY)
    wanted: dict[str, tuple[set[str], set[str]]] = {}
    for resource, member in vars(Scripe).items():
        if isinstance(member, property):
            for name, method in inspect.getmembers(getattr(client, resource).__class__, inspect.isfunction):
                parameters = list(inspect.signature(method).parameters.values())[1:]
                required = {each.name for each in parameters if each.default is each.empty}
                wanted[f"{resource}.{name}"] = required, {each.name for each in parameters}
    # A bulk run sends what `uploads` and `sources` do, for files, in an order of its own.
    wanted = {
        name: sets for name, sets in wanted.items() if "._" not in name and not name.startswith("bulk.")
    }
    assert {name: set[str]().union(*calls) for name, calls in CALLS.items()} == {
        name: known for name, (_, known) in wanted.items()
    }
    assert [name for name, (required, _) in wanted.items() if not required <= set(CALLS[name][0])] == []


def respond(received: Received, origin: str) -> Reply:
    """Answer as the API does where all goes well; a list whose page is asked for in twenties has a second one."""
    status = "DONE" if received.method == "GET" else "QUEUED"
    job = shapes.job(status=status, result={"sourceId": "src_1", "postId": "post_1", "documentId": "kb_1"})
    things: dict[str, object] = {
        "workspaces": {"id": "org_1"},
        "projects": {"id": "proj_1", "name": "", "status": "", "type": "", "createdAt": shapes.instant()},
        "uploads": shapes.upload(f"{origin}/bucket/upl_1?signature=x"),
        "sources": job if b'"file"' in received.body else shapes.source(),
        "notes": shapes.note(),
        "posts": shapes.post(),
        "post-statuses": {"id": "st_1"},
        "knowledge": job,
        "jobs": job,
        "webhook-endpoints": shapes.webhook_endpoint(),
    }
    _, version, kind, *rest = received.path.split("/")
    if version != "v1":
        return Reply(200)
    if kind == "health":
        return json_reply({"status": "ok"})
    if rest == ["me"]:
        return json_reply({"workspace": things[kind]})
    if received.method == "GET" and not rest:
        is_first = re.search(r"limit=20\b", received.target) and "cursor" not in received.target
        items = [job, {**job, "id": "job_2"}] if kind == "jobs" else [things[kind]]
        return json_reply({**shapes.page(cursor="next+/=" if is_first else None), "data": items})
    return json_reply({"data": job if rest == ["generations"] else things[kind]})


def calls(client: Scripe | AsyncScripe, server: ScriptedServer) -> Iterator[tuple[str, Any]]:
    """Yield each call as it is made: its name and number, and what the client returned."""
    server.script(lambda received: respond(received, server.origin))
    link = LINK.model_copy(update={"upload_url": f"{server.origin}/bucket/upl_1?signature=x"})
    others = client.with_options(
        workspace_id="org_1", api_version="2026-08-02", extra_headers={"X-Trace": "1"}
    )
    for label, caller, table in (
        ("", client, CALLS),
        ("with options: ", others, WITH_OPTIONS),
    ):
        for name, variants in table.items():
            resource, _, method = name.rpartition(".")
            function = getattr(getattr(caller, resource) if resource else caller, method)
            for number, arguments in enumerate(variants, 1):
                bound = {**arguments, "upload": link} if "upload" in arguments else arguments
                result = function(**bound)
                yield f"{label}{name}, {number}", result.to_list() if hasattr(result, "to_list") else result


def written(name: str, server: ScriptedServer) -> str:
    """Write down what a call has sent, without the port, the version and random keys."""
    requests = [f"{each.head.decode('latin-1')}{each.body.decode()}" for each in server.received]
    server.received.clear()
    text = "\n\n".join(requests).replace("\r\n", "\n")
    text = text.replace(server.origin.removeprefix("http://"), "HOST").replace(__version__, "VERSION")
    return f"## {name}\n\n{RANDOM.sub('RANDOM', text).strip()}\n\n"


def test_the_sync_client_sends_what_is_kept(server: ScriptedServer) -> None:
    text = ""
    with Scripe(KEY, base_url=server.base_url, rate_limiter=None) as client:
        sync_client.set_clock(client, SleeplessClock())
        for name, result in calls(client, server):
            if isinstance(result, Iterator):
                list(cast("Iterator[object]", result))
            text += written(name, server)
    compare("requests.txt", text)


def test_the_async_client_sends_the_same(server: ScriptedServer) -> None:
    async def send_all() -> str:
        text = ""
        async with AsyncScripe(KEY, base_url=server.base_url, rate_limiter=None) as client:
            async_client.set_clock(client, AsyncSleeplessClock())
            for name, result in calls(client, server):
                if isinstance(result, AsyncIterator):
                    async for _ in cast("AsyncIterator[object]", result):
                        pass
                else:
                    await result
                text += written(name, server)
        return text

    compare("requests.txt", asyncio.run(send_all()))
