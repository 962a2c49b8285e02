"""Decide what a response shows about a fact: what was assumed, what was seen, and whether they are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..types._base import JSON

Verdict: TypeAlias = Literal["same", "differs", "not seen"]


@dataclass(frozen=True, slots=True)
class FactObservation:
    """What the API does where the documentation says nothing, or two things.

    Attributes:
        id: The number of the fact in the documentation, such as `C6`.
        assumed: How the API is taken to behave.
        observed: How it was seen to behave.
        verdict: `same`, `differs`, or `not seen`.

    """

    id: str
    assumed: str
    observed: JSON
    verdict: Verdict

    def __str__(self) -> str:
        return f"{self.verdict:8} {self.id:4} assumed: {self.assumed}; observed: {self.observed}"
