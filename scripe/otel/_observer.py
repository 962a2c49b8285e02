"""Calls as spans. A span is current while its call is under way, so that what is traced below it nests there."""

from __future__ import annotations

import time
from collections.abc import Mapping

from opentelemetry import context, metrics, propagate, trace

# Private by its name only: this is how instrumentations tell each other to stay away.
from opentelemetry.context import (
    _SUPPRESS_HTTP_INSTRUMENTATION_KEY as WITHOUT_HTTP,  # pyright: ignore[reportPrivateUsage]
)
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider

from .._core.outcome import Answer, Outcome
from .._observer import Begun
from .._version import __version__
from . import _attributes as attributes
from ._attributes import Attributes
from ._instruments import Instruments

SCHEMA = "https://opentelemetry.io/schemas/1.37.0"


class OpenTelemetryObserver:
    """Watches all calls of a client."""

    def __init__(self, tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None) -> None:
        self._tracer = trace.get_tracer("scripe", __version__, tracer_provider, SCHEMA)
        self._instruments = Instruments(metrics.get_meter("scripe", __version__, meter_provider, SCHEMA))

    def call(self, begun: Begun) -> TracedCall:
        return TracedCall(self._tracer, self._instruments, begun)

    def operation(self, name: str) -> Traced:
        return Traced(self._tracer.start_span(f"scripe {name}", kind=SpanKind.INTERNAL))


class Traced:
    """A span that is current until it ends."""

    def __init__(self, span: Span, surroundings: context.Context | None = None) -> None:
        self.span = span
        self._token = context.attach(trace.set_span_in_context(span, surroundings))

    def ended(self, error: BaseException | None) -> None:
        try:
            if error is not None:
                self.span.set_attributes(attributes.failure(error))
                self.span.set_status(StatusCode.ERROR, attributes.description(error))
        finally:
            context.detach(self._token)
            self.span.end()


class TracedCall(Traced):
    """The span of one call, and what is measured of it."""

    def __init__(self, tracer: Tracer, instruments: Instruments, begun: Begun) -> None:
        self._instruments = instruments
        self._series: Attributes = attributes.series(begun)
        self._began = time.perf_counter()
        self._requests = 0
        self._last: Outcome | None = None
        self._waited = self._untold_wait = 0.0
        span = tracer.start_span(
            attributes.span_name(begun), kind=SpanKind.CLIENT, attributes=attributes.beginning(begun)
        )
        # Another instrumentation would show the link with its signature, and add headers that storage refuses.
        super().__init__(span, context.set_value(WITHOUT_HTTP, True) if begun.is_stored else None)

    def sending(self) -> Mapping[str, str]:
        self._tell_of_wait()
        if self._last is not None:
            self._instruments.retries.add(1, self._series | attributes.result(self._last))
        self._requests += 1
        headers: dict[str, str] = {}
        propagate.inject(headers)
        return headers

    def sent(self, attempt: int, outcome: Outcome) -> None:
        self._last = outcome
        self.span.add_event("scripe.attempt", attributes.attempt(attempt, self._requests - 1, outcome))

    def waited(self, seconds: float) -> None:
        self._waited += seconds
        self._untold_wait += seconds

    def pausing(self, attempt: int, seconds: float) -> None:
        self.span.add_event("scripe.retry", {"scripe.attempt": attempt, "scripe.wait": seconds})

    def ended(self, error: BaseException | None) -> None:
        try:
            self._tell_of_wait()
            if self._requests > 1:
                self.span.set_attribute("http.request.resend_count", self._requests - 1)
            if isinstance(self._last, Answer):
                self.span.set_attributes(attributes.answer(self._last))
            self._measure(error)
        finally:
            super().ended(error)

    def _tell_of_wait(self) -> None:
        """One event for all the waits before a request: beside many other calls they are short."""
        if self._untold_wait:
            self.span.add_event("scripe.budget_wait", {"scripe.wait": self._untold_wait})
            self._untold_wait = 0.0

    def _measure(self, error: BaseException | None) -> None:
        found = dict(self._series)
        if isinstance(self._last, Answer):
            found |= attributes.result(self._last)
        if error is not None:
            found["error.type"] = attributes.error_type(error)
        self._instruments.duration.record(time.perf_counter() - self._began, found)
        if self._waited:
            self._instruments.budget_wait.record(self._waited, self._series)
