from datetime import date

import pytest

from scripe.emulator import Emulator, Plan
from tests.emulator.emulator_calls import ORIGIN, Calls, frozen


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc"])
def test_unauthenticated(api: Calls, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert api.send("GET", f"{ORIGIN}/v1/projects", headers).code == "401 unauthenticated"


@pytest.mark.parametrize("token", ["nonsense", "scripe_sk_test_" + "0" * 32, "scripe_sk_prod_" + "0" * 32])
def test_invalid_token(api: Calls, token: str) -> None:
    assert api.get("/projects", key=token).code == "401 invalid_token"


def test_a_key_with_a_space_is_invalid(api: Calls) -> None:
    assert api.get("/projects", key=f" {api.key}").code == "401 invalid_token"


def test_revoked(emulator: Emulator, api: Calls) -> None:
    other = emulator.create_key(live=True)
    assert other.startswith("scripe_sk_live_")
    emulator.revoke_key()
    assert api.get("/projects").code == "401 key_revoked"
    assert api.get("/projects", key=other).status == 200
    emulator.revoke_key(other)
    assert api.get("/projects", key=other).code == "401 key_revoked"


def test_a_key_expires_at_the_beginning_of_its_day(emulator: Emulator, api: Calls) -> None:
    key = emulator.create_key(expires_on=date(2026, 5, 16))
    assert api.get("/projects", key=key).status == 200
    emulator.clock.advance(15 * 3600 + 38 * 60 + 59.8)
    assert api.get("/projects", key=key).status == 200
    emulator.clock.advance(0.1)
    assert api.get("/projects", key=key).code == "401 key_expired"


def test_scopes(emulator: Emulator, api: Calls) -> None:
    key = emulator.create_key(["notes:read"])
    refused = api.post("/sources", {"type": "text"}, key=key)
    assert refused.code == "403 scope_missing"
    assert refused.error["details"] == {"required": ["sources:write"]}
    writer = emulator.create_key(["sources:write"])
    assert api.get("/sources/src_x", key=writer).error["details"] == {"required": ["notes:read"]}
    nothing = emulator.create_key([])
    for path in ("/health/auth", "/workspaces/me", "/projects", "/jobs"):
        assert api.get(path, key=nothing).status == 200
    assert api.post("/uploads", {"contentType": "audio/mpeg"}, key=nothing).status == 200


def test_uploads_may_need_a_scope() -> None:
    with Emulator(uploads_need_scope=True) as emulator:
        api = Calls(emulator)
        refused = api.post("/uploads", {"contentType": "audio/mpeg"}, key=emulator.create_key(["notes:read"]))
        assert refused.error["details"] == {"required": ["sources:write", "knowledge:write"]}
        key = emulator.create_key(["knowledge:write"])
        assert api.post("/uploads", {"contentType": "audio/mpeg"}, key=key).status == 200


@pytest.mark.parametrize("plan", ["FREE", "SOLO", "TRIAL"])
def test_plans_without_access(emulator: Emulator, api: Calls, plan: Plan) -> None:
    emulator.set_plan(plan)
    assert api.get("/workspaces/me").code == "403 plan_not_eligible"


def test_plans_with_access(emulator: Emulator, api: Calls) -> None:
    emulator.set_plan("ENTERPRISE", active=False)
    assert api.get("/projects").code == "403 plan_not_eligible"
    emulator.set_plan("ADVANCED")
    assert api.get("/workspaces/me").json["workspace"]["plan"] == "ADVANCED"


def test_versions(api: Calls) -> None:
    response = api.get("/projects", **{"Scripe-Api-Version": "2025-01-01"})
    assert response.code == "400 version_unsupported"
    assert response.error["details"] == {"accepted": ["2026-08-01"]}
    assert response.headers["Scripe-Api-Version"] == "2026-08-01"


def test_a_missing_version_is_served_with_the_default_or_refused(api: Calls) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    response = api.send("GET", f"{ORIGIN}/v1/projects", headers)
    assert (response.status, response.headers["Scripe-Api-Version"]) == (200, "2026-08-01")
    with Emulator(missing_version="refuse", deprecation="2026-08-01; sunset=2026-12-01") as emulator:
        headers = {"Authorization": f"Bearer {emulator.api_key}"}
        response = Calls(emulator).send("GET", f"{ORIGIN}/v1/projects", headers)
        assert Calls(emulator).send("GET", f"{ORIGIN}/v1/health", {}).status == 200
    assert response.code == "400 version_unsupported"
    assert response.headers["Scripe-Deprecation"] == "2026-08-01; sunset=2026-12-01"


def test_workspaces_do_not_see_each_other(emulator: Emulator, api: Calls) -> None:
    source, job, upload = api.text().fields, api.file(b"x").fields, api.mint()
    other = emulator.create_workspace(name="Other", plan="ADVANCED")
    key = emulator.create_key(workspace_id=other)
    assert api.get("/workspaces/me", key=key).json["workspace"]["name"] == "Other"
    project = api.get("/projects", key=key).json["data"][0]["id"]
    for path in (f"/sources/{source['id']}", f"/jobs/{job['id']}", f"/projects/{emulator.project_id}"):
        assert api.get(path, key=key).code == "404 not_found"
    assert api.post(f"/jobs/{job['id']}/cancel", key=key).code == "404 not_found"
    body = {"type": "text", "projectId": emulator.project_id, "text": "x"}
    assert api.post("/sources", body, key=key).code == "404 not_found"
    body = {"type": "file", "projectId": project, "uploadId": upload["id"]}
    assert api.post("/sources", body, key=key).code == "404 not_found"
    assert api.get("/jobs", key=key).json["data"] == []


@pytest.mark.parametrize(
    "url",
    ["/v1/nothing", "/v1", "/v1/", "/", "/v2/projects", "/v1/projects/", "/v1/projects/a/b", "/v1x/jobs"],
)
def test_unknown_paths(api: Calls, url: str) -> None:
    assert api.send("GET", ORIGIN + url, {}).code == "404 not_found"


def test_known_path_with_another_method(api: Calls) -> None:
    response = api.send("DELETE", f"{ORIGIN}/v1/jobs/job_x", {})
    assert (response.code, response.headers["Allow"]) == ("405 method_not_allowed", "GET")


def test_a_fixed_path_is_no_id(api: Calls) -> None:
    response = api.get("/posts/generations")
    assert (response.code, response.headers["Allow"]) == ("405 method_not_allowed", "POST")


def test_a_token_reaches_several_workspaces(emulator: Emulator, api: Calls) -> None:
    other, foreign = emulator.create_workspace("Other", "ADVANCED"), emulator.create_workspace()
    token = emulator.create_token([emulator.workspace_id, other])
    me = api.get("/workspaces/me", key=token).json
    assert me["workspace"]["id"] == emulator.workspace_id
    assert me["principal"]["type"] == "oauth"
    picked = api.get("/workspaces/me", key=token, **{"Scripe-Workspace-Id": other}).json["workspace"]
    assert picked["id"] == other
    assert picked["name"] == "Other"
    assert picked["plan"] == "ADVANCED"
    refused = api.get("/workspaces/me", key=token, **{"Scripe-Workspace-Id": foreign})
    assert refused.code == "403 workspace_mismatch"
    emulator.set_plan("FREE", workspace_id=other)
    refused = api.get("/workspaces/me", key=token, **{"Scripe-Workspace-Id": other})
    assert refused.code == "403 plan_not_eligible"
    assert api.get("/workspaces/me", **{"Scripe-Workspace-Id": foreign}).status == 200


def test_workspaces(emulator: Emulator, api: Calls) -> None:
    assert api.get("/workspaces").json == {
        "data": [{"id": emulator.workspace_id, "name": "Acme", "plan": "BUSINESS"}],
        "pagination": {"next_cursor": None, "has_more": False},
    }
    other = emulator.create_workspace()
    token = emulator.create_token([other, emulator.workspace_id], ["notes:read"])
    first = api.get("/workspaces?limit=1", key=token).json
    assert first["pagination"]["has_more"] is True
    rest = api.get(f"/workspaces?cursor={first['pagination']['next_cursor']}", key=token).json
    assert {first["data"][0]["id"], rest["data"][0]["id"]} == {other, emulator.workspace_id}
    assert rest["pagination"]["has_more"] is False
    alone = api.get("/workspaces", key=emulator.create_token()).json["data"]
    assert [workspace["id"] for workspace in alone] == [emulator.workspace_id]


def test_ids_are_decoded(api: Calls) -> None:
    assert "src x" in api.get("/sources/src%20x").error["message"]


def test_rate_limit() -> None:
    with Emulator(clock=frozen(), read_limit=3, write_limit=1) as emulator:
        api = Calls(emulator)
        responses = [api.get("/projects") for _ in range(3)]
        assert [response.headers["X-RateLimit-Remaining"] for response in responses] == ["2", "1", "0"]
        emulator.clock.advance(40.5)
        refused = api.get("/jobs")
        assert refused.code == "429 rate_limited"
        assert refused.headers["X-RateLimit-Limit"] == "3"
        assert refused.headers["X-RateLimit-Remaining"] == "0"
        assert refused.headers["X-RateLimit-Reset"] == refused.headers["Retry-After"] == "20"
        assert api.text().status == 200
        assert api.text().status == 429
        assert api.get("/health").status == 200
        other = emulator.create_key(workspace_id=emulator.create_workspace())
        assert api.get("/jobs", key=other).status == 200
        emulator.clock.advance(19.5)
        assert api.get("/jobs").status == 200


def test_rate_headers_may_come_with_a_429_alone() -> None:
    with Emulator(clock=frozen(), read_limit=1, rate_headers="limited") as emulator:
        api = Calls(emulator)
        assert "X-RateLimit-Limit" not in api.get("/projects").headers
        assert api.get("/projects").headers["X-RateLimit-Limit"] == "1"
    with Emulator(clock=frozen(), read_limit=0) as emulator:
        assert Calls(emulator).get("/projects").headers["Retry-After"] == "60"


def test_a_call_counts_for_the_rate_window() -> None:
    with Emulator(clock=frozen(), read_limit=1, rate_window=2.5) as emulator:
        api = Calls(emulator)
        assert api.get("/projects").headers["X-RateLimit-Reset"] == "3"
        emulator.clock.advance(2.25)
        refused = api.get("/projects")
        assert refused.headers["Retry-After"] == "1"
        assert refused.error["message"] == "More than 1 calls of the read bucket in 2.5 seconds."
        emulator.clock.advance(0.25)
        assert api.get("/projects").status == 200


def test_calls_of_all_kinds_may_share_one_limit() -> None:
    with Emulator(clock=frozen(), shared_limit=4) as emulator:
        api = Calls(emulator)
        upload_link = api.post("/uploads", {"contentType": "text/plain"})
        responses = [api.get("/jobs"), api.text(), upload_link, api.generate()]
        assert {response.headers["X-RateLimit-Limit"] for response in responses} == {"4"}
        assert responses[-1].headers["X-RateLimit-Remaining"] == "0"
        assert api.get("/jobs").code == "429 rate_limited"
        assert api.text().code == "429 rate_limited"
        other = emulator.create_key(workspace_id=emulator.create_workspace())
        assert api.get("/jobs", key=other).headers["X-RateLimit-Remaining"] == "3"


def test_a_project_is_shown_without_a_request(emulator: Emulator, api: Calls) -> None:
    assert emulator.project() == api.get(f"/projects/{emulator.project_id}").fields
    other = api.get("/projects").json["data"][-1]
    assert emulator.project(other["id"]) == other
    assert len(emulator.requests) == 2
    with pytest.raises(LookupError, match="proj_none"):
        emulator.project("proj_none")


def test_what_is_left_of_the_cap(emulator: Emulator, api: Calls) -> None:
    emulator.set_spend_remaining(5)
    assert api.generate().status == 200
    assert api.generate().code == "402 spend_cap_exceeded"
    other = emulator.create_workspace(plan="ADVANCED")
    emulator.set_spend_remaining(2_000, workspace_id=other)
    with pytest.raises(ValueError, match=r"2001 .*ADVANCED.* 2000 "):
        emulator.set_spend_remaining(2_001, workspace_id=other)
    with pytest.raises(ValueError, match=r"BUSINESS.* 5000 "):
        emulator.set_spend_remaining(-1)
    emulator.set_plan("ENTERPRISE")
    with pytest.raises(ValueError, match="ENTERPRISE"):
        emulator.set_spend_remaining(5)
