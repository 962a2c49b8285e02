"""The metrics: how long calls take, how often requests are sent again, how long calls wait for the rate limit."""

from __future__ import annotations

from opentelemetry.metrics import Meter

DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120, 300)
"""Bounds in seconds: those of the conventions, and beyond, since a call may wait for a minute or more."""

WAITS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)


class Instruments:
    """What is measured, all in seconds or requests."""

    def __init__(self, meter: Meter) -> None:
        self.duration = meter.create_histogram(
            "scripe.client.call.duration",
            unit="s",
            description="Duration of calls, with their attempts and waits.",
            explicit_bucket_boundaries_advisory=DURATIONS,
        )
        self.retries = meter.create_counter(
            "scripe.client.call.retries",
            unit="{request}",
            description="Requests that were sent again, by what the one before had brought.",
        )
        self.rate_limit_wait = meter.create_histogram(
            "scripe.client.rate_limit_wait.duration",
            unit="s",
            description="Waits for the rate limit, of calls that had to wait.",
            explicit_bucket_boundaries_advisory=WAITS,
        )
