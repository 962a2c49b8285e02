"""Spans and metrics kept in memory, as OpenTelemetry's own SDK makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from opentelemetry.trace import SpanContext

from scripe import AsyncScripe, Scripe
from scripe.otel import instrument

Event: TypeAlias = tuple[str, dict[str, object]]


class Telemetry:
    """Records the spans and metrics of instrumented clients."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def instrument(self, client: Scripe | AsyncScripe) -> None:
        providers = self.tracer_provider, self.meter_provider
        assert instrument(client, tracer_provider=providers[0], meter_provider=providers[1]) is client

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in that order."""
        return list(self._exporter.get_finished_spans())

    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def only(self) -> ReadableSpan:
        (span,) = self.spans
        return span

    def clear(self) -> None:
        self._exporter.clear()

    def points(self, name: str) -> list[NumberDataPoint | HistogramDataPoint]:
        metrics = self._reader.get_metrics_data()
        if metrics is None:
            return []
        return [
            point
            for resource in metrics.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint | HistogramDataPoint)
        ]

    def as_text(self) -> str:
        """Return all spans and metrics, as exporters would send them."""
        metrics = self._reader.get_metrics_data()
        return "\n".join([*(span.to_json() for span in self.spans), metrics.to_json() if metrics else ""])


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def events_of(span: ReadableSpan) -> list[Event]:
    return [(event.name, dict(event.attributes or {})) for event in span.events]


def context_of(span: ReadableSpan) -> SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context


def is_child(span: ReadableSpan, of: ReadableSpan) -> bool:
    mine, theirs = span.parent, context_of(of)
    return mine is not None and (mine.trace_id, mine.span_id) == (theirs.trace_id, theirs.span_id)


def select(attributes: Mapping[str, object] | None, *names: str) -> list[object]:
    return [(attributes or {}).get(name) for name in names]
