"""The API's errors: their codes, and the envelope that a response holds them in."""

from dataclasses import KW_ONLY, dataclass
from http.client import responses

from ... import _vocabulary
from .canonical_json import JsonObject, dumps
from .messages import Response

STATUS_BY_CODE = {**_vocabulary.STATUS_BY_CODE, "method_not_allowed": 405}
CODE_BY_STATUS = {status: code for code, status in reversed(STATUS_BY_CODE.items())}
OAUTH_ERROR_BY_STATUS = {
    401: "invalid_client",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
}
NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
DOCUMENTATION = "https://docs.scripe.io/api/v1/errors"


@dataclass(eq=False)
class ApiError(Exception):
    """A request that gets an error; the status follows from the code."""

    code: str
    message: str
    _: KW_ONLY
    details: JsonObject | None = None
    meta: JsonObject | None = None
    headers: dict[str, str] | None = None

    def response(self, request_id: str) -> Response:
        """Return the response to the request."""
        return error_response(
            STATUS_BY_CODE[self.code],
            request_id,
            self.code,
            self.message,
            details=self.details,
            meta=self.meta,
            headers=self.headers,
        )


def error_response(
    status: int,
    request_id: str,
    code: str | None = None,
    message: str | None = None,
    *,
    details: JsonObject | None = None,
    meta: JsonObject | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return an error in the API's envelope; code and message follow from the status unless given."""
    code = code or CODE_BY_STATUS.get(status, "internal_error")
    error: JsonObject = {
        "code": code,
        "message": message or responses.get(status, "Error"),
        "request_id": request_id,
        "docs_url": f"{DOCUMENTATION}#{code}",
    }
    error |= {name: extra for name, extra in (("details", details), ("meta", meta)) if extra is not None}
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, dumps({"error": error}))


def oauth_error_response(
    status: int,
    error: str | None = None,
    description: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return an error in the form of OAuth; error and description follow from the status unless given."""
    error = error or OAUTH_ERROR_BY_STATUS.get(status, "invalid_request" if status < 500 else "server_error")
    body: JsonObject = {"error": error, "error_description": description or responses.get(status, "Error")}
    fields = {"Content-Type": "application/json", **NOT_STORED, **(headers or {})}
    return Response(status, fields, dumps(body))
