"""What a route is, and which one a request means."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from scripe._vocabulary import RateLimitBucket

from .auth import Principal
from .canonical_json import Json, JsonObject, dumps
from .database import Record
from .errors import ApiError
from .messages import Request, Response
from .services import Services
from .validation import invalid_field

MAX_KEYED_BODY = 256 * 1024
MAX_BODY = 4 * 1024 * 1024
ANONYMOUS = Principal("", "", (), "", "", "FREE")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One admitted request.

    Attributes:
        backend: what the handler can reach.
        request: the request.
        parameters: what stands for the ``{names}`` of the route's path.
        principal: who calls.
        body: the JSON object sent; empty when the route takes none.

    """

    services: Services
    request: Request
    parameters: Mapping[str, str]
    principal: Principal = ANONYMOUS
    body: JsonObject = field(default_factory=dict[str, Json])

    @property
    def workspace_id(self) -> str:
        """The workspace of the key."""
        return self.principal.workspace_id

    def project(self) -> str:
        """The project that the query names.

        Raises:
            ApiError: 400, it names none; 404, the workspace has no such project.

        """
        project_id = self.request.query.get("projectId")
        if not project_id:
            raise invalid_field("projectId", "must be given")
        return self.find("projects", project_id).id

    def find(self, resource: str, record_id: str) -> Record:
        """A record of the caller's workspace.

        Raises:
            ApiError: 404, there is none; another workspace's is not told apart.

        """
        record = self.services.database.find(resource, record_id, self.workspace_id)
        if record is None:
            raise ApiError("not_found", f"{record_id} was not found in {resource}.")
        return record


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the route table.

    Attributes:
        method: the HTTP method.
        pattern: the path below ``/v1``, ids as ``{names}``.
        handler: what answers.
        bucket: the rate bucket that calls count in, None for none.
        scopes: any one of them suffices; none means any valid key.
        open: no key is needed.
        takes_body: a JSON object is expected.
        idempotent: ``Idempotency-Key`` counts.
        body_limit: bytes of the largest body that may be sent with a key.

    """

    method: str
    pattern: str
    handler: Callable[[RequestContext], Response]
    bucket: RateLimitBucket | None = "read"
    scopes: tuple[str, ...] = ()
    open: bool = False
    takes_body: bool = False
    idempotent: bool = False
    body_limit: int = MAX_KEYED_BODY

    def match(self, path: str) -> dict[str, str] | None:
        """The path's parameters, None when it is another route's."""
        wanted, given = self.pattern.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        parameters = {
            name[1:-1]: unquote(part) for name, part in zip(wanted, given, strict=True) if name[:1] == "{"
        }
        fixed = [(name, part) for name, part in zip(wanted, given, strict=True) if name[:1] != "{"]
        return parameters if all(parameters.values()) and all(name == part for name, part in fixed) else None


JobHandler = Callable[[Services, Record, int], JsonObject]


@dataclass(frozen=True, slots=True)
class Resource:
    """All that one file of `routes` adds: routes, kinds of records, and the work of its jobs by type."""

    routes: tuple[Route, ...]
    names: tuple[str, ...] = ()
    job_handlers: Mapping[str, JobHandler] = field(default_factory=dict[str, JobHandler])


def find_route(routes: Iterable[Route], request: Request) -> tuple[Route, dict[str, str]]:
    """The route of a request, and its parameters.

    Raises:
        ApiError: 404 for an unknown path, 405 for a known one with another method.

    """
    path = request.path if request.in_api else ""
    found = [(route, parameters) for route in routes if (parameters := route.match(path)) is not None]
    if not found:
        raise ApiError("not_found", f"There is nothing at {request.full_path}.")
    if not all(parameters for _, parameters in found):
        found = [
            (route, parameters) for route, parameters in found if not parameters
        ]  # a fixed path goes first
    for route, parameters in found:
        if route.method == request.method:
            return route, parameters
    allowed = ", ".join(route.method for route, _ in found)
    raise ApiError("method_not_allowed", f"This path takes {allowed}.", headers={"Allow": allowed})


def json_response(body: JsonObject, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is not wrapped in ``data``."""
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, dumps(body))


def data_response(body: JsonObject) -> Response:
    """An answer wrapped in ``data``."""
    return json_response({"data": body})
