"""Keep tenants apart: tokens, rate limits, workspaces and ledgers, and the logins of one server from another's API."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from typing import Any, cast

import pytest

from scripe import AsyncScripe, AuthenticationError, ConfigurationError, RateLimiter, Scripe
from scripe._async import credential as async_credential
from scripe.emulator import Emulator, Server
from scripe.oauth import FileTokenStore, OAuthApp, TokenStore
from tests.oauth.signing_in import CALLBACK, make_app, sign_in


class Own:
    """An object of a user's own, which returns access tokens."""

    def __init__(self, *tokens: Any) -> None:
        self.tokens = list(tokens)
        self.rejected: list[str | None] = []

    def access_token(self, rejected: str | None) -> Any:
        self.rejected.append(rejected)
        if rejected == self.tokens[0] and len(self.tokens) > 1:
            del self.tokens[0]
        return self.tokens[0]


class AsyncOwn(Own):
    async def access_token(self, rejected: str | None) -> Any:
        return super().access_token(rejected)


@pytest.fixture
def tenants(emulator: Emulator, app: OAuthApp) -> dict[str, str]:
    """Two tenants with a workspace each."""
    workspaces = {"a": emulator.workspace_id, "b": emulator.create_workspace("B")}
    for name, workspace_id in workspaces.items():
        user = emulator.oauth.add_user(name, [workspace_id])
        sign_in(emulator, app, name, user=user, workspace_id=workspace_id)
    return workspaces


def me(client: Scripe) -> str:
    return client.workspaces.me().workspace.id


def test_a_copy_calls_for_its_own_tenant(app: OAuthApp, tenants: dict[str, str]) -> None:
    with Scripe(auth=app.credentials("a")) as client:
        copy = client.with_options(auth=app.credentials("b"))
        assert [me(client), me(copy), me(client)] == [tenants["a"], tenants["b"], tenants["a"]]


def test_a_copy_of_a_client_with_an_api_key_calls_for_its_tenant(
    emulator: Emulator, app: OAuthApp, tenants: dict[str, str]
) -> None:
    with Scripe(emulator.api_key) as client:
        assert me(client.with_options(auth=app.credentials("b"))) == tenants["b"]


def test_no_workspace_follows_a_client_to_another_tenant(app: OAuthApp, tenants: dict[str, str]) -> None:
    with Scripe(auth=app.credentials("a"), workspace_id=tenants["a"]) as client:
        assert me(client.with_options(auth=app.credentials("b"))) == tenants["b"]


def test_a_workspace_of_the_same_call_stays(app: OAuthApp, tenants: dict[str, str]) -> None:
    from scripe import WorkspaceMismatchError

    with Scripe(auth=app.credentials("a")) as client, pytest.raises(WorkspaceMismatchError):
        me(client.with_options(auth=app.credentials("b"), workspace_id=tenants["a"]))


def test_no_ledger_follows_a_client_to_another_tenant(
    app: OAuthApp, tenants: dict[str, str], tmp_path: Path
) -> None:
    with Scripe(auth=app.credentials("a"), ledger=tmp_path / "ledger") as client:
        assert client.with_options(auth=app.credentials("b")).ledger is None


def test_a_ledger_of_the_same_call_stays(app: OAuthApp, tenants: dict[str, str], tmp_path: Path) -> None:
    with Scripe(auth=app.credentials("a")) as client:
        copy = client.with_options(auth=app.credentials("b"), ledger=tmp_path / "ledger")
        assert copy.ledger is not None
        copy.ledger.close()


def test_a_ledger_keeps_tenants_apart(
    emulator: Emulator, app: OAuthApp, tenants: dict[str, str], tmp_path: Path
) -> None:
    """The workspace that was asked for with one tenant's token is not taken for the other's."""
    from scripe import Ledger

    other_project = emulator.seed(projects=1, workspace_id=tenants["b"]).project_ids[0]
    with Ledger(tmp_path / "ledger") as ledger, Scripe(auth=app.credentials("a"), ledger=ledger) as client:
        copy = client.with_options(auth=app.credentials("b"), ledger=ledger)
        first = client.notes.create(project_id=emulator.project_id, content="A", idempotency_key="k")
        second = copy.notes.create(project_id=other_project, content="B", idempotency_key="k")
        assert first.id != second.id


def test_other_options_keep_the_login(app: OAuthApp, tenants: dict[str, str]) -> None:
    with Scripe(auth=app.credentials("b")) as client:
        assert me(client.with_options(timeout=5)) == tenants["b"]


def test_the_api_key_of_the_environment_is_ignored_beside_a_login(
    emulator: Emulator, app: OAuthApp, tenants: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPE_API_KEY", emulator.api_key)
    with Scripe(auth=app.credentials("b")) as client:
        assert me(client) == tenants["b"]


def test_an_api_key_and_a_login_exclude_each_other(
    emulator: Emulator, app: OAuthApp, tenants: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError):
        Scripe(emulator.api_key, auth=app.credentials("a"))


@pytest.mark.parametrize("auth", ["token", 7, object()], ids=["a token", "a number", "an object"])
def test_what_returns_no_tokens_is_refused(served: Server, auth: Any) -> None:
    with pytest.raises(ConfigurationError):
        Scripe(auth=auth)


def test_a_client_takes_no_none_for_a_login(app: OAuthApp, tenants: dict[str, str]) -> None:
    with Scripe(auth=app.credentials("a")) as client, pytest.raises(ConfigurationError):
        client.with_options(auth=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# --- rate limits -----------------------------------------------------------------------------------------------------


def limits_of(limiter: RateLimiter) -> set[object]:
    buckets = cast("dict[tuple[object, str], object]", limiter._buckets)  # pyright: ignore[reportPrivateUsage]
    return {whose for whose, _ in buckets}


def test_each_tenant_has_a_rate_limit_of_its_own(app: OAuthApp, tenants: dict[str, str]) -> None:
    limiter = RateLimiter()
    with Scripe(auth=app.credentials("a"), rate_limiter=limiter) as client:
        me(client)
        me(client.with_options(auth=app.credentials("b")))
    assert limits_of(limiter) == set(tenants.values())


def test_a_full_rate_limit_of_one_tenant_does_not_stop_another(
    monkeypatch: pytest.MonkeyPatch, store: TokenStore
) -> None:
    with Emulator(read_limit=3) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        other = emulator.create_workspace("B")
        user = emulator.oauth.add_user("b", [other])
        with make_app(store) as app:
            sign_in(emulator, app, "a")
            sign_in(emulator, app, "b", user=user)
            with Scripe(auth=app.credentials("a"), total_timeout=2) as client:
                for _ in range(2):  # signing in took one
                    me(client)
                assert me(client.with_options(auth=app.credentials("b"))) == other


def test_a_login_whose_workspace_is_unknown_has_a_rate_limit_of_its_own(
    emulator: Emulator, app: OAuthApp
) -> None:
    emulator.fail_next(503, path="/workspaces/me")
    sign_in(emulator, app, "a")
    limiter = RateLimiter()
    with Scripe(auth=app.credentials("a"), rate_limiter=limiter) as client:
        me(client)
    assert len(limits_of(limiter) - {None, emulator.workspace_id}) == 1


def test_a_callers_object_may_name_its_workspace(emulator: Emulator, served: Server) -> None:
    limiter, own = RateLimiter(), Own(emulator.api_key)
    own.workspace_id = "org_own"  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    with Scripe(auth=own, rate_limiter=limiter) as client:
        me(client)
    assert limits_of(limiter) == {"org_own"}


# --- objects of a user's own -----------------------------------------------------------------------------------------


def test_an_object_of_ones_own_is_asked_for_each_request(emulator: Emulator, served: Server) -> None:
    own = Own(emulator.api_key)
    with Scripe(auth=own) as client:
        me(client)
        me(client)
    assert own.rejected == [None, None]


def test_an_object_of_ones_own_hears_of_a_rejection(emulator: Emulator, served: Server) -> None:
    bad = "scripe_oauth_0000000000000000"
    own = Own(bad, emulator.api_key)
    with Scripe(auth=own) as client:
        me(client)
    assert own.rejected == [None, bad]


def test_an_object_without_another_token_ends_the_call(served: Server, emulator: Emulator) -> None:
    own = Own("scripe_oauth_0000000000000000")
    with Scripe(auth=own) as client, pytest.raises(AuthenticationError):
        me(client)
    assert len(emulator.requests) == 1


def test_a_coroutine_function_of_ones_own_is_awaited(emulator: Emulator, served: Server) -> None:
    async def main() -> str:
        async with AsyncScripe(auth=AsyncOwn("scripe_oauth_0000000000000000", emulator.api_key)) as client:
            return (await client.workspaces.me()).workspace.id

    assert asyncio.run(main()) == emulator.workspace_id


def test_many_calls_tell_an_object_of_ones_own_of_a_rejection_once(
    emulator: Emulator, served: Server
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    own = Own("scripe_oauth_0000000000000000", emulator.api_key)
    with Scripe(auth=own) as client, ThreadPoolExecutor(8) as threads:
        found = {future.result() for future in [threads.submit(me, client) for _ in range(8)]}
    assert (found, len([token for token in own.rejected if token])) == ({emulator.workspace_id}, 1)


@pytest.mark.parametrize("token", [None, "", "two words", "line\nbreak", "ünïcode", b"bytes"])
def test_what_cannot_be_sent_is_not_sent(served: Server, emulator: Emulator, token: Any) -> None:
    with Scripe(auth=Own(token)) as client, pytest.raises(ConfigurationError):
        me(client)
    assert list(emulator.requests) == []


# --- the login of one server, and the API of another ------------------------------------------------------------------


def test_a_login_is_not_sent_to_another_server(app: OAuthApp, tenants: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Scripe(auth=app.credentials("a"), base_url="https://api.scripe.io/v1")


def test_a_copy_does_not_send_a_login_to_another_server(app: OAuthApp, tenants: dict[str, str]) -> None:
    with (
        Scripe("scripe_sk_test_x", base_url="https://api.scripe.io/v1") as client,
        pytest.raises(ConfigurationError),
    ):
        client.with_options(auth=app.credentials("a"))


@pytest.mark.parametrize(
    ("issuer", "configured", "base_url", "is_allowed"),
    [
        ("https://auth.example", "https://api.example/v1", "https://api.example/v1", True),
        ("https://auth.example", "https://api.example/v1", "https://auth.example/v1", True),
        ("https://auth.example", "https://api.example/v1", "https://other.example/v1", False),
        (None, "https://api.example/v1", "https://api.example/v1", True),
        (None, "https://api.example/v1", "https://api.example:444/v1", False),
        (None, "https://api.example/v1", "https://api.example:443/v1", True),
        ("http://127.0.0.1:9", "https://api.example/v1", "https://api.example/v1", False),
        ("http://127.0.0.1:9", "https://api.example/v1", "http://127.0.0.1:9/v1", True),
        ("https://auth.example", "http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1", False),
    ],
    ids=[
        "a pair that was given",
        "the issuer itself",
        "a third server",
        "the configured one",
        "another port",
        "the same port, named",
        "the emulator's login at the live API",
        "the emulator's login at the emulator",
        "a live login at the emulator",
    ],
)
def test_a_login_knows_where_it_may_be_sent(
    store: TokenStore,
    monkeypatch: pytest.MonkeyPatch,
    issuer: str | None,
    configured: str,
    base_url: str,
    is_allowed: bool,
) -> None:
    monkeypatch.setenv("SCRIPE_BASE_URL", configured)
    app = OAuthApp(client_id="app_1", redirect_uri=CALLBACK, token_store=store, issuer=issuer)
    assert app.credentials("a").allows(base_url) == is_allowed


def test_no_api_key_follows_a_client_into_the_pickle_of_another_tenant(
    served: Server, tmp_path: Path
) -> None:
    app = make_app(FileTokenStore(tmp_path))
    with Scripe("scripe_sk_test_of_the_first") as client:
        copy = client.with_options(auth=app.credentials("b"))
        assert b"of_the_first" not in pickle.dumps(copy)


# --- the same in tasks -----------------------------------------------------------------------------------------------


def test_tasks_tell_an_object_of_ones_own_of_a_rejection_once(emulator: Emulator, served: Server) -> None:
    own = AsyncOwn("scripe_oauth_0000000000000000", emulator.api_key)

    async def main() -> set[str]:
        async with AsyncScripe(auth=own) as client:
            return {
                found.workspace.id
                for found in await asyncio.gather(*[client.workspaces.me() for _ in range(8)])
            }

    assert (asyncio.run(main()), len([token for token in own.rejected if token])) == (
        {emulator.workspace_id},
        1,
    )


def test_no_storm_of_refreshes_follows_a_second_rejection_in_tasks(
    emulator: Emulator, app: OAuthApp, tenants: dict[str, str]
) -> None:
    async def main() -> None:
        async with AsyncScripe(auth=app.credentials("a")) as client:
            emulator.fail_next(401, "invalid_token", times=4, path="/workspaces")
            for _ in range(2):
                with pytest.raises(AuthenticationError):
                    await client.workspaces.me()

    asyncio.run(main())
    assert len(emulator.oauth.refreshes) == 1


def test_an_async_copy_calls_for_its_own_tenant(
    app: OAuthApp, tenants: dict[str, str], tmp_path: Path
) -> None:
    async def main() -> list[str | None]:
        async with AsyncScripe(
            auth=app.credentials("a"), workspace_id=tenants["a"], ledger=tmp_path / "l"
        ) as client:
            copy = client.with_options(auth=app.credentials("b"))
            assert copy.ledger is None
            return [(await each.workspaces.me()).workspace.id for each in (client, copy, client)]

    assert asyncio.run(main()) == [tenants["a"], tenants["b"], tenants["a"]]


def test_an_async_object_without_another_token_ends_the_call(served: Server) -> None:
    async def main() -> None:
        own = AsyncOwn("scripe_oauth_0000000000000000", "scripe_oauth_1111111111111111")
        async with AsyncScripe(auth=own) as client:
            await client.workspaces.me()

    with pytest.raises(AuthenticationError):
        asyncio.run(main())


def test_an_api_key_and_a_login_exclude_each_other_in_async_clients(
    emulator: Emulator, app: OAuthApp, tenants: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError):
        AsyncScripe(emulator.api_key, auth=app.credentials("a"))


@pytest.mark.parametrize("base_url", ["https://api.scripe.io/v1", None], ids=["another server", "no login"])
def test_an_async_client_refuses_what_it_must_not_send(
    app: OAuthApp, tenants: dict[str, str], base_url: str | None
) -> None:
    auth: Any = app.credentials("a") if base_url else "token"
    with pytest.raises(ConfigurationError):
        AsyncScripe(auth=auth, base_url=base_url)


def test_a_forked_process_forgets_locks_and_tokens(emulator: Emulator, served: Server) -> None:
    async def main() -> int:
        own = AsyncOwn(emulator.api_key)
        async with AsyncScripe(auth=own) as client:
            await client.workspaces.me()
            async_credential.reset_after_fork()
            await client.workspaces.me()
        return len(own.rejected)

    assert asyncio.run(main()) == 2
