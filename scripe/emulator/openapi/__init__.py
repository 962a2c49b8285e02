"""The emulator's API in OpenAPI 3.1, kept in the repository as ``docs/openapi.json``.

Paths, scopes and keys come from the emulator's route table; the rest is written down here, one file a resource, from
the API's pages. What is answered may grow, so that the words of answers are strings whose known values stand in
``x-known-values``.

``Idempotency-Key`` has no pattern here, since the API does not refuse a key of an illegal form: it ignores it.
"""

import json

from .._core.canonical_json import Json, JsonObject
from .._core.routes import ROUTES
from . import (
    health,
    jobs,
    knowledge,
    notes,
    posts,
    projects,
    sources,
    uploads,
    webhooks,
    workspaces,
)
from .common import HEADERS, INFORMATION, PARAMETERS, RESPONSES, SECURITY
from .common import SCHEMAS as COMMON
from .operations import Operation, described

RESOURCES = (health, workspaces, projects, notes, posts, uploads, sources, knowledge, jobs, webhooks)
OPERATIONS: tuple[Operation, ...] = tuple(
    operation for resource in RESOURCES for operation in resource.OPERATIONS
)
SERVERS: list[Json] = [{"url": "/v1", "description": "The emulator that serves this description."}]


def document() -> JsonObject:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": INFORMATION,
        "servers": SERVERS,
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "responses": RESPONSES,
            "securitySchemes": SECURITY,
        },
    }


def document_text() -> str:
    """The whole description as it stands in ``docs/openapi.json``."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _paths() -> JsonObject:
    routes = {(route.method, route.pattern): route for route in ROUTES}
    paths: dict[str, JsonObject] = {}
    for operation in OPERATIONS:
        route = routes[operation.method, operation.path]
        paths.setdefault(operation.path, {})[operation.method.lower()] = described(operation, route)
    return {**paths}


def _schemas() -> JsonObject:
    schemas = {**COMMON}
    for resource in RESOURCES:
        schemas |= resource.SCHEMAS
    return schemas
