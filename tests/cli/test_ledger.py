"""`--ledger`, and `scripe ledger …`."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripe.emulator import Emulator
from tests.cli.conftest import Ran, Run

Create = tuple[str, ...]


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    return str(tmp_path / "season.db")


def create_note(scripe: Run, served: Emulator, ledger: str, *, text: str = "Idea.") -> Ran:
    project, key = ("--project-id", served.project_id), ("--idempotency-key", "one")
    return scripe("notes", "create", *project, "--text", text, *key, "--ledger", ledger)


def test_the_same_command_again_shows_what_was_made(scripe: Run, served: Emulator, ledger: str) -> None:
    first, second = (create_note(scripe, served, ledger) for _ in range(2))
    assert second.id == first.id
    served.assert_sent("POST", "/notes", times=1)


def test_other_options_conflict(scripe: Run, served: Emulator, ledger: str) -> None:
    create_note(scripe, served, ledger)
    ran = create_note(scripe, served, ledger, text="Another.")
    assert ran.code == 2
    assert "content" in ran.err


def test_a_ledger_needs_a_key(scripe: Run, served: Emulator, ledger: str) -> None:
    ran = scripe("notes", "create", "--project-id", served.project_id, "--text", "x", "--ledger", ledger)
    assert ran.code == 2
    assert "--idempotency-key" in ran.err
    served.assert_nothing_sent()


def test_list_shows_the_keys(scripe: Run, served: Emulator, ledger: str) -> None:
    made = create_note(scripe, served, ledger)
    ran = scripe("ledger", "list", "--ledger", ledger)
    assert ran.out.split("\t")[:2] == ["one", "POST /notes"]
    (item,) = scripe("ledger", "list", "--ledger", ledger, "--state", "done", "--json").document["data"]
    assert item["resultId"] == made.id
    assert scripe("ledger", "list", "--ledger", ledger, "--state", "failed").err == "The list is empty.\n"


def test_retry_makes_another(scripe: Run, served: Emulator, ledger: str) -> None:
    first = create_note(scripe, served, ledger)
    assert scripe("ledger", "retry", "one", "--ledger", ledger).code == 0
    assert create_note(scripe, served, ledger).id != first.id


def test_settle_says_what_was_made(scripe: Run, served: Emulator, ledger: str) -> None:
    note = scripe("notes", "create", "--project-id", served.project_id, "--text", "Before.")
    Path(ledger).touch()
    assert scripe("ledger", "settle", "one", "--result-id", note.id, "--ledger", ledger).code == 0
    assert create_note(scripe, served, ledger).id == note.id


def test_backup_writes_a_copy(scripe: Run, served: Emulator, ledger: str, tmp_path: Path) -> None:
    create_note(scripe, served, ledger)
    copy = str(tmp_path / "copy.db")
    scripe("ledger", "backup", copy, "--ledger", ledger)
    assert scripe("ledger", "list", "--ledger", copy).out.startswith("one\t")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("list",), id="no ledger"),
        pytest.param(("list", "--ledger", "nowhere.db"), id="a ledger that does not exist"),
        pytest.param(("settle", "one"), id="neither result nor again"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(scripe: Run, words: tuple[str, ...]) -> None:
    assert scripe("ledger", *words).code == 2


def test_what_cannot_be_known_has_an_exit_code_and_names_the_command(
    scripe: Run, served: Emulator, ledger: str
) -> None:
    scripe_text = ("sources", "create", "--project-id", served.project_id, "--text", "Words.")
    rest = ("--idempotency-key", "one", "--ledger", ledger)
    served.drop_next(method="POST", path="/sources", times=3)
    ran = scripe(*scripe_text, *rest)
    assert ran.code == 11
    assert "same command" in ran.err
    served.clock.advance(25 * 3600)
    ran = scripe(*scripe_text, *rest)
    assert ran.code == 16
    assert "scripe ledger settle one --send-again" in ran.err


def test_after_the_spend_cap_the_same_command_makes_it(scripe: Run, served: Emulator, ledger: str) -> None:
    page = (
        "knowledge",
        "add",
        "--url",
        "https://example.com",
        "--idempotency-key",
        "one",
        "--ledger",
        ledger,
    )
    served.set_spend(5000)
    ran = scripe(*page)
    assert ran.code == 8
    assert "T00:00Z: run the same command then.\n" in ran.err
    served.set_spend(0)
    assert scripe(*page).code == 0


def test_a_thing_that_is_gone_names_the_command(scripe: Run, served: Emulator, ledger: str) -> None:
    create_note(scripe, served, ledger)
    served.fail_next(404, method="GET", path="/notes/")
    ran = create_note(scripe, served, ledger)
    assert ran.code == 5
    assert "scripe ledger retry one" in ran.err


def test_a_key_in_two_workspaces_is_told_apart(
    scripe: Run, served: Emulator, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = served.create_workspace()
    create_note(scripe, served, ledger)
    monkeypatch.setenv("SCRIPE_API_KEY", served.create_key(workspace_id=other))
    project = scripe("projects", "--limit", "1", "--json").document["data"][0]["id"]
    key = ("--idempotency-key", "one", "--ledger", ledger)
    scripe("notes", "create", "--project-id", project, "--text", "Idea.", *key)
    assert scripe("ledger", "retry", "one", "--ledger", ledger).code == 2
    assert scripe("ledger", "retry", "one", "--ledger", ledger, "--workspace-id", other).code == 0
