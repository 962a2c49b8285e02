"""A sample of the matrix, drawn by a seed; `scripts/faults` runs it whole."""

from __future__ import annotations

import threading

import pytest

from tests.faults.matrix import Verdict, run, sample
from tests.faults.table import FAULTS

COUNT = 2 * len(FAULTS)

# Before Python 3.13, `ssl` does not close a socket that was reset right before its handshake; the interpreter does.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return list(run(sample(COUNT, seed=7), workers=12))


def test_in_each_cell_nothing_is_lost_doubled_or_left_open(verdicts: list[Verdict]) -> None:
    assert [f"{each.cell.name}: {problem}" for each in verdicts for problem in each.problems] == []


def test_the_sample_shows_something(verdicts: list[Verdict]) -> None:
    """Faults met calls, some calls came out right under them and some did not, and writes were counted."""
    assert {each.cell.fault.name for each in verdicts} == {fault.name for fault in FAULTS}
    assert sum(each.was_met for each in verdicts) > 0.9 * len(verdicts)
    assert 0.1 < sum(not each.error for each in verdicts) / len(verdicts) < 0.9
    assert sum(sum(each.records.values()) for each in verdicts) >= 30


def test_a_seed_draws_the_same_sample() -> None:
    assert [cell.name for cell in sample(50, seed=3)] == [cell.name for cell in sample(50, seed=3)]
    assert [cell.name for cell in sample(50, seed=3)] != [cell.name for cell in sample(50, seed=4)]


def test_no_thread_is_left(verdicts: list[Verdict]) -> None:
    assert verdicts
    assert not [thread.name for thread in threading.enumerate() if "scripe" in thread.name]
