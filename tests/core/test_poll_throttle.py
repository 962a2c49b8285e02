import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripe._core.poll_throttle import PollThrottle, poll_interval

SLOW = ["KB_INGEST_TEXT", "KB_INGEST_FILE", "KB_INGEST_URL", "KB_INGEST_YOUTUBE", "SOURCE_INGEST_FILE"]


@pytest.mark.parametrize("job_type", ["POST_GENERATION", "UNKNOWN", *SLOW])
def test_any_job_is_looked_at_every_second_at_first(job_type: str) -> None:
    assert [poll_interval([job_type], waited) for waited in (0.0, 29.9)] == [1.0, 1.0]


@pytest.mark.parametrize("job_type", SLOW)
def test_ingests_are_looked_at_every_5_s_once_30_s_have_passed(job_type: str) -> None:
    assert [poll_interval([job_type], waited) for waited in (30.0, 900.0)] == [5.0, 5.0]


@pytest.mark.parametrize("job_type", ["POST_GENERATION", "UNKNOWN"])
def test_other_jobs_are_looked_at_every_second_to_the_end(job_type: str) -> None:
    assert poll_interval([job_type], 900.0) == 1.0
    assert poll_interval([job_type, "KB_INGEST_TEXT"], 900.0) == 1.0


@given(
    limit=st.one_of(st.none(), st.integers(2, 300)),
    gaps=st.lists(st.sampled_from([0.0, 0.1, 1.0, 7.0, 61.0]), min_size=1, max_size=400),
)
def test_polling_never_takes_more_than_half_the_budget_in_any_60_s(
    limit: int | None, gaps: list[float]
) -> None:
    pacer, now, looks = PollThrottle(), 1000.0, list[float]()
    for gap in gaps:
        now += gap
        looks.append(now + pacer.reserve(now, limit))
    half = (limit or 120) // 2
    for first, after in zip(looks, looks[half:], strict=False):
        assert after - first > 60.0 - 1e-6


def test_a_single_wait_keeps_its_pace_within_the_documented_budget() -> None:
    pacer = PollThrottle()
    assert [pacer.reserve(float(now), None) for now in range(100)] == [0.0] * 100


def test_looks_of_many_waits_stand_in_one_line() -> None:
    pacer = PollThrottle()
    assert [pacer.reserve(0.0, 120) for _ in range(4)] == [0.0, 1.0, 2.0, 3.0]


def test_a_line_that_stood_still_owes_nothing() -> None:
    pacer = PollThrottle()
    pacer.reserve(0.0, 120)
    assert [pacer.reserve(500.0, 120) for _ in range(2)] == [0.0, 1.0]
