"""Every block of code in README and docs runs: code cells when the docs are built, all others here.

Blocks of Python run in this process, those of one page with the names of the blocks before them; shell commands run in
bash. Both find an emulator behind `SCRIPE_BASE_URL`, its key in `SCRIPE_API_KEY`, and the files that the pages name.
"""

from __future__ import annotations
import __future__

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trustme

import scripe
import scripe.emulator as scripe_emulator
from scripe import Scripe
from scripe.emulator import Emulator
from tests.cli.test_command_line_docs import is_of_the_command_line

ROOT = Path(__file__).parents[1]
BESIDE_THE_DOCS = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *BESIDE_THE_DOCS])
FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>[^\n`]*)\n(?P<code>.*?)^(?P=indent)(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
SHELLS = {"bash", "console", "sh"}
SHOWN_ONLY = {"text", "json"}
"""Languages of blocks without code: output, or an object."""

CANNOT_RUN = {
    "pip install": "needs a package index",
    "scripts/": "each is a check of its own, and a long one",
}
"""First words of commands that are not run here, and why."""

UNTIL_INTERRUPTED = ("python -m scripe.emulator --port 8787",)
"""First words of commands that run until Ctrl-C. Their port is replaced, since it may be taken."""

EXCERPTS = {"CONTRIBUTING.md": "scripe/_async/resources/notes.py"}
"""Pages whose Python is not a program but an excerpt of this file."""

SHOWS = {
    "README.md": [
        "[The emulator does not recognise speech.",
        "What is your take?",
        "report.pdf Done\nletter.docx Done\n",
        "404 not_found req_",
    ],
    "docs/guides/design-notes.md": [
        "build_request makes more than twice as many function calls: True",
        "Async generator 'httpx._content.ByteStream.__aiter__'",
        "The child was ended by SIGALRM",
        "[None, 'session=of-the-first-key']",
        "The shield has saved []",
        "The thread has saved ['the new token']",
        "Old tokens were saved: False",
    ],
}
"""Texts that the Python of a page prints."""


@dataclass(frozen=True)
class Block:
    page: str
    language: str
    code: str

    @property
    def commands(self) -> list[str]:
        """The shell commands; in a `console` block they begin with `$`, and their output stands between them."""
        lines = re.sub(r"\\\n", "", self.code).splitlines()
        if self.language == "console":
            return [line[2:] for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip()]


def blocks() -> Iterator[Block]:
    for path in PAGES:
        for match in FENCE.finditer(path.read_text()):
            if not match["language"].startswith("{"):
                yield Block(
                    str(path.relative_to(ROOT)), match["language"].strip(), textwrap.dedent(match["code"])
                )


BLOCKS = list(blocks())
# Tests are run as tests, by tests/testing/test_pages.py.
PROGRAMS = {
    page: [
        block.code
        for block in BLOCKS
        if block.page == page and block.language == "python" and "def test_" not in block.code
    ]
    for page in sorted({block.page for block in BLOCKS if block.language == "python"})
    if page not in EXCERPTS
}
COMMANDS = [
    (block.page, command)
    for block in BLOCKS
    if block.language in SHELLS and not is_of_the_command_line(block.code)
    for command in block.commands
]


def can_run(command: str) -> bool:
    return not command.startswith((*CANNOT_RUN, *UNTIL_INTERRUPTED))


@pytest.fixture
def emulator(violations: list[str]) -> Iterator[Emulator]:
    with Emulator(job_speed=100) as emulator:
        yield emulator


@pytest.fixture
def folder(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a folder with all files that the pages name, and an environment that leads to the emulator."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "recordings").symlink_to(ROOT / "examples" / "files")
    (tmp_path / "podcast.m4a").write_bytes((ROOT / "examples/files/memo.mp3").read_bytes())
    trustme.CA().issue_cert("client.example.com").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "client.pem"
    )
    monkeypatch.chdir(tmp_path)
    with emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        yield tmp_path


def fill_in(code: str, emulator: Emulator) -> str:
    """Replace the placeholders for the reader's own values."""
    return code.replace("proj_…", emulator.project_id).replace("scripe_sk_live_…", emulator.api_key)


def execute(code: str, name: str, space: dict[str, object]) -> None:
    flags = __future__.annotations.compiler_flag
    try:
        exec(compile(code, name, "exec", flags), space)
    finally:
        for client in [value for value in space.values() if isinstance(value, Scripe)]:
            client.close()


@pytest.mark.parametrize("page", PROGRAMS)
def test_python_runs(page: str, folder: Path, emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    space: dict[str, object] = {"__name__": "page"}
    for number, code in enumerate(PROGRAMS[page], 1):
        execute(fill_in(code, emulator), f"<{page}, block {number}>", space)
    printed = capsys.readouterr().out
    assert [text for text in SHOWS.get(page, ()) if text not in printed] == []


@pytest.mark.parametrize("module", [scripe, scripe_emulator], ids=["scripe", "scripe.emulator"])
def test_the_example_in_a_docstring_runs(module: ModuleType, folder: Path, emulator: Emulator) -> None:
    example = re.search(
        r"(?:^    .*\n|^\n)+", (module.__doc__ or "").replace(".. code-block:: python", ""), re.MULTILINE
    )
    assert example
    execute(fill_in(textwrap.dedent(example.group()), emulator), f"<{module.__name__}>", {})


@pytest.mark.parametrize(("page", "command"), [item for item in COMMANDS if can_run(item[1])])
def test_commands_run(page: str, command: str, folder: Path, emulator: Emulator) -> None:
    process = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", fill_in(command, emulator)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(
    "command", sorted({text for _, text in COMMANDS if text.startswith(UNTIL_INTERRUPTED)})
)
def test_commands_run_until_interrupted(command: str, folder: Path) -> None:
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}
    arguments = command.replace("8787", "0").split()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=unbuffered) as process:
        assert process.stdout
        printed = process.stdout.readline() + process.stdout.readline()
        process.send_signal(signal.SIGINT)
    assert "SCRIPE_BASE_URL=" in printed
    assert "SCRIPE_API_KEY=" in printed
    assert process.returncode == 0


@pytest.mark.parametrize("page", EXCERPTS)
def test_excerpts_are_in_the_file(page: str) -> None:
    source = textwrap.dedent((ROOT / EXCERPTS[page]).read_text())
    excerpts = [block.code for block in BLOCKS if block.page == page and block.language == "python"]
    assert excerpts
    assert [code for code in excerpts if textwrap.indent(code.strip(), "    ") not in source] == []


def test_each_block_names_its_language() -> None:
    """A block without a language would not be run."""
    known = {"python"} | SHELLS | SHOWN_ONLY
    assert [block for block in BLOCKS if block.language not in known] == []


def test_commands_that_cannot_run_exist() -> None:
    commands = [command for _, command in COMMANDS]
    unused = [
        start for start in (*CANNOT_RUN, *UNTIL_INTERRUPTED) if not any(c.startswith(start) for c in commands)
    ]
    assert unused == []
    scripts = [command.split()[0] for command in commands if command.startswith("scripts/")]
    assert [script for script in scripts if not os.access(ROOT / script, os.X_OK)] == []


def test_pages_with_code_cells_are_run_when_the_docs_are_built() -> None:
    """myst-nb runs only the cells of pages that name a kernel."""
    with_cells = [path for path in PAGES if "```{code-cell}" in path.read_text()]
    assert with_cells
    assert [path for path in with_cells if "kernelspec:" not in path.read_text().split("---")[1]] == []


def test_the_functions_for_error_reporters_remove_the_query_of_a_signed_link() -> None:
    """Imitate how the httpx integration of Sentry records a request; Sentry itself is not installed here."""
    (code,) = [program for program in PROGRAMS["SECURITY.md"] if "before_breadcrumb" in program]
    space: dict[str, Any] = {}
    execute(code, "<SECURITY.md>", space)

    def recorded() -> dict[str, Any]:
        url = "https://bucket.s3.amazonaws.com/file"
        data = {"method": "PUT", "url": url, "http.query": "X-Amz-Signature=hush", "status_code": 200}
        return {"type": "http", "category": "httplib", "data": data}

    crumb = space["before_breadcrumb"](recorded(), {})
    event = space["before_send_transaction"]({"type": "transaction", "spans": [recorded(), {}]}, {})
    assert "hush" not in f"{crumb} {event}"
    assert crumb["data"]["url"] == event["spans"][0]["data"]["url"] == "https://bucket.s3.amazonaws.com/file"
    assert space["before_breadcrumb"]({"category": "query", "data": None}, {}) == {
        "category": "query",
        "data": None,
    }
    assert space["before_send_transaction"]({"type": "transaction"}, {}) == {"type": "transaction"}
