"""Define the hooks for an observer of a client's calls, such as `scripe.otel`.

The hooks of these classes do nothing; an observer overrides them. A client without an observer has `NULL_OBSERVER`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from ._core.outcome import Outcome


@dataclass(frozen=True, slots=True)
class CallDescription:
    """One call at its start: one request, with all its attempts. Cursors and signatures of links stay out."""

    method: str
    base_url: str  # of the API, or of an upload link without its query
    path: str  # below the base URL, without its query
    path_template: str | None  # with its ids left out, such as `/jobs/{}`; None if only the caller knows it
    size: int | None  # bytes of the body; None if there is none
    is_upload: bool = False  # to storage, which accepts no headers of an observer

    @property
    def url(self) -> str:
        """The URL without its query."""
        return self.base_url + self.path

    @property
    def template(self) -> str | None:
        """The whole path with its ids left out, such as `/v1/jobs/{id}`."""
        if self.path_template is None:
            return None
        return urlsplit(self.base_url).path + self.path_template.replace("{}", "{id}")


class Operation:
    """An operation under observation: several calls, or one call."""

    def on_end(self, error: BaseException | None) -> None:
        """Observe the end of the operation, by whatever means: success, error, cancellation."""


class Observation(Operation):
    """One call under observation."""

    def on_send(self) -> Mapping[str, str]:
        """Observe that a request is about to be sent; return headers to send with it (to the API only)."""
        return {}

    def on_outcome(self, attempt: int, outcome: Outcome) -> None:
        """Observe the outcome of an attempt. With a refreshed API key, one attempt makes two requests."""

    def on_rate_limit_wait(self, seconds: float) -> None:
        """Observe that a wait for the rate limit has ended, or was given up."""

    def on_retry(self, attempt: int, seconds: float) -> None:
        """Observe the start of the delay before another attempt."""


class Observer:
    """Observes all calls of a client and of its copies, from several threads."""

    def call(self, description: CallDescription) -> Observation:  # noqa: ARG002
        """Observe the start of a call, in the thread and the task that will end it."""
        return Observation()

    def operation(self, name: str) -> Operation:  # noqa: ARG002
        """Observe the start of an operation of several calls, such as `sources.ingest`."""
        return Operation()


NULL_OBSERVER = Observer()

AnyOperation = TypeVar("AnyOperation", bound=Operation)


@contextmanager
def observe(operation: AnyOperation) -> Generator[AnyOperation]:
    """Report the end of an operation when the block ends, by whatever means."""
    try:
        yield operation
    except BaseException as error:
        operation.on_end(error)
        raise
    operation.on_end(None)
