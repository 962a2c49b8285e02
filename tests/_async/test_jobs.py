"""Waits for jobs: when they poll, how many requests they send, and how they end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripe import (
    APITimeoutError,
    AsyncScripe,
    InvalidArgumentError,
    Job,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    NotCancellableError,
    NotFoundError,
    ScripeError,
    ServerError,
)
from scripe.emulator import Emulator
from tests.support import shapes
from tests.support.clock import AsyncSleeplessClock
from tests.support.server import BREAK, Received, Reply, ScriptedServer, error, json_reply

pytestmark = pytest.mark.anyio


def job_responses(*states: dict[str, object]) -> list[Reply]:
    return [json_reply({"data": state}) for state in states]


def queued_job(job_id: str = "job_1", **fields: object) -> Job:
    return Job.model_validate(shapes.job(job_id, **fields))  # type: ignore[arg-type]


async def test_a_job_is_waited_for(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    running_job = shapes.job(status="RUNNING", progress={"progress": 0.4, "message": "Reading"})
    server.script(*job_responses(shapes.job(), running_job, running_job, shapes.job(status="DONE")))
    updates: list[Job] = []
    job = await async_client.jobs.wait(queued_job(), on_update=updates.append)
    assert job.is_succeeded
    assert (job.result and job.result.source_id) == "src_1"
    assert [update.status for update in updates] == ["RUNNING", "DONE"]
    assert len(server.received) == 4


async def test_an_id_is_looked_at_without_delay(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(*job_responses(shapes.job(status="DONE")))
    await async_client.jobs.wait("job_1")
    assert async_clock.sleeps == []


async def test_a_finished_job_costs_nothing(async_client: AsyncScripe, server: ScriptedServer) -> None:
    assert (await async_client.jobs.wait(queued_job(status="DONE"))).is_succeeded
    assert (await async_client.jobs.wait_all([queued_job(status="FAILED")]))[0].is_failed
    assert server.received == []


@pytest.mark.parametrize("status", ["DONE", "COMPLETED", "completed"])
async def test_c1_both_words_for_success(
    async_client: AsyncScripe, server: ScriptedServer, status: str
) -> None:
    server.script(*job_responses(shapes.job(status=status)))
    assert (await async_client.jobs.wait("job_1")).is_succeeded


async def test_an_unknown_status_is_not_finished(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(*job_responses(shapes.job(status="PAUSED"), shapes.job(status="DONE")))
    assert (await async_client.jobs.wait("job_1")).is_succeeded
    assert len(server.received) == 2


async def test_a_failed_job_raises_with_the_job(async_client: AsyncScripe, server: ScriptedServer) -> None:
    failed = shapes.job(status="FAILED", errorCode="UNREADABLE", errorMessage="no words in it")
    server.script(*job_responses(failed))
    with pytest.raises(JobFailedError, match=r"UNREADABLE.*no words in it") as caught:
        await async_client.jobs.wait("job_1")
    assert caught.value.job.error_code == "UNREADABLE"


@pytest.mark.parametrize("status", ["CANCELLED", "CANCELED"])
async def test_a_cancelled_job_raises_with_the_job(
    async_client: AsyncScripe, server: ScriptedServer, status: str
) -> None:
    server.script(*job_responses(shapes.job(status=status)))
    with pytest.raises(JobCancelledError) as caught:
        await async_client.jobs.wait("job_1")
    assert caught.value.job.id == "job_1"


@pytest.mark.parametrize(
    ("job_type", "seconds", "looks"),
    [("SOURCE_INGEST_FILE", 60, 30 + 6), ("KB_INGEST_URL", 60, 30 + 6), ("POST_GENERATION", 60, 60)],
)
async def test_the_cadence(
    async_client: AsyncScripe,
    async_clock: AsyncSleeplessClock,
    server: ScriptedServer,
    job_type: str,
    seconds: float,
    looks: int,
) -> None:
    """Poll every second; for ingests, every 5 seconds after the first 30."""
    server.script(*job_responses(shapes.job(type=job_type)))
    with pytest.raises(JobTimeoutError) as caught:
        await async_client.jobs.wait(queued_job(type=job_type), timeout=seconds)
    assert abs(len(server.received) - looks) <= 2
    assert [job.id for job in caught.value.jobs] == ["job_1"]
    assert isinstance(caught.value, TimeoutError)


async def test_a_deadline_in_a_wait_is_a_job_timeout(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(*job_responses(shapes.job()))
    with pytest.raises(JobTimeoutError, match=r"\b3(\.0\d*)? s\b"):
        await async_client.with_options(total_timeout=3).jobs.wait(queued_job())
    with pytest.raises(JobTimeoutError, match=r"\b2(\.0\d*)? s\b"):
        await async_client.with_options(total_timeout=3).jobs.wait_all([queued_job()], timeout=2)


async def test_a_response_too_late_for_the_wait_is_a_job_timeout(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    def late(request: Received) -> Reply:
        async_clock.skip(100)
        return Reply(200, b"slow", pace=0.01, is_slow_from_its_head=True)

    server.script(late)
    with pytest.raises(JobTimeoutError):
        await async_client.jobs.wait("job_1", timeout=50)


async def test_a_slow_network_in_a_wait_is_an_api_timeout(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(Reply(200, b"{}", hold=0.3))
    with pytest.raises(APITimeoutError):
        await async_client.with_options(timeout=0.05, max_retries=0).jobs.wait("job_1")


class Workspace:
    """Serves jobs, listed and single, which finish when the test says so."""

    def __init__(self, count: int, first_id: int = 0) -> None:
        self.jobs = {
            f"job_{n}": shapes.job(f"job_{n}", age=count - n) for n in range(first_id, first_id + count)
        }
        self.looks = 0
        self.on_look: Callable[[int], object] = lambda look: None

    def end(self, *job_ids: str, status: str = "DONE", at: float = 0) -> None:
        for job_id in job_ids:
            self.jobs[job_id] = {**self.jobs[job_id], "status": status, "completedAt": shapes.instant(at)}

    def end_all_at(self, look: int) -> None:
        self.on_look = lambda now: self.end(*self.jobs) if now == look else None

    def reply(self, request: Received) -> Reply:
        self.looks += 1
        self.on_look(self.looks)
        if request.path == "/v1/jobs":
            newest = sorted(self.jobs.values(), key=lambda job: str(job["createdAt"]), reverse=True)
            return json_reply(shapes.page(*newest[:200], cursor="more" if len(newest) > 200 else None))
        job = self.jobs.get(request.path.rpartition("/")[2])
        return json_reply({"data": job}) if job else error(404, "not_found")


async def test_a_hundred_jobs_cost_as_many_requests_as_one(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    workspace = Workspace(100)
    server.script(workspace.reply)
    started = async_clock.now()
    workspace.end_all_at(60)
    jobs = [Job.model_validate(job) for job in workspace.jobs.values()]
    finished = await async_client.jobs.wait_all(jobs)
    assert [job.id for job in finished] == [job.id for job in jobs]
    minutes = (async_clock.now() - started) / 60
    assert len(server.received) <= 60 * minutes + 1


async def test_parallel_waits_share_half_of_the_rate_limit(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    """All waits of a client share one poll throttle."""
    server.script(*job_responses(shapes.job(type="POST_GENERATION")))
    started = async_clock.now()
    for _ in range(40):
        with pytest.raises(JobTimeoutError):
            await async_client.jobs.wait("job_1", timeout=1.5)
    assert len(server.received) <= (async_clock.now() - started) + 1


async def test_a_small_rate_limit_stretches_the_poll_interval(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(
        json_reply(
            {"data": shapes.job(type="POST_GENERATION")}, X_RateLimit_Limit="12", X_RateLimit_Remaining="11"
        )
    )
    with pytest.raises(JobTimeoutError):
        await async_client.jobs.wait("job_1", timeout=60)
    assert len(server.received) <= 7


async def test_jobs_come_in_the_order_in_which_they_end(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    workspace = Workspace(4)
    server.script(workspace.reply)

    def turn(look: int) -> None:
        if look == 2:
            workspace.end("job_3", status="FAILED")
        if look == 3:
            workspace.end("job_0", at=9)
            workspace.end("job_2", status="CANCELLED", at=8)
        if look == 5:
            workspace.end("job_1")

    workspace.on_look = turn
    ids = [job.id async for job in async_client.jobs.as_completed([*workspace.jobs, "job_1"])]
    assert ids == ["job_3", "job_2", "job_0", "job_1"]


async def test_on_update_of_many_reports_changes_of_status(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    workspace = Workspace(2)
    server.script(workspace.reply)
    workspace.end_all_at(3)
    updates: list[tuple[str, str]] = []
    await async_client.jobs.wait_all(
        workspace.jobs, on_update=lambda job: updates.append((job.id, job.status))
    )
    assert sorted(updates) == [("job_0", "DONE"), ("job_0", "QUEUED"), ("job_1", "DONE"), ("job_1", "QUEUED")]


async def test_an_unknown_id_raises_after_all_others_have_ended(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    workspace = Workspace(2)
    server.script(workspace.reply)
    workspace.end_all_at(5)
    completed = async_client.jobs.as_completed(["job_0", "job_gone", "job_1"])
    assert sorted([(await anext(completed)).id, (await anext(completed)).id]) == ["job_0", "job_1"]
    with pytest.raises(NotFoundError):
        await anext(completed)


async def test_a_wait_for_all_has_all_jobs_as_last_fetched(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    workspace = Workspace(7)
    workspace.end("job_0")
    server.script(workspace.reply)
    with pytest.raises(JobTimeoutError, match=r"job_5.* 1 ") as caught:
        await async_client.jobs.wait_all(workspace.jobs, timeout=5)
    assert [job.id for job in caught.value.jobs] == list(workspace.jobs)
    assert caught.value.jobs[0].is_succeeded


async def test_no_jobs_are_waited_for_at_once(async_client: AsyncScripe, server: ScriptedServer) -> None:
    assert await async_client.jobs.wait_all([]) == []
    assert server.received == []


async def test_waits_that_were_given_up_hold_up_nobody(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    server.script(*job_responses(shapes.job()))
    for _ in range(50):
        with pytest.raises(JobTimeoutError):
            await async_client.jobs.wait("job_1", timeout=0.5)
    server.script(*job_responses(shapes.job(status="DONE")))
    started = async_clock.now()
    assert (await async_client.jobs.wait("job_1", timeout=10)).is_succeeded
    assert async_clock.now() - started < 3


@pytest.mark.parametrize("bad", ["job_1", queued_job(), None])
async def test_one_job_is_not_taken_for_many(async_client: AsyncScripe, bad: list[str]) -> None:
    with pytest.raises(InvalidArgumentError, match="jobs"):
        await async_client.jobs.wait_all(bad)
    with pytest.raises(InvalidArgumentError, match="jobs"):
        async_client.jobs.as_completed(bad)


async def test_a_deadline_ends_the_settling_of_a_cancel(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    def reply(request: Received) -> Reply:
        return error(500) if request.method == "POST" else json_reply({"data": shapes.job()})

    server.script(reply)
    with pytest.raises(ServerError):
        await async_client.with_options(total_timeout=60, max_retries=50).jobs.cancel("job_1")
    assert 0 < sum(async_clock.sleeps) < 60


async def test_jobs_given_by_a_bad_id_are_refused(async_client: AsyncScripe) -> None:
    with pytest.raises(InvalidArgumentError, match="''"):
        async_client.jobs.as_completed([""])


@pytest.mark.parametrize("lost", [BREAK, error(502), Reply(200, b"")])
async def test_a_lost_cancel_is_settled_by_reading_the_job(
    async_client: AsyncScripe, server: ScriptedServer, lost: Reply
) -> None:
    """This includes C21: an empty response."""
    server.script(lost, *job_responses(shapes.job(status="CANCELLED")))
    assert (await async_client.jobs.cancel("job_1")).is_cancelled
    assert [request.method for request in server.received] == ["POST", "GET"]
    assert server.sent("idempotency-key") == [None, None]


async def test_a_cancel_that_did_not_arrive_is_sent_again(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(BREAK, *job_responses(shapes.job(), shapes.job(status="CANCELLED")))
    assert (await async_client.jobs.cancel("job_1")).is_cancelled
    assert [request.method for request in server.received] == ["POST", "GET", "POST"]


async def test_a_cancel_that_came_too_late_raises(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(error(500), *job_responses(shapes.job(status="RUNNING")))
    with pytest.raises(ServerError):
        await async_client.jobs.cancel("job_1")
    server.script(error(409, "not_cancellable"))
    with pytest.raises(NotCancellableError):
        await async_client.jobs.cancel("job_1")


async def test_a_conflict_after_a_lost_cancel_may_be_its_own_doing(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(
        BREAK,
        *job_responses(shapes.job()),
        error(409, "not_cancellable"),
        *job_responses(shapes.job(status="CANCELLED")),
    )
    assert (await async_client.jobs.cancel("job_1")).is_cancelled


async def test_a_cancel_that_timed_out_on_the_way_is_settled_too(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(error(408), *job_responses(shapes.job(status="CANCELLED")))
    assert (await async_client.jobs.cancel("job_1")).is_cancelled


async def test_jobs_are_looked_for_on_as_many_pages_as_pay(
    async_client: AsyncScripe, async_clock: AsyncSleeplessClock, server: ScriptedServer
) -> None:
    """Five jobs, two on a page: three pages show all. If a list ends early, the rest is fetched one by one."""
    done = [shapes.job(f"job_{n}", "DONE") for n in range(5)]
    server.script(
        json_reply(shapes.page(*done[:2], cursor="a")),
        json_reply(shapes.page(*done[2:4], cursor="b")),
        json_reply({"data": done[4]}),
    )
    ids = [str(job["id"]) for job in done]
    assert len(await async_client.jobs.wait_all(ids)) == 5
    assert [request.path for request in server.received] == ["/v1/jobs", "/v1/jobs", "/v1/jobs/job_4"]
    server.script(json_reply(shapes.page(done[0])), *[json_reply({"data": job}) for job in done[1:]])
    assert len(await async_client.jobs.wait_all(ids)) == 5


async def test_cancels_end(async_client: AsyncScripe, server: ScriptedServer) -> None:
    def reply(request: Received) -> Reply:
        return BREAK if request.method == "POST" else json_reply({"data": shapes.job()})

    server.script(reply)
    with pytest.raises(ScripeError):
        await async_client.jobs.cancel("job_1")
    assert [request.method for request in server.received] == ["POST", "GET"] * 3


async def test_many_jobs_of_the_emulator(emulator: Emulator, async_local: AsyncScripe) -> None:
    upload = await async_local.uploads.upload_file(b"Words to keep.", content_type="text/plain")
    jobs = [
        await async_local.sources.create_file(project_id=emulator.project_id, upload_id=upload.id)
        for _ in range(50)
    ]
    emulator.fail(jobs[7].id, error_code="ODD", error_message="told to")
    emulator.clear_requests()
    finished = await async_local.jobs.wait_all(jobs)
    assert [job.id for job in finished] == [job.id for job in jobs]
    assert [job.is_failed for job in finished].count(True) == 1
    assert len(emulator.requests) <= 10


@pytest.mark.parametrize("error_class", [NotFoundError, APITimeoutError])
async def test_what_on_update_raises_is_the_callers_own(
    async_client: AsyncScripe, server: ScriptedServer, error_class: type[ScripeError]
) -> None:
    """Whatever its class, it is neither about the job nor about the timeout of the wait."""
    mine = (
        APITimeoutError("mine", is_total=True)
        if error_class is APITimeoutError
        else await not_found(async_client, server)
    )

    updates: list[str] = []

    def fail(job: Job) -> None:
        updates.append(job.id)
        raise mine

    def as_it_is(received: Received) -> Reply:
        """Show no job in lists, so that each one is fetched by itself."""
        job_id = received.path.removeprefix("/v1/jobs").removeprefix("/")
        return json_reply({"data": shapes.job(job_id, "RUNNING")} if job_id else shapes.page())

    server.script(as_it_is)
    with pytest.raises(error_class) as caught:
        await async_client.jobs.wait_all(
            [queued_job("job_1"), queued_job("job_2")], on_update=fail, timeout=None
        )
    assert caught.value is mine
    assert updates == ["job_1"]


async def not_found(async_client: AsyncScripe, server: ScriptedServer) -> ScripeError:
    server.script(error(404, "not_found"))
    with pytest.raises(NotFoundError) as caught:
        await async_client.notes.retrieve("note_1")
    return caught.value
