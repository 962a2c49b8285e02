"""Facts that reads settle: with the emulator all are as assumed, and each response that differs is reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import anyio
import httpx
import pytest

from scripe import AsyncScripe, Diagnosis, Scripe
from scripe._async.client import set_clock as set_async_clock
from scripe._core.fact_probes import MIN_REMAINING, PROBES, READS
from scripe._core.metadata_probes import MCP_PROBES, OAUTH_PROBES
from scripe._facts import FACTS
from scripe._sync.client import set_clock
from scripe.emulator import Emulator
from tests.support.clock import AsyncSleeplessClock, SleeplessClock

pytestmark = pytest.mark.beyond_the_description

Body: TypeAlias = Any
Change: TypeAlias = Callable[[httpx.Request, int, dict[str, str], Body], tuple[int, dict[str, str], Body]]


class Rewriting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Changes what an emulator responds."""

    def __init__(self, emulator: Emulator, change: Change) -> None:
        self._emulator, self._change = emulator, change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._emulator.transport().handle_request(request)
        body = json.loads(response.read())
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        status, headers, body = self._change(request, response.status_code, headers, body)
        return httpx.Response(status, headers=headers, content=json.dumps(body).encode())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def unchanged(
    request: httpx.Request, status: int, headers: dict[str, str], body: Body
) -> tuple[int, dict[str, str], Body]:
    return status, headers, body


def change_headers(change: Callable[[dict[str, str]], dict[str, str]]) -> Change:
    return lambda request, status, headers, body: (status, change(headers), body)


def change_body(path: str, change: Callable[[Body], Body]) -> Change:
    def rewrite(
        request: httpx.Request, status: int, headers: dict[str, str], body: Body
    ) -> tuple[int, dict[str, str], Body]:
        is_meant = request.url.path.startswith(f"/v1{path}")
        return status, headers, change(body) if is_meant else body

    return rewrite


def respond(query: str, status: int, body: Body) -> Change:
    def rewrite(
        request: httpx.Request, real_status: int, headers: dict[str, str], real_body: Body
    ) -> tuple[int, dict[str, str], Body]:
        is_meant = (
            query in str(request.url) or query == f"version {request.headers.get('scripe-api-version')}"
        )
        return (status, headers, body) if is_meant else (real_status, headers, real_body)

    return rewrite


def change_items(path: str, **fields: object) -> Change:
    """Set fields of each object of a list."""

    def change(body: Body) -> Body:
        is_list = isinstance(body.get("data"), list)
        return {**body, "data": [{**item, **fields} for item in body["data"]]} if is_list else body

    return change_body(path, change)


def change_errors(change: Callable[[Body], Body]) -> Change:
    return change_body("", lambda body: {**body, "error": change(body["error"])} if "error" in body else body)


def without(*names: str) -> Callable[[Body], Body]:
    return lambda fields: {name: value for name, value in fields.items() if name not in names}


def is_of_rate_limit(name: str) -> bool:
    return name.startswith("x-ratelimit")


def error(code: str, **fields: object) -> Body:
    return {"error": {"code": code, "message": "no", "docs_url": "https://docs.scripe.io/#x", **fields}}


DIFFERENCES: dict[str, tuple[Change, set[str]]] = {
    "headers only on 429": (
        change_headers(lambda headers: {k: v for k, v in headers.items() if not is_of_rate_limit(k)}),
        {"G1"},
    ),
    "reset is a time": (
        change_headers(lambda headers: {**headers, "x-ratelimit-reset": "1796119200"}),
        {"G2"},
    ),
    "reset is a word": (change_headers(lambda headers: {**headers, "x-ratelimit-reset": "soon"}), {"G2"}),
    "no Date": (change_headers(without("date")), {"G11"}),
    "date-times are refused": (respond("dateFrom", 400, error("invalid_request")), {"G12", "C27"}),
    "oldest first": (
        change_body("/notes", lambda body: {**body, "data": body["data"][::-1]}),
        {"G14"},
    ),
    "a bare project": (change_body("/projects/", lambda body: body["data"]), {"G16"}),
    "null statuses": (change_items("/projects", status=None), {"G17"}),
    "errors are texts": (
        change_body("", lambda body: {"error": "nope"} if "error" in body else body),
        {"G19"},
    ),
    "another code": (respond("nothing", 404, error("no_such_route")), {"G20"}),
    "redirects": (respond("nothing", 307, {}), {"G21"}),
    "a note has tags": (change_items("/notes", tags=[]), {"G22"}),
    "another content type": (change_items("/posts", contentType="CANARY"), {"G23"}),
    "another platform": (change_items("/posts", platform="linkedin"), {"G28"}),
    "post statuses are no page": (change_body("/post-statuses", without("pagination")), {"G29"}),
    "COMPLETED for DONE": (change_items("/jobs", status="COMPLETED"), {"C1"}),
    "Success for a file": (
        change_body("/sources", lambda body: {"data": {**body["data"], "status": "Success"}}),
        {"C2"},
    ),
    "topics": (
        change_body("/sources", lambda body: {"data": {**body["data"], "topics": []}}),
        {"C26"},
    ),
    "limits are clamped": (respond("limit=201", 200, {"data": [], "pagination": {}}), {"C6"}),
    "a version is needed": (respond("version None", 400, error("version_unsupported")), {"C7"}),
    "meta for details": (
        change_errors(
            lambda body: {**without("details")(body), "meta": body["details"]} if "details" in body else body
        ),
        {"C8"},
    ),
    "docs_url is right": (
        change_errors(lambda body: {**body, "docs_url": "https://apidocs.scripe.io/x"}),
        {"C9"},
    ),
    "no docs_url": (change_errors(without("docs_url")), {"C9"}),
    "422 for an unknown value": (respond("NO_SUCH", 422, error("unprocessable")), {"C14"}),
    "/health/auth is a report": (
        change_body("/health/auth", lambda body: {"status": "ok", "version": "1", "checks": {}}),
        {"C22"},
    ),
    "a flat workspace": (
        change_body("/workspaces/me", lambda body: body.get("workspace", body)),
        {"C23"},
    ),
    "a key reaches two workspaces": (
        change_body(
            "/workspaces", lambda body: {**body, "data": body["data"] * 2} if "data" in body else body
        ),
        {"C24"},
    ),
    "file jobs come later": (respond("KB_INGEST", 400, error("invalid_request")), {"C25"}),
    "no post statuses": (respond("post-statuses", 404, error("not_found")), {"C29"}),
}


@pytest.fixture
def furnished(violations: list[str]) -> Iterator[Emulator]:
    """Make an emulator with an ingested file, and two of each list."""
    with Emulator(job_speed=1000) as emulator:
        with emulator.client() as client:
            client.sources.ingest(
                b"Hello.", project_id=emulator.project_id, content_type="text/plain", name="x.txt"
            )
        emulator.seed(jobs=2, notes=2, posts=2)
        emulator.clear_requests()
        yield emulator


def look(emulator: Emulator, change: Change) -> Diagnosis:
    with httpx.Client(transport=Rewriting(emulator, change)) as http_client:
        client = Scripe(emulator.api_key, base_url="http://emulator.localhost/v1", http_client=http_client)
        set_clock(client, SleeplessClock())
        return client.diagnose(facts=True)


async def look_async(emulator: Emulator, change: Change) -> Diagnosis:
    async with httpx.AsyncClient(transport=Rewriting(emulator, change)) as http_client:
        client = AsyncScripe(
            emulator.api_key, base_url="http://emulator.localhost/v1", http_client=http_client
        )
        set_async_clock(client, AsyncSleeplessClock())
        return await client.diagnose(facts=True)


def by_verdict(diagnosis: Diagnosis, verdict: str) -> set[str]:
    return {fact.id for fact in diagnosis.facts if fact.verdict == verdict}


def test_each_fact_that_a_read_settles_has_a_probe() -> None:
    settled = {fact.id for fact in FACTS if fact.settled_by in ("read", "read in part")}
    assert settled == {*PROBES, *MCP_PROBES}


def test_each_fact_that_metadata_settle_has_a_probe() -> None:
    assert {fact.id for fact in FACTS if fact.settled_by == "metadata"} == set(OAUTH_PROBES)


def test_the_emulator_behaves_as_assumed(furnished: Emulator) -> None:
    diagnosis = look(furnished, unchanged)
    assert by_verdict(diagnosis, "differs") == set()
    assert by_verdict(diagnosis, "not seen") == {"O20"}


def test_an_async_client_sees_the_same(furnished: Emulator) -> None:
    assert anyio.run(look_async, furnished, unchanged).facts == look(furnished, unchanged).facts


@pytest.mark.parametrize(("change", "ids"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_each_difference_is_reported_and_none_is_invented(
    change: Change, ids: set[str], furnished: Emulator
) -> None:
    assert by_verdict(look(furnished, change), "differs") == ids


def test_only_reads_are_sent(furnished: Emulator) -> None:
    look(furnished, unchanged)
    assert {request.method for request in furnished.requests} == {"GET"}
    assert len(furnished.requests) == 3 + len(READS) <= 40


def test_a_second_lies_between_two_reads(furnished: Emulator) -> None:
    clock = AsyncSleeplessClock()

    async def watch() -> None:
        async with furnished.async_client() as client:
            set_async_clock(client, clock)
            await client.diagnose(facts=True)

    anyio.run(watch)
    assert clock.sleeps == [1.0] * len(READS)


def test_the_first_429_ends_it(furnished: Emulator) -> None:
    refuse = respond("limit=201", 429, error("rate_limited"))
    diagnosis = anyio.run(look_async, furnished, refuse)
    assert len(furnished.requests) == 3 + [read.name for read in READS].index("limit 201") + 1
    assert "C27" in by_verdict(diagnosis, "not seen")


def test_little_of_the_rate_limit_is_left_alone(furnished: Emulator) -> None:
    scarce = change_headers(lambda headers: {**headers, "x-ratelimit-remaining": str(MIN_REMAINING - 1)})
    anyio.run(look_async, furnished, scarce)
    assert len(furnished.requests) == 3 + 2  # one, and one after a whole window


def test_a_read_without_a_response_is_not_seen(furnished: Emulator) -> None:
    furnished.drop_next(path="/post-statuses")

    async def look() -> Diagnosis:
        async with furnished.async_client() as client:
            set_async_clock(client, AsyncSleeplessClock())
            return await client.diagnose(facts=True)

    diagnosis = anyio.run(look)
    assert "C29" not in by_verdict(diagnosis, "differs")
    assert "C6" in by_verdict(diagnosis, "same")


def test_a_fault_ends_it_before(furnished: Emulator) -> None:
    diagnosis = look(furnished, respond("/workspaces/me", 403, error("plan_not_eligible")))
    assert diagnosis.facts == ()


def test_a_workspace_with_nothing_in_it_shows_less(violations: list[str]) -> None:
    with Emulator() as emulator:
        diagnosis = anyio.run(look_async, emulator, change_items("/projects", id=None))
    assert by_verdict(diagnosis, "not seen") >= {"G16", "G22", "C2"}


def test_what_a_fact_shows_is_described(furnished: Emulator) -> None:
    diagnosis = look(furnished, change_items("/posts", contentType="CANARY"))
    assert "CANARY" not in str(diagnosis)
    assert "differs  G23" in str(diagnosis)
