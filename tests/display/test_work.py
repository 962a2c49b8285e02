from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from scripe._format import duration, moment, one_line, size
from scripe.display.work import Work
from scripe.types import Job, Progress


class Hands:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def job(job_id: str, status: str) -> Job:
    return Job(id=job_id, type="POST_GENERATION", status=status, created_at=datetime(2026, 1, 1, tzinfo=UTC))


def lines(work: Work) -> list[tuple[str, float | None, str, str]]:
    return [(line.label, line.fraction, line.detail, work.elapsed(line)) for line in work.lines]


def test_one_line_for_each_stage_with_its_own_time() -> None:
    clock = Hands()
    work = Work("podcast.m4a", clock)
    assert lines(work) == [("Working", None, "", "0:00")]
    clock.now = 2.0
    work.see(Progress("uploading", 0.25, 1_000_000, 4_000_000))
    clock.now = 4.0
    work.see(Progress("uploading", 0.5, 2_000_000, 4_000_000))
    assert lines(work) == [("Upload", 0.5, "2.0 MB of 4.0 MB, 1.0 MB/s", "0:02")]
    work.see(Progress("queued", None, 4_000_000, 4_000_000))
    clock.now = 74.0
    work.see(Progress("running", 0.4, 4_000_000, 4_000_000, "Writing\x1b[2J it\ndown"))
    assert lines(work)[1:] == [("Queue", 1.0, "", "1:10"), ("Processing", 0.4, "Writing [2J it down", "0:00")]
    work.see(Progress("done", 1.0, 4_000_000, 4_000_000))
    clock.now = 76.0
    work.end(well=True)
    clock.now = 99.0
    assert lines(work) == [
        ("Upload", 1.0, "2.0 MB of 4.0 MB, 1.0 MB/s", "0:02"),
        ("Queue", 1.0, "", "1:10"),
        ("Processing", 1.0, "", "0:02"),
    ]


def test_the_rate_of_an_upload_that_is_sent_anew_starts_anew() -> None:
    clock = Hands()
    work = Work("file", clock)
    work.see(Progress("uploading", 0.9, 9_000, 10_000))
    clock.now = 10.0
    work.see(Progress("uploading", 0.1, 1_000, 10_000))
    assert work.lines[0].detail == "1.0 kB of 10.0 kB"
    clock.now = 12.0
    work.see(Progress("uploading", 0.2, 2_000, 10_000))
    assert work.lines[0].detail == "2.0 kB of 10.0 kB, 1.0 kB/s"


def test_a_job_that_is_queued_again_has_one_line_a_stage() -> None:
    work = Work("job", Hands())
    for stage in ("queued", "running", "queued", "running"):
        work.see(Progress(stage))
    assert [line.label for line in work.lines] == ["Queue", "Processing"]


def test_work_that_ends_badly_keeps_how_far_it_was() -> None:
    work = Work("job", Hands())
    work.see(Progress("running", 0.3, message="Thinking"))
    work.end(well=False)
    assert [(line.fraction, line.detail, line.went_well) for line in work.lines] == [(0.3, "Thinking", False)]


def test_many_jobs_are_counted() -> None:
    work = Work("jobs", Hands())
    work.count([], 0)
    assert work.lines[0].fraction is None
    work.count([job("a", "DONE"), job("b", "RUNNING"), job("c", "FAILED")], 4)
    assert [line[:3] for line in lines(work)] == [("Jobs", 0.5, "2 of 4, 1 not well")]
    work.count([job("a", "COMPLETED")], 1_000)
    assert work.lines[0].detail == "1 of 1,000"


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (size(0), "0 B"),
        (size(999), "999 B"),
        (size(1_000), "1.0 kB"),
        (size(45_000_000), "45.0 MB"),
        (size(1_500_000_000), "1.5 GB"),
        (size(2_500_000_000_000_000), "2,500.0 TB"),
        (duration(-3), "0:00"),
        (duration(7.9), "0:07"),
        (duration(754), "12:34"),
        (duration(3_723), "1:02:03"),
        (moment(datetime(2026, 5, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))), "2026-04-30 23:30 UTC"),
        (one_line("a\n\tb\x07\x9bc", 10), "a b c"),
        (one_line("12345678901", 10), "123456789…"),
    ],
)
def test_plain(shown: str, wanted: str) -> None:
    assert shown == wanted
