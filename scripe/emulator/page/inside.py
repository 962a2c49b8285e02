"""What the page reads of an emulator beside what everybody may."""

from dataclasses import dataclass

from .._core.faults import Faults
from .._core.rate_limits import RateLimiter
from .._core.services import Backend


@dataclass(frozen=True, slots=True)
class Inside:
    """The parts of an emulator that the page shows.

    Attributes:
        backend: its records, keys, spending and clock.
        limiter: its rate budgets.
        faults: the mishaps on order.

    """

    backend: Backend
    limiter: RateLimiter
    faults: Faults
