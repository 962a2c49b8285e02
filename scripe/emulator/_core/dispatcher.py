"""Answer a request below `/v1`.

The order of the checks is path, API key, plan, version, rate limit, scope, size, form, idempotency, and then the
route's own.
"""

from collections.abc import Iterable
from dataclasses import replace

from .auth import require_scope
from .canonical_json import JsonObject, fingerprint, loads
from .errors import ApiError
from .idempotency import IdempotencyRecord, IdempotencyStore, parse_idempotency_key
from .messages import Request, Response
from .routing import MAX_BODY, RequestContext, Route, find_route
from .services import Services


class Dispatcher:
    """Answers requests with the routes of a table."""

    def __init__(self, services: Services, routes: Iterable[Route]) -> None:
        self._services = services
        self._routes = tuple(routes)
        self._idempotency = IdempotencyStore(services.database)

    def handle(self, request: Request, request_id: str) -> Response:
        """Answer a request, with an error if it is refused."""
        headers = self.common_headers(request_id)
        with self._services.database.transaction():
            try:
                response = self._dispatch(request, request_id, headers)
            except ApiError as error:
                response = error.response(request_id)
        response.headers = headers | response.headers
        return response

    def common_headers(self, request_id: str) -> dict[str, str]:
        """Return the header fields of every response."""
        settings = self._services.settings
        headers = {"X-Request-Id": request_id, "Scripe-Api-Version": settings.versions[0]}
        return headers | ({"Scripe-Deprecation": settings.deprecation} if settings.deprecation else {})

    def _dispatch(self, request: Request, request_id: str, headers: dict[str, str]) -> Response:
        services = self._services
        route, parameters = find_route(self._routes, request)
        context = RequestContext(services, request, parameters)
        if not route.open:
            context = replace(context, principal=services.auth.authenticate(request.headers))
        if not route.open or "scripe-api-version" in request.headers:
            headers["Scripe-Api-Version"] = services.auth.negotiate_version(request.headers)
        if route.bucket:
            headers |= services.rate_limiter.count(context.workspace_id, route.bucket, services.clock.now())
        require_scope(context.principal, route.scopes)
        services.advance_due()
        if not route.takes_body:
            return route.handler(context)
        context = replace(context, body=_read_body(route, request))
        if not route.idempotent:
            return route.handler(context)
        headers["Idempotent-Replayed"] = "false"
        return self._handle_idempotent(route, context, request_id)

    def _handle_idempotent(self, route: Route, context: RequestContext, request_id: str) -> Response:
        idempotency_key = parse_idempotency_key(context.request.headers)
        if idempotency_key is None:
            return route.handler(context)
        record = IdempotencyRecord(
            context.workspace_id,
            f"{route.method} {context.request.path}",
            idempotency_key,
            fingerprint(context.body),
        )
        now = self._services.clock.milliseconds()
        stored = self._idempotency.replay(record, now)
        if stored:
            return stored
        try:
            response = route.handler(context)
        except ApiError as error:
            response = error.response(request_id)
        self._idempotency.save(record, response, now)
        return response


def _read_body(route: Route, request: Request) -> JsonObject:
    limit = route.body_limit if parse_idempotency_key(request.headers) else MAX_BODY
    content = request.body.read(limit + 1)
    if len(content) > limit:
        raise ApiError("payload_too_large", f"The body is larger than {limit} bytes.")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ApiError("invalid_request", "Content-Type must be application/json.")
    if request.is_cut_short():
        raise ApiError("invalid_request", "The body is shorter than Content-Length.")
    try:
        body = loads(content)
    except ValueError as error:
        raise ApiError("invalid_request", f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise ApiError("invalid_request", "The body must be a JSON object.")
    return body
