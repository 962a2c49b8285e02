"""Test the program as a process: what it loads, closed and full outputs, missing packages, signals."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

import scripe.cli.dispatch
from scripe.cli import help_page, main, output
from scripe.cli.input import read_file
from scripe.emulator import Emulator

from .terminal import PROGRAM, Terminal

ROOT = Path(__file__).parents[2]
HEAVY = {
    "cyclopts",
    "rich",
    "pydantic",
    "httpx",
    "httpx2",
    "tenacity",
    "asyncio",
    "re",
    "pathlib",
    "argparse",
}
FILES = ROOT / "examples" / "files"


def ran(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a piece of Python in a process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


def shell(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run bash with `scripe` as a function; a failure anywhere in a pipe is its exit code."""
    program = f'scripe() {{ {sys.executable} -m scripe "$@"; }}; set -o pipefail; {command}'
    return subprocess.run(["bash", "-c", program], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"], ["--version"]])
def test_what_needs_no_command_loads_nothing_heavy(words: list[str]) -> None:
    program = (
        "import sys; before = set(sys.modules)\nfrom scripe.cli import main\n"
        f"code = main({words!r})\nprint(*sorted(set(sys.modules) - before), file=sys.stderr)\nsys.exit(code)"
    )
    process = ran(program)
    assert process.returncode == 0
    assert process.stdout
    loaded = {name.partition(".")[0] for name in process.stderr.split()}
    assert "scripe" in loaded
    assert not loaded & HEAVY


def loaded_by(words: list[str]) -> set[str]:
    """Return the modules that a command line loads."""
    program = (
        f"import sys\nfrom scripe.cli import main\nmain({words!r})\nprint('\\n' + ' '.join(sys.modules))"
    )
    return set(ran(program).stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["posts", "list", "--help"], ["posts", "gett"], ["completion", "bash"]])
def test_what_sends_nothing_loads_no_client(words: list[str]) -> None:
    loaded = loaded_by(words)
    assert "cyclopts" in loaded
    assert not loaded & {"pydantic", "httpx", "httpx2"}


def test_a_command_loads_no_other() -> None:
    commands = {name for name in loaded_by(["notes", "get"]) if name.startswith("scripe.cli.commands.")}
    assert commands == {"scripe.cli.commands.notes"}


def test_the_page_of_commands_is_up_to_date() -> None:
    process = subprocess.run(
        [sys.executable, "scripts/help_page.py", "--check"], cwd=ROOT, capture_output=True
    )
    assert (process.returncode, process.stdout) == (0, b"scripe/cli/help.txt in step\n")


def test_the_page_of_commands_fits() -> None:
    assert max(map(len, help_page().splitlines())) < 80


def test_without_the_extra_one_line_says_what_to_install() -> None:
    block = "import sys; sys.modules['cyclopts'] = None\nfrom scripe.cli import main\n"
    process = ran(f"{block}sys.exit(main(['whoami']))")
    assert (process.returncode, process.stdout) == (2, "")
    assert (
        process.stderr
        == 'error: cyclopts is not installed. Install scripe with the extra "cli", which adds cyclopts.\n'
    )
    for_program = ran(f"{block}sys.exit(main(['whoami', '--json']))")
    assert '"type": "ImportError"' in for_program.stderr
    assert ran(f"{block}sys.exit(main([]))").stdout == help_page()


def test_an_incomplete_installation_is_reported() -> None:
    block = "import sys; sys.modules['scripe.errors'] = None\nfrom scripe.cli import main\n"
    process = ran(f"{block}sys.exit(main(['whoami']))")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith("error: ModuleNotFoundError: ")
    assert process.stderr.endswith("The installation of scripe is incomplete: install it again.\n")


def test_without_the_emulator_one_line_says_what_to_install() -> None:
    block = "import sys; sys.modules['uvicorn'] = None\nfrom scripe.cli import main\n"
    process = ran(f"{block}sys.exit(main(['emulator', '--port', '0']))")
    assert (process.returncode, process.stdout) == (2, "")
    assert (
        process.stderr
        == 'error: uvicorn is not installed. Install scripe with the extra "emulator", which adds uvicorn.\n'
    )


@pytest.mark.parametrize(
    "command",
    [
        "scripe jobs list --all",
        "scripe jobs list --all --json",
        "scripe help posts",
        "scripe completion bash",
    ],
)
def test_a_reader_that_closes_the_pipe_ends_the_program_silently(
    served: Emulator, environment: dict[str, str], command: str
) -> None:
    served.seed(jobs=2)
    process = shell(f"{command} | true", environment)
    assert process.stderr == ""
    assert process.returncode in (0, 141)  # 0 where all was written before the reader left


def test_a_pipe_that_was_closed_before(served: Emulator, environment: dict[str, str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    for words in (["--help"], ["whoami"], ["posts", "--help"], ["completion", "zsh"]):
        process = subprocess.run([*PROGRAM, *words], stdout=theirs, stderr=subprocess.PIPE, env=environment)
        assert (process.returncode, process.stderr) == (141, b"")
    os.close(theirs)


def test_the_emulator_whose_reader_left_or_never_came(environment: dict[str, str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    words = [*PROGRAM, "emulator", "--port", "0"]
    process = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE, env=environment)
    os.close(theirs)
    assert (process.returncode, process.stderr) == (141, b"")
    closed = shell("scripe emulator --openapi >&-", environment)
    assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.parametrize("words", ["--help", "whoami", "posts --help", "whoami --json"])
def test_a_closed_stdout(served: Emulator, environment: dict[str, str], words: str) -> None:
    process = shell(f"scripe {words} >&-", environment)
    assert (process.returncode, process.stderr) == (0, "")


def test_a_closed_stderr(served: Emulator, environment: dict[str, str]) -> None:
    process = shell("scripe projects get proj_x 2>&-", environment)
    assert (process.returncode, process.stdout) == (5, "")


def test_a_full_disk(served: Emulator, environment: dict[str, str]) -> None:
    process = shell("scripe whoami >/dev/full", environment)
    assert process.returncode == 1
    assert process.stderr == "error: The output cannot be written: No space left on device.\n"
    for words in ("--help", "posts --help", "completion bash", "whoami --json"):
        other = shell(f"scripe {words} >/dev/full", environment)
        assert other.returncode == 1
        assert "The output cannot be written: No space left on device." in other.stderr
        assert other.stderr.count("\n") == 1


def test_a_stderr_that_cannot_be_written(served: Emulator, environment: dict[str, str]) -> None:
    assert shell("scripe projects get proj_x 2>/dev/full", environment).returncode == 5


def full_pipe() -> tuple[int, int, int]:
    """Make a full non-blocking pipe; return its two ends, and how much is in it."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            count += os.write(theirs, b"-")
    return ours, theirs, count


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("words", "begin", "end"),
    [
        ("jobs list --all --json", '{\n  "data": [', '\n  "hasMore": false\n}\n'),
        ("jobs list --all", "job_", "Z\n"),
        ("posts --help", "Usage: scripe posts", "Show no progress bars.\n\n"),
        ("completion bash", "# Bash completion", "_scripe scripe\n"),
        ("emulator --openapi", "{", "}\n"),
        ("posts --nonsense", "error: There is no option --nonsense.", "scripe posts --help\n"),
    ],
)
def test_a_nonblocking_pipe_gets_all(
    served: Emulator, environment: dict[str, str], words: str, begin: str, end: str, unbuffered: str
) -> None:
    served.seed(jobs=150)
    ours, theirs, count = full_pipe()
    with subprocess.Popen(
        [*PROGRAM, *words.split()],
        stdout=theirs,
        stderr=theirs,
        env={**environment, "PYTHONUNBUFFERED": unbuffered},
    ) as process:
        os.close(theirs)
        time.sleep(0.5)
        with os.fdopen(ours, "rb") as pipe:
            seen = pipe.read()[count:].decode()
    assert process.returncode == (2 if "nonsense" in words else 0)
    assert (seen[: len(begin)], seen[-len(end) :]) == (begin, end)
    if words == "jobs list --all":
        assert seen.count("\n") == 150


def test_a_reader_that_closes_a_nonblocking_pipe(served: Emulator, environment: dict[str, str]) -> None:
    ours, theirs, _ = full_pipe()
    with subprocess.Popen(
        [*PROGRAM, "whoami"], stdout=theirs, stderr=subprocess.PIPE, env=environment
    ) as process:
        os.close(theirs)
        while served.requests == []:
            time.sleep(0.01)
        os.close(ours)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_nonblocking_stdin_is_read_to_its_end(served: Emulator, environment: dict[str, str]) -> None:
    theirs, ours = os.pipe()
    os.set_blocking(theirs, False)
    words = [*PROGRAM, "notes", "create", "--project-id", served.project_id, "--text-file", "-", "--json"]
    with subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        for part in (b"First.", b" Second."):
            time.sleep(0.5)
            os.write(ours, part)
        os.close(ours)
        assert process.stdout is not None
        assert json.load(process.stdout)["content"] == "First. Second."


def test_a_nonblocking_stdin_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = os.pipe()
    os.set_blocking(theirs, False)

    def write() -> None:
        os.write(ours, b"Text.")
        os.close(ours)

    with os.fdopen(theirs) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        threading.Timer(0.2, write).start()
        assert read_file(Path("-"), "--text-file") == "Text."


def test_ids_go_through_a_pipe(served: Emulator, environment: dict[str, str]) -> None:
    process = shell("scripe projects | cut -f1 | xargs -n1 echo", {**environment, "NO_COLOR": "1"})
    assert process.stdout.split()[0] == served.project_id
    assert len(process.stdout.split()) == 3


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch, violations: list[str]) -> Iterator[Emulator]:
    """Serve an emulator whose jobs do not progress."""
    with Emulator(job_speed=0) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        monkeypatch.setenv("SCRIPE_API_KEY", server.api_key)
        yield emulator


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_ctrl_c_in_a_wait_says_how_to_keep_waiting(still: Emulator, options: list[str]) -> None:
    job = still.seed(jobs=1, job_status="RUNNING").job_ids[0]
    with Terminal(["jobs", "wait", job, "-v", *options], os.environ) as terminal:
        terminal.read_until(f"GET /jobs/{job} 200")
        terminal.type("\x03")
        code, seen = terminal.read_all()
    assert code == 130
    assert "Traceback" not in seen
    wanted = (
        f'"jobIds": ["{job}"]'
        if options
        else f"{job} has not finished. To keep waiting, run: scripe jobs wait {job}\n"
    )
    assert wanted in seen


def test_sigterm_leaves_the_cursor_visible(still: Emulator) -> None:
    job = still.seed(jobs=1, job_status="RUNNING").job_ids[0]
    with Terminal(["jobs", "wait", job], os.environ) as terminal:
        terminal.read_until("Processing")
        terminal.send_signal(signal.SIGTERM)
        code, seen = terminal.read_all()
    assert code == -signal.SIGTERM
    assert "\x1b[?25l" not in seen


def test_ctrl_c_in_an_ingest_names_the_job(still: Emulator) -> None:
    words = ["sources", "ingest", str(FILES / "memo.mp3"), "--project-id", still.project_id, "-v"]
    with Terminal(words, os.environ) as terminal:
        terminal.read_until("GET /jobs/job_")
        terminal.type("\x03")
        code, seen = terminal.read_all()
    assert code == 130
    assert re.search(r"(job_\w+) has not finished\. To keep waiting, run: scripe jobs wait \1\n", seen)


def test_ctrl_c_in_a_write_shows_its_idempotency_key(
    still: Emulator, environment_of_still: dict[str, str]
) -> None:
    words = ["posts", "generate", "--project-id", still.project_id, "--text", "Hi", "--wait"]
    still.delay_next(30, path="/posts/generations")
    with Terminal(words, environment_of_still) as terminal:
        while still.count("jobs") == 0:
            time.sleep(0.01)
        terminal.type("\x03")
        code, seen = terminal.read_all()
    assert code == 130
    assert (
        "without doing anything twice, within 24 hours (with a file: about 15 minutes), add: --idempotency-key "
        in seen
    )


@pytest.fixture
def environment_of_still(still: Emulator) -> dict[str, str]:
    return dict(os.environ)


def test_an_interrupt_before_a_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(scripe.cli, "help_page", interrupted)
    assert main([]) == 130


def test_a_bug_before_a_command_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_: list[str]) -> int:
        raise RuntimeError("odd")

    monkeypatch.setattr(scripe.cli.dispatch, "dispatch", failing)
    assert main(["whoami"]) == 1
    assert capsys.readouterr().err.startswith("error: RuntimeError: odd. This is a bug in scripe. Please")
    assert main(["whoami", "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["type"] == "RuntimeError"
    assert main(["whoami", "-v"]) == 1
    assert capsys.readouterr().err.startswith("Traceback")


def test_the_arguments_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["scripe", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == "scripe 0.1.0\n"


def test_a_failure_to_write_without_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        encoding = None

        def write(self, _: str) -> None:
            raise OSError("odd")

        def fileno(self) -> int:
            return os.open(os.devnull, os.O_WRONLY)

    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(output.UnwritableOutputError, match="odd"):
        output.write_stdout("x")


@pytest.mark.parametrize("words", [["emulator"], ["--no-progress", "emulator"]])
def test_the_emulator_is_started_and_used(words: list[str], tmp_path: Path) -> None:
    command = [*PROGRAM, *words, "--port", "0", "--data", str(tmp_path / "kept")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip().removeprefix("export ") for _ in range(2)]
        environment = dict(line.split("=", 1) for line in lines)
        used = subprocess.run(
            [*PROGRAM, "whoami"], capture_output=True, text=True, env={**os.environ, **environment}
        )
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert "Acme" in used.stdout
    assert (tmp_path / "kept" / "emulator.sqlite3").exists()


def test_what_is_wrong_with_the_emulators_command_line(
    served: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def left_as_it_is(*_: object) -> None:
        """The test run keeps its own."""

    monkeypatch.setattr(signal, "signal", left_as_it_is)
    port = os.environ["SCRIPE_BASE_URL"].split(":")[2].split("/")[0]
    assert main(["emulator", "--port", port]) == 1
    taken = capsys.readouterr().err
    assert (
        taken
        == f"error: The emulator cannot start: port {port} is taken; choose another, or 0 for any free one.\n"
    )
    for wrong, why in (
        ("99999", "99999 is not a port"),
        ("x", "x is not a port"),
        ("-1", "-1 is not a port"),
    ):
        assert main(["emulator", f"--port={wrong}"]) == 2
        assert why in capsys.readouterr().err
    for wrong in ("nan", "-1", "fast", "inf"):
        assert main(["emulator", f"--speed={wrong}"]) == 2
        assert f"{wrong} is not a speed" in capsys.readouterr().err
    (tmp_path / "emulator.sqlite3").write_text("no database " * 100)
    assert main(["emulator", "--port", "0", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: The emulator cannot start: file is not a database.\n"
    assert main(["emulator", "--prot", "1"]) == 2
    assert "unrecognized arguments: --prot" in capsys.readouterr().err
    assert main(["emulator", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: scripe emulator")


def test_in_a_folder_that_was_deleted(served: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    ingest = f"scripe sources ingest {FILES / 'memo.mp3'} --project-id {served.project_id}"
    process = shell(
        f"cd {gone}; rmdir {gone}; {ingest}; scripe posts --help; scripe knowledge add --name x --text-file x",
        {**environment, "PYTHONPATH": str(ROOT)},
    )
    assert "name       memo.mp3" in process.stdout
    assert "Usage: scripe posts" in process.stdout
    assert process.stderr == "error: --text-file: x cannot be read: No such file or directory.\n"


def test_the_entry_point_is_named() -> None:
    assert importlib.util.find_spec("scripe.__main__")
    assert 'scripe = "scripe.cli:main"' in (ROOT / "pyproject.toml").read_text()


TRY = """
source <(scripe completion bash)
complete -p scripe >/dev/null || exit 1
try() {
    COMP_WORDS=(scripe "$@"); COMP_CWORD=$#; COMPREPLY=()
    _scripe scripe "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
    echo "${COMPREPLY[*]}"
}
"""


OFFERED = {
    "''": "login logout whoami projects sources notes posts knowledge jobs uploads webhooks bulk ledger oauth "
    "doctor emulator completion",
    "posts ''": "list get create update generate statuses",
    "jobs w": "wait",
    "jobs list --st": "--status",
    "jobs list --status ''": "QUEUED RUNNING DONE FAILED CANCELLED",
    "jobs list --js": "--json",
    "--js": "--json",
    "completion ''": "bash zsh fish",
    "posts create --text-file /etc/hostn": "/etc/hostname",
}


def test_bash_completes() -> None:
    """All in one shell, since each would load the script anew."""
    process = shell(TRY + "\n".join(f"try {typed}" for typed in OFFERED), dict(os.environ))
    assert (process.returncode, process.stderr) == (0, "")
    assert dict(zip(OFFERED, process.stdout.splitlines(), strict=True)) == OFFERED


@pytest.mark.parametrize(
    ("which", "texts"),
    [
        (
            "zsh",
            [
                "#compdef scripe\n",
                '  _cyclopts_scripe "$@"\n',
                "compdef _cyclopts_scripe scripe",
                "'rotate-secret:Replace the secret",
                "--idempotency-key",
                "--api-key-file",
            ],
        ),
        ("fish", ["complete -c scripe", "-a 'rotate-secret'", "-l idempotency-key", "-l api-key-file"]),
        ("bash", ["complete -o filenames -F _scripe scripe", "rotate-secret", "--idempotency-key"]),
    ],
)
def test_each_shell_has_its_script(capsys: pytest.CaptureFixture[str], which: str, texts: list[str]) -> None:
    assert main(["completion", which]) == 0
    script = capsys.readouterr().out
    assert [text for text in texts if text not in script] == []
    for quote in ("'", '"'):
        assert quote in script


def test_to_import_the_module_starts_nothing() -> None:
    assert import_module("scripe.__main__").main is main
