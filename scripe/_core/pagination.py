"""The next page; a restart after a stale cursor.

`has_more` says whether there is a next page, the cursor says where; never the number of items. Lists are sorted
by `createdAt` and then `id`, newest first: so a walk that has to start again skips what is newer than the last
item it yielded, and, at that very instant, the ids it has seen there. That takes constant memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Generic, TypeVar, cast

from pydantic import BaseModel

from ..errors import APIResponseValidationError
from ..types.page import Page

T = TypeVar("T", bound=BaseModel)

MAX_EMPTY_RESTARTS = 3
"""Restarts in a row that bring nothing new, after which the walk gives up."""


class PageWalk(Generic[T]):
    """One walk through a list, page by page."""

    def __init__(self, query: Mapping[str, str], cursor: str | None = None) -> None:
        self._query = query
        self._cursor = cursor
        self._cursor_is_ours = False  # whether the cursor came from this walk
        self._begins_midway = cursor is not None
        self._has_ended = False
        self._seen_cursors: set[int] = set() if cursor is None else {hash(cursor)}
        self._position: float | None = None
        self._ids_at_position: set[str] = set()
        self._has_yielded = False
        self._has_restarted = False
        self._empty_restarts = 0

    def next_query(self) -> dict[str, str] | None:
        """The query of the next page; None after the last."""
        if self._has_ended:
            return None
        return {**self._query, **({} if self._cursor is None else {"cursor": self._cursor})}

    def accept(self, page: Page[T]) -> Page[T]:
        """Note where the next page is, and leave out what an earlier page of this walk held."""
        self._advance(page)
        if self._has_restarted:
            fresh = [item for item in page.data if not self._was_yielded(item)]
            page = page.model_copy(update={"data": fresh})
        if page.data:
            self._empty_restarts = 0
            self._remember_position(page.data)
        return page

    def restart(self) -> bool:
        """Begin again after the API refused a cursor of ours; False if that cannot help."""
        hopeless = self._begins_midway and not self._has_yielded
        if not self._cursor_is_ours or hopeless or self._empty_restarts >= MAX_EMPTY_RESTARTS:
            return False
        self._cursor, self._cursor_is_ours = None, False
        self._seen_cursors.clear()
        self._has_restarted = True
        self._empty_restarts += 1
        return True

    def _advance(self, page: Page[T]) -> None:
        cursor = page.next_cursor
        if not page.has_more:
            self._has_ended = True
            return
        if not cursor:
            raise _invalid_page_error(page, "has_more without a cursor")
        if hash(cursor) in self._seen_cursors:
            raise _invalid_page_error(page, "a cursor that came before, which would go round for ever")
        self._seen_cursors.add(hash(cursor))
        self._cursor, self._cursor_is_ours = cursor, True

    def _was_yielded(self, item: T) -> bool:
        position = _position(item)
        if not self._has_yielded or position is None or self._position is None or position == self._position:
            return _id(item) in self._ids_at_position
        return position > self._position

    def _remember_position(self, items: Sequence[T]) -> None:
        position = _position(items[-1])
        if position != self._position:
            self._ids_at_position = set()
        self._position, self._has_yielded = position, True
        for item in reversed(items):
            if _position(item) != position:
                break
            self._ids_at_position.add(_id(item))


def _position(item: BaseModel) -> float | None:
    created_at = cast("datetime | None", getattr(item, "created_at", None))
    return None if created_at is None else created_at.timestamp()


def _id(item: BaseModel) -> str:
    return cast("str", getattr(item, "id", ""))


def _invalid_page_error(page: Page[T], problem: str) -> APIResponseValidationError:
    response = getattr(page, "last_response", None)
    return APIResponseValidationError(
        f"The API answered a page with {problem}.",
        status_code=response.status_code if response else 200,
        request_id=response.request_id if response else None,
    )
