"""The schemas and operations of ``/health``."""

from .._core.canonical_json import JsonObject
from .building import choice, flag, integer, nullable, reference, structure, text, word
from .operations import Operation

SCHEMAS: JsonObject = {
    "HealthCheck": structure(
        {"ok": flag()},
        {"latencyMs": integer(minimum=0), "depth": nullable(integer(minimum=0)), "error": text()},
    ),
    "Health": structure(
        {
            "status": choice(("ok", "degraded")),
            "version": text("The default version of the API."),
            "checks": structure(
                {name: reference("HealthCheck") for name in ("db", "redis", "auditBuffer")},
            ),
        }
    ),
    "Principal": structure(
        {
            "type": word(("api_key", "oauth")),
            "id": text(),
            "scopes": {"type": "array", "items": {"type": "string"}},
        }
    ),
    "HealthAuth": structure(
        {
            "status": choice(("ok",)),
            "version": text(),
            "workspace": structure({"id": text()}),
            "principal": reference("Principal"),
        }
    ),
}
OPERATIONS = (
    Operation(
        "GET",
        "/health",
        "getHealth",
        "Health",
        "Whether the API is well",
        reference("Health"),
        description="A degraded API answers 503 with the same body.",
        degraded=True,
    ),
    Operation(
        "GET", "/health/auth", "getHealthAuth", "Health", "Whether a token works", reference("HealthAuth")
    ),
)
