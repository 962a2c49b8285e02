"""What the page reads of an emulator beside what everybody may."""

from dataclasses import dataclass

from scripe.emulator.backend import Backend
from scripe.emulator.faults import Faults
from scripe.emulator.limits import RateLimiter


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
