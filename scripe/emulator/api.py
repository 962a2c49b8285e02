"""From a request below ``/v1`` to its answer.

The order of the checks: path, key, plan, version, rate, scope, size, form, idempotency, and then the route's own.
"""

from collections.abc import Iterable
from dataclasses import replace

from scripe.emulator.access import require_scope
from scripe.emulator.backend import Backend
from scripe.emulator.errors import ApiError
from scripe.emulator.idempotency import Answers, Slot, key_of
from scripe.emulator.limits import RateLimiter
from scripe.emulator.messages import Request, Response
from scripe.emulator.routing import EDGE_LIMIT, Call, Route, find_route
from scripe.emulator.wire import JsonObject, parse


class Api:
    """Answers requests with the routes of a table.

    Attributes:
        limiter: counts the calls of each workspace.

    """

    def __init__(self, backend: Backend, routes: Iterable[Route]) -> None:
        settings = backend.settings
        self._backend = backend
        self._routes = tuple(routes)
        self._answers = Answers(backend.state)
        self.limiter: RateLimiter = RateLimiter(
            {
                "read": settings.read_limit,
                "write": settings.write_limit,
                "upload": settings.upload_limit,
                "generation": settings.generation_limit,
            },
            settings.rate_headers,
        )

    def answer(self, request: Request, request_id: str) -> Response:
        """The answer to a request, an error's included."""
        headers = self.common_headers(request_id)
        with self._backend.state.transaction():
            try:
                response = self._serve(request, request_id, headers)
            except ApiError as error:
                response = error.response(request_id)
        response.headers = headers | response.headers
        return response

    def common_headers(self, request_id: str) -> dict[str, str]:
        """What every answer carries."""
        settings = self._backend.settings
        headers = {"X-Request-Id": request_id, "Scripe-Api-Version": settings.versions[0]}
        return headers | ({"Scripe-Deprecation": settings.deprecation} if settings.deprecation else {})

    def _serve(self, request: Request, request_id: str, headers: dict[str, str]) -> Response:
        route, parameters = find_route(self._routes, request)
        call = Call(self._backend, request, parameters)
        access = self._backend.access
        if not route.open:
            call = replace(call, principal=access.authenticate(request.headers))
        if not route.open or "scripe-api-version" in request.headers:
            headers["Scripe-Api-Version"] = access.version(request.headers)
        if route.bucket:
            headers |= self.limiter.admit(call.workspace_id, route.bucket, self._backend.clock.now())
        require_scope(call.principal, route.scopes)
        self._backend.settle()
        if not route.takes_body:
            return route.handler(call)
        if route.idempotent:
            headers["Idempotent-Replayed"] = "false"
        return self._write(route, replace(call, body=_body(route, request)), request_id)

    def _write(self, route: Route, call: Call, request_id: str) -> Response:
        key = key_of(call.request.headers) if route.idempotent else None
        if key is None:
            return route.handler(call)
        slot = Slot.of(call.workspace_id, f"{route.method} {call.request.path}", key, call.body)
        now = self._backend.clock.milliseconds()
        stored = self._answers.replay(slot, now)
        if stored:
            return stored
        try:
            response = route.handler(call)
        except ApiError as error:
            response = error.response(request_id)
        self._answers.keep(slot, response, now)
        return response


def _body(route: Route, request: Request) -> JsonObject:
    limit = route.body_limit if key_of(request.headers) else EDGE_LIMIT
    content = request.body.read(limit + 1)
    if len(content) > limit:
        raise ApiError("payload_too_large", f"The body is larger than {limit} bytes.")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ApiError("invalid_request", "Content-Type must be application/json.")
    if request.is_cut_short():
        raise ApiError("invalid_request", "The body is shorter than Content-Length.")
    return _object(content)


def _object(content: bytes) -> JsonObject:
    try:
        body = parse(content)
    except ValueError as error:
        raise ApiError("invalid_request", f"The body is no JSON: {error}.") from None
    if not isinstance(body, dict):
        raise ApiError("invalid_request", "The body must be a JSON object.")
    return body
