"""The emulator's page in a real browser: Chromium, headless."""

import os
import re
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, expect, sync_playwright

from scripe import (
    APIConnectionError,
    AuthenticationError,
    Job,
    NotFoundError,
    Scripe,
    ServiceUnavailableError,
)
from scripe.emulator import Emulator, Server
from tests.emulator.oauth_app import App, connected, origin_of, parameters_of, register

CHROMIUM = os.environ.get("SCRIPE_TEST_CHROMIUM") or shutil.which("chromium")
MISSING = "There is no Chromium: apt-get install chromium, or set SCRIPE_TEST_CHROMIUM to the path of one"
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE = 60_000
Scheme = Literal["light", "dark"]

FAINT = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([red, green, blue]) => 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue);
  const ground = (element) => {
    const colour = channels(getComputedStyle(element).backgroundColor);
    return colour.length === 3 || colour[3] === 1 || !element.parentElement ? colour : ground(element.parentElement);
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")].filter((element) => hasText(element) && element.checkVisibility())
    .map((element) => {
      const [one, other] = [channels(getComputedStyle(element).color), ground(element)].map(luminance);
      const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      return [element.textContent.trim(), element.className, contrast];
    })
    .filter(([, , contrast]) => !(contrast >= 4.5));
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.fail(MISSING, pytrace=False)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS.split(), timeout=PATIENCE
        )
        with closing(launched):
            yield launched


@dataclass
class Visitor:
    """Opens the page, and notes what a browser complains of and where it goes."""

    chromium: Browser
    server: Server
    complaints: list[str] = field(default_factory=list[str])
    urls: list[str] = field(default_factory=list[str])

    @contextmanager
    def open(
        self,
        width: int = 1280,
        height: int = 900,
        scheme: Scheme = "light",
        *,
        scripts: bool = True,
    ) -> Generator[Page]:
        with closing(
            self.chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                java_script_enabled=scripts,
            )
        ) as context:
            context.set_default_timeout(PATIENCE)
            context.on("console", self._console)
            context.on("request", self._request)
            page = context.new_page()
            page.on("pageerror", self._error)
            page.goto(self.server.page_url)
            yield page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _request(self, request: Request) -> None:
        self.urls.append(request.url)


@pytest.fixture
def server(emulator: Emulator) -> Iterator[Server]:
    with emulator.serve() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Scripe]:
    with Scripe(server.api_key, base_url=server.base_url, max_retries=0) as client:
        yield client


@pytest.fixture
def visitor(chromium: Browser, server: Server) -> Iterator[Visitor]:
    visitor = Visitor(chromium, server)
    yield visitor
    assert visitor.complaints == []
    assert [url for url in visitor.urls if not url.startswith(server.page_url)] == []


def generate(client: Scripe, emulator: Emulator) -> Job:
    return client.posts.generate(project_id=emulator.project_id, text="We ship. It works.")


def busy(client: Scripe, emulator: Emulator) -> None:
    """Some of everything, long words too."""
    first, second, _ = (generate(client, emulator) for _ in range(3))
    emulator.finish(first.id)
    emulator.fail(second.id, error_code="X" * 80, error_message="y" * 200)
    emulator.start(generate(client, emulator).id)
    emulator.clock.advance(0.5)
    for _ in range(2):
        client.sources.create_text(
            project_id=emulator.project_id, text="Said once.", idempotency_key="k" * 64
        )
    emulator.fail_next(503, path="/notes", message="m" * 100)
    with pytest.raises(ServiceUnavailableError):
        client.notes.create(project_id=emulator.project_id, content="A note.")
    client.uploads.upload_file(b"x", content_type="text/plain")
    with pytest.raises(NotFoundError):
        client.sources.retrieve(f"src_{'f' * 300}")
    emulator.drop_next()
    with pytest.raises(APIConnectionError):
        client.notes.create(project_id=emulator.project_id, content="A note.")
    emulator.fail_next(429, times=3, path=f"/{'p' * 120}")
    emulator.create_key(["notes:read", "notes:write", "posts:read", "posts:write"])
    emulator.revoke_key(emulator.create_key())
    emulator.set_spend(4_900)


def test_requests_appear_by_themselves(visitor: Visitor, client: Scripe) -> None:
    with visitor.open() as page:
        expect(page.locator("#live")).to_have_text("Live")
        expect(page.locator("#request-list")).to_contain_text("No requests yet.")
        client.workspaces.me()
        expect(page.locator("#request-list tbody tr")).to_have_count(1)
        expect(page.locator("#request-list")).to_contain_text("/workspaces/me")
        expect(page.locator("#limit-list")).to_contain_text("1 of 120")


def test_what_was_opened_stays_open(visitor: Visitor, client: Scripe, emulator: Emulator) -> None:
    client.posts.create(project_id=emulator.project_id, content="Said in the post.")
    with visitor.open() as page:
        page.locator("#request-list summary").click()
        page.locator("#post-list summary").click()
        for _ in range(2):
            emulator.clock.advance(60)  # the ages change, so that both lists are replaced
            client.workspaces.me()
        expect(page.locator("#request-list tbody tr")).to_have_count(3)
        expect(page.locator("#post-list .number").last).to_have_text("2 min")
        expect(page.locator("#request-list pre")).to_be_visible()
        expect(page.locator("#request-list pre")).to_contain_text('"content":"Said in the post."')
        expect(page.locator("#post-list pre")).to_be_visible()


@pytest.mark.parametrize("is_named", [True, False])
def test_a_page_of_another_origin_calls_only_where_its_origin_is_named(
    chromium: Browser, server: Server, is_named: bool
) -> None:
    call = """async ([url, key]) => {
      const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "Idempotency-Key": "k" };
      const body = JSON.stringify({ contentType: "text/plain" });
      const minted = await fetch(`${url}/uploads`, { method: "POST", headers, body });
      const { data } = await minted.json();
      const put = await fetch(data.uploadUrl, { method: "PUT", headers: { "Content-Type": "text/plain" }, body: "x" });
      return [minted.headers.get("X-Request-Id").slice(0, 4), put.status, put.headers.get("ETag").length];
    }"""
    page_elsewhere = f"{server.base_url.removesuffix('/v1')}/openapi.json"  # another port is another origin
    named = (server.base_url.removesuffix("/v1"),) if is_named else ()
    with (
        Emulator(cors_origins=named) as called,
        called.serve() as api,
        closing(chromium.new_page()) as page,
    ):
        page.goto(page_elsewhere)
        if is_named:
            assert page.evaluate(call, [api.base_url, api.api_key]) == ["req_", 200, 34]
        else:
            with pytest.raises(Error, match="Failed to fetch"):
                page.evaluate(call, [api.base_url, api.api_key])


def test_jobs_move(visitor: Visitor, client: Scripe, emulator: Emulator) -> None:
    with visitor.open() as page:
        generate(client, emulator)
        expect(page.locator("#job-list .mark")).to_have_text("QUEUED")
        emulator.clock.advance(3)
        expect(page.locator("#job-list progress")).to_have_js_property("value", 0.5)
        expect(page.locator("#job-list")).to_contain_text("Working on it")
        emulator.clock.advance(3)
        expect(page.locator("#job-list .mark")).to_have_text("DONE")
        expect(page.locator("#job-list progress")).to_have_count(0)


def test_buttons_change_what_a_client_meets(visitor: Visitor, client: Scripe, emulator: Emulator) -> None:
    with visitor.open() as page:
        page.get_by_role("button", name="Fail next").click()
        expect(page.get_by_role("status")).to_have_text("The next requests will fail.")
        expect(page.locator("#fault-list")).to_contain_text("fails with 503 service_unavailable")
        with pytest.raises(ServiceUnavailableError):
            client.workspaces.me()
        expect(page.locator("#fault-list button")).to_have_count(0)
        expect(page.locator("#request-list tr.failed")).to_contain_text("service_unavailable")

        page.get_by_role("button", name="Drop next").click()
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_role("status")).to_have_text("All faults were cleared.")
        client.workspaces.me()

        before = emulator.clock.now()
        page.get_by_role("button", name="+1 h").click()
        expect(page.get_by_role("status")).to_have_text("The clock was moved forward.")
        assert (emulator.clock.now() - before).total_seconds() == 3600
        assert page.url == visitor.server.page_url


def test_jobs_are_ended_by_hand(visitor: Visitor, client: Scripe, emulator: Emulator) -> None:
    first, second = generate(client, emulator), generate(client, emulator)
    with visitor.open() as page:
        page.get_by_role("button", name=f"Finish {first.id}").click()
        expect(page.get_by_role("status")).to_have_text("The job was ended.")
        page.get_by_role("button", name=f"Fail {second.id}").click()
        expect(page.get_by_role("status")).to_have_text("The job has failed.")
    assert [client.jobs.retrieve(job.id).status for job in (first, second)] == ["DONE", "FAILED"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_key_is_revoked(visitor: Visitor, client: Scripe, scripts: bool) -> None:
    with visitor.open(scripts=scripts) as page:
        page.get_by_role("link", name="Revoke…").click()
        page.get_by_role("link", name="Keep it").click()
        client.workspaces.me()
        page.get_by_role("link", name="Revoke…").click()
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("status")).to_have_text("The key was revoked.")
        expect(page.locator("#key-list")).to_contain_text("revoked")
    with pytest.raises(AuthenticationError):
        client.workspaces.me()


def test_without_scripts_everything_works(visitor: Visitor, client: Scripe, emulator: Emulator) -> None:
    with visitor.open(scripts=False) as page:
        job = generate(client, emulator)
        page.get_by_role("link", name="Refresh").click()
        expect(page.locator("#request-list tbody tr")).to_have_count(1)
        page.get_by_role("button", name=f"Finish {job.id}").click()
        expect(page.get_by_role("status")).to_have_text("The job was ended.")
        page.locator('form[action="/_emulator/drop-next"] input[name="path"]').fill("nowhere")
        page.get_by_role("button", name="Drop next").click()
        expect(page.get_by_role("status")).to_contain_text("A path begins with a slash")
        expect(page.locator('form[action="/_emulator/drop-next"] input[name="path"]')).to_have_value(
            "nowhere"
        )
        visitor.complaints.clear()  # of the 422
        page.get_by_role("button", name="+1 day").click()
        expect(page.get_by_role("status")).to_have_text("The clock was moved forward.")
        expect(page.locator("#live")).to_be_hidden()


def test_what_is_filled_in_wrongly_is_said_on_the_page(visitor: Visitor) -> None:
    with visitor.open() as page:
        narrowing = page.locator('form[action="/_emulator/fail-next"] input[name="path"]')
        narrowing.fill("nowhere")
        narrowing.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("A path begins with a slash")
        expect(page.get_by_role("status")).to_have_class("wrong")
        expect(narrowing).to_have_value("nowhere")
        visitor.complaints.clear()  # of the 422
        narrowing.fill("/notes")
        narrowing.press("Enter")
        expect(page.get_by_role("status")).to_have_text("The next requests will fail.")
        expect(page.get_by_role("status")).not_to_have_class("wrong")


def test_the_keyboard_stays_where_it_is(visitor: Visitor, client: Scripe, emulator: Emulator) -> None:
    job = generate(client, emulator)
    with visitor.open() as page:
        button = page.get_by_role("button", name=f"Finish {job.id}")
        button.focus()
        client.workspaces.me()
        emulator.clock.advance(3)
        expect(page.locator("#job-list progress")).to_have_js_property("value", 0.5)
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("The job was ended.")
        expect(page.locator("#job-list")).to_be_focused()


def test_nothing_changes_under_a_finger_or_a_selection(visitor: Visitor, client: Scripe) -> None:
    client.workspaces.me()
    with visitor.open() as page:
        page.get_by_role("link", name="Revoke…").hover()
        page.mouse.down()
        expect(page.locator("#live")).to_have_text("Paused")
        client.projects.list().first()
        page.mouse.move(0, 0)
        page.mouse.up()
        expect(page.locator("#request-list tbody tr")).to_have_count(2)
        page.locator("#request-list code").first.select_text()
        expect(page.locator("#live")).to_have_text("Paused")
        client.workspaces.me()
        page.locator("h1").click()
        expect(page.locator("#request-list tbody tr")).to_have_count(3)


def test_an_emulator_that_went_away_and_came_back(visitor: Visitor, server: Server) -> None:
    with visitor.open() as page:
        expect(page.locator("#live")).to_have_text("Live")
        server.stop()
        expect(page.locator("#live")).to_have_text("No response")
        page.get_by_role("button", name="+1 h").click()
        expect(page.get_by_role("status")).to_have_text("The emulator does not respond.")
        server.start()
        expect(page.locator("#live")).to_have_text("Live")
    assert all("ERR_CONNECTION_REFUSED" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


WIDTHS = (320, 360, 390, 700, 1024, 1280, 1920)


def test_no_width_scrolls_sideways(visitor: Visitor, client: Scripe, emulator: Emulator) -> None:
    with visitor.open() as page:
        assert too_narrow(page) == []
        busy(client, emulator)
        expect(page.locator("#request-list tbody tr.failed")).to_have_count(3)
        assert too_narrow(page) == []
        page.goto(f"{visitor.server.page_url}/revoke?key={key_id(page)}")
        assert too_narrow(page) == []


def too_narrow(page: Page) -> list[int]:
    """The widths at which the page is wider than the window."""
    widths: list[int] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
            widths.append(width)
    return widths


def test_what_was_done_is_seen_where_the_button_is(visitor: Visitor) -> None:
    with visitor.open(390, 600) as page:
        page.get_by_role("button", name="Delay next").click()
        expect(page.get_by_role("status")).to_have_text("The next responses will be late.")
        expect(page.get_by_role("status")).to_be_in_viewport()
        expect(page.locator("h1")).not_to_be_in_viewport()


def key_id(page: Page) -> str:
    match = re.search(r"key=(key_\w+)", page.locator("#key-list a").first.get_attribute("href") or "")
    assert match
    return match[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_word_can_be_read(
    visitor: Visitor, client: Scripe, emulator: Emulator, scheme: Scheme, width: int
) -> None:
    busy(client, emulator)
    with visitor.open(width, scheme=scheme) as page:
        page.get_by_role("button", name="+1 min").click()
        expect(page.get_by_role("status")).to_have_text("The clock was moved forward.")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(244, 245, 248)", "dark": "rgb(17, 20, 26)"}[scheme]
        assert page.evaluate(FAINT) == []
        page.goto(f"{visitor.server.page_url}/revoke?key={key_id(page)}")
        assert page.evaluate(FAINT) == []


def test_everything_to_fill_in_or_press_has_a_name(
    visitor: Visitor, client: Scripe, emulator: Emulator
) -> None:
    busy(client, emulator)
    with visitor.open() as page:
        parts = page.locator("body").aria_snapshot()
    for role in ("button", "link", "spinbutton", "textbox", "combobox", "progressbar", "meter"):
        matches = re.findall(rf"- {role}\b(.*)", parts)
        assert matches
        assert [name for name in matches if not name.startswith(' "')] == []


# The consent page of OAuth


@dataclass
class Login:
    """An application whose callback lies on another origin than the emulator, as in life."""

    app: App
    chromium: Browser
    emulator: Emulator
    callback: str

    @contextmanager
    def open(self, *, scripts: bool = True) -> Generator[Page]:
        context = self.chromium.new_context(java_script_enabled=scripts)
        with closing(context):
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.goto(self.app.url())
            yield page

    def parameters(self, page: Page) -> dict[str, str]:
        page.wait_for_url(f"{self.callback}?**")
        return parameters_of(page.url)


@pytest.fixture
def login(emulator: Emulator, chromium: Browser) -> Iterator[Login]:
    with (
        Emulator() as elsewhere,
        elsewhere.serve() as other_server,
        connected(emulator, "served") as http,
    ):
        callback = other_server.base_url.replace("/v1", "/callback")
        app = App(emulator, http, register(http, redirect_uris=[callback]).json())
        yield Login(app, chromium, emulator, callback)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_allowing_in_a_browser(login: Login, scripts: bool) -> None:
    other = login.emulator.create_workspace("Other")
    login.emulator.oauth.add_user("Bea", [other])
    with login.open(scripts=scripts) as page:
        expect(page.get_by_role("heading")).to_have_text("Allow Acme to use Scripe?")
        page.get_by_label("In the workspace").select_option("Other")
        page.get_by_label("posts:write").uncheck()
        page.get_by_role("button", name="Allow").click()
        parameters = login.parameters(page)
    assert parameters["iss"] == origin_of(login.app.http)
    tokens = login.app.exchange(parameters["code"]).json()
    assert tokens["scope"] == "notes:read offline_access"
    assert login.app.api(tokens).json()["workspace"]["id"] == other


def test_denying_in_a_browser(login: Login) -> None:
    with login.open() as page:
        page.get_by_role("button", name="Deny").click()
        assert login.parameters(page)["error"] == "access_denied"


def test_going_back_in_a_browser_asks_again(login: Login) -> None:
    with login.open() as page:
        page.get_by_role("button", name="Allow").click()
        first = login.parameters(page)["code"]
        page.go_back()
        page.get_by_role("button", name="Allow").click()
        assert login.parameters(page)["code"] != first


def test_a_frame_does_not_show_the_consent_page(login: Login) -> None:
    with login.open() as page:
        page.goto(login.callback)
        page.evaluate(
            """url => new Promise((done) => {
                const frame = document.createElement("iframe");
                frame.onload = done;
                frame.src = url;
                document.body.append(frame);
            })""",
            login.app.url(),
        )
        assert page.frames[-1].get_by_role("button", name="Allow").count() == 0


def test_the_consent_page_can_be_read(login: Login) -> None:
    with login.open() as page:
        assert page.evaluate(FAINT) == []
