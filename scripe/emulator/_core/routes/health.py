"""GET /health and GET /health/auth."""

from ..canonical_json import JsonObject
from ..messages import Response
from ..routing import RequestContext, Resource, Route, json_response

CHECKS = ("db", "redis", "auditBuffer")


def get_health(context: RequestContext) -> Response:
    """Show whether the API is well: 503 with the same body if it is not."""
    degraded = context.services.degraded
    body: JsonObject = {
        "status": "degraded" if degraded else "ok",
        "version": context.services.settings.versions[0],
        "checks": {name: _check(name, degraded.get(name)) for name in CHECKS},
    }
    return json_response(body, 503 if degraded else 200, {"Cache-Control": "max-age=5, public"})


def get_health_auth(context: RequestContext) -> Response:
    """Show that the API key works."""
    return json_response(
        {
            "status": "ok",
            "version": context.services.settings.versions[0],
            "workspace": {"id": context.workspace_id},
            "principal": context.principal.to_json(),
        }
    )


def _check(name: str, problem: str | None) -> JsonObject:
    measure: JsonObject = {"depth": 0} if name == "auditBuffer" else {"latencyMs": 1}
    return {"ok": problem is None, **measure, **({} if problem is None else {"error": problem})}


RESOURCE = Resource(
    (
        Route("GET", "/health", get_health, bucket=None, open=True),
        Route("GET", "/health/auth", get_health_auth),
    )
)
