"""Tests of `client.diagnose`: the first fault is named, with its next step, and nothing is written or shown."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripe import AsyncScripe, ConfigurationError, Diagnosis, Ledger, PlanNotEligibleError
from scripe._async.client import set_clock
from scripe._async.diagnosis import AsyncDoctor
from scripe._concurrency import AsyncClock
from scripe.emulator import Emulator
from tests.conftest import KEY
from tests.support.server import BREAK, Reply, ScriptedServer, json_reply

pytestmark = pytest.mark.anyio

WELL = json_reply({"status": "ok", "version": "2026-08-01"})


def code_of(diagnosis: Diagnosis, name: str) -> str:
    """Return the code of a check."""
    return next(check.code for check in diagnosis.checks if check.name == name)


def names(diagnosis: Diagnosis) -> list[str]:
    return [check.name for check in diagnosis.checks]


async def test_all_is_well_with_the_emulator(async_local: AsyncScripe) -> None:
    diagnosis = await async_local.diagnose()
    assert {check.level for check in diagnosis.checks} == {"ok"}
    assert diagnosis.fault is None
    assert diagnosis.error is None
    assert names(diagnosis)[-1] == "api version"


async def test_three_reads_are_sent_once_each(async_local: AsyncScripe, emulator: Emulator) -> None:
    await async_local.diagnose()
    sent = [(request.method, request.path) for request in emulator.requests]
    assert sent == [("GET", "/health"), ("GET", "/health/auth"), ("GET", "/workspaces/me")]


async def test_a_client_in_process_has_no_connection_to_see(async_local: AsyncScripe) -> None:
    assert code_of(await async_local.diagnose(), "connection") == "not_seen"


async def test_the_steps_of_a_connection_are_timed(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(WELL, BREAK)
    values = {check.name: check.values for check in (await async_client.diagnose()).checks}
    assert isinstance(values["connection"]["milliseconds"], int)
    assert isinstance(values["name look-up"]["milliseconds"], int)


async def test_the_api_key_is_not_sent_for_the_health(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(WELL, BREAK)
    await async_client.diagnose()
    assert server.sent("authorization") == [None, f"Bearer {KEY}"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "unauthenticated"),
        (401, "invalid_token"),
        (401, "key_revoked"),
        (401, "key_expired"),
        (403, "plan_not_eligible"),
        (403, "scope_missing"),
        (403, "workspace_mismatch"),
        (400, "version_unsupported"),
    ],
)
async def test_each_refusal_is_named(
    status: int, code: str, async_local: AsyncScripe, emulator: Emulator
) -> None:
    emulator.fail_next(status, code, path="/health/auth")
    fault = (await async_local.diagnose()).fault
    assert fault is not None
    assert (fault.name, fault.code) == ("access", code)
    assert fault.next_step


@pytest.mark.parametrize(
    ("status", "code", "seen"),
    [
        (401, "another_code", "invalid_token"),
        (403, "another_code", "permission_denied"),
        (404, "not_found", "refused"),
        (429, "rate_limited", "rate_limited"),
        (500, "internal_error", "api_failed"),
    ],
)
async def test_an_error_of_another_kind_goes_by_its_status(
    status: int, code: str, seen: str, async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(WELL, json_reply({"error": {"code": code, "message": "no"}}, status))
    assert code_of(await async_client.diagnose(), "access") == seen


async def test_the_error_is_what_a_call_would_raise(async_local: AsyncScripe, emulator: Emulator) -> None:
    emulator.set_plan("FREE")
    assert isinstance((await async_local.diagnose()).error, PlanNotEligibleError)


async def test_nothing_is_sent_again(async_local: AsyncScripe, emulator: Emulator) -> None:
    emulator.fail_next(500, path="/health/auth", times=9)
    await async_local.diagnose()
    assert len(emulator.requests) == 2


async def test_a_key_that_has_expired_is_told_from_one_that_was_revoked(emulator: Emulator) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    async with emulator.async_client(api_key=emulator.create_key(expires_on=yesterday)) as client:
        assert code_of(await client.diagnose(), "access") == "key_expired"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
        Reply(302, b"", {"Location": "https://portal.example.com/"}),
        Reply(404, b"<html>none</html>"),
        json_reply({"hello": "world"}),
    ],
    ids=["page", "redirect", "404", "other JSON"],
)
async def test_something_else_than_the_api_is_named(
    reply: Reply, async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(reply)
    diagnosis = await async_client.diagnose()
    assert code_of(diagnosis, "health") == "not_the_api"
    assert diagnosis.error is not None


async def test_a_degraded_api_is_a_warning(async_local: AsyncScripe, emulator: Emulator) -> None:
    emulator.degrade()
    diagnosis = await async_local.diagnose()
    assert diagnosis.fault is None
    assert [check.code for check in diagnosis.warnings] == ["degraded"]


async def test_a_response_that_breaks_off_is_named(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(BREAK)
    assert code_of(await async_client.diagnose(), "health") == "no_response"


async def test_a_response_of_another_shape_is_named(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(WELL, json_reply({"status": "ok"}), json_reply({"workspace": 1}))
    diagnosis = await async_client.diagnose()
    assert code_of(diagnosis, "workspace") == "unknown_shape"
    assert diagnosis.fault is None


async def test_a_connection_that_breaks_after_the_health_is_named(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(WELL, BREAK)
    assert (await async_client.diagnose()).checks[-1].code == "no_response"


class _WrongClock(AsyncClock):
    def __init__(self, offset: float) -> None:
        self._offset = offset

    def wall_time(self) -> float:
        return time.time() + self._offset


@pytest.mark.parametrize(
    ("offset", "code"),
    [(0, "ok"), (8, "ok"), (-86_400, "clock_wrong"), (86_400, "clock_wrong")],
    ids=["right", "8 s", "behind", "ahead"],
)
async def test_a_clock_is_wrong_from_ten_seconds_on(
    offset: float, code: str, async_local: AsyncScripe
) -> None:
    set_clock(async_local, _WrongClock(offset))
    assert code_of(await async_local.diagnose(), "clock") == code


async def test_a_response_without_a_date_says_nothing_of_the_clock(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(WELL)
    assert code_of(await async_client.diagnose(), "clock") == "not_seen"


async def test_a_key_of_another_form_is_a_warning(emulator: Emulator) -> None:
    async with emulator.async_client(api_key="sk-0123456789") as client:
        assert code_of(await client.diagnose(), "credential") == "api_key_form"


async def test_an_api_key_function_may_fail(server: ScriptedServer) -> None:
    server.script(WELL)
    async with AsyncScripe(lambda: "two words", base_url=server.base_url) as client:
        assert code_of(await client.diagnose(), "credential") == "configuration"


class _Auth:
    def access_token(self, rejected: str | None) -> str:
        return "token-of-a-stranger"


async def test_an_auth_of_the_callers_is_asked_once(emulator: Emulator) -> None:
    async with emulator.async_client() as client:
        diagnosis = await client.with_options(auth=_Auth()).diagnose()
    assert code_of(diagnosis, "credential") == "ok"
    assert code_of(diagnosis, "access") == "invalid_token"


async def test_a_key_without_scopes_is_a_warning(emulator: Emulator) -> None:
    async with emulator.async_client(api_key=emulator.create_key([])) as client:
        assert code_of(await client.diagnose(), "scopes") == "no_scopes"


async def test_what_scopes_do_not_allow_is_said(emulator: Emulator) -> None:
    async with emulator.async_client(api_key=emulator.create_key(["notes:read"])) as client:
        diagnosis = await client.diagnose()
    text = next(check.text for check in diagnosis.checks if check.name == "scopes")
    assert text.startswith("notes:read; cannot create notes, read posts")


async def test_a_principal_that_is_not_named_has_no_scopes_to_see(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(WELL, json_reply({"status": "ok"}), json_reply({"id": "org_1", "plan": "SOLO"}))
    diagnosis = await async_client.diagnose()
    assert code_of(diagnosis, "scopes") == "not_seen"
    assert code_of(diagnosis, "rate limit") == "not_seen"


async def test_a_workspace_without_access_is_a_warning(
    async_client: AsyncScripe, server: ScriptedServer
) -> None:
    workspace = {"id": "org_1", "features": {"apiAccess": False}}
    server.script(WELL, json_reply({"status": "ok"}), json_reply({"workspace": workspace}))
    assert code_of(await async_client.diagnose(), "workspace") == "no_api_access"


@pytest.mark.parametrize(
    "notice", ["2026-08-01", "2026-08-01; sunset=2026-12-01; replacement=2026-11-01"], ids=["bare", "whole"]
)
async def test_a_version_that_ends_is_a_warning(notice: str, violations: list[str]) -> None:
    with Emulator(deprecation=notice) as emulator:
        async with emulator.async_client() as client:
            assert code_of(await client.diagnose(), "api version") == "deprecated"


async def test_a_ledger_with_nothing_to_settle_is_well(async_local: AsyncScripe, tmp_path: Path) -> None:
    with Ledger(tmp_path / "season.db") as ledger:
        assert code_of(await async_local.with_options(ledger=ledger).diagnose(), "ledger") == "ok"


async def test_a_closed_ledger_is_a_fault(async_local: AsyncScripe, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "season.db")
    ledger.close()
    assert code_of(await async_local.with_options(ledger=ledger).diagnose(), "ledger") == "ledger_unreadable"


async def test_it_reads_as_lines_with_next_steps(async_client: AsyncScripe, server: ScriptedServer) -> None:
    server.script(BREAK)
    diagnosis = await async_client.diagnose()
    last = str(diagnosis).splitlines()[-2:]
    assert last[0].startswith("fault    health")
    assert last[1].strip() == diagnosis.checks[-1].next_step


async def test_without_a_credential_the_health_is_looked_at(
    async_local: AsyncScripe, emulator: Emulator
) -> None:
    missing = ConfigurationError("There is no API key.")
    sender = async_local._sender  # pyright: ignore[reportPrivateUsage]
    diagnosis = await AsyncDoctor(sender, missing).examine()
    assert code_of(diagnosis, "credential") == "no_credential"
    assert diagnosis.error is missing
    assert [request.path for request in emulator.requests] == ["/health"]


async def test_a_ledger_that_is_missing_is_a_warning(async_local: AsyncScripe) -> None:
    sender = async_local._sender  # pyright: ignore[reportPrivateUsage]
    diagnosis = await AsyncDoctor(sender, is_ledger_missing=True).examine()
    assert code_of(diagnosis, "ledger") == "ledger_missing"


METADATA: dict[str, object] = {
    "response_types_supported": ["code"],
    "code_challenge_methods_supported": ["S256"],
}


async def test_the_metadata_of_the_emulator_are_as_assumed(emulator: Emulator) -> None:
    with emulator.serve() as served:
        async with AsyncScripe(served.api_key, base_url=served.base_url) as client:
            diagnosis = await client.diagnose(oauth=True)
    assert code_of(diagnosis, "oauth") == "ok"
    assert {fact.id: fact.verdict for fact in diagnosis.facts} == dict.fromkeys(
        ["O1", "O2", "O9", "O10", "O11", "O14"], "same"
    )


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (json_reply({"issuer": "https://elsewhere.example.com"}), "metadata_refused"),
        (Reply(200, b"<html>", {}), "metadata_missing"),
        (json_reply(["a list"]), "metadata_missing"),
        (json_reply({}, 404), "metadata_missing"),
        (BREAK, "metadata_missing"),
    ],
    ids=["refused", "page", "list", "404", "break"],
)
async def test_metadata_that_we_would_refuse_are_a_warning(
    reply: Reply, code: str, async_client: AsyncScripe, server: ScriptedServer
) -> None:
    server.script(WELL, reply, BREAK)
    assert code_of(await async_client.diagnose(oauth=True), "oauth") == code


async def test_metadata_that_differ_are_reported(async_client: AsyncScripe, server: ScriptedServer) -> None:
    metadata = {
        **METADATA,
        "issuer": server.origin,
        "authorization_endpoint": f"{server.origin}/authorize",
        "token_endpoint": f"{server.origin}/token",
        "introspection_endpoint": f"{server.origin}/introspect",
    }
    server.script(WELL, json_reply(metadata), BREAK)
    diagnosis = await async_client.diagnose(oauth=True)
    assert code_of(diagnosis, "oauth") == "ok"
    assert {fact.verdict for fact in diagnosis.facts} == {"differs"}


@pytest.mark.parametrize(
    ("resource", "verdict"),
    [("https://x.example.com/mcp", "same"), ("https://x.example.com/api/mcp", "differs"), (None, "not seen")],
    ids=["new", "old", "none"],
)
async def test_no_credential_is_sent_to_the_mcp_server(
    resource: str | None,
    verdict: str,
    async_client: AsyncScripe,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(json_reply({"resource": resource})) as other:
        monkeypatch.setattr("scripe._async.diagnosis.MCP_ORIGIN", other.origin)
        server.script(WELL, BREAK)
        diagnosis = await async_client.diagnose(mcp=True)
    assert {fact.id: fact.verdict for fact in diagnosis.facts} == {"C4": verdict}
    assert other.sent("authorization") == [None]
    assert other.received[0].path == "/.well-known/oauth-protected-resource"


async def test_an_mcp_server_without_metadata_is_a_warning(
    async_client: AsyncScripe, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripe._async.diagnosis.MCP_ORIGIN", "http://mcp.example.com")
    server.script(WELL, BREAK)
    assert code_of(await async_client.diagnose(mcp=True), "mcp") == "mcp_missing"


async def test_metadata_are_not_asked_past_an_http_client(async_local: AsyncScripe) -> None:
    diagnosis = await async_local.diagnose(oauth=True, mcp=True)
    assert code_of(diagnosis, "oauth") == code_of(diagnosis, "mcp") == "not_seen"
