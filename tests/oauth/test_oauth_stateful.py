"""Sign in, call, refresh, lose, revoke and crash in any order: each call ends with a result or one named error."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from scripe import CallbackError, ConsentRequiredError, ExchangeLostError, Scripe
from scripe.emulator import Emulator
from scripe.oauth import MemoryTokenStore, OAuthApp
from tests.oauth.signing_in import CALLBACK, NAME, make_app

TOKEN = "/oauth/token"


class Machine(RuleBasedStateMachine):
    """One login, two programs that share its store, and a server that may forget."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[tuple[str, str]] = []  # addresses of callbacks, and their states
        self.used: list[tuple[str, str]] = []
        self.has_login = False
        self.allowed: set[str] = set()  # reasons for which the user may be asked again

    @initialize(grace=st.sampled_from([0.0, 30.0]))
    def start(self, grace: float) -> None:
        self.emulator = Emulator(oauth_reuse_grace=grace)
        self.server = self.emulator.serve()
        self.server.start()
        os.environ["SCRIPE_BASE_URL"] = self.server.base_url
        self.store = MemoryTokenStore()
        self.apps = [make_app(self.store)]
        self.apps.append(self.again())

    def again(self) -> OAuthApp:
        """Return the application as a program that has just started."""
        return OAuthApp(client_id=self.apps[0].client_id, redirect_uri=CALLBACK, token_store=self.store)

    @rule(which=st.integers(0, 1))
    def begin(self, which: int) -> None:
        request = self.apps[which].authorization_request(NAME)
        self.requests.append((self.emulator.oauth.consent(request.url), request.state))

    @rule(which=st.integers(0, 1), is_lost=st.booleans())
    def exchange(self, which: int, is_lost: bool) -> None:
        if not self.requests:
            return
        url, state = self.requests.pop()
        self.used.append((url, state))
        if is_lost:
            self.emulator.drop_next(path=TOKEN)
            with pytest.raises(ExchangeLostError):
                self.apps[which].exchange(NAME, url, state=state)
            return
        self.apps[which].exchange(NAME, url, state=state)
        self.has_login, self.allowed = True, set()

    @rule(which=st.integers(0, 1))
    def exchange_again(self, which: int) -> None:
        if self.used:
            url, state = self.used[-1]
            with pytest.raises(CallbackError):
                self.apps[which].exchange(NAME, url, state=state)

    @rule()
    def expire(self) -> None:
        self.emulator.oauth.expire_access_tokens()

    @rule(before=st.booleans(), times=st.integers(1, 2))
    def lose_responses(self, before: bool, times: int) -> None:
        self.emulator.drop_next(path=TOKEN, before=before, times=times)
        self.call(0)
        self.call(1)
        self.emulator.clear_faults()

    @rule()
    def revoke_by_user(self) -> None:
        self.emulator.oauth.revoke(self.apps[0].client_id)
        self.allowed.add("revoked")
        self.requests = []  # the codes that were given and not used yet are dead, too

    @rule(which=st.integers(0, 1))
    def revoke(self, which: int) -> None:
        self.apps[which].revoke(NAME)
        self.has_login = False

    @rule(which=st.integers(0, 1))
    def restart(self, which: int) -> None:
        self.apps[which] = self.again()

    @rule(which=st.integers(0, 1))
    def call(self, which: int) -> None:
        with Scripe(auth=self.apps[which].credentials(NAME), max_retries=0) as client:
            try:
                workspace_id, reason = client.workspaces.me().workspace.id, None
            except ConsentRequiredError as error:
                workspace_id, reason = None, error.reason
        if reason is None:
            assert workspace_id == self.emulator.workspace_id
        elif not self.has_login:
            assert reason == "missing"
        else:
            lost = {"response_lost"} if not self.emulator.settings.oauth_reuse_grace else set[str]()
            assert reason in self.allowed | lost
            self.allowed.add(reason)

    def teardown(self) -> None:
        if hasattr(self, "server"):
            self.server.stop()
            self.emulator.close()


def test_any_order_ends_in_a_valid_token_or_one_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPE_BASE_URL", "set by each machine")
    checks: Any = list(HealthCheck)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=checks,
            database=None,
        ),
    )
