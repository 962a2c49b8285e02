"""Refuse metadata that could send codes, tokens or secrets to somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from scripe import APIConnectionError, DiscoveryError, RegistrationError, _oauth_server, oauth
from scripe._concurrency import real_seconds
from scripe.oauth import MemoryTokenStore, OAuthApp
from tests.oauth.signing_in import CALLBACK, NAME
from tests.support.server import BREAK, Reply, ScriptedServer, json_reply

WELL_KNOWN = "/.well-known/oauth-authorization-server"


def metadata(origin: str, **changes: object) -> dict[str, object]:
    good: dict[str, object] = {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/oauth/authorize",
        "token_endpoint": f"{origin}/oauth/token",
        "registration_endpoint": f"{origin}/oauth/register",
        "revocation_endpoint": f"{origin}/oauth/revoke",
        "scopes_supported": ["posts:read", "webhooks:manage", "offline_access"],
        "code_challenge_methods_supported": ["S256"],
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def begin(server: ScriptedServer, issuer: str | None = None) -> str:
    app = OAuthApp(
        client_id="app_1",
        redirect_uri=CALLBACK,
        token_store=MemoryTokenStore(),
        issuer=issuer or server.origin,
        timeout=1,
    )
    return app.authorization_request(NAME).url


def test_good_metadata_are_used(server: ScriptedServer) -> None:
    server.script(json_reply(metadata(server.origin)))
    assert begin(server).startswith(f"{server.origin}/oauth/authorize?")


def test_metadata_are_asked_for_where_the_standard_says(server: ScriptedServer) -> None:
    server.script(json_reply(metadata(server.origin)))
    begin(server)
    assert [(request.method, request.path) for request in server.received] == [("GET", WELL_KNOWN)]


def test_metadata_of_an_issuer_with_a_path_lie_before_it(server: ScriptedServer) -> None:
    issuer = f"{server.origin}/tenant"
    server.script(json_reply(metadata(server.origin, issuer=issuer)))
    begin(server, issuer)
    assert server.received[0].path == f"{WELL_KNOWN}/tenant"


def test_an_issuer_that_ends_with_a_slash_is_given_with_it(server: ScriptedServer) -> None:
    issuer = f"{server.origin}/"
    server.script(json_reply(metadata(server.origin, issuer=issuer)))
    begin(server, issuer)
    assert server.received[0].path == WELL_KNOWN


def test_an_authorization_endpoint_may_lie_on_another_host(server: ScriptedServer) -> None:
    url = "https://login.example/authorize?theme=dark"
    server.script(json_reply(metadata(server.origin, authorization_endpoint=url)))
    assert begin(server).startswith(f"{url}&response_type=code")


BAD: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "no issuer": {"issuer": None},
    "an issuer with a slash more": {"issuer": "{origin}/"},
    "no PKCE": {"code_challenge_methods_supported": None},
    "plain PKCE alone": {"code_challenge_methods_supported": ["plain"]},
    "PKCE as a text": {"code_challenge_methods_supported": "S256"},
    "no token endpoint": {"token_endpoint": None},
    "no authorization endpoint": {"authorization_endpoint": None},
    "a token endpoint elsewhere": {"token_endpoint": "https://evil.example/token"},
    "a token endpoint on another port": {"token_endpoint": "http://127.0.0.1:1/token"},
    "a token endpoint on another name": {"token_endpoint": "{origin}.evil.example/token"},
    "a token endpoint behind a user": {"token_endpoint": "{origin}@evil.example/token"},
    "a registration endpoint elsewhere": {"registration_endpoint": "https://evil.example/register"},
    "a revocation endpoint elsewhere": {"revocation_endpoint": "https://evil.example/revoke"},
    "an authorization endpoint over http": {"authorization_endpoint": "http://evil.example/authorize"},
    "an authorization endpoint that is a script": {"authorization_endpoint": "javascript:alert(1)"},
    "an authorization endpoint with a fragment": {
        "authorization_endpoint": "https://login.example/#/authorize"
    },
    "an endpoint that is no text": {"token_endpoint": 7},
    "an endpoint with a line break": {"token_endpoint": "{origin}/token\r\nX: y"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_metadata_that_must_not_be_trusted_are_refused(
    server: ScriptedServer, changes: dict[str, Any]
) -> None:
    filled = {
        name: value.replace("{origin}", server.origin) if isinstance(value, str) else value
        for name, value in changes.items()
    }
    server.script(json_reply(metadata(server.origin, **filled)))
    with pytest.raises(DiscoveryError):
        begin(server)


REPLIES = {
    "a redirect": Reply(302, headers={"Location": "https://evil.example/"}),
    "not there": Reply(404),
    "HTML": Reply(200, b"<html>", {"Content-Type": "text/html"}),
    "a list": json_reply([]),
    "half a document": Reply(200, b'{"issuer": '),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
def test_a_response_that_holds_no_metadata_is_refused(server: ScriptedServer, reply: Reply) -> None:
    server.script(reply)
    with pytest.raises(DiscoveryError) as caught:
        begin(server)
    assert (caught.value.retryable, len(server.received)) == (False, 1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_fails_for_now_can_be_asked_again(server: ScriptedServer, status: int) -> None:
    server.script(Reply(status))
    with pytest.raises(DiscoveryError) as caught:
        begin(server)
    assert caught.value.retryable


@pytest.mark.parametrize("reply", [BREAK, Reply(hold=3)], ids=["no response", "too late"])
def test_no_response_is_a_connection_error(server: ScriptedServer, reply: Reply) -> None:
    server.script(reply)
    with pytest.raises(APIConnectionError):
        begin(server)


def test_metadata_are_kept_for_an_hour(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.script(json_reply(metadata(server.origin)))
    app = OAuthApp(
        client_id="app_1", redirect_uri=CALLBACK, token_store=MemoryTokenStore(), issuer=server.origin
    )
    for _ in range(2):
        app.authorization_request(NAME)
    now = real_seconds()
    monkeypatch.setattr(_oauth_server, "real_seconds", lambda: now + 3601)
    app.authorization_request(NAME)
    assert len(server.received) == 2


def test_scopes_are_those_for_reading_if_the_server_lists_none(server: ScriptedServer) -> None:
    server.script(json_reply(metadata(server.origin, scopes_supported=None)))
    assert "scope=notes%3Aread+posts%3Aread+offline_access" in begin(server)


def test_no_refresh_token_is_asked_for_where_there_is_none(server: ScriptedServer) -> None:
    server.script(json_reply(metadata(server.origin, scopes_supported=["posts:read"])))
    assert "scope=posts%3Aread&" in begin(server)


def test_a_server_without_registration_is_named(server: ScriptedServer) -> None:
    server.script(json_reply(metadata(server.origin, registration_endpoint=None)))
    with pytest.raises(RegistrationError):
        oauth.register(client_name="Acme", redirect_uri=CALLBACK, issuer=server.origin)


REGISTRATIONS = {
    "HTML": Reply(201, b"<html>"),
    "no client id": json_reply({"client_name": "Acme"}, 201),
    "a refusal": json_reply({"error": "invalid_redirect_uri", "error_description": "No."}, 400),
    "another redirect URI": json_reply(
        {"client_id": "app_1", "redirect_uris": ["https://evil.example/"]}, 201
    ),
    "a redirect": Reply(307, headers={"Location": "https://evil.example/"}),
}


@pytest.mark.parametrize("reply", REGISTRATIONS.values(), ids=REGISTRATIONS.keys())
def test_a_registration_that_did_not_happen_is_named(server: ScriptedServer, reply: Reply) -> None:
    server.script(json_reply(metadata(server.origin)), reply)
    with pytest.raises(RegistrationError):
        oauth.register(client_name="Acme", redirect_uri=CALLBACK, issuer=server.origin)


def test_what_the_server_registered_counts(server: ScriptedServer) -> None:
    reply = json_reply({"client_id": "app_1", "client_secret": "s3cret", "scope": "posts:read"}, 200)
    server.script(json_reply(metadata(server.origin)), reply)
    registration = oauth.register(client_name="Acme", redirect_uri=CALLBACK, issuer=server.origin)
    assert (registration.client_secret, registration.scopes) == ("s3cret", ("posts:read",))


def test_a_registration_asks_as_the_standard_says(server: ScriptedServer) -> None:
    server.script(json_reply(metadata(server.origin)), json_reply({"client_id": "app_1"}, 201))
    oauth.register(client_name="Acme", redirect_uri=CALLBACK, issuer=server.origin, scopes=["posts:read"])
    assert server.received[1].json() == {
        "client_name": "Acme",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "posts:read offline_access",
        "token_endpoint_auth_method": "none",
    }


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        (None, "client_secret_basic"),
        (["client_secret_basic", "client_secret_post"], "client_secret_basic"),
        (["client_secret_post"], "client_secret_post"),
    ],
    ids=["not said", "both", "the form alone"],
)
def test_a_secret_is_asked_for_as_it_will_be_sent(
    server: ScriptedServer, methods: list[str] | None, expected: str
) -> None:
    document = metadata(server.origin, token_endpoint_auth_methods_supported=methods)
    server.script(json_reply(document), json_reply({"client_id": "app_1", "client_secret": "s"}, 201))
    oauth.register(client_name="Acme", redirect_uri=CALLBACK, issuer=server.origin, with_secret=True)
    assert server.received[1].json()["token_endpoint_auth_method"] == expected


# --- the token endpoint ----------------------------------------------------------------------------------------------


def exchange(server: ScriptedServer, *replies: Reply, secret: str | None = None, **changes: Any) -> Any:
    """Exchange a code with a server that replies so."""
    server.script(json_reply(metadata(server.origin, **changes)), *replies, json_reply({"data": {}}))
    app = OAuthApp(
        client_id="app 1",
        client_secret=secret,
        redirect_uri=CALLBACK,
        token_store=MemoryTokenStore(),
        issuer=server.origin,
    )
    request = app.authorization_request(NAME)
    return app.exchange(NAME, f"{CALLBACK}?state={request.state}&code=c0de", state=request.state)


TOKENS = {
    "access_token": "a",
    "token_type": "Bearer",
    "refresh_token": "r",
    "expires_in": 3600,
    "scope": "x y",
}

ODD_TOKENS: dict[str, tuple[dict[str, Any], tuple[tuple[str, ...], bool]]] = {
    "as usual": ({}, (("x", "y"), True)),
    "another spelling of Bearer": ({"token_type": "bEaReR"}, (("x", "y"), True)),
    "no token type": ({"token_type": None}, (("x", "y"), True)),
    "no lifetime": ({"expires_in": None}, (("x", "y"), False)),
    "a lifetime as a text": ({"expires_in": "3600"}, (("x", "y"), True)),
    "a lifetime that is none": ({"expires_in": "soon"}, (("x", "y"), False)),
    "a lifetime below zero": ({"expires_in": -5}, (("x", "y"), False)),
    "true as a lifetime": ({"expires_in": True}, (("x", "y"), False)),
    "no scope": ({"scope": None}, (("posts:read", "offline_access"), True)),
    "a narrower scope": ({"scope": "x"}, (("x",), True)),
}


@pytest.mark.parametrize(("changes", "expected"), ODD_TOKENS.values(), ids=ODD_TOKENS.keys())
def test_odd_tokens_are_taken(
    server: ScriptedServer, changes: dict[str, Any], expected: tuple[tuple[str, ...], bool]
) -> None:
    reply = {name: value for name, value in {**TOKENS, **changes}.items() if value is not None}
    login = exchange(server, json_reply(reply))
    assert (login.scopes, login.expires_at is not None) == expected


NO_TOKENS = {
    "HTML with 200": Reply(200, b"<html>"),
    "an error with 200": json_reply({**TOKENS, "error": "invalid_scope"}),
    "no access token": json_reply({"token_type": "Bearer"}),
    "a token with a line break": json_reply({**TOKENS, "access_token": "a\nb"}),
    "another token type": json_reply({**TOKENS, "token_type": "mac"}),
    "the API's own envelope": json_reply({"error": {"code": "invalid_request", "message": "No."}}, 400),
    "a redirect": Reply(302, headers={"Location": "https://evil.example/"}),
}


@pytest.mark.parametrize("reply", NO_TOKENS.values(), ids=NO_TOKENS.keys())
def test_a_response_without_tokens_is_refused(server: ScriptedServer, reply: Reply) -> None:
    from scripe import OAuthError

    with pytest.raises(OAuthError):
        exchange(server, reply)


@pytest.mark.parametrize(
    ("methods", "header", "in_form"),
    [
        (None, "Basic YXBwJTIwMTpzJTNBMQ==", False),
        (["client_secret_basic", "client_secret_post"], "Basic YXBwJTIwMTpzJTNBMQ==", False),
        (["client_secret_post"], None, True),
    ],
    ids=["not said", "both", "the form alone"],
)
def test_a_secret_is_sent_as_the_server_takes_it(
    server: ScriptedServer, methods: list[str] | None, header: str | None, in_form: bool
) -> None:
    exchange(server, json_reply(TOKENS), secret="s:1", token_endpoint_auth_methods_supported=methods)
    sent = server.received[1]
    assert (sent.headers.get("authorization"), b"client_secret=s%3A1" in sent.body) == (header, in_form)


@pytest.mark.parametrize("status", [500, 503])
def test_a_code_that_may_be_spent_is_lost(server: ScriptedServer, status: int) -> None:
    from scripe import ExchangeLostError

    with pytest.raises(ExchangeLostError):
        exchange(server, Reply(status))
