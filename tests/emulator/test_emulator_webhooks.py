import gc
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from scripe.emulator import Emulator
from scripe.emulator.addresses import is_loopback
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


class Receiver(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.received: list[tuple[str, dict[str, str], Fields]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Receiver)
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


def wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not met() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert met()


def create(api: Calls, **more: object) -> Fields:
    body = {"name": "Hook", "url": URL, "events": ["note.created"], **more}
    return api.post("/webhook-endpoints", body).fields


def test_the_secret_is_shown_once(api: Calls) -> None:
    made = create(api, projectId=api.emulator.project_id)
    assert list(made) == [*FIELDS, "secret"]
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) == 70
    assert made["secretLast4"] == made["secret"][-4:]
    assert (made["isActive"], made["disabledReason"], made["updatedAt"]) == (True, None, None)
    shown = api.get(f"/webhook-endpoints/{made['id']}").fields
    assert shown == {name: made[name] for name in FIELDS}


def test_rotation_makes_another_secret_each_time(api: Calls) -> None:
    made = create(api)
    path = f"/webhook-endpoints/{made['id']}/rotate-secret"
    answers = [api.post(path, **{"Idempotency-Key": "key"}) for _ in range(2)]
    assert len({made["secret"], *(answer.fields["secret"] for answer in answers)}) == 3
    assert all("Idempotent-Replayed" not in answer.headers for answer in answers)
    last = answers[1].fields
    assert last["secretLast4"] == last["secret"][-4:]
    assert api.get(f"/webhook-endpoints/{made['id']}").fields["secretLast4"] == last["secretLast4"]
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
    made = create(api)
    assert api.patch(f"/webhook-endpoints/{made['id']}", wrong).code == code
    assert api.get(f"/webhook-endpoints/{made['id']}").fields["updatedAt"] is None


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


def test_who_hears_of_what(emulator: Emulator, api: Calls) -> None:
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
    first, second = emulator.deliveries
    assert {first.endpoint_id, second.endpoint_id} == {everything["id"], here["id"]}
    assert list(first.body) == ["id", "type", "createdAt", "workspaceId", "projectId", "data"]
    assert (first.id, first.event, first.url) == (first.body["id"], "note.created", URL)
    assert (first.body["data"], first.body["projectId"]) == (note, emulator.project_id)
    assert (first.status, first.error) == (None, None)
    secrets = {everything["secretLast4"], here["secretLast4"]}
    assert {first.secret_last4, second.secret_last4} == secrets


def test_sources_are_told_of(emulator: Emulator, api: Calls) -> None:
    create(api, events=["source.created"])
    api.text()
    api.read_back(b"text", "text/plain")
    assert [delivery.event for delivery in emulator.deliveries] == ["source.created"] * 2


def test_deliveries_on_this_machine(receiver: Receiver) -> None:
    with Emulator(deliver=True, speed=100) as emulator:
        api = Calls(emulator)
        create(api, url=f"{receiver.url}?a=b", events=["note.created", "job.completed"])
        create(api, events=["note.created"])
        create(api, url="http://localhost:1/", events=["note.created"])
        note = api.note().fields
        api.generate()
        # Nobody looks at the job: the courier does.
        wait_for(lambda: len(receiver.received) == 2)
        wait_for(lambda: all(delivery.status or delivery.error for delivery in emulator.deliveries))
        by_url = {delivery.url: delivery for delivery in emulator.deliveries}
    public, refused = by_url[URL], by_url["http://localhost:1/"]
    path, headers, body = receiver.received[0]
    assert (path, body["data"]) == ("/hook?a=b", note)
    assert headers["X-Scripe-Emulator-Event"] == body["type"] == "note.created"
    assert headers["X-Scripe-Emulator-Delivery"] == body["id"]
    assert receiver.received[1][2]["data"]["status"] == "DONE"
    assert (public.status, refused.status) == (None, None)
    assert str(public.error).startswith("not sent")
    assert str(refused.error).startswith("ConnectionRefusedError")


def test_closing_sends_what_waits(receiver: Receiver) -> None:
    with Emulator(deliver=True) as emulator:
        create(Calls(emulator), url=receiver.url)
        Calls(emulator).note()
    assert len(receiver.received) == 1
    assert "scripe-emulator-courier" not in {thread.name for thread in threading.enumerate()}


def test_an_emulator_that_nobody_closes_ends_its_courier() -> None:
    emulator = Emulator(deliver=True)
    assert "scripe-emulator-courier" in {thread.name for thread in threading.enumerate()}
    del emulator
    gc.collect()
    assert "scripe-emulator-courier" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("a.com", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_scope(emulator: Emulator, api: Calls) -> None:
    key, path = emulator.create_key(["posts:write"]), "/webhook-endpoints/whe_x"
    required = {"required": ["webhooks:manage"]}
    assert api.get(path, key=key).error["details"] == required
    assert api.post("/webhook-endpoints", {}, key=key).error["details"] == required
    assert api.post(f"{path}/rotate-secret", key=key).error["details"] == required
    assert api.patch(path, {}).code == "404 not_found"
