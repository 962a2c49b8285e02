"""What a command gives back, to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .. import Pager

T = TypeVar("T", bound="BaseModel")
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Listing:
    """Several things of one kind."""

    kind: str
    items: Sequence[BaseModel]
    has_more: bool = False
    exit_code: int = 0


if TYPE_CHECKING:
    Result: TypeAlias = BaseModel | Listing
else:
    Result = object  # annotations of commands are evaluated, and pydantic takes its time to load


def page_size(limit: int | None) -> int:
    """What to fetch at once, to know whether there is more than the limit."""
    return MOST_AT_ONCE if limit is None else min(limit + 1, MOST_AT_ONCE)


def listed(kind: str, pager: Pager[T], limit: int | None = None) -> Listing:
    """The first so many things of a list; all of them without a limit."""
    items = pager.to_list(None if limit is None else limit + 1)
    shown = items if limit is None else items[:limit]
    return Listing(kind, shown, has_more=len(shown) < len(items))
