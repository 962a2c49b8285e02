"""No token, code, verifier or client secret in a log, a repr, an error or a traceback with the locals of our frames."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from scripe import OAuthError, Scripe, ScripeError, oauth
from scripe.emulator import Emulator, Server
from scripe.oauth import MemoryTokenStore, OAuthApp, TokenRecord
from tests.oauth.signing_in import CALLBACK, NAME, at


class Listening(MemoryTokenStore):
    """Notes all secrets that pass by."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        content = json.loads(record.content)
        fields = ("access_token", "refresh_token", "verifier", "client_secret")
        self.secrets |= {str(content[field]) for field in fields if content.get(field)}
        return super().save(name, record, only_over)


class World:
    """An application with a secret, and everything that must not be seen."""

    def __init__(self, emulator: Emulator, served: Server) -> None:
        self.emulator, self.served, self.store = emulator, served, Listening()
        registration = oauth.register(client_name="Acme", redirect_uri=CALLBACK, with_secret=True)
        assert registration.client_secret
        self.store.secrets.add(registration.client_secret)
        self.registration = registration
        self.app = OAuthApp(
            client_id=registration.client_id,
            client_secret=registration.client_secret,
            redirect_uri=CALLBACK,
            token_store=self.store,
        )

    def begin(self) -> tuple[str, str]:
        request = self.app.authorization_request(NAME)
        url = self.emulator.oauth.consent(request.url)
        self.store.secrets.add(parse_qs(urlsplit(url).query)["code"][0])
        return url, request.state

    def sign_in(self) -> oauth.Login:
        url, state = self.begin()
        return self.app.exchange(NAME, url, state=state)


@pytest.fixture
def world(emulator: Emulator, served: Server) -> World:
    return World(emulator, served)


def lose_exchange(world: World) -> None:
    url, state = world.begin()
    world.emulator.drop_next(path="/oauth/token")
    world.app.exchange(NAME, url, state=state)


def refuse_exchange(world: World) -> None:
    url, state = world.begin()
    code = parse_qs(urlsplit(url).query)["code"][0]
    echo = json.dumps({"error": "invalid_scope", "error_description": f"Bad {code}"}).encode()
    world.emulator.fail_next(400, path="/oauth/token", body=echo)
    world.app.exchange(NAME, url, state=state)


def deny_exchange(world: World) -> None:
    url, state = world.begin()
    world.emulator.fail_next(400, path="/oauth/token", body=b'{"error": "invalid_grant"}')
    world.app.exchange(NAME, url, state=state)


def choose_another_workspace(world: World) -> None:
    world.sign_in()
    other = world.emulator.create_workspace("Other")
    user = world.emulator.oauth.add_user("Other", [other])
    request = world.app.authorization_request(NAME)
    url = world.emulator.oauth.consent(request.url, user=user)
    world.app.exchange(NAME, url, state=request.state)


def refuse_refresh(world: World) -> None:
    login = world.sign_in()
    source = login.credentials._source  # pyright: ignore[reportPrivateUsage]
    assert source.login is not None
    sent = f"{source.login.refresh_token} {world.registration.client_secret}"
    echo = json.dumps({"error": "invalid_request", "error_description": sent}).encode()
    world.emulator.fail_next(400, path="/oauth/token", body=echo)
    with at(world.app, 3700):
        login.credentials.access_token()


def lose_refresh(world: World) -> None:
    login = world.sign_in()
    world.emulator.drop_next(path="/oauth/token", times=9)
    with at(world.app, 3700):
        login.credentials.access_token()


def revoke_login(world: World) -> None:
    login = world.sign_in()
    world.emulator.oauth.revoke(world.app.client_id)
    with Scripe(auth=login) as client:
        client.workspaces.me()


def fail_call(world: World) -> None:
    with Scripe(auth=world.sign_in(), max_retries=0) as client:
        world.emulator.fail_next(500, path="/workspaces/me")
        client.workspaces.me()


def pickle_login(world: World) -> None:
    pickle.dumps(world.sign_in())


FAILURES = [
    lose_exchange,
    refuse_exchange,
    deny_exchange,
    choose_another_workspace,
    refuse_refresh,
    lose_refresh,
    revoke_login,
    fail_call,
    pickle_login,
]


@pytest.mark.parametrize("fail", FAILURES)
def test_no_secret_is_in_an_error(
    world: World, fail: Callable[[World], None], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "scripe"), pytest.raises(ScripeError) as caught:
        fail(world)
    error: BaseException = caught.value
    texts = [str(error), repr(error), repr(vars(error)), caplog.text, pickle.dumps(error).decode("latin-1")]
    while error.__context__ is not None:
        texts.append(f"{error.__context__!r}")
        error = error.__context__
    seen = "\n".join([*texts, ours(caught.value)])
    assert [secret for secret in world.store.secrets if secret in seen] == []


def ours(error: BaseException) -> str:
    """Return the locals of all frames of ours, as an error tracker would show them."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames: list[traceback.FrameSummary] = []
    seen: list[traceback.TracebackException | None] = [shown, shown.__context__, shown.__cause__]
    for each in seen:
        frames += each.stack if each is not None else []
    mine = [frame for frame in frames if "/scripe/" in frame.filename and "/emulator/" not in frame.filename]
    assert mine
    return "\n".join(f"{frame.name}: {frame.locals}" for frame in mine)


def test_no_secret_is_in_a_repr(world: World) -> None:
    login = world.sign_in()
    with Scripe(auth=login) as client:
        client.workspaces.me()
        source = login.credentials._source  # pyright: ignore[reportPrivateUsage]
        objects: list[Any] = [login, login.credentials, world.app, world.registration, client, source]
        objects += [source.login, source.store, source.__dict__, client.__dict__]
        seen = " ".join(repr(each) for each in objects)
    assert [secret for secret in world.store.secrets if secret in seen] == []


def test_a_record_hides_its_content() -> None:
    assert "s3cret" not in repr(TokenRecord("1", "s3cret"))


def test_an_error_of_the_server_is_passed_on_without_what_it_echoes(world: World) -> None:
    with pytest.raises(OAuthError) as caught:
        refuse_exchange(world)
    assert caught.value.description == "Bad …"
