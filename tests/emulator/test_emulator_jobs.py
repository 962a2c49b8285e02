from datetime import timedelta

import pytest

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import Calls, frozen


def test_a_job_moves_by_the_clock(emulator: Emulator, api: Calls) -> None:
    job_id = api.file(b"text").fields["id"]
    emulator.clock.advance(0.999)
    assert api.get(f"/jobs/{job_id}").fields["status"] == "QUEUED"
    emulator.clock.advance(0.001)
    running = api.get(f"/jobs/{job_id}").fields
    assert (running["status"], running["attemptCount"]) == ("RUNNING", 1)
    assert running["startedAt"] == "2026-05-15T08:21:01.123Z"
    assert running["progress"] == {
        "progress": 0.0,
        "message": "Starting",
        "updatedAt": "2026-05-15T08:21:01.123Z",
    }
    emulator.clock.advance(2)
    running = api.get(f"/jobs/{job_id}").fields
    assert running["progress"]["progress"] == 0.5
    assert running["progress"]["updatedAt"] == running["updatedAt"] == "2026-05-15T08:21:03.123Z"
    emulator.clock.advance(2)
    done = api.get(f"/jobs/{job_id}").fields
    assert (done["status"], done["progress"]) == ("DONE", None)
    assert done["completedAt"] == done["updatedAt"] == "2026-05-15T08:21:05.123Z"


def test_one_late_look_finds_the_same_times(emulator: Emulator, api: Calls) -> None:
    job_id = api.file(b"text").fields["id"]
    emulator.clock.advance(timedelta(hours=5))
    assert emulator.count("sources") == 1
    done = api.get("/jobs").json["data"][0]
    assert done["id"] == job_id
    assert done["startedAt"] == "2026-05-15T08:21:01.123Z"
    assert done["completedAt"] == "2026-05-15T08:21:05.123Z"


def test_speed() -> None:
    with Emulator(clock=frozen(), job_speed=10) as emulator:
        api = Calls(emulator)
        job_id = api.file(b"text").fields["id"]
        emulator.clock.advance(0.5)
        assert api.get(f"/jobs/{job_id}").fields["status"] == "DONE"


def test_no_speed_leaves_jobs_to_the_controls() -> None:
    with Emulator(clock=frozen(), job_speed=0, finished_status="COMPLETED") as emulator:
        api = Calls(emulator)
        job_id = api.file(b"text").fields["id"]
        emulator.clock.advance(1_000)
        assert api.get(f"/jobs/{job_id}").fields["status"] == "QUEUED"
        emulator.start(job_id)
        emulator.start(job_id)
        assert api.get(f"/jobs/{job_id}").fields["progress"]["progress"] == 0.0
        emulator.set_progress(job_id, 0.7)
        assert list(api.get(f"/jobs/{job_id}").fields["progress"]) == ["progress", "updatedAt"]
        emulator.clock.advance(3_601)
        assert api.get(f"/jobs/{job_id}").fields["progress"] is None
        emulator.finish(job_id)
        done = api.get(f"/jobs/{job_id}").fields
        assert (done["status"], done["progress"]) == ("COMPLETED", None)
        assert [job["id"] for job in api.get("/jobs?status=DONE").json["data"]] == [job_id]


def test_cancelling_takes_a_queued_job(emulator: Emulator, api: Calls) -> None:
    job_id = api.file(b"text").fields["id"]
    cancelled = api.post(f"/jobs/{job_id}/cancel").fields
    assert (cancelled["status"], cancelled["startedAt"]) == ("CANCELLED", None)
    emulator.clock.advance(100)
    assert api.get(f"/jobs/{job_id}").fields == cancelled
    assert api.post("/jobs/job_x/cancel").code == "404 not_found"


@pytest.mark.parametrize("status", ["RUNNING", "DONE", "FAILED", "CANCELLED"])
def test_not_cancellable(emulator: Emulator, api: Calls, status: str) -> None:
    (job_id,) = emulator.seed(jobs=1, job_status=status).job_ids
    refused = api.post(f"/jobs/{job_id}/cancel")
    assert refused.code == "409 not_cancellable"
    assert status in refused.error["message"]


@pytest.mark.parametrize(
    ("job_type", "name"),
    [("POST_GENERATION", "postId"), ("KB_INGEST_URL", "documentId"), ("SOURCE_INGEST_FILE", "sourceId")],
)
def test_seeded_jobs_can_be_finished(emulator: Emulator, api: Calls, job_type: str, name: str) -> None:
    seeded = emulator.seed(jobs=1, job_type=job_type, job_status="QUEUED").job_ids
    seeded += emulator.seed(jobs=1, job_type=job_type, job_status="RUNNING").job_ids
    for job_id in seeded:
        emulator.finish(job_id)
        assert list(api.get(f"/jobs/{job_id}").fields["result"]) == [name]
    emulator.seed(jobs=1, job_type=job_type)
    assert list(api.get(f"/jobs?type={job_type}").json["data"][0]["result"]) == [name]


def test_failing(emulator: Emulator, api: Calls) -> None:
    job_id = api.file(b"text").fields["id"]
    emulator.fail(job_id, error_code="TOO_LOUD", error_message="The recording is too loud.")
    failed = api.get(f"/jobs/{job_id}").fields
    assert (failed["status"], failed["errorCode"]) == ("FAILED", "TOO_LOUD")
    assert failed["errorMessage"] == "The recording is too loud."
    with pytest.raises(ValueError, match="FAILED"):
        emulator.finish(job_id)
    with pytest.raises(LookupError, match="job_x"):
        emulator.start("job_x")


def test_a_status_that_no_page_names(emulator: Emulator, api: Calls) -> None:
    job_id = api.file(b"text").fields["id"]
    emulator.finish(job_id, "ARCHIVED")
    assert api.get(f"/jobs/{job_id}").fields["status"] == "ARCHIVED"
    assert emulator.count("sources") == 0


def test_jobs_are_forgotten_by_the_age_of_their_creation() -> None:
    with Emulator(clock=frozen(), job_retention=0.5, job_speed=0) as emulator:
        api = Calls(emulator)
        first = api.generate().fields["id"]
        emulator.clock.advance(1)
        second = api.generate().fields["id"]
        emulator.clock.advance(12 * 3600 - 1)
        assert [job["id"] for job in api.get("/jobs").json["data"]] == [second, first]
        emulator.clock.advance(0.001)
        assert [job["id"] for job in api.get("/jobs?dateFrom=2026-05-15").json["data"]] == [second]
        assert api.get(f"/jobs/{first}").code == "404 not_found"
        assert api.post(f"/jobs/{first}/cancel").code == "404 not_found"
        assert api.get(f"/jobs/{second}").status == 200
        assert emulator.count("jobs") == 2


def test_jobs_stay_unless_told_otherwise(emulator: Emulator, api: Calls) -> None:
    job_id = api.generate().fields["id"]
    emulator.clock.advance(timedelta(days=10_000))
    assert api.get(f"/jobs/{job_id}").status == 200


def test_seeding(emulator: Emulator, api: Calls) -> None:
    seeded = emulator.seed(projects=1, sources=2, step=timedelta(minutes=1))
    source = api.get(f"/sources/{seeded.source_ids[1]}").fields
    assert (source["name"], source["projectId"]) == ("Seeded source 2", emulator.project_id)
    assert api.get(f"/projects/{seeded.project_ids[0]}").fields["name"] == "Seeded project 1"
    emulator.seed(jobs=1, job_status="FAILED")
    assert api.get("/jobs").json["data"][0]["errorCode"] == "SEEDED_FAILURE"
    other = emulator.create_workspace()
    emulator.seed(jobs=1, workspace_id=other)
    key = emulator.create_key(workspace_id=other)
    project_id = api.get("/jobs", key=key).json["data"][0]["projectId"]
    assert api.get(f"/projects/{project_id}", key=key).status == 200
    with pytest.raises(ValueError, match=r"\bX\b.*DONE"):
        emulator.seed(jobs=1, job_type="X")
    with pytest.raises(ValueError, match=r"POST_GENERATION.*COMPLETED"):
        emulator.seed(jobs=1, job_status="COMPLETED")
