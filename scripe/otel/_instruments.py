"""The metrics: durations of calls, numbers of retries, durations of rate limit waits."""

from __future__ import annotations

from opentelemetry.metrics import Meter

DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120, 300)
"""Bucket bounds in seconds: those of the conventions, and longer ones, since a call may wait for minutes."""

WAITS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
"""Bucket bounds in seconds, for rate limit waits."""


class Instruments:
    """The instruments of one meter."""

    def __init__(self, meter: Meter) -> None:
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
