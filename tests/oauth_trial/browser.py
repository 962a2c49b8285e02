"""The flow in Chromium, through `OAuthApp` behind a web application and through `oauth.login`."""

from __future__ import annotations

import contextlib
import io
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from queue import Queue

import httpx
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from scripe import CallbackError, ConsentDeniedError, ConsentRequiredError, Scripe, oauth
from scripe.oauth import Credentials, Login
from tests.emulator.test_emulator_page_browser import ARGUMENTS, CHROMIUM, MISSING
from tests.oauth.signing_in import NAME

from . import web_app
from .processes import PATIENCE, Loss
from .web_app import WebApp, query_of
from .worlds import Scenario, World, make_world


def scenarios(seed: int, seconds: float) -> Iterator[Scenario]:
    """Yield what people do in a browser, with each way to sign in."""
    if CHROMIUM is None:
        raise Loss(MISSING)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        with closing(launched):
            for scripts in (True, False):
                end = "" if scripts else ", without JavaScript"
                for visit in VISITS:
                    yield f"a web application{end}", partial(run_visit, visit, launched, scripts=scripts)
                for sign_in in SIGN_INS:
                    yield f"oauth.login{end}", partial(run_sign_in, sign_in, launched, scripts=scripts)


def expect(what: str, *, holds: bool) -> None:
    if not holds:
        raise Loss(f"not {what}")


def press(page: Page, button: str, workspace: str | None = None) -> None:
    """Choose a workspace, and press a button of the consent page."""
    if workspace is not None:
        page.get_by_label("In the workspace").select_option(value=workspace)
    page.get_by_role("button", name=button).click()


def expect_heading(page: Page, text: str) -> None:
    page.get_by_role("heading", name=text).wait_for(timeout=10_000)


def two_workspaces(world: World) -> tuple[str, str, str]:
    """Add a user with two workspaces; return the value of each on the consent page, and the id of the second."""
    other = world.emulator.create_workspace("Other")
    user = world.emulator.oauth.add_user("Grace", [world.emulator.workspace_id, other])
    return f"{user.id} {world.emulator.workspace_id}", f"{user.id} {other}", other


def expect_workspace(workspace_id: str, auth: Credentials | Login) -> None:
    with Scripe(auth=auth, rate_limiter=None) as client:
        expect("signed in to that workspace", holds=client.workspaces.me().workspace.id == workspace_id)


# A web application. Its login goes on, whatever is done in the browser after it was allowed.


@dataclass
class Visit:
    """A person before a web application."""

    world: World
    web: WebApp
    context: BrowserContext

    def connect(self) -> Page:
        """Open a tab that ends at the consent page."""
        page = self.context.new_page()
        page.goto(f"{self.web.origin}/connect")
        return page

    def allow(self, workspace: str | None = None) -> Page:
        page = self.connect()
        press(page, "Allow", workspace)
        return page

    def check_goes_on(self, workspace_id: str | None = None) -> None:
        assert self.web.app is not None
        expect_workspace(workspace_id or self.world.emulator.workspace_id, self.web.app.credentials(NAME))


def run_visit(visit: Callable[[Visit], None], browser: Browser, *, scripts: bool) -> None:
    with (
        make_world() as world,
        web_app.serve(world.store) as web,
        closing(browser.new_context(java_script_enabled=scripts)) as context,
    ):
        visit(Visit(world, web, context))


def allow(visit: Visit) -> None:
    page = visit.allow()
    expect_heading(page, f"connected to {visit.world.emulator.workspace_id}")
    visit.check_goes_on()


def deny(visit: Visit) -> None:
    page = visit.connect()
    press(page, "Deny")
    expect_heading(page, "ConsentDeniedError")
    try:
        visit.check_goes_on()
    except ConsentRequiredError as error:
        expect("missing", holds=error.reason == "missing")
    else:
        raise Loss("a login without consent")


def choose_another_workspace(visit: Visit) -> None:
    first, second, other = two_workspaces(visit.world)
    expect_heading(visit.allow(first), "connected to")
    expect_heading(visit.allow(second), "CallbackError")
    visit.check_goes_on()
    visit.web.replaces = True
    expect_heading(visit.allow(second), f"connected to {other}")
    visit.check_goes_on(other)


def go_back(visit: Visit) -> None:
    page = visit.allow()
    expect_heading(page, "connected to")
    page.go_back()
    press(page, "Allow")
    # The page is fetched again and its form works, or it is the one of before, whose form was used.
    page.get_by_role("heading", name="CallbackError").or_(
        page.get_by_role("heading", name="This does not work")
    ).wait_for(timeout=10_000)
    visit.check_goes_on()


def reload_the_callback(visit: Visit) -> None:
    page = visit.allow()
    expect_heading(page, "connected to")
    page.reload()
    expect_heading(page, "CallbackError")
    visit.check_goes_on()


def be_late_at_ones_own_callback(visit: Visit) -> None:
    """Somebody else has the callback's address first, guessed or stolen, without a session or with another one."""
    page = visit.connect()
    state = query_of(page.url)["state"]
    guessed = httpx.get(visit.web.redirect_uri, params={"code": "guessed", "state": state})
    expect("a guess refused", holds="CallbackError" in guessed.text)
    callback_url = visit.world.emulator.oauth.consent(page.url)
    expect("no session refused", holds="CallbackError" in httpx.get(callback_url).text)
    browser = visit.context.browser
    assert browser is not None
    with closing(browser.new_context()) as thief:
        of_thief = thief.new_page()
        of_thief.goto(f"{visit.web.origin}/connect")
        of_thief.goto(callback_url)
        expect_heading(of_thief, "CallbackError")
    page.goto(callback_url)
    expect_heading(page, "connected to")
    visit.check_goes_on()


def open_two_tabs(visit: Visit) -> None:
    """The session holds the state of the tab that was opened last; the other one is sent back to the start."""
    first, second = visit.connect(), visit.connect()
    press(first, "Allow")
    expect_heading(first, "CallbackError")
    press(second, "Allow")
    expect_heading(second, "connected to")
    first, second = visit.connect(), visit.connect()
    press(second, "Allow")
    expect_heading(second, "connected to")
    press(first, "Allow")
    expect_heading(first, "CallbackError")
    visit.check_goes_on()


VISITS = (
    allow,
    deny,
    choose_another_workspace,
    go_back,
    reload_the_callback,
    be_late_at_ones_own_callback,
    open_two_tabs,
)


# oauth.login, which waits on a port of its own.


class Opener(webbrowser.BaseBrowser):
    """Stands for the system's browser: notes which addresses are opened."""

    def __init__(self) -> None:
        super().__init__("trial")
        self.urls: Queue[str] = Queue()

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.urls.put(url)
        return True


OPENER = Opener()


@dataclass
class Person:
    """A person who runs a program that signs in."""

    world: World
    context: BrowserContext
    threads: ThreadPoolExecutor

    def start(self, profile: str = "default", *, replace: bool = False) -> tuple[Future[Login], str]:
        """Start `oauth.login`; return its result to come, and the address that it opens."""
        future = self.threads.submit(
            partial(
                oauth.login,
                profile,
                open_browser=True,
                timeout=30,
                token_store=self.world.store,
                replace=replace,
            )
        )
        return future, OPENER.urls.get(timeout=PATIENCE)

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.goto(url)
        return page

    def sign_in(self, workspace: str | None = None, *, replace: bool = False) -> tuple[Login, Page]:
        future, url = self.start(replace=replace)
        page = self.open(url)
        press(page, "Allow", workspace)
        return future.result(PATIENCE), page

    def check_goes_on(self, profile: str = "default", workspace_id: str | None = None) -> None:
        credentials = oauth.credentials(profile, token_store=self.world.another_store())
        expect_workspace(workspace_id or self.world.emulator.workspace_id, credentials)


def run_sign_in(sign_in: Callable[[Person], None], browser: Browser, *, scripts: bool) -> None:
    webbrowser.register("trial", None, OPENER, preferred=True)
    with (
        make_world() as world,
        closing(browser.new_context(java_script_enabled=scripts)) as context,
        ThreadPoolExecutor() as threads,
        contextlib.redirect_stderr(io.StringIO()),
    ):
        sign_in(Person(world, context, threads))


def log_in(person: Person) -> None:
    login, page = person.sign_in()
    expect_heading(page, "Nearly done")
    expect("an address without the code", holds=page.url.endswith("/done"))
    expect_workspace(person.world.emulator.workspace_id, login)
    person.check_goes_on()


def deny_login(person: Person) -> None:
    future, url = person.start()
    press(person.open(url), "Deny")
    expect("denied", holds=isinstance(future.exception(PATIENCE), ConsentDeniedError))


def log_in_to_another_workspace(person: Person) -> None:
    first, second, other = two_workspaces(person.world)
    person.sign_in(first)
    future, url = person.start()
    press(person.open(url), "Allow", second)
    expect("refused", holds=isinstance(future.exception(PATIENCE), CallbackError))
    person.check_goes_on()
    person.sign_in(second, replace=True)
    person.check_goes_on(workspace_id=other)


def go_back_after_login(person: Person) -> None:
    _, page = person.sign_in()
    expect_heading(page, "Nearly done")
    page.go_back()
    with contextlib.suppress(Error):  # nobody listens any more
        press(page, "Allow")
        page.wait_for_load_state()
    person.check_goes_on()


def wait_while_somebody_else_calls(person: Person) -> None:
    """Whoever does not know the state gets a 404, and the wait goes on."""
    future, url = person.start()
    query = query_of(url)
    callback = query["redirect_uri"]
    others = [
        httpx.get(callback, params={"code": "guessed", "state": "guessed"}),
        httpx.get(callback, params={"code": "guessed"}),
        httpx.get(callback, params={"code": "x", "state": query["state"]}, headers={"Host": "evil.example"}),
        httpx.get(callback.replace("/callback", "/done")),
    ]
    expect("404", holds=[response.status_code for response in others] == [404] * 4)
    expect("404 for another method", holds=httpx.post(callback, data=query).status_code == 404)
    press(person.open(url), "Allow")
    future.result(PATIENCE)
    person.check_goes_on()


def log_in_with_two_tabs(person: Person) -> None:
    future, url = person.start()
    first, second = person.open(url), person.open(url)
    press(first, "Allow")
    future.result(PATIENCE)
    with contextlib.suppress(Error):
        press(second, "Allow")
        second.wait_for_load_state()
    person.check_goes_on()


def log_in_twice_at_once(person: Person) -> None:
    one, url_of_one = person.start("one")
    two, url_of_two = person.start("two")
    page_of_one, page_of_two = person.open(url_of_one), person.open(url_of_two)
    press(page_of_two, "Allow")
    two.result(PATIENCE)
    press(page_of_one, "Allow")
    one.result(PATIENCE)
    for profile in ("one", "two"):
        person.check_goes_on(profile)
    again, url = person.start("one")  # with the registration that was stored
    press(person.open(url), "Allow")
    again.result(PATIENCE)
    person.check_goes_on("one")


SIGN_INS = (
    log_in,
    deny_login,
    log_in_to_another_workspace,
    go_back_after_login,
    wait_while_somebody_else_calls,
    log_in_with_two_tabs,
    log_in_twice_at_once,
)
