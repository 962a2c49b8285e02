"""Test where bars are shown, and that they disturb nothing elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import ClassVar

import IPython
import pytest
from rich.console import Console
from rich.live import Live

from scripe import _progress
from scripe._live_display import LiveDisplay
from scripe._progress import NotebookBars, Task, count_bar, detect_output, progress_bars
from scripe.types import Progress
from tests.display.terminal import Terminal, watched

SENT = Progress("uploading", 1.0, 10, 10)


def closed() -> Terminal:
    terminal = Terminal()
    terminal.close()
    return terminal


@pytest.mark.parametrize("stream", [lambda: None, closed])
def test_no_bars_without_an_open_terminal(
    monkeypatch: pytest.MonkeyPatch, stream: Callable[[], Terminal | None]
) -> None:
    monkeypatch.setattr(sys, "stderr", stream())
    assert detect_output() == "none"
    with progress_bars("file") as see:
        see(SENT)


def test_no_bars_on_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    assert detect_output() == "terminal"
    monkeypatch.setenv("TERM", "dumb")
    assert detect_output() == "none"
    with progress_bars("file") as see:
        see(SENT)
    assert terminal.text == ""


def test_without_rich_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scripe._live_display", None)
    _progress._report_missing_rich.cache_clear()  # pyright: ignore[reportPrivateUsage]
    terminal = watched(monkeypatch)
    for _ in range(2):
        with progress_bars("file") as see:
            see(SENT)
    assert (
        terminal.text
        == 'scripe: progress bars on a terminal need rich. Install the extra "progress" of scripe to see them.\n'
    )


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with progress_bars("file") as see:
        see(SENT)
    assert "\x1b[1m" in terminal.text  # bold is no colour
    assert "\x1b[3" not in terminal.text
    assert "\x1b[38;" not in terminal.text


def test_calls_at_the_same_time_share_one_live_display(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with progress_bars("first.txt") as first:
        first(SENT)
        with progress_bars("second.txt") as second:
            second(SENT)
            assert terminal.text.count("✓ Upload") == 0
        assert terminal.text.count("✓ Upload") == 1  # what has ended stays above what goes on
    assert terminal.text.count("✓ Upload") == 2


@pytest.mark.parametrize("stdout_too", [True, False])
def test_inside_a_live_display_of_the_callers_there_are_lines(
    monkeypatch: pytest.MonkeyPatch, *, stdout_too: bool
) -> None:
    terminal = watched(monkeypatch)
    theirs = Console(file=terminal, force_terminal=True)
    with Live("theirs", console=theirs, redirect_stdout=stdout_too, redirect_stderr=not stdout_too):
        with progress_bars("file") as see:
            see(Progress("queued"))
            see(Progress("running", message="Writing"))
            assert "file: ✓ Queue 0:00\n" in terminal.text
        with suppress(ZeroDivisionError), progress_bars("other") as see:
            see(SENT)
            raise ZeroDivisionError
        with pytest.raises(ZeroDivisionError), progress_bars("void"):
            raise ZeroDivisionError
    assert "file: ✓ Processing 0:00\n" in terminal.text
    assert "other: ✗ Upload 0:00 10 B of 10 B\n" in terminal.text
    assert terminal.text.count("Queue") == 1
    assert "void" not in terminal.text
    assert "━" not in terminal.text


def test_beside_bars_of_tqdm_there_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tqdm:
        _instances: ClassVar[list[str]] = ["a bar that is shown"]

        @staticmethod
        def write(line: str, file: Terminal) -> None:
            file.write(f"above it: {line}\n")

    terminal, module = watched(monkeypatch), ModuleType("tqdm")
    module.__dict__["tqdm"] = Tqdm
    monkeypatch.setitem(sys.modules, "tqdm", module)
    with progress_bars("file") as see:
        see(SENT)
    assert terminal.text == "above it: file: ✓ Upload 0:00 10 B of 10 B\n"
    Tqdm.__dict__["_instances"].clear()
    with progress_bars("file") as see:
        see(SENT)
    assert "━" in terminal.text


@pytest.mark.parametrize("size", ["0", "²"])
def test_an_invalid_terminal_size_is_ignored(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    terminal = watched(monkeypatch)
    monkeypatch.setenv("COLUMNS", size)
    with progress_bars("file") as see:
        see(SENT)
    assert "✓ Upload     ━━━━━" in terminal.text


def test_the_cursor_is_never_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with progress_bars("file") as see:
        see(SENT)
    assert "\x1b[?25l" not in terminal.text


def test_a_live_display_that_cannot_start_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with monkeypatch.context() as broken:
        broken.setattr(Live, "start", lambda self: 1 / 0)  # pyright: ignore
        with progress_bars("first.txt") as see:
            see(SENT)
    with progress_bars("second.txt") as see:
        see(SENT)
    assert "first.txt" not in terminal.text
    assert "✓ Upload" in terminal.text


def test_a_terminal_without_an_encoding_or_with_a_narrow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    monkeypatch.setattr(Terminal, "encoding", None)
    with progress_bars("first.txt") as see:
        see(SENT)
    assert "✓ Upload" in terminal.text
    monkeypatch.setattr(Terminal, "encoding", "ascii")
    with progress_bars("second.txt") as see:
        see(SENT)
    assert "? Upload" in terminal.text


def test_what_calls_itself_ipython_and_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    watched(monkeypatch)
    assert detect_output() == "terminal"


def test_a_task_that_fails_early_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with pytest.raises(ZeroDivisionError), progress_bars("first.txt"):
        raise ZeroDivisionError
    assert "✗" not in terminal.text


def test_a_live_display_starts_empty_after_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, item = watched(monkeypatch), "file"
    display = LiveDisplay()
    display.add(item)
    live, stderr = display.__dict__["_live"], sys.stderr
    assert stderr is not terminal
    display.reset_after_fork()
    assert sys.stderr is terminal
    display.remove(item, keep=True)
    display.reset_after_fork()
    monkeypatch.setattr(sys, "stderr", stderr)
    live.stop()


def test_a_child_process_has_its_own_live_display(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with progress_bars("parent.txt") as see:
        see(SENT)
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                own = watched(monkeypatch)
                with progress_bars("child.txt") as see_in_child:
                    see_in_child(SENT)
                os._exit(0 if "✓ Upload" in own.text and sys.stderr is own else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
    assert "✓ Upload" in terminal.text


def test_lines_that_a_program_prints_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, output = watched(monkeypatch), Terminal()
    monkeypatch.setattr(sys, "stdout", output)
    with progress_bars("file") as see:
        see(SENT)
        print("meanwhile")
    assert "meanwhile" in terminal.text
    assert output.text == ""


def test_output_that_goes_into_a_file_stays_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = watched(monkeypatch)
    with progress_bars("file") as see:
        see(SENT)
        print("result")
    assert capsys.readouterr().out == "result\n"
    assert "result" not in terminal.text


def test_one_id_twice_is_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with count_bar(["job_1", "job_1"]):
        pass
    assert "0 of 1" in terminal.text


def test_titles_are_neither_markup_nor_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with progress_bars("[red]a\x1b]0;title\x07.m4a"):
        pass
    assert "[red]a ]0;title .m4a" in terminal.text


def test_the_client_loads_no_display() -> None:
    program = (
        "import sys; from scripe.emulator import Emulator\n"
        "with Emulator() as emulator, emulator.client() as client:\n"
        "    upload = client.uploads.upload_file(b'text', content_type='text/plain')\n"
        "    client.sources.create_file_and_wait(project_id=emulator.project_id, upload_id=upload.id)\n"
        "display = ('scripe._html', 'scripe._progress', 'scripe._live_display', 'IPython', 'pandas')\n"
        "print([name for name in sys.modules if name.startswith(display)])"
    )
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout == b"[]\n"


def test_bars_of_a_notebook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Shell:
        kernel = object()

    monkeypatch.setattr(IPython, "get_ipython", Shell)
    with progress_bars("file") as see:
        see(SENT)  # too soon after the first to be drawn
    assert capsys.readouterr().out.splitlines() == ["file: Working", "file: Upload 10 B of 10 B"]
    monkeypatch.setattr(_progress, "NOTEBOOK_INTERVAL", 0)
    with progress_bars("file") as see:
        see(SENT)
    assert capsys.readouterr().out.splitlines() == ["file: Working", *["file: Upload 10 B of 10 B"] * 2]
    with pytest.raises(ZeroDivisionError), progress_bars("file"):
        raise ZeroDivisionError
    void = Task("file")
    void.finish(ok=False)
    assert NotebookBars(void)._repr_html_() == ""  # pyright: ignore[reportPrivateUsage]
    task = Task("file")
    assert '<progress max="1" style' in NotebookBars(task)._repr_html_()  # pyright: ignore[reportPrivateUsage]
    task.update(SENT)
    task.finish(ok=False)
    assert "✗ Upload" in NotebookBars(task)._repr_html_()  # pyright: ignore[reportPrivateUsage]
