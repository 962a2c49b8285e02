"""What a bulk run decides: what an error means, when to look for jobs, when to pause and when to stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scripe import (
    APIConnectionError,
    AuthenticationError,
    ConflictError,
    FileMissingError,
    FilesFailedError,
    LedgerConflictError,
    LedgerError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    ScripeError,
    ServerError,
    UnprocessableEntityError,
    UnsettledWriteError,
    UploadError,
    UploadIntegrityError,
    UploadTooLargeError,
)
from scripe._core.bulk import (
    FIRST_ALIKE,
    FIRST_POLL_PAUSE,
    LONGEST_OUTAGE,
    LONGEST_POLL_PAUSE,
    CapReached,
    FileTries,
    PollPace,
    RunControl,
    RunStopped,
    SpeedMeter,
    Verdict,
    allowed_calls,
    count_requests,
    describe_error,
    estimate_time,
    file_key,
    judge,
    request_seconds,
)
from scripe._core.request import Request
from scripe.types import Job

MIDNIGHT = datetime(2026, 5, 2, tzinfo=UTC)
READ, WRITE = Request("GET", "/jobs", Job), Request("POST", "/sources", Job)


def make_control(*, stop_at_cap: bool = False, workers: int = 8) -> RunControl:
    return RunControl(rate_limit_share=0.8, stop_at_cap=stop_at_cap, workers=workers)


VERDICTS: dict[Verdict, list[ScripeError]] = {
    "stop": [
        AuthenticationError("No.", status_code=401),
        PermissionDeniedError("No.", status_code=403),
        LedgerError("No."),
    ],
    "retry": [
        APIConnectionError("No.", retryable=True),
        ServerError("No.", status_code=500, retryable=True),
        NotFoundError("No.", status_code=404),
        UploadIntegrityError("No.", retryable=True),
    ],
    "refuse": [
        UnprocessableEntityError("No.", status_code=422),
        PayloadTooLargeError("No.", status_code=413),
        ConflictError("No.", status_code=409),
        UploadTooLargeError("No."),
        UploadError("No."),
        FileMissingError("No."),
        LedgerConflictError("No."),
    ],
    "leave": [UnsettledWriteError("No.")],
}


@pytest.mark.parametrize(
    ("verdict", "error"),
    [(verdict, error) for verdict, errors in VERDICTS.items() for error in errors],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_stops_the_run_or_concerns_its_file(verdict: Verdict, error: ScripeError) -> None:
    assert judge(error) == verdict


@pytest.mark.parametrize(
    ("error", "tries", "verdict"),
    [
        (ServerError("No.", status_code=500, retryable=True), 4, "retry"),
        (ServerError("No.", status_code=500, retryable=True), 5, "leave"),
        (NotFoundError("No.", status_code=404), 2, "stop"),
    ],
    ids=["not too often", "too often", "the project is gone"],
)
def test_tries_of_one_file_come_to_an_end(error: ScripeError, tries: int, verdict: Verdict) -> None:
    assert judge(error, tries) == verdict


def test_a_failure_counts_only_if_other_files_were_sent_meanwhile() -> None:
    tries, error = FileTries(), ServerError("No.", status_code=500, retryable=True)
    assert [tries.record(error, 0) for _ in range(20)] == ["retry"] * 20
    assert [tries.record(error, sent) for sent in range(1, 5)] == ["retry", "retry", "retry", "leave"]


def test_a_file_is_tried_again_after_pauses_that_grow_to_a_minute() -> None:
    tries, pauses = FileTries(), list[float]()
    for _ in range(8):
        tries.record(ServerError("No.", status_code=500, retryable=True), 0)
        pauses.append(tries.pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("error", "code", "request_id"),
    [
        (
            UnprocessableEntityError("No.", status_code=422, code="unprocessable", request_id="req_1"),
            "unprocessable",
            "req_1",
        ),
        (UploadIntegrityError("No."), "changed", None),
        (UploadError("No."), "not_sent", None),
    ],
    ids=["of the API", "of a kind", "another"],
)
def test_an_error_has_a_code_for_the_report(error: ScripeError, code: str, request_id: str | None) -> None:
    assert describe_error(error) == (code, "No.", request_id)


def test_the_key_of_a_file_depends_on_content_and_project_alone() -> None:
    assert file_key("proj_1", "aa") == file_key("proj_1", "aa")
    assert len({file_key("proj_1", "aa"), file_key("proj_2", "aa"), file_key("proj_1", "ab")}) == 3


@pytest.mark.parametrize(
    ("limit", "share", "calls"), [(120, 0.8, 96), (None, 0.8, 96), (120, 1, 120), (5, 0.1, 1), (7, 0.5, 3)]
)
def test_a_share_of_the_rate_limit_is_whole_calls_and_at_least_one(
    limit: int | None, share: float, calls: int
) -> None:
    assert allowed_calls(limit, share) == calls


@pytest.mark.parametrize(("files", "requests"), [(0, 0), (1, 11), (500, 1013), (100_000, 201_008)])
def test_a_run_takes_two_requests_for_each_file_and_a_page_for_a_hundred(files: int, requests: int) -> None:
    assert count_requests(files) == requests


@pytest.mark.parametrize(("requests", "seconds"), [(0, 0), (96, 0), (97, 60), (192, 60), (193, 120)])
def test_the_requests_of_a_window_go_at_once(requests: int, seconds: float) -> None:
    assert request_seconds(requests, 96) == seconds


@pytest.mark.parametrize(
    ("size", "cents", "limit"),
    [(0, None, "rate limit"), (10**9, None, "upload"), (10**9, 10, "spend cap")],
)
def test_the_longest_time_decides(size: int, cents: int | None, limit: str) -> None:
    assert estimate_time(1000, size, 96, 1e5, cents, 5000).limited_by == limit


def test_nothing_left_takes_no_time() -> None:
    assert estimate_time(0, 0, 96, 1e5, 10, 5000).limited_by is None


# Pause and stop


def test_nothing_begins_after_a_stop() -> None:
    control = make_control()
    control.check(WRITE)
    control.stop()
    with pytest.raises(RunStopped):
        control.check(READ)


def test_at_the_spend_cap_only_reads_go_on() -> None:
    control = make_control()
    control.reach_cap(MIDNIGHT, 30)
    control.check(READ)
    with pytest.raises(CapReached):
        control.check(WRITE)
    assert control.is_idle


def test_writes_go_on_after_the_reset_and_a_pause_of_ones_own() -> None:
    control = make_control()
    control.reach_cap(MIDNIGHT, 30)
    assert control.cap_wait(MIDNIGHT.timestamp()) == 30
    assert control.cap_resets_at == MIDNIGHT
    assert control.cap_wait(MIDNIGHT.timestamp() + 30) == 0
    control.check(WRITE)
    assert control.cap_resets_at is None


def test_a_run_that_stops_at_the_spend_cap_keeps_its_reset() -> None:
    control = make_control(stop_at_cap=True)
    control.reach_cap(MIDNIGHT, 30)
    assert control.cap_wait((MIDNIGHT + timedelta(days=1)).timestamp()) == 0
    assert control.cap_resets_at == MIDNIGHT
    with pytest.raises(RunStopped):
        control.check()


def test_a_run_is_idle_without_workers() -> None:
    control = make_control(workers=1)
    assert not control.is_idle
    control.leave()
    assert control.is_idle


def test_a_success_ends_an_outage() -> None:
    control = make_control()
    assert not control.is_hopeless(0)
    control.record_sent()
    assert not control.is_hopeless(LONGEST_OUTAGE)
    assert control.is_hopeless(2 * LONGEST_OUTAGE)


@pytest.mark.parametrize(
    ("errors", "stops"),
    [
        (["a"] * FIRST_ALIKE, True),
        (["a"] * (FIRST_ALIKE - 1), False),
        ([*["a"] * (FIRST_ALIKE - 1), "b"], False),
        ([None, *["a"] * 2 * FIRST_ALIKE], False),
        ([None] * FIRST_ALIKE, False),
    ],
    ids=["alike", "one too few", "another one", "one success", "successes"],
)
def test_the_first_ends_stop_the_run_if_they_are_all_one_error(errors: list[str | None], stops: bool) -> None:
    control, stopped = make_control(), False
    for error in errors:
        try:
            control.record_end(error)
        except FilesFailedError:
            stopped = True
    assert stopped == stops


# When to look for jobs


def test_the_first_look_is_soon_and_later_ones_are_rarer() -> None:
    pace, now = PollPace(), 0.0
    looks: list[float] = []
    while now < 7200:
        if pace.is_due(now, 0, is_idle=True):
            pace.record(now, 0, 1)
            looks.append(now)
        now += 1
    assert looks[0] == FIRST_POLL_PAUSE
    assert looks[-1] - looks[-2] == LONGEST_POLL_PAUSE
    assert len(looks) < 40


def test_a_look_of_several_pages_is_paid_for_by_as_many_hundred_files() -> None:
    pace = PollPace(pause=1000)
    assert pace.is_due(1, 100, is_idle=False)
    pace.record(1, 100, 3)
    assert not pace.is_due(2, 399, is_idle=False)
    assert pace.is_due(2, 400, is_idle=False)


def test_looks_are_frequent_again_when_nothing_more_is_sent() -> None:
    pace = PollPace(pause=1000)
    assert not pace.is_due(FIRST_POLL_PAUSE, 0, is_idle=False)
    assert pace.is_due(FIRST_POLL_PAUSE, 0, is_idle=True)


def test_a_look_for_nothing_does_not_make_later_ones_rarer() -> None:
    pace = PollPace()
    pace.record(1, 0, 0)
    assert pace.pause == FIRST_POLL_PAUSE


# How fast


def test_the_speed_is_that_of_the_last_minute() -> None:
    meter = SpeedMeter()
    meter.add(0, 10**9)
    meter.add(100, 600)
    meter.add(110, 400)
    assert meter.rate(120) == 50


def test_a_speed_needs_a_second_of_measurement() -> None:
    meter = SpeedMeter()
    assert meter.rate(0) == 0
    meter.add(0, 100)
    assert meter.rate(0.5) == 0


def test_pauses_between_uploads_do_not_count_as_slow() -> None:
    meter = SpeedMeter()
    meter.add(10, 500, began=9)
    meter.add(50, 500, began=49)
    assert meter.upload_speed(60) == 500


def test_uploads_at_the_same_time_add_up() -> None:
    meter = SpeedMeter()
    meter.add(12, 300, began=10)
    meter.add(13, 300, began=11)
    meter.add(12, 300, began=11)
    assert meter.upload_speed(20) == 300


def test_what_took_no_time_says_nothing_about_the_speed() -> None:
    meter = SpeedMeter()
    meter.add(10, 500)
    assert meter.upload_speed(20) == 0
