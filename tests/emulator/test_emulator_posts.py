from typing import Any

import pytest

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import Calls, Fields
from tests.emulator.test_emulator_lists import walk

FIELDS = [
    "id",
    "status",
    "platform",
    "contentType",
    "title",
    "content",
    "createdAt",
    "projectId",
    "scheduledAt",
    "updatedAt",
]
LATER = "2026-05-16T08:00:00Z"
SHOWN_LATER = "2026-05-16T08:00:00.000Z"
PAST = "2026-05-15T08:20:00Z"


def events(emulator: Emulator) -> list[str]:
    return [event.name for event in emulator.events if event.endpoint_ids]


def listen(api: Calls) -> None:
    body: Fields = {"name": "all", "url": "https://example.com/hook", "events": [
        "note.created", "post.created", "post.updated", "post.scheduled", "post.unscheduled", "source.created",
        "job.completed", "job.failed", "knowledge.indexed",
    ]}  # fmt: skip
    assert api.post("/webhook-endpoints", body).status == 200


def test_a_draft(emulator: Emulator, api: Calls) -> None:
    post = api.draft().fields
    assert list(post) == FIELDS
    assert post["status"] == "draft"
    assert post["content"] == " "
    assert post["title"] == ""
    assert post["scheduledAt"] is None
    assert post["platform"] == "LINKEDIN"
    assert post["contentType"] == "PERSONAL"
    assert post["updatedAt"] is None
    assert post["projectId"] == emulator.project_id
    assert api.get(f"/posts/{post['id']}").fields == post


def test_a_scheduled_post_is_published_by_the_clock(emulator: Emulator, api: Calls) -> None:
    post = api.draft(content="Hello", title="Title", scheduledFor=LATER).fields
    assert (post["status"], post["scheduledAt"]) == ("scheduled", SHOWN_LATER)
    emulator.clock.advance(23 * 3600 + 38 * 60 + 59.876)
    assert api.get(f"/posts/{post['id']}").fields["status"] == "scheduled"
    emulator.clock.advance(0.001)
    published = api.get(f"/posts/{post['id']}").fields
    assert (published["status"], published["updatedAt"]) == ("published", SHOWN_LATER)
    assert walk(api, f"/posts?projectId={emulator.project_id}&status=published,draft") == [post["id"]]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"projectId": "proj_x"}, "404 not_found"),
        ({"content": ""}, "400 invalid_request"),
        ({"content": None}, "400 invalid_request"),
        ({"content": "x" * 100_001}, "413 payload_too_large"),
        ({"content": "é" * 60_000}, "413 payload_too_large"),
        ({"title": "x" * 501}, "413 payload_too_large"),
        ({"title": None}, "400 invalid_request"),
        ({"contentType": "POEM"}, "422 unprocessable"),
        ({"scheduledFor": PAST}, "422 unprocessable"),
        ({"scheduledFor": "2026-05-16T08:00:00"}, "422 unprocessable"),
        ({"scheduledFor": "2026-05-16"}, "422 unprocessable"),
        ({"scheduledFor": "9999-12-31T23:59:59-10:00"}, "422 unprocessable"),
        ({"scheduledFor": None}, "400 invalid_request"),
    ],
)
def test_what_is_no_post(emulator: Emulator, api: Calls, wrong: dict[str, object], code: str) -> None:
    assert api.draft(**wrong).code == code
    assert emulator.count("posts") == 0


def test_lists(emulator: Emulator, api: Calls) -> None:
    seeded, scheduled = emulator.seed(posts=3).post_ids, api.draft(scheduledFor=LATER).fields["id"]
    path = f"/posts?projectId={emulator.project_id}"
    assert walk(api, f"{path}&limit=1") == [scheduled, *reversed(seeded)]
    assert walk(api, f"{path}&status=scheduled") == [scheduled]
    assert walk(api, f"{path}&status=&dateTo=2026-05-14") == []
    assert api.get(f"{path}&status=draft,posted").code == "400 invalid_request"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"status": "draft"}),
        ({"content": "New", "title": "T", "contentType": "UNKNOWN"}, {"content": "New", "title": "T"}),
        ({"scheduledFor": LATER}, {"status": "scheduled", "scheduledAt": SHOWN_LATER}),
        ({"scheduledFor": None}, {"status": "draft", "scheduledAt": None}),
        ({"statusCategory": "inReview"}, {"status": "waitingApproval"}),
        ({"statusCategory": "inReview", "scheduledFor": None}, {"status": "waitingApproval"}),
        ({"statusCategory": "scheduled", "scheduledFor": LATER}, {"status": "scheduled"}),
        ({"autoLike": True, "autoComment": False}, {"status": "draft"}),
    ],
)
def test_changing_a_draft(api: Calls, change: dict[str, object], expected: Fields) -> None:
    post_id = api.draft().fields["id"]
    changed = api.patch(f"/posts/{post_id}", change).fields
    assert {name: changed[name] for name in expected} == expected
    assert changed["updatedAt"] is not None
    assert api.get(f"/posts/{post_id}").fields == changed


@pytest.mark.parametrize(
    ("change", "status", "scheduled_at"),
    [
        ({"content": "New"}, "scheduled", SHOWN_LATER),
        ({"statusCategory": "scheduled"}, "scheduled", SHOWN_LATER),
        ({"scheduledFor": "2027-01-01T00:00:00Z"}, "scheduled", "2027-01-01T00:00:00.000Z"),
        ({"scheduledFor": None}, "draft", None),
        ({"statusCategory": "inProgress"}, "waitingProcessing", None),
    ],
)
def test_changing_a_scheduled_post(
    emulator: Emulator, api: Calls, change: dict[str, object], status: str, scheduled_at: str | None
) -> None:
    post_id = api.draft(scheduledFor=LATER).fields["id"]
    changed = api.patch(f"/posts/{post_id}", change).fields
    assert (changed["status"], changed["scheduledAt"]) == (status, scheduled_at)
    emulator.clock.advance(10 * 24 * 3600)
    ends = "published" if scheduled_at == SHOWN_LATER else status
    assert api.get(f"/posts/{post_id}").fields["status"] == ends


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"statusCategory": "draft", "statusId": "pst_x"}, "400 invalid_request"),
        ({"statusCategory": "later"}, "422 unprocessable"),
        ({"statusCategory": None}, "400 invalid_request"),
        ({"statusId": "pst_x"}, "404 not_found"),
        ({"statusCategory": "scheduled"}, "409 conflict"),
        ({"statusCategory": "scheduled", "scheduledFor": None}, "409 conflict"),
        ({"statusCategory": "published"}, "409 conflict"),
        ({"scheduledFor": PAST}, "422 unprocessable"),
        ({"contentType": "POEM"}, "422 unprocessable"),
        ({"autoLike": None}, "400 invalid_request"),
        ({"autoComment": "yes"}, "400 invalid_request"),
        ({"content": 5}, "400 invalid_request"),
    ],
)
def test_what_no_post_can_become(api: Calls, change: dict[str, object], code: str) -> None:
    post = api.draft().fields
    assert api.patch(f"/posts/{post['id']}", change).code == code
    assert api.get(f"/posts/{post['id']}").fields == post


def test_a_published_post_keeps_its_status(emulator: Emulator, api: Calls) -> None:
    post_id = api.draft(scheduledFor=LATER).fields["id"]
    emulator.clock.advance(2 * 24 * 3600)
    for change in ({"scheduledFor": None}, {"statusCategory": "draft"}):
        assert api.patch(f"/posts/{post_id}", change).code == "409 conflict"
    assert api.patch(f"/posts/{post_id}", {"content": "Edited"}).fields["status"] == "published"


def test_scheduling_takes_linkedin(emulator: Emulator, api: Calls) -> None:
    post = api.draft().fields
    emulator.connect_linkedin(emulator.project_id, connected=False)
    assert api.get(f"/projects/{emulator.project_id}").fields["url"] is None
    change = {"content": "New", "scheduledFor": LATER}
    assert api.patch(f"/posts/{post['id']}", change).code == "409 conflict"
    assert api.get(f"/posts/{post['id']}").fields == post
    assert api.patch(f"/posts/{post['id']}", {"scheduledFor": None}).status == 200
    emulator.connect_linkedin(emulator.project_id)
    assert api.patch(f"/posts/{post['id']}", change).fields["status"] == "scheduled"
    with pytest.raises(LookupError, match="proj_x"):
        emulator.connect_linkedin("proj_x")


def test_changes_are_idempotent(emulator: Emulator, api: Calls) -> None:
    first, second = api.draft().fields["id"], api.draft().fields["id"]
    keyed: dict[str, Any] = {"Idempotency-Key": "key"}
    assert api.patch(f"/posts/{first}", {"title": "T"}, **keyed).headers["Idempotent-Replayed"] == "false"
    assert api.patch(f"/posts/{first}", {"title": "T"}, **keyed).headers["Idempotent-Replayed"] == "true"
    assert api.patch(f"/posts/{first}", {"title": "U"}, **keyed).code == "409 idempotency_key_conflict"
    assert api.patch(f"/posts/{second}", {"title": "T"}, **keyed).fields["id"] == second


def test_post_statuses(emulator: Emulator, api: Calls) -> None:
    statuses = api.get("/post-statuses").json
    assert [status["category"] for status in statuses["data"]] == [
        "draft", "inProgress", "inReview", "inReview", "inReview", "suggested", "scheduled", "published",
    ]  # fmt: skip
    assert statuses["pagination"] == {"next_cursor": None, "has_more": False}
    assert walk(api, "/post-statuses?limit=3") == [status["id"] for status in statuses["data"]]
    rejected = statuses["data"][4]
    assert list(rejected) == ["id", "name", "category"]
    post_id = api.draft().fields["id"]
    assert api.patch(f"/posts/{post_id}", {"statusId": rejected["id"]}).fields["status"] == "rejected"
    other = emulator.create_key(workspace_id=emulator.create_workspace())
    assert api.get("/post-statuses", key=other).json["data"][4]["id"] != rejected["id"]


def test_events_of_a_post(emulator: Emulator, api: Calls) -> None:
    listen(api)
    post_id = api.draft().fields["id"]
    assert events(emulator) == ["post.created"]
    api.patch(f"/posts/{post_id}", {"title": "T"})
    api.patch(f"/posts/{post_id}", {"scheduledFor": LATER})
    api.patch(f"/posts/{post_id}", {"scheduledFor": None})
    api.draft(scheduledFor=LATER)
    assert events(emulator)[1:] == [
        "post.updated",
        "post.updated",
        "post.scheduled",
        "post.updated",
        "post.unscheduled",
        "post.created",
        "post.scheduled",
    ]


def test_scopes(emulator: Emulator, api: Calls) -> None:
    reader, writer = emulator.create_key(["posts:read"]), emulator.create_key(["posts:write"])
    for path in ("/posts", "/posts/generations"):
        assert api.post(path, {}, key=reader).error["details"] == {"required": ["posts:write"]}
    for path in ("/posts", "/posts/post_x", "/post-statuses"):
        assert api.get(path, key=writer).error["details"] == {"required": ["posts:read"]}
