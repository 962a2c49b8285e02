"""How lists look in a notebook: those of the API by their first rows, fetched when shown; those of models as tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from pydantic import BaseModel

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


ListFormatter: TypeAlias = "Callable[[list[object]], str | None]"


class _HTMLFormatter(Protocol):
    def for_type(self, kind: type, function: ListFormatter | None = None, /) -> ListFormatter | None: ...


class _DisplayFormatter(Protocol):
    formatters: dict[str, _HTMLFormatter]


class _Shell(Protocol):
    display_formatter: _DisplayFormatter


def show_lists_as_tables(kind: type[BaseModel]) -> None:
    """Have IPython, if it runs, show plain lists of such models as tables: those of `to_list`, and slices of them too.

    All other lists look as before.
    """
    from IPython.core.getipython import get_ipython

    shell = cast("_Shell | None", get_ipython())
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["text/html"]
    before = formatter.for_type(list) or _own_html

    def list_html(items: list[object]) -> str | None:
        from .._html import list_table

        models = [item for item in items if isinstance(item, kind)]
        return list_table(models) if models and len(models) == len(items) else before(items)

    formatter.for_type(list, list_html)


def _own_html(items: list[object]) -> str | None:
    """Return what a subclass of list says of itself: IPython asks a formatter of `list` first."""
    own = cast("Callable[[list[object]], str] | None", getattr(type(items), "_repr_html_", None))
    return None if own is None else own(items)
