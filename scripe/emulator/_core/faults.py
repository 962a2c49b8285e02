"""Mishaps on order: the next matching requests fail, lose their answer, or wait."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from .errors import failure
from .messages import Request, Response
from .storage.base import refusal


@dataclass(slots=True)
class Fault:
    """One mishap, and which requests it meets."""

    method: str | None
    path: str | None
    times: int
    ordered: int = field(init=False)

    def __post_init__(self) -> None:
        self.ordered = self.times

    def __str__(self) -> str:
        """What it is, and which requests it waits for."""
        return f"{self.shown} for {self.method or 'any method'} {self.path or 'of any path'}"

    @property
    def shown(self) -> str:
        """What happens to a request."""
        return type(self).__name__.lower()

    def meets(self, request: Request) -> bool:
        """Whether it is this request's turn."""
        return (
            self.times > 0
            and self.method in (None, request.method)
            and request.path.startswith(self.path or "")
        )


@dataclass(slots=True)
class Outcome(Fault):
    """What becomes of a request."""


@dataclass(slots=True)
class Failure(Outcome):
    """The request is answered so, and nothing is done."""

    status: int
    code: str | None = None
    message: str | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def shown(self) -> str:
        """The status, by which one order is told from another."""
        return str(self.status)

    def response(self, request: Request, request_id: str) -> Response:
        """The answer: the raw body if one was given, else the form that this path's errors have."""
        headers = dict(self.headers)
        if self.body is not None:
            return Response(self.status, headers, self.body)
        if request.in_storage:
            answer = refusal(self.status, self.code or "InternalError", self.message or "We had a problem.")
            return Response(answer.status, answer.headers | headers, answer.body)
        return failure(self.status, request_id, self.code, self.message, headers=headers)


@dataclass(slots=True)
class Drop(Outcome):
    """The work is done, the answer is lost."""


@dataclass(slots=True)
class Delay(Fault):
    """The answer comes late."""

    seconds: float


AnyFault = TypeVar("AnyFault", bound=Fault)


class Faults:
    """The mishaps on order, met in the order in which they were given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order one.

        Raises:
            ValueError: it would meet no request.

        """
        if not (fault.path or "/").startswith("/"):
            raise ValueError(f"path is {fault.path!r}; begin it with /")
        if fault.times < 1:
            raise ValueError(f"times is {fault.times}; give 1 or more")
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Call off all that have not been met."""
        with self._lock:
            self._pending = []

    def pending(self) -> list[Fault]:
        """Copies of those that no request has met yet, in order."""
        with self._lock:
            return [replace(fault) for fault in self._pending]

    def unmet(self) -> list[str]:
        """The orders that no request has met at all, as people read them."""
        with self._lock:
            return [str(fault) for fault in self._pending if fault.times == fault.ordered]

    def awaits(self, request: Request) -> bool:
        """Whether any would meet this request."""
        with self._lock:
            return any(fault.meets(request) for fault in self._pending)

    def outcome(self, request: Request) -> Outcome | None:
        """The failure or drop that meets this request, one time of it used up."""
        return self._take(request, Outcome)

    def delay(self, request: Request) -> float:
        """How many seconds late the answer of this request comes."""
        late = self._take(request, Delay)
        return late.seconds if late else 0.0

    def _take(self, request: Request, kind: type[AnyFault]) -> AnyFault | None:
        with self._lock:
            for fault in self._pending:
                if isinstance(fault, kind) and fault.meets(request):
                    fault.times -= 1
                    self._pending = [one for one in self._pending if one.times > 0]
                    return fault
            return None
