from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from scripe._format import format_duration, format_moment, format_size, shorten
from scripe._progress import Task
from scripe.types import Job, Progress


class ManualClock:
    """A clock that a test sets by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def job(job_id: str, status: str) -> Job:
    return Job(id=job_id, type="POST_GENERATION", status=status, created_at=datetime(2026, 1, 1, tzinfo=UTC))


def stages(task: Task) -> list[tuple[str, float | None, str, str]]:
    return [(stage.label, stage.fraction, stage.detail, task.format_elapsed(stage)) for stage in task.stages]


def test_one_line_for_each_stage_with_its_own_time() -> None:
    clock = ManualClock()
    task = Task("podcast.m4a", clock)
    assert stages(task) == [("Working", None, "", "0:00")]
    clock.now = 2.0
    task.update(Progress("uploading", 0.25, 1_000_000, 4_000_000))
    clock.now = 4.0
    task.update(Progress("uploading", 0.5, 2_000_000, 4_000_000))
    assert stages(task) == [("Upload", 0.5, "2.0 MB of 4.0 MB, 1.0 MB/s", "0:02")]
    task.update(Progress("queued", None, 4_000_000, 4_000_000))
    clock.now = 74.0
    task.update(Progress("running", 0.4, 4_000_000, 4_000_000, "Writing\x1b[2J it\ndown"))
    assert stages(task)[1:] == [
        ("Queue", 1.0, "", "1:10"),
        ("Processing", 0.4, "Writing [2J it down", "0:00"),
    ]
    task.update(Progress("done", 1.0, 4_000_000, 4_000_000))
    clock.now = 76.0
    task.finish(ok=True)
    clock.now = 99.0
    assert stages(task) == [
        ("Upload", 1.0, "2.0 MB of 4.0 MB, 1.0 MB/s", "0:02"),
        ("Queue", 1.0, "", "1:10"),
        ("Processing", 1.0, "", "0:02"),
    ]


def test_an_upload_that_starts_again_has_a_new_rate() -> None:
    clock = ManualClock()
    task = Task("file", clock)
    task.update(Progress("uploading", 0.9, 9_000, 10_000))
    clock.now = 10.0
    task.update(Progress("uploading", 0.1, 1_000, 10_000))
    assert task.stages[0].detail == "1.0 kB of 10.0 kB"
    clock.now = 12.0
    task.update(Progress("uploading", 0.2, 2_000, 10_000))
    assert task.stages[0].detail == "2.0 kB of 10.0 kB, 1.0 kB/s"


def test_a_job_that_is_queued_again_has_one_line_a_stage() -> None:
    task = Task("job", ManualClock())
    for stage in ("queued", "running", "queued", "running"):
        task.update(Progress(stage))
    assert [stage.label for stage in task.stages] == ["Queue", "Processing"]


def test_a_failed_task_keeps_its_progress() -> None:
    task = Task("job", ManualClock())
    task.update(Progress("running", 0.3, message="Thinking"))
    task.finish(ok=False)
    assert [(stage.fraction, stage.detail, stage.is_ok) for stage in task.stages] == [
        (0.3, "Thinking", False)
    ]


def test_many_jobs_are_counted() -> None:
    task = Task("jobs", ManualClock())
    task.update_count([], 0)
    assert task.stages[0].fraction is None
    task.update_count([job("a", "DONE"), job("b", "RUNNING"), job("c", "FAILED")], 4)
    assert [stage[:3] for stage in stages(task)] == [("Jobs", 0.5, "2 of 4, 1 failed or cancelled")]
    task.update_count([job("a", "COMPLETED")], 1_000)
    assert task.stages[0].detail == "1 of 1,000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (format_size(0), "0 B"),
        (format_size(999), "999 B"),
        (format_size(1_000), "1.0 kB"),
        (format_size(45_000_000), "45.0 MB"),
        (format_size(1_500_000_000), "1.5 GB"),
        (format_size(2_500_000_000_000_000), "2,500.0 TB"),
        (format_duration(-3), "0:00"),
        (format_duration(7.9), "0:07"),
        (format_duration(754), "12:34"),
        (format_duration(3_723), "1:02:03"),
        (
            format_moment(datetime(2026, 5, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))),
            "2026-04-30 23:30 UTC",
        ),
        (shorten("a\n\tb\x07\x9bc", 10), "a b c"),
        (shorten("12345678901", 10), "123456789…"),
    ],
)
def test_format(text: str, expected: str) -> None:
    assert text == expected
