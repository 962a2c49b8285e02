"""What many operations share: headers, parameters, errors, the token."""

from .._core.canonical_json import Json, JsonObject
from .._core.errors import STATUS_BY_CODE
from .._core.settings import Settings
from .building import flag, integer, nullable, reference, structure, text

INFORMATION: JsonObject = {
    "title": "Scripe API, as the local emulator serves it",
    "version": Settings().versions[0],
    "description": (
        "An independent description, made from the API's public pages by the authors of the Python package `scripe`. "
        "What the pages leave open is a guess, listed in the docstring of `scripe.emulator`."
    ),
}
SECURITY: JsonObject = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, `scripe_sk_live_…` or `scripe_sk_test_…`, or an OAuth 2.1 access token.",
    }
}
SCHEMAS: JsonObject = {
    "Error": structure(
        {
            "error": structure(
                {
                    "code": text("Stable; decide by this."),
                    "message": text("For people."),
                    "request_id": text("Quote it to support."),
                    "docs_url": text(),
                },
                {
                    "details": {"type": "object", "additionalProperties": True},
                    "meta": {"type": "object", "additionalProperties": True},
                },
            )
        }
    ),
    "Pagination": structure(
        {
            "next_cursor": nullable(text("Where the next page begins; null on the last one.")),
            "has_more": flag(),
        }
    ),
}
HEADERS: JsonObject = {
    "RequestId": {"required": True, "schema": text("`req_…`"), "description": "The id of this request."},
    "ApiVersion": {
        "required": True,
        "schema": text(),
        "description": "The version that served the request.",
    },
    "Deprecation": {
        "schema": text(),
        "description": "`<version>; sunset=<date>; replacement=<version>`, while the version is on its way out.",
    },
    "Replayed": {
        "required": True,
        "schema": text(enum=["true", "false"]),
        "description": "Whether this is the stored answer of an earlier request with the same key.",
    },
    "RateLimit": {"schema": integer(minimum=0), "description": "Calls of the bucket in 60 seconds."},
    "RateRemaining": {"schema": integer(minimum=0), "description": "Calls left of them."},
    "RateReset": {"schema": integer(minimum=0), "description": "Seconds until there are more."},
    "RetryAfter": {
        "required": True,
        "schema": integer(minimum=0),
        "description": "Seconds to wait at least.",
    },
}
PARAMETERS: JsonObject = {
    "ApiVersion": {
        "name": "Scripe-Api-Version",
        "in": "header",
        "description": "The version to be served by; the default one without.",
        "schema": text(enum=[*Settings().versions]),
    },
    "WorkspaceId": {
        "name": "Scripe-Workspace-Id",
        "in": "header",
        "description": "Picks a workspace of an OAuth token; ignored with an API key.",
        "schema": text(),
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "1 to 64 of `A-Z a-z 0-9 _ -`: within 24 hours the same key with the same body is answered with the stored "
            "answer. A key of another form is ignored."
        ),
        "schema": text(),
    },
    "Limit": {
        "name": "limit",
        "in": "query",
        "description": "The largest number of items on the page.",
        "schema": integer(minimum=1, maximum=200, default=50),
    },
    "Cursor": {
        "name": "cursor",
        "in": "query",
        "description": "`next_cursor` of the page before, with the same filters.",
        "schema": text(),
    },
}
COMMON_HEADERS: JsonObject = {
    "X-Request-Id": {"$ref": "#/components/headers/RequestId"},
    "Scripe-Api-Version": {"$ref": "#/components/headers/ApiVersion"},
    "Scripe-Deprecation": {"$ref": "#/components/headers/Deprecation"},
}
RATE_HEADERS: JsonObject = {
    "X-RateLimit-Limit": {"$ref": "#/components/headers/RateLimit"},
    "X-RateLimit-Remaining": {"$ref": "#/components/headers/RateRemaining"},
    "X-RateLimit-Reset": {"$ref": "#/components/headers/RateReset"},
}
NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    402: "SpendCapExceeded",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    413: "PayloadTooLarge",
    422: "Unprocessable",
    429: "RateLimited",
    500: "InternalError",
    503: "ServiceUnavailable",
}


def failure(status: int) -> JsonObject:
    """The answer of an error status."""
    return {"$ref": f"#/components/responses/{NAMES[status]}"}


def _response(status: int) -> Json:
    codes = ", ".join(f"`{code}`" for code, known in STATUS_BY_CODE.items() if known == status)
    late: JsonObject = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}} if status == 429 else {}
    return {
        "description": f"Codes: {codes}.",
        "headers": {**COMMON_HEADERS, **RATE_HEADERS, **late},
        "content": {"application/json": {"schema": reference("Error")}},
    }


RESPONSES: JsonObject = {name: _response(status) for status, name in NAMES.items()}
