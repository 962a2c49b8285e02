"""Record calls as spans and metrics.

The span of a call is the current span while the call runs, so that spans of the code that it calls become its children.

Observers must not change what they observe: `SafeObserver` catches and logs the errors of an observer. Without it, an
exporter that fails would fail the call, or hide the call's own error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from opentelemetry import context, metrics, propagate, trace

# Private by name only: instrumentations of HTTP clients read this key to see whether they are suppressed.
from opentelemetry.context import (
    _SUPPRESS_HTTP_INSTRUMENTATION_KEY as SUPPRESS_HTTP,  # pyright: ignore[reportPrivateUsage]
)
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from .. import _log
from .._core.outcome import Outcome, RawResponse
from .._observer import CallDescription, Observation, Observer, Operation
from .._version import __version__
from . import _attributes as attributes
from ._attributes import Attributes

P = ParamSpec("P")
R = TypeVar("R")

SCHEMA = "https://opentelemetry.io/schemas/1.37.0"

DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120, 300)
"""Bucket bounds in seconds: those of the conventions, and longer ones, since a call may wait for minutes."""

WAITS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
"""Bucket bounds in seconds, for rate limit waits."""


class OpenTelemetryObserver(Observer):
    """Records all calls of a client as spans and metrics."""

    def __init__(self, tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None) -> None:
        self.tracer = trace.get_tracer("scripe", __version__, tracer_provider, SCHEMA)
        meter = metrics.get_meter("scripe", __version__, meter_provider, SCHEMA)
        self.duration = meter.create_histogram(
            "scripe.client.call.duration",
            unit="s",
            description="Duration of calls, including retries and waits.",
            explicit_bucket_boundaries_advisory=DURATIONS,
        )
        self.retries = meter.create_counter(
            "scripe.client.call.retries",
            unit="{request}",
            description="Requests that were sent again, by the outcome of the previous one.",
        )
        self.rate_limit_wait = meter.create_histogram(
            "scripe.client.rate_limit_wait.duration",
            unit="s",
            description="Duration of rate limit waits, of calls that had to wait.",
            explicit_bucket_boundaries_advisory=WAITS,
        )

    def call(self, description: CallDescription) -> TracedCall:
        return TracedCall(self, description)

    def operation(self, name: str) -> Traced:
        return Traced(self.tracer.start_span(f"scripe {name}", kind=SpanKind.INTERNAL))


class SafeObserver(Observer):
    """Wraps an observer so that its errors never break or hide the call that it observes.

    Each type of error is logged once.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def call(self, description: CallDescription) -> Observation:
        return _SafeObservation(_call_safely(self._observer.call, description))

    def operation(self, name: str) -> Operation:
        return _SafeObservation(_call_safely(self._observer.operation, name))


class _SafeObservation(Observation):
    def __init__(self, observation: Observation | Operation | None) -> None:
        self._observation = observation

    def _report(self, hook: str, *arguments: object) -> Mapping[str, str]:
        if self._observation is None:
            return {}
        return _call_safely(getattr(self._observation, hook), *arguments) or {}

    def on_send(self) -> Mapping[str, str]:
        # An observer may be any code: a header with a line break or a non-ASCII letter would make the request fail.
        headers = self._report("on_send").items()
        return {name: text for name, text in headers if f"{name}{text}".isascii() and text.isprintable()}

    def on_outcome(self, attempt: int, outcome: Outcome) -> None:
        self._report("on_outcome", attempt, outcome)

    def on_rate_limit_wait(self, seconds: float) -> None:
        self._report("on_rate_limit_wait", seconds)

    def on_retry(self, attempt: int, seconds: float) -> None:
        self._report("on_retry", attempt, seconds)

    def on_end(self, error: BaseException | None) -> None:
        self._report("on_end", error)


def _call_safely(hook: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    try:
        return hook(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever it is, the call continues
        _log.log_observer_error(error)
        return None


class Traced(Operation):
    """A span that is the current span until it ends."""

    def __init__(self, span: Span, parent: context.Context | None = None) -> None:
        self.span = span
        self._token = context.attach(trace.set_span_in_context(span, parent))

    def on_end(self, error: BaseException | None) -> None:
        try:
            if error is not None:
                self.span.set_attributes(attributes.error_attributes(error))
                self.span.set_status(StatusCode.ERROR, attributes.error_description(error))
        finally:
            context.detach(self._token)
            self.span.end()


class TracedCall(Traced, Observation):
    """The span and the metrics of one call."""

    def __init__(self, observer: OpenTelemetryObserver, description: CallDescription) -> None:
        self._observer = observer
        self._metric_attributes: Attributes = attributes.metric_attributes(description)
        self._started = time.perf_counter()
        self._requests = 0
        self._last: Outcome | None = None
        self._waited = self._unreported_wait = 0.0
        span = observer.tracer.start_span(
            attributes.span_name(description),
            kind=SpanKind.CLIENT,
            attributes=attributes.start_attributes(description),
        )
        # An instrumentation of httpx would record the upload link with its signature, and add headers that storage
        # rejects.
        super().__init__(span, context.set_value(SUPPRESS_HTTP, True) if description.is_upload else None)

    def on_send(self) -> Mapping[str, str]:
        self._report_wait()
        if self._last is not None:
            self._observer.retries.add(1, self._metric_attributes | attributes.outcome_attributes(self._last))
        self._requests += 1
        headers: dict[str, str] = {}
        propagate.inject(headers)
        return headers

    def on_outcome(self, attempt: int, outcome: Outcome) -> None:
        self._last = outcome
        self.span.add_event(
            "scripe.attempt", attributes.attempt_attributes(attempt, self._requests - 1, outcome)
        )

    def on_rate_limit_wait(self, seconds: float) -> None:
        self._waited += seconds
        self._unreported_wait += seconds

    def on_retry(self, attempt: int, seconds: float) -> None:
        self.span.add_event("scripe.retry", {"scripe.attempt": attempt, "scripe.wait": seconds})

    def on_end(self, error: BaseException | None) -> None:
        try:
            self._report_wait()
            if self._requests > 1:
                self.span.set_attribute("http.request.resend_count", self._requests - 1)
            if isinstance(self._last, RawResponse):
                self.span.set_attributes(attributes.response_attributes(self._last))
            self._measure(error)
        finally:
            super().on_end(error)

    def _report_wait(self) -> None:
        """Add one event for all waits before a request: a call that competes with many others waits many times."""
        if self._unreported_wait:
            self.span.add_event("scripe.rate_limit_wait", {"scripe.wait": self._unreported_wait})
            self._unreported_wait = 0.0

    def _measure(self, error: BaseException | None) -> None:
        labels = dict(self._metric_attributes)
        if isinstance(self._last, RawResponse):
            labels |= attributes.outcome_attributes(self._last)
        if error is not None:
            labels["error.type"] = attributes.error_type(error)
        self._observer.duration.record(time.perf_counter() - self._started, labels)
        if self._waited:
            self._observer.rate_limit_wait.record(self._waited, self._metric_attributes)
