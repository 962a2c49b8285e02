"""Test the sources of the API key, and that it is never printed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripe.cli import main
from scripe.emulator import Emulator

from .conftest import Run
from .terminal import Terminal, seen_by_a_person


@pytest.fixture
def key(served: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return an API key that is not in the environment."""
    monkeypatch.delenv("SCRIPE_API_KEY")
    return served.api_key


def test_the_first_line_of_a_file(key: str, scripe: Run, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"  {key} \nsomething else\n")
    ran = scripe("whoami", "--api-key-file", str(file))
    assert (ran.code, ran.err) == (0, "")
    assert key not in ran.out


def test_a_file_comes_before_the_environment(
    key: str, scripe: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", "scripe_sk_test_wrong")
    (tmp_path / "key").write_text(key)
    assert scripe("--api-key-file", str(tmp_path / "key"), "whoami").code == 0


def test_stdin(key: str, scripe: Run) -> None:
    assert scripe("whoami", "--api-key-file", "-", stdin=f"{key}\n".encode()).code == 0


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (None, "--api-key-file: {} cannot be read: No such file or directory."),
        (b"", "--api-key-file: the first line of {} is empty. Write the API key into it."),
        (b"\nsecond", "--api-key-file: the first line of {} is empty. Write the API key into it."),
        (b"\xff", "--api-key-file: {} is not a text in UTF-8."),
        (b"two words", "The API key has blanks or line breaks inside. Check that only the key was pasted."),
    ],
)
def test_a_file_without_a_key(
    key: str, scripe: Run, tmp_path: Path, content: bytes | None, answer: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    ran = scripe("whoami", "--api-key-file", str(file))
    assert (ran.code, ran.err) == (2, f"error: {answer.format(file)}\n")


def test_an_empty_stdin(key: str, scripe: Run) -> None:
    ran = scripe("whoami", "--api-key-file", "-")
    assert ran.code == 2
    assert ran.err.startswith("error: --api-key-file: the first line of stdin is empty")


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_no_key_and_nobody_to_ask(
    key: str, scripe: Run, monkeypatch: pytest.MonkeyPatch, empty: str | None
) -> None:
    if empty is not None:
        monkeypatch.setenv("SCRIPE_API_KEY", empty)
    ran = scripe("whoami")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith(
        "error: There is no API key and no login. Run `scripe login`, or set SCRIPE_API_KEY, or"
    )


def test_no_stdin_at_all(
    key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["whoami"]) == 2
    assert main(["whoami", "--api-key-file", "-"]) == 2
    assert "the first line of stdin is empty" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--api-key", "KEY", "whoami"], ["whoami", "--api-key=KEY"]])
def test_never_an_argument(key: str, scripe: Run, words: list[str]) -> None:
    typed = [word.replace("KEY", key) for word in words]
    for ran in (scripe(*typed), scripe("--json", *typed)):
        assert (ran.code, ran.out) == (2, "")
        assert "There is no option --api-key: other users of this machine" in ran.err
        assert key not in ran.err


def test_a_key_in_a_wrong_place_is_not_printed(key: str, scripe: Run) -> None:
    for words in (["whoami", key], [key], ["whoami", f"--{key}"], ["projects", "get", "x", key]):
        ran = scripe(*words)
        assert ran.code == 2
        assert key not in ran.err


def test_after_two_hyphens_it_is_a_text(served: Emulator, scripe: Run) -> None:
    assert "There is no option --api-key" not in scripe("projects", "get", "--", "--api-key").err


def test_a_person_is_asked_and_the_key_is_not_seen(key: str, environment: dict[str, str]) -> None:
    with Terminal(["whoami"], environment) as terminal:
        terminal.read_until("Scripe API key (SCRIPE_API_KEY is not set; scripe login signs in instead): ")
        terminal.type(f"{key}\n")
        code, seen = terminal.read_all()
    assert code == 0
    assert "Acme" in seen
    assert key not in seen


@pytest.mark.parametrize("typed", ["\n", "\x04"])
def test_a_person_who_has_none(key: str, environment: dict[str, str], typed: str) -> None:
    with Terminal(["whoami"], environment) as terminal:
        terminal.read_until("instead): ")
        terminal.type(typed)
        code, seen = terminal.read_all()
    assert code == 2
    assert "error: No API key was entered." in seen


def test_ctrl_c_at_the_question(key: str, environment: dict[str, str]) -> None:
    with Terminal(["whoami"], environment) as terminal:
        terminal.read_until("instead): ")
        terminal.type("\x03")
        code, seen = terminal.read_all()
    assert code == 130
    assert "Traceback" not in seen


def test_nobody_is_asked_where_there_is_a_key(served: Emulator, environment: dict[str, str]) -> None:
    code, seen = seen_by_a_person(["whoami"], environment)
    assert code == 0
    assert "not set" not in seen
