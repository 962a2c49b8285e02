"""One page of a list."""

from __future__ import annotations

from functools import cache
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, Field

from ._base import Model

T = TypeVar("T", bound=BaseModel)


class Pagination(Model):
    """The position of a page in its list. The API spells these two fields in snake_case.

    Attributes:
        next_cursor: Cursor of the next page.
        has_more: True if there is a next page.

    """

    next_cursor: str | None = Field(default=None, alias="next_cursor")
    has_more: bool = Field(default=False, alias="has_more")


class Page(Model, Generic[T]):
    """One page of a list.

    Attributes:
        data: The items of this page.
        pagination: Its position in the list, also available as `next_cursor` and `has_more`.

    """

    data: list[T]
    pagination: Pagination | None = None

    def _repr_html_(self) -> str:
        from .._html import page_table

        return page_table(self.data, has_more=self.has_more)

    def __reduce__(self) -> tuple[object, ...]:
        # `Page[Job]` is created at run time: pickle finds it in no module.
        items: tuple[type[BaseModel], ...] = type(self).__pydantic_generic_metadata__["args"]
        return _restore, (items, self.__getstate__())

    @property
    def next_cursor(self) -> str | None:
        """Cursor of the next page, for `.pages(cursor=…)`; None on the last page."""
        return self.pagination.next_cursor if self.pagination else None

    @property
    def has_more(self) -> bool:
        """True if there is a next page. A list without `pagination` is a single page."""
        return self.pagination is not None and self.pagination.has_more


def page_of(item: type[T]) -> type[Page[T]]:
    """Return the class of pages with items of this class."""
    return cast("type[Page[T]]", _page_class(item))


@cache  # pydantic keeps only weak references to these classes, and takes half a millisecond to create one again
def _page_class(item: type[BaseModel]) -> type[BaseModel]:
    return cast("type[BaseModel]", Page.__class_getitem__(item))


def _restore(items: tuple[type[T], ...], state: dict[object, object]) -> Page[T]:
    page_class = page_of(items[0]) if items else cast("type[Page[T]]", Page)
    page = page_class.__new__(page_class)
    page.__setstate__(state)
    return page
