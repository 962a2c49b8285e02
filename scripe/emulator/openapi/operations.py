"""One operation, and how it is written down beside what its route says."""

from dataclasses import dataclass, field

from .._core.canonical_json import Json, JsonObject
from .._core.routing import Route
from .building import listed, reference, structure, text
from .common import COMMON_HEADERS, RATE_HEADERS, failure

EVERYWHERE = (400, 401, 403, 429, 500, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation is, beside what its route says.

    Attributes:
        method: the HTTP method.
        path: the path below ``/v1``.
        id: its name in generated clients.
        tag: the resource it belongs to.
        summary: what it does, in one line.
        answer: the schema of the answer's body.
        body: the schema of the request's body.
        query: the parameters of the query.
        degraded: whether 503 comes with the body of an answer instead of an error's.
        statuses: error statuses beside those that follow from the route.
        description: what else is to be known.

    """

    method: str
    path: str
    id: str
    tag: str
    summary: str
    answer: JsonObject
    body: JsonObject | None = None
    query: tuple[JsonObject, ...] = ()
    statuses: tuple[int, ...] = ()
    description: str = ""
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The query of a list, its pages included."""

    filters: tuple[JsonObject, ...] = field(default=())

    def query(self) -> tuple[JsonObject, ...]:
        """All parameters."""
        pages: tuple[JsonObject, ...] = (
            {"$ref": "#/components/parameters/Limit"},
            {"$ref": "#/components/parameters/Cursor"},
        )
        return (*self.filters, *pages)


def wrapped(schema: JsonObject) -> JsonObject:
    """A body that holds one thing in ``data``."""
    return structure({"data": schema})


def page_of(name: str) -> JsonObject:
    """A body that holds a page of things."""
    return structure({"data": listed(reference(name)), "pagination": reference("Pagination")})


def described(operation: Operation, route: Route) -> JsonObject:
    """An operation object."""
    made: JsonObject = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _description(operation, route),
        "parameters": _parameters(operation, route),
        "responses": _responses(operation, route),
    }
    if operation.body is not None:
        content: JsonObject = {"application/json": {"schema": operation.body}}
        made["requestBody"] = {"required": True, "content": content}
    return {**made, **({"security": []} if route.open else {})}


def _description(operation: Operation, route: Route) -> str:
    scopes = f"Scope: {' or '.join(f'`{scope}`' for scope in route.scopes) or 'any valid key'}."
    return " ".join(filter(None, (operation.description, "No key needed." if route.open else scopes)))


def _parameters(operation: Operation, route: Route) -> list[Json]:
    names = [part[1:-1] for part in route.pattern.split("/") if part.startswith("{")]
    paths: list[JsonObject] = [
        {"name": name, "in": "path", "required": True, "schema": text(minLength=1)} for name in names
    ]
    shared = ["ApiVersion"]
    shared += [] if route.open else ["WorkspaceId"]
    shared += ["IdempotencyKey"] if route.idempotent else []
    headers: list[JsonObject] = [{"$ref": f"#/components/parameters/{name}"} for name in shared]
    return [*paths, *operation.query, *headers]


def _responses(operation: Operation, route: Route) -> JsonObject:
    statuses = {400, 500} if route.open else {*EVERYWHERE}
    statuses |= {*operation.statuses}
    statuses |= {413} if route.takes_body else set[int]()
    statuses |= {409} if route.idempotent else set[int]()
    statuses |= {404} if "{" in route.pattern else set[int]()
    failures: JsonObject = {str(status): failure(status) for status in sorted(statuses)}
    success = _success(operation, route)
    return {"200": success, **failures, **({"503": success} if operation.degraded else {})}


def _success(operation: Operation, route: Route) -> JsonObject:
    headers: JsonObject = {**COMMON_HEADERS, **(RATE_HEADERS if route.bucket else {})}
    if route.idempotent:
        headers["Idempotent-Replayed"] = {"$ref": "#/components/headers/Replayed"}
    content: JsonObject = {"application/json": {"schema": operation.answer}}
    return {"description": "Done.", "headers": headers, "content": content}
