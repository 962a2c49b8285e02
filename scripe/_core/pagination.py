"""Walk through the pages of a list, and start again when the API refuses a cursor.

`has_more` decides whether there is a next page, and the cursor where it is; the number of items decides nothing.

A cursor can become invalid while a long list is read (`bad_cursor`). The walk then starts at the first page again, and
must not yield an item twice. Remembering all ids would take memory without limit. But lists are sorted by `createdAt`
and then `id`, newest first. It is enough to remember the instant of the last item, and the ids yielded at that instant:
a restarted walk skips every item that is newer than the instant, and at the instant itself the ids it remembers.
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
"""Restarts in a row without a new item after which the walk gives up."""


class PageWalk(Generic[T]):
    """One walk through a list, page by page. It decides; the pager sends."""

    def __init__(self, query: Mapping[str, str], cursor: str | None = None) -> None:
        self._query = query
        self._cursor = cursor
        self._cursor_is_ours = (
            False  # True if a page of this walk returned the cursor, False if the caller passed it
        )
        self._begins_midway = cursor is not None
        self._has_ended = False
        self._seen_cursors: set[int] = set() if cursor is None else {hash(cursor)}
        self._position: float | None = None
        self._ids_at_position: set[str] = set()
        self._has_yielded = False
        self._has_restarted = False
        self._empty_restarts = 0

    def next_query(self) -> dict[str, str] | None:
        """Return the query of the next page; None after the last."""
        if self._has_ended:
            return None
        return {**self._query, **({} if self._cursor is None else {"cursor": self._cursor})}

    def accept(self, page: Page[T]) -> Page[T]:
        """Remember where the next page is; return this one without the items that were yielded already."""
        self._advance(page)
        if self._has_restarted:
            fresh = [item for item in page.data if not self._was_yielded(item)]
            page = page.model_copy(update={"data": fresh})
        if page.data:
            self._empty_restarts = 0
            self._remember_position(page.data)
        return page

    def restart(self) -> bool:
        """Start again after the API refused a cursor; return False if that cannot help."""
        # A caller's cursor whose first page never came leaves no position: a restart would yield the whole list.
        is_hopeless = self._begins_midway and not self._has_yielded
        if not self._cursor_is_ours or is_hopeless or self._empty_restarts >= MAX_EMPTY_RESTARTS:
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
            raise _invalid_page_error(page, "has_more but without a cursor")
        if hash(cursor) in self._seen_cursors:
            raise _invalid_page_error(page, "a cursor that an earlier page had, which would never end")
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
        f"The API returned a page with {problem}.",
        status_code=response.status_code if response else 200,
        request_id=response.request_id if response else None,
    )
