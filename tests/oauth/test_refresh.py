"""Refresh a login exactly once: among threads, tasks and processes, and whatever breaks in between."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio

from scripe import (
    APIConnectionError,
    APITimeoutError,
    AsyncScripe,
    AuthenticationError,
    ConfigurationError,
    ConsentRequiredError,
    OAuthError,
    RegistrationError,
    ScopeMissingError,
    Scripe,
    TokenStoreError,
    TokenStoreWarning,
    _oauth_refresh,
)
from scripe.emulator import Emulator, Server
from scripe.oauth import Credentials, FileTokenStore, MemoryTokenStore, OAuthApp, TokenRecord, TokenStore
from tests.oauth.signing_in import CALLBACK, NAME, at, make_app, sign_in

TOKEN = "/oauth/token"
Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


def run_asyncio(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(main())


LOOPS = pytest.mark.parametrize("run", [run_asyncio, trio.run], ids=["asyncio", "trio"])


class RecordingStore(MemoryTokenStore):
    """Counts what is loaded, and fails to save if asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = 0
        self.saves: list[str] = []
        self.fails_at = -1  # the number of the first save that fails
        self.failures = 1  # how many do
        self.error: Exception = TokenStoreError("The disk is full.")

    def load(self, name: str) -> TokenRecord | None:
        self.loads += 1
        return super().load(name)

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        if len(self.saves) == self.fails_at and self.failures:
            self.failures -= 1
            raise self.error
        self.saves.append(record.content)
        return super().save(name, record, only_over)


@pytest.fixture
def store() -> TokenStore:
    return RecordingStore()


def me(client: Scripe) -> str:
    return client.workspaces.me().workspace.id


def sent_tokens(emulator: Emulator) -> int:
    return len([request for request in emulator.requests if request.path == TOKEN])


def change_login(store: TokenStore, app: OAuthApp, **changes: object) -> None:
    """Change the stored login, as another process would."""
    name = app.credentials(NAME)._source.record_name  # pyright: ignore[reportPrivateUsage]
    record = store.load(name)
    assert record is not None
    content = json.dumps({**json.loads(record.content), **changes})
    assert store.save(name, TokenRecord(f"{record.revision}x"[-32:], content), only_over=record.revision)


def stored_login(store: TokenStore, app: OAuthApp) -> dict[str, Any]:
    record = store.load(app.credentials(NAME)._source.record_name)  # pyright: ignore[reportPrivateUsage]
    assert record is not None
    login: dict[str, Any] = json.loads(record.content)
    return login


# --- when a token is refreshed ---------------------------------------------------------------------------------------


def test_a_token_in_memory_needs_no_store(emulator: Emulator, app: OAuthApp, store: RecordingStore) -> None:
    credentials = sign_in(emulator, app).credentials
    credentials.access_token()
    loads = store.loads
    for _ in range(5):
        credentials.access_token()
    assert store.loads == loads


@pytest.mark.parametrize(("seconds", "refreshes"), [(3535, 0), (3545, 1)], ids=["before", "in"])
def test_a_token_is_refreshed_in_its_last_minute(
    emulator: Emulator, app: OAuthApp, seconds: float, refreshes: int
) -> None:
    login = sign_in(emulator, app)
    with at(app, seconds):
        login.credentials.access_token()
    assert len(emulator.oauth.refreshes) == refreshes


@pytest.mark.parametrize(("seconds", "refreshes"), [(265, 0), (275, 1)], ids=["before", "in"])
def test_a_short_token_is_refreshed_in_its_last_tenth(
    served: Server, store: TokenStore, seconds: float, refreshes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(oauth_access_seconds=300) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        with make_app(store) as app:
            login = sign_in(emulator, app)
            with at(app, seconds):
                login.credentials.access_token()
        assert len(emulator.oauth.refreshes) == refreshes


def test_a_token_that_the_api_rejects_is_refreshed(emulator: Emulator, app: OAuthApp) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        assert me(client) == emulator.workspace_id
    assert len(emulator.oauth.refreshes) == 1


def test_a_write_is_sent_again_with_the_same_bytes_and_key(emulator: Emulator, app: OAuthApp) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        client.notes.create(project_id=emulator.project_id, content="Words.")
    writes = [request for request in emulator.requests if request.path == "/notes"]
    assert len({(request.body, request.headers["idempotency-key"]) for request in writes}) == 1


def test_a_second_rejection_is_the_callers(emulator: Emulator, app: OAuthApp) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.fail_next(401, "invalid_token", times=2, path="/workspaces")
        with pytest.raises(AuthenticationError):
            me(client)


def test_no_storm_of_refreshes_follows_a_second_rejection(emulator: Emulator, app: OAuthApp) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.fail_next(401, "invalid_token", times=10, path="/workspaces")
        for _ in range(5):
            with pytest.raises(AuthenticationError):
                me(client)
    assert len(emulator.oauth.refreshes) == 1


def test_an_old_token_of_another_process_causes_no_pause(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    login, other = sign_in(emulator, app), another(app, store)
    other.access_token(rejected=other.access_token())
    emulator.oauth.expire_access_tokens()
    with Scripe(auth=login) as client:
        with suppress(AuthenticationError):  # the call was sent with two tokens, which were both over
            me(client)
        assert me(client) == emulator.workspace_id


def test_a_missing_permission_is_no_reason_to_refresh(emulator: Emulator, app: OAuthApp) -> None:
    login = sign_in(emulator, app, scopes=["posts:read", "offline_access"])
    with Scripe(auth=login) as client, pytest.raises(ScopeMissingError):
        client.notes.create(project_id=emulator.project_id, content="Words.")
    assert emulator.oauth.refreshes == []


def test_a_login_without_a_refresh_token_ends_with_its_token(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    sign_in(emulator, app)
    change_login(store, app, refresh_token=None, expires_at=time.time() - 1)
    with pytest.raises(ConsentRequiredError) as caught:
        another(app, store).access_token()
    assert caught.value.reason == "expired"


# --- one refresh for all ---------------------------------------------------------------------------------------------


def another(app: OAuthApp, store: TokenStore) -> Any:
    """Return credentials that share nothing but the store, as those of another process do."""
    other = OAuthApp(client_id=app.client_id, redirect_uri=CALLBACK, token_store=store)
    return other.credentials(NAME)


def expire_by_server(emulator: Emulator, app: OAuthApp, store: TokenStore) -> None:
    emulator.oauth.expire_access_tokens()


def expire_by_clock(emulator: Emulator, app: OAuthApp, store: TokenStore) -> None:
    emulator.oauth.expire_access_tokens()
    change_login(store, app, expires_at=time.time() - 1)
    app._sources.clear()  # pyright: ignore[reportPrivateUsage]
    app._recent.clear()  # pyright: ignore[reportPrivateUsage]


EXPIRED = pytest.mark.parametrize(
    "expire", [expire_by_server, expire_by_clock], ids=["by server", "by clock"]
)


@EXPIRED
def test_sixteen_threads_refresh_once(
    emulator: Emulator, app: OAuthApp, store: TokenStore, expire: Callable[..., None]
) -> None:
    sign_in(emulator, app)
    expire(emulator, app, store)
    with Scripe(auth=app.credentials(NAME)) as client, ThreadPoolExecutor(16) as threads:
        found = {future.result() for future in [threads.submit(me, client) for _ in range(16)]}
    assert (found, len(emulator.oauth.refreshes)) == ({emulator.workspace_id}, 1)


@EXPIRED
def test_sixteen_threads_with_clients_of_their_own_refresh_once(
    emulator: Emulator, app: OAuthApp, store: TokenStore, expire: Callable[..., None]
) -> None:
    sign_in(emulator, app)
    expire(emulator, app, store)

    def call() -> str:
        with Scripe(auth=another(app, store)) as client:
            return me(client)

    with ThreadPoolExecutor(16) as threads:
        found = {future.result() for future in [threads.submit(call) for _ in range(16)]}
    assert (found, len(emulator.oauth.refreshes)) == ({emulator.workspace_id}, 1)


@EXPIRED
@LOOPS
def test_sixty_four_tasks_refresh_once(
    emulator: Emulator, app: OAuthApp, store: TokenStore, expire: Callable[..., None], run: Run
) -> None:
    sign_in(emulator, app)
    expire(emulator, app, store)
    found: set[str] = set()

    async def main() -> None:
        async with AsyncScripe(auth=app.credentials(NAME)) as client, anyio.create_task_group() as group:
            for _ in range(64):
                group.start_soon(call, client)

    async def call(client: AsyncScripe) -> None:
        found.add((await client.workspaces.me()).workspace.id)

    run(main)
    assert (found, len(emulator.oauth.refreshes)) == ({emulator.workspace_id}, 1)


WORKER = """
import sys, threading, time
from scripe import Scripe, oauth
path, client_id, gate = sys.argv[1:]
app = oauth.OAuthApp(client_id=client_id, redirect_uri="https://acme.example/callback",
                     token_store=oauth.FileTokenStore(path))
client = Scripe(auth=app.credentials("tenant-42"))
while time.time() < float(gate):
    time.sleep(0.001)
found = []
def call():
    found.append(client.workspaces.me().workspace.id)
threads = [threading.Thread(target=call) for _ in range(8)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
assert len(found) == 8, found
"""


def test_processes_refresh_once(emulator: Emulator, served: Server, tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path)
    with make_app(store) as app:
        sign_in(emulator, app)
        emulator.oauth.expire_access_tokens()
        command = [sys.executable, "-c", WORKER, str(tmp_path), app.client_id, str(time.time() + 2)]
        workers = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
        errors = [worker.communicate(timeout=60)[1] for worker in workers]
    assert ([worker.returncode for worker in workers], len(emulator.oauth.refreshes)) == ([0] * 4, 1), errors


def test_a_forked_process_goes_on(emulator: Emulator, served: Server, tmp_path: Path) -> None:
    with make_app(FileTokenStore(tmp_path)) as app, Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        me(client)
        emulator.oauth.expire_access_tokens()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # of threads: the server's, which the child does not use
            child = os.fork()
        if child == 0:
            found = ""
            try:
                found = me(client)
            finally:
                os._exit(0 if found == emulator.workspace_id else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert me(client) == emulator.workspace_id
    assert len(emulator.oauth.refreshes) == 2


def test_credentials_of_files_travel_to_another_process(
    emulator: Emulator, served: Server, tmp_path: Path
) -> None:
    with make_app(FileTokenStore(tmp_path)) as app:
        credentials = sign_in(emulator, app).credentials
        code = (
            "import pickle, sys; from scripe import Scripe; "
            "client = Scripe(auth=pickle.loads(sys.stdin.buffer.read())); print(client.workspaces.me().workspace.id)"
        )
        found = subprocess.run(
            [sys.executable, "-c", code], input=pickle.dumps(credentials), check=True, capture_output=True
        )
    assert found.stdout.decode().strip() == emulator.workspace_id


def test_a_client_with_a_login_travels_to_another_process(
    emulator: Emulator, served: Server, tmp_path: Path
) -> None:
    with (
        make_app(FileTokenStore(tmp_path)) as app,
        Scripe(auth=sign_in(emulator, app)) as client,
        pickle.loads(pickle.dumps(client)) as copy,
    ):
        assert me(copy) == emulator.workspace_id


def test_no_pickle_holds_a_token(emulator: Emulator, served: Server, tmp_path: Path) -> None:
    with make_app(FileTokenStore(tmp_path)) as app, Scripe(auth=sign_in(emulator, app)) as client:
        me(client)
        login = stored_login(FileTokenStore(tmp_path), app)
        held = pickle.dumps(client)
    assert not [name for name in ("access_token", "refresh_token") if login[name].encode() in held]


def test_credentials_with_a_secret_are_not_pickled(
    emulator: Emulator, served: Server, tmp_path: Path
) -> None:
    with make_app(FileTokenStore(tmp_path), with_secret=True) as app:
        credentials = sign_in(emulator, app).credentials
        with pytest.raises(ConfigurationError):
            pickle.dumps(credentials)


def test_a_secret_travels_as_the_name_of_its_variable(
    emulator: Emulator, served: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileTokenStore(tmp_path)
    from scripe import oauth

    registration = oauth.register(client_name="Acme", redirect_uri=CALLBACK, with_secret=True)
    monkeypatch.setenv("ACME_SECRET", registration.client_secret or "")
    with OAuthApp(
        client_id=registration.client_id,
        client_secret_variable="ACME_SECRET",
        redirect_uri=CALLBACK,
        token_store=store,
    ) as app:
        credentials = sign_in(emulator, app).credentials
        emulator.oauth.expire_access_tokens()
        with Scripe(auth=pickle.loads(pickle.dumps(credentials))) as client:
            assert me(client) == emulator.workspace_id


# --- callers that leave ----------------------------------------------------------------------------------------------


@LOOPS
def test_a_cancelled_caller_leaves_a_refresh_that_is_saved(
    emulator: Emulator, app: OAuthApp, store: TokenStore, run: Run
) -> None:
    login = sign_in(emulator, app)
    before = stored_login(store, app)["access_token"]
    emulator.oauth.expire_access_tokens()
    emulator.delay_next(3, path=TOKEN)

    async def main() -> None:
        async with AsyncScripe(auth=login) as client:
            with anyio.move_on_after(0.4):
                await client.workspaces.me()

    started = time.monotonic()
    run(main)
    assert time.monotonic() - started < 2.5
    join_refreshes()
    assert stored_login(store, app)["access_token"] != before


def join_refreshes() -> None:
    for thread in threading.enumerate():
        if thread.name == "scripe-oauth-refresh":
            thread.join()


def test_a_total_timeout_leaves_a_refresh_that_is_saved(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    login = sign_in(emulator, app)
    before = stored_login(store, app)["access_token"]
    emulator.oauth.expire_access_tokens()
    emulator.delay_next(3, path=TOKEN)
    started = time.monotonic()
    with Scripe(auth=login, total_timeout=0.4) as client, pytest.raises(APITimeoutError):
        me(client)
    assert time.monotonic() - started < 2.5
    join_refreshes()
    assert stored_login(store, app)["access_token"] != before


EXITING = """
import os, signal, sys, threading, time
from scripe import Scripe, oauth
path, client_id, how = sys.argv[1:]
has_begun = threading.Event()

class TellingStore(oauth.FileTokenStore):
    def save(self, name, record, only_over=None):
        is_saved = super().save(name, record, only_over)
        has_begun.set()
        return is_saved

def interrupt():
    has_begun.wait()
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)

app = oauth.OAuthApp(client_id=client_id, redirect_uri="https://acme.example/callback", token_store=TellingStore(path))
client = Scripe(auth=app.credentials("tenant-42"))
if how == "ctrl-c":
    threading.Thread(target=interrupt).start()
    client.workspaces.me()
else:
    threading.Thread(target=client.workspaces.me, daemon=True).start()
    has_begun.wait()
    time.sleep(0.2)
"""


@pytest.mark.parametrize("how", ["ctrl-c", "end of the program"])
def test_a_program_that_ends_saves_the_refresh_that_runs(
    emulator: Emulator, served: Server, tmp_path: Path, how: str
) -> None:
    store = FileTokenStore(tmp_path)
    with make_app(store) as app:
        sign_in(emulator, app)
        before = stored_login(store, app)["access_token"]
        emulator.oauth.expire_access_tokens()
        emulator.delay_next(1.5, path=TOKEN)
        subprocess.run(
            [sys.executable, "-c", EXITING, str(tmp_path), app.client_id, how],
            capture_output=True,
            timeout=60,
        )
        assert stored_login(store, app)["access_token"] != before


# --- what breaks in between ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grace", [30.0, 0.0])
def test_a_lost_response_goes_on_within_the_grace_and_is_named_without_one(
    store: TokenStore, grace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(oauth_reuse_grace=grace) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        with make_app(store) as app, Scripe(auth=sign_in(emulator, app)) as client:
            emulator.oauth.expire_access_tokens()
            emulator.drop_next(path=TOKEN)
            if grace:
                assert me(client) == emulator.workspace_id
            else:
                with pytest.raises(ConsentRequiredError) as caught:
                    me(client)
                assert caught.value.reason == "response_lost"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_of_the_server_is_sent_again(
    emulator: Emulator, app: OAuthApp, status: int
) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        emulator.fail_next(status, times=3, path=TOKEN)
        assert me(client) == emulator.workspace_id


def test_a_request_that_did_not_arrive_is_sent_again(emulator: Emulator, app: OAuthApp) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        emulator.drop_next(before=True, times=3, path=TOKEN)
        assert me(client) == emulator.workspace_id


def test_at_most_four_attempts_are_made(emulator: Emulator, app: OAuthApp) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        before = sent_tokens(emulator)
        emulator.fail_next(503, times=9, path=TOKEN)
        with pytest.raises(OAuthError):
            me(client)
        assert sent_tokens(emulator) - before == 4


def test_a_living_token_is_used_while_the_server_is_out_of_reach(
    emulator: Emulator, app: OAuthApp, caplog: pytest.LogCaptureFixture
) -> None:
    login = sign_in(emulator, app)
    emulator.fail_next(503, times=4, path=TOKEN)
    with at(app, 3545), caplog.at_level(logging.INFO, "scripe.oauth"):
        found = [login.credentials.access_token() for _ in range(3)]
    assert (len(set(found)), sent_tokens(emulator), len(caplog.records)) == (1, 1 + 4, 1)


@pytest.mark.parametrize("error", ["invalid_client", "invalid_request"])
def test_a_living_token_is_used_whatever_a_refresh_meets(
    emulator: Emulator, app: OAuthApp, error: str
) -> None:
    credentials = sign_in(emulator, app).credentials
    token = credentials.access_token()
    emulator.fail_next(400, path=TOKEN, body=json.dumps({"error": error}).encode())
    with at(app, 3545):
        assert credentials.access_token() == token


def test_a_living_token_is_used_while_its_store_is_out_of_reach(
    emulator: Emulator, app: OAuthApp, store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = sign_in(emulator, app).credentials
    token = credentials.access_token()

    def fail(name: str) -> None:
        raise TokenStoreError("The database is gone.")

    monkeypatch.setattr(store, "load", fail)
    with at(app, 3545):
        assert credentials.access_token() == token
    with at(app, 3601), pytest.raises(TokenStoreError):
        credentials.access_token()


def test_a_refresh_that_could_not_be_sent_leaves_no_intent(
    emulator: Emulator, app: OAuthApp, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = sign_in(emulator, app).credentials

    def fail(*_: object) -> None:
        raise ConfigurationError("The proxy in https_proxy cannot be used.")

    token = credentials.access_token()
    monkeypatch.setattr(app._server, "send_form", fail)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(ConfigurationError):
        credentials.access_token(rejected=token)
    assert stored_login(store, app)["refreshing"] is None


def test_a_server_that_is_gone_is_a_connection_error(
    emulator: Emulator, app: OAuthApp, served: Server
) -> None:
    login = sign_in(emulator, app)
    served.stop()
    with at(app, 3700), pytest.raises(APIConnectionError):
        login.credentials.access_token()


@pytest.mark.parametrize("seconds", [0, 3601])
def test_a_revoked_login_is_named(emulator: Emulator, app: OAuthApp, seconds: float) -> None:
    login = sign_in(emulator, app)
    emulator.oauth.revoke(app.client_id)
    with Scripe(auth=login) as client, at(app, seconds), pytest.raises(ConsentRequiredError) as caught:
        me(client)
    assert (caught.value.reason, caught.value.name, caught.value.error) == ("revoked", NAME, "invalid_grant")


def test_a_login_that_is_over_asks_the_server_no_more(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    login = sign_in(emulator, app)
    emulator.oauth.revoke(app.client_id)
    with Scripe(auth=login) as client, pytest.raises(ConsentRequiredError):
        me(client)
    before = sent_tokens(emulator)
    with pytest.raises(ConsentRequiredError) as caught:
        another(app, store).access_token()
    assert (caught.value.reason, sent_tokens(emulator)) == ("revoked", before)


def test_a_login_that_is_over_is_not_deleted(emulator: Emulator, app: OAuthApp, store: TokenStore) -> None:
    login = sign_in(emulator, app)
    token = stored_login(store, app)["refresh_token"]
    emulator.oauth.revoke(app.client_id)
    with Scripe(auth=login) as client, pytest.raises(ConsentRequiredError):
        me(client)
    assert stored_login(store, app)["refresh_token"] == token


def test_a_new_login_takes_the_place_of_one_that_is_over(emulator: Emulator, app: OAuthApp) -> None:
    login = sign_in(emulator, app)
    emulator.oauth.revoke(app.client_id)
    with Scripe(auth=login) as client:
        with pytest.raises(ConsentRequiredError):
            me(client)
        sign_in(emulator, app)
        assert me(client) == emulator.workspace_id


def test_a_newer_login_in_the_store_is_taken_over(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    credentials = sign_in(emulator, app).credentials
    emulator.oauth.expire_access_tokens()
    fresh = another(app, store).access_token(rejected=credentials.access_token())
    assert credentials.access_token(rejected=credentials.access_token()) == fresh


class OvertakenStore(RecordingStore):
    """Another process, which does not keep to the lock, saves newer tokens right after the intent."""

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        is_saved = super().save(name, record, only_over)
        login = json.loads(record.content)
        if login.get("refreshing") and self.newer:
            newer, self.newer = self.newer, None
            super().save(name, TokenRecord("overtaken", json.dumps({**login, "refreshing": None, **newer})))
        return is_saved

    newer: dict[str, object] | None = None


def test_tokens_of_another_process_win_over_a_refused_refresh(emulator: Emulator, served: Server) -> None:
    store = OvertakenStore()
    with make_app(store) as app:
        login = sign_in(emulator, app)
        emulator.oauth.revoke(app.client_id)
        store.newer = {"refresh_token": "newer", "access_token": "taken-over"}
        assert login.credentials.access_token(rejected=login.credentials.access_token()) == "taken-over"


def test_tokens_of_another_process_win_over_those_of_a_refresh(emulator: Emulator, served: Server) -> None:
    store = OvertakenStore()
    with make_app(store) as app:
        login = sign_in(emulator, app)
        emulator.oauth.expire_access_tokens()
        store.newer = {"refresh_token": "newer", "access_token": "taken-over"}
        assert login.credentials.access_token(rejected=login.credentials.access_token()) == "taken-over"


def test_a_full_disk_is_found_before_the_token_is_spent(
    emulator: Emulator, app: OAuthApp, store: RecordingStore
) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        before = sent_tokens(emulator)
        store.fails_at = len(store.saves)
        with pytest.raises(TokenStoreError):
            me(client)
        assert sent_tokens(emulator) == before


def test_tokens_that_cannot_be_saved_are_kept_and_saved_later(
    emulator: Emulator, app: OAuthApp, store: RecordingStore
) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        store.fails_at = len(store.saves) + 1
        with pytest.warns(TokenStoreWarning):
            assert me(client) == emulator.workspace_id
        assert me(client) == emulator.workspace_id
    token = another(app, store).access_token()
    with Scripe(auth=app.credentials(NAME)) as client:
        assert (client.workspaces.me().workspace.id, token) == (
            emulator.workspace_id,
            app.credentials(NAME).access_token(),
        )


def test_tokens_that_were_not_saved_are_refreshed_from_memory(
    emulator: Emulator, app: OAuthApp, store: RecordingStore
) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        store.fails_at, store.failures = len(store.saves) + 1, 3
        with pytest.warns(TokenStoreWarning):
            me(client)
        emulator.oauth.expire_access_tokens()
        with pytest.warns(TokenStoreWarning):
            assert me(client) == emulator.workspace_id
    with Scripe(auth=another(app, store)) as client:
        assert me(client) == emulator.workspace_id
    assert len(emulator.oauth.refreshes) == 2


@pytest.mark.parametrize(
    "error",
    [TokenStoreError("Full."), OSError("No space left on device")],
    ids=["an error of ours", "any other"],
)
def test_tokens_that_cannot_be_saved_for_long_stay_in_use(
    emulator: Emulator, app: OAuthApp, store: RecordingStore, error: Exception
) -> None:
    store.error = error
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        store.fails_at, store.failures = len(store.saves) + 1, 10
        for _ in range(3):
            with pytest.warns(TokenStoreWarning):
                assert me(client) == emulator.workspace_id


def test_an_application_that_the_server_forgot_is_named(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    sign_in(emulator, app)
    change_login(store, app, client_id="app_gone", expires_at=time.time() - 1)
    with pytest.raises(RegistrationError) as caught:
        another(app, store).access_token()
    assert "app_gone" in str(caught.value)


def test_a_refused_request_leaves_the_token_unspent(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    login = sign_in(emulator, app)
    emulator.oauth.expire_access_tokens()
    emulator.fail_next(400, path=TOKEN, body=b'{"error": "invalid_request"}')
    with Scripe(auth=login) as client, pytest.raises(OAuthError):
        me(client)
    assert stored_login(store, app)["refreshing"] is None


@pytest.mark.parametrize("status", [404, 405])
def test_an_endpoint_that_moved_is_discovered_again(
    emulator: Emulator, app: OAuthApp, store: TokenStore, status: int
) -> None:
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        emulator.fail_next(status, path=TOKEN)
        assert me(client) == emulator.workspace_id


def test_a_lock_that_is_held_too_long_is_an_error(
    emulator: Emulator, app: OAuthApp, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_oauth_refresh, "LOCK_SECONDS", 0.2)
    credentials = sign_in(emulator, app).credentials
    token = credentials.access_token()
    held = store.lock(credentials._source.record_name, 1)  # pyright: ignore[reportPrivateUsage]
    with held, pytest.raises(TokenStoreError) as caught:
        credentials.access_token(rejected=token)
    assert caught.value.retryable


def test_a_lock_that_is_held_does_not_stop_a_living_token(
    emulator: Emulator, app: OAuthApp, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_oauth_refresh, "LOCK_SECONDS", 0.2)
    credentials = sign_in(emulator, app).credentials
    token = credentials.access_token()
    with store.lock(credentials._source.record_name, 1), at(app, 3545):  # pyright: ignore[reportPrivateUsage]
        assert credentials.access_token() == token


class BusyStore(RecordingStore):
    """Another program signs in again and again, right before each save of ours."""

    times = 0

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        if only_over is not None and self.times:
            self.times -= 1
            current = self.load(name)
            assert current is not None
            super().save(name, TokenRecord(f"busy-{self.times}", current.content))
        return super().save(name, record, only_over)


@pytest.mark.parametrize("times", [1, 2])
def test_a_login_that_is_replaced_meanwhile_is_read_again(
    emulator: Emulator, served: Server, times: int
) -> None:
    store = BusyStore()
    with make_app(store) as app, Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        store.times = times
        assert me(client) == emulator.workspace_id


def test_a_login_that_is_always_replaced_is_an_error(emulator: Emulator, served: Server) -> None:
    store = BusyStore()
    with make_app(store) as app, Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        store.times = 99
        with pytest.raises(TokenStoreError):
            me(client)


def test_a_new_login_wins_over_the_end_of_the_old_one(emulator: Emulator, served: Server) -> None:
    """The user signs in again while a refresh of the old login is on its way, and is refused."""
    store = OvertakenStore()
    with make_app(store) as app:
        login = sign_in(emulator, app)
        emulator.oauth.revoke(app.client_id)
        refresh_token = stored_login(store, app)["refresh_token"]
        store.newer = {"refresh_token": refresh_token, "access_token": "newer"}
        assert login.credentials.access_token(rejected=login.credentials.access_token()) == "newer"


class SlowStore(RecordingStore):
    """A database that does not answer in time, as its driver says it."""

    is_slow = False

    def load(self, name: str) -> TokenRecord | None:
        if self.is_slow:
            raise TimeoutError("the pool of connections is empty")
        return super().load(name)


def test_an_error_of_a_store_of_ones_own_is_passed_on(emulator: Emulator, served: Server) -> None:
    store = SlowStore()
    with make_app(store) as app:
        credentials = sign_in(emulator, app).credentials
        token = credentials.access_token()
        store.is_slow = True
        with pytest.raises(TimeoutError) as caught:
            credentials.access_token(rejected=token)
    assert not isinstance(caught.value, APITimeoutError)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"format": "scripe-login-1"}', '{"format": "scripe-login-9"}'],
    ids=["half", "a list", "nothing", "no tokens", "of a later version"],
)
def test_a_record_that_cannot_be_read_is_named(
    emulator: Emulator, app: OAuthApp, store: TokenStore, content: str
) -> None:
    sign_in(emulator, app)
    store.save(app.credentials(NAME)._source.record_name, TokenRecord("1", content))  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(TokenStoreError):
        another(app, store).access_token()


def test_a_record_that_cannot_be_read_is_replaced_by_signing_in(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    sign_in(emulator, app)
    store.save(app.credentials(NAME)._source.record_name, TokenRecord("1", "{"))  # pyright: ignore[reportPrivateUsage]
    sign_in(emulator, app)
    with Scripe(auth=another(app, store)) as client:
        assert me(client) == emulator.workspace_id


def test_a_record_that_cannot_be_read_is_forgotten_when_it_is_revoked(
    emulator: Emulator, app: OAuthApp, store: TokenStore
) -> None:
    sign_in(emulator, app)
    store.save(app.credentials(NAME)._source.record_name, TokenRecord("1", "{"))  # pyright: ignore[reportPrivateUsage]
    assert (app.revoke(NAME).revoked, store.load(app.credentials(NAME)._source.record_name)) == (False, None)  # pyright: ignore[reportPrivateUsage]


def test_a_forked_process_forgets_the_refresh_of_its_parent(
    emulator: Emulator, app: OAuthApp, store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its thread, nobody would ever end that refresh."""
    credentials = sign_in(emulator, app).credentials
    source = credentials._source  # pyright: ignore[reportPrivateUsage]
    source._running = Future()  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(os, "getpid", lambda: 1)
    loads = store.loads
    credentials.access_token(timeout=5)
    assert store.loads > loads


def ask(credentials: Credentials, rejected: str) -> str:
    return credentials.access_token(rejected=rejected)


def ask_in_a_task(credentials: Credentials, rejected: str) -> str:
    return asyncio.run(credentials.async_access_token(rejected=rejected))


@pytest.mark.parametrize("ask_for", [ask, ask_in_a_task])
def test_a_call_that_joins_a_refresh_that_did_not_know_of_its_rejection_refreshes(
    emulator: Emulator, app: OAuthApp, ask_for: Callable[[Credentials, str], str]
) -> None:
    credentials = sign_in(emulator, app).credentials
    token, running = credentials.access_token(), Future[str]()
    credentials._source._running = running  # pyright: ignore[reportPrivateUsage]
    finish = threading.Timer(0.2, finish_refresh, (credentials._source, running, token))  # pyright: ignore[reportPrivateUsage]
    finish.start()
    assert ask_for(credentials, token) != token


def finish_refresh(source: Any, running: Future[str], token: str) -> None:
    source._running = None
    running.set_result(token)


AFTER_ITS_END = """
import sys, threading
from scripe import Scripe, oauth, OAuthError
path, client_id = sys.argv[1:]
app = oauth.OAuthApp(client_id=client_id, redirect_uri="https://acme.example/callback",
                     token_store=oauth.FileTokenStore(path))
client = Scripe(auth=app.credentials("tenant-42"))
def call():
    threading.main_thread().join()
    try:
        client.workspaces.me()
    except OAuthError as error:
        print(type(error).__name__)
threading.Thread(target=call).start()
"""


def test_no_refresh_begins_while_a_process_exits(emulator: Emulator, served: Server, tmp_path: Path) -> None:
    with make_app(FileTokenStore(tmp_path)) as app:
        sign_in(emulator, app)
        emulator.oauth.expire_access_tokens()
        before = sent_tokens(emulator)
        command = [sys.executable, "-c", AFTER_ITS_END, str(tmp_path), app.client_id]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert (output.strip(), sent_tokens(emulator)) == ("OAuthError", before)


def test_a_thread_that_cannot_start_is_an_error(
    emulator: Emulator, app: OAuthApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer Pythons start no thread while they exit."""
    credentials = sign_in(emulator, app).credentials
    token = credentials.access_token()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(OAuthError):
        credentials.access_token(rejected=token)


KILLED = """
import os, signal, sys
from scripe import Scripe, oauth
path, client_id, step = sys.argv[1], sys.argv[2], sys.argv[3]

class KillingStore(oauth.FileTokenStore):
    saves = 0
    def save(self, name, record, only_over=None):
        if step == f"before save {KillingStore.saves}":
            os.kill(os.getpid(), signal.SIGKILL)
        is_saved = super().save(name, record, only_over)
        if step == f"after save {KillingStore.saves}":
            os.kill(os.getpid(), signal.SIGKILL)
        KillingStore.saves += 1
        return is_saved
    def lock(self, name, timeout):
        if step == "before the lock":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().lock(name, timeout)

app = oauth.OAuthApp(client_id=client_id, redirect_uri="https://acme.example/callback",
                     token_store=KillingStore(path))
Scripe(auth=app.credentials("tenant-42")).workspaces.me()
"""
STEPS = ["before the lock", "before save 0", "after save 0", "before save 1", "after save 1"]


@pytest.mark.parametrize("grace", [30.0, 0.0], ids=["grace", "no grace"])
@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_is_killed_loses_at_most_what_the_server_forgets(
    tmp_path: Path, step: str, grace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileTokenStore(tmp_path)
    with Emulator(oauth_reuse_grace=grace) as emulator, emulator.serve() as server:
        monkeypatch.setenv("SCRIPE_BASE_URL", server.base_url)
        with make_app(store) as app:
            sign_in(emulator, app)
            emulator.oauth.expire_access_tokens()
            killed = subprocess.run(
                [sys.executable, "-c", KILLED, str(tmp_path), app.client_id, step], capture_output=True
            )
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            with Scripe(auth=another(app, store)) as client:
                if step == "before save 1" and not grace:
                    with pytest.raises(ConsentRequiredError) as caught:
                        me(client)
                    assert caught.value.reason == "response_lost"
                else:
                    assert me(client) == emulator.workspace_id


def test_each_waiter_gets_an_error_of_its_own(emulator: Emulator, app: OAuthApp) -> None:
    """Each call adds to its error what belongs to it alone, such as its idempotency key."""
    credentials = sign_in(emulator, app).credentials
    token, running = credentials.access_token(), Future[str]()
    credentials._source._running = running  # pyright: ignore[reportPrivateUsage]
    with ThreadPoolExecutor(2) as threads:
        waiters = [threads.submit(credentials.access_token, token) for _ in range(2)]
        running.set_exception(ConsentRequiredError("Over.", reason="revoked", name=NAME))
        errors = [waiter.exception() for waiter in waiters]
    assert (errors[0] is not errors[1], {type(error) for error in errors}) == (True, {ConsentRequiredError})


def test_an_error_of_a_login_names_the_idempotency_key_of_a_write(emulator: Emulator, app: OAuthApp) -> None:
    login = sign_in(emulator, app)
    emulator.oauth.revoke(app.client_id)
    with Scripe(auth=login) as client, pytest.raises(ConsentRequiredError) as caught:
        client.notes.create(project_id=emulator.project_id, content="Words.", idempotency_key="key-1")
    assert caught.value.idempotency_key == "key-1"


def test_no_attempt_begins_that_would_outlast_the_lock(
    emulator: Emulator, app: OAuthApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_oauth_refresh, "REFRESH_SECONDS", 4.0)
    with Scripe(auth=sign_in(emulator, app)) as client:
        emulator.oauth.expire_access_tokens()
        before = sent_tokens(emulator)
        emulator.fail_next(503, times=9, path=TOKEN)
        with pytest.raises(OAuthError):
            me(client)
        assert sent_tokens(emulator) - before == 1


def test_a_login_that_is_over_stays_so_in_the_same_client(emulator: Emulator, app: OAuthApp) -> None:
    login = sign_in(emulator, app)
    emulator.oauth.revoke(app.client_id)
    with Scripe(auth=login) as client:
        for _ in range(2):
            with pytest.raises(ConsentRequiredError):
                me(client)
    assert sent_tokens(emulator) == 2
