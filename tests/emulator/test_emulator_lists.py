import base64
import json
from datetime import UTC, datetime

import pytest

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import START, Calls


def walk(api: Calls, path: str) -> list[str]:
    ids: list[str] = []
    cursor = ""
    while True:
        page = api.get(f"{path}&cursor={cursor}").json
        ids += [row["id"] for row in page["data"]]
        assert page["pagination"]["has_more"] is (page["pagination"]["next_cursor"] is not None)
        if not page["pagination"]["has_more"]:
            return ids
        cursor = page["pagination"]["next_cursor"]


@pytest.mark.parametrize("limit", [7, 50, 150, 200])
def test_every_job_is_shown_once_newest_first(emulator: Emulator, api: Calls, limit: int) -> None:
    seeded_ids = emulator.seed(jobs=450).job_ids
    assert walk(api, f"/jobs?limit={limit}") == seeded_ids[::-1]


def test_ties_are_ordered_by_id(emulator: Emulator, api: Calls) -> None:
    seeded_ids = emulator.seed(jobs=120, step=0, start=START).job_ids
    assert walk(api, "/jobs?limit=50") == sorted(seeded_ids, reverse=True)


def test_the_default_limit(emulator: Emulator, api: Calls) -> None:
    emulator.seed(jobs=51, projects=60)
    assert len(api.get("/jobs").json["data"]) == 50
    assert len(api.get("/projects").json["data"]) == 50
    assert len(walk(api, "/projects?limit=200")) == 63


def test_records_made_meanwhile_do_not_disturb(emulator: Emulator, api: Calls) -> None:
    seeded_ids = emulator.seed(jobs=4).job_ids
    cursor = api.get("/jobs?limit=2").json["pagination"]["next_cursor"]
    emulator.seed(jobs=3, start=emulator.clock.now())
    page = api.get(f"/jobs?limit=2&cursor={cursor}").json
    assert [row["id"] for row in page["data"]] == [seeded_ids[1], seeded_ids[0]]


@pytest.mark.parametrize("limit", ["0", "-1", "201", "999", "1.5", "ten", "", "1e2", "%2B5", "9" * 30, "٣"])
def test_bad_pagination(api: Calls, limit: str) -> None:
    assert api.get(f"/jobs?limit={limit}").code == "400 bad_pagination"


@pytest.mark.parametrize("content", [b"[]", b"{}", b"nonsense", b'["x",1,"job_x"]', b'[1,"2",3]', b"\xff"])
def test_bad_cursors(api: Calls, content: bytes) -> None:
    cursor = base64.urlsafe_b64encode(content).decode()
    assert api.get(f"/jobs?cursor={cursor}").code == "400 bad_cursor"


@pytest.mark.parametrize("moment", [2**63, -(2**63) - 1, 10**400])
def test_a_cursor_of_a_moment_that_is_none(emulator: Emulator, api: Calls, moment: int) -> None:
    emulator.seed(jobs=2)
    cursor = api.get("/jobs?limit=1").json["pagination"]["next_cursor"]
    parts = json.loads(base64.urlsafe_b64decode(cursor))
    forged = base64.urlsafe_b64encode(json.dumps([parts[0], moment, parts[2]]).encode()).decode()
    assert api.get(f"/jobs?limit=1&cursor={forged}").code == "400 bad_cursor"


@pytest.mark.parametrize("cursor", ["!", "abc", "%C3%A9"])
def test_cursors_that_are_no_base64(api: Calls, cursor: str) -> None:
    assert api.get(f"/jobs?cursor={cursor}").code == "400 bad_cursor"


def test_a_cursor_belongs_to_its_filters(emulator: Emulator, api: Calls) -> None:
    emulator.seed(jobs=5, projects=5)
    cursor = api.get("/jobs?limit=2&status=DONE").json["pagination"]["next_cursor"]
    assert api.get(f"/jobs?limit=1&status=DONE&cursor={cursor}").status == 200
    assert api.get(f"/jobs?limit=2&cursor={cursor}").code == "400 bad_cursor"
    assert api.get(f"/jobs?limit=2&status=DONE,FAILED&cursor={cursor}").code == "400 bad_cursor"
    assert api.get(f"/projects?limit=2&status=DONE&cursor={cursor}").code == "400 bad_cursor"
    key = emulator.create_key(workspace_id=emulator.create_workspace())
    assert api.get(f"/jobs?limit=2&status=DONE&cursor={cursor}", key=key).code == "400 bad_cursor"


def test_cursors_can_be_made_stale(emulator: Emulator, api: Calls) -> None:
    emulator.seed(jobs=5)
    cursor = api.get("/jobs?limit=2").json["pagination"]["next_cursor"]
    emulator.expire_cursors()
    assert api.get(f"/jobs?limit=2&cursor={cursor}").code == "400 bad_cursor"
    assert len(walk(api, "/jobs?limit=2")) == 5


def test_filters(emulator: Emulator, api: Calls) -> None:
    done = emulator.seed(jobs=2).job_ids
    failed = emulator.seed(jobs=1, job_status="FAILED", job_type="KB_INGEST_URL").job_ids
    queued = emulator.seed(jobs=1, job_status="QUEUED", job_type="SOURCE_INGEST_FILE").job_ids
    assert set(walk(api, "/jobs?status=DONE")) == set(done)
    assert set(walk(api, "/jobs?status=DONE,FAILED")) == {*done, *failed}
    assert set(walk(api, "/jobs?type=SOURCE_INGEST_FILE,KB_INGEST_URL")) == {*queued, *failed}
    assert walk(api, "/jobs?type=SOURCE_INGEST_FILE&status=DONE") == []
    assert len(walk(api, "/jobs?type=&status=")) == 4


@pytest.mark.parametrize(
    "query", ["status=done", "status=COMPLETED", "status=DONE,", "type=X", "type=DONE,POST"]
)
def test_unknown_filters(api: Calls, query: str) -> None:
    refused = api.get(f"/jobs?{query}")
    assert refused.code == "400 invalid_request"
    assert refused.error["details"] == {"parameter": query.partition("=")[0]}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("dateFrom=2026-05-02", 2),
        ("dateTo=2026-05-02", 2),
        ("dateFrom=2026-05-02&dateTo=2026-05-02", 1),
        ("dateFrom=2026-05-03&dateTo=2026-05-01", 0),
        ("dateFrom=2026-05-01T23:59:59.999Z", 3),
        ("dateFrom=2026-05-02T00:00:00Z", 2),
        ("dateTo=2026-05-02T01:59:59.998%2B02:00", 0),
        ("dateTo=2026-05-02T01:59:59.999%2B02:00", 1),
    ],
)
def test_dates(emulator: Emulator, api: Calls, query: str, count: int) -> None:
    start = datetime(2026, 5, 1, 23, 59, 59, 999_000, tzinfo=UTC)
    emulator.seed(jobs=3, start=start, step=86_400)
    assert len(api.get(f"/jobs?{query}").json["data"]) == count


@pytest.mark.parametrize(
    "given",
    [
        "15/05/2026",
        "2026-5-1",
        "20260501",
        "2026-13-01",
        "2026-05-01T00:00:00",
        "2026-05-01T25:00:00Z",
        "today",
        "",
    ],
)
def test_bad_dates(api: Calls, given: str) -> None:
    assert api.get(f"/jobs?dateFrom={given}").code == "400 invalid_request"
    assert api.get(f"/jobs?dateTo={given}").code == "400 invalid_request"
