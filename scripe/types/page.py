"""One page of a list."""

from __future__ import annotations

from functools import cache
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, Field

from ._base import Model

T = TypeVar("T", bound=BaseModel)


class Pagination(Model):
    """Where a page stands in its list; the API spells these two fields in snake_case.

    Attributes:
        next_cursor: Where the next page starts.
        has_more: Whether there is one.

    """

    next_cursor: str | None = Field(default=None, alias="next_cursor")
    has_more: bool = Field(default=False, alias="has_more")


class Page(Model, Generic[T]):
    """One page of a list.

    Attributes:
        data: The items of this page.
        pagination: Where it stands in its list; `next_cursor` and `has_more` say the same.

    """

    data: list[T]
    pagination: Pagination | None = None

    def _repr_html_(self) -> str:
        from .._html import page_table

        return page_table(self.data, has_more=self.has_more)

    def __reduce__(self) -> tuple[object, ...]:
        # `Page[Job]` is made at run time: no module has it under that name for pickle to find.
        items: tuple[type[BaseModel], ...] = type(self).__pydantic_generic_metadata__["args"]
        return _restore, (items, self.__getstate__())

    @property
    def next_cursor(self) -> str | None:
        """Where the next page starts, to give to `.pages(cursor=…)` later; None on the last one."""
        return self.pagination.next_cursor if self.pagination else None

    @property
    def has_more(self) -> bool:
        """Whether there is a next page. A list without `pagination` is one page."""
        return self.pagination is not None and self.pagination.has_more


def page_of(item: type[T]) -> type[Page[T]]:
    return cast("type[Page[T]]", _page_class(item))


@cache  # pydantic forgets a class that nobody holds, and takes half a millisecond to make it again
def _page_class(item: type[BaseModel]) -> type[BaseModel]:
    return cast("type[BaseModel]", Page.__class_getitem__(item))


def _restore(items: tuple[type[T], ...], state: dict[object, object]) -> Page[T]:
    page_class = page_of(items[0]) if items else cast("type[Page[T]]", Page)
    page = page_class.__new__(page_class)
    page.__setstate__(state)
    return page
