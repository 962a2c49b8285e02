"""Requests and responses, apart from how they travel."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from html import unescape
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qsl, urlencode, urlsplit

from .canonical_json import Json, loads
from .masking import mask_oauth_body, mask_parameters, mask_secrets

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PREFIX = "/v1"
STORAGE_PREFIX = "/_storage/"
PAGE_PREFIX = "/_emulator"
METADATA_PATH = "/.well-known/oauth-authorization-server"
AUTHORIZE_PATH = "/oauth/authorize"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
REGISTER_PATH = "/oauth/register"
REVOKE_PATH = "/oauth/revoke"
OAUTH_PATHS = frozenset({METADATA_PATH, AUTHORIZE_PATH, TOKEN_PATH, REGISTER_PATH, REVOKE_PATH})
MAX_RECORDED_BODY = 8 << 20
MAX_DIGITS = 18  # of a length; Python refuses to parse numbers of thousands of digits
ERROR_MESSAGE = re.compile(rb'"message": ?("(?:[^"\\]|\\.)*")|<Message>([^<]*)</Message>')
ERROR_CODE = re.compile(rb'"code": ?"([^"]*)"|<Code>([^<]*)</Code>')


class Headers(Mapping[str, str]):
    """Header fields: found by name without regard to case, listed as they were received."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = {name.lower(): (name, text) for name, text in fields}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        fields = {name: "***" if name.lower() == "authorization" else text for name, text in self.items()}
        return f"Headers({fields!r})"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived.

    Attributes:
        method: The HTTP method.
        url: The absolute URL.
        headers: The header fields; any mapping, found by name without regard to case.
        body: The body, rewound.
        in_real_time: Whether the response can be held back for `Response.delay`; if not, the emulator's clock moves on
            instead.

    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=Headers)
    body: BinaryIO = field(default_factory=io.BytesIO)
    in_real_time: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.headers, Headers):
            object.__setattr__(self, "headers", Headers(self.headers.items()))

    def __repr__(self) -> str:
        url, mark, query = self.url.partition("?")
        shown = f"{url}{mark}{mask_parameters(query) if self.in_oauth else query}"
        return _masked_repr(self, url=shown)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the URL."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        """The host that the caller named."""
        return self.headers.get("host") or urlsplit(self.url).netloc

    @property
    def full_path(self) -> str:
        """The path of the URL, still percent-encoded."""
        return urlsplit(self.url).path

    @property
    def path(self) -> str:
        """The path below `/v1`; another path as it is."""
        return self.full_path.removeprefix(PREFIX) if self.in_api else self.full_path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; the last value of a repeated one."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def in_api(self) -> bool:
        """True if the path lies below `/v1`."""
        return f"{self.full_path}/".startswith(f"{PREFIX}/")

    @property
    def in_storage(self) -> bool:
        """True if the path belongs to the emulator's own storage."""
        return self.full_path.startswith(STORAGE_PREFIX)

    @property
    def in_oauth(self) -> bool:
        """True if the path belongs to the authorization server."""
        return self.full_path in OAUTH_PATHS

    def length(self) -> int:
        """Return the length of the body that arrived; the body is rewound."""
        size = self.body.seek(0, io.SEEK_END)
        self.body.seek(0)
        return size

    @property
    def announced_length(self) -> int | None:
        """The length that `Content-Length` announces, None if it is absent or not a number."""
        announced = self.headers.get("content-length", "")
        return int(announced[:MAX_DIGITS]) if announced.isdecimal() else None

    def is_cut_short(self) -> bool:
        """Return whether less arrived than `Content-Length` announces."""
        return self.length() < (self.announced_length or 0)


@dataclass(slots=True)
class Response:
    """A response, and how it is to be sent.

    Attributes:
        status: The HTTP status; 0 if the connection breaks before the work, so that there is no response.
        headers: The header fields, without `Content-Length`.
        body: The whole body.
        connection_dropped: Whether the connection breaks before the response arrives, although the work was done
            unless `status` is 0.
        delay: Seconds of real time to wait before sending it.

    """

    status: int
    headers: dict[str, str]
    body: bytes
    connection_dropped: bool = False
    delay: float = 0.0

    def __repr__(self) -> str:
        return _masked_repr(self)


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that was answered, and its response in short.

    Attributes:
        method: The HTTP method.
        path: The path below `/v1`, or that of storage or of OAuth.
        query: The query's parameters.
        headers: The header fields, found by name without regard to case.
        body: The body, of a huge one the first 8 MB; empty for storage.
        status: The status of the response; 0 if the connection was lost on purpose before the work.
        replayed: Whether the response is a stored one, for a repeated idempotency key.
        storage: Whether the request went to storage.
        received_at: When it came, by the emulator's clock.
        milliseconds: How long its response took in real time, delays of `delay_next` included.
        error_code: The error code of the response, None without one.
        error_message: The error message of the response, None without one.
        request_id: The `X-Request-Id` of the response, None without one, as for storage.
        connection_dropped: Whether the response was lost on purpose.

    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Headers
    body: bytes
    status: int
    replayed: bool
    storage: bool
    received_at: datetime
    milliseconds: float
    error_code: str | None
    error_message: str | None
    request_id: str | None
    connection_dropped: bool

    def __repr__(self) -> str:
        if self.path not in OAUTH_PATHS:
            return _masked_repr(self)
        query = mask_parameters(urlencode(self.query))
        return _masked_repr(self, query=query, body=mask_oauth_body(self.body))

    @property
    def json(self) -> Json:
        """The body, read as JSON; None if it is not JSON."""
        try:
            return loads(self.body)
        except ValueError:
            return None


def summarize_exchange(
    request: Request, response: Response, received_at: datetime, seconds: float
) -> ReceivedRequest:
    """Summarize a request and its response, which took some seconds to make."""
    request.body.seek(0)
    find_error = _find_oauth_error if request.in_oauth else _find_error
    error_code, error_message = find_error(response) if response.status >= 400 else (None, None)
    return ReceivedRequest(
        method=request.method,
        path=request.path,
        query=MappingProxyType(request.query),
        headers=Headers(request.headers.items()),
        body=b"" if request.in_storage else request.body.read(MAX_RECORDED_BODY),
        status=response.status,
        replayed=response.headers.get("Idempotent-Replayed") == "true",
        storage=request.in_storage,
        received_at=received_at,
        milliseconds=(seconds + response.delay) * 1000,
        error_code=error_code,
        error_message=error_message,
        request_id=response.headers.get("X-Request-Id"),
        connection_dropped=response.connection_dropped,
    )


def _masked_repr(record: "DataclassInstance", **shown: object) -> str:
    """Return the repr of a dataclass without secrets; some fields are shown otherwise."""
    values = {item.name: shown.get(item.name, getattr(record, item.name)) for item in fields(record)}
    listed = ", ".join(f"{name}={value!r}" for name, value in values.items())
    return mask_secrets(f"{type(record).__name__}({listed})")


def _find_error(response: Response) -> tuple[str | None, str | None]:
    code = ERROR_CODE.search(response.body)
    return (code[1] or code[2] or b"").decode(errors="replace") if code else None, _error_message(response)


def _find_oauth_error(response: Response) -> tuple[str | None, str | None]:
    try:
        document = loads(response.body)
    except ValueError:
        return None, None
    values = document if isinstance(document, dict) else {}
    code, message = (values.get(name) for name in ("error", "error_description"))
    return code if isinstance(code, str) else None, message if isinstance(message, str) else None


def _error_message(response: Response) -> str | None:
    match = ERROR_MESSAGE.search(response.body)
    if match is None:
        return None
    if match[2] is not None:
        return unescape(match[2].decode(errors="replace"))
    try:
        return str(loads(match[1]))
    except ValueError:
        return match[1].decode(errors="replace")
