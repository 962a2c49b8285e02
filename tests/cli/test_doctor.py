"""Tests of `scripe doctor`: exit codes, options, the report, and without the extra `cli`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from scripe import AsyncScripe, Ledger, oauth
from scripe.cli.exit_codes import WARNED
from scripe.emulator import Emulator

from .conftest import Run

CANARIES = ("Canary workspace", "canary", "org_", "key_", "req_", "scripe_sk_")


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "words", [["doctor"], ["--timeout", "9", "doctor", "--strict"]], ids=["plain", "before"]
)
def test_all_is_well(scripe: Run, words: list[str]) -> None:
    ran = scripe(*words)
    assert ran.code == 0
    assert {line.split()[0] for line in ran.out.splitlines()} == {"ok"}


@pytest.mark.parametrize(
    ("code", "status", "number"),
    [
        ("invalid_token", 401, 3),
        ("plan_not_eligible", 403, 4),
        ("rate_limited", 429, 7),
        ("internal_error", 500, 10),
    ],
)
def test_the_exit_code_is_that_of_the_error(
    scripe: Run, served: Emulator, code: str, status: int, number: int
) -> None:
    served.fail_next(status, code, path="/health/auth")
    assert scripe("doctor").code == number


def test_no_connection_is_11(scripe: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", "scripe_sk_test_0")
    assert scripe("doctor", "--base-url", "http://127.0.0.1:9/v1").code == 11


def test_a_warning_is_20_only_with_strict(scripe: Run, served: Emulator) -> None:
    served.degrade()
    assert scripe("doctor").code == 0
    assert scripe("doctor", "--strict").code == WARNED == 20


def test_without_a_credential_the_network_is_looked_at_first(
    scripe: Run, served: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCRIPE_API_KEY")
    ran = scripe("doctor", "--json")
    assert ran.code == 2
    assert ran.document["fault"] == "no_credential"
    assert [request.path for request in served.requests] == ["/health"]


def test_at_a_terminal_nobody_is_asked(
    scripe: Run, served: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCRIPE_API_KEY")
    monkeypatch.setattr("scripe.cli.credential.is_at_terminal", lambda: True)
    assert scripe("doctor", "--json").document["fault"] == "no_credential"


def test_a_key_from_a_file_is_used(
    scripe: Run, served: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SCRIPE_API_KEY")
    (tmp_path / "key").write_text(served.api_key)
    assert scripe("doctor", "--api-key-file", str(tmp_path / "key")).code == 0


@pytest.mark.parametrize(
    "words",
    [["--base-url", "nonsense"], ["--base-url", "http://api.example.com/v1"], ["--api-key-file", "/missing"]],
    ids=["no URL", "plain http", "no file"],
)
@pytest.mark.usefixtures("served")
def test_a_wrong_configuration_is_a_fault_of_its_own(scripe: Run, words: list[str]) -> None:
    ran = scripe("doctor", *words, "--json")
    assert (ran.code, ran.document["fault"]) == (2, "configuration")


@pytest.mark.parametrize(
    "words", [["--nonsense"], ["--timeout", "0"], ["--timeout", "x"]], ids=["option", "zero", "word"]
)
def test_wrong_options_are_an_error_in_one_line(scripe: Run, words: list[str]) -> None:
    ran = scripe("doctor", *words)
    assert ran.code == 2
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1


def test_help_shows_the_options(scripe: Run) -> None:
    ran = scripe("help", "doctor")
    assert ran.code == 0
    assert "--strict" in ran.out


@pytest.mark.usefixtures("served")
def test_a_ledger_that_is_missing_is_not_created(scripe: Run, tmp_path: Path) -> None:
    path = tmp_path / "season.db"
    ran = scripe("doctor", "--strict", "--ledger", str(path))
    assert ran.code == WARNED
    assert not path.exists()


@pytest.mark.usefixtures("served")
def test_a_ledger_is_looked_at(scripe: Run, tmp_path: Path) -> None:
    Ledger(tmp_path / "season.db").close()
    assert "nothing waits for a decision" in scripe("doctor", "--ledger", str(tmp_path / "season.db")).out


@pytest.mark.usefixtures("served")
def test_a_file_that_is_no_ledger_is_a_fault(scripe: Run, tmp_path: Path) -> None:
    (tmp_path / "season.db").write_text("no ledger")
    ran = scripe("doctor", "--json", "--ledger", str(tmp_path / "season.db"))
    assert (ran.code, ran.document["fault"]) == (1, "ledger_unreadable")


def test_the_report_shows_no_canary(
    scripe: Run, served: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = served.create_workspace("Canary workspace")
    monkeypatch.setenv("SCRIPE_API_KEY", served.create_key(workspace_id=workspace))
    monkeypatch.setenv("SCRIPE_LOG", "canary")
    ran = scripe("doctor", "--report", str(tmp_path / "report.md"))
    report = (tmp_path / "report.md").read_text()
    assert ran.code == 0
    assert "Canary workspace" in ran.out
    assert [canary for canary in CANARIES if canary in report] == []
    assert "BUSINESS" in report


@pytest.mark.usefixtures("served")
def test_the_document_is_made_by_the_same_writer(scripe: Run) -> None:
    ran = scripe("doctor", "--json")
    assert [canary for canary in CANARIES if canary in ran.out] == []
    assert ran.document["fault"] is None


@pytest.mark.usefixtures("served")
def test_a_report_that_cannot_be_written_is_an_error(scripe: Run, tmp_path: Path) -> None:
    ran = scripe("doctor", "--report", str(tmp_path / "missing" / "report.md"))
    assert ran.code == 2
    assert "--report" in ran.err


@pytest.fixture
def signed_in(served: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """Keep a login under the default profile, and no API key in the environment."""
    monkeypatch.delenv("SCRIPE_API_KEY")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return served


def keep_login(served: Emulator, expires_at: float, **changes: object) -> None:
    from dataclasses import replace

    from scripe._core.oauth.login import StoredLogin

    base_url = os.environ["SCRIPE_BASE_URL"]
    origin = base_url.removesuffix("/v1")
    credentials = oauth.credentials()
    token = served.create_token()
    login = StoredLogin(origin, "client", f"{origin}/oauth/token", token, "refresh-canary", ("notes:read",))
    login = replace(login, expires_at=expires_at, **changes)  # type: ignore[arg-type]
    source = credentials._source  # pyright: ignore[reportPrivateUsage]
    source.store.save(source.record_name, login.to_record())


def look_async() -> str:
    """Return the code of the credential, as an async client sees it."""

    async def look() -> str:
        async with AsyncScripe(auth=oauth.credentials()) as client:
            checks = (await client.diagnose()).checks
        return next(check.code for check in checks if check.name == "credential")

    return anyio.run(look)


def test_a_login_is_used_without_a_refresh(scripe: Run, signed_in: Emulator) -> None:
    keep_login(signed_in, time.time() + 30)
    assert scripe("doctor").code == 0
    assert [request.path for request in signed_in.requests] == ["/health", "/health/auth", "/workspaces/me"]
    assert look_async() == "ok"


def test_a_token_that_is_over_is_not_refreshed(scripe: Run, signed_in: Emulator) -> None:
    keep_login(signed_in, time.time() - 30)
    ran = scripe("doctor", "--strict")
    assert ran.code == WARNED
    assert [request.path for request in signed_in.requests] == ["/health"]
    assert look_async() == "login_expired"


def test_a_login_that_is_over_is_a_fault(scripe: Run, signed_in: Emulator) -> None:
    keep_login(signed_in, time.time() + 30, ended="revoked")
    ran = scripe("doctor", "--json")
    assert (ran.code, ran.document["fault"]) == (19, "login_over")
    assert look_async() == "login_over"


@pytest.mark.usefixtures("signed_in")
def test_a_login_that_is_missing_is_a_fault(scripe: Run) -> None:
    ran = scripe("doctor", "--json", "--profile", "nobody")
    assert (ran.code, ran.document["fault"]) == (19, "login_missing")
    assert look_async() == "login_missing"


def test_a_login_that_cannot_be_read_is_a_fault(scripe: Run, signed_in: Emulator, tmp_path: Path) -> None:
    keep_login(signed_in, time.time() + 30)
    for file in (tmp_path / "scripe" / "tokens").glob("*.json"):
        file.write_text("{")
    assert scripe("doctor", "--json").document["fault"] == "login_unreadable"
    assert look_async() == "login_unreadable"


def test_it_works_without_the_extras(served: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    for name in ("cyclopts", "rich", "platformdirs", "filelock"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('{name}', name='{name}')")
    path = f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"
    command = [sys.executable, "-m", "scripe", "doctor"]
    process = subprocess.run(
        command, capture_output=True, text=True, env={**environment, "PYTHONPATH": path}, cwd=tmp_path
    )
    assert process.stderr == ""
    assert process.returncode == 0
    assert "access        the API accepts the credential" in process.stdout


def test_the_document_is_json_in_ascii(scripe: Run, served: Emulator) -> None:
    assert json.loads(scripe("--json", "doctor").out)["format"] == 1
