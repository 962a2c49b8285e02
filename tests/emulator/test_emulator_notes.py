import pytest

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import Calls
from tests.emulator.test_emulator_lists import walk

FIELDS = ["id", "projectId", "folderId", "content", "createdAt", "updatedAt", "slot"]


def test_a_note_comes_with_its_slot(emulator: Emulator, api: Calls) -> None:
    note = api.note(content="Ship it", folderId="folder", contentType="EDUCATIONAL").fields
    assert list(note) == FIELDS
    assert note["content"] == "Ship it"
    assert note["folderId"] == "folder"
    assert note["updatedAt"] is None
    assert note["slot"]["id"].startswith("slot_")
    assert (note["slot"]["date"], note["slot"]["contentType"]) == ("2026-05-15T08:21:00.123Z", "EDUCATIONAL")
    assert api.get(f"/notes/{note['id']}").fields == note
    assert emulator.count("notes") == 1


def test_a_note_may_be_all_defaults(api: Calls) -> None:
    note = api.note(folderId=None, content=None).fields
    assert note["content"] == ""
    assert note["folderId"] is None
    assert note["slot"]["contentType"] == "PERSONAL"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-05-20", "2026-05-20T00:00:00.000Z"),
        ("2026-05-20T10:00:00+02:00", "2026-05-20T08:00:00.000Z"),
        ("0001-01-01", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_the_slot_has_the_date_given(api: Calls, sent: str, expected: str) -> None:
    assert api.note(date=sent).fields["slot"]["date"] == expected


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"projectId": None}, "400 invalid_request"),
        ({"projectId": "proj_x"}, "404 not_found"),
        ({"content": 5}, "400 invalid_request"),
        ({"content": "é" * 60_000}, "413 payload_too_large"),
        ({"content": "x" * 100_001}, "413 payload_too_large"),
        ({"folderId": 1}, "400 invalid_request"),
        ({"date": 5}, "400 invalid_request"),
        ({"date": "15/05/2026"}, "422 unprocessable"),
        ({"date": "2026-13-01"}, "422 unprocessable"),
        ({"date": "0001-01-01T00:00:00+10:00"}, "422 unprocessable"),
        ({"date": "2026-05-20T25:00:00Z"}, "422 unprocessable"),
        ({"contentType": "POEM"}, "422 unprocessable"),
        ({"contentType": 1}, "400 invalid_request"),
    ],
)
def test_what_is_no_note(emulator: Emulator, api: Calls, wrong: dict[str, object], code: str) -> None:
    assert api.note(**wrong).code == code
    assert emulator.count("notes") == 0


def test_a_replay_makes_no_second_note(emulator: Emulator, api: Calls) -> None:
    body = {"projectId": emulator.project_id, "content": "once"}
    for _ in range(2):
        assert api.post("/notes", body, **{"Idempotency-Key": "key"}).status == 200
    assert emulator.count("notes") == 1


def test_lists_by_project_and_folder(emulator: Emulator, api: Calls) -> None:
    path = f"/notes?projectId={emulator.project_id}"
    root, filed = api.note().fields["id"], api.note(folderId="a").fields["id"]
    elsewhere = api.get("/projects").json["data"][1]["id"]
    emulator.seed(notes=1, project_id=elsewhere)
    assert set(walk(api, path)) == set(walk(api, f"{path}&folderId=")) == {root, filed}
    assert walk(api, f"{path}&folderId=a") == [filed]
    assert walk(api, f"{path}&folderId=b") == []
    emulator.seed(notes=5)
    assert len(walk(api, f"{path}&limit=2")) == 7


def test_dates_are_those_of_the_slots(emulator: Emulator, api: Calls) -> None:
    path = f"/notes?projectId={emulator.project_id}"
    seeded = emulator.seed(notes=2).note_ids
    later = api.note(date="2026-06-01").fields["id"]
    assert api.get(f"/notes/{seeded[1]}").fields["slot"] is None
    assert set(walk(api, path)) == {*seeded, later}
    assert walk(api, f"{path}&dateFrom=2026-06-01&dateTo=2026-06-01") == [later]
    assert set(walk(api, f"{path}&dateFrom=2026-05-01")) == {seeded[0], later}
    assert walk(api, f"{path}&dateTo=2026-05-30") == [seeded[0]]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "400 invalid_request"),
        ("?projectId=", "400 invalid_request"),
        ("?projectId=proj_x", "404 not_found"),
        ("?projectId=proj_x&dateFrom=15/05/2026", "400 invalid_request"),
        ("?projectId=proj_x&dateFrom=2026-05-01T00:00:00Z", "400 invalid_request"),
    ],
)
def test_bad_queries(api: Calls, query: str, code: str) -> None:
    for path in ("/notes", "/posts"):
        assert api.get(path + query).code == code


def test_scopes(emulator: Emulator, api: Calls) -> None:
    reader, writer = emulator.create_key(["notes:read"]), emulator.create_key(["notes:write"])
    assert api.post("/notes", {}, key=reader).error["details"] == {"required": ["notes:write"]}
    for path in ("/notes?projectId=x", "/notes/note_x"):
        assert api.get(path, key=writer).error["details"] == {"required": ["notes:read"]}
        assert api.get(path, key=reader).code == "404 not_found"
