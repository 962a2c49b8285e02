"""Test errors: exit codes, messages for people, a document for programs, never a traceback."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripe import _log, errors
from scripe._sync.resources.notes import Notes
from scripe.cli import exit_codes
from scripe.cli.notices import print_waits
from scripe.cli.options import Options
from scripe.cli.session import Session
from scripe.emulator import Emulator
from tests.support.server import Reply, ScriptedServer

from .conftest import Ran, Run

FILES = Path(__file__).parents[2] / "examples" / "files"


def refused(ran: Ran, message: str) -> None:
    """Check that nothing was done, and that one line says why."""
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1


def test_every_class_of_errors_has_its_exit_code() -> None:
    def code(name: str) -> int:
        kind = getattr(errors, name)
        return exit_codes.exit_code(kind.__new__(kind))

    expected = {
        "APIResponseValidationError": 1,
        "ClientClosedError": 1,
        "InvalidArgumentError": 2,
        "AuthenticationError": 3,
        "ScopeMissingError": 4,
        "NotFoundError": 5,
        "NotCancellableError": 6,
        "RateLimitError": 7,
        "SpendCapExceededError": 8,
        "BadCursorError": 9,
        "UnprocessableEntityError": 9,
        "ServiceUnavailableError": 10,
        "APITimeoutError": 11,
        "FileUnreadableError": 12,
        "UploadTooLargeError": 12,
        "JobFailedError": 13,
        "JobCancelledError": 13,
        "JobTimeoutError": 14,
    }
    assert {name: code(name) for name in expected} == expected
    assert exit_codes.exit_code(KeyboardInterrupt()) == 130
    assert exit_codes.exit_code(ValueError()) == 1


def failing(status: int, code: str | None = None) -> Callable[[Emulator], object]:
    return lambda emulator: emulator.fail_next(status, code, times=9)


CASES: dict[str, tuple[list[str], Callable[[Emulator], object], int]] = {
    "a key that was revoked": (["whoami"], lambda e: e.revoke_key(), 3),
    "a plan without the API": (["whoami"], lambda e: e.set_plan("FREE"), 4),
    "no such project": (["projects", "get", "proj_x"], lambda e: None, 5),
    "a job that is done": (["jobs", "cancel", "JOB"], lambda e: None, 6),
    "too many requests": (["whoami"], lambda e: e.fail_next(429, retry_after=100), 7),
    "the cap is reached": (
        ["posts", "generate", "--project-id", "PROJECT", "--text", "Hi"],
        lambda e: e.set_spend(5000),
        8,
    ),
    "a status that is none": (["jobs", "list", "--status", "nonsense"], lambda e: None, 9),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_of_the_api_has_its_exit_code(served: Emulator, scripe: Run, name: str) -> None:
    words, prepare, code = CASES[name]
    known = {"JOB": served.seed(jobs=1, job_status="DONE").job_ids[0], "PROJECT": served.project_id}
    prepare(served)
    command = [known.get(word, word) for word in words]
    ran = scripe(*command)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    assert ", request req_" in ran.err
    prepare(served)
    for_program = scripe(*command, "--json")
    assert (for_program.code, for_program.out) == (code, "")
    error = for_program.error
    assert error["exitCode"] == code
    assert error["requestId"].startswith("req_")
    assert error["statusCode"] >= 400
    assert set(error) == {
        *("type", "message", "exitCode", "code", "statusCode", "requestId"),
        *("retryable", "idempotencyKey", "jobIds"),
    }


@pytest.mark.parametrize(
    ("is_local", "advice"), [(True, "An emulator prints its API key"), (False, "in the Scripe dashboard")]
)
def test_a_rejected_key_says_where_to_create_one(
    served: Emulator, scripe: Run, monkeypatch: pytest.MonkeyPatch, *, is_local: bool, advice: str
) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", "scripe_sk_test_wrong")
    assert Session(Options()).is_local
    monkeypatch.setattr(Session, "is_local", is_local)
    ran = scripe("whoami")
    assert ran.code == 3
    assert advice in ran.err
    assert "wrong" not in ran.err


def test_the_spend_cap_says_when_it_is_reset(served: Emulator, scripe: Run) -> None:
    served.set_spend(5000)
    ran = scripe("knowledge", "add", "--url", "https://example.com")
    assert "The spend cap is reset at 20" in ran.err
    assert "T00:00Z: give another --idempotency-key then, if you gave one.\n" in ran.err


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["sorces"], 'Unknown command "sorces". Did you mean "sources"? See: scripe --help'),
        (
            ["posts", "gett", "post_x"],
            'Unknown command "gett". Did you mean "get"? Available commands: list, get,',
        ),
        (
            ["jobs", "list", "--statu", "x"],
            "There is no option --statu. Did you mean --status x? See: scripe jobs list",
        ),
        (["jobs", "list", "--statu=x y"], 'There is no option --statu. Did you mean --status "x y"? See:'),
        (["jobs", "list", "--statu"], "There is no option --statu. Did you mean --status? See:"),
        (["jobs", "list", "--statu", "--all"], "There is no option --statu. Did you mean --status? See:"),
        (["jobs", "list", "--al", "x"], "There is no option --al. Did you mean --all? See:"),
        (["whoami", "--jsn"], "There is no option --jsn. Did you mean --json? See: scripe whoami --help"),
        (["whoami", "--zzzzz"], "There is no option --zzzzz. See: scripe whoami --help"),
        (["posts", "--jsn"], "There is no option --jsn. Did you mean --json? See: scripe posts --help"),
        (
            ["whoami", "--timeout", "1", "--timeout", "2"],
            "Parameter --timeout specified multiple times. See:",
        ),
        (["jobs", "list", "--statu="], "There is no option --statu. Did you mean --status? See:"),
        (["--zzzzz"], "There is no option --zzzzz. See: scripe --help"),
        (["whoami", "more", "words"], "Unexpected arguments: more words. See:"),
        (
            ["posts", "create", "--project-id", "p", "We", "ship."],
            'Unexpected arguments: We ship.. Did you mean --text "We ship."?',
        ),
        (
            ["posts", "create", "--project-id", "p", "--text", "We", "ship."],
            "Unexpected arguments: ship.. See:",
        ),
        (
            ["posts", "generate", "--project-id", "p", "note_x"],
            "Unexpected arguments: note_x. Did you mean --note-id note_x?",
        ),
        (["jobs", "get", "job_x", "job_y"], "Unexpected arguments: job_y. See:"),
        (["posts", "list", "proj_x"], "--project-id is missing. Did you mean --project-id proj_x? See:"),
        (["posts", "list", "-p", "proj_x"], "There is no option -p. Did you mean --project-id proj_x?"),
        (
            ["posts", "list", "--project", "proj_x"],
            "There is no option --project. Did you mean --project-id proj_x?",
        ),
        (
            ["posts", "get", "--post-id", "post_x"],
            "There is no option --post-id. Give only the value, as in: scripe posts get post_x See:",
        ),
        (
            ["posts", "get", "--post-id"],
            "There is no option --post-id. Give only the value, as in: scripe posts get POST_ID See:",
        ),
        (
            ["sources", "ingest", "--file=a.mp3", "--project-id", "p"],
            "There is no option --file. Give only the value, as in: scripe sources ingest a.mp3 See:",
        ),
        (
            ["sources", "list"],
            "The API does not list sources. Run `scripe jobs list --type SOURCE_INGEST_FILE` instead. See:",
        ),
        (["sources", "ls", "--project-id", "p"], "The API does not list sources. Run"),
        (
            ["knowledge", "list"],
            "`scripe jobs list --type KB_INGEST_FILE` instead; the types are KB_INGEST_TEXT,",
        ),
        (["webhooks", "list"], "the id that `scripe webhooks create` shows."),
        (["uploads", "list"], "The API does not list uploads. Keep the id that `scripe uploads put` shows."),
        (
            ["projects", "create", "--name", "x"],
            "The API does not create projects: do that in the Scripe app.",
        ),
        (["projects", "new"], "The API does not create projects: do that in the Scripe app."),
        (["posts", "rm", "post_x"], "The API does not delete posts: do that in the Scripe app."),
        (["posts", "show", "post_x"], 'Unknown command "posts show". Did you mean: scripe posts get? See:'),
        (
            ["ingest", "x.mp3"],
            'Unknown command "ingest". Did you mean: scripe sources ingest? See: scripe --help',
        ),
        (["help", "sorces"], 'Unknown command "sorces". Did you mean "sources"? See: scripe --help'),
        (["sorces", "--help"], 'Unknown command "sorces". Did you mean "sources"? See: scripe --help'),
        (["auth", "login"], 'Unknown command "auth". Did you mean: scripe login? See: scripe --help'),
        (["signout"], 'Unknown command "signout". Did you mean: scripe logout? See: scripe --help'),
        (["completion", "powershell"], 'Unknown command "powershell". Available commands: bash, zsh, fish.'),
        (["projects", "get"], "PROJECT_ID is missing. See: scripe projects get --help"),
        (["posts", "list"], "--project-id is missing."),
        (["posts", "list", "--project=x"], "There is no option --project. Did you mean --project-id x?"),
        (
            ["posts", "create", "--project-id", "x", "--text", "y", "--scheduled-for", "tomorrow"],
            "--scheduled-for tomorrow: this is not a date and time. Give date, time and time zone, as in "
            "TOMORROWT09:00Z or TOMORROWT09:00+01:00. See: scripe posts create --help",
        ),
        (
            ["posts", "create", "--project-id", "x", "--text", "y", "--scheduled-for", "2026-12-07"],
            "--scheduled-for 2026-12-07: the time is missing. Give date, time and time zone, as in 2026-12-07T09:00Z",
        ),
        (
            ["posts", "update", "x", "--scheduled-for", "2026-12-07 10:15"],
            '--scheduled-for "2026-12-07 10:15": the time zone is missing. Give date, time and time zone, as in '
            "2026-12-07T10:15Z or 2026-12-07T10:15+01:00.",
        ),
        (
            ["notes", "create", "--project-id", "x", "--text", "y", "--date="],
            '--date "": this is not a date and time.',
        ),
        (["whoami", "--base-url"], "--base-url needs a value. See: scripe --help"),
        (["jobs", "list", "--limit", "0"], 'Invalid value "0" for --limit.'),
        (["jobs", "list", "--limit", "many"], 'unable to convert "many" into int'),
        (
            ["jobs", "list", "--date-from", "1.5."],
            "--date-from 1.5.: this is not a date. Give a date without a time, as in TODAY. See: scripe jobs list",
        ),
        (
            ["posts", "list", "--project-id", "p", "--date-to", "2026-12-07T09:00Z"],
            "--date-to 2026-12-07T09:00Z: this is not a date. Give a date without a time, as in 2026-12-07.",
        ),
        (["--timeout", "0", "whoami"], 'Invalid value "0.0" for --timeout.'),
        (
            ["posts", "create", "--project-id", "p", "--text", "x", "--scheduled-for", "2027-01-01T09:00"],
            "the time zone is missing",
        ),
    ],
)
def test_a_wrong_command_line_gets_a_suggestion(scripe: Run, words: list[str], answer: str) -> None:
    today = datetime.now(UTC).date()  # not at import: midnight may pass before this test runs
    answer = answer.replace("TODAY", str(today)).replace("TOMORROW", str(today + timedelta(days=1)))
    refused(scripe(*words), f"error: {answer}" if answer[0].isupper() else answer)
    for_program = scripe(*words, "--json")
    assert (for_program.code, for_program.out) == (2, "")
    assert answer in for_program.error["message"]
    assert for_program.error["type"] == "UsageError"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (
            ["sources", "create", "--project-id", "PROJECT"],
            "There is no text. Give it with --text,",
        ),
        (["sources", "create", "--project-id", "PROJECT", "--text", " "], "The text is empty."),
        (["notes", "create", "--project-id", "P", "--text", "x", "--text-file", "y"], "not both"),
        (
            ["posts", "create", "--project-id", "P", "--text-file", "/no/file"],
            "/no/file cannot be read: No such file",
        ),
        (
            ["posts", "create", "--project-id", "P", "--text-file", str(FILES / "memo.mp3")],
            "is not a text in UTF-8",
        ),
        (
            ["notes", "create", "--project-id", "P", "--text-file", "-", "--api-key-file", "-"],
            "Only one option can read stdin (-)",
        ),
        (["posts", "generate", "--project-id", "P"], "one of --text, --text-file and --note-id"),
        (["posts", "generate", "--project-id", "P", "--text", "x", "--note-id", "y"], "one of --text"),
        (["posts", "update", "post_x"], "There is nothing to change. Give at least one option."),
        (["posts", "update", "post_x", "--status-id", "x", "--status-category", "y"], "not both"),
        (["posts", "update", "post_x", "--unschedule", "--scheduled-for", "2099-01-01T09:00Z"], "not both"),
        (["webhooks", "update", "whe_x", "--all-projects", "--project-id", "p"], "not both"),
        (
            ["webhooks", "create", "--name", "x", "--url", "nonsense", "--event", "e"],
            "--url 'nonsense' is not the URL of a page",
        ),
        (["knowledge", "add"], "Give one of --text, --text-file, --file, --url and --youtube."),
        (["knowledge", "add", "--url", "https://x.example", "--text", "x"], "Give one of"),
        (["knowledge", "add", "--text", "x"], "A text needs a name. Give --name."),
        (["sources", "ingest", "no.mp3", "--project-id", "P"], "'no.mp3' does not exist"),
        (["sources", "ingest", __file__, "--project-id", "P"], "Pass it, as in --content-type 'audio/mpeg'."),
        (["uploads", "put", "/"], "directory"),
        (["uploads", "put", "no.mp3", "--idempotency-key", "a b"], "--idempotency-key takes 1 to 64 letters"),
        (["--base-url", "nonsense", "whoami"], "--base-url 'nonsense' is not the URL of an API"),
        (
            ["--base-url", "http://example.com", "whoami"],
            "--base-url uses plain http to example.com",
        ),
        (["--workspace-id", "ü", "whoami"], "--workspace-id 'ü' cannot be sent"),
        (["projects", "get", ".."], "'..' is not an id"),
    ],
)
def test_invalid_input_is_reported_before_anything_is_sent(
    served: Emulator, scripe: Run, words: list[str], answer: str
) -> None:
    refused(scripe(*words), answer)
    error = scripe(*words, "--json").error
    assert error["type"].endswith("Error")
    assert error["exitCode"] == 2
    assert served.requests == []


def test_a_write_that_may_be_half_done_shows_its_idempotency_key(served: Emulator, scripe: Run) -> None:
    create = ["sources", "create", "--project-id", served.project_id, "--text", "Hi"]
    served.fail_next(500, times=3)
    ran = scripe(*create)
    assert ran.code == 10
    key = ran.err.split("--idempotency-key ")[1].strip()
    served.drop_next(times=3)
    lost = scripe(*create, "--idempotency-key", key)
    assert lost.code == 11
    assert lost.err.endswith(f"--idempotency-key {key}\n")
    again = scripe(*create, "--idempotency-key", key)
    assert again.code == 0
    assert served.count("sources") == 1
    served.fail_next(503, times=3)
    assert scripe(*create, "--idempotency-key", key, "--json").error["idempotencyKey"] == key


@pytest.mark.parametrize(("words", "is_told"), [(["-v"], True), ([], False)])
def test_a_long_wait_is_printed(served: Emulator, scripe: Run, words: list[str], *, is_told: bool) -> None:
    """Print it at a terminal or with --verbose."""
    served.fail_next(429, retry_after=2)
    ran = scripe("whoami", *words)
    assert ran.code == 0
    assert ("Attempt 1 of GET /workspaces/me failed (HTTP 429). Retrying in 2.00 s.\n" in ran.err) is is_told
    served.fail_next(429, retry_after=0)
    assert "Retrying" not in scripe("whoami", "-v").err


def test_waits_that_the_log_prints_are_not_printed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("scripe")
    before = [*logger.handlers]
    with print_waits(Options(verbose=True)):
        assert len(logger.handlers) == len(before) + 1
    monkeypatch.setenv("SCRIPE_LOG", "info")
    with print_waits(Options(verbose=True)):
        assert logger.handlers == before


def test_a_rejected_write_shows_no_idempotency_key(served: Emulator, scripe: Run) -> None:
    ran = scripe("sources", "create", "--project-id", "proj_x", "--text", "Hi")
    assert ran.code == 5
    assert "--idempotency-key" not in ran.err


def test_no_response_is_an_error_without_a_traceback(
    scripe: Run, monkeypatch: pytest.MonkeyPatch, served: Emulator
) -> None:
    monkeypatch.setenv("SCRIPE_BASE_URL", "http://127.0.0.1:9/v1")
    ran = scripe("whoami")
    assert (ran.code, ran.out, ran.err.count("\n")) == (11, "", 2)
    assert "Does an emulator run at http://127.0.0.1:9/v1? To start one, run: scripe emulator\n" in ran.err


@pytest.mark.parametrize(
    "error", [RuntimeError("odd"), OSError(13, "denied", "scripe_sk_canary"), KeyError()]
)
def test_a_bug_is_reported_without_a_traceback(
    served: Emulator, scripe: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(self: object, **_: object) -> None:
        raise error

    monkeypatch.setattr(Notes, "create", failing)
    create = ["notes", "create", "--project-id", served.project_id, "--text", "Hi"]
    ran = scripe(*create)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: {type(error).__name__}")
    assert "This is a bug in scripe. Please report it" in ran.err
    assert "without doing anything twice" in ran.err
    assert "add: --idempotency-key " in ran.err
    assert "Traceback" not in ran.err
    for_program = scripe(*create, "--json").error
    assert (for_program["type"], for_program["exitCode"]) == (type(error).__name__, 1)
    assert for_program["idempotencyKey"]
    asked_for = scripe(*create, "-v").err
    assert asked_for.startswith("Traceback (most recent call last):\n")
    assert "canary" not in asked_for


def test_an_address_without_the_version_is_reported(
    served: Emulator, scripe: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = os.environ["SCRIPE_BASE_URL"].removesuffix("/v1")
    ran = scripe("--base-url", address, "whoami")
    assert ran.code == 5
    assert f"The address of the API ends in /v1, but --base-url is {address}. Try {address}/v1.\n" in ran.err
    assert "ends in /v1" not in scripe("projects", "get", "proj_x").err
    monkeypatch.setenv("SCRIPE_BASE_URL", address)
    assert f"The address of the API ends in /v1, but SCRIPE_BASE_URL is {address}." in scripe("whoami").err


def test_a_key_in_a_wrong_place_is_not_printed(served: Emulator, scripe: Run) -> None:
    for key in ("scripe_sk_test_canary", "scripe_oauth_canary", "whsec_canary"):
        for words in (["jobs", "get", key], ["jobs", "get", "a", key], ["--api-key-file", key, "whoami"]):
            ran = scripe(*words)
            assert ran.code
            assert "canary" not in ran.err


def test_control_characters_are_not_written_to_stderr(scripe: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"X-Request-Id": "r\x1b]0;canary\x07", "Scripe-Deprecation": "2026\x1b[2J; replacement=\x9b1m"}
    with ScriptedServer(Reply(200, b'{"data": {}}', headers)) as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", "scripe_sk_test_x")
        ran = scripe("whoami", "-v")
    assert "canary" in ran.err
    assert [char for char in ran.out + ran.err if not char.isprintable() and char not in "\n\t"] == []


def test_an_invalid_response_is_reported(served: Emulator, scripe: Run) -> None:
    served.fail_next(200, body=b"<html>", path="/workspaces")
    ran = scripe("whoami")
    assert ran.code == 1
    assert "(HTTP 200)" in ran.err


def test_a_failed_job_is_reported(served: Emulator, scripe: Run, tmp_path: Path) -> None:
    empty = tmp_path / "picture.pdf"
    empty.write_bytes(b"no PDF at all")
    ran = scripe("sources", "ingest", str(empty), "--project-id", served.project_id)
    assert (ran.code, ran.out) == (13, "")
    assert "UNREADABLE_FILE" in ran.err
    assert "--idempotency-key" not in ran.err
    failed = served.seed(jobs=1, job_status="FAILED").job_ids[0]
    assert scripe("jobs", "wait", failed, "--json").error["jobIds"] == [failed]
    cancelled = served.seed(jobs=1, job_status="CANCELLED").job_ids[0]
    assert scripe("jobs", "wait", cancelled).code == 13


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch, violations: list[str]) -> Iterator[Emulator]:
    """Serve an emulator whose jobs do not progress."""
    with Emulator(job_speed=0) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        yield emulator


def test_a_wait_timeout_says_how_to_keep_waiting(still: Emulator, scripe: Run) -> None:
    one, other = still.seed(jobs=2, job_status="RUNNING").job_ids
    done = still.seed(jobs=1, job_status="DONE").job_ids[0]
    ran = scripe("jobs", "wait", one, "--wait-timeout", "0.1")
    assert ran.code == 14
    assert ran.err.endswith(f"{one} has not finished. To keep waiting, run: scripe jobs wait {one}\n")
    ran = scripe("jobs", "wait", one, done, other, "--wait-timeout", "1")
    assert ran.code == 14
    assert ran.err.endswith(
        f"{other} have not finished. To keep waiting, run: scripe jobs wait {one} {other}\n"
    )
    assert scripe("jobs", "wait", one, "--wait-timeout", "0.1", "--json").error["jobIds"] == [one]
    unknown = scripe("jobs", "wait", one, "job_unknown", "--wait-timeout", "0.1", "--json")
    assert one in unknown.error["jobIds"]
    ingest = ["sources", "ingest", str(FILES / "memo.mp3"), "--project-id", still.project_id]
    started = scripe(*ingest, "--wait-timeout", "0.1")
    assert started.code == 14
    assert "To keep waiting, run: scripe jobs wait job_" in started.err


def test_a_generation_that_takes_too_long_names_its_job(still: Emulator, scripe: Run) -> None:
    order = ["posts", "generate", "--project-id", still.project_id, "--text", "Hi", "--wait"]
    ran = scripe(*order, "--wait-timeout", "0.2")
    assert ran.code == 14
    assert "To keep waiting, run: scripe jobs wait job_" in ran.err


def test_the_total_timeout_bounds_a_wait_too(still: Emulator, scripe: Run) -> None:
    job = still.seed(jobs=1, job_status="RUNNING").job_ids[0]
    assert scripe("--total-timeout", "0.2", "jobs", "wait", job).code == 14


def test_verbose_reports_each_response(served: Emulator, scripe: Run) -> None:
    ran = scripe("projects", "--verbose")
    method, path, status, request, *_ = ran.err.split()
    assert method == "GET"
    assert path == "/projects"
    assert status == "200"
    assert request[:4] == "req_"
    assert ran.out.startswith("proj_")
    missing = scripe("-v", "--json", "projects", "get", "proj_x").err.splitlines()
    assert missing[0].startswith("GET /projects/proj_x 404 req_")
    assert missing[1].startswith('{"error": ')


@pytest.mark.parametrize("as_json", [False, True])
def test_a_deprecation_of_the_api_is_one_line(
    scripe: Run, monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    monkeypatch.setattr(_log, "_warned", {})
    with Emulator(deprecation="2026-08-01") as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        original = warnings.showwarning
        ran = scripe("projects", *(["--json"] if as_json else []))
        assert warnings.showwarning is original
    assert ran.code == 0
    assert bool(ran.err) is not as_json
    if ran.err:
        assert ran.err.startswith("note: Version 2026-08-01 of the Scripe API")
        assert ran.err.count("\n") == 1


@pytest.mark.usefixtures("served")  # it sets a key
def test_plain_http_to_another_machine_is_allowed_when_asked_for(scripe: Run) -> None:
    ended = scripe("--base-url", "http://elsewhere.example/v1", "--allow-insecure", "whoami")
    assert "ConnectError" in ended.err
    assert "plain http" not in ended.err
