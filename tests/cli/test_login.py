"""Test signing in on the command line: which credential counts, what is shown, and what is asked."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from scripe.cli import main, prompt
from scripe.emulator import Emulator
from scripe.oauth import signing_in
from tests.oauth.browser import Browser

from .conftest import Ran, Run
from .terminal import Terminal

SignIn: TypeAlias = Callable[..., str]
NO_KEY = "SCRIPE_API_KEY"


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let logins be kept in a folder of this test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def oauth(served: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Serve the emulator, without an API key in the environment."""
    monkeypatch.delenv("SCRIPE_API_KEY")
    return served


@pytest.fixture
def browser(oauth: Emulator, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser(oauth)
    monkeypatch.setattr(webbrowser, "open", browser.open)
    monkeypatch.setattr(signing_in, "has_display", lambda: True)
    return browser


@pytest.fixture
def sign_in(oauth: Emulator, browser: Browser, scripe: Run) -> SignIn:
    """Sign in to a workspace of its own, and return the id of that workspace."""

    def login(*words: str, workspace_id: str | None = None) -> str:
        chosen = workspace_id or oauth.create_workspace("Own")
        user = oauth.oauth.add_user("Somebody", [chosen])
        browser.act = lambda url: browser.allow(url, user=user)
        assert scripe("login", *words).code == 0
        return chosen

    return login


def workspace_of(ran: Ran) -> str:
    assert ran.code == 0, ran.err
    return str(ran.document["workspace"]["id"])


def tokens_in(folder: Path) -> set[str]:
    """Return the tokens in the files of the logins."""
    records = [json.loads(file.read_text()) for file in folder.glob("scripe/tokens/login-*.json")]
    logins = [json.loads(record["content"]) for record in records]
    assert logins
    return {login[name] for login in logins for name in ("access_token", "refresh_token")}


# --- login -----------------------------------------------------------------------------------------------------------


def test_a_login_is_used_by_the_next_command(oauth: Emulator, browser: Browser, scripe: Run) -> None:
    assert scripe("login").code == 0
    assert workspace_of(scripe("whoami", "--json")) == oauth.workspace_id


def test_a_login_shows_what_it_is(oauth: Emulator, browser: Browser, scripe: Run, data_folder: Path) -> None:
    ran = scripe("login", "--scope", "posts:read", "--scope", "notes:read")
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in ran.out.splitlines())
    assert {name: lines[name] for name in ("profile", "workspace", "scopes")} == {
        "profile": "default",
        "workspace": oauth.workspace_id,
        "scopes": "posts:read, notes:read, offline_access",
    }
    assert Path(lines["kept in"]).is_relative_to(data_folder)
    assert browser.opened[0] in ran.err


def test_a_login_is_a_document_for_programs(oauth: Emulator, browser: Browser, scripe: Run) -> None:
    ran = scripe("login", "--profile", "work", "--json")
    expected = {"type": "login", "source": "--profile", "profile": "work", "workspaceId": oauth.workspace_id}
    assert {name: ran.document[name] for name in expected} == expected
    assert ran.document["tokenExpiresAt"].endswith("Z")


@pytest.mark.parametrize("words", [["login"], ["login", "--json"], ["whoami"], ["whoami", "--json"]])
def test_no_token_is_shown(sign_in: SignIn, scripe: Run, data_folder: Path, words: list[str]) -> None:
    workspace_id = sign_in()
    sign_in(workspace_id=workspace_id)
    ran = scripe(*words, "-v")
    for token in tokens_in(data_folder):
        assert token not in ran.out + ran.err


def test_no_browser_is_opened_if_none_is_wanted(browser: Browser, scripe: Run) -> None:
    ran = scripe("login", "--no-browser", "--wait-timeout", "0.2")
    assert (ran.code, browser.opened) == (18, [])
    assert "/oauth/authorize?" in ran.err
    assert ran.err.endswith("\nTo try again, run: scripe login\n")


def test_a_port_can_be_named(browser: Browser, scripe: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert scripe("login", "--port", str(port)).code == 0
    assert f"127.0.0.1%3A{port}%2Fcallback" in browser.opened[0]


def test_a_port_in_use_is_a_wrong_option(browser: Browser, scripe: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert scripe("login", "--port", str(other.getsockname()[1])).code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["--port", "65536"],
        ["--wait-timeout", "601"],
        ["--wait-timeout", "0"],
        ["--profile", ""],
        ["--scope", "a b"],
    ],
    ids=" ".join,
)
def test_wrong_options_are_refused(browser: Browser, scripe: Run, words: list[str]) -> None:
    assert scripe("login", *words).code == 2
    assert browser.opened == []


def test_denied_consent_has_an_exit_code(browser: Browser, scripe: Run) -> None:
    browser.act = browser.deny
    ran = scripe("login", "--profile", "my work")
    assert ran.code == 17
    assert ran.err.endswith("\nTo try again, run: scripe login --profile 'my work'\n")


def test_a_server_that_is_not_there_has_an_exit_code(
    browser: Browser, scripe: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPE_BASE_URL", "http://127.0.0.1:9/v1")
    assert scripe("login").code == 11


def test_a_login_says_that_an_api_key_counts_before_it(
    browser: Browser, scripe: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", "scripe_sk_test_x")
    assert "note: SCRIPE_API_KEY is set, and counts before this login." in scripe("login").err
    assert "note:" not in scripe("login", "--json").err


def test_a_login_under_another_name_says_how_to_use_it(
    browser: Browser, scripe: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "note: To use this login, add --profile work" in scripe("login", "--profile", "work").err
    monkeypatch.setenv("SCRIPE_PROFILE", "work")
    assert "note:" not in scripe("login").err


def test_a_login_goes_to_the_api_that_an_option_names(browser: Browser, scripe: Run) -> None:
    with Emulator() as other, other.serve() as server:
        browser.emulator = other
        ran = scripe("login", "--base-url", server.base_url)
        assert ran.code == 0
        assert workspace_of(scripe("whoami", "--base-url", server.base_url, "--json")) == other.workspace_id
    assert scripe("whoami").code == 2  # the configured API has no login


# --- which credential counts -----------------------------------------------------------------------------------------


@pytest.fixture
def world(
    oauth: Emulator, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, str]:
    """Make a credential of each kind; return the workspaces that they belong to."""
    workspaces = {
        "--api-key-file": oauth.create_workspace("File"),
        "SCRIPE_API_KEY": oauth.workspace_id,
        "--profile": sign_in("--profile", "work"),
        "SCRIPE_PROFILE": sign_in("--profile", "other"),
        "default": sign_in(),
    }
    (tmp_path / "key").write_text(oauth.create_key(workspace_id=workspaces["--api-key-file"]))
    return workspaces


ORDER = ["--api-key-file", "--profile", "SCRIPE_API_KEY", "SCRIPE_PROFILE", "default"]
PAIRS = [(first, second) for index, first in enumerate(ORDER) for second in ORDER[index + 1 :]]


@pytest.mark.parametrize(("stronger", "weaker"), PAIRS, ids=[" before ".join(pair) for pair in PAIRS])
def test_one_credential_counts_before_another(
    oauth: Emulator,
    world: dict[str, str],
    scripe: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    stronger: str,
    weaker: str,
) -> None:
    words = {"--api-key-file": ["--api-key-file", str(tmp_path / "key")], "--profile": ["--profile", "work"]}
    values = {"SCRIPE_API_KEY": oauth.api_key, "SCRIPE_PROFILE": "other"}
    for name in {stronger, weaker} & values.keys():
        monkeypatch.setenv(name, values[name])
    ran = scripe("whoami", "--json", *words.get(stronger, []), *words.get(weaker, []))
    if (stronger, weaker) == ("--api-key-file", "--profile"):  # both were given for this command
        assert (ran.code, ran.error["message"]) == (2, "Give --api-key-file or --profile, not both.")
    else:
        assert workspace_of(ran) == world[stronger]
        assert ran.document["credential"]["source"] == stronger


@pytest.mark.parametrize("name", ["SCRIPE_API_KEY", "SCRIPE_PROFILE"])
def test_an_empty_variable_does_not_count(
    sign_in: SignIn, scripe: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    workspace_id = sign_in()
    monkeypatch.setenv(name, "")
    assert workspace_of(scripe("whoami", "--json")) == workspace_id


def test_without_a_credential_both_ways_are_said(oauth: Emulator, scripe: Run) -> None:
    ran = scripe("projects")
    assert ran.code == 2
    assert "scripe login" in ran.err
    assert "SCRIPE_API_KEY" in ran.err


@pytest.mark.parametrize(
    ("words", "variable", "command"),
    [
        (["--profile", "work"], None, "scripe login --profile work"),
        ([], "work", "scripe login"),
        (["--profile", "default"], None, "scripe login"),
    ],
    ids=["--profile", "SCRIPE_PROFILE", "--profile default"],
)
def test_a_profile_without_a_login_says_how_to_sign_in(
    oauth: Emulator,
    scripe: Run,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variable: str | None,
    command: str,
) -> None:
    if variable is not None:
        monkeypatch.setenv("SCRIPE_PROFILE", variable)
    ran = scripe("projects", *words)
    assert ran.code == 19
    assert ran.err.endswith(f"\nTo sign in, run: {command}\n")


def test_a_login_that_is_over_says_how_to_sign_in_again(
    oauth: Emulator, browser: Browser, scripe: Run
) -> None:
    base_url = os.environ["SCRIPE_BASE_URL"]
    assert scripe("login").code == 0
    oauth.oauth.revoke(oauth.oauth.users[0])
    ran = scripe("projects", "--base-url", base_url)
    assert ran.code == 19
    assert ran.err.endswith(f"\nTo sign in again, run: scripe login --base-url {base_url}\n")
    assert "Let the user" not in ran.err


def test_a_write_that_was_not_sent_shows_no_idempotency_key(
    oauth: Emulator, browser: Browser, scripe: Run
) -> None:
    scripe("login")
    oauth.oauth.revoke(oauth.oauth.users[0])
    ran = scripe("posts", "create", "--project-id", oauth.project_id, "--text", "Hi")
    assert (ran.code, "--idempotency-key" in ran.err) == (19, False)


def test_a_write_that_may_have_arrived_shows_its_idempotency_key(
    oauth: Emulator, browser: Browser, scripe: Run
) -> None:
    scripe("login")
    oauth.add_observer(lambda request, response: oauth.oauth.revoke(oauth.oauth.users[0]))
    oauth.drop_next(path="/posts")
    ran = scripe(
        "posts", "create", "--project-id", oauth.project_id, "--text", "Hi", "--idempotency-key", "one"
    )
    assert ran.code == 19
    assert ran.err.endswith("add: --idempotency-key one\n")


def test_a_token_that_is_refused_twice_says_how_to_sign_in_again(
    oauth: Emulator, browser: Browser, scripe: Run
) -> None:
    scripe("login")
    oauth.fail_next(401, "invalid_token", path="/projects", times=2)
    ran = scripe("projects")
    assert ran.code == 3
    assert ran.err.endswith("\nTo sign in again, run: scripe login\n")


def test_a_scope_that_is_missing_can_be_asked_for(oauth: Emulator, browser: Browser, scripe: Run) -> None:
    scripe("login", "--scope", "posts:read")
    ran = scripe(
        "webhooks", "create", "--name", "x", "--url", "https://x.example/", "--event", "post.created"
    )
    assert ran.code == 4
    assert ran.err.endswith(
        "\nTo sign in with this scope as well, run: scripe login --scope posts:read --scope webhooks:manage\n"
    )


def test_a_wrong_api_key_before_a_login_is_pointed_out(
    sign_in: SignIn, scripe: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sign_in()
    monkeypatch.setenv("SCRIPE_API_KEY", "scripe_sk_test_wrong")
    advice = (
        "SCRIPE_API_KEY counts before the login of this machine. To use the login, add --profile default.\n"
    )
    assert scripe("projects").err.endswith(advice)
    (tmp_path / "key").write_text("scripe_sk_test_wrong")
    assert advice not in scripe("projects", "--api-key-file", str(tmp_path / "key")).err


# --- whoami ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "variables", "using"),
    [
        (["--profile", "work"], {}, 'login "work" (--profile)'),
        (
            [],
            {"SCRIPE_PROFILE": "work"},
            'login "work" (SCRIPE_PROFILE; no --profile or SCRIPE_API_KEY is given)',
        ),
        ([], {}, 'login "default" (no --profile, SCRIPE_API_KEY or SCRIPE_PROFILE is given)'),
    ],
    ids=["--profile", "SCRIPE_PROFILE", "default"],
)
def test_whoami_says_which_login_is_used_and_why(
    oauth: Emulator,
    browser: Browser,
    scripe: Run,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variables: dict[str, str],
    using: str,
) -> None:
    scripe("login", "--profile", "work")
    scripe("login")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ran = scripe("whoami", *words)
    assert re.search(rf"^using +{re.escape(using)}$", ran.out, re.MULTILINE), ran.out


def test_whoami_says_which_api_key_is_used(served: Emulator, scripe: Run, tmp_path: Path) -> None:
    assert "using      API key (SCRIPE_API_KEY)\n" in scripe("whoami").out
    (tmp_path / "key").write_text(served.api_key)
    words = ["whoami", "--api-key-file", str(tmp_path / "key")]
    assert f"using      API key (--api-key-file {tmp_path / 'key'})\n" in scripe(*words).out
    assert scripe(*words, "--json").document["credential"]["file"] == str(tmp_path / "key")
    from_stdin = scripe("whoami", "--api-key-file", "-", "--json", stdin=served.api_key.encode())
    assert from_stdin.document["credential"]["file"] is None


def test_whoami_without_a_response_says_what_it_knows(oauth: Emulator, browser: Browser, scripe: Run) -> None:
    scripe("login")
    oauth.drop_next(path="/workspaces/me", times=9)
    ran = scripe("whoami")
    assert ran.code == 11
    assert f"workspace   {oauth.workspace_id}\n" in ran.out
    assert "token ends  20" in ran.out
    for_program = scripe("whoami", "--json")
    assert for_program.document["credential"]["workspaceId"] == oauth.workspace_id
    assert for_program.error["exitCode"] == 11


def test_whoami_of_a_login_that_is_over_says_why(oauth: Emulator, browser: Browser, scripe: Run) -> None:
    scripe("login")
    oauth.oauth.revoke(oauth.oauth.users[0])
    ran = scripe("whoami")
    assert (ran.code, "is over     yes (revoked)\n" in ran.out) == (19, True)
    assert scripe("whoami", "--json").document["credential"]["ended"] == "revoked"


def test_whoami_without_a_login_knows_nothing(oauth: Emulator, scripe: Run) -> None:
    ran = scripe("whoami", "--profile", "nobody")
    assert (ran.code, ran.out) == (19, "")


def test_whoami_of_a_login_that_cannot_be_read_is_one_error(
    sign_in: SignIn, scripe: Run, data_folder: Path
) -> None:
    sign_in()
    for file in data_folder.glob("scripe/tokens/login-*.json"):
        file.write_text("{}")
    ran = scripe("whoami")
    assert (ran.code, ran.out, ran.err.count("error:")) == (1, "", 1)


def test_whoami_shows_a_login_that_somebody_removed_meanwhile(
    sign_in: SignIn, oauth: Emulator, scripe: Run, data_folder: Path
) -> None:
    workspace_id = sign_in()

    def remove(*_: object) -> None:
        for file in data_folder.glob("scripe/tokens/login-*.json"):
            file.unlink()

    oauth.add_observer(remove)
    assert workspace_of(scripe("whoami", "--json")) == workspace_id


# --- logout ----------------------------------------------------------------------------------------------------------


def test_a_logout_removes_the_login(sign_in: SignIn, scripe: Run) -> None:
    sign_in()
    ran = scripe("logout")
    assert (ran.code, ran.out, ran.err) == (0, "profile  default\nremoved  yes\nrevoked  yes\n", "")
    assert scripe("whoami").code == 2


def test_a_logout_of_one_profile_leaves_the_others(sign_in: SignIn, scripe: Run) -> None:
    workspace_id = sign_in()
    sign_in("--profile", "work")
    assert scripe("logout", "--profile", "work", "--json").document == {
        "profile": "work",
        "removed": True,
        "revoked": True,
    }
    assert workspace_of(scripe("whoami", "--json")) == workspace_id


def test_a_logout_without_a_response_says_so(sign_in: SignIn, oauth: Emulator, scripe: Run) -> None:
    sign_in()
    oauth.drop_next(path="/oauth/revoke", times=9)
    ran = scripe("logout")
    assert (ran.code, "removed  yes\nrevoked  no\n" in ran.out) == (0, True)
    assert "did not confirm" in ran.err


def test_a_logout_without_a_login_says_so(oauth: Emulator, scripe: Run) -> None:
    ran = scripe("logout", "--profile", "nobody")
    assert (ran.code, ran.err) == (0, 'note: There was no login "nobody".\n')
    assert scripe("logout", "--json").err == ""


def test_a_logout_uses_the_profile_of_the_environment(
    sign_in: SignIn, scripe: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in("--profile", "work")
    monkeypatch.setenv("SCRIPE_PROFILE", "work")
    assert scripe("logout", "--json").document["removed"]


# --- another workspace -----------------------------------------------------------------------------------------------


def test_another_workspace_is_not_stored_without_a_person(
    sign_in: SignIn, oauth: Emulator, browser: Browser, scripe: Run
) -> None:
    workspace_id = sign_in()
    browser.act = browser.allow
    ran = scripe("login")
    assert ran.code == 1
    assert "You chose the workspace" in ran.err
    assert "add --replace; to keep both, add --profile NAME." in ran.err
    assert workspace_of(scripe("whoami", "--json")) == workspace_id


def test_another_workspace_is_stored_if_asked_to(
    sign_in: SignIn, oauth: Emulator, browser: Browser, scripe: Run
) -> None:
    sign_in()
    browser.act = browser.allow
    assert scripe("login", "--replace").code == 0
    assert workspace_of(scripe("whoami", "--json")) == oauth.workspace_id


# --- at a terminal ---------------------------------------------------------------------------------------------------

PASTE = "even if it shows an error: "


def url_in(text: str) -> str:
    found = re.search(r"http://\S+/oauth/authorize\S+", text)
    assert found
    return found[0]


def environment_of(oauth: Emulator) -> dict[str, str]:
    return {**os.environ, "SSH_TTY": "/dev/pts/1"}


def test_a_person_pastes_the_address(oauth: Emulator) -> None:
    with Terminal(["login"], environment_of(oauth)) as terminal:
        terminal.read_until(PASTE)
        terminal.type("what?\n")
        terminal.read_until("from http to its end: ")
        terminal.type(oauth.oauth.consent(url_in(terminal.seen)) + "\n")
        code, seen = terminal.read_all()
    assert code == 0
    assert f"workspace   {oauth.workspace_id}\n" in re.sub(r"\x1b\[[0-9;]*m", "", seen)


def test_the_browser_comes_back_while_a_person_is_asked(oauth: Emulator) -> None:
    with Terminal(["login"], environment_of(oauth)) as terminal:
        terminal.read_until(PASTE)
        Browser(oauth).allow(url_in(terminal.seen))
        code, seen = terminal.read_all()
    assert code == 0
    assert f"{PASTE}\n" in seen


@pytest.mark.parametrize(("typed", "is_replaced"), [("y\n", True), ("\n", False)], ids=["yes", "no"])
def test_a_person_is_asked_before_a_workspace_is_replaced(
    sign_in: SignIn, oauth: Emulator, scripe: Run, typed: str, *, is_replaced: bool
) -> None:
    workspace_id = sign_in()
    with Terminal(["login"], environment_of(oauth)) as terminal:
        terminal.read_until(PASTE)
        Browser(oauth).allow(url_in(terminal.seen))
        terminal.read_until("Replace it? [y/N] ")
        terminal.type(typed)
        code, _ = terminal.read_all()
    assert code == (0 if is_replaced else 1)
    expected = oauth.workspace_id if is_replaced else workspace_id
    assert workspace_of(scripe("whoami", "--json")) == expected


def test_a_person_gives_up_pasting_and_uses_the_browser(oauth: Emulator) -> None:
    with Terminal(["login"], environment_of(oauth)) as terminal:
        terminal.read_until(PASTE)
        terminal.type("\x04")
        Browser(oauth).allow(url_in(terminal.seen))
        assert terminal.read_all()[0] == 0


@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_nothing_hangs_when_a_person_interrupts(oauth: Emulator, number: int, expected: int) -> None:
    with Terminal(["login"], environment_of(oauth)) as terminal:
        terminal.read_until(PASTE)
        terminal.send_signal(number)
        code, seen = terminal.read_all()
    assert code == expected
    assert "Traceback" not in seen


def test_nothing_hangs_after_the_timeout(oauth: Emulator) -> None:
    with Terminal(["login", "--wait-timeout", "0.5"], environment_of(oauth)) as terminal:
        code, seen = terminal.read_all()
    assert code == 18
    assert f"{PASTE}\nerror: " in seen


def test_a_program_at_a_terminal_is_not_asked(oauth: Emulator) -> None:
    with Terminal(["login", "--json", "--wait-timeout", "0.5"], environment_of(oauth)) as terminal:
        code, seen = terminal.read_all()
    assert (code, "paste the address at which the browser ended, even" in seen) == (18, False)


def test_a_question_that_cannot_be_stopped_is_not_followed_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On Windows a console cannot be polled."""
    is_over, is_asked = threading.Event(), threading.Event()

    def wait(_: float) -> bool:
        is_asked.set()
        return not is_over.wait(20)

    monkeypatch.setattr(prompt, "_has_input", wait)
    question = prompt.Prompt()
    thread = threading.Thread(target=question.ask, args=("Address: ",))
    thread.start()
    assert is_asked.wait(20)
    assert not question.confirm("Replace it? ")
    is_over.set()
    thread.join()


def test_a_question_needs_no_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        encoding = None

        def write(self, _: str) -> None:
            raise BrokenPipeError

    def wait(seconds: float) -> bool:
        time.sleep(seconds)
        return False

    monkeypatch.setattr(prompt, "_has_input", wait)
    monkeypatch.setattr(sys, "stderr", Closed())
    question = prompt.Prompt()
    threading.Timer(0.3, question.stop).start()
    assert question.ask("Address: ") is None


def test_a_question_that_is_over_before_it_is_asked_is_not_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    question = prompt.Prompt()
    question.stop()
    assert question.ask("Address: ") is None
    assert capsys.readouterr().err == ""


def test_whoami_with_a_key_that_was_typed(served: Emulator, environment: dict[str, str]) -> None:
    with Terminal(["whoami"], {k: v for k, v in environment.items() if k != NO_KEY}) as terminal:
        terminal.read_until("instead): ")
        terminal.type(f"{served.api_key}\n")
        code, seen = terminal.read_all()
    assert (code, "API key, as typed" in seen) == (0, True)


def test_a_login_without_stdin(
    oauth: Emulator, browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["login"]) == 0
    assert main(["logout"]) == 0
    assert main(["whoami"]) == 2
