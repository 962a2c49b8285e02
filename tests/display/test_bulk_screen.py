"""Test what people see of a bulk run: on a terminal, in a notebook, and where nothing can be redrawn."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Any, ClassVar

import IPython
import pytest
from freezegun import freeze_time
from rich.console import Console
from rich.live import Live

from scripe import _progress
from scripe._bulk_screen import BulkScreen, bulk_screen
from scripe.types import BulkProgress
from scripe.types.bulk import Limit
from tests.display.terminal import BrokenTerminal, Terminal, watched

NOW = datetime(2026, 12, 1, 20, 48, tzinfo=UTC)
FILE = "/home/mara/season 4/ep0034.mp3"


def progress(**fields: Any) -> BulkProgress:
    """Make the progress of a run of 4,000 files, of which a part has been done."""
    states = {"done": 1204, "planned": 2781, "submitted": 12, "refused": 3}
    usual: dict[str, Any] = {
        "files": 4000,
        "bytes_total": 120 * 10**9,
        "states": states,
        "bytes_sent": 41 * 10**9,
        "calls_per_minute": 96,
    }
    return BulkProgress(**{**usual, **fields})


def drawn(width: int = 80, **fields: Any) -> list[str]:
    """Return the lines that a terminal of a width shows of a progress."""
    screen, console = BulkScreen(), Console(width=width, record=True, file=Terminal())
    screen.progress = progress(**fields)
    console.print(screen)
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_files_are_counted_by_state() -> None:
    assert drawn()[0] == "1,204 of 4,000 files done, 12 submitted, 3 refused"


def test_one_file_is_a_file() -> None:
    assert drawn(files=1, states={"done": 1})[0] == "1 of 1 file done"


def test_states_come_in_the_order_of_the_work() -> None:
    states = dict.fromkeys(("unknown", "cancelled", "failed", "refused", "stored", "sending", "submitted"), 1)
    assert drawn(200, files=7, states=states)[0].split(", ")[1:] == [
        "1 submitted",
        "1 sending",
        "1 stored",
        "1 refused",
        "1 failed",
        "1 cancelled",
        "1 unknown",
    ]


@pytest.mark.parametrize(
    ("files", "states", "shown"),
    [
        pytest.param(
            4000, {"done": 1204, "refused": 3, "planned": 2793}, "30%", id="what has ended, well or not"
        ),
        pytest.param(1000, {"done": 999, "submitted": 1}, "99%", id="rounded down"),
        pytest.param(2, {"done": 1, "unknown": 1}, "100%", id="all"),
        pytest.param(2, {"done": 3}, "100%", id="never more than all"),
        pytest.param(0, {}, "100%", id="nothing to do"),
    ],
)
def test_the_bar_shows_the_files_that_have_ended(files: int, states: dict[str, int], shown: str) -> None:
    assert drawn(files=files, states=states)[1].split()[-1] == shown


def test_never_more_bytes_than_there_are() -> None:
    assert drawn(bytes_sent=10**12)[2] == "120.0 GB of 120.0 GB sent"


def test_the_speed_of_the_upload() -> None:
    assert drawn(bytes_per_second=12_400_000.0)[2] == "41.0 GB of 120.0 GB sent, 12.4 MB/s"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param({}, "", id="not known"),
        pytest.param({"cap_cents": 5000}, ", 5,000 cents a day", id="the cap"),
        pytest.param(
            {"cap_cents": 5000, "cents_per_file": 10}, ", 5,000 cents a day at 10 a file", id="the price"
        ),
    ],
)
def test_the_limits(fields: dict[str, int], shown: str) -> None:
    assert drawn(**fields)[3] == f"up to 96 calls a minute{shown}"


@pytest.mark.parametrize("limit", ["rate limit", "spend cap", "upload"])
def test_the_time_left_names_what_limits_it(limit: Limit) -> None:
    lines = drawn(seconds_left=7800.0, limited_by=limit)
    assert lines[4] == f"about 2 h 10 min left, limited by the {limit}"


def test_less_than_a_minute_left() -> None:
    lines = drawn(seconds_left=59.0, limited_by="rate limit")
    assert lines[4] == "under 1 min left, limited by the rate limit"


@pytest.mark.parametrize(
    ("jobs", "shown"), [(1, "waiting for 1 job to end"), (2, "waiting for 2 jobs to end")]
)
def test_the_last_jobs_are_waited_for(jobs: int, shown: str) -> None:
    assert drawn(states={"submitted": jobs})[4] == shown


def test_a_run_that_is_over_has_no_time_left() -> None:
    assert len(drawn(states={"done": 4000})) == 4


@pytest.mark.parametrize(
    ("wait", "shown"),
    [
        pytest.param(timedelta(hours=3, minutes=12), "waiting for 00:00 UTC (3 h 12 min)", id="today"),
        pytest.param(
            timedelta(hours=27, minutes=12), "waiting for 2026-12-03 00:00 UTC (27 h 12 min)", id="later"
        ),
        pytest.param(timedelta(seconds=-20), "waiting for 20:47 UTC (under 1 min)", id="over"),
    ],
)
def test_the_wait_for_the_reset_of_the_spend_cap_is_told_in_words(wait: timedelta, shown: str) -> None:
    with freeze_time(NOW):
        line = drawn(waiting_until=NOW + wait, seconds_left=9.0, limited_by="spend cap")[4]
    assert line == f"{shown}, when the spend cap is reset"


def test_the_latest_errors_fit_on_a_line_each() -> None:
    errors = (
        f"{FILE}: The file has no sound: it is empty.",
        f"{'x' * 99}.mp3: It is too large.",
        "UNREADABLE_FILE",
    )
    assert drawn(width=40, last_errors=errors)[-3:] == [
        "  ep0034.mp3: The file has no sound: it…",
        f"  {'x' * 23}…: It is too l…",
        "  UNREADABLE_FILE",
    ]


def test_a_name_of_a_file_is_neither_markup_nor_a_control_character() -> None:
    lines = drawn(last_errors=("/in/[red]a\x1b]0;title\x07\n.mp3: It is empty.",))
    assert lines[-1] == "  [red]a ]0;title .mp3: It is empty."


@pytest.mark.parametrize("width", [20, 40, 80])
def test_all_words_are_seen_on_a_narrow_terminal(width: int) -> None:
    fields = {"bytes_per_second": 1e7, "cap_cents": 5000, "cents_per_file": 10}
    lines = drawn(width=width, seconds_left=7800.0, limited_by="rate limit", **fields)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert [
        word
        for word in " ".join(drawn(200, seconds_left=7800.0, limited_by="rate limit", **fields)).split()
        if word not in words and "━" not in word
    ] == []


# A terminal


def test_the_last_state_stays_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with bulk_screen() as update:
        update(progress())
        update(progress(states={"done": 4000}))
    assert "4,000 of 4,000 files done" in "\n".join(terminal.text.splitlines()[-6:])


def test_a_run_that_has_reported_nothing_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with pytest.raises(ZeroDivisionError), bulk_screen():
        raise ZeroDivisionError
    assert "files" not in terminal.text


def test_a_terminal_that_fails_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    watched(monkeypatch, BrokenTerminal())
    monkeypatch.setattr(Live, "start", lambda self: 1 / 0)  # pyright: ignore
    with bulk_screen() as update:
        update(progress())


# A notebook


def in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shell:
        kernel = object()

    monkeypatch.setattr(IPython, "get_ipython", Shell)


def test_a_notebook_shows_it_at_most_ten_times_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_a_notebook(monkeypatch)
    with bulk_screen() as update:
        for _ in range(50):
            update(progress())
    assert (
        capsys.readouterr().out.count("1,204 of 4,000") <= 2
    )  # IPython prints texts where there is no notebook


def test_a_notebook_shows_each_state_that_lasts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_a_notebook(monkeypatch)
    monkeypatch.setattr(_progress, "NOTEBOOK_INTERVAL", 0)
    with bulk_screen() as update:
        update(progress(states={"done": 7}))
        update(progress(states={"done": 8}))
    out = capsys.readouterr().out
    assert "7 of 4,000" in out
    assert "8 of 4,000" in out


def html(**fields: Any) -> str:
    screen = BulkScreen()
    screen.progress = progress(**fields)
    return screen._repr_html_()  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "part",
    [
        "<strong>1,204 of 4,000 files done, 12 submitted, 3 refused</strong>",
        "</progress> 30%",
        "limited by the rate limit",
        "a&lt;b&gt;.mp3: It is empty.",
    ],
)
def test_html_shows_the_same(part: str) -> None:
    assert part in html(
        seconds_left=99.0, limited_by="rate limit", last_errors=("/in/a<b>.mp3: It is empty.",)
    )


def test_html_of_a_run_that_has_reported_nothing() -> None:
    assert BulkScreen()._repr_html_() == ""  # pyright: ignore[reportPrivateUsage]


def test_a_terminal_asks_before_the_first_report() -> None:
    console = Console(record=True, file=Terminal())
    console.print(BulkScreen())
    assert console.export_text().strip() == ""


# Elsewhere


def lines_after(monkeypatch: pytest.MonkeyPatch, *seconds: float, **fields: Any) -> list[str]:
    """Report a progress at each of these times, to a pipe; return what was written."""
    pipe = Terminal()
    monkeypatch.setattr(pipe, "isatty", lambda: False)
    monkeypatch.setattr(sys, "stderr", pipe)
    with monkeypatch.context() as times, bulk_screen() as update:
        for number, now in enumerate(seconds):
            times.setattr(time, "monotonic", partial(float, now))
            update(progress(states={"done": number}, **fields))
    return pipe.text.splitlines()


def test_a_pipe_gets_a_line_a_minute_and_a_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_after(monkeypatch, 0, 1, 59, 60, 61, 121, 122)
    assert [line.split(" of ")[0] for line in lines] == ["0", "3", "5", "6"]


def test_a_line_has_all_figures_but_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = lines_after(monkeypatch, 0, seconds_left=7800.0, limited_by="upload")
    assert line == (
        "0 of 4,000 files done; 41.0 GB of 120.0 GB sent; up to 96 calls a minute; "
        "about 2 h 10 min left, limited by the upload"
    )


def test_the_last_line_is_not_written_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(lines_after(monkeypatch, 0)) == 1


def test_an_error_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_after(monkeypatch, 0, 60, last_errors=(f"{FILE}: It is empty.",))
    assert ["last error: ep0034.mp3: It is empty." in line for line in lines] == [True, False]


def test_a_run_without_a_report_writes_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_after(monkeypatch) == []


def test_a_closed_stderr_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Terminal()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    with bulk_screen() as update:
        update(progress())


def test_without_rich_there_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scripe._live_display", None)
    terminal = watched(monkeypatch)
    with bulk_screen() as update:
        update(progress())
    assert terminal.text.splitlines()[-1].startswith("1,204 of 4,000 files done")


def test_beside_a_live_display_of_the_callers_there_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    theirs = Console(file=terminal, force_terminal=True)
    with Live("theirs", console=theirs), bulk_screen() as update:
        update(progress())
    assert "1,204 of 4,000 files done, 12 submitted" in terminal.text
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
    with bulk_screen() as update:
        update(progress())
    assert terminal.text.startswith("above it: 1,204 of 4,000 files done")
