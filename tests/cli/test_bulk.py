"""`scripe bulk …`: what it prints, its exit codes, files and lists of them, wrong command lines."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from scripe import Ledger, Scripe
from scripe._ledger import store_of
from scripe.emulator import Emulator
from scripe.types import BulkProgress
from tests.cli.conftest import MEMO, Ran, Run, add_files

pytestmark = pytest.mark.usefixtures("hurried")
NO_JOBS = b'{"data": [], "pagination": {"nextCursor": null, "hasMore": false}}'
Ingest = Callable[..., Ran]


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    return str(tmp_path / "import.db")


@pytest.fixture
def ingest(scripe: Run, served: Emulator, folder: Path, ledger: str) -> Ingest:
    """Run `scripe bulk ingest` with the folder."""

    def run(*options: str) -> Ran:
        return scripe(
            "bulk", "ingest", str(folder), "--project-id", served.project_id, "--ledger", ledger, *options
        )

    return run


# What it prints


def test_a_plan_is_a_page(scripe: Run, served: Emulator, folder: Path) -> None:
    ran = scripe("bulk", "plan", str(folder), "--project-id", served.project_id)
    assert ran.code == 0
    assert ran.out.startswith("3 files, 144.3 kB in 1 folder -> sources of proj_")
    assert ran.out.endswith("Nothing was sent but GET /workspaces/me.\n")


def test_a_plan_makes_no_ledger(scripe: Run, served: Emulator, folder: Path, ledger: str) -> None:
    scripe("bulk", "plan", str(folder), "--project-id", served.project_id, "--ledger", ledger)
    assert not Path(ledger).exists()


def test_a_plan_knows_the_ledger(
    ingest: Ingest, scripe: Run, served: Emulator, folder: Path, ledger: str
) -> None:
    ingest()
    ran = scripe("bulk", "plan", str(folder), "--project-id", served.project_id, "--ledger", ledger, "--json")
    assert (ran.document["files"], ran.document["done"], ran.document["ledger"]) == (0, 3, ledger)


def test_a_plan_for_programs(scripe: Run, served: Emulator, folder: Path) -> None:
    (folder / "empty.mp3").touch()
    ran = scripe(
        "bulk", "plan", str(folder), "--project-id", served.project_id, "--json", "--rate-limit-share", "0.5"
    )
    size = 3 * (len(MEMO) + 1)
    assert ran.document == {
        "projectId": served.project_id,
        "workspaceName": "Acme",
        "plan": "BUSINESS",
        "ledger": None,
        "files": 3,
        "size": size,
        "folders": 1,
        "types": {"audio/mpeg": {"files": 3, "size": size}},
        "leftOut": {"empty": 1},
        "done": 0,
        "requests": 15,
        "callsPerMinute": 60,
        "rateLimit": 120,
        "rateLimitShare": 0.5,
        "requestSeconds": 0.0,
        "uploadSeconds": size / 12_500_000,
        "capCents": 5000,
        "centsPerFile": [1, 10],
        "pricedFiles": 0,
        "capDays": [1, 1],
        "limitedBy": "upload",
        "requestsSent": ["GET /workspaces/me"],
    }


def test_an_import_prints_its_report(ingest: Ingest, served: Emulator) -> None:
    ran = ingest()
    assert (ran.code, ran.out) == (0, "3 files: 3 done\n")
    assert served.count("sources") == 3


def test_an_import_in_a_pipe_writes_lines_to_stderr(ingest: Ingest) -> None:
    assert ingest().err.splitlines()[-1].startswith("3 of 3 files done; 144.3 kB of 144.3 kB sent")


@pytest.mark.parametrize("option", ["--no-progress", "--json"])
def test_no_lines_where_none_are_wanted(ingest: Ingest, option: str) -> None:
    assert ingest(option).err == ""


def test_an_import_for_programs(ingest: Ingest, served: Emulator, folder: Path, ledger: str) -> None:
    (folder / "empty.mp3").touch()
    (folder / "same.mp3").write_bytes((folder / "ep000.mp3").read_bytes())
    document = ingest("--json").document
    problems, duplicates = document.pop("problems"), document.pop("duplicates")
    assert document == {
        "ledger": ledger,
        "projectId": served.project_id,
        "run": 1,
        "files": 5,
        "states": {"done": 4, "refused": 1},
        "duplicateCount": 1,
        "capResetsAt": None,
    }
    assert problems == [
        {
            "path": str(folder / "empty.mp3"),
            "state": "refused",
            "size": 0,
            "code": "empty",
            "reason": "It is empty.",
            "requestId": None,
            "sourceId": None,
            "idempotencyKey": None,
            "sameAs": None,
        }
    ]
    (duplicate,) = duplicates
    assert duplicate["path"] == str(folder / "same.mp3")
    assert duplicate["sameAs"] == str(folder / "ep000.mp3")
    assert duplicate["sourceId"].startswith("src_")


def test_responses_are_reported_if_asked_for(ingest: Ingest, served: Emulator) -> None:
    assert re.search(r"^POST /sources \d+ req_", ingest("--verbose").err, re.MULTILINE)


def test_a_name_of_a_file_moves_no_cursor(ingest: Ingest, folder: Path) -> None:
    (folder / "\x1b[2J.mp3").touch()
    ran = ingest()
    assert "\x1b" not in ran.out + ran.err


# Files and lists


def test_files_folders_and_patterns(scripe: Run, served: Emulator, folder: Path, ledger: str) -> None:
    (folder / "more").mkdir()
    add_files(folder / "more", 5)
    paths = (str(folder / "ep000.mp3"), str(folder / "more" / "*2.mp3"), str(folder / "more" / "ep004.mp3"))
    ran = scripe("bulk", "ingest", *paths, "--project-id", served.project_id, "--ledger", ledger)
    assert ran.out == "3 files: 3 done\n"


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        pytest.param("", "\n", id="lines"),
        pytest.param("", "\r\n", id="lines of Windows"),
        pytest.param("\ufeff", "\n", id="a byte order mark"),
        pytest.param("", "\n\n", id="empty lines"),
    ],
)
@pytest.mark.parametrize("where", ["-", "list.txt"])
def test_a_list_of_files(
    scripe: Run, served: Emulator, folder: Path, ledger: str, where: str, begin: str, end: str
) -> None:
    text = begin + end.join(str(folder / f"ep{number:03}.mp3") for number in range(3))
    if where != "-":
        where = str(folder.parent / where)
        Path(where).write_text(text, newline="")
    words = ("bulk", "ingest", "--files-from", where, "--project-id", served.project_id, "--ledger", ledger)
    assert scripe(*words, stdin=text.encode()).out == "3 files: 3 done\n"


def test_a_list_and_paths_together(scripe: Run, served: Emulator, folder: Path) -> None:
    words = (
        "bulk",
        "plan",
        str(folder / "ep000.mp3"),
        "--files-from",
        "-",
        "--project-id",
        served.project_id,
    )
    ran = scripe(*words, "--json", stdin=os.fsencode(folder / "ep001.mp3"))
    assert ran.document["files"] == 2


def test_a_name_that_is_no_text_is_reported(scripe: Run, served: Emulator, ledger: str) -> None:
    words = ("bulk", "ingest", "--files-from", "-", "--project-id", served.project_id, "--ledger", ledger)
    ran = scripe(*words, stdin=b"/nowhere/\xff.mp3")
    assert ran.code == 15
    assert r"/nowhere/\udcff.mp3: refused, name_not_text: Its name is no text. Rename it." in ran.out


def test_an_empty_list_is_done(scripe: Run, served: Emulator, ledger: str) -> None:
    words = ("bulk", "ingest", "--files-from", "-", "--project-id", served.project_id, "--ledger", ledger)
    ran = scripe(*words)
    assert (ran.code, ran.out) == (0, "0 files: nothing to do\n")


# Wrong command lines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ("ingest", "x.mp3", "--project-id", "proj_1"), "--ledger FILE", id="ingest without a ledger"
        ),
        pytest.param(("retry",), "--ledger FILE", id="retry without a ledger"),
        pytest.param(
            ("retry", "--ledger", "nowhere.db"), "nowhere.db", id="retry with a ledger that is not there"
        ),
        pytest.param(("plan", "--project-id", "proj_1"), "--files-from FILE", id="no files"),
        pytest.param(("plan", "x.mp3"), "--project-id", id="no project"),
        pytest.param(("plan", "--files-from", "nowhere", "--project-id", "proj_1"), "nowhere", id="no list"),
        pytest.param(
            ("plan", "--files-from", ".", "--project-id", "proj_1"), "--files-from", id="a folder as list"
        ),
        pytest.param(
            ("plan", "--files-from", "-", "--project-id", "proj_1", "--api-key-file", "-"),
            "--files-from or --api-key-file",
            id="stdin twice",
        ),
        pytest.param(
            ("plan", "x", "--project-id", "proj_1", "--rate-limit-share", "2"),
            "--rate-limit-share",
            id="share",
        ),
        pytest.param(
            ("ingest", "x", "--project-id", "proj_1", "--ledger", "new.db", "--concurrency", "0"),
            "--concurrency is 0",
            id="concurrency",
        ),
        pytest.param(
            ("ingest", "x", "--project-id", "proj_1", "--ledger", "new.db", "--at-spend-cap", "pay"),
            "--at-spend-cap",
            id="what to do at the spend cap",
        ),
        pytest.param(("import", "x"), "scripe bulk ingest", id="another word"),
    ],
)
def test_a_command_line_that_makes_no_sense_sends_nothing(
    scripe: Run,
    served: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = scripe("bulk", *words)
    assert ran.code == 2
    assert message in ran.err
    assert "go on" not in ran.err
    served.assert_nothing_sent()


def test_a_ledger_of_several_projects_needs_a_project(
    scripe: Run, served: Emulator, folder: Path, ledger: str
) -> None:
    for project_id in served.seed(projects=2).project_ids:
        scripe("bulk", "ingest", str(folder), "--project-id", project_id, "--ledger", ledger)
    ran = scripe("bulk", "retry", "--ledger", ledger)
    assert ran.code == 2
    assert "Give --project-id." in ran.err


# Exit codes


def test_a_file_that_is_refused(ingest: Ingest, served: Emulator, ledger: str) -> None:
    served.fail_next(422, method="POST", path="/sources", message="No words.")
    ran = ingest()
    assert ran.code == 15
    assert "No words." in ran.out
    assert f"only by `scripe bulk retry --ledger {ledger}`." in ran.out


def test_retry_tries_it_again(ingest: Ingest, scripe: Run, served: Emulator, ledger: str) -> None:
    served.fail_next(422, method="POST", path="/sources")
    ingest()
    assert scripe("bulk", "retry", "--ledger", ledger, "--code", "another").out == "0 files: nothing to do\n"
    ran = scripe("bulk", "retry", "--ledger", ledger, "--code", "unprocessable")
    assert (ran.code, ran.out) == (0, "1 file: 1 done\n")


def test_the_spend_cap(ingest: Ingest, served: Emulator) -> None:
    served.set_spend(5000)
    ran = ingest("--at-spend-cap", "stop")
    assert ran.code == 8
    assert re.search(
        r"The spend cap is reached until .* 00:00 UTC\. To go on then, run the same command", ran.out
    )
    assert "scripe bulk ingest --ledger" in ran.out
    served.set_spend(0)
    assert ingest("--at-spend-cap", "stop").code == 0


def test_the_reset_of_the_spend_cap_is_a_time_in_json(ingest: Ingest, served: Emulator) -> None:
    served.set_spend(5000)
    ran = ingest("--at-spend-cap", "stop", "--json")
    assert ran.code == 8
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", ran.document["capResetsAt"])


def test_what_nobody_can_know(
    scripe: Run, folder: Path, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(progress: BulkProgress) -> None:
        if progress.states.get("submitted") == 3:
            raise KeyboardInterrupt

    with Emulator(job_speed=0) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        project_id = emulator.project_id
        with Scripe() as client, pytest.raises(KeyboardInterrupt):
            client.bulk.ingest(folder, project_id=project_id, ledger=ledger, on_update=interrupt)
        emulator.clock.advance(3 * 86_400)
        emulator.fail_next(404, path="/jobs/", times=3)
        emulator.fail_next(200, body=NO_JOBS, headers={"Content-Type": "application/json"}, path="/jobs")
        ran = scripe("bulk", "ingest", str(folder), "--project-id", project_id, "--ledger", ledger)
    assert ran.code == 16
    assert f"`scripe ledger settle KEY --ledger {ledger} --result-id ID`, or with --send-again" in ran.out


def test_the_first_files_all_fail_alike(scripe: Run, ingest: Ingest, folder: Path, ledger: str) -> None:
    for number in range(30):
        (folder / f"ep{number:03}.mp3").write_bytes(b"This is no recording. %d" % number)
    ran = ingest()
    assert ran.code == 15
    assert f"`scripe bulk retry --ledger {ledger}`." in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("status", "code", "number"),
    [
        pytest.param(401, "invalid_token", 3, id="the API key was revoked"),
        pytest.param(403, "scope_missing", 4, id="a scope is missing"),
        pytest.param(404, "not_found", 5, id="the project is gone"),
    ],
)
def test_an_error_that_stops_the_run(
    ingest: Ingest, served: Emulator, status: int, code: str, number: int
) -> None:
    served.fail_next(status, code, method="POST", path="/sources", times=99)
    ran = ingest()
    assert ran.code == number
    assert "to go on, run the same command again: scripe bulk ingest --ledger" in ran.err


def test_no_server(ingest: Ingest) -> None:
    ran = ingest("--base-url", "http://127.0.0.1:9/v1")
    assert ran.code == 11
    assert "--base-url http://127.0.0.1:9/v1" in ran.err.splitlines()[-1]


def test_another_run_with_the_ledger(ingest: Ingest, ledger: str) -> None:
    ingest()
    with Ledger(ledger) as other:
        store_of(other).lock_run()
        ran = ingest()
    assert ran.code == 1
    assert "Another bulk run" in ran.err
    assert "go on" not in ran.err


def test_a_very_long_command_line_is_not_repeated(
    scripe: Run, served: Emulator, folder: Path, ledger: str
) -> None:
    served.fail_next(401, "invalid_token", method="POST", path="/sources", times=99)
    words = ("--project-id", served.project_id, "--ledger", ledger)
    ran = scripe("bulk", "ingest", str(folder), *(f"/nowhere/{number}.mp3" for number in range(99)), *words)
    assert ran.err.splitlines()[-1] == "Nothing is done twice: to go on, run the same command again."


def test_sigterm_means_what_it_meant_before_and_after_a_command(ingest: Ingest) -> None:
    before = signal.getsignal(signal.SIGTERM)
    ingest()
    assert signal.getsignal(signal.SIGTERM) is before
