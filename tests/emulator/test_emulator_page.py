"""The emulator's page over real HTTP: what it shows, what its buttons do, and whom it turns away."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

import scripe
from scripe import NotFoundError
from scripe.emulator import Emulator, Server
from scripe.emulator._core.masking import mask_secrets
from scripe.emulator.page.access import check_request
from scripe.emulator.page.formatting import format_age, format_milliseconds, truncate
from scripe.emulator.page.routes import read_form
from tests.emulator.emulator_calls import START, Calls, frozen


class Text(HTMLParser):
    """The text of a page, a line for each piece."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.lines.append(" ".join(data.split()))


@dataclass(frozen=True)
class Seen:
    status: int
    headers: http.client.HTTPMessage
    html: str

    @property
    def lines(self) -> list[str]:
        return Text(self.html).lines

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    @property
    def message(self) -> str:
        element = self.html.partition('<p id="message"')[2].partition("</p>")[0]
        return " ".join(Text(element.partition(">")[2]).lines)


@dataclass(frozen=True)
class Browser:
    """What a browser without scripts does."""

    server: Server

    def send(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Seen:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        netloc = urlsplit(self.server.page_url).netloc
        with closing(http.client.HTTPConnection(netloc, timeout=10)) as connection:
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Seen(response.status, response.headers, response.read().decode())

    def see(self, path: str = "") -> Seen:
        return self.send("GET", f"/_emulator{path}")

    def press(self, control: str, **fields: object) -> Seen:
        """Press a button; where it leads to somewhere, go there."""
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        seen = self.send("POST", f"/_emulator/{control}", urlencode(fields), **form)
        return self.send("GET", seen.headers["Location"]) if seen.status == 303 else seen


@pytest.fixture
def server(emulator: Emulator) -> Iterator[Server]:
    with emulator.serve() as server:
        yield server


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server)


def test_the_page_has_an_address_and_shows_it(server: Server, browser: Browser) -> None:
    assert server.page_url == server.base_url.replace("/v1", "/_emulator")
    seen = browser.see()
    assert (seen.status, seen.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert server.base_url in seen.text
    assert "2026-05-15 08:21:00 UTC frozen" in seen.text
    assert "No jobs yet." in seen.text
    assert "No requests yet." in seen.text
    assert browser.see("/").html == seen.html


def test_looking_at_the_page_is_no_request_of_the_api(emulator: Emulator, browser: Browser) -> None:
    for path in (
        "",
        "/",
        "/live",
        "/page.css",
        "/page.js",
        "/icon.svg",
        "/revoke",
        "/nothing",
        "?done=finish",
    ):
        browser.see(path)
    browser.press("advance", seconds=1)
    browser.send("PUT", "/_emulator")
    assert emulator.requests == []
    assert Calls(emulator).get("/jobs").headers["X-RateLimit-Remaining"] == "119"


def test_what_is_beside_the_page_is_the_apis(emulator: Emulator, browser: Browser) -> None:
    assert json.loads(browser.send("GET", "/_emulators").html)["error"]["code"] == "not_found"
    assert [request.path for request in emulator.requests] == ["/_emulators"]


def test_every_answer_forbids_what_the_page_does_not_need(browser: Browser) -> None:
    for seen in (browser.see(), browser.see("/page.js"), browser.see("/nothing"), browser.press("finish")):
        assert "default-src 'self'" in seen.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in seen.headers["Content-Security-Policy"]
        assert seen.headers["Cache-Control"] == "no-store"
        assert " style=" not in seen.html
        assert "<script>" not in seen.html


def rows_of(seen: Seen, table: str) -> list[str]:
    """The text of the rows of a table, its head left out."""
    body = seen.html.partition(f'<table class="{table}">')[2].partition("</table>")[0]
    return [" ".join(Text(f"<tr{row}").lines) for row in body.split("<tr")[2:]]


def test_a_request_is_listed_with_what_became_of_it(emulator: Emulator, api: Calls, browser: Browser) -> None:
    api.get("/jobs", **{"X-Nothing": "here"})
    api.send(
        "GET",
        "http://emulator.test/v1/jobs?status=DONE,FAILED&limit=5",
        {"Authorization": f"Bearer {api.key}"},
    )
    api.text(idempotency_key="import-2026-05-15-0001")
    api.text(idempotency_key="import-2026-05-15-0001")
    emulator.drop_next()
    api.text(idempotency_key="short")
    api.get("/sources/src_0000000000000000")
    api.put(api.mint(), b"x", Authorization="Bearer x")
    seen = browser.see("/live")
    ids = [request.request_id for request in emulator.requests]
    assert ids[:6] == [request_id for request_id in ids[:6] if str(request_id).startswith("req_")]
    text = f'Body {{"type": "text", "projectId": "{emulator.project_id}", "text": "Hello"}}'
    rows = [row.rpartition(" ")[0] for row in rows_of(seen, "requests")]
    assert rows[0].startswith("08:21:00 PUT /_storage/")
    assert rows[0].endswith(
        ".txt ✕ failed 400 InvalidArgument Only one auth mechanism allowed; the X-Amz-Algorithm query parameter is "
        "one, the Authorization header another."
    )
    assert rows[1:] == [
        f'08:21:00 POST /uploads {ids[6]} Body {{"contentType": "text/plain"}} 200',
        f"08:21:00 GET /sources/src_0000000000000000 {ids[5]} ✕ failed 404 not_found "
        "src_0000000000000000 was not found in sources.",
        f"08:21:00 POST /sources {ids[4]} {text} ✕ failed 200 response lost short 1",
        f"08:21:00 POST /sources {ids[3]} {text} 200 replayed import-202… 2",
        f"08:21:00 POST /sources {ids[2]} {text} 200 import-202… 1",
        f"08:21:00 GET /jobs?status=DONE,FAILED&limit=5 {ids[1]} 200",
        f"08:21:00 GET /jobs {ids[0]} 200",
    ]
    assert 'title="import-2026-05-15-0001"' in seen.html


def test_the_page_shows_the_request_id_that_an_error_names(emulator: Emulator, browser: Browser) -> None:
    client = emulator.client()
    with pytest.raises(NotFoundError) as caught:
        client.posts.retrieve("post_none")
    assert caught.value.request_id
    assert f"{caught.value.request_id} ✕ failed 404" in browser.see().text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "Say \\"please\\" \\u00fcber."}}', 'Say "please" über.'),
        (b'{"message":"cut \\ud83d"}', '"cut \\ud83d"'),
        (b"<Error><Message>a &lt; b</Message></Error>", "a < b"),
        (b"<html>", None),
        (b'{"message": 5}', None),
    ],
)
def test_messages_of_errors(emulator: Emulator, api: Calls, body: bytes, message: str | None) -> None:
    emulator.fail_next(418, body=body)
    api.send("GET", "http://emulator.test/v1/health", {})
    request = emulator.requests[0]
    assert (request.error_message, request.request_id) == (message, None)


def test_long_bodies_are_cut_and_those_without_a_request_id_shown(
    emulator: Emulator, api: Calls, browser: Browser
) -> None:
    api.text("x" * 5_000)
    emulator.fail_next(418, body=b"")
    api.note(content="Tea.")
    rows = rows_of(browser.see("/live"), "requests")
    assert '"content": "Tea."} ✕ failed 418' in rows[0]
    assert "x…" in rows[1]
    assert 900 < len(rows[1]) < 1_200


def test_posts_are_shown(emulator: Emulator, api: Calls, browser: Browser) -> None:
    ended = api.ended(api.generate(options={"language": "de"}).fields)
    emulator.clock.advance(120)
    scheduled = api.draft(content="Later.", scheduledFor="2026-06-01T09:00:00Z").fields
    assert rows_of(browser.see("/live"), "posts") == [
        f"(no title) {scheduled['id']} Content Later. scheduled 2026-06-01T09:00:00.000Z 0 s",
        f"We ship. {ended['result']['postId']} Content We ship. → It works. What is your take? "
        "[The emulator does not translate. Requested language: de] draft 2 min",
    ]
    emulator.seed(posts=10)
    assert "The newest 10 of 12." in browser.see().text


def test_the_numbers_are_there_as_json_too(emulator: Emulator, api: Calls, browser: Browser) -> None:
    api.text()
    api.generate()
    emulator.fail_next(503, path=f"/{emulator.api_key}")
    emulator.clock.advance(60)
    seen = browser.see("/state.json")
    assert (seen.status, seen.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(seen.html) == {
        "time": "2026-05-15T08:22:00.123Z",
        "frozen": True,
        "requests": 2,
        "records": {
            "jobs": 1,
            "knowledge": 0,
            "notes": 0,
            "posts": 1,
            "projects": 3,
            "sources": 1,
            "uploads": 0,
            "webhook_endpoints": 0,
        },
        "faults": [
            f"The next request to /scripe_sk_test_…{emulator.api_key[-4:]} fails with 503",
        ],
    }
    assert browser.send("GET", "/_emulator/state.json", Host="rebound.example").status == 403


def test_the_requests_are_there_as_json_too(emulator: Emulator, api: Calls, browser: Browser) -> None:
    api.text(idempotency_key="ep01")
    emulator.clock.advance(1.5)
    api.text(idempotency_key="ep01")
    emulator.drop_next(before=True)
    api.get(f"/sources/{emulator.api_key}")
    seen = browser.see("/requests.json")
    assert seen.headers["Content-Type"] == "application/json"
    first, replay, lost = json.loads(seen.html)
    assert first == {
        "time": "2026-05-15T08:21:00.123Z",
        "method": "POST",
        "path": "/sources",
        "status": 200,
        "error_code": None,
        "request_id": emulator.requests[0].request_id,
        "idempotency_key": "ep01",
        "replayed": False,
        "connection_dropped": False,
    }
    assert replay == {
        **first,
        "time": "2026-05-15T08:21:01.623Z",
        "request_id": emulator.requests[1].request_id,
        "replayed": True,
    }
    assert lost["path"] == f"/sources/scripe_sk_test_…{emulator.api_key[-4:]}"
    assert [lost["status"], lost["connection_dropped"], lost["request_id"]] == [0, True, None]
    assert browser.send("GET", "/_emulator/requests.json", Host="rebound.example").status == 403


def test_another_process_steers_the_clock(emulator: Emulator, browser: Browser) -> None:
    browser.send("POST", "/_emulator/advance", "seconds=90000")
    assert emulator.clock.now() == START + timedelta(seconds=90_000)
    assert json.loads(browser.see("/state.json").html)["time"] == "2026-05-16T09:21:00.123Z"


PACKED = """
import sys
sys.path.insert(0, sys.argv[1])
import scripe
assert scripe.__file__.startswith(sys.argv[1])
from urllib.error import HTTPError
from urllib.request import urlopen
from scripe import Scripe
from scripe.emulator import Emulator

def get(url, data=None):
    try:
        with urlopen(url, data) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()

with Emulator() as emulator, emulator.serve() as server:
    with Scripe(server.api_key, base_url=server.base_url) as client:
        client.workspaces.me()
    assert get(f"{server.page_url}/state.json")[0] == 200
    for path, form in (("", None), ("/page.css", None), ("/advance", b"seconds=5"), ("/advance", b"seconds=x")):
        status, text = get(f"{server.page_url}{path}", form)
        print(status, text.splitlines()[0])
"""


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_program_that_was_packed_without_the_pages_files_serves_all_the_same(
    tmp_path: Path, is_whole: bool
) -> None:
    archive = tmp_path / "program.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in Path(scripe.__file__).parent.rglob("*"):
            if path.suffix == ".py" or (is_whole and path.suffix in (".html", ".css", ".js", ".svg")):
                packed.write(path, path.relative_to(Path(scripe.__file__).parents[1]))
    output = subprocess.run(
        [sys.executable, "-c", PACKED, str(archive)], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout
    gone = "is missing from this program; pack the data files of scripe too."
    pages = "scripe/emulator/page"
    first, style, *pressed = output.splitlines()
    if is_whole:
        assert first == "200 <!doctype html>"
        assert style[:4] == "200 "
        assert pressed == ["200 <!doctype html>", "422 <!doctype html>"]
    else:
        assert first == f"503 The page cannot be shown: {pages}/templates/page.html {gone}"
        assert style == f"404 {pages}/static/page.css {gone}"
        assert pressed == [
            "503 The clock was moved forward.",
            "422 The step in seconds must be a number from 1 to 31,622,400.",
        ]


def test_without_its_files_the_page_says_what_is_missing(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nowhere(package: str) -> Path:
        return tmp_path

    monkeypatch.setattr("scripe.emulator._core.data_files.files", nowhere)
    seen = [browser.see(), browser.see("/page.css"), browser.press("advance", seconds="x")]
    assert [(each.status, "is missing from this program" in each.text) for each in seen] == [
        (503, True),
        (404, True),
        (422, True),
    ]


def test_without_jinja_the_page_says_what_is_missing(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    seen = browser.see()
    assert seen.status == 503
    assert "jinja2" in seen.html
    assert '"emulator"' in seen.html


def test_what_a_request_was_like_is_remembered(emulator: Emulator, api: Calls) -> None:
    emulator.delay_next(0.25)
    emulator.fail_next(503, body=b"<html>", times=1)
    api.get("/jobs")
    upload = api.mint()
    api.put(upload, b"x", Authorization="Bearer x")
    api.get("/health")
    emulator.drop_next()
    api.get("/health")
    delayed, _, refused, well, lost = emulator.requests
    assert delayed.milliseconds >= 250
    assert delayed.received_at == START
    assert delayed.error_code is None
    assert not delayed.connection_dropped
    assert (refused.status, refused.error_code) == (400, "InvalidArgument")
    assert well.error_code is None
    assert not well.connection_dropped
    assert lost.connection_dropped
    assert well.milliseconds >= 0


def test_at_most_a_hundred_requests_are_shown(api: Calls, browser: Browser) -> None:
    for _ in range(101):
        api.get("/health")
    seen = browser.see()
    assert seen.html.count('<span class="method">') == 100
    assert "The newest 100 of 101." in seen.text


def test_no_secret_is_shown(emulator: Emulator, api: Calls, browser: Browser) -> None:
    upload = api.mint()
    api.put(upload, b"bytes")
    secret = api.post(
        "/webhook-endpoints", {"name": "n", "url": "https://example.com/h", "events": ["job.failed"]}
    ).fields["secret"]
    for leaked in (emulator.api_key, secret):
        api.get(f"/sources/{leaked}")
        api.text(idempotency_key=leaked[:64])
    emulator.fail_next(path=f"/sources/{emulator.api_key}")
    for path in ("", "/live", f"/revoke?key={key_id(browser)}"):
        html = browser.see(path).html
        assert emulator.api_key not in html
        assert secret not in html
        assert "X-Amz-Signature" not in html
        assert f"scripe_sk_test_…{emulator.api_key[-4:]}" in html


def key_id(browser: Browser, which: int = 0) -> str:
    return browser.see("/live").html.split("/_emulator/revoke?key=")[1 + which].partition('"')[0]


def test_paths_of_the_api_may_be_written_with_its_prefix(
    emulator: Emulator, api: Calls, browser: Browser
) -> None:
    for path, met in (("/v1/notes", 503), ("/v1", 503), ("/v1x", 200)):
        assert browser.press("fail-next", code="service_unavailable", times=1, path=path).status == 200
        assert api.get(f"/notes?projectId={emulator.project_id}").status == met


def test_a_header_does_not_make_a_stranger_a_neighbour(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with (
        emulator.serve() as server,
        closing(http.client.HTTPConnection(urlsplit(server.page_url).netloc)) as line,
    ):
        line.request("GET", "/_emulator", headers={"X-Forwarded-For": "203.0.113.9"})
        assert line.getresponse().status == 200


def test_what_came_in_is_escaped(api: Calls, browser: Browser) -> None:
    api.send("GET", "http://emulator.test/v1/<script>alert(1)</script>?q=<b>&\"'", {})
    html = browser.see().html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_jobs_in_every_state(api: Calls, emulator: Emulator, browser: Browser) -> None:
    jobs = [api.generate().fields for _ in range(5)]
    emulator.finish(jobs[0]["id"])
    emulator.fail(jobs[1]["id"], error_code="NO_LUCK", error_message="It did not work.")
    api.post(f"/jobs/{jobs[2]['id']}/cancel")
    emulator.start(jobs[3]["id"])
    emulator.set_progress(jobs[3]["id"], 0.37, "Counting")
    emulator.clock.advance(0.5)
    post_id = api.get(f"/jobs/{jobs[0]['id']}").fields["result"]["postId"]
    assert rows_of(browser.see("/live"), "jobs") == [
        f"POST_GENERATION {jobs[4]['id']} QUEUED 0% 0 s Finish Fail",
        f"POST_GENERATION {jobs[3]['id']} RUNNING 37% Counting 0 s Finish Fail",
        f"POST_GENERATION {jobs[2]['id']} CANCELLED 0 s",
        f"POST_GENERATION {jobs[1]['id']} FAILED NO_LUCK: It did not work. 0 s",
        f"POST_GENERATION {jobs[0]['id']} DONE {post_id} 0 s",
    ]


def test_a_job_without_progress_has_a_bar_that_says_so(browser: Browser, emulator: Emulator) -> None:
    emulator.seed(jobs=1, job_status="RUNNING")
    assert "<progress" in browser.see().html
    emulator.clock.advance(2 * 3600)
    seen = browser.see()
    assert "RUNNING" in seen.text
    assert "%" not in seen.html.partition("<progress")[2].partition("</td>")[0]


def test_an_odd_status_and_a_result_of_none(browser: Browser, emulator: Emulator, api: Calls) -> None:
    emulator.finish(api.generate().fields["id"], "ARCHIVED")
    emulator.seed(jobs=1, job_status="DONE")
    assert "ARCHIVED" in browser.see().text


def test_jobs_that_run_come_first_and_the_list_is_short(browser: Browser, emulator: Emulator) -> None:
    emulator.seed(jobs=1, job_status="RUNNING")
    emulator.seed(jobs=20, start=START)
    seen = browser.see()
    assert seen.html.count('<td class="progress">') == 10
    assert "10 of 21, first those that have not ended." in seen.text
    assert seen.text.index("RUNNING") < seen.text.index("DONE")


def test_a_look_moves_jobs_no_other_way_than_a_call_does() -> None:
    found: list[dict[str, object]] = []
    for is_watched in (True, False):
        with Emulator(clock=frozen()) as emulator, emulator.serve() as server:
            api = Calls(emulator)
            job = api.generate().fields
            for _ in range(60):
                emulator.clock.advance(0.1)
                if is_watched:
                    Browser(server).see("/live")
            found.append(api.get(f"/jobs/{job['id']}").fields)
    watched, unwatched = ({**job, "id": "", "projectId": "", "result": ""} for job in found)
    assert watched == unwatched
    assert watched["status"] == "DONE"


def test_budgets(api: Calls, emulator: Emulator, browser: Browser) -> None:
    for _ in range(3):
        api.get("/jobs")
    emulator.set_spend(1234)
    emulator.create_workspace("Unlimited", "ENTERPRISE")
    text = browser.see().text
    assert "Acme BUSINESS read 3 of 120 3 of 120 write 0 of 300" in text
    assert "spend 1,234 of 5,000 cents" in text
    assert "Unlimited ENTERPRISE read 0 of 120" in text
    assert "spend 0 cents, no cap" in text
    emulator.clock.advance(61)
    assert "Acme BUSINESS read 0 of 120" in browser.see().text


def test_a_shared_limit_and_its_window() -> None:
    with Emulator(clock=frozen(), shared_limit=7, rate_window=10) as emulator, emulator.serve() as server:
        Calls(emulator).get("/jobs")
        text = Browser(server).see().text
    assert "Requests in 10 s, spend of the UTC day Acme BUSINESS shared 1 of 7 1 of 7 spend" in text


def test_records_by_type(api: Calls, browser: Browser) -> None:
    api.text()
    text = browser.see().text
    assert "projects 3 sources 1 uploads 0 webhook endpoints 0" in text


def test_keys(emulator: Emulator, browser: Browser) -> None:
    emulator.create_key(["notes:read", "posts:read"], expires_on=date(2026, 5, 16))
    emulator.create_key([])
    emulator.revoke_key(emulator.create_key())
    assert "Acme · every scope · valid Revoke…" in browser.see().text
    assert "Acme · notes:read, posts:read · valid until 2026-05-16 Revoke…" in browser.see().text
    assert "Acme · no scope · valid Revoke…" in browser.see().text
    assert "Acme · every scope · revoked" in browser.see().text
    emulator.clock.advance(24 * 3600)
    assert "expired on 2026-05-16" in browser.see().text


def test_fail_next(api: Calls, browser: Browser) -> None:
    seen = browser.press("fail-next", code="rate_limited", times=2, retry_after=7, path=" /v1/jobs ")
    assert seen.message == "The next requests will fail."
    assert "The next 2 requests to /jobs fail with 429 rate_limited Clear" in seen.text
    assert api.get("/health").status == 200
    response = api.get("/jobs")
    assert (response.code, response.headers["Retry-After"]) == ("429 rate_limited", "7")
    assert "The next request to /jobs fails with 429 rate_limited" in browser.see().text
    assert api.get("/jobs").status == 429
    assert api.get("/jobs").status == 200
    assert "fails with" not in browser.see().text


def test_fail_next_without_more(api: Calls, browser: Browser) -> None:
    browser.press("fail-next", code="internal_error", times=1, retry_after="", path="")
    response = api.get("/health")
    assert response.code == "500 internal_error"
    assert "Retry-After" not in response.headers


def test_drop_next(api: Calls, browser: Browser) -> None:
    assert "The next request loses its response" in browser.press("drop-next", times=1).text
    assert "The next 3 requests lose their responses" in browser.press("drop-next", times=3).text
    assert api.get("/health").raw.connection_dropped


def test_drop_next_before_the_work(emulator: Emulator, api: Calls, browser: Browser) -> None:
    text = browser.press("drop-next", times=1, before=1).text
    assert "The next request is lost before it is done" in text
    text = browser.press("drop-next", times=2, before=1, path="/jobs").text
    assert "The next 2 requests to /jobs are lost before they are done" in text
    api.text()
    assert emulator.count("sources") == 0
    row = rows_of(browser.see("/live"), "requests")[0]
    assert '"text": "Hello"} ✕ failed lost before the work' in row


def test_delay_next(api: Calls, browser: Browser, emulator: Emulator) -> None:
    text = browser.press("delay-next", times=1, seconds=1.5).text
    assert "The next request gets its response 1.5 s late" in text
    emulator.fail_next(418, method="GET")
    text = browser.press("delay-next", times=2, seconds=2, path="/jobs").text
    assert "The next 2 requests to /jobs get their responses 2 s late" in text
    assert "The next request to GET fails with 418" in text
    assert api.get("/health").raw.delay == 1.5


def test_call_off(api: Calls, browser: Browser) -> None:
    browser.press("drop-next", times=1)
    assert browser.press("clear-faults").message == "All faults were cleared."
    assert not api.get("/health").raw.connection_dropped


def test_advance(emulator: Emulator, browser: Browser) -> None:
    seen = browser.press("advance", seconds=86400)
    assert "2026-05-16 08:21:00 UTC" in seen.text
    assert (emulator.clock.now() - START).days == 1
    emulator.clock.advance(timedelta(days=365.25 * 6_973))
    seen = browser.press("advance", seconds=366 * 86_400)
    assert (seen.status, seen.message) == (
        422,
        "The clock was not moved: the emulator's time ends with the year 8999.",
    )


def test_finish_and_fail_a_job(api: Calls, browser: Browser) -> None:
    first, second = api.generate().fields["id"], api.generate().fields["id"]
    assert browser.press("finish", job=first).message == "The job was ended."
    assert browser.press("fail-job", job=second).message == "The job has failed."
    assert [api.get(f"/jobs/{job}").fields["status"] for job in (first, second)] == ["DONE", "FAILED"]
    seen = browser.press("finish", job=first)
    assert (seen.status, seen.message) == (422, f"The job was not changed: job {first} is already DONE.")
    assert browser.press("fail-job").message == "The job was not changed: there is no job ''."


def test_a_key_is_revoked_after_a_question(emulator: Emulator, api: Calls, browser: Browser) -> None:
    other = emulator.create_key()
    seen = browser.see(f"/revoke?key={key_id(browser, 1)}")
    assert f"Revoke this key? scripe_sk_test_…{other[-4:]}" in seen.text
    assert api.get("/jobs", key=other).status == 200
    seen_key = seen.html.partition('name="key" value="')[2].partition('"')[0]
    assert browser.press("revoke", key=seen_key).message == "The key was revoked."
    assert api.get("/jobs", key=other).code == "401 key_revoked"
    assert api.get("/jobs").status == 200
    again = browser.press("revoke", key=seen_key)
    assert (again.status, again.message) == (422, "This key is already revoked.")
    gone = browser.see("/revoke?key=key_x")
    assert (gone.status, gone.message) == (404, "There is no such key.")


@pytest.mark.parametrize(
    ("control", "fields", "message"),
    [
        ("fail-next", {"code": "teapot", "times": 1}, "Choose one of the listed errors."),
        ("fail-next", {"code": "conflict"}, "The number of requests must be a whole number from 1 to 1,000."),
        (
            "fail-next",
            {"code": "conflict", "times": 1, "retry_after": "soon"},
            "Retry-After must be a whole number",
        ),
        ("fail-next", {"code": "conflict", "times": 1, "path": "jobs"}, "A path begins with a slash"),
        ("drop-next", {"times": 0}, "The number of requests must be a whole number from 1 to 1,000."),
        ("drop-next", {"times": "1.5"}, "The number of requests must be a whole number"),
        ("drop-next", {"times": "9" * 5000}, "The number of requests must be a whole number"),
        ("delay-next", {"times": 1, "seconds": -1}, "The delay must be a number from 0 to 300."),
        ("delay-next", {"times": 1, "seconds": "nan"}, "The delay must be a number from 0 to 300."),
        ("advance", {"seconds": 1e300}, "The step in seconds must be a number from 1 to"),
        ("revoke", {}, "There is no such key."),
    ],
)
def test_what_is_filled_in_wrongly_is_said(
    browser: Browser, emulator: Emulator, control: str, fields: dict[str, object], message: str
) -> None:
    seen = browser.press(control, **fields)
    assert seen.status == 422
    assert seen.message.startswith(message)
    assert 'class="wrong"' in seen.html
    assert "fails with" not in seen.text
    assert emulator.clock.now() == START


def test_what_was_filled_in_is_there_to_be_corrected(browser: Browser) -> None:
    seen = browser.press("fail-next", code="conflict", times=0, retry_after=3, path='/"notes"')
    assert 'value="0" required' in seen.html
    assert 'value="3"' in seen.html
    assert 'value="/&#34;notes&#34;"' in seen.html
    assert '<option value="conflict" selected>' in seen.html
    assert '<option value="service_unavailable" selected>' in browser.see().html
    assert 'value="0" required' not in browser.see().html


def test_a_message_is_one_of_the_pages_own(browser: Browser) -> None:
    assert browser.see("?done=finish").message == "The job was ended."
    assert browser.see("?done=Send+money").message == ""


def test_files_of_the_page(browser: Browser) -> None:
    for path, content_type in (
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ):
        seen = browser.see(path)
        assert (seen.status, seen.headers["Content-Type"]) == (200, content_type)
        assert "://" not in seen.html.replace("http://www.w3.org/2000/svg", "")


def test_what_the_page_does_not_take(browser: Browser) -> None:
    assert browser.see("/nothing").status == 404
    assert browser.see("/../page.py").status == 404
    assert browser.see("/finish").status == 404
    assert browser.send("HEAD", "/_emulator").html == ""
    for method, path in (("DELETE", ""), ("POST", ""), ("POST", "/live"), ("POST", "/nothing")):
        seen = browser.send(method, f"/_emulator{path}")
        assert (seen.status, seen.headers["Allow"]) == (405, "GET, HEAD")
    seen = browser.send("POST", "/_emulator/finish", b"x" * 70_000)
    assert (seen.status, seen.html) == (413, "The form is too large.")
    assert browser.send("POST", "/_emulator/finish", b"\xff=%ff").status == 422


def test_a_form_that_breaks_off_is_no_form() -> None:
    pieces: list[Message] = [
        {"type": "http.request", "body": b"times=1", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return pieces.pop(0)

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(HTTPException) as caught:
        asyncio.run(read_form(request))
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_page_cannot_press_the_buttons(
    browser: Browser, emulator: Emulator, headers: dict[str, str]
) -> None:
    named = {name.replace("-", "_"): text for name, text in headers.items()}
    seen = browser.send("POST", "/_emulator/advance", "seconds=60", **named)
    assert (seen.status, seen.html) == (
        403,
        "The page's buttons work only on the page itself, not from another page.\n",
    )
    assert emulator.clock.now() == START
    assert browser.send("GET", "/_emulator", **named).status == 200


def test_the_page_itself_and_a_shell_can(server: Server, browser: Browser, emulator: Emulator) -> None:
    own = server.base_url.removesuffix("/v1")
    form = urlencode({"seconds": 60})
    assert (
        browser.send("POST", "/_emulator/advance", form, Origin=own, Sec_Fetch_Site="same-origin").status
        == 303
    )
    assert browser.send("POST", "/_emulator/advance", form, Sec_Fetch_Site="none").status == 303
    assert browser.send("POST", "/_emulator/advance", form).status == 303
    assert (emulator.clock.now() - START).seconds == 180


@pytest.mark.parametrize(
    "host", ["rebound.example", "127.0.0.1.example:80", "localhost.example", "[::1", "10.0.0.7"]
)
def test_a_name_that_is_led_here_is_refused(browser: Browser, host: str) -> None:
    for method, path in (("GET", ""), ("GET", "/live"), ("POST", "/advance")):
        seen = browser.send(method, f"/_emulator{path}", Host=host)
        assert seen.status == 403
        assert "answers only under localhost" in seen.html


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "127.0.0.1:9", "[::1]:80", "scripe.localhost:80"]
)
def test_names_of_this_machine_are_taken(browser: Browser, host: str) -> None:
    seen = browser.send("GET", "/_emulator", Host=host)
    assert seen.status == 200
    assert f"http://{host}/v1" in seen.text
    form = browser.send("POST", "/_emulator/advance", "seconds=1", Host=host, Origin=f"http://{host}")
    assert form.status == 303


@pytest.mark.parametrize(
    ("peer", "local", "bound", "host", "is_let_in"),
    [
        ("192.0.2.9", "192.0.2.5", "0.0.0.0", "192.0.2.5:8787", False),
        ("192.0.2.9", "192.0.2.5", "0.0.0.0", "localhost", False),
        ("192.0.2.5", "192.0.2.5", "0.0.0.0", "192.0.2.5:8787", True),
        ("192.0.2.5", "192.0.2.5", "build.example", "Build.example:8787", True),
        ("127.0.0.1", "127.0.0.1", "build.example", "other.example", False),
        ("::1", "::1", "::1", "[::1]:8787", True),
        ("127.0.0.1", "127.0.0.1", "", "", False),
        ("", "127.0.0.1", "127.0.0.1", "localhost", False),
    ],
)
def test_callers_and_names(peer: str, local: str, bound: str, host: str, is_let_in: bool) -> None:
    refusal = check_request(peer, local, bound, {"host": host}, is_post=True)
    assert (refusal is None) == is_let_in


def test_on_an_address_of_ipv6(emulator: Emulator) -> None:
    with emulator.serve(host="::1") as server:
        assert server.page_url.startswith("http://[::1]:")
        assert Browser(server).press("advance", seconds=60).message == "The clock was moved forward."


def test_buttons_are_pressed_while_calls_come_in(emulator: Emulator, server: Server) -> None:
    statuses: list[int] = []

    def watch() -> None:
        for _ in range(5):
            statuses.append(Browser(server).press("delay-next", times=1, seconds=0).status)
            statuses.append(Browser(server).see("/live").status)

    def call() -> None:
        statuses.extend(Calls(emulator).text().status for _ in range(5))

    threads = [threading.Thread(target=each) for each in (watch, call, watch, call)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 30
    assert len(emulator.requests) == emulator.count("sources") == 10


def test_words() -> None:
    assert [
        format_age(timedelta(seconds=seconds)) for seconds in (-5, 0, 59, 60, 7199, 7200, 90_000, 10**6)
    ] == [
        "0 s",
        "0 s",
        "59 s",
        "1 min",
        "1 h",
        "2 h",
        "1 d",
        "11 d",
    ]
    assert [format_milliseconds(each) for each in (0.04, 12.345, 61234.5)] == ["0.0", "12.3", "61,234.5"]
    assert mask_secrets("a scripe_sk_live_0123456789abcdef, b") == "a scripe_sk_live_…cdef, b"
    assert mask_secrets("scripe_oauth_short whsec_0123456789abcdef") == "scripe_oauth_… whsec_…cdef"
    assert truncate("12345678901") == "12345678901"
    assert truncate("123456789012") == "1234567890…"
