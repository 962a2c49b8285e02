"""Names of the cases of a parametrised test that pytest itself would only count: `body3`, `<lambda>0`, a whole page."""

from __future__ import annotations

import dataclasses
import functools
import re
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LENGTH = 80


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a value by what it holds; None leaves it to pytest."""
    if isinstance(val, functools.partial):
        val = cast("functools.partial[object]", val).func
    if isinstance(val, FunctionType):
        return what_is_called(val) if val.__name__ == "<lambda>" else name_of(val)
    if isinstance(val, str | bytes) and 0 < len(val) <= LENGTH:
        return None
    if val is None or isinstance(val, type | bool | int | float):
        return None
    return shorten(text_of(val))


def text_of(value: Any) -> str:
    """Return what a test would write, in the same order in each process: sets have none of their own."""
    if value in ("", b""):
        return "empty"
    if isinstance(value, str):
        return value
    if isinstance(value, set | frozenset):
        return text_of(sorted(cast("set[object]", value), key=repr))
    if type(value) in (list, tuple) and value:
        return " ".join(text_of(each) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({', '.join(what_is_set(value))})"
    text = repr(value)
    return type(value).__name__ if " at 0x" in text else text


def what_is_set(value: DataclassInstance) -> list[str]:
    """Return the fields of a dataclass that do not have their default."""
    values = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    defaults = {field.name: field.default for field in dataclasses.fields(value)}
    empty: tuple[object, ...] = ("", b"", {}, [], (), None)
    shown = {name: each for name, each in values.items() if each not in empty and each != defaults[name]}
    return [f"{name}={text_of(each)}" for name, each in shown.items()]


def name_of(function: FunctionType) -> str:
    """Return `asyncio.run`, since there is `trio.run` too; what the tests define needs no module."""
    library = function.__module__.partition(".")[0]
    return function.__name__ if library == "tests" else f"{library}.{function.__name__}"


def what_is_called(function: FunctionType) -> str:
    """Return the names and the plain values in a lambda, such as `posts.update title 'post_1' 'x'`."""
    names, constants = function.__code__.co_names, cast("tuple[object, ...]", function.__code__.co_consts)
    keywords = [text_of(value) for value in constants if type(value) is tuple]
    values = [repr(value) for value in constants if isinstance(value, str | bytes | int | float)]
    return shorten(" ".join([".".join(names), *keywords, *values]))


def shorten(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 3]}..."
