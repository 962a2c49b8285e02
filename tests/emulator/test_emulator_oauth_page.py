"""The consent page: a form that works without scripts, once, and only from the page itself."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from scripe.emulator import Emulator
from tests.emulator.oauth_app import CALLBACK, App, connected, location, origin_of, parameters_of, register

HOSTILE = """<script>alert(1)</script>"'&lt;$name{{ 7*7 }}"""


@dataclass
class Form(HTMLParser):
    """The form of a consent page, and all text beside it."""

    html: str
    fields: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    buttons: list[str] = field(default_factory=list[str])
    options: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    tags: list[str] = field(default_factory=list[str])
    text: str = ""
    action: str = ""
    method: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "form":
            self.action, self.method = attributes["action"], attributes["method"]
        if tag == "input" and (attributes.get("type") != "checkbox" or "checked" in attributes):
            self.fields.setdefault(attributes["name"], []).append(attributes["value"])
        if tag == "button":
            self.buttons.append(attributes["value"])
        if tag == "optgroup":
            self.options[attributes["label"]] = []
        if tag == "option":
            self.options[list(self.options)[-1]].append(attributes["value"])
            self.fields.setdefault("reach", [attributes["value"]])

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def see(app: App, **changes: str | None) -> Form:
    response = app.http.get(app.url(**changes))
    assert response.status_code == 200
    return Form(response.text)


def press(app: App, form: Form, decision: object = "allow", **changes: object) -> httpx.Response:
    fields = {**form.fields, "decision": decision, **changes}
    return app.http.post(form.action, data=fields)


def assert_refused(response: httpx.Response, word: str) -> None:
    assert response.status_code == 400
    assert "location" not in response.headers
    assert word in Form(response.text).text


@pytest.mark.parametrize("way", ["in process", "served"])
def test_allowing(emulator: Emulator, way: str) -> None:
    with connected(emulator, "served" if way == "served" else "in process") as http:
        app = App(emulator, http)
        form = see(app)
        assert (form.method, form.action) == ("post", "/oauth/authorize")
        assert form.buttons == ["allow", "deny"]
        assert form.fields["scope"] == ["notes:read", "posts:write", "offline_access"]
        parameters = parameters_of(location(press(app, form)))
        assert parameters["state"] == "state-1"
        assert parameters["iss"] == origin_of(http)
        assert app.is_live(app.exchange(parameters["code"]).json())


def test_the_page_says_who_asks_for_what(app: App) -> None:
    text = see(app).text
    assert "Allow Acme to use Scripe?" in text
    assert "Read your notes and sources notes:read" in text
    assert "Write, generate and schedule posts posts:write" in text
    assert "Stay connected while you are away offline_access" in text
    assert f"Then you go on to {CALLBACK}." in text


def test_denying(app: App) -> None:
    url = location(press(app, see(app), "deny"))
    assert url.startswith(f"{CALLBACK}?error=access_denied&")
    assert parameters_of(url)["state"] == "state-1"


@pytest.mark.parametrize("decision", ["", "yes"])
def test_whatever_is_not_allow_is_no(app: App, decision: str) -> None:
    assert parameters_of(location(press(app, see(app), decision)))["error"] == "access_denied"


def test_both_buttons_at_once_are_no(app: App) -> None:
    response = press(app, see(app), ["allow", "deny"])
    assert parameters_of(location(response))["error"] == "access_denied"


def test_choosing_a_user_and_a_workspace(emulator: Emulator, app: App) -> None:
    other = emulator.create_workspace("Other")
    user = emulator.oauth.add_user("Bea", [emulator.workspace_id, other])
    form = see(app)
    assert form.options == {
        "Ada Acme": [f"{emulator.oauth.users[0].id} {emulator.workspace_id}"],
        "Bea": [f"{user.id} {emulator.workspace_id}", f"{user.id} {other}"],
    }
    code = parameters_of(location(press(app, form, reach=f"{user.id} {other}")))["code"]
    me = app.api(app.exchange(code).json()).json()
    assert me["workspace"]["id"] == other
    assert me["principal"]["id"] == user.id


def test_allowing_a_part(app: App) -> None:
    code = parameters_of(location(press(app, see(app), scope=["notes:read"])))["code"]
    tokens = app.exchange(code).json()
    assert tokens["scope"] == "notes:read"
    assert "refresh_token" not in tokens


def test_a_form_works_once(app: App) -> None:
    form = see(app)
    assert press(app, form).status_code == 303
    assert_refused(press(app, form), "sent before")
    assert_refused(press(app, form, "deny"), "sent before")


def test_a_form_gets_old(emulator: Emulator, app: App) -> None:
    form, later = see(app), see(app)
    emulator.clock.advance(600)
    assert_refused(press(app, form), "too old")
    assert_refused(press(app, later), "too old")
    assert press(app, see(app)).status_code == 303


def test_a_form_is_checked_again_when_it_comes_back(tmp_path: Path) -> None:
    with Emulator(tmp_path / "db", oauth_any_loopback_port=True) as emulator, connected(emulator) as http:
        app = App(emulator, http, register(http, redirect_uris=["http://127.0.0.1:8000/"]).json())
        form = see(app, redirect_uri="http://127.0.0.1:9000/")
    with Emulator(tmp_path / "db") as emulator, connected(emulator) as http:
        assert_refused(press(App(emulator, http, app.registration), form), "not registered")


def test_two_tabs_have_two_forms(app: App) -> None:
    first, second = see(app, state="one"), see(app, state="two")
    assert parameters_of(location(press(app, second)))["state"] == "two"
    assert parameters_of(location(press(app, first)))["state"] == "one"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"form": "scripe_form_0"}, "sent before"),
        ({"form": None}, "sent before"),
        ({"reach": "user_none org_none"}, "no such workspace"),
        ({"reach": ""}, "no such workspace"),
        ({"reach": None}, "no such workspace"),
        ({"reach": ["TWICE", "TWICE"]}, "no such workspace"),
        ({"scope": None}, "at least one"),
        ({"scope": "admin"}, "at least one"),
        ({"scope": ["notes:read", "posts:read"]}, "no other"),
    ],
    ids=[
        "a made-up form",
        "no form",
        "a stranger",
        "nobody",
        "no choice",
        "two choices",
        "nothing",
        "no scope",
        "more",
    ],
)
def test_a_form_that_the_page_does_not_have(app: App, changes: dict[str, object], word: str) -> None:
    form = see(app)
    if changes.get("reach") == ["TWICE", "TWICE"]:
        changes = {"reach": form.fields["reach"] * 2}
    fields = {name: value for name, value in {**form.fields, **changes}.items() if value is not None}
    assert_refused(app.http.post(form.action, data={**fields, "decision": "allow"}), word)


def test_a_form_counts_once(app: App) -> None:
    first, second = see(app), see(app)
    both = {**first.fields, "form": first.fields["form"] + second.fields["form"], "decision": "allow"}
    assert_refused(app.http.post(first.action, data=both), "sent before")


def test_a_form_of_another_type(app: App) -> None:
    form = see(app)
    response = app.http.post(form.action, json={**form.fields, "decision": "allow"})
    assert_refused(response, "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"Origin": "http://emulator.localhost", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
    ids=["the page", "elsewhere", "a sandbox", "cross-site", "same-site"],
)
def test_only_the_page_itself_may_send_the_form(app: App, headers: dict[str, str], is_taken: bool) -> None:
    form = see(app)
    response = app.http.post(form.action, data={**form.fields, "decision": "allow"}, headers=headers)
    if is_taken:
        assert "code" in parameters_of(location(response))
    else:
        assert_refused(response, "only on the consent page itself")
        assert press(app, form).status_code == 303


def test_the_page_escapes_what_clients_send(emulator: Emulator, http: httpx.Client) -> None:
    redirect_uri = "https://acme.example/?a='b'&amp;c=1"
    client = register(http, client_name=HOSTILE, redirect_uris=[redirect_uri]).json()
    app = App(emulator, http, client)
    form = see(app, state=HOSTILE)
    assert "script" not in form.tags
    assert f"Allow {HOSTILE} to use Scripe?" in form.text
    assert redirect_uri in form.text
    assert "<script>alert" not in form.html
    assert parameters_of(location(press(app, form)))["state"] == HOSTILE


def test_the_page_escapes_names_of_users_and_workspaces(emulator: Emulator, app: App) -> None:
    emulator.oauth.add_user(HOSTILE, [emulator.create_workspace(HOSTILE)])
    form = see(app)
    assert "script" not in form.tags
    assert HOSTILE in form.options
    assert HOSTILE in form.text


@pytest.mark.parametrize("which", ["the page", "an error", "the decision"])
def test_nobody_frames_stores_or_reads_the_page(app: App, which: str) -> None:
    if which == "the decision":
        response = press(app, see(app))
        assert response.headers["referrer-policy"] == "no-referrer"
    else:
        response = app.http.get(app.url(**({} if which == "the page" else {"client_id": "x"})))
        assert response.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["cache-control"] == "no-store"


def test_pages_elsewhere_may_use_tokens_but_not_see_the_consent_page() -> None:
    with Emulator(cors_origins=("*",)) as emulator, connected(emulator, "served") as http:
        app, origin = App(emulator, http), {"Origin": "http://localhost:5173"}
        preflight = http.options("/oauth/token", headers={**origin, "Access-Control-Request-Method": "POST"})
        assert preflight.headers["access-control-allow-origin"] == "*"
        for response in (
            http.get("/.well-known/oauth-authorization-server", headers=origin),
            app.send("/oauth/token", {}, origin),
            app.send("/oauth/revoke", {}, origin),
            http.post("/oauth/register", headers=origin),
        ):
            assert response.headers["access-control-allow-origin"] == "*"
        for response in (
            http.get(app.url(), headers=origin),
            http.get(app.url(scope="admin"), headers=origin),
            http.post("/oauth/authorize", headers=origin),
            http.options("/oauth/authorize", headers={**origin, "Access-Control-Request-Method": "POST"}),
        ):
            assert "access-control-allow-origin" not in response.headers
