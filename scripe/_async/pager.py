"""The lists that `list()` methods return, fetched page by page while they are read.

Pages and items are iterator classes, not generators, for two reasons. A generator that is left half-way must be closed:
on trio an unclosed one warns. And a generator that has raised is finished for good, while these can be asked again
after a lost connection, and go on with the page that failed.

A cursor can become stale during a walk (a row was deleted, or the API was deployed), and the API then responds with 400
`bad_cursor`. `PageWalk` starts again without a cursor and skips what was already yielded.
"""

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


class AsyncPages(Generic[T]):
    """An iterator over the pages of a list."""

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
    """An iterator over the items of a list."""

    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._items: collections.abc.Iterator[T] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        # A loop: a page may be empty although more pages follow, such as one whose items were all yielded before a
        # restart.
        while (item := next(self._items, None)) is None:
            self._items = iter((await anext(self._pages)).data)
        return item


class AsyncPager(Generic[T]):
    """A list of the API, fetched page by page. Iterate over it to get its items.

    Nothing is sent before the first item is asked for. Each iteration starts from the beginning. If a cursor becomes
    stale during an iteration, the iteration starts again and skips the items that it has already yielded.

    Raises:
        APIStatusError: while iterating: the API responded with an error.
        APIConnectionError: while iterating: no response arrived.
        APIResponseValidationError: while iterating: the pages contradict each other (a cursor was repeated, say).

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
        """Return an iterator over the pages of this list.

        Args:
            cursor: Where to begin: the `next_cursor` of a page of this list, with the same filters. If the API
                rejects it, `BadCursorError` is raised.

        """
        return AsyncPages(self._sender, self._path, page_of(self._model), PageWalk(self._query, cursor))

    async def to_list(self, max_items: int | None = None) -> list[T]:
        """Fetch all items, and return them as a list.

        Args:
            max_items: Stop after this many items; None for all.

        Raises:
            InvalidArgumentError: `max_items` is negative.

        """
        if max_items is not None and max_items < 0:
            raise InvalidArgumentError(f"max_items is {max_items!r}. Give 0 or more, or None for all.")
        items: list[T] = []
        if max_items == 0:
            return items
        async for item in self:
            items.append(item)
            if len(items) == max_items:
                break
        return items

    async def first(self) -> T | None:
        """Fetch the newest item only; return None if the list is empty."""
        async for item in self._with_page_size(1):
            return item
        return None

    async def head(self, n: int = 5) -> Page[T]:
        """Fetch the first items only, as a page, which a notebook shows as a table.

        Args:
            n: How many items, 1 to 200. Lists that the API does not paginate are returned whole.

        Raises:
            InvalidArgumentError: `n` is out of range.

        """
        return await anext(self._with_page_size(n).pages())

    def _with_page_size(self, page_size: int) -> AsyncPager[T]:
        """Return the same list with another page size, if it has one.

        The API documents no `limit` for some lists, and might reject one: these have none in their query.
        """
        query = {**self._query, **page_query(page_size)} if "limit" in self._query else self._query
        return AsyncPager(self._sender, self._path, self._model, query)

    async def to_records(self, max_items: int | None = None) -> list[dict[str, object]]:
        """Fetch all items, and return them as flat dictionaries; nested fields get dotted names, `result.post_id`.

        Args:
            max_items: Stop after this many items; None for all.

        Raises:
            InvalidArgumentError: `max_items` is negative.

        """
        from .. import _dataframes as dataframes

        return [dataframes.flatten(item) for item in await self.to_list(max_items)]

    async def to_pandas(self, max_items: int | None = None) -> pd.DataFrame:
        """Fetch all items, and return them as a pandas data frame, one row for each item (extra `pandas`).

        Args:
            max_items: Stop after this many items; None for all.

        Raises:
            ImportError: pandas is not installed; nothing was sent.
            InvalidArgumentError: `max_items` is negative.

        """
        from .. import _dataframes as dataframes

        dataframes.check_installed("pandas")
        return dataframes.pandas_frame(await self.to_records(max_items), self._model)

    async def to_polars(self, max_items: int | None = None) -> pl.DataFrame:
        """Fetch all items, and return them as a polars data frame, one row for each item (extra `polars`).

        Args:
            max_items: Stop after this many items; None for all.

        Raises:
            ImportError: polars is not installed; nothing was sent.
            InvalidArgumentError: `max_items` is negative.

        """
        from .. import _dataframes as dataframes

        dataframes.check_installed("polars")
        return dataframes.polars_frame(await self.to_records(max_items), self._model)
