"""Hundreds of jobs that finish, fail, disappear and get unknown statuses while they are polled."""

from __future__ import annotations

import pytest

from scripe import JobTimeoutError, NotFoundError
from scripe.types import Job
from tests.support.unruly import UNKNOWN, UnrulyEmulator

pytestmark = pytest.mark.anyio

COUNT = 400


@pytest.mark.parametrize("seed", [1])
async def test_each_of_hundreds_of_jobs_is_reported_once(seed: int) -> None:
    with UnrulyEmulator(COUNT, vanished=40, odd=60, seed=seed) as emulator:
        reported: list[Job] = []
        updates: list[tuple[str, str]] = []
        async with emulator.async_client() as client:
            completed = client.jobs.as_completed(
                emulator.job_ids, timeout=None, on_update=lambda job: updates.append((job.id, job.status))
            )
            for _ in range(COUNT - 40):
                reported.append(await anext(completed))  # noqa: PERF401
            with pytest.raises(NotFoundError):
                await anext(completed)
        assert len(reported) == len({job.id for job in reported}) == COUNT - 40
        assert {job.id for job in reported} == set(emulator.job_ids) - emulator.vanished
        assert all(job.is_succeeded == (emulator.ends[job.id] == "DONE") for job in reported)
        assert len(updates) == len(set(updates))
        assert {status for _, status in updates} >= {"RUNNING", "FAILED", "DONE", "COMPLETED", UNKNOWN}


@pytest.mark.parametrize("seed", [3])
async def test_wait_all_returns_hundreds_of_jobs_in_the_order_given(seed: int) -> None:
    with UnrulyEmulator(COUNT, odd=60, seed=seed) as emulator:
        async with emulator.async_client() as client:
            jobs = await client.jobs.wait_all(emulator.job_ids, timeout=None)
        assert [job.id for job in jobs] == emulator.job_ids
        assert all(job.is_finished for job in jobs)
        assert all(job.is_succeeded == (emulator.ends[job.id] == "DONE") for job in jobs)
        assert emulator.looks < COUNT / 2  # one wait each would take COUNT, and one more for each look


async def test_a_wait_that_takes_too_long_returns_all_jobs_as_last_fetched() -> None:
    with UnrulyEmulator(COUNT, odd=60) as emulator:
        async with emulator.async_client() as client:
            with pytest.raises(JobTimeoutError) as caught:
                await client.jobs.wait_all(emulator.job_ids, timeout=10)
            jobs = caught.value.jobs
            assert [job.id for job in jobs] == emulator.job_ids
            assert 0 < sum(job.is_finished for job in jobs) < COUNT
            rest = [job for job in jobs if not job.is_finished]
            assert all(job.is_finished for job in await client.jobs.wait_all(rest, timeout=None))


async def test_a_vanished_job_does_not_hold_up_the_others() -> None:
    with UnrulyEmulator(50, vanished=50) as emulator:
        async with emulator.async_client() as client:
            with pytest.raises(NotFoundError):
                await client.jobs.wait_all(emulator.job_ids)
            with pytest.raises(NotFoundError):
                await client.jobs.wait(emulator.job_ids[0])
