"""What the authorization server refuses, with which error, and where the error goes."""

import base64
import json
from typing import Any

import httpx
import pytest

from scripe.emulator import Emulator
from tests.emulator.oauth_app import (
    CALLBACK,
    CHALLENGE,
    METADATA,
    VERIFIER,
    App,
    connected,
    location,
    oauth_error,
    parameters_of,
    register,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def is_error_page(response: httpx.Response) -> bool:
    is_page = response.headers["content-type"] == "text/html; charset=utf-8"
    return response.status_code == 400 and is_page and "location" not in response.headers


# Registration

REDIRECT_URIS = {
    "https": ("https://acme.example/callback", True),
    "https with port, query and path": ("https://acme.example:8443/a/b?c=d", True),
    "http on a loopback address": ("http://127.0.0.1:8000/callback", True),
    "http on the IPv6 loopback address": ("http://[::1]:8000/callback", True),
    "http on localhost": ("http://localhost/callback", True),
    "a private scheme": ("com.example.app:/callback", True),
    "http elsewhere": ("http://acme.example/callback", False),
    "http on an address like the loopback": ("http://127.0.0.1.acme.example/", False),
    "a fragment": ("https://acme.example/callback#here", False),
    "an empty fragment": ("https://acme.example/callback#", False),
    "a user": ("https://me@acme.example/", False),
    "a user like the loopback": ("http://127.0.0.1@acme.example/", False),
    "no host": ("https:///callback", False),
    "no scheme": ("acme.example/callback", False),
    "a path": ("/callback", False),
    "a script": ("javascript:alert(1)", False),
    "data": ("data:text/html,x", False),
    "a scheme without a dot": ("app:/callback", False),
    "a space": ("https://acme.example/a b", False),
    "a new line": ("https://acme.example/\r\nX: y", False),
    "a new line at the end": ("https://acme.example/\n", False),
    "other letters": ("https://acmé.example/", False),
    "a backslash": ("https://acme.example\\@evil.example/", False),
    "a port that is none": ("https://acme.example:port/", False),
    "half an address": ("http://[::1/", False),
    "nothing": ("", False),
}


@pytest.mark.parametrize(("redirect_uri", "is_taken"), REDIRECT_URIS.values(), ids=REDIRECT_URIS)
def test_redirect_uris(http: httpx.Client, redirect_uri: str, is_taken: bool) -> None:
    response = register(http, redirect_uris=["https://acme.example/first", redirect_uri])
    if is_taken:
        assert response.json()["redirect_uris"] == ["https://acme.example/first", redirect_uri]
    else:
        assert oauth_error(response) == "400 invalid_redirect_uri"


METADATA_REFUSED: dict[str, dict[str, Any]] = {
    "a method": {"token_endpoint_auth_method": "private_key_jwt"},
    "no method": {"token_endpoint_auth_method": 1},
    "a grant type": {"grant_types": ["authorization_code", "password"]},
    "no grant type": {"grant_types": []},
    "refreshes alone": {"grant_types": ["refresh_token"]},
    "a text as grant types": {"grant_types": "authorization_code"},
    "a response type": {"response_types": ["code", "token"]},
    "no response type": {"response_types": []},
    "a scope": {"scope": "notes:read admin"},
    "no scope": {"scope": ""},
    "scopes with two spaces": {"scope": "notes:read  posts:read"},
    "a list as scope": {"scope": ["notes:read"]},
    "no name": {"client_name": ""},
    "a number as name": {"client_name": 1},
    "a long name": {"client_name": "x" * 201},
}


@pytest.mark.parametrize("metadata", METADATA_REFUSED.values(), ids=METADATA_REFUSED)
def test_metadata_that_is_refused(http: httpx.Client, metadata: dict[str, Any]) -> None:
    assert oauth_error(register(http, **metadata)) == "400 invalid_client_metadata"


@pytest.mark.parametrize(
    "redirect_uris",
    [None, [], "https://acme.example/", [1]],
    ids=["absent", "none", "a text", "a number"],
)
def test_redirect_uris_are_a_list_of_texts(http: httpx.Client, redirect_uris: object) -> None:
    assert oauth_error(register(http, redirect_uris=redirect_uris)) == "400 invalid_redirect_uri"


LONG = json.dumps({"redirect_uris": [CALLBACK], "client_uri": "x" * 65_536}).encode()


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"{", JSON, "400 invalid_client_metadata"),
        (b"[]", JSON, "400 invalid_client_metadata"),
        (b"{}", FORM, "400 invalid_client_metadata"),
        (b"{}", {}, "400 invalid_client_metadata"),
        (b"{}", {**JSON, "Content-Length": "3"}, "400 invalid_client_metadata"),
        (LONG, JSON, "413 invalid_client_metadata"),
    ],
    ids=["broken", "a list", "a form", "untyped", "cut short", "long"],
)
def test_bodies_that_register_nobody(
    http: httpx.Client, body: bytes, headers: dict[str, str], error: str
) -> None:
    response = http.post("/oauth/register", content=body, headers=headers)
    assert oauth_error(response) == error


# Authorization

PAGE_REFUSED: dict[str, dict[str, str | None]] = {
    "no client": {"client_id": None},
    "an unknown client": {"client_id": "client_none"},
    "no redirect URI": {"redirect_uri": None},
    "another redirect URI": {"redirect_uri": "https://evil.example/"},
    "a longer path": {"redirect_uri": f"{CALLBACK}/more"},
    "a query": {"redirect_uri": f"{CALLBACK}?a=b"},
    "a fragment": {"redirect_uri": f"{CALLBACK}#a"},
    "capitals": {"redirect_uri": CALLBACK.replace("acme", "ACME")},
    "a port": {"redirect_uri": CALLBACK.replace("example/", "example:443/")},
    "a dot": {"redirect_uri": CALLBACK.replace("/callback", "/./callback")},
    "http": {"redirect_uri": CALLBACK.replace("https", "http")},
}


@pytest.mark.parametrize("changes", PAGE_REFUSED.values(), ids=PAGE_REFUSED)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    http: httpx.Client, app: App, changes: dict[str, str | None]
) -> None:
    assert is_error_page(http.get(app.url(**changes)))
    assert is_error_page(http.get(app.url(**changes, scope="admin")))


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_client_or_redirect_uri_sends_nobody_back(http: httpx.Client, app: App, name: str) -> None:
    url = app.url()
    value = app.client_id if name == "client_id" else CALLBACK
    assert is_error_page(http.get(f"{url}&{name}={value}"))


def test_a_query_that_is_not_utf_8_sends_nobody_back(http: httpx.Client, app: App) -> None:
    assert is_error_page(http.get(f"{app.url()}&extra=%ff"))


REDIRECTED: dict[str, tuple[dict[str, str | None], str]] = {
    "no response type": ({"response_type": None}, "invalid_request"),
    "an empty response type": ({"response_type": ""}, "invalid_request"),
    "an implicit grant": ({"response_type": "token"}, "unsupported_response_type"),
    "two response types": ({"response_type": "code token"}, "unsupported_response_type"),
    "a fragment as response": ({"response_mode": "fragment"}, "invalid_request"),
    "no PKCE": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "no method": ({"code_challenge_method": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "plain with a verifier": (
        {"code_challenge_method": "plain", "code_challenge": VERIFIER[:43]},
        "invalid_request",
    ),
    "the method in small letters": ({"code_challenge_method": "s256"}, "invalid_request"),
    "a short challenge": ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
    "a long challenge": ({"code_challenge": f"{CHALLENGE}A"}, "invalid_request"),
    "a padded challenge": ({"code_challenge": f"{CHALLENGE[:-1]}="}, "invalid_request"),
    "a scope that is not registered": ({"scope": "notes:read posts:read"}, "invalid_scope"),
    "a scope that does not exist": ({"scope": "admin"}, "invalid_scope"),
    "scopes with two spaces": ({"scope": "notes:read  posts:write"}, "invalid_scope"),
}


@pytest.mark.parametrize(("changes", "error"), REDIRECTED.values(), ids=REDIRECTED)
def test_other_errors_go_back_to_the_client(
    http: httpx.Client, app: App, changes: dict[str, str | None], error: str
) -> None:
    url = location(http.get(app.url(**changes)))
    assert url.startswith(f"{CALLBACK}?")
    parameters = parameters_of(url)
    assert parameters.pop("error_description")
    assert parameters == {"error": error, "state": "state-1", "iss": "http://emulator.localhost"}


def test_an_error_that_goes_back_comes_of_consent_too(emulator: Emulator, app: App) -> None:
    parameters = parameters_of(emulator.oauth.consent(app.url(code_challenge_method="plain")))
    assert parameters["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["response_type", "scope", "state", "code_challenge", "unknown"])
def test_a_repeated_parameter_goes_back_to_the_client(http: httpx.Client, app: App, name: str) -> None:
    url = f"{app.url()}&{name}=code" + (f"&{name}=code" if name == "unknown" else "")
    parameters = parameters_of(location(http.get(url)))
    assert parameters["error"] == "invalid_request"
    assert parameters.get("state") == (None if name == "state" else "state-1")


def test_a_parameter_that_is_unknown_is_ignored(emulator: Emulator, app: App) -> None:
    assert "code" in parameters_of(
        emulator.oauth.consent(app.url(resource="https://mcp.example/", prompt="x"))
    )


LOOPBACK = {
    "IPv4": ("http://127.0.0.1:8000/callback", "http://127.0.0.1:9000/callback", True),
    "IPv6": ("http://[::1]:8000/callback", "http://[::1]:9000/callback", True),
    "no port registered": ("http://127.0.0.1/callback", "http://127.0.0.1:9000/callback", True),
    "no port sent": ("http://127.0.0.1:8000/callback", "http://127.0.0.1/callback", True),
    "no path": ("http://127.0.0.1:8000", "http://127.0.0.1:9000", True),
    "another path": ("http://127.0.0.1:8000/callback", "http://127.0.0.1:9000/other", False),
    "another query": ("http://127.0.0.1:8000/callback", "http://127.0.0.1:9000/callback?a=b", False),
    "a fragment": ("http://127.0.0.1:8000/callback", "http://127.0.0.1:9000/callback#", False),
    "another loopback address": ("http://127.0.0.1:8000/callback", "http://127.0.0.2:9000/callback", False),
    "the other loopback": ("http://127.0.0.1:8000/callback", "http://[::1]:9000/callback", False),
    "localhost": ("http://localhost:8000/callback", "http://localhost:9000/callback", False),
    "https": ("http://127.0.0.1:8000/callback", "https://127.0.0.1:9000/callback", False),
    "a user": ("http://127.0.0.1:8000/callback", "http://127.0.0.1:9000@evil.example/callback", False),
    "another host": ("https://acme.example:8000/callback", "https://acme.example:9000/callback", False),
}


@pytest.mark.parametrize(("registered", "sent", "is_taken"), LOOPBACK.values(), ids=LOOPBACK)
def test_ports_of_loopback_literals(registered: str, sent: str, is_taken: bool) -> None:
    for setting in (True, False):
        with Emulator(oauth_any_loopback_port=setting) as emulator, connected(emulator) as http:
            app = App(emulator, http, register(http, redirect_uris=[registered]).json())
            response = http.get(app.url(redirect_uri=sent))
            assert is_error_page(response) is not (setting and is_taken)
            if setting and is_taken:
                code = app.code(redirect_uri=sent)
                assert app.exchange(code, redirect_uri=sent).status_code == 200


def test_a_redirect_uri_of_another_port_is_the_codes_own() -> None:
    with Emulator(oauth_any_loopback_port=True) as emulator, connected(emulator) as http:
        app = App(emulator, http, register(http, redirect_uris=["http://127.0.0.1:8000/"]).json())
        code = app.code(redirect_uri="http://127.0.0.1:9000/")
        assert oauth_error(app.exchange(code)) == "400 invalid_grant"
        assert oauth_error(app.exchange(code, redirect_uri="http://127.0.0.1:9001/")) == "400 invalid_grant"


# Tokens

EXCHANGE_REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no grant type": ({"grant_type": None}, "invalid_request"),
    "an empty grant type": ({"grant_type": ""}, "invalid_request"),
    "a password": ({"grant_type": "password"}, "unsupported_grant_type"),
    "client credentials": ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    "no code": ({"code": None}, "invalid_request"),
    "an unknown code": ({"code": "scripe_code_0"}, "invalid_grant"),
    "no verifier": ({"code_verifier": None}, "invalid_request"),
    "an empty verifier": ({"code_verifier": ""}, "invalid_request"),
    "the challenge as verifier": ({"code_verifier": CHALLENGE}, "invalid_grant"),
    "a verifier in capitals": ({"code_verifier": VERIFIER.upper()}, "invalid_grant"),
    "a verifier with other signs": ({"code_verifier": f"{VERIFIER}!"}, "invalid_request"),
    "no redirect URI": ({"redirect_uri": None}, "invalid_request"),
    "another redirect URI": ({"redirect_uri": "https://acme.example/other"}, "invalid_grant"),
}


@pytest.mark.parametrize(("changes", "error"), EXCHANGE_REFUSED.values(), ids=EXCHANGE_REFUSED)
def test_an_exchange_that_is_refused_leaves_the_code(
    app: App, http: httpx.Client, changes: dict[str, str | None], error: str
) -> None:
    both = [CALLBACK, "https://acme.example/other"]
    app = App(app.emulator, http, register(http, redirect_uris=both).json())
    code = app.code()
    assert oauth_error(app.exchange(**{"code": code, **changes})) == f"400 {error}"
    assert app.exchange(code).status_code == 200


@pytest.mark.parametrize(
    ("length", "is_taken"), [(42, False), (43, True), (128, True), (129, False)], ids=str
)
def test_the_length_of_a_verifier(emulator: Emulator, app: App, length: int, is_taken: bool) -> None:
    import hashlib

    verifier = "v" * length
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    response = app.exchange(app.code(code_challenge=challenge), code_verifier=verifier)
    if is_taken:
        assert response.status_code == 200
    else:
        assert oauth_error(response) == "400 invalid_request"


def test_a_code_of_another_client(emulator: Emulator, http: httpx.Client, app: App) -> None:
    other, code = App(emulator, http, register(http).json()), app.code()
    assert oauth_error(other.exchange(code)) == "400 invalid_grant"
    assert app.exchange(code).status_code == 200


REFRESH_REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no token": ({"refresh_token": None}, "invalid_request"),
    "an unknown token": ({"refresh_token": "scripe_refresh_0"}, "invalid_grant"),
    "more than was granted": ({"scope": "notes:read posts:read"}, "invalid_scope"),
    "a scope that does not exist": ({"scope": "admin"}, "invalid_scope"),
}


@pytest.mark.parametrize(("changes", "error"), REFRESH_REFUSED.values(), ids=REFRESH_REFUSED)
def test_a_refresh_that_is_refused(app: App, changes: dict[str, str | None], error: str) -> None:
    token = app.login(scope="notes:read offline_access")["refresh_token"]
    assert oauth_error(app.refresh(**{"token": token, **changes})) == f"400 {error}"


@pytest.mark.parametrize("which", ["access_token", "code"])
def test_only_a_refresh_token_refreshes(app: App, which: str) -> None:
    token = app.code() if which == "code" else app.login()["access_token"]
    assert oauth_error(app.refresh(token)) == "400 invalid_grant"


def test_only_an_access_token_calls_the_api(app: App) -> None:
    tokens = app.login()
    assert not app.is_live(tokens["refresh_token"])
    assert not app.is_live(app.code())


def test_revocation_needs_a_token(app: App) -> None:
    assert oauth_error(app.revoke(None)) == "400 invalid_request"


FORMS: dict[str, tuple[bytes, dict[str, str], str]] = {
    "repeated": (b"grant_type=refresh_token&grant_type=refresh_token", FORM, "400 invalid_request"),
    "repeated and equal but for its value": (b"client_id=a&client_id=", FORM, "400 invalid_request"),
    "repeated and unknown": (b"x=1&x=2", FORM, "400 invalid_request"),
    "repeated in other letters": (b"x=1&%78=2", FORM, "400 invalid_request"),
    "JSON": (b'{"grant_type":"refresh_token"}', JSON, "400 invalid_request"),
    "untyped": (b"grant_type=refresh_token", {}, "400 invalid_request"),
    "not UTF-8": (b"grant_type=\xff", FORM, "400 invalid_request"),
    "escapes that are not UTF-8": (b"grant_type=%ff", FORM, "400 invalid_request"),
    "cut short": (b"grant_type=refresh", {**FORM, "Content-Length": "30"}, "400 invalid_request"),
    "long": (b"x=" + b"y" * 65_536, FORM, "413 invalid_request"),
    "empty": (b"", FORM, "401 invalid_client"),
}


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
@pytest.mark.parametrize(("body", "headers", "error"), FORMS.values(), ids=FORMS)
def test_forms_that_are_refused(
    http: httpx.Client, path: str, body: bytes, headers: dict[str, str], error: str
) -> None:
    assert oauth_error(http.post(path, content=body, headers=headers)) == error


def test_parameters_in_the_query_do_not_count(http: httpx.Client, app: App) -> None:
    query = {"grant_type": "refresh_token", "client_id": app.client_id, "refresh_token": "x"}
    response = http.post("/oauth/token", params=query, headers=FORM)
    assert oauth_error(response) == "401 invalid_client"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", METADATA, "GET"),
        ("GET", "/oauth/token", "POST"),
        ("GET", "/oauth/register", "POST"),
        ("PUT", "/oauth/revoke", "POST"),
        ("DELETE", "/oauth/authorize", "GET, POST"),
    ],
)
def test_other_methods(http: httpx.Client, method: str, path: str, allowed: str) -> None:
    response = http.request(method, path)
    assert oauth_error(response) == "405 invalid_request"
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/oauth", "/oauth/", "/oauth/token/", "/oauth/introspect", "/v1/oauth/token"]
)
def test_other_paths(http: httpx.Client, path: str) -> None:
    response = http.post(path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


# Client authentication


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


WRONG_AUTHENTICATION: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "none: no client": ("none", {}, {}),
    "none: an unknown client": ("none", {"client_id": "client_none"}, {}),
    "none: a secret in the form": ("none", {"client_id": "ID", "client_secret": "x"}, {}),
    "none: a secret in the header": ("none", {}, basic("ID", "x")),
    "none: an empty secret in the header": ("none", {}, basic("ID", "")),
    "basic: no secret": ("client_secret_basic", {"client_id": "ID"}, {}),
    "basic: an empty secret": ("client_secret_basic", {}, basic("ID", "")),
    "basic: another secret": ("client_secret_basic", {}, basic("ID", "SECRETx")),
    "basic: another secret of other letters": ("client_secret_basic", {}, basic("ID", "SECRÉT")),
    "basic: the secret in the form": (
        "client_secret_basic",
        {"client_id": "ID", "client_secret": "SECRET"},
        {},
    ),
    "basic: an unknown client": ("client_secret_basic", {}, basic("client_none", "SECRET")),
    "basic: not base64": ("client_secret_basic", {}, {"Authorization": "Basic ?"}),
    "basic: not UTF-8": ("client_secret_basic", {}, {"Authorization": "Basic /w=="}),
    "basic: no colon": ("client_secret_basic", {}, {"Authorization": "Basic YQ=="}),
    "basic: another scheme": ("client_secret_basic", {"client_id": "ID"}, {"Authorization": "Bearer SECRET"}),
    "basic: another scheme, well encoded": (
        "client_secret_basic",
        {},
        {"Authorization": basic("ID", "SECRET")["Authorization"].replace("Basic", "Bearer")},
    ),
    "post: no secret": ("client_secret_post", {"client_id": "ID"}, {}),
    "post: another secret": ("client_secret_post", {"client_id": "ID", "client_secret": "x"}, {}),
    "post: the secret in the header": ("client_secret_post", {}, basic("ID", "SECRET")),
}


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
@pytest.mark.parametrize(
    ("method", "form", "headers"), WRONG_AUTHENTICATION.values(), ids=WRONG_AUTHENTICATION
)
def test_wrong_client_authentication(
    emulator: Emulator,
    http: httpx.Client,
    path: str,
    method: str,
    form: dict[str, str],
    headers: dict[str, str],
) -> None:
    app = App(emulator, http, register(http, token_endpoint_auth_method=method).json())
    tokens = app.login()
    secret = app.registration.get("client_secret", "SECRET")
    sent_form = {
        name: value.replace("ID", app.client_id).replace("SECRET", secret) for name, value in form.items()
    }
    sent_headers = {
        name: _fill(value, app.client_id, secret) if value.count(" ") else value
        for name, value in headers.items()
    }
    grant = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    fields = grant if path == "/oauth/token" else {"token": tokens["refresh_token"]}
    response = http.post(path, data={**sent_form, **fields}, headers=sent_headers)
    assert oauth_error(response) == "401 invalid_client"
    assert response.headers["www-authenticate"] == 'Basic realm="scripe"'
    assert app.is_live(tokens)
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def _fill(authorization: str, client_id: str, secret: str) -> str:
    """Put the client's own id and secret into a header."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return authorization.replace("SECRET", secret)
    filled = pair.replace("ID", client_id).replace("SECRET", secret)
    return f"{scheme} {base64.b64encode(filled.encode()).decode()}"


@pytest.mark.parametrize(
    "form",
    [{"client_id": "ID", "client_secret": "x"}, {"client_id": "client_other"}],
    ids=["another secret", "another client"],
)
def test_a_client_authenticates_in_one_way(
    emulator: Emulator, http: httpx.Client, form: dict[str, str]
) -> None:
    app = App(emulator, http, register(http, token_endpoint_auth_method="client_secret_basic").json())
    sent = {name: value.replace("ID", app.client_id) for name, value in form.items()}
    response = app.send("/oauth/token", {"grant_type": "refresh_token", "refresh_token": "x", **sent})
    assert oauth_error(response) == "400 invalid_request"


def test_the_client_id_may_be_in_header_and_form(emulator: Emulator, http: httpx.Client) -> None:
    app = App(emulator, http, register(http, token_endpoint_auth_method="client_secret_basic").json())
    assert app.exchange(app.code(), client_id=app.client_id).status_code == 200


def test_names_and_secrets_in_the_header_are_escaped(emulator: Emulator, http: httpx.Client) -> None:
    app = App(emulator, http, register(http, token_endpoint_auth_method="client_secret_basic").json())
    escaped = "".join(f"%{ord(letter):02x}" for letter in app.client_id)
    headers = basic(escaped, str(app.registration["client_secret"]))
    response = app.send("/oauth/revoke", {"token": "x"}, headers)
    assert response.status_code == 200
