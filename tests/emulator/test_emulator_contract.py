"""The description, and the emulator held against it by schemathesis."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast, get_args

import pytest
import requests
import schemathesis
from hypothesis import strategies
from openapi_spec_validator import validate
from schemathesis.config import SchemathesisConfig

from scripe import _vocabulary
from scripe.emulator import Emulator, Request
from scripe.emulator.__main__ import main
from scripe.emulator._core.data_files import DESCRIPTION, read_data_file
from scripe.emulator._core.errors import STATUS_BY_CODE
from scripe.emulator._core.posts import PLATFORM
from scripe.emulator._core.routes import ROUTES
from scripe.emulator._core.routes.post_statuses import CATEGORIES
from scripe.emulator._core.routes.uploads import CAPS
from scripe.emulator._core.routing import Route
from scripe.emulator._core.validation import PUBLIC_URL, URL
from tests.emulator.contract import CONTRACT, DESCRIBED
from tests.emulator.emulator_calls import ORIGIN, Calls

pytest_plugins = "schemathesis.pytest.plugin"  # only here: it takes seconds to load
ROOT = Path(__file__).parents[2]
PLENTY = 10**9
LABELS = [f"{route.method} {route.pattern}" for route in ROUTES]
SCHEMAS, PARAMETERS = "/components/schemas", "/components/parameters"
ENUMERATIONS = {
    "/paths//posts/get/parameters/1/schema/items/enum": get_args(_vocabulary.PostStatus),
    "/paths//jobs/get/parameters/0/schema/items/enum": get_args(_vocabulary.JobType),
    "/paths//jobs/get/parameters/1/schema/items/enum": get_args(_vocabulary.JobStatus),
    f"{SCHEMAS}/Health/properties/status/enum": get_args(_vocabulary.HealthStatus),
    f"{SCHEMAS}/HealthAuth/properties/status/enum": ("ok",),
    f"{SCHEMAS}/Principal/properties/type/x-known-values": (*get_args(_vocabulary.PrincipalType), "oauth"),
    f"{SCHEMAS}/Project/properties/type/x-known-values": get_args(_vocabulary.ProjectType),
    f"{SCHEMAS}/Project/properties/status/x-known-values": get_args(_vocabulary.ProjectStatus),
    f"{SCHEMAS}/NoteSlot/properties/contentType/x-known-values": get_args(_vocabulary.ContentType),
    f"{SCHEMAS}/Post/properties/status/x-known-values": get_args(_vocabulary.PostStatus),
    f"{SCHEMAS}/Post/properties/platform/x-known-values": (PLATFORM,),
    f"{SCHEMAS}/Post/properties/contentType/x-known-values": get_args(_vocabulary.ContentType),
    f"{SCHEMAS}/PostUpdate/properties/statusCategory/enum": CATEGORIES,
    f"{SCHEMAS}/PostStatus/properties/category/x-known-values": CATEGORIES,
    f"{SCHEMAS}/Upload/properties/method/enum": ("PUT",),
    f"{SCHEMAS}/Source/properties/status/x-known-values": get_args(_vocabulary.SourceStatus),
    f"{SCHEMAS}/Job/properties/type/x-known-values": get_args(_vocabulary.JobType),
    f"{SCHEMAS}/Job/properties/status/x-known-values": (
        *get_args(_vocabulary.JobStatus),
        _vocabulary.SUCCESS_STATUSES[1],
    ),
    f"{SCHEMAS}/ContentType/enum": get_args(_vocabulary.ContentType),
    f"{SCHEMAS}/Plan/x-known-values": get_args(_vocabulary.Plan),
    f"{SCHEMAS}/WebhookEvents/items/enum": get_args(_vocabulary.WebhookEvent),
    f"{SCHEMAS}/ReportedWebhookEvents/items/x-known-values": get_args(_vocabulary.WebhookEvent),
    f"{PARAMETERS}/ApiVersion/schema/enum": (_vocabulary.API_VERSION,),
    "/components/headers/Replayed/schema/enum": ("true", "false"),
    **{
        f"{SCHEMAS}/SourceCreate{word.title()}/properties/type/enum": (word,)
        for word in get_args(_vocabulary.SourceType)
    },
    **{
        f"{SCHEMAS}/KnowledgeCreate{word.title()}/properties/type/enum": (word,)
        for word in get_args(_vocabulary.KnowledgeType)
    },
}
CONFIGURATION = {
    "seed": 1,
    "generation": {"deterministic": True, "max-examples": 8},
    # Texts that are too long are 413, which schemathesis does not expect by itself.
    "checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}},
}
configure: Any = SchemathesisConfig
schema: Any = schemathesis.openapi.from_dict(DESCRIBED, config=configure.from_dict(CONFIGURATION))
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
    if case.headers:
        case.headers.pop("Content-Length", None)  # uvicorn itself refuses an empty one, as no HTTP at all
    case.call_and_validate(base_url=served.base_url, session=served.session, timeout=30)


test_schemathesis_finds_nothing = schema.parametrize()(schemathesis_finds_nothing)


def operation_of(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = DESCRIBED["paths"][route.pattern][route.method.lower()]
    return operation


def names_of(references: list[dict[str, Any]]) -> list[str]:
    return [str(reference.get("$ref", reference.get("name"))).rpartition("/")[2] for reference in references]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    for name in node.get("$ref", "").split("/")[1:]:
        node = (DESCRIBED if name == "components" else node)[name]
    return node


def enumerations(node: object, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Find all lists of words, each with its place."""
    if isinstance(node, list):
        node = dict(enumerate(cast("list[object]", node)))
    for name, child in cast("dict[object, object]", node if isinstance(node, dict) else {}).items():
        if name in ("enum", "x-known-values"):
            yield f"{path}/{name}", cast("list[str]", child)
        else:
            yield from enumerations(child, f"{path}/{name}")


def test_the_description_is_valid_and_formatted() -> None:
    validate(DESCRIBED)
    subprocess.run([sys.executable, "scripts/openapi.py", "--check"], cwd=ROOT, check=True)


def test_the_description_names_every_route() -> None:
    described = [(method.upper(), path) for path, methods in DESCRIBED["paths"].items() for method in methods]
    assert sorted(described) == sorted((route.method, route.pattern) for route in ROUTES)
    ids = {operation_of(route)["operationId"] for route in ROUTES}
    assert len(ids) == len(ROUTES)
    tags = {tag for route in ROUTES for tag in operation_of(route)["tags"]}
    assert {tag["name"] for tag in DESCRIBED["tags"]} == tags


@pytest.mark.parametrize("route", ROUTES, ids=LABELS)
def test_an_operation_says_what_its_route_does(route: Route) -> None:
    operation = operation_of(route)
    scopes = " or ".join(f"`{scope}`" for scope in route.scopes) or "any valid key"
    assert operation["description"].endswith("No API key needed." if route.open else f"Scope: {scopes}.")
    assert operation.get("security") == ([] if route.open else None)
    assert operation.get("x-rate-limit-bucket") == route.bucket
    assert ("requestBody" in operation) == route.takes_body
    parameters = [resolved(parameter) for parameter in operation["parameters"]]
    in_path = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
    assert [f"{{{name}}}" for name in in_path] == [
        part for part in route.pattern.split("/") if part.startswith("{")
    ]
    headers = ["ApiVersion", *(["WorkspaceId"] if not route.open else [])]
    assert [name for name in names_of(operation["parameters"]) if name in (*headers, "IdempotencyKey")] == [
        *headers,
        *(["IdempotencyKey"] if route.idempotent else []),
    ]


@pytest.mark.parametrize("route", ROUTES, ids=LABELS)
def test_an_operation_names_the_responses_of_its_route(route: Route) -> None:
    responses = operation_of(route)["responses"]
    needed = {"200", "400", "500"} | ({"503"} if route.open else {"401", "403", "429", "503"})
    needed |= {"413"} if route.takes_body else set()
    needed |= {"409"} if route.idempotent else set()
    needed |= {"404"} if "{" in route.pattern else set()
    assert needed <= set(responses)
    headers = resolved(responses["200"])["headers"]
    assert ("X-RateLimit-Remaining" in headers) == (route.bucket is not None)
    assert ("Idempotent-Replayed" in headers) == route.idempotent
    for status, response in responses.items():
        if status >= "400" and not (route.open and status == "503"):
            codes = {code for code, known in STATUS_BY_CODE.items() if str(known) == status}
            assert set(re.findall("`(.*?)`", resolved(response)["description"])) == codes


def test_every_list_of_words_is_the_vocabularys() -> None:
    assert dict(enumerations(DESCRIBED)) == {place: [*words] for place, words in ENUMERATIONS.items()}
    assert DESCRIBED["info"]["version"] == _vocabulary.API_VERSION


def test_patterns_and_caps_are_those_of_the_emulator() -> None:
    schemas = DESCRIBED["components"]["schemas"]
    assert schemas["WebAddress"]["pattern"] == f"^{URL}$"
    assert schemas["WebhookUrl"]["pattern"] == f"^{PUBLIC_URL}$"
    largest = schemas["UploadCreate"]["properties"]["maxSizeBytes"]["maximum"]
    caps = {
        rule["if"]["properties"]["contentType"]["pattern"]: rule["then"]["properties"]["maxSizeBytes"][
            "maximum"
        ]
        for rule in schemas["UploadCreate"]["allOf"]
    }
    assert largest == max(CAPS.values())
    assert caps == {f"^{re.escape(prefix)}": cap for prefix, cap in CAPS.items() if cap < largest}


def test_the_description_is_printed_and_served_byte_for_byte(
    api: Calls, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    kept = (ROOT / "scripe" / "emulator" / DESCRIPTION).read_bytes()
    main(["--openapi"])
    assert capsysbinary.readouterr().out == kept
    response = api.send("GET", f"{ORIGIN}/openapi.json", {})
    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    assert response.raw.body == kept
    refused = api.send("POST", f"{ORIGIN}/openapi.json", {})
    assert (refused.code, refused.headers["Allow"]) == ("405 method_not_allowed", "GET")


SERVED_BY_A_PROGRAM = """
import sys
from scripe import _vocabulary
from scripe.emulator import Emulator, Request
from scripe.emulator.__main__ import main

with Emulator() as emulator:
    response = emulator.handle(Request("GET", "http://localhost/openapi.json"))
print(response.status, response.body.decode(), flush=True)
main(["--openapi"])
"""


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_packed_program_has_the_description_or_says_what_is_missing(tmp_path: Path, is_whole: bool) -> None:
    archive = tmp_path / "program.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in (ROOT / "scripe").rglob("*"):
            if path.suffix == ".py" or (is_whole and path.name == DESCRIPTION):
                packed.write(path, path.relative_to(ROOT))
    program = subprocess.run(
        [sys.executable, "-c", SERVED_BY_A_PROGRAM],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(archive), "PYTHONIOENCODING": "utf-8"},
    )
    if is_whole:
        kept = read_data_file(DESCRIPTION)
        assert program.stdout == b"200 " + kept + b"\n" + kept
    else:
        missing = (
            b"scripe/emulator/openapi.json is missing from this program; pack the data files of scripe too."
        )
        assert program.stdout.startswith(b"503 ")
        assert missing in program.stdout
        assert program.stderr.strip().endswith(missing)


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
