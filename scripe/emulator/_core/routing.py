"""Describe routes, and find the route of a request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from ..._vocabulary import APIKeyScope, RateLimitBucket
from .auth import Principal
from .canonical_json import Json, JsonObject, dumps
from .database import Record
from .errors import ApiError
from .messages import Request, Response
from .services import JobHandler, Services
from .validation import invalid_field

MAX_KEYED_BODY = 256 * 1024
MAX_BODY = 4 * 1024 * 1024
ANONYMOUS = Principal("", "", (), "", "", "FREE")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request that passed the checks, and what its handler needs."""

    services: Services
    request: Request
    parameters: Mapping[str, str]  # what stands for the `{names}` of the route
    principal: Principal = ANONYMOUS
    body: JsonObject = field(default_factory=dict[str, Json])  # empty if the route takes none

    @property
    def workspace_id(self) -> str:
        """The workspace that the call is for."""
        return self.principal.workspace_id

    def project_id(self) -> str:
        """Return the id of the project in the query, or raise a 400 if there is none, a 404 if it is unknown."""
        project_id = self.request.query.get("projectId")
        if not project_id:
            raise invalid_field("projectId", "must be given")
        return self.find("projects", project_id).id

    def find(self, resource: str, record_id: str) -> Record:
        """Return a record of the caller's workspace, or raise a 404, also for another workspace's."""
        record = self.services.database.find(resource, record_id, self.workspace_id)
        if record is None:
            raise ApiError("not_found", f"{record_id} was not found in {resource}.")
        return record


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the route table."""

    method: str
    pattern: str  # below `/v1`, ids as `{names}`
    handler: Callable[[RequestContext], Response]
    bucket: RateLimitBucket | None = "read"
    scopes: tuple[APIKeyScope, ...] = ()  # any one of them suffices; none if any valid API key does
    open: bool = False  # no API key is needed
    takes_body: bool = False
    idempotent: bool = False  # `Idempotency-Key` counts
    body_limit: int = MAX_KEYED_BODY  # bytes, with an idempotency key

    def match(self, path: str) -> dict[str, str] | None:
        """Return the path's parameters, None if it belongs to another route."""
        names, parts = self.pattern.split("/"), path.split("/")
        if len(names) != len(parts):
            return None
        pairs = list(zip(names, parts, strict=True))
        parameters = {name[1:-1]: unquote(part) for name, part in pairs if name[:1] == "{"}
        is_same = all(name == part for name, part in pairs if name[:1] != "{")
        return parameters if is_same and all(parameters.values()) else None


def write_route(
    method: str,
    pattern: str,
    handler: Callable[[RequestContext], Response],
    scopes: tuple[APIKeyScope, ...] = (),
    *,
    bucket: RateLimitBucket = "write",
    body_limit: int = MAX_KEYED_BODY,
) -> Route:
    """Make the route of a write that takes a body and an idempotency key."""
    return Route(
        method, pattern, handler, bucket, scopes, takes_body=True, idempotent=True, body_limit=body_limit
    )


@dataclass(frozen=True, slots=True)
class Resource:
    """Everything that a file of `routes` adds: routes, names of records, and handlers of jobs by their type."""

    routes: tuple[Route, ...]
    names: tuple[str, ...] = ()
    job_handlers: Mapping[str, JobHandler] = field(default_factory=dict[str, JobHandler])


def find_route(routes: Iterable[Route], request: Request) -> tuple[Route, dict[str, str]]:
    """Return the route of a request and its parameters, or raise a 404, or a 405 for another method."""
    path = request.path if request.in_api else ""
    matches = [(route, parameters) for route in routes if (parameters := route.match(path)) is not None]
    if not matches:
        raise ApiError("not_found", f"There is nothing at {request.full_path}.")
    # A fixed path such as /posts/generations wins over /posts/{postId}.
    matches = [entry for entry in matches if not entry[1]] or matches
    for route, parameters in matches:
        if route.method == request.method:
            return route, parameters
    allowed = ", ".join(route.method for route, _ in matches)
    raise ApiError("method_not_allowed", f"This path takes {allowed}.", headers={"Allow": allowed})


def json_response(body: JsonObject, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, dumps(body))


def data_response(body: JsonObject) -> Response:
    """Return a JSON response whose object is wrapped in `data`."""
    return json_response({"data": body})
