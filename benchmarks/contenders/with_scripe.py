"""scripe, with all that it does on: retries, keys, the rate limit, a hook for responses, `last_response`."""

from __future__ import annotations

import asyncio
import itertools
import os
import ssl
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

from running import grown_by, in_tasks, in_turn, resident

from scripe import AsyncScripe, Scripe, Upload
from scripe._core import response as responses
from scripe._core.config import Secret
from scripe._core.outcome import RawResponse
from scripe._core.pagination import PageWalk
from scripe._core.request import Request
from scripe._sync.pager import Pages
from scripe.types import Headers, Job, Page

KEY = "scripe_sk_test_bench"
family = import_module(os.environ.get("SCRIPE_HTTP", "httpx"))


def heard(response):
    """The hook: every response goes by."""


def get(base_url):
    client = Scripe(KEY, base_url=base_url, on_response=heard)
    return in_turn(lambda: client.jobs.retrieve("job_1"))


def get_others(base_url):
    client = Scripe(KEY, base_url=base_url, on_response=heard)
    ids = itertools.count()
    return in_turn(lambda: client.jobs.retrieve(f"job_{next(ids)}"))


def get_with_login(base_url):
    from scripe._core.oauth.login import StoredLogin
    from scripe._core.oauth.token_store import record_name
    from scripe.oauth import MemoryTokenStore, OAuthApp

    issuer = base_url.removesuffix("/v1")
    login = StoredLogin(
        issuer, "app_1", f"{issuer}/token", "access", "refresh", (), expires_at=2e10, lifetime=1e9
    )
    store = MemoryTokenStore()
    store.save(record_name("login", issuer, "tenant"), login.to_record())
    app = OAuthApp(
        client_id="app_1", redirect_uri="https://acme.example/callback", token_store=store, issuer=issuer
    )
    client = Scripe(auth=app.credentials("tenant"), base_url=base_url, on_response=heard)
    ids = itertools.count()
    return in_turn(lambda: client.jobs.retrieve(f"job_{next(ids)}"))


def tasks(base_url, count, http_client=""):
    async def opened():
        given = None
        if http_client:
            from httpx_aiohttp.httpx2 import Httpx2AiohttpClient

            given = Httpx2AiohttpClient()
        client = AsyncScripe(KEY, base_url=base_url, on_response=heard, http_client=given)

        async def call():
            return await client.jobs.retrieve("job_1")

        return call

    return in_tasks(int(count), opened)


def page(path):
    """What a pager does with the bytes of a page: into models, each with its response, and noted in the walk."""
    raw = RawResponse(200, Headers([("x-request-id", "req_1")]), Path(path).read_bytes())
    request = Request("GET", "/jobs", Page[Job], envelope="whole")
    response = responses.build_response_info(request, raw, 1)
    secret = Secret(KEY)

    def call():
        pages = Pages(None, "/jobs", Page[Job], PageWalk({}))
        return pages._accept(responses.parse_model(request, raw, response, secret))

    return in_turn(call)


def second_client(base_url):
    Scripe(KEY, base_url=base_url).health.check()

    def call():
        client = Scripe(KEY, base_url=base_url)
        client._sender.session.transport()

    return in_turn(call)


def _upload(url):
    return Upload(
        id="upl_1",
        upload_url=url,
        content_type="audio/mpeg",
        max_size_bytes=2**40,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )


def put(url, path, trust=""):
    http_client = family.Client(verify=ssl.create_default_context(cafile=trust)) if trust else None
    client = Scripe(KEY, http_client=http_client)
    upload = _upload(url)

    def batch(_count):
        return {"grown": grown_by(lambda: client.uploads.put(upload, path))}

    return batch


def async_put(url, path, trust=""):
    runner = asyncio.Runner()

    async def opened():
        http_client = family.AsyncClient(verify=ssl.create_default_context(cafile=trust)) if trust else None
        return AsyncScripe(KEY, http_client=http_client)

    client = runner.run(opened())
    upload = _upload(url)

    def batch(_count):
        return {"grown": grown_by(lambda: runner.run(client.uploads.put(upload, path)))}

    return batch


def _without_md5(put_case):
    """The same without the digest, to tell what that costs: nothing that a caller could turn off."""

    class NoDigest:
        def update(self, _block):
            pass

        def close(self):
            pass

        def hexdigest(self):
            return os.environ["BENCH_MD5"]

    def case(*arguments):
        import scripe._file_content

        scripe._file_content.Digest = NoDigest
        return put_case(*arguments)

    return case


def walk(base_url):
    """All jobs, page by page: how memory grows in the second half, and how much longer that takes than the first."""
    import time

    client = Scripe(KEY, base_url=base_url, on_response=heard)

    def batch(count):
        seen, halves = 0, [time.process_time()]
        memory = 0.0
        for _ in client.jobs.list():
            seen += 1
            if seen == count // 2:
                halves.append(time.process_time())
                memory = resident()
        halves.append(time.process_time())
        assert seen == count, seen
        return {
            "grown": resident() - memory,
            "linear": (halves[2] - halves[1]) / (halves[1] - halves[0]),
        }

    return batch


def many(base_url):
    """Calls and copies without end: what memory they leave behind."""
    client = Scripe(KEY, base_url=base_url, on_response=heard)
    for _ in range(200):
        client.with_options(timeout=30).jobs.retrieve("job_1")

    def batch(count):
        before = resident()
        for _ in range(count):
            client.jobs.retrieve("job_1")
        called = resident()
        for _ in range(count // 10):
            client.with_options(timeout=30, extra_headers={"X-Trace": "1"}).jobs.retrieve("job_1")
        return {"grown": called - before, "grown_by_copies": resident() - called}

    return batch


def writes(ledger=""):
    """Writes with keys of the caller's, to the emulator in this process; with a ledger in a file, or without one."""
    import tempfile

    from scripe.emulator import Emulator

    emulator = Emulator(write_limit=10**9, max_recorded_requests=1)
    folder = tempfile.TemporaryDirectory()
    client = emulator.client(ledger=f"{folder.name}/ledger" if ledger else None)
    keys = itertools.count()

    def call():
        client.notes.create(
            project_id=emulator.project_id, content="Words.", idempotency_key=f"key-{next(keys)}"
        )

    call()
    call.kept = folder, emulator  # until the end of the process
    return in_turn(call)


def waits(together):
    """Jobs of the emulator, in its own time: waited for together, or by a wait for each beside the others."""
    from scripe.emulator import Emulator

    async def work(count, report):
        with Emulator(plan="ENTERPRISE", generation_limit=1_000_000, max_recorded_requests=1) as emulator:
            heard = []
            async with emulator.async_client(on_response=lambda _: heard.append(1)) as client:
                ids = [
                    (await client.posts.generate(project_id=emulator.project_id, text="Words.")).id
                    for _ in range(count)
                ]
                heard.clear()
                started = emulator.clock.now()
                if together == "together":
                    jobs = await client.jobs.wait_all(ids, timeout=None)
                else:
                    jobs = await asyncio.gather(*(client.jobs.wait(each, timeout=None) for each in ids))
                assert [job.id for job in jobs if job.is_succeeded] == ids
                report["requests"] = len(heard)
                report["waited"] = (emulator.clock.now() - started).total_seconds()

    def batch(count):
        report = {}
        asyncio.run(work(count, report))
        return report

    return batch


CASES = {
    "get": get,
    "get_others": get_others,
    "get_with_login": get_with_login,
    "tasks": tasks,
    "page": page,
    "second_client": second_client,
    "put": put,
    "async_put": async_put,
    "put_without_md5": _without_md5(put),
    "async_put_without_md5": _without_md5(async_put),
    "walk": walk,
    "writes": writes,
    "many": many,
    "waits": waits,
}
