"""The emulator as an authorization server: a login from registration to revocation, and its settings."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from scripe.emulator import Clock, Emulator
from scripe.emulator.__main__ import main
from tests.emulator.emulator_calls import START, frozen
from tests.emulator.oauth_app import (
    CALLBACK,
    METADATA,
    SCOPES,
    WAYS,
    App,
    Way,
    api_error,
    connected,
    oauth_error,
    origin_of,
    parameters_of,
    register,
)

# The whole flow


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_login_from_registration_to_revocation(emulator: Emulator, way: Way, method: str) -> None:
    with connected(emulator, way) as http:
        app = App(emulator, http, register(http, token_endpoint_auth_method=method).json())
        first = app.login()
        assert app.is_live(first)
        second = app.refresh(first["refresh_token"]).json()
        assert app.is_live(second)
        assert second["access_token"] != first["access_token"]
        assert second["refresh_token"] != first["refresh_token"]
        assert app.revoke(second["refresh_token"]).status_code == 200
        assert not app.is_live(second)
        assert oauth_error(app.refresh(second["refresh_token"])) == "400 invalid_grant"


def test_the_response_of_the_token_endpoint(app: App) -> None:
    response = app.exchange(app.code())
    tokens = response.json()
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["date"]
    assert response.headers["x-request-id"].startswith("req_")
    assert tokens.pop("access_token").startswith("scripe_oauth_")
    assert tokens.pop("refresh_token").startswith("scripe_refresh_")
    assert tokens == {"token_type": "Bearer", "expires_in": 3_600, "scope": SCOPES}


def test_a_callback_has_the_code_the_state_and_the_issuer(emulator: Emulator, app: App) -> None:
    callback_url = emulator.oauth.consent(app.url(state="a b&c=ö"))
    assert callback_url.startswith(f"{CALLBACK}?")
    parameters = parameters_of(callback_url)
    assert parameters.pop("code").startswith("scripe_code_")
    assert parameters == {"state": "a b&c=ö", "iss": "http://emulator.localhost"}


def test_a_redirect_uri_keeps_its_query(emulator: Emulator, http: httpx.Client) -> None:
    redirect_uri = f"{CALLBACK}?tenant=4%202"
    app = App(emulator, http, register(http, redirect_uris=[redirect_uri]).json())
    callback_url = emulator.oauth.consent(app.url())
    assert callback_url.startswith(f"{redirect_uri}&code=")


def test_a_callback_without_state_has_none(emulator: Emulator, app: App) -> None:
    for absent in (None, ""):
        assert "state" not in parameters_of(emulator.oauth.consent(app.url(state=absent)))


def test_a_user_may_deny(emulator: Emulator, app: App) -> None:
    parameters = parameters_of(emulator.oauth.consent(app.url(), allow=False))
    assert parameters["error"] == "access_denied"
    assert parameters["state"] == "state-1"
    assert parameters["iss"] == "http://emulator.localhost"
    assert "code" not in parameters


# Metadata


@pytest.mark.parametrize("way", WAYS)
def test_metadata(emulator: Emulator, way: Way) -> None:
    with connected(emulator, way) as http:
        origin = origin_of(http)
        response = http.get(METADATA)
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/oauth/authorize",
        "token_endpoint": f"{origin}/oauth/token",
        "registration_endpoint": f"{origin}/oauth/register",
        "revocation_endpoint": f"{origin}/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "scopes_supported": [
            "notes:read",
            "notes:write",
            "posts:read",
            "posts:write",
            "sources:write",
            "knowledge:write",
            "webhooks:manage",
            "offline_access",
        ],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
    }


def test_the_issuer_is_the_origin_that_the_caller_named(emulator: Emulator) -> None:
    with connected(emulator, "served") as http:
        port = http.base_url.port
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", "emulator.example"):
            assert http.get(METADATA, headers={"Host": host}).json()["issuer"] == f"http://{host}"


def test_iss_can_be_left_out() -> None:
    with Emulator(oauth_sends_iss=False) as emulator, connected(emulator) as http:
        app = App(emulator, http)
        assert "iss" not in parameters_of(emulator.oauth.consent(app.url()))
        assert "iss" not in parameters_of(emulator.oauth.consent(app.url(), allow=False))
        assert http.get(METADATA).json()["authorization_response_iss_parameter_supported"] is False


def test_revocation_need_not_be_offered() -> None:
    with Emulator(oauth_offers_revocation=False) as emulator, connected(emulator) as http:
        app = App(emulator, http)
        tokens = app.login()
        assert not [name for name in http.get(METADATA).json() if name.startswith("revocation")]
        assert app.revoke(tokens["refresh_token"]).status_code == 404
        assert app.is_live(tokens)


# Registration


def test_what_was_registered_comes_back(http: httpx.Client) -> None:
    response = register(http, client_uri="https://acme.example")
    registered = response.json()
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    assert registered.pop("client_id").startswith("client_")
    assert registered.pop("client_id_issued_at") == int(START.timestamp())
    assert registered == {
        "client_name": "Acme",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": SCOPES,
        "token_endpoint_auth_method": "none",
    }


def test_a_client_gets_a_secret_unless_it_wants_none(http: httpx.Client) -> None:
    registered = register(http, token_endpoint_auth_method=None).json()
    assert registered["token_endpoint_auth_method"] == "client_secret_basic"
    assert registered["client_secret"].startswith("scripe_secret_")
    assert registered["client_secret_expires_at"] == 0
    assert "client_secret" not in register(http).json()


def test_without_a_scope_a_client_registers_for_all(http: httpx.Client) -> None:
    registered = register(http, scope=None).json()
    assert registered["scope"].split() == http.get(METADATA).json()["scopes_supported"]


def test_without_a_name_the_page_has_the_client_id(http: httpx.Client, emulator: Emulator) -> None:
    app = App(emulator, http, register(http, client_name=None).json())
    assert "client_name" not in app.registration
    assert app.client_id in http.get(app.url()).text


# Scopes and workspaces


def test_without_a_scope_all_registered_ones_are_asked_for(app: App) -> None:
    assert app.login(scope=None)["scope"] == SCOPES


def test_a_user_may_allow_a_part_of_the_scopes(emulator: Emulator, app: App) -> None:
    callback_url = emulator.oauth.consent(app.url(), scopes=["notes:read", "offline_access"])
    tokens = app.exchange(parameters_of(callback_url)["code"]).json()
    assert tokens["scope"] == "notes:read offline_access"
    assert app.api(tokens).json()["principal"]["scopes"] == ["notes:read", "offline_access"]
    assert api_error(app.api(tokens, "/posts?projectId=x")) == "403 scope_missing"


def test_only_offline_access_gives_a_refresh_token(app: App) -> None:
    assert "refresh_token" not in app.login(scope="notes:read")


def test_a_client_without_the_grant_type_gets_no_refresh_token(
    emulator: Emulator, http: httpx.Client
) -> None:
    app = App(emulator, http, register(http, grant_types=["authorization_code"]).json())
    assert "refresh_token" not in app.login()
    assert oauth_error(app.refresh("scripe_refresh_0")) == "400 unauthorized_client"


def test_a_refresh_may_ask_for_fewer_scopes_for_one_access_token(app: App) -> None:
    first = app.login()
    narrow = app.refresh(first["refresh_token"], scope="notes:read").json()
    assert narrow["scope"] == "notes:read"
    assert app.api(narrow).json()["principal"]["scopes"] == ["notes:read"]
    assert app.refresh(narrow["refresh_token"]).json()["scope"] == SCOPES


def test_the_workspace_is_chosen_at_consent(emulator: Emulator, app: App) -> None:
    other, foreign = emulator.create_workspace("Other"), emulator.create_workspace("Foreign")
    user = emulator.oauth.add_user("Bea", [emulator.workspace_id, other])
    callback_url = emulator.oauth.consent(app.url(), user, workspace_id=other)
    tokens = app.exchange(parameters_of(callback_url)["code"]).json()
    me = app.api(tokens).json()
    assert me["workspace"]["id"] == other
    assert me["principal"] == {"type": "oauth", "id": user.id, "scopes": SCOPES.split()}
    header = {"Scripe-Workspace-Id": emulator.workspace_id}
    assert app.api(tokens, **header).json()["workspace"]["id"] == emulator.workspace_id
    assert {row["id"] for row in app.api(tokens, "/workspaces").json()["data"]} == {
        other,
        emulator.workspace_id,
    }
    assert api_error(app.api(tokens, **{"Scripe-Workspace-Id": foreign})) == "403 workspace_mismatch"
    emulator.set_plan("FREE", workspace_id=other)
    assert api_error(app.api(tokens)) == "403 plan_not_eligible"


# Ends


@pytest.mark.parametrize(
    ("step", "is_live"), [(3_599.9, True), (3_600, False), (86_400, False)], ids=["before", "at", "after"]
)
def test_an_access_token_ends(emulator: Emulator, app: App, step: float, is_live: bool) -> None:
    tokens = app.login()
    emulator.clock.advance(step)
    assert app.is_live(tokens) is is_live
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_refresh_token_ends_a_month_after_the_last_refresh(emulator: Emulator, app: App) -> None:
    month = 30 * 86_400
    tokens = app.login()
    emulator.clock.advance(month - 1)
    tokens = app.refresh(tokens["refresh_token"]).json()
    emulator.clock.advance(month - 1)
    tokens = app.refresh(tokens["refresh_token"]).json()
    emulator.clock.advance(month)
    assert oauth_error(app.refresh(tokens["refresh_token"])) == "400 invalid_grant"


@pytest.mark.parametrize(("step", "status"), [(59.9, 200), (60, 400)], ids=["before", "at"])
def test_a_code_ends_after_a_minute(emulator: Emulator, app: App, step: float, status: int) -> None:
    code = app.code()
    emulator.clock.advance(step)
    assert app.exchange(code).status_code == status


def test_the_lifetimes_are_settings() -> None:
    with (
        Emulator(
            clock=frozen(), oauth_access_seconds=10, oauth_refresh_seconds=20, oauth_code_seconds=5
        ) as emulator,
        connected(emulator) as http,
    ):
        app = App(emulator, http)
        code = app.code()
        emulator.clock.advance(5)
        assert oauth_error(app.exchange(code)) == "400 invalid_grant"
        tokens = app.login()
        assert tokens["expires_in"] == 10
        emulator.clock.advance(10)
        assert not app.is_live(tokens)
        emulator.clock.advance(10)
        assert oauth_error(app.refresh(tokens["refresh_token"])) == "400 invalid_grant"


def test_a_login_survives_a_restart(tmp_path: Path) -> None:
    with Emulator(tmp_path / "db") as emulator, connected(emulator) as http:
        app = App(emulator, http)
        user = emulator.oauth.add_user("Bea")
        tokens, code = app.login(), app.code()
        rotated = app.login()["refresh_token"]
        app.refresh(rotated)
    with Emulator(tmp_path / "db") as emulator, connected(emulator) as http:
        app = App(emulator, http, app.registration)
        assert [known.name for known in emulator.oauth.users] == ["Ada Acme", "Bea"]
        assert emulator.oauth.users[1] == user
        assert len(emulator.oauth.refreshes) == 1
        assert app.is_live(tokens)
        assert app.refresh(tokens["refresh_token"]).status_code == 200
        assert app.exchange(code).status_code == 200
        assert oauth_error(app.refresh(rotated)) == "400 invalid_grant"


# Use only once


def test_a_code_that_is_used_twice_kills_what_it_gave(app: App) -> None:
    code = app.code()
    tokens = app.exchange(code).json()
    refreshed = app.refresh(tokens["refresh_token"]).json()
    assert oauth_error(app.exchange(code)) == "400 invalid_grant"
    assert not app.is_live(tokens)
    assert not app.is_live(refreshed)
    assert oauth_error(app.refresh(refreshed["refresh_token"])) == "400 invalid_grant"


def test_a_used_code_kills_long_after_its_end_and_whoever_has_it(
    emulator: Emulator, app: App, http: httpx.Client
) -> None:
    code = app.code()
    tokens = app.exchange(code).json()
    emulator.clock.advance(600)
    thief = App(emulator, http, register(http).json())
    assert oauth_error(thief.exchange(code)) == "400 invalid_grant"
    assert not app.is_live(tokens)


def test_a_code_that_is_used_twice_spares_other_logins(app: App) -> None:
    other, code = app.login(), app.code()
    app.exchange(code)
    app.exchange(code)
    assert app.is_live(other)
    assert app.refresh(other["refresh_token"]).status_code == 200


def test_a_rotated_refresh_token_kills_the_login(app: App) -> None:
    first = app.login()
    second = app.refresh(first["refresh_token"]).json()
    assert oauth_error(app.refresh(first["refresh_token"])) == "400 invalid_grant"
    assert not app.is_live(first)
    assert not app.is_live(second)
    assert oauth_error(app.refresh(second["refresh_token"])) == "400 invalid_grant"


def test_a_refused_refresh_does_not_use_up_the_token(app: App, http: httpx.Client) -> None:
    tokens = app.login()
    other = App(app.emulator, http, register(http).json())
    assert oauth_error(app.refresh(tokens["refresh_token"], scope="posts:read")) == "400 invalid_scope"
    assert oauth_error(other.refresh(tokens["refresh_token"])) == "400 invalid_grant"
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_within_the_grace_a_refresh_is_repeated() -> None:
    with Emulator(clock=frozen(), oauth_reuse_grace=30) as emulator, connected(emulator) as http:
        app = App(emulator, http)
        first = app.login()
        second = app.refresh(first["refresh_token"]).json()
        emulator.clock.advance(29.9)
        third = app.refresh(first["refresh_token"]).json()
        assert third["refresh_token"] == second["refresh_token"]
        assert third["access_token"] != second["access_token"]
        assert app.is_live(second)
        assert app.is_live(third)
        assert [refresh.is_repeat for refresh in emulator.oauth.refreshes] == [False, True]
        assert app.refresh(third["refresh_token"]).status_code == 200


def test_within_the_grace_the_newest_refresh_token_comes_back() -> None:
    with Emulator(clock=frozen(), oauth_reuse_grace=30) as emulator, connected(emulator) as http:
        app = App(emulator, http)
        first = app.login()
        second = app.refresh(first["refresh_token"]).json()
        third = app.refresh(second["refresh_token"]).json()
        assert app.refresh(first["refresh_token"]).json()["refresh_token"] == third["refresh_token"]
        assert app.refresh(third["refresh_token"]).status_code == 200


def test_after_the_grace_a_rotated_refresh_token_kills_the_login() -> None:
    with Emulator(clock=frozen(), oauth_reuse_grace=30) as emulator, connected(emulator) as http:
        app = App(emulator, http)
        first = app.login()
        second = app.refresh(first["refresh_token"]).json()
        emulator.clock.advance(20)
        app.refresh(first["refresh_token"])
        emulator.clock.advance(10)  # a repeat does not begin the grace again
        assert oauth_error(app.refresh(first["refresh_token"])) == "400 invalid_grant"
        assert oauth_error(app.refresh(second["refresh_token"])) == "400 invalid_grant"
        assert not app.is_live(second)


def in_threads(send: Callable[[], httpx.Response], count: int = 16) -> list[int]:
    barrier = threading.Barrier(count)

    def wait_and_send(_: int) -> int:
        barrier.wait()
        return send().status_code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(wait_and_send, range(count)))


@pytest.mark.parametrize("way", WAYS)
def test_of_many_at_once_one_refresh_is_accepted(emulator: Emulator, way: Way) -> None:
    with connected(emulator, way) as http:
        app = App(emulator, http)
        tokens = app.login()
        statuses = in_threads(lambda: app.refresh(tokens["refresh_token"]))
    assert statuses == [200] + [400] * 15
    assert len(emulator.oauth.refreshes) == 1


@pytest.mark.parametrize("way", WAYS)
def test_of_many_at_once_one_exchange_is_accepted(emulator: Emulator, way: Way) -> None:
    with connected(emulator, way) as http:
        app = App(emulator, http)
        code = app.code()
        assert in_threads(lambda: app.exchange(code)) == [200] + [400] * 15


# Revocation


def test_revoking_a_refresh_token_ends_the_login(app: App) -> None:
    first = app.login()
    second = app.refresh(first["refresh_token"]).json()
    response = app.revoke(first["refresh_token"], token_type_hint="access_token")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["cache-control"] == "no-store"
    assert not app.is_live(first)
    assert not app.is_live(second)
    assert oauth_error(app.refresh(second["refresh_token"])) == "400 invalid_grant"


def test_revoking_an_access_token_ends_only_that(app: App) -> None:
    first = app.login()
    second = app.refresh(first["refresh_token"]).json()
    assert app.revoke(first["access_token"]).status_code == 200
    assert not app.is_live(first)
    assert app.is_live(second)
    assert app.refresh(second["refresh_token"]).status_code == 200


def test_a_token_that_is_unknown_is_as_good_as_revoked(app: App) -> None:
    assert app.revoke("scripe_refresh_0").status_code == 200
    tokens = app.login()
    assert app.revoke(tokens["refresh_token"]).status_code == 200
    assert app.revoke(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_another_client_revokes_nothing(emulator: Emulator, http: httpx.Client, app: App, which: str) -> None:
    tokens = app.login()
    other = App(emulator, http, register(http).json())
    assert oauth_error(other.revoke(tokens[which])) == "400 invalid_grant"
    assert app.is_live(tokens)
    assert app.refresh(tokens["refresh_token"]).status_code == 200


# Controls


def test_the_first_user_has_the_first_workspace(emulator: Emulator) -> None:
    (user,) = emulator.oauth.users
    assert user.name == "Ada Acme"
    assert user.workspace_ids == (emulator.workspace_id,)


def test_a_user_is_added(emulator: Emulator, app: App) -> None:
    other = emulator.create_workspace("Other")
    user = emulator.oauth.add_user("Bea", [other])
    assert emulator.oauth.users[1] == user
    assert emulator.oauth.add_user().workspace_ids == (emulator.workspace_id,)
    callback_url = emulator.oauth.consent(app.url(), user.id)
    tokens = app.exchange(parameters_of(callback_url)["code"]).json()
    assert app.api(tokens).json()["workspace"]["id"] == other
    with pytest.raises(LookupError, match="org_none"):
        emulator.oauth.add_user("Cleo", ["org_none"])
    assert len(emulator.oauth.users) == 3


def test_a_user_or_a_client_is_revoked(emulator: Emulator, http: httpx.Client, app: App) -> None:
    user = emulator.oauth.add_user("Bea")
    other_app = App(emulator, http, register(http).json())
    of_ada, of_other_app = app.login(), other_app.login()
    of_bea = app.exchange(parameters_of(emulator.oauth.consent(app.url(), user))["code"]).json()
    code = app.code()
    emulator.oauth.revoke(user)
    assert [app.is_live(tokens) for tokens in (of_ada, of_other_app, of_bea)] == [True, True, False]
    emulator.oauth.revoke(app.client_id)
    assert [app.is_live(tokens) for tokens in (of_ada, of_other_app)] == [False, True]
    assert oauth_error(app.refresh(of_ada["refresh_token"])) == "400 invalid_grant"
    assert oauth_error(app.exchange(code)) == "400 invalid_grant"
    emulator.oauth.revoke(emulator.oauth.users[0].id)
    assert not app.is_live(of_other_app)
    with pytest.raises(LookupError, match="nobody"):
        emulator.oauth.revoke("nobody")


def test_access_tokens_are_expired_before_their_time(emulator: Emulator, app: App) -> None:
    tokens = app.login()
    emulator.oauth.expire_access_tokens()
    assert not app.is_live(tokens)
    assert app.is_live(app.refresh(tokens["refresh_token"]).json())


def test_refreshes_that_were_accepted_are_listed(emulator: Emulator, app: App) -> None:
    assert emulator.oauth.refreshes == []
    tokens = app.login()
    emulator.clock.advance(7)
    app.refresh(tokens["refresh_token"])
    app.refresh(tokens["refresh_token"])
    (refresh,) = emulator.oauth.refreshes
    assert refresh.client_id == app.client_id
    assert refresh.user_id == emulator.oauth.users[0].id
    assert refresh.refreshed_at == emulator.clock.now()
    assert refresh.is_repeat is False


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"client_id": "client_none"}, {}, "client_id"),
        ({"redirect_uri": "https://evil.example/"}, {}, "redirect_uri"),
        ({}, {"workspace_id": "org_none"}, "no such workspace"),
        ({}, {"scopes": []}, "at least one"),
        ({}, {"scopes": ["notes:read", "posts:read"]}, "no other"),
    ],
    ids=["client", "redirect URI", "workspace", "no scope", "more scopes"],
)
def test_what_a_browser_would_not_be_sent_back_for_raises(
    emulator: Emulator, app: App, changes: dict[str, str], options: dict[str, object], message: str
) -> None:
    consent: Callable[..., str] = emulator.oauth.consent
    with pytest.raises(ValueError, match=f"the browser shows an error: .*{message}"):
        consent(app.url(**changes), **options)


def test_consent_needs_an_authorization_url_and_a_known_user(emulator: Emulator, app: App) -> None:
    with pytest.raises(ValueError, match="/oauth/token"):
        emulator.oauth.consent(app.url().replace("authorize", "token"))
    with pytest.raises(LookupError, match="nobody"):
        emulator.oauth.consent(app.url(), "nobody")


# Beside the API


def test_logging_in_counts_in_no_rate_limit() -> None:
    with Emulator(shared_limit=1) as emulator, connected(emulator) as http:
        app = App(emulator, http)
        tokens = app.login()
        for _ in range(5):
            tokens = app.refresh(tokens["refresh_token"]).json()
        assert app.api(tokens).status_code == 200
        assert api_error(app.api(tokens)) == "429 rate_limited"
        assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_running_clock_is_the_emulators(emulator: Emulator) -> None:
    with Emulator(clock=Clock(datetime(2030, 1, 1, tzinfo=UTC))) as later, connected(later) as http:
        app = App(later, http)
        assert app.registration["client_id_issued_at"] >= datetime(2030, 1, 1, tzinfo=UTC).timestamp()
        assert app.is_live(app.login())


def test_only_those_who_log_in_load_the_authorization_server() -> None:
    program = (
        "import sys; from scripe.emulator import Emulator\n"
        "with Emulator() as emulator, emulator.client() as client:\n"
        "    client.workspaces.me()\n"
        "    print(any('oauth' in name for name in sys.modules if 'emulator' in name))\n"
        "    emulator.oauth\n"
        "    print(any('oauth' in name for name in sys.modules if 'emulator' in name))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ended.stdout.split() == ["False", "True"]


def test_the_command_serves_it(capsys: pytest.CaptureFixture[str]) -> None:
    issuers: list[str] = []

    def discover() -> None:
        base_url = capsys.readouterr().out.splitlines()[0].removeprefix("export SCRIPE_BASE_URL=")
        origin = base_url.removesuffix("/v1")
        issuers.extend([origin, httpx.get(origin + METADATA).json()["issuer"]])

    main(["--port", "0"], wait=discover)
    assert issuers[0] == issuers[1]
