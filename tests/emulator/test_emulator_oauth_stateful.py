"""Any order of logins, exchanges, refreshes and revocations: no dead token is taken, and a code has one live login.

`SCRIPE_STATEFUL_EXAMPLES=2000` tries longer.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from scripe.emulator import Emulator
from tests.emulator.emulator_calls import frozen
from tests.emulator.oauth_app import App, connected, oauth_error, parameters_of, register

EXAMPLES = int(os.environ.get("SCRIPE_STATEFUL_EXAMPLES", "40"))
ACCESS, REFRESH, CODE = 100, 1_000, 60
STEPS = (1, 10, 60, 100, 1_000)


@dataclass(eq=False)
class Login:
    """What should be true of one consent."""

    client: int
    code: str
    code_ends: float
    redeemed: bool = False
    dead: bool = False
    access: dict[str, float] = field(default_factory=dict[str, float])  # each with its end
    refresh: str | None = None
    refresh_ends: dict[str, float] = field(default_factory=dict[str, float])
    rotated: dict[str, float] = field(default_factory=dict[str, float])  # each with the time of its use


Entry: TypeAlias = tuple[Login, str]
NOTHING: MultipleResults[Entry] = multiple()


class Machine(RuleBasedStateMachine):
    """Two clients of one emulator, and a model of what lives."""

    grace = 0.0
    codes: Bundle[Entry] = Bundle("codes")
    tokens: Bundle[Entry] = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        emulator = Emulator(
            clock=frozen(),
            oauth_access_seconds=ACCESS,
            oauth_refresh_seconds=REFRESH,
            oauth_code_seconds=CODE,
            oauth_reuse_grace=self.grace,
            read_limit=10**9,
        )
        self.emulator = self.stack.enter_context(emulator)
        http = self.stack.enter_context(connected(self.emulator))
        self.apps = [App(self.emulator, http, register(http).json()) for _ in range(2)]
        self.logins: list[Login] = []
        self.now = 0.0
        self.accepted = 0

    def teardown(self) -> None:
        self.stack.close()

    @rule(target=codes, client=st.integers(0, 1))
    def consent(self, client: int) -> Entry:
        url = self.emulator.oauth.consent(self.apps[client].url())
        login = Login(client, parameters_of(url)["code"], self.now + CODE)
        self.logins.append(login)
        return login, login.code

    @rule(target=tokens, entry=codes, client=st.integers(0, 3))
    def exchange(self, entry: Entry, client: int) -> Entry | MultipleResults[Entry]:
        login, code = entry
        client = login.client if client > 1 else client
        response = self.apps[client].exchange(code)
        if login.redeemed:
            login.dead = True
        elif client == login.client and not login.dead and self.now < login.code_ends:
            login.redeemed = True
            return self.store(login, response.json())
        assert oauth_error(response) == "400 invalid_grant"
        return NOTHING

    @rule(target=tokens, entry=tokens, client=st.integers(0, 3))
    def refresh(self, entry: Entry, client: int) -> Entry | MultipleResults[Entry]:
        login, token = entry
        client = login.client if client > 1 else client
        response = self.apps[client].refresh(token)
        used_at = login.rotated.get(token)
        if used_at is not None and self.now >= used_at + self.grace:
            login.dead = True
        elif client == login.client and not login.dead and self.now < login.refresh_ends[token]:
            tokens = response.json()
            self.accepted += 1
            if used_at is None:
                login.rotated[token] = self.now
            else:
                assert tokens["refresh_token"] == login.refresh
            return self.store(login, tokens)
        assert oauth_error(response) == "400 invalid_grant"
        return NOTHING

    def store(self, login: Login, tokens: dict[str, str]) -> Entry:
        login.access[tokens["access_token"]] = self.now + ACCESS
        refresh_token = tokens["refresh_token"]
        login.refresh_ends.setdefault(refresh_token, self.now + REFRESH)
        login.refresh = refresh_token
        return login, refresh_token

    @rule(entry=tokens, client=st.integers(0, 3))
    def revoke(self, entry: Entry, client: int) -> None:
        login, token = entry
        client = login.client if client > 1 else client
        response = self.apps[client].revoke(token)
        if client == login.client:
            assert response.status_code == 200
            login.dead = True
        else:
            assert oauth_error(response) == "400 invalid_grant"

    @rule(entry=codes, client=st.integers(0, 1))
    def revoke_access_tokens(self, entry: Entry, client: int) -> None:
        login, _ = entry
        for token in login.access if client == login.client else ():
            assert self.apps[client].revoke(token).status_code == 200
            login.access[token] = 0.0

    @rule()
    def revoke_everything(self) -> None:
        self.emulator.oauth.revoke(self.emulator.oauth.users[0])
        for login in self.logins:
            login.dead = True

    @rule(step=st.sampled_from(STEPS))
    def wait(self, step: int) -> None:
        self.emulator.clock.advance(step)
        self.now += step

    @invariant()
    def access_tokens_live_as_long_as_they_should(self) -> None:
        for login in self.logins:
            for token, ends in login.access.items():
                assert self.apps[login.client].is_live(token) is (not login.dead and self.now < ends)

    @invariant()
    def refreshes_are_counted(self) -> None:
        assert len(self.emulator.oauth.refreshes) == self.accepted

    @invariant()
    def a_code_has_at_most_one_live_login(self) -> None:
        database = self.emulator._application.services.database  # pyright: ignore[reportPrivateUsage]
        rows = database.execute(
            """SELECT count(*) FROM oauth_refresh_tokens JOIN oauth_grants ON id = grant_id
            WHERE rotated_at IS NULL AND NOT revoked GROUP BY code HAVING count(*) > 1"""
        )
        assert rows == []


class WithGrace(Machine):
    grace = 30.0


@pytest.mark.parametrize("machine", [Machine, WithGrace])
def test_any_order(machine: type[Machine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
        ),
    )
