"""Traces and metrics of a client's calls, for OpenTelemetry (extra `otel`).

    from scripe import Scripe
    from scripe.otel import instrument

    client = instrument(Scripe())

Each call gets a client span, with its attempts and waits as events. The calls of `sources.ingest`, `jobs.wait` and
similar methods get an internal span around them. Metrics count retries, and measure calls and rate limit waits. Nothing
contains a body, an API key or the query of a URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .._async.client import AsyncScripe
from .._async.client import set_observer as set_async_observer
from .._core.config import check_type
from .._lazy import stand_ins
from .._sync.client import Scripe, set_observer

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider
else:
    globals().update(
        stand_ins({"MeterProvider": "opentelemetry.metrics", "TracerProvider": "opentelemetry.trace"})
    )

try:
    from ._observer import OpenTelemetryObserver, SafeObserver
except ModuleNotFoundError as _error:
    if _error.name is None or not _error.name.startswith("opentelemetry"):
        raise
    raise ImportError(
        'OpenTelemetry is not installed. Install scripe with the extra "otel", which adds opentelemetry-api.',
        name=_error.name,
    ) from None

__all__ = ["instrument"]

Client = TypeVar("Client", bound=Scripe | AsyncScripe)


def instrument(
    client: Client,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Client:
    """Record the calls of a client, and of all copies that `with_options` makes, with OpenTelemetry.

    Instrumenting a client again replaces its providers; no span is recorded twice. Providers cannot be pickled:
    instrument a pickled client again where it is loaded.

    Args:
        client: A `Scripe` or an `AsyncScripe`.
        tracer_provider: The provider for spans. Default: the global one.
        meter_provider: The provider for metrics. Default: the global one.

    Returns:
        The same client.

    Raises:
        InvalidArgumentError: `client` is not a client.

    """
    check_type(client, (Scripe, AsyncScripe), "client", "a Scripe or an AsyncScripe")
    observer = SafeObserver(OpenTelemetryObserver(tracer_provider, meter_provider))
    if isinstance(client, Scripe):
        set_observer(client, observer)
    else:
        set_async_observer(client, observer)
    return client
