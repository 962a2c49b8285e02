"""How a list of the API looks in a notebook: its first rows, fetched when it is shown."""

from __future__ import annotations

from typing import Protocol

from ..errors import ScripeError
from .html import joined, tag


class Shown(Protocol):
    """What a notebook can show."""

    def _repr_html_(self) -> str: ...


class List(Protocol):
    """What has first rows."""

    def head(self) -> Shown: ...


def first_rows(pager: List) -> str:
    """The first rows; or why they could not be fetched, since to show an object raises nothing."""
    shown: Shown
    try:
        shown = pager.head()
    except ScripeError as error:
        shown = error
    return shown._repr_html_()  # pyright: ignore[reportPrivateUsage] - as a notebook does


def async_first_rows(pager: object) -> str:
    """How to see them: nothing can be awaited while an object is shown."""
    return tag(
        "span", joined([tag("code", repr(pager)), "; ", tag("code", "await ….head()"), " shows a table"])
    )
