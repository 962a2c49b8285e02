"""`scripe bulk …` as a process: Ctrl-C and SIGTERM while files are sent, going on afterwards, the screen."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scripe.emulator import Emulator
from tests.cli.conftest import Run, add_files
from tests.cli.terminal import PROGRAM, Terminal, without_colours

pytestmark = pytest.mark.usefixtures("hurried")
PERCENTAGE = re.compile(r"(\d+)%")
COUNT = re.compile(r"([\d,]+) of ([\d,]+) files? done")


class Process:
    """A `scripe bulk` in a process, which hears Ctrl-C even if this one does not."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [*PROGRAM, "bulk", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=hear_ctrl_c,
        )

    def stop(self, *numbers: int) -> tuple[int, str, float]:
        """Send signals, half a second apart; return the exit code, stderr and the seconds that it took."""
        began = time.monotonic()
        for number in numbers:
            self._process.send_signal(number)
            time.sleep(0.5)
        _, errors = self._process.communicate(timeout=60)
        return self._process.returncode, errors, time.monotonic() - began


def hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def count_requests(emulator: Emulator, method: str, path: str) -> int:
    return sum(request.method == method and request.path.startswith(path) for request in emulator.requests)


def wait_for(emulator: Emulator, method: str, path: str, count: int = 1) -> None:
    """Wait until requests have come."""
    until = time.monotonic() + 60
    while count_requests(emulator, method, path) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    return str(tmp_path / "import.db")


@pytest.fixture
def words(served: Emulator, folder: Path, ledger: str) -> list[str]:
    """Return the words of an import of twenty files."""
    add_files(folder, 20)
    return ["ingest", str(folder), "--project-id", served.project_id, "--ledger", ledger]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_import_ends_soon_and_the_same_command_goes_on(
    served: Emulator, environment: dict[str, str], words: list[str], scripe: Run, number: int
) -> None:
    served.delay_next(1.5, method="POST", path="/sources", times=4)
    process = Process(words, environment)
    wait_for(served, "POST", "/sources", 4)
    code, errors, seconds = process.stop(number)
    assert code == 130
    assert errors.splitlines()[-1].startswith(
        "Nothing is done twice: to go on, run the same command again: scripe bulk ingest --ledger"
    )
    assert "Traceback" not in errors
    assert seconds < 5
    assert 0 < served.count("jobs") < 20
    command = errors.splitlines()[-1].partition("again: scripe ")[2].split()
    ran = scripe(*command)
    assert (ran.code, ran.out) == (0, "20 files: 20 done\n")
    assert served.count("sources") == served.count("jobs") == 20
    assert all(done <= files for done, files in counts(ran.err))


def counts(text: str) -> list[tuple[int, int]]:
    """Return the files that are done, and all files, of each line."""
    return [(int(done.replace(",", "")), int(files.replace(",", ""))) for done, files in COUNT.findall(text)]


def test_ctrl_c_cuts_large_uploads(
    served: Emulator, environment: dict[str, str], folder: Path, words: list[str]
) -> None:
    add_files(folder, 8, 100_000_000)
    process = Process([*words, "--concurrency", "8"], environment)
    wait_for(served, "POST", "/uploads", 8)
    code, _, seconds = process.stop(signal.SIGINT)
    assert code == 130
    assert seconds < 5


def test_a_response_that_does_not_come_is_waited_for_5_seconds(
    served: Emulator, environment: dict[str, str], words: list[str]
) -> None:
    served.delay_next(60, method="POST", path="/sources", times=99)
    process = Process(words, environment)
    wait_for(served, "POST", "/sources", 8)
    code, _, seconds = process.stop(signal.SIGTERM)
    served.clear_faults()
    assert code == 130
    assert 4 < seconds < 8


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_second_signal_leaves_at_once(
    served: Emulator, environment: dict[str, str], words: list[str], scripe: Run, number: int
) -> None:
    served.delay_next(60, method="POST", path="/sources", times=8)
    process = Process(words, environment)
    wait_for(served, "POST", "/sources", 8)
    code, errors, seconds = process.stop(number, number)
    assert code == 130
    assert seconds < 3
    assert "Traceback" not in errors
    assert scripe("bulk", *words).code == 0
    assert served.count("sources") == 20


def test_an_interrupted_retry_goes_on(
    served: Emulator, environment: dict[str, str], folder: Path, words: list[str], scripe: Run, ledger: str
) -> None:
    served.fail_next(422, method="POST", path="/sources", times=19)
    assert scripe("bulk", *words, "--concurrency", "1").code == 15
    served.delay_next(1.5, method="POST", path="/sources", times=2)
    before = count_requests(served, "POST", "/sources")
    process = Process(
        ["retry", "--ledger", ledger, "--concurrency", "1", "--code", "unprocessable"], environment
    )
    wait_for(served, "POST", "/sources", before + 2)
    assert process.stop(signal.SIGTERM)[0] == 130
    ran = scripe("bulk", "retry", "--ledger", ledger, "--code", "unprocessable")
    assert ran.code == 0
    assert served.count("sources") == 20


def test_a_long_list_is_read_as_it_is_used(
    served: Emulator, environment: dict[str, str], folder: Path, ledger: str
) -> None:
    words = [
        *PROGRAM,
        "bulk",
        "ingest",
        "--files-from",
        "-",
        "--project-id",
        served.project_id,
        "--ledger",
        ledger,
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        process.stdin.write(b"/nowhere/x.mp3\n" * 20_000)
        process.stdin.flush()
        wait_for(served, "GET", "/workspaces/me")
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 130


# At a terminal


@pytest.mark.parametrize("width", [80, 40])
def test_at_a_terminal_there_is_a_screen_that_fits(
    served: Emulator, environment: dict[str, str], words: list[str], width: int
) -> None:
    served.delay_next(1, method="POST", path="/sources", times=20)
    with Terminal(["bulk", *words, "--concurrency", "2"], environment, width) as terminal:
        terminal.read_until("2 submitted")
        seen = terminal.seen.partition("nothing is known to it yet.")[2]
        terminal.type("\x03")
        assert terminal.read_all()[0] == 130
    lines = re.split(r"[\r\n]|\x1b\[\d*[A-K]", without_colours(seen))
    assert "up to 96 calls a minute" in seen
    assert max(map(len, lines)) <= width


def test_after_a_resume_no_figure_is_above_all(
    served: Emulator, environment: dict[str, str], words: list[str], scripe: Run
) -> None:
    served.delay_next(0.7, method="POST", path="/sources", times=40)
    seen = ""
    for count in (2, 4):
        with Terminal(["bulk", *words, "--concurrency", "2"], environment) as terminal:
            terminal.read_until(f"{count} submitted")
            terminal.type("\x03")
            code, text = terminal.read_all()
        assert code == 130
        seen += without_colours(text)
    served.clear_faults()
    seen += scripe("bulk", *words).err
    assert "20 of 20 files done" in seen
    assert all(done <= files for done, files in counts(seen))
    assert all(int(percentage) <= 100 for percentage in PERCENTAGE.findall(seen))


def test_the_wait_for_the_spend_cap_is_seen(
    served: Emulator, environment: dict[str, str], words: list[str]
) -> None:
    served.set_spend(5000)
    with Terminal(["bulk", *words], environment) as terminal:
        terminal.read_until("waiting for 00:00 UTC (")
        terminal.type("\x03")
        code, seen = terminal.read_all()
    assert code == 130
    assert "5,000 cents a day" in seen
