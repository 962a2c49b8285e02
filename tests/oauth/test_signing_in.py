"""Sign in on one's own machine: the callback on loopback, a pasted address, what is stored, and the logout."""

from __future__ import annotations

import json
import math
import pickle
import socket
import stat
import struct
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from scripe import (
    AsyncScripe,
    CallbackError,
    ConfigurationError,
    ConsentDeniedError,
    ConsentRequiredError,
    InvalidArgumentError,
    LoginTimeoutError,
    RegistrationError,
    Scripe,
    TokenStoreError,
    oauth,
)
from scripe.emulator import Emulator, Request, Response, Server
from scripe.oauth import FileTokenStore, Login, MemoryTokenStore, TokenRecord, TokenStore, signing_in
from scripe.oauth.signing_in import has_display
from tests.oauth.browser import Browser

METADATA = "/.well-known/oauth-authorization-server"


@pytest.fixture
def browser(emulator: Emulator, served: Server, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Take the place of the browser that `login` opens; it allows access at once."""
    browser = Browser(emulator)
    monkeypatch.setattr(webbrowser, "open", browser.open)
    return browser


@pytest.fixture
def sign_in(browser: Browser, store: TokenStore) -> Callable[..., Login]:
    """Sign in with the browser, and keep the login in the store."""

    def login(*arguments: Any, **options: Any) -> Login:
        return oauth.login(
            *arguments, **{"open_browser": True, "token_store": store, "timeout": 20, **options}
        )

    return login


def sent_to(emulator: Emulator, path: str) -> int:
    return len([request for request in emulator.requests if request.path == path])


def workspace_of(login: Any) -> str:
    with Scripe(auth=login) as client:
        return client.workspaces.me().workspace.id


def port_of(url: str) -> int:
    """Return the port that the browser of an authorization URL comes back to."""
    return urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0]).port or 0


# --- what a login is -------------------------------------------------------------------------------------------------


def test_a_login_calls_the_api(emulator: Emulator, sign_in: Callable[..., Login]) -> None:
    assert workspace_of(sign_in()) == emulator.workspace_id


def test_a_login_says_what_was_allowed(emulator: Emulator, sign_in: Callable[..., Login]) -> None:
    login = sign_in(scopes=["posts:read"])
    assert (set(login.scopes), login.workspace_id, login.expires_at is not None) == (
        {"posts:read", "offline_access"},
        emulator.workspace_id,
        True,
    )


def test_credentials_are_made_again_by_the_profile(
    emulator: Emulator, sign_in: Callable[..., Login], store: TokenStore
) -> None:
    sign_in("work")
    assert workspace_of(oauth.credentials("work", token_store=store)) == emulator.workspace_id


def test_each_profile_has_a_login_of_its_own(sign_in: Callable[..., Login], store: TokenStore) -> None:
    sign_in("work")
    with pytest.raises(ConsentRequiredError) as caught:
        workspace_of(oauth.credentials(token_store=store))
    assert (caught.value.reason, caught.value.name) == ("missing", "default")


def test_a_login_refreshes_itself(emulator: Emulator, sign_in: Callable[..., Login]) -> None:
    login = sign_in()
    emulator.oauth.expire_access_tokens()
    assert workspace_of(login) == emulator.workspace_id


def test_a_login_lies_in_a_file_of_the_user_by_default(
    emulator: Emulator, sign_in: Callable[..., Login], data_folder: Path
) -> None:
    sign_in(token_store=None)
    files = list(data_folder.glob("scripe/tokens/login-default-*.json"))
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600]
    assert workspace_of(oauth.credentials()) == emulator.workspace_id
    assert oauth.logout().revoked


def test_credentials_of_files_travel_to_another_process(
    emulator: Emulator, sign_in: Callable[..., Login], tmp_path: Path
) -> None:
    login = sign_in(token_store=FileTokenStore(tmp_path))
    pickled = pickle.dumps(login.credentials)
    assert b"scripe_oauth_" not in pickled
    assert workspace_of(pickle.loads(pickled)) == emulator.workspace_id


def test_nothing_of_the_request_is_kept(
    browser: Browser, sign_in: Callable[..., Login], tmp_path: Path
) -> None:
    sign_in(token_store=FileTokenStore(tmp_path))
    browser.act = lambda url: None
    with pytest.raises(LoginTimeoutError):
        sign_in(token_store=FileTokenStore(tmp_path), timeout=0.2)
    assert list(tmp_path.glob("pending-*.json")) == []


# --- the callback ----------------------------------------------------------------------------------------------------


def test_the_last_page_has_neither_code_nor_state(browser: Browser, sign_in: Callable[..., Login]) -> None:
    sign_in()
    browser.wait()
    page = browser.pages[0]
    assert (page.status_code, page.url.path, page.url.query) == (200, "/done", b"")


def test_no_page_is_kept_or_passes_its_address_on(browser: Browser, sign_in: Callable[..., Login]) -> None:
    sign_in()
    browser.wait()
    page = browser.pages[0]
    for response in (*page.history, page):
        assert (response.headers["Cache-Control"], response.headers["Referrer-Policy"]) == (
            "no-store",
            "no-referrer",
        )
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_a_page_names_no_version_of_python(browser: Browser, sign_in: Callable[..., Login]) -> None:
    sign_in()
    browser.wait()
    assert browser.pages[0].headers["Server"] == "scripe"


WRONG_REQUESTS: dict[str, Callable[[str], httpx.Request]] = {
    "another path": lambda url: httpx.Request("GET", url.replace("/callback", "/")),
    "the last page": lambda url: httpx.Request("GET", url.replace("/callback", "/done")),
    "another method": lambda url: httpx.Request("POST", url),
    "a method without a body": lambda url: httpx.Request("HEAD", url),
    "a method of nobody": lambda url: httpx.Request("BREW", url),
    "another host": lambda url: httpx.Request("GET", url, headers={"Host": "evil.example"}),
    "another name of this machine": lambda url: httpx.Request(
        "GET", url, headers={"Host": f"localhost:{urlsplit(url).port}"}
    ),
    "another state": lambda url: httpx.Request("GET", url.replace("state=", "state=x")),
    "no state": lambda url: httpx.Request("GET", url.replace("state=", "other=")),
    "two states": lambda url: httpx.Request("GET", f"{url}&state=x"),
    "a state that is not ASCII": lambda url: httpx.Request("GET", url.replace("state=", "state=%C3%BC")),
}


@pytest.mark.parametrize("make", WRONG_REQUESTS.values(), ids=WRONG_REQUESTS.keys())
def test_the_wait_goes_on_after_a_request_that_is_not_the_callback(
    emulator: Emulator,
    browser: Browser,
    sign_in: Callable[..., Login],
    make: Callable[[str], httpx.Request],
) -> None:
    statuses: list[int] = []

    def interfere(url: str) -> None:
        callback_url = emulator.oauth.consent(url)
        with httpx.Client() as other:
            statuses.append(other.send(make(callback_url)).status_code)
        browser.go(callback_url)

    browser.act = interfere
    assert sign_in().workspace_id == emulator.workspace_id
    assert statuses == [404]


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"NONSENSE\r\n\r\n", b"There is not"),
        (b"GET /" + b"x" * 70_000, b"HTTP/1.0 404"),
        (b"GET /callback?state=STATE HTTP/1.1\r\n\r\n", b"HTTP/1.0 404"),
        (b"GET /callback?state=STATE HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: x\r\n\r\n", b"HTTP/1.0 404"),
        (b"", b""),
    ],
    ids=["no HTTP", "no end", "no host", "two hosts", "nothing"],
)
def test_the_wait_goes_on_after_bytes_that_are_no_request(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login], sent: bytes, answer: bytes
) -> None:
    answers: list[bytes] = []

    def interfere(url: str) -> None:
        port, state = port_of(url), parse_qs(urlsplit(url).query)["state"][0]
        with socket.create_connection(("127.0.0.1", port)) as other:
            other.sendall(sent.replace(b"PORT", str(port).encode()).replace(b"STATE", state.encode()))
            other.shutdown(socket.SHUT_WR)
            answers.append(other.recv(12))
        browser.allow(url)

    browser.act = interfere
    assert sign_in().workspace_id == emulator.workspace_id
    assert answers == [answer]


def test_a_connection_that_breaks_is_not_reported(
    browser: Browser, sign_in: Callable[..., Login], capsys: pytest.CaptureFixture[str]
) -> None:
    def interfere(url: str) -> None:
        other = socket.create_connection(("127.0.0.1", port_of(url)))
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.sendall(b"GET / HTTP/1.1\r\nHost:")
        time.sleep(0.1)
        other.close()  # with a reset
        time.sleep(0.1)
        browser.allow(url)

    browser.act = interfere
    sign_in()
    assert "Traceback" not in capsys.readouterr().err


def test_an_open_connection_without_a_request_blocks_nobody(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]
) -> None:
    """Browsers open connections that they may use later."""

    def interfere(url: str) -> None:
        with socket.create_connection(("127.0.0.1", port_of(url))):
            browser.allow(url)

    browser.act = interfere
    assert sign_in().workspace_id == emulator.workspace_id


def test_a_callback_works_once(emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]) -> None:
    statuses: list[int] = []

    def act(url: str) -> None:
        callback_url = emulator.oauth.consent(url)
        with httpx.Client() as first:
            statuses.append(first.get(callback_url).status_code)
            statuses.append(first.get(callback_url).status_code)
            statuses.append(first.get(httpx.URL(callback_url).join("/done")).status_code)

    browser.act = act
    sign_in()
    assert statuses == [303, 404, 200]


def test_the_port_is_closed_before_the_exchange(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]
) -> None:
    is_closed: list[bool] = []

    def look(request: Request, response: Response) -> None:
        if urlsplit(request.url).path == "/oauth/token":
            with socket.socket() as other:
                is_closed.append(other.connect_ex(("127.0.0.1", port_of(browser.opened[0]))) != 0)

    emulator.add_observer(look)
    sign_in()
    assert is_closed == [True]


def test_a_browser_that_does_not_fetch_the_last_page_is_not_waited_for(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]
) -> None:
    def act(url: str) -> None:
        with httpx.Client() as brief:
            brief.get(emulator.oauth.consent(url))

    browser.act = act
    assert sign_in().workspace_id == emulator.workspace_id


def test_no_other_machine_reaches_the_port(browser: Browser, sign_in: Callable[..., Login]) -> None:
    addresses: list[str] = []

    def act(url: str) -> None:
        with socket.socket() as other:  # of all addresses of this machine, 127.0.0.1 alone is taken
            addresses.append("taken" if other.connect_ex(("127.0.0.2", port_of(url))) == 0 else "free")
        browser.allow(url)

    browser.act = act
    sign_in()
    assert addresses == ["free"]


def test_denied_consent_is_named(browser: Browser, sign_in: Callable[..., Login]) -> None:
    browser.act = browser.deny
    with pytest.raises(ConsentDeniedError):
        sign_in()


def test_nobody_finishes(browser: Browser, sign_in: Callable[..., Login], store: TokenStore) -> None:
    browser.act = lambda url: None
    with pytest.raises(LoginTimeoutError) as caught:
        sign_in(timeout=0.2)
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(ConsentRequiredError):
        workspace_of(oauth.credentials(token_store=store))


def test_a_browser_that_hangs_is_not_waited_for(browser: Browser, sign_in: Callable[..., Login]) -> None:
    """`BROWSER='firefox %s'` makes `webbrowser.open` return only when the browser is closed."""
    is_over, was_closed = threading.Event(), list[bool]()
    browser.act = lambda url: was_closed.append(is_over.wait(20))
    with pytest.raises(LoginTimeoutError):
        sign_in(timeout=0.2)
    is_over.set()
    browser.wait()
    assert was_closed == [True]


# --- the registration ------------------------------------------------------------------------------------------------


def test_a_registration_and_its_port_are_used_again(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]
) -> None:
    for _ in range(3):
        sign_in()
    assert sent_to(emulator, "/oauth/register") == 1
    assert len({port_of(url) for url in browser.opened}) == 1


def test_other_scopes_have_a_registration_of_their_own(
    emulator: Emulator, sign_in: Callable[..., Login]
) -> None:
    sign_in(scopes=["posts:read"])
    sign_in(scopes=["notes:read"])
    assert sent_to(emulator, "/oauth/register") == 2


def test_another_port_is_registered_if_the_last_one_is_in_use(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]
) -> None:
    sign_in()
    with socket.create_server(("127.0.0.1", port_of(browser.opened[0]))):
        sign_in()
    assert sent_to(emulator, "/oauth/register") == 2


def test_a_port_that_was_asked_for_is_used(browser: Browser, sign_in: Callable[..., Login]) -> None:
    port = free_port()
    sign_in()
    for _ in range(2):  # at once: the last connections of the first time still linger
        sign_in(port=port)
    assert [port_of(url) for url in browser.opened[1:]] == [port, port]


def test_a_port_that_was_asked_for_and_is_in_use_is_an_error(sign_in: Callable[..., Login]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(ConfigurationError),
    ):
        sign_in(port=other.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none_is_an_error(sign_in: Callable[..., Login], port: int) -> None:
    with pytest.raises(ConfigurationError):
        sign_in(port=port)


def test_a_registration_that_the_server_does_not_know_is_made_again(
    emulator: Emulator, sign_in: Callable[..., Login]
) -> None:
    sign_in()
    emulator.fail_next(401, "invalid_client", path="/oauth/token")
    with pytest.raises(RegistrationError):
        sign_in()
    sign_in()
    assert sent_to(emulator, "/oauth/register") == 2


def test_a_registration_that_a_refresh_finds_unknown_is_made_again(
    emulator: Emulator, sign_in: Callable[..., Login]
) -> None:
    credentials = sign_in().credentials
    emulator.fail_next(401, "invalid_client", path="/oauth/token")
    with pytest.raises(RegistrationError):
        credentials.access_token(rejected=credentials.access_token())
    sign_in()
    assert sent_to(emulator, "/oauth/register") == 2


def test_a_registration_is_made_again_after_a_timeout(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]
) -> None:
    """A server that does not know the application says so to the person, on a page."""
    browser.act = lambda url: None
    with pytest.raises(LoginTimeoutError):
        sign_in(timeout=0.2)
    browser.act = browser.allow
    sign_in()
    assert sent_to(emulator, "/oauth/register") == 2


def test_a_registration_that_cannot_be_read_is_made_again(
    emulator: Emulator, sign_in: Callable[..., Login], tmp_path: Path
) -> None:
    store = FileTokenStore(tmp_path)
    sign_in(token_store=store)
    for file in tmp_path.glob("registration-*.json"):
        file.write_text("{}")
    sign_in(token_store=store)
    assert sent_to(emulator, "/oauth/register") == 2


def test_a_store_that_cannot_save_is_found_before_the_browser_opens(
    browser: Browser, sign_in: Callable[..., Login]
) -> None:
    class Full(MemoryTokenStore):
        def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
            raise TokenStoreError("The disk is full.")

    with pytest.raises(TokenStoreError):
        sign_in(token_store=Full())
    assert browser.opened == []


def test_an_error_is_not_hidden_by_a_store_that_fails_as_well(
    browser: Browser, sign_in: Callable[..., Login]
) -> None:
    class Vanishing(MemoryTokenStore):
        def pop(self, name: str) -> TokenRecord | None:
            raise TokenStoreError("The disk is gone.")

    browser.act = lambda url: None
    with pytest.raises(LoginTimeoutError):
        sign_in(token_store=Vanishing(), timeout=0.2)


# --- scopes ----------------------------------------------------------------------------------------------------------


def scope_of(url: str) -> list[str]:
    return parse_qs(urlsplit(url).query)["scope"][0].split()


@pytest.mark.parametrize("scopes", [None, ["posts:read"]], ids=["all", "some"])
def test_offline_access_is_not_asked_for_where_it_is_not_offered(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login], scopes: list[str] | None
) -> None:
    def without_refresh(request: Request, response: Response) -> None:
        if urlsplit(request.url).path == METADATA:
            metadata = json.loads(response.body)
            metadata["scopes_supported"].remove("offline_access")
            response.body = json.dumps(metadata).encode()

    emulator.add_observer(without_refresh)
    sign_in(scopes=scopes)
    assert "offline_access" not in scope_of(browser.opened[0])


# --- a pasted address ------------------------------------------------------------------------------------------------


class Person:
    """Pastes addresses, one after the other, and notes what was asked."""

    def __init__(self, *addresses: Callable[[str], str | None]) -> None:
        self.addresses = list(addresses)
        self.asked: list[str] = []
        self.url = ""
        self._has_url = threading.Event()

    def open(self, url: str) -> None:
        """Note the address to open, instead of opening it."""
        self.url = url
        self._has_url.set()

    def paste(self, text: str) -> str | None:
        assert self._has_url.wait(20)
        self.asked.append(text)
        return self.addresses.pop(0)(self.url)


def test_a_pasted_address_ends_the_wait(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]
) -> None:
    person = Person(lambda url: f"  {emulator.oauth.consent(url)}\n")
    browser.act = person.open
    assert sign_in(ask_for_address=person.paste).workspace_id == emulator.workspace_id


WRONG_ADDRESSES: dict[str, Callable[[str], str]] = {
    "the address to open": lambda url: url,
    "another state": lambda url: "http://127.0.0.1:1/callback?code=x&state=y",
    "something else": lambda url: "yes",
    "nothing": lambda url: "",
}


@pytest.mark.parametrize("wrong", WRONG_ADDRESSES.values(), ids=WRONG_ADDRESSES.keys())
def test_a_person_is_asked_again_after_an_address_that_does_not_fit(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login], wrong: Callable[[str], str]
) -> None:
    person = Person(wrong, emulator.oauth.consent)
    browser.act = person.open
    assert sign_in(ask_for_address=person.paste).workspace_id == emulator.workspace_id
    assert len(set(person.asked)) == 2


def test_a_pasted_denial_is_named(
    emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]
) -> None:
    person = Person(lambda url: emulator.oauth.consent(url, allow=False))
    browser.act = person.open
    with pytest.raises(ConsentDeniedError):
        sign_in(ask_for_address=person.paste)


def give_up_pasting(_: str) -> str | None:
    return None


def end_of_input(_: str) -> str | None:
    raise EOFError


@pytest.mark.parametrize("give_up", [give_up_pasting, end_of_input], ids=["None", "EOFError"])
def test_the_browser_is_waited_for_after_a_person_gave_up_pasting(
    emulator: Emulator, sign_in: Callable[..., Login], give_up: Callable[[str], str | None]
) -> None:
    assert sign_in(ask_for_address=give_up).workspace_id == emulator.workspace_id


def test_the_browser_is_faster_than_the_person(emulator: Emulator, sign_in: Callable[..., Login]) -> None:
    is_over = threading.Event()

    def think(_: str) -> str | None:
        is_over.wait(20)
        return None

    assert sign_in(ask_for_address=think).workspace_id == emulator.workspace_id
    is_over.set()


def test_no_thread_of_a_login_keeps_the_program_alive(
    browser: Browser, sign_in: Callable[..., Login]
) -> None:
    is_over = threading.Event()

    def think(_: str) -> str | None:
        is_over.wait(20)
        return None

    others: list[threading.Thread] = []
    before = set(threading.enumerate())

    def act(url: str) -> None:
        others.extend(set(threading.enumerate()) - before)
        browser.allow(url)

    browser.act = act
    sign_in(ask_for_address=think)
    is_over.set()
    ours = {thread.name: thread.daemon for thread in others if thread.name.startswith("scripe-oauth")}
    assert ours["scripe-oauth-callback"]
    assert all(ours.values())


def test_the_address_to_open_is_written_to_stderr(
    browser: Browser, sign_in: Callable[..., Login], capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in()
    seen = capsys.readouterr()
    assert browser.opened[0] in seen.err
    assert seen.out == ""


class ClosedStream:
    """Stderr whose reader has gone."""

    def write(self, _: str) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [None, ClosedStream()], ids=["none", "closed"])
def test_a_login_needs_no_stderr(
    emulator: Emulator, sign_in: Callable[..., Login], monkeypatch: pytest.MonkeyPatch, stream: Any
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert sign_in().workspace_id == emulator.workspace_id


# --- another workspace -----------------------------------------------------------------------------------------------


@pytest.fixture
def other_workspace(emulator: Emulator, browser: Browser, sign_in: Callable[..., Login]) -> str:
    """Sign in to one workspace; from then on the person chooses another one, which is returned."""
    other = emulator.create_workspace("Other")
    user = emulator.oauth.add_user("Both", [emulator.workspace_id, other])
    browser.act = lambda url: browser.allow(url, user=user, workspace_id=emulator.workspace_id)
    sign_in()
    browser.act = lambda url: browser.allow(url, user=user, workspace_id=other)
    return other


def test_another_workspace_is_not_stored_silently(
    emulator: Emulator, sign_in: Callable[..., Login], store: TokenStore, other_workspace: str
) -> None:
    with pytest.raises(CallbackError):
        sign_in()
    assert workspace_of(oauth.credentials(token_store=store)) == emulator.workspace_id


def test_another_workspace_is_stored_if_asked_to(
    sign_in: Callable[..., Login], store: TokenStore, other_workspace: str
) -> None:
    assert sign_in(replace=True).workspace_id == other_workspace
    assert workspace_of(oauth.credentials(token_store=store)) == other_workspace


@pytest.mark.parametrize("is_confirmed", [True, False], ids=["yes", "no"])
def test_a_function_is_asked_whether_to_replace(
    emulator: Emulator,
    sign_in: Callable[..., Login],
    store: TokenStore,
    other_workspace: str,
    *,
    is_confirmed: bool,
) -> None:
    asked: list[tuple[str, str]] = []

    def confirm(stored: str, chosen: str) -> bool:
        asked.append((stored, chosen))
        with store.lock("login-default-x", 1):  # nobody who refreshes waits for the person
            return is_confirmed

    if is_confirmed:
        sign_in(replace=confirm)
    else:
        with pytest.raises(CallbackError):
            sign_in(replace=confirm)
    assert asked == [(emulator.workspace_id, other_workspace)]
    expected = other_workspace if is_confirmed else emulator.workspace_id
    assert workspace_of(oauth.credentials(token_store=store)) == expected


def test_nobody_is_asked_about_the_same_workspace(sign_in: Callable[..., Login]) -> None:
    sign_in()

    def confirm(*_: str) -> bool:
        raise AssertionError

    assert sign_in(replace=confirm).workspace_id is not None


def test_the_lock_is_free_while_a_person_is_asked(
    emulator: Emulator, sign_in: Callable[..., Login], store: TokenStore, other_workspace: str
) -> None:
    """Another process may have to refresh the old login meanwhile."""
    credentials = oauth.credentials(token_store=store)
    workspaces: list[str] = []

    def confirm(*_: str) -> bool:
        emulator.oauth.expire_access_tokens()
        workspaces.append(workspace_of(credentials))
        return False

    with pytest.raises(CallbackError):
        sign_in(replace=confirm)
    assert workspaces == [emulator.workspace_id]


# --- the place -------------------------------------------------------------------------------------------------------


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Emulator, str]]:
    """Serve another emulator, which SCRIPE_BASE_URL does not name."""
    with Emulator() as emulator, emulator.serve() as server:
        yield emulator, server.base_url


def test_a_login_to_another_api_sends_nothing_to_the_configured_one(
    emulator: Emulator, sign_in: Callable[..., Login], browser: Browser, second: tuple[Emulator, str]
) -> None:
    other, base_url = second
    browser.emulator = other
    login = sign_in(base_url=base_url)
    assert login.workspace_id == other.workspace_id
    assert emulator.requests == []


def test_a_login_is_kept_apart_from_those_of_other_servers(
    emulator: Emulator,
    sign_in: Callable[..., Login],
    browser: Browser,
    store: TokenStore,
    second: tuple[Emulator, str],
) -> None:
    other, base_url = second
    sign_in()
    browser.emulator = other
    sign_in(base_url=base_url)
    oauth.logout(token_store=store)
    with Scripe(auth=oauth.credentials(base_url=base_url, token_store=store), base_url=base_url) as client:
        assert client.workspaces.me().workspace.id == other.workspace_id


def test_an_issuer_can_be_named(
    emulator: Emulator, sign_in: Callable[..., Login], store: TokenStore, served: Server
) -> None:
    issuer = served.base_url.removesuffix("/v1")
    assert sign_in(issuer=issuer).workspace_id == emulator.workspace_id
    assert oauth.logout(issuer=issuer, token_store=store).revoked


# --- logout ----------------------------------------------------------------------------------------------------------


def test_a_logout_revokes_and_forgets(
    emulator: Emulator, sign_in: Callable[..., Login], store: TokenStore
) -> None:
    login = sign_in()
    token = login.credentials.access_token()
    assert oauth.logout(token_store=store).revoked
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{login.credentials.issuer}/v1/workspaces/me"
    assert httpx.get(url, headers=headers).status_code == 401
    with pytest.raises(ConsentRequiredError) as caught:
        workspace_of(oauth.credentials(token_store=store))
    assert caught.value.reason == "missing"


def test_a_logout_forgets_even_without_a_response(
    emulator: Emulator, sign_in: Callable[..., Login], store: TokenStore
) -> None:
    sign_in()
    emulator.drop_next(path="/oauth/revoke", times=9)
    assert not oauth.logout(token_store=store).revoked
    with pytest.raises(ConsentRequiredError):
        workspace_of(oauth.credentials(token_store=store))


def test_a_logout_without_a_login_revokes_nothing(served: Server, store: TokenStore) -> None:
    assert not oauth.logout(token_store=store).revoked


# --- a client without an API key -------------------------------------------------------------------------------------


@pytest.fixture
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let the user's folder of data be an empty one, where `FileTokenStore()` keeps logins."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


CLIENTS = pytest.mark.parametrize("client", [Scripe, AsyncScripe], ids=["sync", "async"])


@CLIENTS
def test_a_client_never_picks_up_a_login_but_says_that_there_is_one(
    sign_in: Callable[..., Login], data_folder: Path, client: Callable[[], object]
) -> None:
    sign_in(token_store=None)
    with pytest.raises(ConfigurationError) as caught:
        client()
    assert f"`{client.__name__}(auth=scripe.oauth.credentials())`" in str(caught.value)


def test_a_client_says_nothing_of_a_login_of_another_profile(
    sign_in: Callable[..., Login], data_folder: Path
) -> None:
    sign_in("work", token_store=None)
    with pytest.raises(ConfigurationError) as caught:
        Scripe()
    assert "oauth" not in str(caught.value)


def test_a_client_says_nothing_of_a_login_to_another_server(
    sign_in: Callable[..., Login], data_folder: Path
) -> None:
    sign_in(token_store=None)
    with pytest.raises(ConfigurationError) as caught:
        Scripe(base_url="https://api.scripe.io/v1")
    assert "oauth" not in str(caught.value)


@pytest.mark.parametrize("api_key", ["", "two words"], ids=["empty", "blanks"])
def test_a_client_says_nothing_of_a_login_if_an_api_key_is_wrong(
    sign_in: Callable[..., Login], data_folder: Path, api_key: str
) -> None:
    sign_in(token_store=None)
    with pytest.raises(ConfigurationError) as caught:
        Scripe(api_key)
    assert "oauth" not in str(caught.value)


def test_a_client_says_nothing_of_a_login_if_the_api_key_of_the_environment_is_wrong(
    sign_in: Callable[..., Login], data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(token_store=None)
    monkeypatch.setenv("SCRIPE_API_KEY", "two words")
    with pytest.raises(ConfigurationError) as caught:
        Scripe()
    assert "oauth" not in str(caught.value)


def test_a_client_does_not_need_the_extra_to_say_that_there_is_no_api_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(ConfigurationError) as caught:
        Scripe()
    assert "oauth" not in str(caught.value)


# --- arguments -------------------------------------------------------------------------------------------------------

BAD_ARGUMENTS: dict[str, dict[str, Any]] = {
    "an empty profile": {"profile": " "},
    "a profile of two lines": {"profile": "a\nb"},
    "a profile that is no text": {"profile": 7},
    "no time": {"timeout": 0},
    "more time than a request lives": {"timeout": 601},
    "a time that is no number": {"timeout": math.nan},
    "a time that is a text": {"timeout": "60"},
    "a port that is a text": {"port": "8765"},
    "scopes in one text": {"scopes": "posts:read notes:read"},
}


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_bad_arguments_are_refused(sign_in: Callable[..., Login], arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError):
        sign_in(**arguments)


@pytest.mark.parametrize("function", [oauth.credentials, oauth.logout], ids=["credentials", "logout"])
def test_a_profile_needs_a_name(served: Server, store: TokenStore, function: Callable[..., object]) -> None:
    with pytest.raises(InvalidArgumentError):
        function("", token_store=store)


# --- whether a browser can be seen -----------------------------------------------------------------------------------

PLACES: dict[str, tuple[str, dict[str, str], bool, bool]] = {
    "a desktop with X11": ("linux", {"DISPLAY": ":0"}, False, True),
    "a desktop with Wayland": ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, False, True),
    "no display": ("linux", {}, False, False),
    "a container": ("linux", {"DISPLAY": ":0"}, True, False),
    "over SSH": ("linux", {"DISPLAY": ":0", "SSH_CONNECTION": "1 2 3 4"}, False, False),
    "over SSH to a Mac": ("darwin", {"SSH_TTY": "/dev/pts/1"}, False, False),
    "a Mac": ("darwin", {}, False, True),
    "Windows": ("win32", {}, False, True),
}


@pytest.mark.parametrize(
    ("platform", "environment", "is_container", "expected"), PLACES.values(), ids=PLACES.keys()
)
def test_a_browser_is_opened_where_it_can_be_seen(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    platform: str,
    environment: dict[str, str],
    *,
    is_container: bool,
    expected: bool,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    if is_container:
        (tmp_path / "containerenv").touch()
    monkeypatch.setattr(signing_in, "CONTAINER_FILES", (str(tmp_path / "containerenv"),))
    assert has_display() == expected


@pytest.mark.parametrize("is_seen", [True, False], ids=["can be seen", "cannot"])
def test_a_browser_opens_by_itself_only_where_it_can_be_seen(
    emulator: Emulator,
    browser: Browser,
    sign_in: Callable[..., Login],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_seen: bool,
) -> None:
    monkeypatch.setattr(signing_in, "has_display", lambda: is_seen)
    if is_seen:
        sign_in(open_browser=None)
    else:
        with pytest.raises(LoginTimeoutError):
            sign_in(open_browser=None, timeout=0.2)
    assert (browser.opened != []) == is_seen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
