"""Run each command of the command line's page and the README, and compare its output with the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripe.cli import exit_codes
from scripe.emulator import Emulator

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guides" / "command-line.md"
BETWEEN = "-- next --"
VARYING = [
    (re.compile(r"\b(org|key|proj|src|post|job|kb|req|note|upl|whe)_[0-9a-f]{16}\b"), r"\1_…"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d\.\d{3})?(Z| UTC)"), "2026-…Z"),
    (re.compile(r"/\S*/(season\.db|import\.db|talks/\S+)"), r"…/\1"),
]


def is_of_the_command_line(block: str) -> bool:
    """Return whether a console block is run here, in one shell, and compared with what it shows."""
    return "scripe " in block and "$ scripts/" not in block and "python -m scripe.emulator" not in block


def commands_in(document: Path) -> list[tuple[str, str]]:
    """Return the `scripe` commands in a document, each with the output that it shows."""
    blocks: list[str] = re.findall(r"```console\n(.*?)```", document.read_text(), re.DOTALL)
    pairs: list[tuple[str, str]] = []
    for block in blocks:
        if is_of_the_command_line(block):
            command, *rest = re.split(r"^\$ ", block, flags=re.MULTILINE)
            assert command == ""
            pairs += [(first, after) for first, _, after in (part.partition("\n") for part in rest)]
    return pairs


def same(text: str) -> str:
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text.strip()


@pytest.mark.parametrize("document", [PAGE, ROOT / "README.md"], ids=lambda path: path.name)
def test_every_command_of_the_page_shows_this_output(document: Path, tmp_path: Path) -> None:
    pairs = commands_in(document)
    assert pairs
    program = tmp_path / "scripe"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m scripe "$@"\n')
    program.chmod(0o755)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    script = f"\necho '{BETWEEN}'\n".join(command for command, _ in pairs)
    with Emulator(job_speed=1000) as emulator, emulator.serve() as server:
        process = subprocess.run(
            ["bash", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=tmp_path,
            env={
                **os.environ,
                "PATH": f"{tmp_path}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "HOME": str(tmp_path),
                "SCRIPE_BASE_URL": server.base_url,
                "SCRIPE_API_KEY": server.api_key,
            },
        )
    outputs = [same(part) for part in process.stdout.split(BETWEEN)]
    assert outputs == [same(output) for _, output in pairs]


def test_the_table_of_exit_codes_is_complete() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.*?) ?\|$", PAGE.read_text(), re.MULTILINE)
    wanted = [
        (
            str(row.number),
            row.meaning,
            ", ".join(f"`{kind.__name__}`" for kind in row.errors if kind.__module__ == "scripe.errors"),
        )
        for row in exit_codes.TABLE
    ]
    assert rows == wanted


def test_every_option_of_every_command_is_documented() -> None:
    page = (ROOT / "scripe" / "cli" / "help.txt").read_text()
    options = set(re.findall(r"^  (--[a-z-]+)", page.partition("Options of every command:")[2], re.MULTILINE))
    assert options
    section = PAGE.read_text().partition("## Options of every command")[2]
    assert {option for option in options if f"`{option}" not in section} == set()
