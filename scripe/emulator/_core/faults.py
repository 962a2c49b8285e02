"""Faults on request: the next matching requests fail, lose their response, or get it late."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from .errors import error_response, oauth_error_response
from .messages import Request, Response
from .storage.base import storage_error_response

HEADER_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*")


@dataclass(slots=True)
class Fault:
    """A fault, the requests that it meets, and how many of them are left."""

    method: str | None
    path: str | None
    times: int
    is_met: bool = field(default=False, init=False)

    def __str__(self) -> str:
        return f"{self.label} for {self.method or 'any method'} {self.path or 'of any path'}"

    @property
    def label(self) -> str:
        """The word by which a person recognises the fault."""
        return "delay"

    def matches(self, request: Request) -> bool:
        """Return whether it meets this request."""
        return (
            self.times > 0
            and self.method in (None, request.method)
            and request.path.startswith(self.path or "")
        )


@dataclass(slots=True)
class Delay(Fault):
    """The response comes late."""

    seconds: float

    def __post_init__(self) -> None:
        if self.seconds < 0:
            raise ValueError(f"seconds is {self.seconds}; give 0 or more")


@dataclass(slots=True)
class Drop(Fault):
    """The request is done, and its response is lost; or the connection is lost before the request is done."""

    before: bool = False

    @property
    def label(self) -> str:
        return "drop before the work" if self.before else "drop"


@dataclass(slots=True)
class Failure(Fault):
    """The request gets this response, and nothing is done."""

    status: int
    code: str | None = None
    message: str | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    retry_after: float | str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or not 200 <= self.status <= 599:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"status is {self.status!r}; give a number from 200 to 599")
        if self.retry_after is not None:
            self.headers = {**self.headers, "Retry-After": str(self.retry_after)}
        for name, text in self.headers.items():
            if not HEADER_FIELD.fullmatch(f"{name}: {text}"):
                raise ValueError(f"{name}: {text!r} is not a valid header field")

    @property
    def label(self) -> str:
        return str(self.status)

    def response(self, request: Request, request_id: str) -> Response:
        """Return the raw body if there is one, else an error in the form of the API, of storage or of OAuth."""
        if self.body is not None:
            return Response(self.status, dict(self.headers), self.body)
        if request.in_storage:
            response = storage_error_response(
                self.status, self.code or "InternalError", self.message or "We had a problem."
            )
        elif request.in_oauth:
            response = oauth_error_response(self.status, self.code, self.message)
        else:
            response = error_response(self.status, request_id, self.code, self.message)
        response.headers |= self.headers
        return response


FaultT = TypeVar("FaultT", bound=Fault)


class Faults:
    """The pending faults, met in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Append a fault, or raise a ValueError if it could meet no request."""
        if not (fault.path or "/").startswith("/"):
            raise ValueError(f"path is {fault.path!r}; begin it with /")
        if fault.times < 1:
            raise ValueError(f"times is {fault.times}; give 1 or more")
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._pending = []

    def list_pending(self) -> list[Fault]:
        """Return copies of the faults that have requests left to meet."""
        with self._lock:
            return [replace(fault) for fault in self._pending]

    def describe_unused(self) -> list[str]:
        """Describe the faults that no request has met at all."""
        with self._lock:
            return [str(fault) for fault in self._pending if not fault.is_met]

    def would_match(self, request: Request) -> bool:
        """Return whether any fault meets this request."""
        with self._lock:
            return any(fault.matches(request) for fault in self._pending)

    def pop(self, request: Request, *classes: type[FaultT]) -> FaultT | None:
        """Use up one time of the first fault of some classes that meets this request, and return it."""
        with self._lock:
            for fault in self._pending:
                if isinstance(fault, classes) and fault.matches(request):
                    fault.times -= 1
                    fault.is_met = True
                    self._pending = [other for other in self._pending if other.times > 0]
                    return fault
            return None
