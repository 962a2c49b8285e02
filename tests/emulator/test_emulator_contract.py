"""The description, and the emulator held against it by schemathesis."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import strategies
from openapi_spec_validator import validate
from schemathesis.config import SchemathesisConfig

from scripe.emulator import Emulator, Request
from scripe.emulator.__main__ import main
from scripe.emulator._core.routes import ROUTES
from scripe.emulator.openapi import OPERATIONS, document
from tests.emulator.contract import CONTRACT
from tests.emulator.emulator_calls import ORIGIN, Calls

pytest_plugins = "schemathesis.pytest.plugin"  # only here: it takes seconds to load
KEPT = Path(__file__).parents[2] / "docs" / "openapi.json"
PLENTY = 10**9
CONFIGURATION = {
    "seed": 1,
    "generation": {"deterministic": True, "max-examples": 8},
    # Texts that are too long are 413, which schemathesis does not expect by itself.
    "checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}},
}
configure: Any = SchemathesisConfig
schema: Any = schemathesis.openapi.from_dict(document(), config=configure.from_dict(CONFIGURATION))
# A description cannot say that a moment is to lie in the future, so that all are made so.
schemathesis.openapi.format(
    "date-time",
    strategies.datetimes(datetime(2100, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001  (as hypothesis wants)
        lambda moment: moment.replace(tzinfo=UTC).isoformat(timespec="milliseconds")
    ),
)


@dataclass(frozen=True)
class Served:
    base_url: str
    session: requests.Session
    ids: dict[str, str]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    limits: Any = {f"{bucket}_limit": PLENTY for bucket in ("read", "write", "upload", "generation")}
    with (
        Emulator(plan="ENTERPRISE", job_speed=1_000_000, **limits) as emulator,
        emulator.serve() as server,
        requests.Session() as session,
    ):
        session.headers["Authorization"] = f"Bearer {server.api_key}"
        yield Served(server.base_url, session, existing(emulator))


def existing(emulator: Emulator) -> dict[str, str]:
    """An id for each name of a parameter or field, so that more than 404s come back."""
    api, seeded = Calls(emulator), emulator.seed(sources=1, notes=1, posts=1, jobs=1, job_status="QUEUED")
    upload = api.mint()
    assert api.put(upload, b"text").status == 200
    hook = {"name": "Hook", "url": "https://example.com", "events": ["note.created"]}
    return {
        "projectId": emulator.project_id,
        "noteId": seeded.note_ids[0],
        "postId": seeded.post_ids[0],
        "jobId": seeded.job_ids[0],
        "sourceId": seeded.source_ids[0],
        "uploadId": upload["id"],
        "statusId": api.get("/post-statuses").json["data"][0]["id"],
        "endpointId": api.post("/webhook-endpoints", hook).fields["id"],
    }


def furnish(case: Any, ids: dict[str, str]) -> None:
    """Put ids that exist into a case that is to be accepted, and leave out cursors, which nobody can make up."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            put(cast("dict[str, Any]", place), ids)
    if case.query:
        case.query.pop("cursor", None)


def put(place: dict[str, Any], ids: dict[str, str]) -> None:
    place.update({name: ids[name] for name in place.keys() & ids.keys() if place[name] is not None})
    if isinstance(place.get("source"), dict):
        put(place["source"], ids)


def schemathesis_finds_nothing(case: Any, served: Served) -> None:
    if case.meta.generation.mode.is_positive:
        furnish(case, served.ids)
    case.call_and_validate(base_url=served.base_url, session=served.session, timeout=30)


test_schemathesis_finds_nothing = schema.parametrize()(schemathesis_finds_nothing)


def test_the_description_is_valid() -> None:
    validate(document())


def test_the_description_names_every_route() -> None:
    described = [(operation.method, operation.path) for operation in OPERATIONS]
    assert sorted(described) == sorted((route.method, route.pattern) for route in ROUTES)
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS)


def test_the_description_in_the_repository_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--openapi"])
    assert KEPT.read_text() == capsys.readouterr().out, (
        "python -m scripe.emulator --openapi > docs/openapi.json"
    )


def test_the_description_is_served(api: Calls) -> None:
    answer = api.send("GET", f"{ORIGIN}/openapi.json", {})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == json.loads(KEPT.read_text()) == document()
    refused = api.send("POST", f"{ORIGIN}/openapi.json", {})
    assert (refused.code, refused.headers["Allow"]) == ("405 method_not_allowed", "GET")


@pytest.mark.parametrize(
    ("method", "path", "problem"),
    [
        ("get", "/jobs?mood=good", "GET /jobs: query mood is not described"),
        ("get", "/jobs?limit=5&limit=6", "GET /jobs: query limit is given 2 times"),
        ("get", "/jobs?dateFrom=2026-05-01T00:00Z", "GET /jobs: dateFrom: '2026-05-01T00:00Z' is not valid"),
        ("post", "/uploads", "POST /uploads: request: Additional properties are not allowed"),
    ],
)
def test_violations_are_found(
    api: Calls, violations: list[str], method: str, path: str, problem: str
) -> None:
    body = {"contentType": "audio/mpeg", "mood": "good"}
    assert (api.get(path) if method == "get" else api.post(path, body)).status == 200
    assert len(violations) == 1
    assert violations.pop().startswith(problem)


def test_answers_are_judged(api: Calls) -> None:
    for path, problem in [
        ("/workspaces/me", "the header X-Request-Id is missing"),
        ("/health", "the status 418 is not described"),
        ("/cats", "GET /cats: not described"),
    ]:
        request = Request("GET", f"{ORIGIN}/v1{path}")
        response = api.get("/workspaces/me").raw
        response.headers.pop("X-Request-Id")
        response.status = 418 if path == "/health" else 200
        assert problem in " ".join(CONTRACT.check(request, response))
