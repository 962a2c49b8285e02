"""How a list of the API looks in a notebook: its first rows, fetched when it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from ..errors import ScripeError
from ..types.page import Page
from .cards import error_card, model_table
from .html import joined, tag

if TYPE_CHECKING:
    from .._async.pager import AsyncPager
    from .._sync.pager import Pager

T = TypeVar("T", bound=BaseModel)


def page_table(page: Page[T]) -> str:
    """A page as a table."""
    if not page.data:
        return tag("em", "empty")
    count = f"{len(page.data):,} {'row' if len(page.data) == 1 else 'rows'}"
    return model_table(page.data, f"the first {count}; there are more" if page.has_more else count)


def first_rows(pager: Pager[T]) -> str:
    """The first rows; or why they could not be fetched, since to show an object raises nothing."""
    try:
        return page_table(pager.head())
    except ScripeError as error:
        return error_card(error)


def async_first_rows(pager: AsyncPager[T]) -> str:
    """How to see them: nothing can be awaited while an object is shown."""
    return tag(
        "span",
        joined([tag("code", repr(pager)), ": ", tag("code", "await ….head()"), " shows its first rows"]),
    )
