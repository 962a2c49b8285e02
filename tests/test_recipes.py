"""The recipes, each in both worlds, against the emulator: what they make, and that a run every night makes it once."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi.testclient import TestClient

from examples import demo
from examples.recipes import (
    export_posts_to_csv,
    fastapi_service,
    fastapi_tenants,
    fill_knowledge_base,
    nightly_under_spend_cap,
    podcast_to_drafts,
    season,
    transcript_to_scheduled_post,
)
from scripe import (
    APIConnectionError,
    AsyncScripe,
    Job,
    JobFailedError,
    Ledger,
    LedgerConflictError,
    Scripe,
    ScripeError,
    SpendCapExceededError,
    TokenStoreError,
    UnprocessableEntityError,
    UnsettledWriteError,
    idempotency_key,
    oauth,
)
from scripe.emulator import Clock, Emulator
from scripe.types import Post
from tests.oauth.stores import brief_sql_store

FILES = Path(__file__).parents[1] / "examples" / "files"
WORLDS = pytest.mark.parametrize("world", ["sync", "async"])
NIGHT = timedelta(days=1, seconds=7)
"""From one run to the next: a little longer than the API remembers a key."""
TEXT = (FILES / "transcript.txt").read_text()
T = TypeVar("T")


def both(
    emulator: Emulator,
    world: str,
    use: Callable[[Scripe], T],
    use_async: Callable[[AsyncScripe], Awaitable[T]],
    *,
    ledger: Path | Ledger | None = None,
    max_retries: int = 2,
) -> T:
    async def in_async() -> T:
        async with emulator.async_client(max_retries=max_retries, ledger=ledger) as aclient:
            return await use_async(aclient)

    if world == "async":
        return asyncio.run(in_async())
    with emulator.client(max_retries=max_retries, ledger=ledger) as client:
        return use(client)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def schedule(emulator: Emulator, world: str, path: Path, text: str = TEXT, max_retries: int = 2) -> Post:
    """Run the recipe as a program does: the ledger is opened, and closed at the end."""
    recipe, now = transcript_to_scheduled_post, emulator.clock.now().astimezone(ZoneInfo("Europe/Berlin"))
    arguments = (emulator.project_id, text, now)
    return both(
        emulator,
        world,
        lambda client: recipe.schedule(client, *arguments),
        lambda client: recipe.schedule_async(client, *arguments),
        ledger=path,
        max_retries=max_retries,
    )


@WORLDS
def test_a_transcript_becomes_one_scheduled_post(emulator: Emulator, world: str, path: Path) -> None:
    posts: list[Post] = []
    for _ in range(9):
        posts.append(schedule(emulator, world, path))
        emulator.clock.advance(NIGHT)
    assert posts[0].status == "scheduled"
    assert posts[0].scheduled_at is not None
    assert posts[0].scheduled_at.astimezone(ZoneInfo("Europe/Berlin")).timetuple()[3:7] == (9, 0, 0, 3)
    assert {post.id for post in posts} == {posts[0].id}
    assert emulator.count("posts") == 1
    schedule(emulator, world, path, "Another one.")
    assert emulator.count("posts") == 2


@WORLDS
def test_a_transcript_whose_response_was_lost_is_sent_again_while_its_key_is_remembered(
    emulator: Emulator, world: str, path: Path
) -> None:
    emulator.drop_next(path="/posts/generations")
    with pytest.raises(APIConnectionError):
        schedule(emulator, world, path, max_retries=0)
    emulator.clock.advance(timedelta(hours=22))
    schedule(emulator, world, path)
    assert emulator.count("posts") == 1


@WORLDS
def test_a_transcript_that_may_have_arrived_days_ago_is_not_sent_again(
    emulator: Emulator, world: str, path: Path
) -> None:
    emulator.drop_next(path="/posts/generations")
    with pytest.raises(APIConnectionError):
        schedule(emulator, world, path, max_retries=0)
    emulator.clock.advance(NIGHT)
    with pytest.raises(UnsettledWriteError) as caught:
        schedule(emulator, world, path)
    assert len(caught.value.candidates) == 1
    assert emulator.count("posts") == 1


@WORLDS
def test_a_transcript_that_was_refused_is_sent_again_under_another_key(
    emulator: Emulator, world: str, path: Path
) -> None:
    emulator.fail_next(422, path="/posts/generations")
    with pytest.raises(UnprocessableEntityError):
        schedule(emulator, world, path)
    post = schedule(emulator, world, path)
    assert post.status == "scheduled"
    keys = {request.headers["Idempotency-Key"] for request in emulator.requests if request.method == "POST"}
    assert len(keys) == 2
    assert emulator.count("posts") == 1


def draft(emulator: Emulator, world: str, path: Path, recording: Path) -> list[Post]:
    recipe = podcast_to_drafts
    arguments = (emulator.project_id, recording)
    return both(
        emulator,
        world,
        lambda client: recipe.drafts(client, *arguments),
        lambda client: recipe.drafts_async(client, *arguments),
        ledger=path,
    )


@WORLDS
def test_a_podcast_becomes_three_drafts(
    emulator: Emulator, world: str, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Ledger(path).close()
    nights: list[list[str]] = []
    for _ in range(3):
        posts = draft(emulator, world, path, FILES / "memo.mp3")
        assert [post.status for post in posts] == ["draft"] * 3
        nights.append([post.id for post in posts])
        emulator.clock.advance(NIGHT)
    assert nights[1:] == [nights[0], nights[0]]
    assert (emulator.count("sources"), emulator.count("posts")) == (1, 3)
    assert "the drafts are written from" not in capsys.readouterr().err

    longer = tmp_path / "long.txt"
    longer.write_text("One more thing. " * 200)
    assert len(draft(emulator, world, path, longer)) == 3
    assert (emulator.count("sources"), emulator.count("posts")) == (2, 6)
    assert "long.txt: the drafts are written from only the first 2,000 characters;" in capsys.readouterr().err


@WORLDS
def test_a_podcast_goes_on_where_the_cap_ended_it(world: str, path: Path) -> None:
    with Emulator(plan="ADVANCED") as emulator:
        emulator.set_spend(2000 - 10 - 5)  # a source, and one post
        with pytest.raises(SpendCapExceededError) as caught:
            draft(emulator, world, path, FILES / "memo.mp3")
        assert caught.value.resets_at
        emulator.clock.advance(caught.value.resets_at - emulator.clock.now())
        assert len(draft(emulator, world, path, FILES / "memo.mp3")) == 3
        assert (emulator.count("sources"), emulator.count("posts")) == (1, 3)


def fill(emulator: Emulator, world: str, path: Path, folder: Path) -> list[Job]:
    recipe = fill_knowledge_base
    arguments = (folder, "https://example.com/about", "https://youtu.be/dQw4w9WgXcQ")
    return both(
        emulator,
        world,
        lambda client: recipe.fill(client, *arguments),
        lambda client: recipe.fill_async(client, *arguments),
        ledger=path,
    )


@WORLDS
def test_a_knowledge_base_is_filled(
    emulator: Emulator, world: str, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "brand"
    folder.mkdir()
    for name in ("transcript.txt", "report.pdf"):
        (folder / name).write_bytes((FILES / name).read_bytes())
    (folder / "odd.xyz").write_bytes(b"?")
    nights: list[list[Job]] = []
    for _ in range(3):
        nights.append(fill(emulator, world, path, folder))
        emulator.clock.advance(NIGHT)
    assert [job.type for job in nights[0]] == [
        "KB_INGEST_URL",
        "KB_INGEST_YOUTUBE",
        "KB_INGEST_FILE",
        "KB_INGEST_FILE",
    ]
    assert all(job.is_succeeded for jobs in nights for job in jobs)
    assert {tuple(job.id for job in jobs) for jobs in nights} == {tuple(job.id for job in nights[0])}
    assert len([line for line in capsys.readouterr().out.splitlines() if "odd.xyz" in line]) == 3
    (folder / "transcript.txt").write_text("Something new.")
    fill(emulator, world, path, folder)
    assert emulator.count("jobs") == 5


@WORLDS
def test_a_page_that_failed_does_not_stop_the_rest(
    emulator: Emulator, world: str, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "brand"
    folder.mkdir()
    with emulator.client(ledger=path) as client:
        page = "https://example.com/about"
        job = client.knowledge.create_url(url=page, idempotency_key=idempotency_key("page", page))
        emulator.fail(job.id)
        client.jobs.wait_all([job])
    assert [job.type for job in fill(emulator, world, path, folder)] == ["KB_INGEST_YOUTUBE"]
    assert "left out: https://example.com/about: " in capsys.readouterr().out


@WORLDS
def test_posts_are_exported(emulator: Emulator, world: str) -> None:
    with emulator.client() as client:
        for number in range(3):
            client.posts.create(
                project_id=emulator.project_id, title=f"Take {number}", content='Said "so",\nand left.'
            )
    file = io.StringIO()
    arguments = (emulator.project_id, file)
    recipe = export_posts_to_csv
    count = both(
        emulator, world, lambda c: recipe.export(c, *arguments), lambda c: recipe.export_async(c, *arguments)
    )
    assert count == 3
    assert file.getvalue().splitlines()[0] == "id,status,created_at,scheduled_at,title,content"
    assert file.getvalue().count('""so""') == 3


def run_night(
    emulator: Emulator, world: str, path: Path, max_retries: int = 2
) -> nightly_under_spend_cap.Night:
    recipe = nightly_under_spend_cap
    with Ledger(path) as ledger:
        arguments = (ledger, emulator.project_id, emulator.clock.now())
        return both(
            emulator,
            world,
            lambda client: recipe.run(client, *arguments),
            lambda client: recipe.run_async(client, *arguments),
            ledger=ledger,
            max_retries=max_retries,
        )


def make_notes(emulator: Emulator, count: int) -> None:
    with emulator.client() as client:
        for number in range(count):
            client.notes.create(project_id=emulator.project_id, content=f"Note {number}")


@WORLDS
def test_three_nights_make_one_post_of_each_note(emulator: Emulator, world: str, path: Path) -> None:
    make_notes(emulator, 5)
    for _ in range(3):
        assert run_night(emulator, world, path).left_out == []
        assert emulator.count("posts") == 5
        emulator.clock.advance(NIGHT)
    make_notes(emulator, 1)
    assert len(run_night(emulator, world, path).jobs) == 1
    assert emulator.count("posts") == 6


@WORLDS
def test_notes_that_are_done_cost_no_request(emulator: Emulator, world: str, path: Path) -> None:
    make_notes(emulator, 5)
    for _ in range(2):
        run_night(emulator, world, path)
    emulator.clear_requests()
    assert run_night(emulator, world, path).jobs == []
    assert [request.path for request in emulator.requests] == ["/notes"]


@WORLDS
def test_a_night_ends_at_the_cap_and_goes_on_after_midnight(world: str, path: Path) -> None:
    with Emulator(plan="ADVANCED") as emulator:
        make_notes(emulator, 5)
        emulator.set_spend(1988)
        night = run_night(emulator, world, path)
        assert [job.is_succeeded for job in night.jobs] == [True, True]
        assert night.go_on_at is not None
        assert emulator.clock.now() < night.go_on_at <= emulator.clock.now() + timedelta(days=1)
        run_night(emulator, world, path)
        assert emulator.count("posts") == 2
        emulator.clock.advance(night.go_on_at - emulator.clock.now())
        night = run_night(emulator, world, path)
        assert [job.is_succeeded for job in night.jobs] == [True] * 3
        assert night.go_on_at is None
        assert emulator.count("posts") == 5


@WORLDS
def test_a_cap_that_names_no_day_is_tried_again_a_day_later(
    emulator: Emulator, world: str, path: Path
) -> None:
    make_notes(emulator, 1)
    emulator.fail_next(402, code="spend_cap_exceeded", path="/posts/generations")
    began = emulator.clock.now()
    night = run_night(emulator, world, path)
    assert night.go_on_at is not None
    assert night.go_on_at - began >= timedelta(days=1)


@WORLDS
def test_a_night_that_was_cut_off_is_reported_and_not_doubled(
    emulator: Emulator, world: str, path: Path
) -> None:
    make_notes(emulator, 3)
    emulator.drop_next(path="/posts/generations")
    with pytest.raises(APIConnectionError):
        run_night(emulator, world, path, max_retries=0)
    emulator.clock.advance(NIGHT)
    night = run_night(emulator, world, path)
    assert len(night.jobs) == 2
    assert len(night.left_out) == 1
    assert emulator.count("posts") == 3


@WORLDS
def test_a_note_whose_job_failed_is_tried_again_the_next_night(
    emulator: Emulator, world: str, path: Path
) -> None:
    make_notes(emulator, 1)
    with emulator.client(ledger=path) as client:
        note = client.notes.list(project_id=emulator.project_id).first()
        assert note
        job = client.posts.generate(project_id=emulator.project_id, note_id=note.id, idempotency_key=note.id)
        emulator.fail(job.id)
        with pytest.raises(JobFailedError):
            client.jobs.wait(job)
    assert len(run_night(emulator, world, path).left_out) == 1
    emulator.clock.advance(NIGHT)
    assert len(run_night(emulator, world, path).jobs) == 1
    assert emulator.count("posts") == 1


class Season:
    """Twelve recordings, an emulator with a clock of its own, and a ledger that each run opens and closes."""

    def __init__(self, folder: Path, path: Path) -> None:
        clock = Clock(datetime(2026, 5, 1, 9, tzinfo=UTC), frozen=True)
        self.emulator = Emulator(clock=clock, plan="ADVANCED")
        self.path = path
        self.folder = folder
        self.folder.mkdir()
        for number in range(1, 13):
            words = f"What was said in episode {number}. Nobody works late on Fridays."
            (folder / f"ep{number:02}.txt").write_text(words)

    def run(self, max_retries: int = 2) -> list[list[str]]:
        """Return the calendar of one run."""
        first_day = datetime(2026, 5, 11, tzinfo=ZoneInfo("Europe/Berlin"))
        with self.emulator.client(ledger=self.path, max_retries=max_retries) as client:
            return list(season.make_season(client, self.emulator.project_id, self.folder, first_day))

    def fail(self, kind: type[ScripeError]) -> None:
        """Run it, and let it end with an error."""
        with pytest.raises(kind):
            self.run(max_retries=0)

    def made(self) -> tuple[int, int]:
        """Return how many sources and posts there are."""
        return self.emulator.count("sources"), self.emulator.count("posts")


def test_a_season_over_three_days_is_made_and_paid_for_once(tmp_path: Path, path: Path) -> None:
    recordings = Season(tmp_path / "recordings", path)
    emulator = recordings.emulator
    emulator.set_spend(2000 - 3 * 10 - 5 * 5)
    emulator.drop_next(path="/posts/generations")
    recordings.fail(APIConnectionError)
    emulator.clock.advance(timedelta(minutes=20))
    recordings.fail(SpendCapExceededError)
    assert recordings.made() == (3, 5)
    emulator.clock.advance(timedelta(days=1))
    emulator.drop_next(path="/sources")
    recordings.fail(APIConnectionError)
    emulator.clock.advance(timedelta(hours=2))
    calendar = recordings.run()
    assert recordings.made() == (12, 24)
    emulator.clock.advance(timedelta(days=1, hours=1))
    assert recordings.run() == calendar
    assert recordings.made() == (12, 24)
    assert emulator.count("jobs") == 36


def test_the_calendar_of_a_season_has_mondays_wednesdays_and_fridays_at_nine(
    tmp_path: Path, path: Path
) -> None:
    recordings = Season(tmp_path / "recordings", path)
    calendar = recordings.run()
    moments = [datetime.fromisoformat(row[0]).astimezone(ZoneInfo("Europe/Berlin")) for row in calendar]
    assert [f"{moment:%a %H:%M}" for moment in moments] == ["Mon 09:00", "Wed 09:00", "Fri 09:00"] * 8
    assert [row[1:3] for row in calendar[:3]] == [
        ["ep01.txt", "en"],
        ["ep01.txt", "de"],
        ["ep02.txt", "en"],
    ]


def test_a_season_that_is_killed_goes_on(tmp_path: Path, path: Path) -> None:
    """Run the file as a program over a port, kill it in the middle, and run it again."""
    folder = Season(tmp_path / "recordings", path).folder
    with Emulator(job_speed=1000) as emulator, emulator.serve() as server:
        words = [emulator.project_id, str(folder), "2027-01-04", str(path)]
        command = [sys.executable, "-m", "examples.recipes.season", *words]
        environment = {**os.environ, "SCRIPE_BASE_URL": server.base_url, "SCRIPE_API_KEY": server.api_key}
        root = FILES.parents[1]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=root) as process:
            while emulator.count("posts") < 3:
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, check=True)
        assert (emulator.count("sources"), emulator.count("posts")) == (12, 24)
    assert len(list(csv.reader(io.StringIO(done.stdout)))) == 24


def test_another_recording_under_an_old_name_is_refused(tmp_path: Path, path: Path) -> None:
    recordings = Season(tmp_path / "recordings", path)
    recordings.run()
    (recordings.folder / "ep03.txt").write_text("Another one.")
    recordings.fail(LedgerConflictError)
    assert recordings.made() == (12, 24)


@pytest.mark.parametrize("prefix", ["", "/blocking"])
@pytest.mark.parametrize("content_type", ["audio/mpeg", "application/octet-stream"])
def test_a_service_answers_with_the_job(emulator: Emulator, prefix: str, content_type: str) -> None:
    app = fastapi_service.create_app(emulator.async_client(), emulator.client())
    with TestClient(app) as service:
        where = f"{prefix}/projects/{emulator.project_id}/recordings"
        recording = (FILES / "memo.mp3").read_bytes()
        answer = service.post(where, files={"recording": ("memo.mp3", recording, content_type)})
        assert answer.status_code == 200
        job_id = answer.json()["job_id"]
        emulator.finish(job_id)
        assert service.get(f"/jobs/{job_id}").json()["source_id"].startswith("src_")
        assert service.get("/jobs/job_unknown").status_code == 404
        empty = service.post(where, files={"recording": ("memo.mp3", b"", "audio/mpeg")})
        assert (empty.status_code, empty.json()["code"]) == (400, "wrong_input")


class Tenants:
    """The service for tenants, with two uvicorn workers over one SQLite file, and an emulator on a port."""

    def __init__(self, emulator: Emulator, base_url: str, folder: Path) -> None:
        self.emulator = emulator
        self.database = folder / "tenants.db"
        self._log = folder / "uvicorn.log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        redirect_uri = f"http://127.0.0.1:{self._port}/callback"
        registration = oauth.register(
            client_name="Acme", redirect_uri=redirect_uri, issuer=base_url.removesuffix("/v1")
        )
        self._environment = {
            **os.environ,
            "SCRIPE_BASE_URL": base_url,
            "ACME_CLIENT_ID": registration.client_id,
            "ACME_REDIRECT_URI": redirect_uri,
            "ACME_DATABASE": f"sqlite:///{self.database}",
            "ACME_KEY": Fernet.generate_key().decode(),
        }

    def start(self) -> subprocess.Popen[bytes]:
        words = ["examples.recipes.fastapi_tenants:app", "--workers", "2", "--port", str(self._port)]
        command, root = [sys.executable, "-m", "uvicorn", *words], FILES.parents[1]
        with self._log.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment, cwd=root)
        while self.log().count("Application startup complete") < 2:
            assert process.poll() is None, self.log()
            time.sleep(0.05)
        return process

    def log(self) -> str:
        return self._log.read_text()

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self._port}", trust_env=False, timeout=60)

    def connect(self, browser: httpx.Client, **consent: Any) -> httpx.Response:
        """Press the button, decide at Scripe, and come back."""
        asked = browser.post("/connect")
        assert asked.status_code == 303
        return browser.get(self.emulator.oauth.consent(asked.headers["Location"], **consent))


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    folder = tmp_path_factory.mktemp("tenants")
    with Emulator() as emulator, emulator.serve() as server:
        tenants = Tenants(emulator, server.base_url, folder)
        with tenants.start() as process:
            yield tenants
            process.send_signal(signal.SIGINT)
    assert "Traceback" not in tenants.log()


def test_a_tenant_connects_calls_and_disconnects(tenants: Tenants) -> None:
    with tenants.browser() as browser:
        first = browser.get("/")
        assert (first.status_code, "to begin" in first.text) == (403, True)
        came_back = tenants.connect(browser)
        assert (came_back.status_code, came_back.headers["Location"]) == (303, "/")
        assert "Acme has these projects: " in browser.get("/").text

        tenants.emulator.oauth.revoke(tenants.emulator.oauth.users[0])
        over = browser.get("/")
        assert (over.status_code, "Connect again" in over.text) == (403, True)
        tenants.connect(browser)
        assert browser.get("/").status_code == 200

        assert browser.post("/disconnect").headers["Location"] == "/"
        assert "to begin" in browser.get("/").text


def test_two_workers_refresh_a_tenant_once(tenants: Tenants) -> None:
    assert len(set(re.findall(r"Started server process \[(\d+)\]", tenants.log()))) == 2
    with tenants.browser() as browser:
        tenants.connect(browser)
        cookies = dict(browser.cookies)
    tenants.emulator.oauth.expire_access_tokens()
    tenants.emulator.delay_next(
        0.5, path="/oauth/token"
    )  # long enough for both workers to find the token expired
    before = len(tenants.emulator.oauth.refreshes)

    def look(_: int) -> int:
        with tenants.browser() as other_tab:
            other_tab.cookies.update(cookies)
            return other_tab.get("/").status_code

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(look, range(32))) == {200}
    assert len(tenants.emulator.oauth.refreshes) == before + 1


def test_a_callback_works_in_the_browser_that_asked_alone(tenants: Tenants) -> None:
    with tenants.browser() as browser, tenants.browser() as other:
        asked = browser.post("/connect").headers["Location"]
        callback = tenants.emulator.oauth.consent(asked)
        stolen = other.get(callback)
        assert (stolen.status_code, "was not made" in stolen.text) == (400, True)
        assert browser.get(callback).status_code == 303
        assert browser.get(callback).status_code == 400


def test_a_tenant_who_does_not_allow_access_is_asked_again(tenants: Tenants) -> None:
    with tenants.browser() as browser:
        denied = tenants.connect(browser, allow=False)
        assert (denied.status_code, "did not allow" in denied.text) == (403, True)
        tenants.connect(browser)
        assert browser.get("/").status_code == 200


def test_tenants_are_kept_apart(tenants: Tenants) -> None:
    user = tenants.emulator.oauth.add_user("Bo", [tenants.emulator.create_workspace("Other")])
    with tenants.browser() as browser, tenants.browser() as other:
        tenants.connect(browser)
        tenants.connect(other, user=user)
        assert "Acme has" in browser.get("/").text
        assert "Other has" in other.get("/").text


def test_no_token_of_a_tenant_is_in_the_database(tenants: Tenants) -> None:
    with tenants.browser() as browser:
        tenants.connect(browser)
    with sqlite3.connect(tenants.database) as database:
        rows = database.execute("SELECT content FROM scripe_tokens").fetchall()
    database.close()
    assert rows
    assert [row for row in rows if "scripe_" in row[0]] == []


def encrypted_store(path: Path, key: bytes) -> fastapi_tenants.EncryptedTokenStore:
    return fastapi_tenants.EncryptedTokenStore(brief_sql_store(path), Fernet(key))


def test_a_record_under_another_name_or_key_is_refused(tmp_path: Path) -> None:
    path, key = tmp_path / "tenants.db", Fernet.generate_key()
    store = encrypted_store(path, key)
    store.save("login-a", oauth.TokenRecord("1", "content"))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE scripe_tokens SET name = 'login-b'")
    database.close()
    with pytest.raises(TokenStoreError):
        store.load("login-b")
    with pytest.raises(TokenStoreError):
        encrypted_store(path, Fernet.generate_key()).load("login-b")


def test_the_demo_makes_a_post_with_each_client(capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator(job_speed=100) as emulator, emulator.serve() as server:
        demo.with_both(server.api_key, server.base_url)
        assert (emulator.count("sources"), emulator.count("posts")) == (10, 2)
    printed = capsys.readouterr().out
    assert printed.count("A post written from transcript.txt (draft):\n    Weekly product call") == 2
    assert printed.count("What is your take?") == 2


def test_cells_of_the_podcast_season_that_run_again_make_nothing_twice() -> None:
    notebook = json.loads((FILES.parent / "notebooks" / "podcast_season.ipynb").read_text())
    cells = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"}
    space: dict[str, Any] = {}
    for name in ("cell-01", "cell-03"):
        exec(cells[name], space)
    emulator = space["emulator"]
    for _ in range(3):
        for name in ("cell-05", "cell-08", "cell-11"):
            exec(cells[name], space)
        emulator.clock.advance(NIGHT)
    assert (emulator.count("sources"), emulator.count("posts")) == (3, 9)
    space["client"].close()
    emulator.close()
    space["folder"].cleanup()
