"""Freeze what programs read of the command line: exit codes, options, and the documents of `--json`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scripe import errors
from scripe._concurrency import Clock, real_seconds
from scripe.cli import exit_codes, main
from scripe.cli.app import COMMANDS, app
from scripe.emulator import Clock as EmulatorClock
from scripe.emulator import Emulator

from . import compare

EXAMPLES = Path(__file__).parents[2] / "examples" / "files"
ID = re.compile(r"\b(org|client|key|proj|src|upl|job|note|slot|post|pst|kb|whe|req|whsec)_[0-9a-f]{12,}\b")
VARYING = {
    r"127\.0\.0\.1:\d+": "127.0.0.1:PORT",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z": "TIME",
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}": "RANDOM",
    r'"secretLast4": "\w{4}"': '"secretLast4": "LAST"',
    r'"ledger": "[^"]*"': '"ledger": "PATH"',
    r'"message": "(?:[^"\\]|\\.)*"': '"message": "WORDS"',
}
WELL = """
whoami
projects list
projects list --limit 1
projects get proj_1
sources create --project-id proj_1 --text Hi --name Talk
sources ingest MEMO --project-id proj_1 --name Memo
sources get src_1
notes create --project-id proj_1 --text Hi --date 2099-06-01T09:30Z --content-type EDUCATIONAL
notes list --project-id proj_1
notes get note_1
posts create --project-id proj_1 --text Hi --title Take --scheduled-for 2099-06-01T09:30Z
posts list --project-id proj_1
posts get post_1
posts update post_1 --title Other --unschedule
posts statuses
posts generate --project-id proj_1 --text Hi
posts generate --project-id proj_1 --text Hi --wait
knowledge add --text Hi --name Greeting
knowledge add --url https://example.com --wait
knowledge add --youtube https://youtu.be/x
knowledge add --file MEMO --name Memo --project-id proj_1
jobs list --type SOURCE_INGEST_FILE
jobs list --date-to 2020-01-01
jobs get job_1
jobs wait job_1
jobs wait job_1 job_2
jobs cancel QUEUED
uploads put MEMO
webhooks create --name Mine --url https://example.com/hook --event post.created
webhooks get whe_1
webhooks update whe_1 --inactive
webhooks rotate-secret whe_1
posts create --project-id proj_1 --text Hi --idempotency-key one --ledger LEDGER
posts create --project-id proj_1 --text Hi --idempotency-key one --ledger LEDGER
ledger list --ledger LEDGER
ledger retry one --ledger LEDGER
ledger settle one --result-id post_1 --ledger LEDGER
ledger backup COPY --ledger LEDGER
bulk plan MEMO NOWHERE --project-id proj_1
bulk ingest MEMO NOWHERE --project-id proj_1 --ledger IMPORT
bulk retry --ledger IMPORT
logout --profile nobody
oauth register --name Acme --redirect-uri https://acme.example/
"""
BADLY: list[tuple[str, Callable[[Emulator], object]]] = [
    ("sorces", lambda e: None),
    ("jobs list --statu x", lambda e: None),
    ("posts update post_1", lambda e: None),
    ("uploads put MISSING", lambda e: None),
    ("whoami", lambda e: e.fail_next(401, "invalid_token", times=2)),
    ("whoami", lambda e: e.fail_next(403, "scope_missing")),
    ("projects get proj_x", lambda e: None),
    ("jobs cancel DONE", lambda e: None),
    ("whoami", lambda e: e.fail_next(429, retry_after=100)),
    ("knowledge add --text Hi --name Greeting", lambda e: e.fail_next(402, "spend_cap_exceeded")),
    ("jobs list --status nonsense", lambda e: None),
    ("whoami", lambda e: e.fail_next(500, times=3)),
    ("whoami --total-timeout 0.000001", lambda e: None),
    ("uploads put MEMO", lambda e: e.fail_next(403, method="PUT", times=9)),
    ("jobs wait FAILED", lambda e: None),
    ("jobs wait DONE FAILED", lambda e: None),
    ("jobs wait WAITING --wait-timeout 0.001", lambda e: None),
    ("whoami", lambda e: e.fail_next(200, body=b"<html>", times=3)),
]


def subcommands() -> list[str]:
    """Name every command as it is typed."""
    names = {name: [each for each in app[name] if not each.startswith("-")] for name in COMMANDS}
    return [f"{name} {each}" for name, group in names.items() for each in group] + [
        name for name, group in names.items() if not group
    ]


def test_every_command_that_shows_a_document_is_run() -> None:
    runs = [f"{line} " for line in WELL.strip().splitlines()]
    not_run = [each for each in subcommands() if not any(run.startswith(f"{each} ") for run in runs)]
    assert not_run == ["completion bash", "completion zsh", "completion fish", "login", "doctor", "emulator"]


class Runner:
    """Runs commands with `--json`, and writes down what they leave, with ids that are numbered as they appear."""

    def __init__(self, capsys: pytest.CaptureFixture[str], known: dict[str, str]) -> None:
        self._capsys = capsys
        self._numbered: dict[str, str] = {}
        self._known = known
        self.text = ""

    def run(self, command: str) -> None:
        code = main([self._known.get(word, word) for word in [*command.split(), "--json"]])
        seen = self._capsys.readouterr()
        self.text += f"$ scripe {command} --json\n{self._plain(seen.out + seen.err)}exit code {code}\n\n"

    def _plain(self, text: str) -> str:
        for pattern, shown in VARYING.items():
            text = re.sub(pattern, shown, text)
        return ID.sub(self._number, text)

    def _number(self, found: re.Match[str]) -> str:
        prefix, number = found[1], sum(each.startswith(f"{found[1]}_") for each in self._numbered)
        shown = self._numbered.setdefault(found[0], f"{prefix}_{number + 1}")
        self._known[shown] = found[0]
        return shown


def test_the_documents_and_exit_codes_are_those_that_are_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = EmulatorClock(
        frozen=True
    )  # so that the state of a job does not depend on how fast the machine is

    def sleep(_: Clock, seconds: float) -> None:
        clock.advance(seconds)

    def now(_: Clock) -> float:
        return clock.now().timestamp() + real_seconds()

    monkeypatch.setattr(Clock, "sleep", sleep)
    monkeypatch.setattr(Clock, "now", now)
    with Emulator(clock=clock, read_limit=1000) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        statuses = {"DONE": "DONE", "FAILED": "FAILED", "QUEUED": "QUEUED", "WAITING": "QUEUED"}
        known = {
            name: emulator.seed(jobs=1, job_status=status).job_ids[0] for name, status in statuses.items()
        }
        files = {
            "MEMO": EXAMPLES / "memo.mp3",
            "LEDGER": tmp_path / "season.db",
            "IMPORT": tmp_path / "import.db",
            "NOWHERE": "/nowhere/memo.mp3",
            "COPY": tmp_path / "copy.db",
        }
        runner = Runner(capsys, {**known, **{name: str(path) for name, path in files.items()}})
        for command in WELL.strip().splitlines():
            runner.run(command)
        for command, prepare in BADLY:
            prepare(emulator)
            runner.run(command)
            emulator.clear_faults()
    compare("command_output.txt", runner.text)


def test_the_options_and_the_exit_codes_of_errors_are_those_that_are_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lines = ["# Options", ""]
    for command in ["", *subcommands()]:
        main([*command.split(), "--help"])
        page = capsys.readouterr().out
        own = page if not command else page.partition("Options of every command:")[0]
        options = re.findall(r"^  (--.*?)(?:  |$)", own, re.MULTILINE)
        lines.append(f"scripe {command}: {'; '.join(options)}".replace(" :", ":").rstrip())
    lines += ["", "# Exit codes", "", f"known: {[row.number for row in exit_codes.TABLE]}"]
    for name, kind in sorted(inspect.getmembers(errors, inspect.isclass)):
        if issubclass(kind, errors.ScripeError):
            new = OSError.__new__ if issubclass(kind, OSError) else Exception.__new__
            lines.append(f"{name}: {exit_codes.exit_code(new(kind))}")
    compare("command_options.txt", "\n".join(lines))
