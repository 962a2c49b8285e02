"""Parse the parameters of a query or a form, and refuse what is ambiguous."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ..errors import oauth_error_response
from ..messages import Request, Response

MAX_BODY = 64 * 1024
FORM = "application/x-www-form-urlencoded"


@dataclass(eq=False)
class RefusalError(Exception):
    """A request that gets an error of OAuth; the description is plain ASCII without quotes, and holds no input."""

    error: str
    description: str
    status: int = 400
    headers: dict[str, str] | None = None

    def response(self) -> Response:
        """Return the response to the request."""
        return oauth_error_response(self.status, self.error, self.description, self.headers)


def parse_parameters(text: str) -> dict[str, list[str]]:
    """Return all values of each parameter, or raise a ValueError if the text is not UTF-8."""
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
        values.setdefault(name, []).append(value)
    return values


def require_single(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the value of each parameter, or refuse repeated ones; an empty value counts as left out."""
    if any(len(texts) > 1 for texts in values.values()):
        raise RefusalError("invalid_request", "A parameter must not be sent more than once.")
    return {name: texts[0] for name, texts in values.items() if texts[0]}


def read_body(request: Request, content_type: str, error: str) -> bytes:
    """Return the body of a request, or refuse one that is too long, cut short, or of another type."""
    sent_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent_type != content_type:
        raise RefusalError(error, f"Content-Type must be {content_type}.")
    if request.is_cut_short():
        raise RefusalError(error, "The body is shorter than Content-Length.")
    body = request.body.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise RefusalError(error, f"The body is larger than {MAX_BODY} bytes.", 413)
    return body


def parse_form(request: Request) -> dict[str, list[str]]:
    """Return all values of each field of a form, or refuse what is not one."""
    try:
        return parse_parameters(read_body(request, FORM, "invalid_request").decode())
    except ValueError:
        raise RefusalError("invalid_request", "The form is not UTF-8.") from None
