"""Whoever watches the calls of a client: what it is told, and when. `scripe.otel` is one.

A client that nobody watches pays for a look at one attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from . import _log
from ._core.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that begins: one request, with all its attempts.

    Attributes:
        method: HTTP method.
        url: where to, without a query: cursors and the signatures of links stay out.
        template: the path with its ids left out, such as `/v1/jobs/{id}`; None if only the caller knows it.
        size: bytes of the body; None if there is none.
        is_stored: whether it is a file's way to storage, which takes no headers but its own.

    """

    method: str
    url: str
    template: str | None
    size: int | None
    is_stored: bool = False


class Operation(Protocol):
    """Something that is watched: an operation of several calls, or one call."""

    def ended(self, error: BaseException | None) -> None:
        """It is over, by whatever means: cancelled, interrupted."""
        ...


class Observation(Operation, Protocol):
    """One call that is watched."""

    def sending(self) -> Mapping[str, str]:
        """The request is about to leave: headers to go with it, to the API alone."""
        ...

    def sent(self, attempt: int, outcome: Outcome) -> None:
        """What the attempt brought. A key that was renewed makes two requests of one attempt."""
        ...

    def waited(self, seconds: float) -> None:
        """A wait for the budget is over, or was given up."""
        ...

    def pausing(self, attempt: int, seconds: float) -> None:
        """A pause before another attempt begins."""
        ...


AnyOperation = TypeVar("AnyOperation", bound=Operation)


class Observer(Protocol):
    """Watches all calls of a client and of its copies; from several threads."""

    def call(self, begun: Begun) -> Observation:
        """A call begins, here and now: in the thread and the task that will end it."""
        ...

    def operation(self, name: str) -> Operation:
        """An operation of several calls begins, such as `sources.ingest`."""
        ...


R = TypeVar("R")


class Guarded:
    """An observer that changes nothing when it fails: who only watches breaks no call, and hides no error of it."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def call(self, begun: Begun) -> Observation:
        return _Guarded(_tried(lambda: self._observer.call(begun)))

    def operation(self, name: str) -> Operation:
        return _Guarded(_tried(lambda: self._observer.operation(name)))


class _Guarded:
    def __init__(self, observed: Observation | Operation | None) -> None:
        self._observed = observed

    def sending(self) -> Mapping[str, str]:
        headers = self._told("sending") or {}
        return {
            name: text for name, text in headers.items() if f"{name}{text}".isascii() and text.isprintable()
        }

    def sent(self, attempt: int, outcome: Outcome) -> None:
        self._told("sent", attempt, outcome)

    def waited(self, seconds: float) -> None:
        self._told("waited", seconds)

    def pausing(self, attempt: int, seconds: float) -> None:
        self._told("pausing", attempt, seconds)

    def ended(self, error: BaseException | None) -> None:
        self._told("ended", error)

    def _told(self, what: str, *news: object) -> Mapping[str, str] | None:
        if self._observed is None:
            return None
        return _tried(partial(getattr(self._observed, what), *news))


def _tried(step: Callable[[], R]) -> R | None:
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - whatever it is, the call is what counts
        _log.unwatched(error)
        return None


@contextmanager
def watched(begin: Callable[[], AnyOperation]) -> Generator[AnyOperation]:
    """To its end, whatever that is."""
    operation = begin()
    try:
        yield operation
    except BaseException as error:
        operation.ended(error)
        raise
    operation.ended(None)
