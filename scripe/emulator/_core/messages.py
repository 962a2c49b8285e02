"""A request and its answer, apart from how they travel."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from types import MappingProxyType
from typing import BinaryIO
from urllib.parse import parse_qsl, urlsplit

from .canonical_json import Json, loads

PREFIX = "/v1"
STORAGE_PREFIX = "/_storage/"
PAGE_PREFIX = "/_emulator"
MAX_RECORDED_BODY = 8 << 20
MAX_DIGITS = 18  # of a length; Python refuses to read numbers of thousands
ERROR_MESSAGE = re.compile(rb'"message": ?("(?:[^"\\]|\\.)*")|<Message>([^<]*)</Message>')
ERROR_CODE = re.compile(rb'"code": ?"([^"]*)"|<Code>([^<]*)</Code>')


class Headers(Mapping[str, str]):
    """Header fields, looked up without regard to case, listed as they were received."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = {name.lower(): (name, text) for name, text in fields}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        shown = {name: "***" if name.lower() == "authorization" else text for name, text in self.items()}
        return f"Headers({shown!r})"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived.

    Attributes:
        method: the HTTP method.
        url: the absolute URL.
        headers: the header fields; any mapping, looked up without regard to case.
        body: the body, rewound.
        in_real_time: the answer can be held back as long as its `Response.delay` says; where it cannot, the
            emulator's clock moves on instead.

    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=Headers)
    body: BinaryIO = field(default_factory=io.BytesIO)
    in_real_time: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.headers, Headers):
            object.__setattr__(self, "headers", Headers(self.headers.items()))

    @property
    def origin(self) -> str:
        """Scheme, host and port of the URL."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        """The host the caller named."""
        return self.headers.get("host") or urlsplit(self.url).netloc

    @property
    def full_path(self) -> str:
        """The path of the URL, still percent-encoded."""
        return urlsplit(self.url).path

    @property
    def path(self) -> str:
        """The path below ``/v1``; a path outside of it as it is."""
        return self.full_path.removeprefix(PREFIX) if self.in_api else self.full_path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def in_api(self) -> bool:
        """Whether the path lies below ``/v1``."""
        return f"{self.full_path}/".startswith(f"{PREFIX}/")

    @property
    def in_storage(self) -> bool:
        """Whether the path is one of the emulator's own storage."""
        return self.full_path.startswith(STORAGE_PREFIX)

    def length(self) -> int:
        """The bytes that the body really holds; the body is rewound."""
        size = self.body.seek(0, io.SEEK_END)
        self.body.seek(0)
        return size

    @property
    def announced_length(self) -> int | None:
        """The bytes that ``Content-Length`` announces, None when there is no number."""
        announced = self.headers.get("content-length", "")
        return int(announced[:MAX_DIGITS]) if announced.isdecimal() else None

    def is_cut_short(self) -> bool:
        """Whether less arrived than ``Content-Length`` announced."""
        return self.length() < (self.announced_length or 0)


@dataclass(slots=True)
class Response:
    """One answer, and how it is to be sent.

    Attributes:
        status: the HTTP status.
        headers: the header fields, ``Content-Length`` left to the mount.
        body: the whole body.
        dropped: the work was done, but the answer must be lost on the wire.
        delay: seconds of real time to wait before answering.

    """

    status: int
    headers: dict[str, str]
    body: bytes
    connection_dropped: bool = False
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request that came in, and what became of it.

    Attributes:
        method: the HTTP method.
        path: the path below ``/v1``, or the storage path.
        query: the query's parameters.
        headers: the header fields, looked up without regard to case.
        body: the body, of a huge one the first 8 MB; empty for storage.
        status: the status answered.
        replayed: whether a stored answer was given again.
        storage: whether the request went to storage.
        received_at: when it came, by the emulator's clock.
        milliseconds: what its answer took of real time, waits that were ordered included.
        error_code: the code of an answer that is an error, None without one.
        error_message: the message of an answer that is an error, None without one.
        request_id: the ``X-Request-Id`` that it was answered with, None without one, as storage's answers are.
        dropped: whether the answer was lost on purpose.

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

    @property
    def json(self) -> Json:
        """The body, read as JSON; None when it is none."""
        try:
            return loads(self.body)
        except ValueError:
            return None

    @classmethod
    def from_exchange(
        cls, request: Request, response: Response, received_at: datetime, seconds: float
    ) -> "ReceivedRequest":
        """The record of a request and its answer, which took so many seconds to make."""
        return cls(
            method=request.method,
            path=request.path,
            query=MappingProxyType(request.query),
            headers=Headers(request.headers.items()),
            body=b"" if request.in_storage else _whole(request),
            status=response.status,
            replayed=response.headers.get("Idempotent-Replayed") == "true",
            storage=request.in_storage,
            received_at=received_at,
            milliseconds=(seconds + response.delay) * 1000,
            error_code=_error_code(response),
            error_message=_error_message(response),
            request_id=response.headers.get("X-Request-Id"),
            connection_dropped=response.connection_dropped,
        )


def _error_code(response: Response) -> str | None:
    found = ERROR_CODE.search(response.body) if response.status >= 400 else None
    return (found[1] or found[2] or b"").decode(errors="replace") if found else None


def _error_message(response: Response) -> str | None:
    match = ERROR_MESSAGE.search(response.body) if response.status >= 400 else None
    if match is None:
        return None
    if match[2] is not None:
        return unescape(match[2].decode(errors="replace"))
    try:
        return str(loads(match[1]))
    except ValueError:
        return match[1].decode(errors="replace")


def _whole(request: Request) -> bytes:
    request.body.seek(0)
    return request.body.read(MAX_RECORDED_BODY)
