"""Sign in through an application: from the request to the callback, the exchange, calls and the revocation."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import trio

from scripe import (
    AsyncScripe,
    AuthenticationError,
    CallbackError,
    ConfigurationError,
    ConsentDeniedError,
    ConsentRequiredError,
    ExchangeLostError,
    InvalidArgumentError,
    OAuthError,
    RegistrationError,
    Scripe,
    oauth,
)
from scripe.emulator import Emulator, Server
from scripe.oauth import OAuthApp, TokenStore
from tests.oauth.signing_in import CALLBACK, NAME, at, make_app, sign_in


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_a_login_calls_the_api(emulator: Emulator, app: OAuthApp) -> None:
    login = sign_in(emulator, app)
    with Scripe(auth=login) as client:
        assert client.workspaces.me().workspace.id == emulator.workspace_id


def test_a_login_says_what_was_allowed(emulator: Emulator, app: OAuthApp) -> None:
    login = sign_in(emulator, app, scopes=["posts:read", "offline_access"])
    assert (set(login.scopes), login.workspace_id) == (
        {"posts:read", "offline_access"},
        emulator.workspace_id,
    )


def test_credentials_are_made_again_by_the_name(emulator: Emulator, app: OAuthApp) -> None:
    sign_in(emulator, app)
    with Scripe(auth=app.credentials(NAME)) as client:
        assert client.workspaces.me().workspace.id == emulator.workspace_id


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_a_login_calls_the_api_from_a_task(emulator: Emulator, app: OAuthApp, run: Any) -> None:
    login = sign_in(emulator, app)

    async def call() -> str:
        async with AsyncScripe(auth=login) as client:
            return (await client.workspaces.me()).workspace.id

    assert run(call) if run is trio.run else run(call()) == emulator.workspace_id


def test_a_secret_identifies_the_application(emulator: Emulator, served: Server, store: TokenStore) -> None:
    with make_app(store, with_secret=True) as app:
        login = sign_in(emulator, app)
        emulator.oauth.expire_access_tokens()
        with Scripe(auth=login) as client:
            assert client.workspaces.me().workspace.id == emulator.workspace_id


def test_the_request_asks_as_the_standard_says(app: OAuthApp) -> None:
    request = app.authorization_request(NAME)
    query = query_of(request.url)
    assert {
        name: query[name] for name in ("response_type", "client_id", "redirect_uri", "code_challenge_method")
    } == {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": CALLBACK,
        "code_challenge_method": "S256",
    }


def test_the_request_asks_for_a_refresh_token_and_not_for_webhooks(app: OAuthApp) -> None:
    scopes = query_of(app.authorization_request(NAME).url)["scope"].split()
    assert ("offline_access" in scopes, "webhooks:manage" in scopes) == (True, False)


def test_each_request_has_a_state_and_a_challenge_of_its_own(app: OAuthApp) -> None:
    requests = [app.authorization_request(NAME) for _ in range(2)]
    queries = [query_of(request.url) for request in requests]
    assert len({query["state"] for query in queries} | {query["code_challenge"] for query in queries}) == 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"prompt": "consent", "resource": "https://x/"}, {"prompt": "consent", "resource": "https://x/"}),
    ],
    ids=["not given", "given"],
)
def test_prompt_and_resource_are_sent_only_if_given(
    app: OAuthApp, options: dict[str, str], expected: dict[str, str]
) -> None:
    query = query_of(app.authorization_request(NAME, **options).url)
    assert {name: query[name] for name in ("prompt", "resource") if name in query} == expected


def test_scopes_are_sent_as_asked(served: Server, store: TokenStore) -> None:
    with make_app(store, scopes=["posts:read"]) as app:
        assert query_of(app.authorization_request(NAME).url)["scope"] == "posts:read offline_access"


def test_a_scope_that_the_server_does_not_list_is_sent_and_warned_of(
    served: Server, store: TokenStore
) -> None:
    with make_app(store, scopes=["posts:fly"]) as app, pytest.warns(UserWarning, match="posts:fly"):
        assert query_of(app.authorization_request(NAME).url)["scope"] == "posts:fly offline_access"


# --- wrong callbacks -------------------------------------------------------------------------------------------------


def begin(emulator: Emulator, app: OAuthApp) -> tuple[str, str]:
    """Return the address of a good callback and the state of its browser."""
    request = app.authorization_request(NAME)
    return emulator.oauth.consent(request.url), request.state


def with_query(url: str, **changes: str | None) -> str:
    query = {**query_of(url), **changes}
    return f"{CALLBACK}?{urlencode({name: value for name, value in query.items() if value is not None})}"


WRONG_CALLBACKS = {
    "a state of another browser": {"state": "x" * 43},
    "no state": {"state": None},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer, although the server always names it": {"iss": None},
    "no code": {"code": None},
}


@pytest.mark.parametrize("changes", WRONG_CALLBACKS.values(), ids=WRONG_CALLBACKS.keys())
def test_a_callback_that_does_not_fit_is_refused(
    emulator: Emulator, app: OAuthApp, changes: dict[str, str | None]
) -> None:
    url, state = begin(emulator, app)
    with pytest.raises(CallbackError):
        app.exchange(NAME, with_query(url, **changes), state=state)


@pytest.mark.parametrize("name", ["state", "code", "iss", "other"])
def test_a_repeated_parameter_is_refused(emulator: Emulator, app: OAuthApp, name: str) -> None:
    url, state = begin(emulator, app)
    extra = urlencode([(name, query_of(url).get(name, "1"))] * (2 if name == "other" else 1))
    with pytest.raises(CallbackError):
        app.exchange(NAME, f"{url}&{extra}", state=state)


def test_a_browser_without_a_state_is_refused(emulator: Emulator, app: OAuthApp) -> None:
    url, _ = begin(emulator, app)
    with pytest.raises(CallbackError):
        app.exchange(NAME, with_query(url, state=""), state="")


def test_a_foreign_callback_does_not_use_up_the_request(emulator: Emulator, app: OAuthApp) -> None:
    url, state = begin(emulator, app)
    with pytest.raises(CallbackError):
        app.exchange(NAME, with_query(url, state="x" * 43), state=state)
    assert app.exchange(NAME, url, state=state).workspace_id == emulator.workspace_id


def test_a_callback_works_once(emulator: Emulator, app: OAuthApp) -> None:
    url, state = begin(emulator, app)
    app.exchange(NAME, url, state=state)
    with pytest.raises(CallbackError):
        app.exchange(NAME, url, state=state)
    assert len([request for request in emulator.requests if request.path == "/oauth/token"]) == 1


def test_a_callback_of_another_login_is_refused(emulator: Emulator, app: OAuthApp) -> None:
    url, state = begin(emulator, app)
    with pytest.raises(CallbackError):
        app.exchange("tenant-43", url, state=state)


def test_a_callback_of_another_application_is_refused(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    url, state = begin(emulator, app)
    with make_app(store) as other, pytest.raises(CallbackError):
        other.exchange(NAME, url, state=state)
    assert [request for request in emulator.requests if request.path == "/oauth/token"] == []


def test_a_request_that_is_too_old_is_refused(emulator: Emulator, app: OAuthApp) -> None:
    url, state = begin(emulator, app)
    with at(app, 601), pytest.raises(CallbackError):
        app.exchange(NAME, url, state=state)


def test_requests_of_browsers_that_never_come_back_are_forgotten(app: OAuthApp, store: TokenStore) -> None:
    names = [app._pending_name(app.authorization_request(NAME).state) for _ in range(2)]  # pyright: ignore[reportPrivateUsage]
    with at(app, 601):
        app.authorization_request(NAME)
    assert [store.load(name) for name in names] == [None, None]


def test_requests_that_may_still_come_back_are_kept(app: OAuthApp, store: TokenStore) -> None:
    name = app._pending_name(app.authorization_request(NAME).state)  # pyright: ignore[reportPrivateUsage]
    with at(app, 590):
        app.authorization_request(NAME)
    assert store.load(name) is not None


def test_only_the_query_of_a_callback_counts(emulator: Emulator, app: OAuthApp) -> None:
    """Behind a proxy an application sees another scheme and host than the browser."""
    url, state = begin(emulator, app)
    inner = f"http://10.0.0.7:8000/callback?{urlsplit(url).query}"
    assert app.exchange(NAME, inner, state=state).workspace_id == emulator.workspace_id


def test_denied_consent_is_named(emulator: Emulator, app: OAuthApp) -> None:
    request = app.authorization_request(NAME)
    url = emulator.oauth.consent(request.url, allow=False)
    with pytest.raises(ConsentDeniedError) as caught:
        app.exchange(NAME, url, state=request.state)
    assert caught.value.error == "access_denied"


def test_another_error_of_the_server_is_named(emulator: Emulator, app: OAuthApp) -> None:
    url, state = begin(emulator, app)
    with pytest.raises(OAuthError) as caught:
        app.exchange(
            NAME, with_query(url, code=None, error="server_error", error_description="Oh."), state=state
        )
    assert (caught.value.error, caught.value.description, caught.value.retryable) == (
        "server_error",
        "Oh.",
        True,
    )


def test_a_code_that_the_server_refuses_begins_again(emulator: Emulator, app: OAuthApp) -> None:
    url, state = begin(emulator, app)
    with pytest.raises(CallbackError) as caught:
        app.exchange(NAME, with_query(url, code="stolen"), state=state)
    assert caught.value.error == "invalid_grant"


def test_a_lost_exchange_is_not_sent_again(emulator: Emulator, app: OAuthApp) -> None:
    url, state = begin(emulator, app)
    emulator.drop_next(path="/oauth/token")
    with pytest.raises(ExchangeLostError):
        app.exchange(NAME, url, state=state)
    assert len([request for request in emulator.requests if request.path == "/oauth/token"]) == 1


def test_an_unknown_application_is_named(emulator: Emulator, app: OAuthApp, store: TokenStore) -> None:
    url, state = begin(emulator, app)
    record = app._store.pop(app._pending_name(state))  # pyright: ignore[reportPrivateUsage]
    assert record is not None
    with OAuthApp(client_id="app_gone", redirect_uri=CALLBACK, token_store=store) as other:
        store.save(
            other._pending_name(state),  # pyright: ignore[reportPrivateUsage]
            type(record)(record.revision, record.content.replace(app.client_id, "app_gone")),
        )
        with pytest.raises(RegistrationError) as caught:
            other.exchange(NAME, url, state=state)
    assert "app_gone" in str(caught.value)


# --- workspaces ------------------------------------------------------------------------------------------------------


def test_another_workspace_is_not_stored_silently(emulator: Emulator, app: OAuthApp) -> None:
    other = emulator.create_workspace("Other")
    user = emulator.oauth.add_user("Both", [emulator.workspace_id, other])
    sign_in(emulator, app, user=user, workspace_id=emulator.workspace_id)
    with pytest.raises(CallbackError) as caught:
        sign_in(emulator, app, user=user, workspace_id=other)
    assert (emulator.workspace_id in str(caught.value), other in str(caught.value)) == (True, True)


def test_the_stored_workspace_stays_after_a_refused_one(emulator: Emulator, app: OAuthApp) -> None:
    other = emulator.create_workspace("Other")
    user = emulator.oauth.add_user("Both", [emulator.workspace_id, other])
    sign_in(emulator, app, user=user, workspace_id=emulator.workspace_id)
    with pytest.raises(CallbackError):
        sign_in(emulator, app, user=user, workspace_id=other)
    with Scripe(auth=app.credentials(NAME)) as client:
        assert client.workspaces.me().workspace.id == emulator.workspace_id


def test_another_workspace_is_stored_if_asked_to(emulator: Emulator, app: OAuthApp) -> None:
    other = emulator.create_workspace("Other")
    user = emulator.oauth.add_user("Both", [emulator.workspace_id, other])
    sign_in(emulator, app, user=user, workspace_id=emulator.workspace_id)
    request = app.authorization_request(NAME)
    url = emulator.oauth.consent(request.url, user=user, workspace_id=other)
    login = app.exchange(NAME, url, state=request.state, replace=True)
    assert login.workspace_id == other


def test_a_workspace_that_cannot_be_read_is_not_known(emulator: Emulator, app: OAuthApp) -> None:
    emulator.fail_next(503, path="/workspaces/me")
    assert sign_in(emulator, app).workspace_id is None


# --- revocation ------------------------------------------------------------------------------------------------------


def test_a_revoked_login_is_over_at_the_server(emulator: Emulator, app: OAuthApp) -> None:
    login = sign_in(emulator, app)
    token = login.credentials.access_token()
    assert app.revoke(NAME).revoked
    with Scripe(auth=FixedToken(token)) as client, pytest.raises(AuthenticationError):
        client.workspaces.me()


def test_a_revoked_login_is_forgotten(emulator: Emulator, app: OAuthApp) -> None:
    sign_in(emulator, app)
    app.revoke(NAME)
    with Scripe(auth=app.credentials(NAME)) as client, pytest.raises(ConsentRequiredError) as caught:
        client.workspaces.me()
    assert (caught.value.reason, caught.value.name) == ("missing", NAME)


@pytest.mark.parametrize("status", [400, 503])
def test_a_login_is_forgotten_even_if_the_server_refuses(
    emulator: Emulator, app: OAuthApp, status: int
) -> None:
    sign_in(emulator, app)
    emulator.fail_next(status, path="/oauth/revoke")
    assert not app.revoke(NAME).revoked
    with Scripe(auth=app.credentials(NAME)) as client, pytest.raises(ConsentRequiredError):
        client.workspaces.me()


def test_a_server_without_revocation_is_said(served: Server, store: TokenStore) -> None:
    with Emulator(oauth_offers_revocation=False) as emulator, emulator.serve() as server:
        issuer = server.base_url.removesuffix("/v1")
        registration = oauth.register(client_name="Acme", redirect_uri=CALLBACK, issuer=issuer)
        with OAuthApp(
            client_id=registration.client_id, redirect_uri=CALLBACK, token_store=store, issuer=issuer
        ) as app:
            sign_in(emulator, app)
            assert not app.revoke(NAME).revoked


def test_a_login_that_is_not_there_is_not_revoked(app: OAuthApp) -> None:
    assert not app.revoke("nobody").revoked


# --- bad arguments ---------------------------------------------------------------------------------------------------


class FixedToken:
    """An object of a user's own."""

    def __init__(self, token: str) -> None:
        self.token = token

    def access_token(self, rejected: str | None) -> str:
        return self.token


BAD_OPTIONS: dict[str, dict[str, Any]] = {
    "no client id": {"client_id": ""},
    "an issuer over http": {"issuer": "http://api.example"},
    "an issuer that is no URL": {"issuer": "api.scripe.io"},
    "an issuer with a password": {"issuer": "https://me:secret@api.example"},
    "a store that is none": {"token_store": {}},
    "a timeout of 0": {"timeout": 0},
    "a secret twice": {"client_secret": "s", "client_secret_variable": "ACME_SECRET"},
    "a variable that is not set": {"client_secret_variable": "ACME_SECRET"},
}


@pytest.mark.parametrize("options", BAD_OPTIONS.values(), ids=BAD_OPTIONS.keys())
def test_bad_options_are_refused(store: TokenStore, options: dict[str, Any]) -> None:
    good: dict[str, Any] = {"client_id": "app_1", "redirect_uri": CALLBACK, "token_store": store}
    with pytest.raises(ConfigurationError):
        OAuthApp(**{**good, **options})


@pytest.mark.parametrize(
    "redirect_uri",
    ["http://acme.example/callback", "acme.example", "https://acme.example/#x", "https://acme example/", ""],
)
def test_a_redirect_uri_that_nobody_should_use_is_refused(store: TokenStore, redirect_uri: str) -> None:
    with pytest.raises(InvalidArgumentError):
        OAuthApp(client_id="app_1", redirect_uri=redirect_uri, token_store=store)


@pytest.mark.parametrize("scopes", ["posts:read notes:read", ["posts read"], [""], [7]])
def test_scopes_that_are_none_are_refused(store: TokenStore, scopes: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        OAuthApp(client_id="app_1", redirect_uri=CALLBACK, token_store=store, scopes=scopes)


def test_a_login_needs_a_name(app: OAuthApp) -> None:
    with pytest.raises(InvalidArgumentError):
        app.authorization_request("")


@pytest.mark.parametrize("name", ["../x", "CON", "Acme", "acme", "x" * 300, "ünïcødé", "a/b\\c\0d"])
def test_any_name_is_kept_apart(emulator: Emulator, app: OAuthApp, name: str) -> None:
    sign_in(emulator, app, name)
    sign_in(emulator, app, "acme-2")
    assert app.revoke(name).revoked
    with Scripe(auth=app.credentials("acme-2")) as client:
        assert client.workspaces.me().workspace.id == emulator.workspace_id


# --- registration ----------------------------------------------------------------------------------------------------


def test_a_registration_returns_the_client_id(served: Server) -> None:
    registration = oauth.register(client_name="Acme", redirect_uri=CALLBACK)
    assert (registration.client_id != "", registration.client_secret) == (True, None)


def test_a_registration_that_the_server_refuses_is_named(emulator: Emulator, served: Server) -> None:
    emulator.fail_next(400, path="/oauth/register", body=b'{"error": "invalid_client_metadata"}')
    with pytest.raises(RegistrationError) as caught:
        oauth.register(client_name="Acme", redirect_uri=CALLBACK)
    assert caught.value.error == "invalid_client_metadata"


def test_a_registration_needs_a_name(served: Server) -> None:
    with pytest.raises(InvalidArgumentError):
        oauth.register(client_name=" ", redirect_uri=CALLBACK)


def test_a_registration_without_a_response_is_a_connection_error(emulator: Emulator, served: Server) -> None:
    from scripe import APIConnectionError

    emulator.drop_next(path="/oauth/register")
    with pytest.raises(APIConnectionError):
        oauth.register(client_name="Acme", redirect_uri=CALLBACK)


def test_the_verifier_fits_the_challenge(emulator: Emulator, app: OAuthApp) -> None:
    request = app.authorization_request(NAME)
    app.exchange(NAME, emulator.oauth.consent(request.url), state=request.state)
    sent = [request for request in emulator.requests if request.path == "/oauth/token"]
    form = parse_qs(sent[0].body.decode())
    digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert challenge == query_of(request.url)["code_challenge"]


def test_a_browser_can_sign_in_without_javascript(app: OAuthApp, emulator: Emulator) -> None:
    request = app.authorization_request(NAME)
    with httpx.Client() as browser:
        page = browser.get(request.url)
    assert "<form" in page.text
