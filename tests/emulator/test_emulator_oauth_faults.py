"""Faults and the record of requests on the paths of OAuth, and that no secret is seen there."""

import contextlib
import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from scripe.emulator import Emulator, Request, Response
from tests.emulator.oauth_app import (
    METADATA,
    VERIFIER,
    WAYS,
    App,
    Way,
    connected,
    oauth_error,
    origin_of,
    parameters_of,
    register,
)

# Faults


@pytest.mark.parametrize("way", WAYS)
def test_a_response_that_is_lost_after_the_work(emulator: Emulator, way: Way) -> None:
    with connected(emulator, way) as http:
        app = App(emulator, http)
        tokens = app.login()
        emulator.drop_next(path="/oauth/token")
        assert app.is_live(tokens)
        with pytest.raises(httpx.TransportError):
            app.refresh(tokens["refresh_token"])
        assert len(emulator.oauth.refreshes) == 1
        assert oauth_error(app.refresh(tokens["refresh_token"])) == "400 invalid_grant"


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_is_lost_before_the_work(emulator: Emulator, way: Way) -> None:
    with connected(emulator, way) as http:
        app = App(emulator, http)
        tokens = app.login()
        emulator.drop_next(before=True, path="/oauth/token")
        with pytest.raises(httpx.TransportError):
            app.refresh(tokens["refresh_token"])
        assert emulator.oauth.refreshes == []
        assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert [request.status for request in emulator.requests if request.path == "/oauth/token"] == [
        200,
        0,
        200,
    ]


def test_with_a_grace_a_lost_response_is_fetched_again() -> None:
    with Emulator(oauth_reuse_grace=30) as emulator, connected(emulator) as http:
        app = App(emulator, http)
        tokens = app.login()
        emulator.drop_next(path="/oauth/token")
        with pytest.raises(httpx.TransportError):
            app.refresh(tokens["refresh_token"])
        tokens = app.refresh(tokens["refresh_token"]).json()
        assert app.is_live(tokens)
        assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_an_exchange_whose_response_is_lost_cannot_be_repeated(emulator: Emulator, app: App) -> None:
    code = app.code()
    emulator.drop_next(path="/oauth/token")
    with pytest.raises(httpx.TransportError):
        app.exchange(code)
    assert oauth_error(app.exchange(code)) == "400 invalid_grant"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "invalid_request"),
        (401, "invalid_client"),
        (429, "temporarily_unavailable"),
        (500, "server_error"),
        (503, "temporarily_unavailable"),
    ],
)
def test_a_failure_has_the_form_of_oauth(emulator: Emulator, app: App, status: int, error: str) -> None:
    tokens = app.login()
    emulator.fail_next(status, retry_after=3, path="/oauth/token")
    response = app.refresh(tokens["refresh_token"])
    assert oauth_error(response) == f"{status} {error}"
    assert response.headers["retry-after"] == "3"
    assert response.headers["x-request-id"].startswith("req_")
    assert "scripe-api-version" not in response.headers
    assert emulator.oauth.refreshes == []
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_failure_may_say_which_error_it_is(emulator: Emulator, app: App) -> None:
    emulator.fail_next(400, "invalid_grant", message="Gone.", path="/oauth/token")
    response = app.refresh("x")
    assert response.json() == {"error": "invalid_grant", "error_description": "Gone."}


def test_a_failure_may_have_any_body(emulator: Emulator, app: App) -> None:
    emulator.fail_next(502, body=b"<h1>Bad gateway</h1>", path="/oauth/token")
    response = app.refresh("x")
    assert (response.status_code, response.text) == (502, "<h1>Bad gateway</h1>")
    assert "x-request-id" not in response.headers
    assert emulator.requests[-1].error_code is None


def test_a_response_that_comes_late(emulator: Emulator, app: App) -> None:
    emulator.delay_next(0.2, path="/oauth/token")
    started = time.monotonic()
    assert app.login()
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("path", [METADATA, "/oauth/register", "/oauth/revoke", "/oauth/authorize"])
def test_faults_meet_the_other_paths_too(emulator: Emulator, http: httpx.Client, path: str) -> None:
    emulator.fail_next(503, path=path)
    response = http.get(path) if path in (METADATA, "/oauth/authorize") else http.post(path)
    assert oauth_error(response) == "503 temporarily_unavailable"
    assert emulator.unused_faults == []


def test_a_database_that_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripe.emulator._core.database.BUSY_TIMEOUT", 0.1)
    with Emulator(tmp_path / "db") as emulator, connected(emulator) as http:
        app = App(emulator, http)
        tokens = app.login()
        with contextlib.closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            response = app.refresh(tokens["refresh_token"])
            other.execute("ROLLBACK")
        assert oauth_error(response) == "503 temporarily_unavailable"
        assert response.headers["x-request-id"].startswith("req_")
        assert app.refresh(tokens["refresh_token"]).status_code == 200


# The record


def test_requests_are_recorded(emulator: Emulator, http: httpx.Client) -> None:
    app = App(emulator, http)
    http.get(METADATA)
    http.get(app.url())
    app.refresh("x")
    app.revoke("x")
    assert [(request.method, request.path, request.status) for request in emulator.requests] == [
        ("POST", "/oauth/register", 201),
        ("GET", METADATA, 200),
        ("GET", "/oauth/authorize", 200),
        ("POST", "/oauth/token", 400),
        ("POST", "/oauth/revoke", 200),
    ]
    refresh = emulator.requests[3]
    assert refresh.error_code == "invalid_grant"
    assert refresh.error_message == "The refresh token is unknown."
    assert b"refresh_token=x" in refresh.body
    assert str(refresh.request_id).startswith("req_")
    emulator.assert_sent("POST", "/oauth/register", json={"client_name": "Acme"})
    emulator.assert_sent("GET", "/oauth/authorize", query={"client_id": app.client_id})


def test_consent_without_a_browser_is_no_request(emulator: Emulator, app: App) -> None:
    emulator.clear_requests()
    emulator.drop_next()
    assert app.code()
    assert emulator.requests == []
    assert emulator.unused_faults == ["drop for any method of any path"]


# Secrets


def all_secrets(emulator: Emulator, way: Way = "in process") -> tuple[list[str], list[str]]:
    """Go through a login, and return its secrets and whatever shows requests and responses."""
    shown: list[str] = []

    def show(request: Request, response: Response) -> None:
        shown.extend([repr(request), repr(response)])

    emulator.add_observer(show)
    with connected(emulator, way) as http:
        secrets: list[str] = [VERIFIER]
        for method in ("client_secret_basic", "client_secret_post"):
            app = App(emulator, http, register(http, token_endpoint_auth_method=method).json())
            page = http.get(app.url()).text
            form_id = page.partition('name="form" value="')[2].partition('"')[0]
            reach = page.partition('<option value="')[2].partition('"')[0]
            form = {"form": form_id, "reach": reach, "scope": "offline_access", "decision": "allow"}
            callback_url = http.post("/oauth/authorize", data=form).headers["location"]
            code = parameters_of(callback_url)["code"]
            first = app.exchange(code).json()
            second = app.refresh(first["refresh_token"]).json()
            app.revoke(second["access_token"])
            app.refresh(second["refresh_token"], extra_secret="canary-extra")
            # in wrong places too
            http.post("/oauth/token", json={"refresh_token": "canary-json", "code": code})
            http.post("/oauth/token", content=b"canary-bare", headers={"Content-Type": "text/plain"})
            http.post("/oauth/token", content=b'{"canary-broken', headers={"Content-Type": "text/plain"})
            http.post("/oauth/token", content=b"x=canary-long" * 9_000)
            http.post("/oauth/register", json=["canary-list"])
            http.post("/oauth/register", json={"client_secret": "canary-secret", "scope": code})
            http.get("/oauth/authorize", params={"refresh_token": "canary-query", "state": code})
            secrets += [form_id, code, str(app.registration["client_secret"])]
            secrets += [
                tokens[name] for tokens in (first, second) for name in ("access_token", "refresh_token")
            ]
        if way == "served":
            page_url = f"{origin_of(http)}/_emulator"
            shown += [httpx.get(page_url).text, httpx.get(f"{page_url}/requests.json").text]
    return [*secrets, "canary-"], [*shown, *map(repr, emulator.requests), repr(emulator.oauth)]


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_seen(emulator: Emulator, way: Way, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "scripe"):
        secrets, shown = all_secrets(emulator, way)
    text = "\n".join([*shown, *(record.getMessage() for record in caplog.records if "scripe" in record.name)])
    assert [secret for secret in secrets if secret in text] == []


def test_what_is_no_secret_is_seen(emulator: Emulator, http: httpx.Client) -> None:
    app = App(emulator, http)
    http.get(app.url())
    app.refresh("scripe_refresh_0123456789abcdef", scope="notes:read")
    registration, authorization, refresh = map(repr, emulator.requests)
    assert '"client_name":"Acme"' in registration
    assert f"client_id={app.client_id}" in authorization
    assert "scope=notes:read" in refresh
    assert "refresh_token=…" in refresh
    with emulator.serve() as server:
        page = httpx.get(server.page_url).text
    assert "grant_type=refresh_token" in page
    assert "invalid_grant" in page
    assert "code_challenge_method=S256" in page


def test_a_key_in_a_request_of_the_api_is_not_seen_whole(emulator: Emulator, http: httpx.Client) -> None:
    http.post("/v1/notes", json={"content": emulator.api_key})
    text = repr(emulator.requests[0])
    assert emulator.api_key not in text
    assert "scripe_sk_test_…" in text
    assert "path='/notes'" in text
