"""Bulk runs: each content once, whatever ends a run; what cannot be sent is reported; limits are kept."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripe import (
    APIConnectionError,
    AsyncScripe,
    AuthenticationError,
    BulkReport,
    FilesFailedError,
    InvalidArgumentError,
    Ledger,
    LedgerError,
    NotFoundError,
    PermissionDeniedError,
)
from scripe._bulk_files import BulkFiles
from scripe._core.bulk import CapReached, RunControl, RunStopped
from scripe._core.request import Request
from scripe._ledger import store_of
from scripe.emulator import Clock, Emulator, Response
from scripe.emulator import Request as EmulatedRequest
from scripe.types import BulkFile, BulkFileStatus, BulkPlan, BulkProgress, CurrentWorkspace, Note

pytestmark = pytest.mark.anyio

BEGIN = datetime(2026, 5, 1, 23, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 2, tzinfo=UTC)


class AsyncArchive:
    """An emulator with a frozen clock, a folder of files, and clients: each as of a program of its own."""

    def __init__(self, folder: Path, *, job_retention: float | None = None, run_seconds: float = 60) -> None:
        self.emulator = Emulator(
            clock=Clock(BEGIN, frozen=True),
            shared_limit=120,
            job_retention=job_retention,
            run_seconds=run_seconds,
        )
        self.project_id = self.emulator.project_id
        self.folder = folder / "files"
        self.folder.mkdir()
        self.ledger = folder / "import.db"

    def add_files(self, count: int, prefix: str = "episode") -> list[Path]:
        """Write some files, each with a content of its own."""
        paths = [self.folder / f"{prefix}{number:04}.txt" for number in range(count)]
        for path in paths:
            path.write_text(f"What was said in {path.stem}.")
        return paths

    async def ingest(self, files: Any = None, **options: Any) -> BulkReport:
        """Run a program that imports the folder."""
        async with self.emulator.async_client(max_retries=0) as client:
            return await self.ingest_with(client, files, **options)

    async def ingest_with(self, client: AsyncScripe, files: Any = None, **options: Any) -> BulkReport:
        defaults: dict[str, Any] = {"project_id": self.project_id, "ledger": self.ledger}
        files = self.folder if files is None else files
        return await client.bulk.ingest(files, **{**defaults, **options})

    async def plan(self, files: Any = None, **options: Any) -> BulkPlan:
        """Run a program that plans the import of the folder."""
        async with self.emulator.async_client(max_retries=0) as client:
            files = self.folder if files is None else files
            options = {"project_id": self.project_id, **options}
            return await client.bulk.plan(files, **options)

    async def retry(self, **options: Any) -> BulkReport:
        """Run a program that tries again what has failed."""
        async with self.emulator.async_client(max_retries=0) as client:
            return await client.bulk.retry(self.ledger, **options)

    async def only_problem(self, files: Any = None) -> BulkFileStatus:
        """Import files, and return the only one that is not done."""
        (problem,) = (await self.ingest(files)).problems()
        return problem

    def requests(self) -> Counter[str]:
        """Count the requests by route."""
        return Counter(
            f"{request.method} {request.path.partition('?')[0]}"
            for request in self.emulator.requests
            if request.method != "PUT"
        )


@pytest.fixture
def async_archive(tmp_path: Path) -> AsyncArchive:
    return AsyncArchive(tmp_path)


# Each content once


async def test_each_file_becomes_a_source_in_the_project(async_archive: AsyncArchive) -> None:
    async_archive.add_files(12)
    report = await async_archive.ingest()
    assert report.states == {"done": 12}
    assert report.is_complete
    assert async_archive.emulator.count("sources") == 12
    report.raise_for_failures()


async def test_a_source_has_the_name_of_its_file(async_archive: AsyncArchive) -> None:
    (path,) = async_archive.add_files(1)
    await async_archive.ingest(path)
    async_archive.emulator.assert_sent(
        "POST", "/sources", json={"name": path.name, "projectId": async_archive.project_id}
    )


async def test_a_name_and_a_type_of_ones_own_are_sent(async_archive: AsyncArchive) -> None:
    path = async_archive.folder / "notes.unusual"
    path.write_text("Words.")
    await async_archive.ingest([BulkFile(path, name="Notes", content_type="text/plain")])
    async_archive.emulator.assert_sent("POST", "/sources", json={"name": "Notes"})
    async_archive.emulator.assert_sent("POST", "/uploads", json={"contentType": "text/plain"})


async def test_a_rerun_sends_nothing(async_archive: AsyncArchive) -> None:
    async_archive.add_files(5)
    await async_archive.ingest()
    async_archive.emulator.clock.advance(timedelta(days=40))
    async_archive.emulator.clear_requests()
    assert (await async_archive.ingest()).states == {"done": 5}
    assert async_archive.requests() == {"GET /workspaces/me": 1}


async def test_a_run_sends_two_requests_for_each_file_and_few_besides(async_archive: AsyncArchive) -> None:
    async_archive.add_files(150)
    await async_archive.ingest()
    requests = async_archive.requests()
    assert requests["POST /uploads"] == requests["POST /sources"] == 150
    assert requests.total() <= 2 * 150 + 2 + 60


async def test_files_with_one_content_make_one_source(async_archive: AsyncArchive) -> None:
    first, second = async_archive.add_files(2)
    second.write_bytes(first.read_bytes())
    report = await async_archive.ingest()
    assert report.states == {"done": 2}
    assert report.duplicate_count == 1
    (duplicate,) = report.duplicates()
    assert (duplicate.path, duplicate.same_as) == (str(second), str(first))
    assert async_archive.requests()["POST /sources"] == 1


async def test_files_with_one_content_make_one_source_after_a_stop(async_archive: AsyncArchive) -> None:
    first, *others = async_archive.add_files(6)
    for path in others:
        path.write_bytes(first.read_bytes())
    async_archive.emulator.set_spend_remaining(0)
    await async_archive.ingest(at_spend_cap="stop")
    async_archive.emulator.clock.advance(timedelta(days=1))
    async_archive.emulator.clear_requests()
    assert (await async_archive.ingest()).states == {"done": 6}
    assert async_archive.emulator.count("jobs") == 1
    async_archive.emulator.assert_nothing_sent("GET", "/jobs/*")  # no worker has waited for another one


async def test_many_files_with_one_content_cost_no_more_than_one(async_archive: AsyncArchive) -> None:
    for path in async_archive.add_files(30):
        path.write_text("The same words.")
    assert (await async_archive.ingest()).states == {"done": 30}
    assert async_archive.requests()["POST /uploads"] == 1
    async_archive.emulator.assert_nothing_sent("GET", "/jobs/*")


async def test_a_renamed_file_is_not_sent_again(async_archive: AsyncArchive) -> None:
    (path,) = async_archive.add_files(1)
    await async_archive.ingest()
    path.rename(path.with_name("other.txt"))
    assert (await async_archive.ingest()).states == {"done": 1}
    assert async_archive.requests()["POST /sources"] == 1


async def test_a_changed_file_is_sent_again(async_archive: AsyncArchive) -> None:
    (path,) = async_archive.add_files(1)
    await async_archive.ingest()
    path.write_text("Something else altogether.")
    await async_archive.ingest()
    assert async_archive.requests()["POST /sources"] == 2


async def test_a_file_with_the_same_size_time_and_inode_is_not_read_again(
    async_archive: AsyncArchive,
) -> None:
    (path,) = async_archive.add_files(1)
    await async_archive.ingest()
    status, text = path.stat(), path.read_text()
    path.write_text(text.upper())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    await async_archive.ingest()
    assert async_archive.requests()["POST /sources"] == 1


async def test_the_ledger_of_the_client_is_the_default(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async with async_archive.emulator.async_client(ledger=async_archive.ledger) as client:
        report = await client.bulk.ingest(async_archive.folder, project_id=async_archive.project_id)
        assert report.ledger == async_archive.ledger
        assert client.ledger is not None
        assert len(list(client.ledger.items(state="done"))) == 1


@pytest.mark.parametrize("path", ["/uploads", "/sources", "/_storage"])
async def test_a_lost_response_makes_nothing_twice(async_archive: AsyncArchive, path: str) -> None:
    async_archive.add_files(3)
    async_archive.emulator.drop_next(2, path=path)
    assert (await async_archive.ingest()).states == {"done": 3}
    assert async_archive.emulator.count("sources") == 3


async def test_what_was_lost_yesterday_is_settled(async_archive: AsyncArchive) -> None:
    async_archive.add_files(30)
    async_archive.emulator.drop_next(100, path="/sources")
    with pytest.raises(APIConnectionError):
        await async_archive.ingest(concurrency=1)
    async_archive.emulator.clear_faults()
    async_archive.emulator.clock.advance(timedelta(hours=25))
    await async_archive.ingest()
    assert async_archive.emulator.count("jobs") <= 30


# Files that cannot be sent


def make_empty(folder: Path) -> Path:
    path = folder / "a.mp3"
    path.touch()
    return path


def make_unknown(folder: Path) -> Path:
    path = folder / "a.zzz"
    path.write_text("Words.")
    return path


def make_pipe(folder: Path) -> Path:
    path = folder / "a.mp3"
    os.mkfifo(path)
    return path


def make_socket(folder: Path) -> Path:
    path = folder / "a.mp3"
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.mp3")
    return path


def make_loop(folder: Path) -> Path:
    path = folder / "a.mp3"
    path.symlink_to(path)
    return path


def make_nameless(folder: Path) -> Path:
    path = folder / os.fsdecode(b"\xff.mp3")
    path.write_text("Words.")
    return path


def make_dead_link(folder: Path) -> Path:
    path = folder / "a.mp3"
    path.symlink_to("nowhere.mp3")
    return path


CODES: dict[Callable[[Path], Path], str] = {
    make_empty: "empty",
    make_unknown: "unknown_type",
    make_pipe: "not_a_file",
    make_socket: "not_a_file",
    make_loop: "unreadable",
    make_nameless: "name_not_text",
    make_dead_link: "missing",
}


@pytest.mark.parametrize("make", CODES)
async def test_a_file_that_cannot_be_sent_is_reported(
    async_archive: AsyncArchive, make: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(async_archive.folder)
    async_archive.add_files(2)
    make(async_archive.folder)
    report = await async_archive.ingest()
    assert report.states == {"done": 2, "refused": 1}
    (problem,) = report.problems()
    assert problem.code == CODES[make]
    assert problem.reason


async def test_a_folder_in_place_of_a_file_is_reported(async_archive: AsyncArchive) -> None:
    problem = await async_archive.only_problem([BulkFile(async_archive.folder)])
    assert problem.code == "unreadable"


async def test_a_pattern_that_matches_nothing_is_reported(async_archive: AsyncArchive) -> None:
    assert (await async_archive.only_problem(str(async_archive.folder / "*.mp3"))).code == "missing"


async def test_a_file_that_vanishes_before_its_upload_is_reported(async_archive: AsyncArchive) -> None:
    path, _ = async_archive.add_files(2)

    def name_and_delete() -> Iterator[Path]:
        yield from (path, async_archive.folder / "episode0001.txt")
        path.unlink()

    problem = await async_archive.only_problem(name_and_delete())
    assert (problem.path, problem.state, problem.code) == (str(path), "refused", "missing")


async def test_a_file_that_changes_before_its_upload_is_sent_as_it_is_then(
    async_archive: AsyncArchive,
) -> None:
    (path,) = async_archive.add_files(1)

    def name_and_change() -> Iterator[Path]:
        yield path
        path.write_text("It was written again, and is longer now.")

    report = await async_archive.ingest(name_and_change())
    assert report.is_complete
    assert (await async_archive.plan(ledger=async_archive.ledger)).done == 1


async def test_a_refused_file_is_reported_with_its_request(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async_archive.emulator.fail_next(422, method="POST", path="/sources", message="No words in it.")
    report = await async_archive.ingest()
    (problem,) = report.problems()
    assert (problem.state, problem.code) == ("refused", "unprocessable")
    assert problem.reason is not None
    assert "No words in it." in problem.reason
    assert problem.request_id is not None
    assert problem.request_id in str(report)


async def test_a_file_that_is_too_large_is_refused_after_its_link_was_made(
    async_archive: AsyncArchive,
) -> None:
    (path,) = async_archive.add_files(1)
    os.truncate(path, 26 * 1024 * 1024)  # the emulator takes 25 MB of text
    problem = await async_archive.only_problem()
    assert (problem.state, problem.code) == ("refused", "too_large")
    assert async_archive.requests()["POST /uploads"] == 1
    await async_archive.ingest()
    assert async_archive.requests()["POST /uploads"] == 1


async def test_only_retry_tries_a_refused_file_again(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async_archive.emulator.fail_next(422, method="POST", path="/uploads")
    await async_archive.ingest()
    assert (await async_archive.ingest()).states == {"refused": 1}
    assert async_archive.requests()["POST /uploads"] == 1
    assert (await async_archive.retry()).states == {"done": 1}


async def test_only_retry_tries_a_failed_job_again(async_archive: AsyncArchive) -> None:
    (async_archive.folder / "noise.mp3").write_bytes(b"This is no recording.")
    report = await async_archive.ingest()
    assert report.states == {"failed": 1}
    (problem,) = report.problems()
    assert problem.code == "UNREADABLE_FILE"
    assert (await async_archive.ingest()).states == {"failed": 1}
    assert async_archive.requests()["POST /sources"] == 1
    await async_archive.retry()
    assert async_archive.requests()["POST /sources"] == 2


@pytest.mark.parametrize(("code", "left"), [("empty", 1), ("unprocessable", 1), ("other", 0), (None, 2)])
async def test_retry_can_be_limited_to_a_code(
    async_archive: AsyncArchive, code: str | None, left: int
) -> None:
    async_archive.add_files(1)
    make_empty(async_archive.folder)
    async_archive.emulator.fail_next(422, method="POST", path="/sources")
    await async_archive.ingest()
    assert (await async_archive.retry(code=code)).files == left


async def test_retry_needs_to_know_the_project(async_archive: AsyncArchive) -> None:
    with pytest.raises(InvalidArgumentError):
        await async_archive.retry()


async def test_a_failure_that_passes_is_tried_again(async_archive: AsyncArchive) -> None:
    async_archive.add_files(3)
    async_archive.emulator.fail_next(503, times=4, method="POST")
    assert (await async_archive.ingest()).is_complete


async def test_the_run_stops_if_its_first_files_all_fail_alike(async_archive: AsyncArchive) -> None:
    for path in async_archive.add_files(30):
        path.rename(path.with_suffix(".mp3"))
    with pytest.raises(FilesFailedError):
        await async_archive.ingest()


async def test_the_run_goes_on_if_some_of_the_first_files_are_done(async_archive: AsyncArchive) -> None:
    for path in async_archive.add_files(40)[::2]:
        path.rename(path.with_suffix(".mp3"))
    assert (await async_archive.ingest()).states == {"done": 20, "failed": 20}


async def test_a_report_names_the_first_files_that_are_not_done(async_archive: AsyncArchive) -> None:
    for path in async_archive.add_files(25):
        path.write_text("")
    report = await async_archive.ingest()
    text = str(report)
    assert text.startswith("25 files: 25 refused")
    assert "episode0019.txt: refused, empty: It is empty." in text
    assert "episode0020.txt" not in text
    assert "and 5 more" in text
    html = report._repr_html_()  # pyright: ignore[reportPrivateUsage] - as a notebook does
    assert "episode0019.txt" in html
    assert "episode0020.txt" not in html
    assert repr(report) == "<BulkReport: 25 files: 25 refused>"


async def test_a_report_of_nothing_says_so(async_archive: AsyncArchive) -> None:
    report = await async_archive.ingest()
    assert str(report) == "0 files: nothing to do"
    html = report._repr_html_()  # pyright: ignore[reportPrivateUsage] - as a notebook does
    assert "<th" not in html


async def test_a_report_says_how_to_go_on(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async_archive.emulator.set_spend_remaining(0)
    report = await async_archive.ingest(at_spend_cap="stop")
    assert "The spend cap is reached until 2026-05-02 00:00 UTC." in str(report)


async def test_a_report_of_a_run_that_was_cut_off_says_how_to_go_on(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async_archive.emulator.drop_next(10_000, path="/uploads")
    with pytest.raises(APIConnectionError):
        await async_archive.ingest()
    with Ledger(async_archive.ledger) as ledger:
        report = BulkReport(BulkFiles(store_of(ledger), async_archive.project_id), None)
    assert "The same call goes on where this one ended." in str(report)


async def test_a_file_that_may_not_be_read_is_reported(
    async_archive: AsyncArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = async_archive.add_files(1)
    is_allowed = os.access

    def is_other_and_allowed(name: str, mode: int) -> bool:
        return name != str(path) and is_allowed(name, mode)

    monkeypatch.setattr(os, "access", is_other_and_allowed)
    assert (await async_archive.only_problem()).code == "unreadable"


async def test_a_folder_that_may_not_be_listed_is_reported(
    async_archive: AsyncArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async_archive.add_files(1)
    inner = async_archive.folder / "inner"
    inner.mkdir()
    list_folder = os.scandir

    def refuse_inner(path: str) -> object:
        if path == str(inner):
            raise PermissionError(13, "Permission denied", path)
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse_inner)
    problem = await async_archive.only_problem()
    assert (problem.path, problem.code) == (str(inner), "unreadable")


async def test_more_than_a_thousand_files_are_added(async_archive: AsyncArchive) -> None:
    report = await async_archive.ingest(async_archive.folder / f"{number}.zzz" for number in range(2500))
    assert report.states == {"refused": 2500}
    assert len(report.to_records()) == 2500
    plan = await async_archive.plan(async_archive.folder / f"{number}.zzz" for number in range(1500))
    assert plan.left_out == {"missing": 1500}


async def test_a_report_that_is_not_complete_raises_if_asked_to(async_archive: AsyncArchive) -> None:
    make_empty(async_archive.folder)
    report = await async_archive.ingest()
    with pytest.raises(FilesFailedError):
        report.raise_for_failures()
    (record,) = report.to_records()
    assert record["code"] == "empty"


EMPTY_LIST = b'{"data":[],"pagination":{"nextCursor":null,"hasMore":false}}'


async def test_a_job_that_the_list_does_not_show_is_retrieved(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async_archive.emulator.fail_next(200, times=7, method="GET", path="/jobs", body=EMPTY_LIST)
    assert (await async_archive.ingest()).is_complete
    async_archive.emulator.assert_sent("GET", "/jobs/*", times=1)


async def test_a_job_that_the_api_has_forgotten_is_unknown(tmp_path: Path) -> None:
    async_archive = AsyncArchive(tmp_path, job_retention=1 / 1440, run_seconds=600)
    async_archive.add_files(1)
    report = await async_archive.ingest()
    assert report.states == {"unknown": 1}
    assert "ledger.settle" in str(report)


async def test_a_write_of_which_nothing_proves_what_came_is_left_to_a_person(
    async_archive: AsyncArchive,
) -> None:
    async_archive.add_files(1)
    async_archive.emulator.drop_next(10_000, before=True, path="/sources")
    with pytest.raises(APIConnectionError):
        await async_archive.ingest()
    async_archive.emulator.clear_faults()
    async with async_archive.emulator.async_client() as client:
        await client.sources.ingest(b"Else.", project_id=async_archive.project_id, name="else.txt")
    async_archive.emulator.clock.advance(timedelta(hours=25))
    assert (await async_archive.ingest()).states == {"unknown": 1}


async def test_a_list_of_jobs_is_read_page_by_page(async_archive: AsyncArchive) -> None:
    async_archive.add_files(2)
    async with async_archive.emulator.async_client() as client:

        async def make_more(progress: BulkProgress) -> None:
            if "submitted" in progress.states and async_archive.emulator.count("jobs") < 300:
                async_archive.emulator.seed(jobs=300)

        assert (await async_archive.ingest_with(client, on_update=make_more)).is_complete


# The spend cap


async def test_the_run_waits_for_the_reset_of_the_spend_cap(async_archive: AsyncArchive) -> None:
    async_archive.add_files(20)
    async_archive.emulator.set_spend_remaining(15)
    assert (await async_archive.ingest()).is_complete
    assert async_archive.emulator.clock.now() >= MIDNIGHT
    assert async_archive.emulator.count("jobs") == 20


async def test_the_run_stops_at_the_spend_cap_and_goes_on_the_next_day(async_archive: AsyncArchive) -> None:
    async_archive.add_files(20)
    async_archive.emulator.set_spend_remaining(15)
    report = await async_archive.ingest(at_spend_cap="stop")
    assert report.cap_resets_at == MIDNIGHT
    assert not report.is_complete
    assert async_archive.emulator.clock.now() < MIDNIGHT
    async_archive.emulator.clock.advance(timedelta(days=1))
    assert (await async_archive.ingest(at_spend_cap="stop")).is_complete
    assert async_archive.emulator.count("jobs") == 20


async def test_a_file_that_met_the_spend_cap_is_not_uploaded_again(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async_archive.emulator.set_spend_remaining(0)
    await async_archive.ingest()
    assert async_archive.requests()["POST /uploads"] == 1
    assert async_archive.requests()["POST /sources"] == 2


async def test_the_plan_knows_the_price_that_the_api_named(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async_archive.emulator.set_spend_remaining(0)
    await async_archive.ingest(at_spend_cap="stop")
    plan = await async_archive.plan(ledger=async_archive.ledger)
    assert (plan.cents_per_file, plan.cap_cents, plan.priced_files) == ((10, 10), 5_000, 1)


async def test_nothing_is_sent_after_a_stop_and_no_write_at_the_spend_cap(
    async_archive: AsyncArchive,
) -> None:
    control = RunControl(rate_limit_share=0.8, stop_at_cap=False, workers=1)
    async with async_archive.emulator.async_client(ledger=async_archive.ledger) as client:
        assert client.ledger is not None
        bulk_sender = client.bulk._sender.with_control(control, client.ledger)  # pyright: ignore[reportPrivateUsage]
        write = Request("POST", "/notes", Note, body=b"{}")
        control.reach_cap(MIDNIGHT, 0)
        with pytest.raises(CapReached):
            await bulk_sender.send(write)
        control.stop()
        with pytest.raises(RunStopped):
            await bulk_sender.send(Request("GET", "/workspaces/me", CurrentWorkspace))
    async_archive.emulator.assert_nothing_sent()


# The rate limit


# With the smallest share, one call of each of three kinds; each may come twice, near both ends of a minute.
@pytest.mark.parametrize(("share", "most"), [(0.8, 96), (0.25, 30), (0.001, 4)])
async def test_the_share_of_the_rate_limit_is_kept(
    async_archive: AsyncArchive, share: float, most: int
) -> None:
    async_archive.add_files(max(3, most // 2 + 20))
    await async_archive.ingest(rate_limit_share=share, concurrency=1)
    windows = Counter(
        int((request.received_at - BEGIN).total_seconds() // 60)
        for request in async_archive.emulator.requests
        if request.method != "PUT"
    )
    assert max(windows.values()) <= most + 2  # the first two responses tell the limit


async def test_a_client_without_a_rate_limiter_can_import(async_archive: AsyncArchive) -> None:
    async_archive.add_files(2)
    async with async_archive.emulator.async_client(rate_limiter=None) as client:
        assert (await async_archive.ingest_with(client)).is_complete


# What stops the run for all


async def test_a_revoked_api_key_stops_the_run(async_archive: AsyncArchive) -> None:
    async_archive.add_files(30)
    async with async_archive.emulator.async_client(async_archive.emulator.create_key()) as client:
        await client.workspaces.me()
        async_archive.emulator.fail_next(401, "key_revoked", times=100, path="/sources")
        with pytest.raises(AuthenticationError):
            await async_archive.ingest_with(client)
    async_archive.emulator.clear_faults()
    assert (await async_archive.ingest()).is_complete


async def test_a_missing_scope_stops_the_run(async_archive: AsyncArchive) -> None:
    async_archive.add_files(3)
    api_key = async_archive.emulator.create_key(scopes=["notes:read"])
    async with async_archive.emulator.async_client(api_key) as client:
        with pytest.raises(PermissionDeniedError):
            await async_archive.ingest_with(client)
    assert (await async_archive.ingest()).is_complete


async def test_a_project_that_is_gone_stops_the_run(async_archive: AsyncArchive) -> None:
    async_archive.add_files(3)
    with pytest.raises(NotFoundError):
        await async_archive.ingest(project_id="proj_0000000000000000")


async def test_an_outage_of_a_quarter_of_an_hour_stops_the_run(async_archive: AsyncArchive) -> None:
    async_archive.add_files(3)
    async_archive.emulator.drop_next(100_000, before=True, path="/uploads")
    with pytest.raises(APIConnectionError):
        await async_archive.ingest()
    assert async_archive.emulator.clock.now() >= BEGIN + timedelta(minutes=15)


async def test_the_list_of_jobs_may_fail_for_a_while(async_archive: AsyncArchive) -> None:
    async_archive.add_files(3)
    async_archive.emulator.fail_next(503, times=3, path="/jobs")
    assert (await async_archive.ingest()).is_complete


async def test_two_failures_that_lie_far_apart_are_no_outage(tmp_path: Path) -> None:
    async_archive = AsyncArchive(tmp_path, run_seconds=1600)
    async_archive.add_files(1)
    looks = 0

    def fail_sometimes(request: EmulatedRequest, response: Response) -> None:
        nonlocal looks
        looks += request.path == "/jobs"
        if looks in (1, 19) and request.path == "/jobs":
            async_archive.emulator.fail_next(503, path="/jobs")

    async_archive.emulator.add_observer(fail_sometimes)
    assert (await async_archive.ingest()).is_complete


async def test_the_list_of_jobs_may_not_fail_for_good(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    async_archive.emulator.fail_next(401, times=100, path="/jobs")
    with pytest.raises(AuthenticationError):
        await async_archive.ingest()


async def test_a_ledger_of_another_workspace_is_refused(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    await async_archive.ingest()
    other = async_archive.emulator.create_workspace()
    api_key = async_archive.emulator.create_key(workspace_id=other)
    async with async_archive.emulator.async_client(api_key) as client:
        with pytest.raises(LedgerError):
            await async_archive.ingest_with(client)


async def test_two_runs_with_one_ledger_are_refused(async_archive: AsyncArchive) -> None:
    with Ledger(async_archive.ledger) as ledger:
        store_of(ledger).lock_run()
        with pytest.raises(LedgerError):
            await async_archive.ingest()
        store_of(ledger).unlock_run()
        assert (await async_archive.ingest()).files == 0


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0},
        {"concurrency": 101},
        {"rate_limit_share": 0},
        {"rate_limit_share": 1.5},
        {"at_spend_cap": "pay"},
        {"project_id": ""},
    ],
    ids=str,
)
async def test_a_wrong_option_is_refused(async_archive: AsyncArchive, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError):
        await async_archive.ingest(**options)
    assert not async_archive.ledger.exists()


@pytest.mark.parametrize("files", [7, b"a.mp3", [7]], ids=str)
async def test_what_names_no_files_is_refused(async_archive: AsyncArchive, files: object) -> None:
    with pytest.raises(InvalidArgumentError):
        await async_archive.ingest(files)


async def test_a_run_needs_a_ledger(async_archive: AsyncArchive) -> None:
    with pytest.raises(InvalidArgumentError):
        await async_archive.ingest(ledger=None)


# Which files


async def test_folders_are_walked_and_links_to_folders_are_not(async_archive: AsyncArchive) -> None:
    async_archive.add_files(1)
    inner = async_archive.folder / "2025"
    inner.mkdir()
    (inner / "first.txt").write_text("The first.")
    elsewhere = async_archive.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "second.txt").write_text("The second.")
    (elsewhere / "third.txt").write_text("The third.")
    (async_archive.folder / "linked").symlink_to(elsewhere)
    (async_archive.folder / "linked.txt").symlink_to(elsewhere / "third.txt")
    assert (await async_archive.ingest()).states == {"done": 3}


@pytest.mark.parametrize(
    ("files", "count"),
    [("*.txt", 3), ("**/*1.txt", 1), ("episode0002.txt", 1), ("", 3)],
    ids=["pattern", "pattern of all folders", "file", "folder"],
)
async def test_files_can_be_named_in_several_ways(
    async_archive: AsyncArchive, files: str, count: int
) -> None:
    async_archive.add_files(3)
    (async_archive.folder / "folder.txt").mkdir()
    report = await async_archive.ingest(str(async_archive.folder / files))
    assert report.files == count


async def test_an_iterator_is_read_once_and_lazily(async_archive: AsyncArchive) -> None:
    paths = async_archive.add_files(3)
    assert (await async_archive.ingest(path for path in paths)).is_complete


# What is told


async def test_updates_count_what_the_ledger_knows(async_archive: AsyncArchive) -> None:
    async_archive.add_files(60)
    updates: list[BulkProgress] = []
    await async_archive.ingest(on_update=updates.append)
    last = updates[-1]
    assert last.states == {"done": 60}
    assert (last.files, last.bytes_sent) == (60, last.bytes_total)
    assert all(sum(update.states.values()) == 60 for update in updates)
    assert all(update.bytes_sent <= update.bytes_total for update in updates)


async def test_a_plan_sends_one_request_and_makes_no_ledger(async_archive: AsyncArchive) -> None:
    async_archive.add_files(4)
    plan = await async_archive.plan(ledger=async_archive.ledger)
    assert (plan.files, plan.folders, plan.ledger, plan.done) == (4, 1, None, 0)
    assert async_archive.requests() == {"GET /workspaces/me": 1}
    assert not async_archive.ledger.exists()
    assert [path.name for path in async_archive.folder.parent.iterdir()] == ["files"]


async def test_a_plan_counts_what_is_left_out(async_archive: AsyncArchive) -> None:
    first, second, _ = async_archive.add_files(3)
    second.write_bytes(first.read_bytes())
    make_empty(async_archive.folder)
    make_unknown(async_archive.folder)
    plan = await async_archive.plan()
    assert plan.left_out == {"duplicate": 1, "empty": 1, "unknown_type": 1}
    assert plan.types == {"text/plain": (2, plan.size)}


async def test_a_plan_leaves_out_what_cannot_be_read(
    async_archive: AsyncArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = async_archive.add_files(2)

    def name_and_delete() -> Iterator[Path]:
        yield first
        yield second
        second.unlink()

    plan = await async_archive.plan(name_and_delete())
    assert plan.left_out == {"unreadable": 1}
    assert plan.files == 1


async def test_a_plan_says_in_words_what_decides(async_archive: AsyncArchive) -> None:
    async_archive.add_files(300)
    make_empty(async_archive.folder)
    async_archive.emulator.set_plan("ADVANCED")
    text = str(await async_archive.plan(ledger=async_archive.ledger))
    assert text.splitlines()[0] == (
        f"300 files, 8.7 kB in 1 folder -> sources of {async_archive.project_id} in “Acme”   (ledger: none yet)"
    )
    assert "1 more is left out: 1 empty" in text
    assert (
        "ADVANCED, 2,000 cents a day: 1 to 2 days at 1 to 10 cents a file; the first day tells    <- this decides"
        in text
    )
    assert text.splitlines()[-1] == "Nothing was sent but GET /workspaces/me."


async def test_a_plan_of_files_that_are_done_has_nothing_to_do(async_archive: AsyncArchive) -> None:
    async_archive.add_files(3)
    await async_archive.ingest()
    with Ledger(async_archive.ledger) as ledger:
        plan = await async_archive.plan(ledger=ledger)
    assert (plan.files, plan.done, plan.requests) == (0, 3, 0)
    assert "3 more are done already, or being worked on" in str(plan)
    assert plan.ledger == str(async_archive.ledger)


@pytest.mark.parametrize(
    ("plan_name", "cap"), [("BUSINESS", 5_000), ("ADVANCED", 2_000), ("ENTERPRISE", None)]
)
async def test_a_plan_knows_the_spend_cap(
    async_archive: AsyncArchive, plan_name: str, cap: int | None
) -> None:
    async_archive.add_files(1)
    async_archive.emulator.set_plan(plan_name)  # type: ignore[arg-type]
    plan = await async_archive.plan()
    assert plan.cap_cents == cap
    assert str(plan).count("\n") == 5


async def test_a_run_can_show_its_progress(
    async_archive: AsyncArchive, capsys: pytest.CaptureFixture[str]
) -> None:
    async_archive.add_files(1)
    await async_archive.ingest(show_progress=True)
    assert capsys.readouterr().err.splitlines()[-1].startswith("1 of 1 file done")
