import pytest

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import Calls, Fields

URL = "https://example.com/hook"
FIELDS = [
    "id",
    "url",
    "name",
    "events",
    "isActive",
    "disabledReason",
    "projectId",
    "secretLast4",
    "createdAt",
    "updatedAt",
]


def create(api: Calls, **more: object) -> Fields:
    body = {"name": "Hook", "url": URL, "events": ["note.created"], **more}
    return api.post("/webhook-endpoints", body).fields


def test_the_secret_is_shown_once(api: Calls) -> None:
    endpoint = create(api, projectId=api.emulator.project_id)
    assert list(endpoint) == [*FIELDS, "secret"]
    assert endpoint["secret"].startswith("whsec_")
    assert len(endpoint["secret"]) == 70
    assert endpoint["secretLast4"] == endpoint["secret"][-4:]
    assert endpoint["isActive"]
    assert endpoint["disabledReason"] is None
    assert endpoint["updatedAt"] is None
    retrieved = api.get(f"/webhook-endpoints/{endpoint['id']}").fields
    assert retrieved == {name: endpoint[name] for name in FIELDS}


def test_rotation_makes_another_secret_each_time(api: Calls) -> None:
    endpoint = create(api)
    path = f"/webhook-endpoints/{endpoint['id']}/rotate-secret"
    responses = [api.post(path, **{"Idempotency-Key": "key"}) for _ in range(2)]
    assert len({endpoint["secret"], *(response.fields["secret"] for response in responses)}) == 3
    assert all("Idempotent-Replayed" not in response.headers for response in responses)
    last = responses[1].fields
    assert last["secretLast4"] == last["secret"][-4:]
    assert api.get(f"/webhook-endpoints/{endpoint['id']}").fields["secretLast4"] == last["secretLast4"]
    assert api.post("/webhook-endpoints/whe_x/rotate-secret").code == "404 not_found"


def test_any_part_can_be_changed(emulator: Emulator, api: Calls) -> None:
    path = f"/webhook-endpoints/{create(api)['id']}"
    change: Fields = {
        "name": "New",
        "url": f"{URL}/2",
        "events": ["post.created", "job.failed"],
        "isActive": False,
        "projectId": emulator.project_id,
    }
    for name, value in change.items():
        assert api.patch(path, {name: value}).fields[name] == value
    changed = api.get(path).fields
    assert {name: changed[name] for name in change} == change
    assert changed["updatedAt"] == "2026-05-15T08:21:00.123Z"
    assert api.patch(path, {"projectId": None}).fields["projectId"] is None
    assert "Idempotent-Replayed" not in api.patch(path, {}).headers


WRONG: list[tuple[Fields, str]] = [
    ({"name": ""}, "400 invalid_request"),
    ({"name": "x" * 129}, "422 unprocessable"),
    ({"url": 5}, "400 invalid_request"),
    ({"url": f"{URL}{'x' * 1024}"}, "422 unprocessable"),
    ({"url": "http://example.com"}, "422 unprocessable"),
    ({"url": "example.com"}, "422 unprocessable"),
    ({"url": "https://[::::]"}, "422 unprocessable"),
    ({"url": "http://127.0.0.1:80/"}, "422 unprocessable"),
    ({"url": "https://127.0.0.1/"}, "422 ssrf_blocked"),
    ({"url": "https://[::1]/"}, "422 ssrf_blocked"),
    ({"url": "https://10.1.2.3/"}, "422 ssrf_blocked"),
    ({"url": "https://100.64.0.1/"}, "422 ssrf_blocked"),
    ({"url": "https://169.254.169.254/latest"}, "422 ssrf_blocked"),
    ({"url": "https://224.0.0.1"}, "422 ssrf_blocked"),
    ({"url": "https://LOCALHOST"}, "422 ssrf_blocked"),
    ({"url": "https://printer.local"}, "422 ssrf_blocked"),
    ({"events": []}, "400 invalid_request"),
    ({"events": "note.created"}, "400 invalid_request"),
    ({"events": ["note.created", "cat.born"]}, "400 invalid_request"),
    ({"events": [["note.created"]]}, "400 invalid_request"),
    ({"projectId": "proj_x"}, "404 not_found"),
    ({"projectId": 5}, "400 invalid_request"),
]


@pytest.mark.parametrize(("wrong", "code"), WRONG)
def test_what_is_no_endpoint(emulator: Emulator, api: Calls, wrong: Fields, code: str) -> None:
    body = {"name": "Hook", "url": URL, "events": ["note.created"], **wrong}
    assert api.post("/webhook-endpoints", body).code == code
    assert emulator.count("webhook_endpoints") == 0
    endpoint = create(api)
    assert api.patch(f"/webhook-endpoints/{endpoint['id']}", wrong).code == code
    assert api.get(f"/webhook-endpoints/{endpoint['id']}").fields["updatedAt"] is None


@pytest.mark.parametrize("missing", ["name", "url", "events"])
def test_what_an_endpoint_needs(api: Calls, missing: str) -> None:
    body = {"name": "Hook", "url": URL, "events": ["note.created"]}
    del body[missing]
    assert api.post("/webhook-endpoints", body).code == "400 invalid_request"


def test_null_is_for_updates(api: Calls) -> None:
    body = {"name": "Hook", "url": URL, "events": ["note.created"], "projectId": None}
    assert api.post("/webhook-endpoints", body).code == "400 invalid_request"
    path = f"/webhook-endpoints/{create(api)['id']}"
    assert api.patch(path, {"isActive": None}).code == "400 invalid_request"


@pytest.mark.usefixtures("beyond_the_description")
def test_a_public_address_may_be_a_number(api: Calls) -> None:
    assert create(api, url="https://8.8.8.8/hook")["url"] == "https://8.8.8.8/hook"
    assert create(api, url="https://[2606:4700::1111]/")["isActive"] is True


def test_an_event_names_the_endpoints_that_are_subscribed_to_it(emulator: Emulator, api: Calls) -> None:
    elsewhere = api.get("/projects").json["data"][1]["id"]
    everything, here = create(api), create(api, projectId=emulator.project_id)
    create(api, projectId=elsewhere)
    create(api, events=["post.created"])
    silent = create(api)
    api.patch(f"/webhook-endpoints/{silent['id']}", {"isActive": False})
    other = emulator.create_key(workspace_id=emulator.create_workspace())
    body = {"name": "Hook", "url": URL, "events": ["note.created"]}
    assert api.post("/webhook-endpoints", body, key=other).status == 200
    note = api.note().fields
    (event,) = emulator.events
    assert (event.name, event.data) == ("note.created", note)
    assert (event.workspace_id, event.project_id) == (emulator.workspace_id, emulator.project_id)
    assert event.happened_at == emulator.clock.now()
    assert set(event.endpoint_ids) == {everything["id"], here["id"]}


def test_a_source_is_an_event_with_or_without_an_endpoint(emulator: Emulator, api: Calls) -> None:
    api.text()
    api.read_back(b"text", "text/plain")
    assert [event.name for event in emulator.events] == ["source.created", "source.created", "job.completed"]


def test_scope(emulator: Emulator, api: Calls) -> None:
    key, path = emulator.create_key(["posts:write"]), "/webhook-endpoints/whe_x"
    required = {"required": ["webhooks:manage"]}
    assert api.get(path, key=key).error["details"] == required
    assert api.post("/webhook-endpoints", {}, key=key).error["details"] == required
    assert api.post(f"{path}/rotate-secret", key=key).error["details"] == required
    assert api.patch(path, {}).code == "404 not_found"
