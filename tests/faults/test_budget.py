"""Far over the budget, no call is lost and hardly one refused; `scripts/budget` runs the same in real time.

Time runs faster here, so that latency counts for more than it does: throughput is measured by the command.
"""

from __future__ import annotations

import pytest

from tests.faults.budget import Work, processes, run, tasks, threads, trio_tasks


@pytest.mark.parametrize("work", [threads, tasks, trio_tasks])
def test_threads_and_tasks_of_one_client_lose_no_call_and_are_hardly_refused(work: Work) -> None:
    tally = run(work, windows=2, factor=15)
    assert (tally.wanted, tally.lost) == (240, 0)
    assert (
        tally.refused_share < 0.05
    )  # time runs 15 times as fast here; `scripts/budget` measures it in real time
    assert tally.seconds >= 59  # or the budget was not kept at all


def test_processes_lose_no_call() -> None:
    tally = run(processes, windows=2, factor=15)
    assert (tally.wanted, tally.lost) == (240, 0)
    assert tally.seconds >= 59
