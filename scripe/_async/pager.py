"""What `list` returns: a list that is fetched page by page, as it is read."""

from __future__ import annotations

import collections.abc
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from pydantic import BaseModel

from .._core.pagination import PageWalk
from .._core.request import Request, page_query
from .._lazy import LazyModule
from ..errors import BadCursorError, InvalidArgumentError, ScripeError
from ..types._base import set_response_on_items
from ..types.page import Page, page_of
from .sender import AsyncSender

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
else:
    pd, pl = LazyModule("pandas"), LazyModule("polars")

T = TypeVar("T", bound=BaseModel)


# Iterators are classes, not generators: one that is left half-way needs no closing, and one that raised can go on.


class AsyncPages(Generic[T]):
    """The pages of one walk through a list."""

    def __init__(self, sender: AsyncSender, path: str, page_class: type[Page[T]], walk: PageWalk[T]) -> None:
        self._sender = sender
        self._path = path
        self._page_class = page_class
        self._walk = walk

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        while (query := self._walk.next_query()) is not None:
            try:
                page = await self._sender.send(
                    Request("GET", self._path, self._page_class, params=query, envelope="whole")
                )
            except BadCursorError:
                if not self._walk.restart():
                    raise
            else:
                return self._accept(page)
        raise StopAsyncIteration

    def _accept(self, page: Page[T]) -> Page[T]:
        page = self._walk.accept(page)
        set_response_on_items(page.data, page.last_response)
        return page


class AsyncItems(Generic[T]):
    """The items of one walk through a list."""

    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._items: collections.abc.Iterator[T] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while (item := next(self._items, None)) is None:
            self._items = iter((await anext(self._pages)).data)
        return item


class AsyncPager(Generic[T]):
    """A list of the API: iterate it for items. Nothing is sent before the first item is asked for.

    Each iteration walks the list anew. A walk survives a cursor that goes stale on the way: it starts again and
    skips what it has yielded.

    Raises:
        APIStatusError: while iterating, when the API answers with an error.
        APIConnectionError: while iterating, when no answer comes.
        APIResponseValidationError: while iterating, when the pages make no sense (a cursor that comes back, say).

    """

    def __init__(self, sender: AsyncSender, path: str, model: type[T], query: Mapping[str, str]) -> None:
        self._sender = sender
        self._path = path
        self._model = model
        self._query = query

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._path}: iterate it, or call head, first or to_list>"

    def _repr_html_(self) -> str:
        from .._html import async_preview_html

        return async_preview_html(self, ScripeError)

    def __aiter__(self) -> AsyncIterator[T]:
        return AsyncItems(self.pages())

    def pages(self, cursor: str | None = None) -> AsyncIterator[Page[T]]:
        """The same list as pages.

        Args:
            cursor: Where to begin: the `next_cursor` of a page of this very list. One that the API refuses
                raises `BadCursorError`; one that this walk was given on the way starts the walk again.

        """
        return AsyncPages(self._sender, self._path, page_of(self._model), PageWalk(self._query, cursor))

    async def to_list(self, max_items: int | None = None) -> list[T]:
        """All items, or the first so many, as a list.

        Raises:
            InvalidArgumentError: `max_items` is negative.

        """
        if max_items is not None and max_items < 0:
            raise InvalidArgumentError(f"max_items is {max_items!r}; give 0 or more, or None for all.")
        items: list[T] = []
        if max_items == 0:
            return items
        async for item in self:
            items.append(item)
            if len(items) == max_items:
                break
        return items

    async def first(self) -> T | None:
        """The newest item, fetched alone; None if the list is empty."""
        async for item in self._with_page_size(1):
            return item
        return None

    async def head(self, n: int = 5) -> Page[T]:
        """The first items, fetched alone, as a page: a notebook shows it as a table.

        Args:
            n: How many, 1 to 200; lists that do not come in pages come whole.

        Raises:
            InvalidArgumentError: `n` is out of range.

        """
        return await anext(self._with_page_size(n).pages())

    def _with_page_size(self, page_size: int) -> AsyncPager[T]:
        """The same list, in pages of so many; those of which no page says that they take a `limit` are sent none."""
        query = {**self._query, **page_query(page_size)} if "limit" in self._query else self._query
        return AsyncPager(self._sender, self._path, self._model, query)

    async def to_records(self, max_items: int | None = None) -> list[dict[str, object]]:
        """All items, or the first so many, as flat dictionaries: what is nested has dotted names, `result.post_id`.

        Raises:
            InvalidArgumentError: `max_items` is negative.

        """
        from .. import _dataframes as dataframes  # here and below: loaded by those who make tables

        return [dataframes.flatten(item) for item in await self.to_list(max_items)]

    async def to_pandas(self, max_items: int | None = None) -> pd.DataFrame:
        """The same as a data frame of pandas (extra `pandas`), a row for each item.

        Raises:
            ImportError: pandas is not installed; nothing was sent.
            InvalidArgumentError: `max_items` is negative.

        """
        from .. import _dataframes as dataframes

        dataframes.check_installed("pandas")
        return dataframes.pandas_frame(await self.to_records(max_items), self._model)

    async def to_polars(self, max_items: int | None = None) -> pl.DataFrame:
        """The same as a data frame of polars (extra `polars`), a row for each item.

        Raises:
            ImportError: polars is not installed; nothing was sent.
            InvalidArgumentError: `max_items` is negative.

        """
        from .. import _dataframes as dataframes

        dataframes.check_installed("polars")
        return dataframes.polars_frame(await self.to_records(max_items), self._model)
