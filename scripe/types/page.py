"""One page of a list."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from ._base import Model

T = TypeVar("T", bound=BaseModel)


class Pagination(Model):
    """Where a page stands in its list; the API spells these two fields in snake_case."""

    next_cursor: str | None = Field(default=None, alias="next_cursor")
    has_more: bool = Field(default=False, alias="has_more")


class Page(Model, Generic[T]):
    """One page of a list.

    Attributes:
        data: The items of this page.
        next_cursor: Where the next page starts; give it to `.pages(cursor=…)` to go on later.
        has_more: Whether there is a next page.

    """

    data: list[T]
    pagination: Pagination = Pagination()

    @property
    def next_cursor(self) -> str | None:
        """Where the next page starts; None on the last one."""
        return self.pagination.next_cursor

    @property
    def has_more(self) -> bool:
        """Whether there is a next page. A list without `pagination` is one page."""
        return self.pagination.has_more
